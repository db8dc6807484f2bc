"""``python -m benchmarks [NAME...]``: run the benchmarks and print a table for each."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    beat,
    countdown,
    first_visit,
    history,
    load,
    room,
    shared_load,
    stage_cpu,
    start,
    traffic,
    upkeep,
)
from benchmarks.options import Options
from benchmarks.table import Table

BENCHMARKS: dict[str, Callable[[Options], Table]] = {
    "start": start.measure,
    "first_visit": first_visit.measure,
    "beat": beat.measure,
    "traffic": traffic.measure,
    "stage_cpu": stage_cpu.measure,
    "countdown": countdown.measure,
    "history": history.measure,
    "room": room.measure,
    "load": load.measure,
    "shared_load": shared_load.measure,
    "upkeep": upkeep.measure,
}


def main() -> None:
    """Missed promises and failed measurements are printed; neither sets the exit status."""
    given = parser().parse_args()
    if given.list:
        for name, measure in BENCHMARKS.items():
            print(f"{name:12} {(measure.__doc__ or '').splitlines()[0]}")
        return
    names = given.names or (["countdown"] if given.long else list(BENCHMARKS))
    for name in names:
        with tempfile.TemporaryDirectory(prefix=f"steady-hands-{name}-") as folder:
            options = Options(
                Path(folder),
                seconds=given.seconds,
                long=given.long,
                sessions=given.sessions,
                reach=given.reach,
                commands_every=given.commands_every,
            )
            print(measured(name, options), flush=True)


def measured(name: str, options: Options) -> str:
    """The table of a benchmark, or why there is none: the others are measured all the same."""
    try:
        return BENCHMARKS[name](options).text()
    except Exception as error:
        why = str(error).strip().splitlines()
        return f"\n{name}: not measured ({type(error).__name__}: {why[0] if why else ''})"


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    found.add_argument(
        "names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help="only these"
    )
    found.add_argument("--list", action="store_true", help="say which there are")
    found.add_argument("--long", action="store_true", help="countdown over 28 minutes")
    found.add_argument("--seconds", type=float, help="shorter, for trying")
    found.add_argument("--sessions", type=int, help="load, history: how many (default 10,000)")
    found.add_argument("--reach", action="store_true", help="load: step up until it breaks")
    found.add_argument(
        "--commands-every",
        type=float,
        default=60.0,
        metavar="S",
        help="load: seconds between two acts in one session (default 60)",
    )
    return found


if __name__ == "__main__":
    main()
