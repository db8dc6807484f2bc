"""Runs the tests of one mark and prints a line for each thing that the mark names."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from typing import Any

import pytest


class MarkReport:
    """Gathers what became of the tests of each thing, and what they counted.

    ``names`` are the texts of the things, by the argument of the mark. ``good`` and ``bad`` are the
    words for the outcome.
    """

    def __init__(self, mark: str, names: Mapping[Any, str], good: str, bad: str) -> None:
        self.mark, self.names, self.good, self.bad = mark, names, good, bad
        self.marks: dict[str, set[Hashable]] = {}
        self.passed: Counter[Hashable] = Counter()
        self.failed: defaultdict[Hashable, list[str]] = defaultdict(list)
        self.counted: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
        self.words: defaultdict[Hashable, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marks = item.iter_markers(self.mark)
            self.marks[item.nodeid] = {name for mark in marks for name in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name in self.marks.get(report.nodeid, ()):
            if report.outcome != "passed":
                why = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
                self.failed[name].append(f"{report.nodeid} {why}".strip())
            elif report.when == "teardown":  # fixtures count as well
                self.passed[name] += 1
                self.count(name, report.user_properties)

    def count(self, name: Hashable, properties: list[tuple[str, Any]]) -> None:
        """Add numbers up over the tests of a thing; keep words as they are."""
        for what, value in properties:
            if isinstance(value, int):
                self.counted[name][what] += value
            else:
                self.words[name].append(f"{what} {value}")

    def holds(self, name: Hashable) -> bool:
        """Return True when a test of it passed and none failed or was left out."""
        return bool(self.passed[name]) and not self.failed[name]

    def total(self) -> int:
        return sum(map(self.holds, self.names))

    def lines(self) -> list[str]:
        return [self.line(number, name) for number, name in enumerate(self.names, 1)]

    def line(self, number: int, name: Hashable) -> str:
        where = f"{number}/{len(self.names)} {self.names[name]}"
        if not self.holds(name):
            return f"{where}: {self.bad} ({', '.join(self.failed[name]) or 'no test ran'})"
        counts = [f"{count:,} {what}" for what, count in self.counted[name].items()]
        tests = f"{self.passed[name]} test{'s' if self.passed[name] != 1 else ''}"
        return f"{where}: {self.good} ({', '.join([*counts, *self.words[name], tests])})"

    def run(self) -> int:
        """Run the tests, print the lines and return the exit status."""
        chosen = ["-q", "-p", "no:cacheprovider", "-m", self.mark, *sys.argv[1:]]
        status = pytest.main(chosen, plugins=[self])
        print(*self.lines(), f"{self.total()} of {len(self.names)}", sep="\n")
        return int(status) or int(self.total() != len(self.names))
