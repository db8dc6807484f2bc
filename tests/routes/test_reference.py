"""The glossary of techniques."""

from __future__ import annotations

import pytest

from tests.support.builders import shipped
from tests.support.page import Element, Page
from tests.support.visitor import Visitor
from webapp.domain.catalogue import Technique

TECHNIQUES = shipped().catalogue.techniques


def inside(page: Page, technique: Technique) -> list[Element]:
    """What stands in the card of a technique."""
    return [e for e in page.shown if any(o.attrs.get("id") == technique.id for o in e.inside)]


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=list(TECHNIQUES))
def test_every_technique_says_its_limits_and_where_never(
    shipped_visitor: Visitor, technique: Technique
) -> None:
    page = shipped_visitor.page("/techniques")
    card = page.by_id(technique.id)
    assert card.text.startswith(technique.name)
    assert technique.hands in card.text
    limits = [e.text for e in inside(page, technique) if e.tag == "dd"]
    expected = []
    for span, unit in ((technique.pressure, "of 5"), (technique.tempo, "strokes a minute")):
        if span:
            both = f"{span.min} to {span.max}" if span.max > span.min else f"{span.min}"
            expected.append(f"{both} {unit}")
    assert limits == expected
    marks = [e for e in inside(page, technique) if e.attrs.get("class") == "mark mark-on"]
    assert technique.pressure
    assert len(marks) == technique.pressure.max - technique.pressure.min + 1
    nevers = [e.text for e in inside(page, technique) if e.attrs.get("class") == "never"]
    assert nevers == [f"Never: {' · '.join(technique.never)}"] * bool(technique.never)


def test_every_technique_leads_to_the_protocols_that_use_it(shipped_visitor: Visitor) -> None:
    page = shipped_visitor.page("/techniques")
    for technique in TECHNIQUES.values():
        users = {
            f"/protocols/{entry.protocol.id}"
            for entry in shipped().entries.values()
            if any(phase.technique == technique.id for phase in entry.protocol.all_phases())
        }
        links = {e.attrs["href"] for e in inside(page, technique) if e.tag == "a"}
        assert links == users
        assert users, technique.id
