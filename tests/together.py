"""All tests in two runs side by side: the browser tests mostly wait, the others mostly compute."""

from __future__ import annotations

import subprocess
import sys

RUNS = (("--ignore=tests/browser",), ("tests/browser",))


def main() -> int:
    """Both runs' output, one after the other; exit status 0 only when both passed."""
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
