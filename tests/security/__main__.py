"""``python -m tests.security``: every promise of security with what was counted, one line each."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.security.promises import PROMISES


class Report:
    """Gathers what became of the tests of each promise, and what they counted."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}
        self.passed: Counter[str] = Counter()
        self.failed: defaultdict[str, list[str]] = defaultdict(list)
        self.counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.told: defaultdict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = item.iter_markers("promise")
            self.names[item.nodeid] = {name for mark in marks for name in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name in self.names.get(report.nodeid, ()):
            if report.outcome != "passed":
                self.failed[name].append(f"{report.nodeid} {self.why(report)}".strip())
            elif report.when == "teardown":  # fixtures count as well
                self.passed[name] += 1
                self.count(name, report.user_properties)

    def why(self, report: pytest.TestReport) -> str:
        return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""

    def count(self, name: str, properties: list[tuple[str, Any]]) -> None:
        """Numbers are added up over the tests of a promise, words are told as they are."""
        for what, value in properties:
            if isinstance(value, int):
                self.counted[name][what] += value
            else:
                self.told[name].append(f"{what} {value}")

    def lines(self) -> list[str]:
        return [self.line(number, name) for number, name in enumerate(PROMISES, 1)]

    def line(self, number: int, name: str) -> str:
        where = f"{number}/{len(PROMISES)} {PROMISES[name]}"
        if not self.kept(name):
            return f"{where}: NOT SHOWN ({', '.join(self.failed[name]) or 'no test ran'})"
        counts = [f"{count:,} {what}" for what, count in self.counted[name].items()]
        tests = f"{self.passed[name]} test{'s' if self.passed[name] != 1 else ''}"
        return f"{where}: kept ({', '.join([*counts, *self.told[name], tests])})"

    def kept(self, name: str) -> bool:
        """True when a test of it passed and none failed or was left out."""
        return bool(self.passed[name]) and not self.failed[name]

    def number(self) -> int:
        return sum(map(self.kept, PROMISES))


def main() -> int:
    os.environ.setdefault("STEADY_HANDS_SECURITY", "1")
    report = Report()
    chosen = ["-q", "-p", "no:cacheprovider", "-m", "promise", *sys.argv[1:]]
    status = pytest.main(chosen, plugins=[report])
    print(*report.lines(), f"{report.number()} of {len(PROMISES)}", sep="\n")
    return int(status) or int(report.number() != len(PROMISES))


if __name__ == "__main__":
    sys.exit(main())
