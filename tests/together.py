"""All tests, in several runs at a time: the browser tests mostly wait, the others mostly compute."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

AT_A_TIME = 4
OWN_RUN = ("tests/browser", "tests/domain", "tests/faults", "tests/routes", "tests/storage")
# What takes longest begins first, so that no run is left alone at the end; new files come after these.
LONGEST_FIRST = (
    "tests/browser/test_stroke_guide.py",
    "tests/faults",
    "tests/browser/test_stage_heard.py",
    "tests/routes",
    "tests/browser/test_stage_senses.py",
    "tests/browser/test_session_alone.py",
    "tests/browser/test_session_page.py",
    "tests/browser/test_axe.py",
    "tests/browser/test_stage_controls.py",
    "tests/domain",
    "tests/faults/test_fault_01_kill_sweep.py",
    "tests/faults/test_devices.py",
    "tests/faults/test_fault_14_upgrade.py",
)


def runs() -> list[list[str]]:
    """The arguments of every run, the longest first; each test is in exactly one."""
    files = {str(path) for path in Path("tests/browser").glob("test_*.py")}
    apart = [one for one in LONGEST_FIRST if one.startswith("tests/faults/")]
    without = {"tests/faults": [f"--ignore={one}" for one in apart]}
    longest = [[one, *without.get(one, ())] for one in LONGEST_FIRST]
    rest = [f"--ignore={folder}" for folder in OWN_RUN]
    short = [[one] for one in sorted(files.difference(LONGEST_FIRST))]
    return [*longest, rest, ["tests/storage"], *short]


def run(arguments: list[str]) -> tuple[int, str]:
    """Exit status and output of one run."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = round(time.monotonic() - begun)
    return done.returncode, f"== {' '.join(arguments)} ({seconds} s)\n{done.stdout}"


def main() -> int:
    """The output of all runs as they end; exit status 0 only when all passed."""
    statuses = []
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for ended in as_completed([pool.submit(run, arguments) for arguments in runs()]):
            status, output = ended.result()
            print(output, end="", flush=True)
            statuses.append(status)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
