"""What a process tells of its clock, so that the next one can go on from there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """What the clock said when the process last told that it lives; times in ms."""

    boot: str
    steady: int
    now: int
