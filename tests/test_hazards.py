"""The table of hazards: every row has a control and tests that exist; what no other test holds."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.protocol_files.test_protocol_content import CATALOGUE, RUN, done, told
from tests.support.builders import shipped
from tests.support.visitor import Visitor
from webapp.domain.catalogue import When

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "hazards.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# facts 2.2: rows that block, drop, lock, cap or reword something, typed here by hand
UNSAFE = {f"U-{number:02}" for number in range(1, 25)}


class Row(NamedTuple):
    hazard: str
    control: str
    tests: str


def rows(text: str) -> list[Row]:
    """The rows of all tables, without their heads. Raises ValueError for one of other cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    wrong = [line for line, found in zip(lines, cells, strict=True) if len(found) != 3]
    if wrong:
        raise ValueError(f"expected three cells: {wrong}")
    body = [Row(*found) for found in cells]
    return [row for row in body if row.hazard != "hazard" and set(row.hazard) != {"-"}]


def faults(row: Row) -> list[str]:
    """What is wrong with a row, in words."""
    found = []
    if not re.search(r"\w", row.hazard):
        found.append("no hazard")
    if not re.search(r"\w", row.control):
        found.append("no control")
    names = NAMED.findall(row.tests)
    if not names:
        found.append("no test")
    if NAMED.sub("", row.tests).replace("<br>", "").strip():
        found.append("something else than tests")
    found += [f"no {name} in {file}" for file, name in names if name not in collected(file)]
    return found


@cache
def collected(file: str) -> frozenset[str]:
    """The functions that pytest collects from a file, read and not imported."""
    path = ROOT / file
    if not path.is_file() or not path.name.startswith("test_"):
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = [node.name for node in tree.body if isinstance(node, functions)]
    return frozenset(name for name in names if name.startswith("test_"))


SHARES = re.compile(r"<!-- prevalence: begin -->.*<!-- prevalence: end -->", re.DOTALL)
ROWS = rows(SHARES.sub("", TABLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("row", ROWS, ids=[row.hazard[:50] for row in ROWS])
def test_a_hazard_has_a_control_and_tests_that_exist(row: Row) -> None:
    assert faults(row) == []


def test_no_hazard_stands_twice() -> None:
    hazards = [row.hazard for row in ROWS]
    assert len(hazards) > 100
    assert sorted(hazards) == sorted(set(hazards))


def test_everything_that_is_unsafe_in_the_base_text_is_a_hazard() -> None:
    named = set(re.findall(r"U-\d\d", " ".join(row.hazard for row in ROWS)))
    assert named == UNSAFE


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("| Burns | Warm | |", "no test"),
        ("| Burns | | `tests/test_hazards.py::test_no_hazard_stands_twice` |", "no control"),
        ("| | Warm | `tests/test_hazards.py::test_no_hazard_stands_twice` |", "no hazard"),
        ("| Burns | Warm | to be written |", "no test"),
        ("| Burns | Warm | `tests/test_hazards.py::test_gone` |", "no test_gone in"),
        ("| Burns | Warm | `tests/test_gone.py::test_gone` |", "no test_gone in"),
        ("| Burns | Warm | `tests/test_hazards.py::rows` |", "no rows in"),
        ("| Burns | Warm | `tests/conftest.py::test_gone` |", "no test_gone in"),
    ],
)
def test_a_row_without_its_test_is_seen(line: str, fault: str) -> None:
    (row,) = rows(line)
    assert any(found.startswith(fault) for found in faults(row)), faults(row)


def test_a_row_with_a_cell_too_few_is_seen() -> None:
    with pytest.raises(ValueError, match="three cells"):
        rows("| Burns | Warm |")


# What no other test holds.


def test_no_file_tells_to_circle_or_twist_the_head() -> None:
    # facts U-02
    turning = re.compile(r"\b(circl|turn|roll|twist|tilt|rotat)\w*\b[^.]*\b(head|neck)\b", re.I)
    texts = [text for protocol in RUN.values() for text in done(protocol)]
    assert len(texts) > 500
    found = {text for text in texts if turning.search(re.sub(r"\b(no|never) [^.;]*", "", text))}
    assert found == set()


def test_whoever_lay_down_rises_slowly() -> None:
    for protocol in RUN.values():
        names = [step.id for step in protocol.aftercare]
        if "rest" in names:
            after = [step for step in protocol.aftercare if "slowly" in f"{step.title} {step.text}"]
            assert any(names.index(step.id) > names.index("rest") for step in after), protocol.id


def test_no_powder_is_breathed_or_put_on_sore_skin() -> None:
    # facts U-08
    for protocol in RUN.values():
        for step in (*protocol.prepare, *protocol.aftercare):
            if "powder" in step.text.lower():
                assert "away from the face" in step.text, protocol.id
        for phase in protocol.all_phases():
            assert not any("powder" in text.lower() for text in told(phase)), phase.id
    honey, by_hand = CATALOGUE.questions["skin"].outcomes
    assert (honey.when.techniques, honey.level) == (("honey",), "not-today")
    assert (by_hand.when, by_hand.level, by_hand.leave_out_marked) == (When(), "changes", True)


def test_ended_early_with_cups_the_rest_begins_with_taking_them_off(
    shipped_visitor: Visitor,
) -> None:
    session_id = shipped_visitor.prepare("oc-cupping-back")
    shipped_visitor.done(session_id, "start")
    plan = shipped().usual_plan(shipped().entries["oc-cupping-back"])
    assert plan
    cups = next(i for i, step in enumerate(plan.steps) if "cups" in step.tags)
    shipped_visitor.done(session_id, *["next"] * cups)
    shipped_visitor.clock.forward(5)
    shipped_visitor.done(session_id, "end")
    page = shipped_visitor.page(f"/sessions/{session_id}")
    asked = [found.text for found in page.all("p", class_="stage-ask stage-cups")]
    assert asked == ["Cups off? Take them off before the rest."]
