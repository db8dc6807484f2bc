"""Sign of life: the clock record that a process stores, so that the next one can continue it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What the clock showed when the process last stored a sign of life; times in ms."""

    boot: str
    steady: int
    now: int
