"""The table of docs/security.md: each requirement of the standard once, with tests that exist."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.test_hazards import NAMED, ROOT, collected

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ITEM = re.compile(r"V\d+\.\d+\.\d+")
# How many requirements of level 1 each chapter of version 5.0.0 has.
LEVEL_1 = {
    1: 8,
    2: 4,
    3: 8,
    4: 2,
    5: 4,
    6: 13,
    7: 6,
    8: 4,
    9: 4,
    10: 5,
    11: 3,
    12: 3,
    13: 1,
    14: 2,
    15: 3,
}
APPLY = 52


class Row(NamedTuple):
    item: str
    asks: str
    how: str
    tests: str


def rows(text: str) -> list[Row]:
    """The rows of the table, without its head. Raises TypeError for one of other cells."""
    lines = [line for line in text.splitlines() if line.startswith("| V")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def faults(row: Row) -> list[str]:
    """What is wrong with a row, in words."""
    found = [] if re.fullmatch(r"V\d+\.\d+\.\d+( †)?", row.item) else ["no number"]
    found += [f"no {name}" for name in ("asks", "how") if not getattr(row, name)]
    names = NAMED.findall(row.tests)
    found += [] if names else ["no test"]
    return found + [f"no {name} in {file}" for file, name in names if name not in collected(file)]


ROWS = rows(TEXT)


@pytest.mark.parametrize("row", ROWS, ids=[row.item for row in ROWS])
def test_a_requirement_has_a_way_and_tests_that_exist(row: Row) -> None:
    assert faults(row) == []


def test_every_requirement_of_level_1_stands_in_the_table_or_among_those_that_do_not_apply() -> (
    None
):
    met = [row.item.removesuffix(" †") for row in ROWS]
    away = without(TEXT.partition("### What does not apply")[2])
    assert len(met) == len(set(met)) == APPLY
    assert not set(met) & away
    chapters = [int(item[1:].split(".")[0]) for item in [*met, *away]]
    assert {chapter: chapters.count(chapter) for chapter in sorted(set(chapters))} == LEVEL_1


def without(text: str) -> set[str]:
    """The numbers named in ``text``; ``V6.2.1 to V6.2.8`` are eight."""
    found = set(ITEM.findall(text))
    for first, last in re.findall(rf"({ITEM.pattern}) to ({ITEM.pattern})", text):
        chapter, _, begin = first.rpartition(".")
        found |= {f"{chapter}.{n}" for n in range(int(begin), int(last.rpartition(".")[2]) + 1)}
    return found


def test_what_is_marked_is_explained() -> None:
    marked = {row.item.removesuffix(" †") for row in ROWS if row.item.endswith("†")}
    told = TEXT.partition("### † Deviations")[2].partition("### What")[0]
    assert marked == set(ITEM.findall(told))


def test_the_rules_that_the_standard_wants_written_are_written() -> None:
    rules = TEXT.partition("## Rules")[2].partition("## OWASP")[0]
    for word in ("Input", "Permissions", "Guessing", "Dependencies"):
        assert f"**{word}.**" in rules
    told = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for role in ("display", "operator", "owner"):
        assert f"| {role} |" in told


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("| V1.2.1 | a | b | |", "no test"),
        ("| V1.2.1 | a | | `tests/tls/test_serving.py::test_gone` |", "no how"),
        ("| V1.2.1 | a | b | `tests/tls/test_serving.py::test_gone` |", "no test_gone in"),
        ("| V1.2 | a | b | `tests/tls/test_serving.py::test_gone` |", "no number"),
    ],
)
def test_a_row_without_its_test_is_seen(line: str, fault: str) -> None:
    (row,) = rows(line)
    assert any(found.startswith(fault) for found in faults(row)), faults(row)
