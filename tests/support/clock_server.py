"""``python -m tests.support.clock_server``: ``steady-hands`` on a machine whose clocks a test sets.

The file that ``MACHINE_CLOCKS`` names holds JSON; it is read at every look at a clock: ``wall_ms``
and ``steady_ms`` are added to the machine's own, ``boot`` is the id of this boot.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.real_server import Server, clean_environment

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class MachineClocks:
    """The clocks of a machine; what is set here holds at once for all that runs on it."""

    path: Path
    wall_ms: int = 0
    steady_ms: int = 0
    boot: str = "boot-1"

    def __post_init__(self) -> None:
        self.set()

    def set(self, **changes: int | str) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        told = {"wall_ms": self.wall_ms, "steady_ms": self.steady_ms, "boot": self.boot}
        partial = self.path.with_suffix(".new")
        partial.write_text(json.dumps(told), encoding="ascii")
        partial.replace(self.path)

    def server(self, data: Path, protocols: Path, **environment: str) -> Server:
        command = (sys.executable, "-m", "tests.support.clock_server")
        more = {"MACHINE_CLOCKS": str(self.path)} | environment
        return Server(
            data, protocols, command=command, cwd=ROOT, environment=clean_environment(**more)
        )


def main() -> None:
    from webapp.cli import main
    from webapp.timekeeping import clock, liveness

    path = Path(os.environ["MACHINE_CLOCKS"])
    real_steady, real_wall = clock.steady_ms, clock.wall_ms

    def told(name: str) -> int:
        return int(json.loads(path.read_text(encoding="ascii"))[name])

    clock.steady_ms = lambda: real_steady() + told("steady_ms")
    clock.wall_ms = lambda: real_wall() + told("wall_ms")
    clock.boot_id = lambda: str(json.loads(path.read_text(encoding="ascii"))["boot"])
    liveness.BEAT_SECONDS = 0.3
    main.main()


if __name__ == "__main__":
    main()
