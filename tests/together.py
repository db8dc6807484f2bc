"""All tests, in several runs at a time: some mostly wait for a browser, the others mostly compute.

Those that compute give way (``nice``) to those that wait, whose seconds are looked at.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

WAITING_AT_A_TIME, COMPUTING_AT_A_TIME = 4, 2  # of runs, on two cores
FOLDERS = ("tests/browser", "tests/domain", "tests/faults", "tests/routes", "tests/storage")
# What takes longest begins first, so that no run is left alone at the end.
WAITING = (
    ("tests/browser/test_stage_heard.py",),
    ("tests/browser/test_stroke_guide.py",),
    ("tests/faults",),
    ("tests/browser/test_stage_senses.py",),
    ("tests/browser/test_session_alone.py",),
    ("tests/browser/test_session_page.py",),
    ("tests/browser/test_stage_controls.py",),
)
COMPUTING = (
    ("tests/browser/test_axe.py",),
    ("tests/routes",),
    ("tests/faults/test_fault_01_kill_sweep.py", "tests/faults/test_devices.py"),
    (".",),
    ("tests/domain",),
    ("tests/storage", "tests/faults/test_fault_14_upgrade.py"),
)
SHORT_ONES = 3  # the other files of tests/browser, in so many runs


@dataclass(frozen=True)
class Run:
    """One run of pytest."""

    arguments: tuple[str, ...]
    computes: bool


def runs() -> list[Run]:
    """Every run in the order of its start; each test is in exactly one."""
    named = [one for group in (*WAITING, *COMPUTING) for one in group]
    others = sorted({str(path) for path in Path("tests/browser").glob("test_*.py")} - {*named})
    shares = [tuple(others[n::SHORT_ONES]) for n in range(SHORT_ONES)]
    waiting = [Run(without(group, named), computes=False) for group in (*WAITING, *shares)]
    return [*waiting, *(Run(without(group, named), computes=True) for group in COMPUTING)]


def without(group: tuple[str, ...], named: list[str]) -> tuple[str, ...]:
    """The arguments for ``group``, which leave out what is named for itself."""
    if group == (".",):
        return tuple(f"--ignore={folder}" for folder in FOLDERS)
    inside = [one for one in named for folder in group if one.startswith(f"{folder}/")]
    return (*group, *(f"--ignore={one}" for one in inside))


def give_way() -> None:
    os.nice(10)


def carry_out(run: Run) -> tuple[int, str]:
    """Exit status and output of one run."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *run.arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=give_way if run.computes and hasattr(os, "nice") else None,
    )
    seconds = round(time.monotonic() - begun)
    return done.returncode, f"== {' '.join(run.arguments)} ({seconds} s)\n{done.stdout}"


def main() -> int:
    """The output of all runs as they end; exit status 0 only when all passed."""
    statuses = []
    lanes = {
        False: ThreadPoolExecutor(WAITING_AT_A_TIME),
        True: ThreadPoolExecutor(COMPUTING_AT_A_TIME),
    }
    begun: list[Future[tuple[int, str]]] = [
        lanes[run.computes].submit(carry_out, run) for run in runs()
    ]
    for ended in as_completed(begun):
        status, output = ended.result()
        print(output, end="", flush=True)
        statuses.append(status)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
