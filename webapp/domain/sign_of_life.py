"""Sign of life: the clock record that a process stores, so that the next one can continue it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What the clock said when the process last told that it lives; times in ms."""

    boot: str
    steady: int
    now: int
