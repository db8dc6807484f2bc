"""What one run was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """``folder`` is temporary; ``seconds`` shortens a run for trying."""

    folder: Path
    seconds: float | None = None
    long: bool = False
    sessions: int | None = None
    reach: bool = False
    commands_every: float = 60.0

    def duration(self, usual: float) -> float:
        return usual if self.seconds is None else self.seconds
