"""The table of faults: each has a test, and each such test says how it was seen to fail."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.faults.__main__ import report as new_report
from tests.faults.table import FAULTS

TESTS = Path(__file__).resolve().parent.parent
PROOF = "Seen to fail"


def marked() -> Iterator[tuple[int, str, str]]:
    """Number, test and docstrings (its own and its file's) of every test of a fault."""
    for path in TESTS.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        whole = [node for node in tree.body if is_pytestmark(node)]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = {n for mark in [*node.decorator_list, *whole] for n in numbers(mark)}
                text = (ast.get_docstring(tree) or "") + (ast.get_docstring(node) or "")
                yield from ((number, f"{path.name}::{node.name}", text) for number in marks)


def is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def numbers(mark: ast.AST) -> Iterator[int]:
    """The arguments of all ``pytest.mark.fault(...)`` within."""
    for node in ast.walk(mark):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
            yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_fault_has_a_test_and_no_other_number_is_used() -> None:
    assert {number for number, _, _ in marked()} == set(FAULTS) == set(range(1, 20))


def test_every_test_of_a_fault_says_how_it_was_seen_to_fail() -> None:
    assert [name for _, name, text in marked() if PROOF not in text] == []


class Outcome:
    longrepr, user_properties = None, ()

    def __init__(self, nodeid: str, outcome: str, when: str = "teardown") -> None:
        self.nodeid, self.outcome, self.when = nodeid, outcome, when


def test_a_fault_counts_only_when_a_test_of_it_ran_and_none_failed_or_was_left_out() -> None:
    report = new_report()
    report.marks = {"a": {1}, "b": {2}, "c": {2}, "d": {3}}
    for outcome in (
        Outcome("a", "passed"),
        Outcome("b", "passed"),
        Outcome("c", "failed"),
        Outcome("d", "skipped", "setup"),
    ):
        report.pytest_runtest_logreport(outcome)  # type: ignore[arg-type]
    assert [report.holds(number) for number in (1, 2, 3, 4)] == [True, False, False, False]
    assert report.total() == 1
    lines = report.lines()
    assert lines[0] == "1/19 kill -9 at any write or fsync: passed (1 test)"
    assert lines[1] == "2/19 power cut: FAILED (c)"
    assert lines[3] == "4/19 I/O error on fsync: FAILED (no test ran)"
