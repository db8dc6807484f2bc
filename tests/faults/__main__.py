"""``python -m tests.faults``: the scripted tests of the faults, one line for each fault."""

from __future__ import annotations

import os
import sys
from collections import defaultdict

import pytest

from tests.faults.table import FAULTS


class Report:
    """Gathers what became of the tests of each fault, and says it at the end."""

    def __init__(self) -> None:
        self.numbers: dict[str, set[int]] = {}
        self.passed: defaultdict[int, int] = defaultdict(int)
        self.failed: defaultdict[int, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = item.iter_markers("fault")
            self.numbers[item.nodeid] = {number for mark in marks for number in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for number in self.numbers.get(report.nodeid, ()):
            if report.outcome != "passed":
                self.failed[number].append(report.nodeid)
            elif report.when == "call":
                self.passed[number] += 1

    def lines(self) -> list[str]:
        return [self.line(number, name) for number, name in FAULTS.items()]

    def line(self, number: int, name: str) -> str:
        tests = f"{self.passed[number]} test{'s' if self.passed[number] != 1 else ''}"
        if self.survived(number):
            return f"{number}/{len(FAULTS)} {name}: passed ({tests})"
        why = ", ".join(self.failed[number]) or "no test ran"
        return f"{number}/{len(FAULTS)} {name}: FAILED ({why})"

    def survived(self, number: int) -> bool:
        """True when a test of it passed and none failed or was left out."""
        return bool(self.passed[number]) and not self.failed[number]

    def count(self) -> int:
        return sum(map(self.survived, FAULTS))


def main() -> int:
    os.environ.setdefault("STEADY_HANDS_FAULTS", "1")
    report = Report()
    chosen = ["-q", "-p", "no:cacheprovider", "-m", "fault", *sys.argv[1:]]
    status = pytest.main(chosen, plugins=[report])
    print(*report.lines(), f"{report.count()} of {len(FAULTS)}", sep="\n")
    return int(status) or int(report.count() != len(FAULTS))


if __name__ == "__main__":
    sys.exit(main())
