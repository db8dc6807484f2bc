"""All tests in runs side by side: the browser tests mostly wait, the others mostly compute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BROWSER = sorted(str(path) for path in Path("tests/browser").glob("test_*.py"))
SHARES = 3
SLOW = ("tests/routes", "tests/faults")
RUNS = (
    [f"--ignore={folder}" for folder in ("tests/browser", *SLOW)],
    *([folder] for folder in SLOW),
    *(BROWSER[share::SHARES] for share in range(SHARES)),
)


def main() -> int:
    """The output of all runs, one after the other; exit status 0 only when all passed."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            stdout=subprocess.PIPE if number else None,
            stderr=subprocess.STDOUT if number else None,
            text=True,
        )
        for number, arguments in enumerate(RUNS)
    ]
    statuses = []
    for process in running:
        output, _ = process.communicate()
        print(output or "", end="", flush=True)
        statuses.append(process.returncode)
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
