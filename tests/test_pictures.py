"""No picture shows what the words forbid or leave out: those phases have their place in words.

``wrong_pictures.json`` lists every phase whose picture was found wrong, or without its area lit, when all
188 of the protocols were looked at: by protocol the phase's id in a plan, with its side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.builders import shipped
from tests.support.page import Page
from tests.support.visitor import Visitor
from webapp.domain.pictures import side_words, words_of
from webapp.domain.plan import Plan, PlannedStep

WRONG: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "wrong_pictures.json").read_text(encoding="utf-8")
)
LIBRARY = shipped()
CATALOGUE = LIBRARY.catalogue
DRAWN = {"figure-lit", "figure-arrow", "figure-dot", "figure-avoid", "figure-body", "hand-arrow"}


def whole_plan(protocol_id: str) -> Plan | None:
    """The plan with every phase in it, also those by choice."""
    protocol = LIBRARY.entries[protocol_id].protocol
    if protocol.session is None:
        return None
    return LIBRARY.plan(protocol, protocol.session.max, frozenset(protocol.optional_steps()))


PLANS = {name: plan for name in LIBRARY.entries if (plan := whole_plan(name))}


def phases() -> Iterator[tuple[Plan, int]]:
    for plan in PLANS.values():
        yield from ((plan, i) for i, step in enumerate(plan.steps) if step.hands_on)


PHASES = [pytest.param(p, i, id=f"{p.protocol} {p.steps[i].id}") for p, i in phases()]


def shown(app: Flask, plan: Plan, index: int) -> tuple[str, Page]:
    """A phase as the stage shows it: what stands for it on the page, and all its parts."""
    parts: Any = app.jinja_env.globals["step_parts"](plan, index)  # type: ignore[operator]
    text = "".join((parts.figure, parts.words, parts.hand, parts.lines))
    return text, Page(text)


def classes(page: Page) -> set[str]:
    return {name for e in page.elements for name in e.attrs.get("class", "").split()}


def text_of(page: Page, name: str) -> str:
    return next((e.text for e in page.elements if name in e.attrs.get("class", "").split()), "")


def words(step: PlannedStep, plan: Plan) -> tuple[str, str, str]:
    return words_of(CATALOGUE, plan.protocol, step.id, step, plan.areas[step.area or ""])


def test_the_table_names_phases_that_there_are_with_their_side() -> None:
    found = {
        plan.protocol: {
            s.id: s.side for s in plan.steps if s.id in WRONG.get(plan.protocol, {}) and s.hands_on
        }
        for plan in PLANS.values()
    }
    assert {name: sides for name, sides in found.items() if sides} == WRONG
    assert sum(map(len, WRONG.values())) == 60
    assert len(PHASES) == 188


@pytest.mark.parametrize(("plan", "index"), PHASES)
def test_a_phase_has_a_picture_or_words_as_the_table_says(
    shipped_visitor: Visitor, plan: Plan, index: int
) -> None:
    step = plan.steps[index]
    text, page = shown(shipped_visitor.app, plan, index)
    if step.id not in WRONG.get(plan.protocol, {}):
        assert {"figure-lit", "hand-picture"} <= classes(page)
        assert "place-words" not in classes(page)
        return
    assert not classes(page) & DRAWN
    assert "<svg" not in text.partition("<breath-pacer")[0]
    place, side, way = words(step, plan)
    assert place
    assert side
    assert way
    assert text_of(page, "place-words") == place
    assert text_of(page, "step-place") == f"{side} {way}"
    if step.side in ("left", "right"):
        assert side.startswith(step.side.capitalize())
    assert not [e for e in page.elements if "aria-hidden" in e.attrs and "place" in str(e.attrs)]


@pytest.mark.parametrize("protocol_id", PLANS)
def test_the_steps_kept_for_offline_use_have_the_same_words(
    shipped_visitor: Visitor, protocol_id: str
) -> None:
    plan = PLANS[protocol_id]
    kept: Any = shipped_visitor.app.jinja_env.globals["kept_steps"](plan)  # type: ignore[operator]
    page = Page(str(kept))
    for step in plan.steps:
        if not step.hands_on:
            continue
        inside = [
            e
            for e in page.elements
            if any(outer.attrs.get("data-for") == step.id for outer in e.inside)
        ]
        named = {name for e in inside for name in e.attrs.get("class", "").split()}
        template = next(e for e in page.elements if e.attrs.get("data-for") == step.id)
        told = step.id in WRONG.get(protocol_id, {})
        assert ("place-words" in named) is told
        assert ("stage-told" in template.attrs["data-kind"]) is told
        assert ("figure-lit" in named) is not told
        assert any("data-hand" in e.attrs for e in inside) is not told


def test_no_words_are_left_over_and_all_wrong_phases_have_their_own() -> None:
    known = {(protocol, phase) for protocol, phase, _ in CATALOGUE.place_words}
    assert known == {(protocol, phase) for protocol, sides in WRONG.items() for phase in sides}
    for plan, index in phases():
        step = plan.steps[index]
        if step.id in WRONG.get(plan.protocol, {}):
            assert (plan.protocol, step.id, step.area) in CATALOGUE.place_words, step.id


def test_what_a_rule_names_is_in_the_catalogue() -> None:
    for wrong in CATALOGUE.wrong_pictures:
        assert set(wrong.techniques) <= set(CATALOGUE.techniques)
        assert {*wrong.areas, *wrong.other_areas_than} <= set(CATALOGUE.areas)
        assert wrong.techniques or wrong.areas


SAID = {  # by the beginning of a phase's id: what its words must hold
    "sp6": ("inner side", "above the inner ankle"),
    "st36": ("outer side of the shin", "below the kneecap"),
    "ki3": ("inner side", "heel tendon"),
    "lr3": ("first two long bones", "before they meet"),
    "hand": ("little-finger edge", "behind the knuckle"),
    "upper-back": ("two fingers from the spine",),
    "sole": ("ball to the heel", "| toes to"),
    "thigh-strokes": ("front and outer", "lower half only"),
    "thigh-palm": ("front and outer", "lower half only"),
    "kneecap": ("never on it",),
    "point": ("you marked", "two fingers or more from the spine"),
    "arm-stretch": ("wrist", " arm |"),
}


def test_the_words_are_true() -> None:
    """Place by place: surface anatomy and the phase's own instructions."""
    seen = set()
    for plan, index in phases():
        step = plan.steps[index]
        if step.id not in WRONG.get(plan.protocol, {}):
            continue
        told = " | ".join(words(step, plan)).lower()
        for name, parts in SAID.items():
            if step.id.startswith(name):
                seen.add(name)
                assert [part for part in parts if part not in told] == [], step.id
        if "kidneys" in " ".join(step.not_here):
            assert any(word in told for word in ("last ribs", "waist", "pelvis", "you marked"))
    assert seen == set(SAID)


def test_a_copy_under_another_name_has_no_such_picture_either(shipped_visitor: Visitor) -> None:
    plan = PLANS["dm2-acupressure"].model_copy(update={"protocol": "my-own-points"})
    index = next(i for i, step in enumerate(plan.steps) if step.id == "sp6-left")
    _, page = shown(shipped_visitor.app, plan, index)
    assert not classes(page) & DRAWN
    assert text_of(page, "place-words") == "Lower leg: Above the inner ankle (SP6)"
    assert text_of(page, "step-place") == "Left leg Press in place"


@pytest.mark.parametrize(
    "change",
    [
        {"technique": "point-pressure", "area": "calf", "arrow": "still", "direction": None},
        {"technique": "stretching", "area": "low-back"},
        {"area": "thigh", "arrow": "up"},
    ],
    ids=["a point that nobody placed", "a stretch", "the thigh"],
)
def test_a_phase_of_somebody_elses_file_is_safe_too(
    shipped_visitor: Visitor, change: dict[str, Any]
) -> None:
    plan = PLANS["dm-legs-feet"]
    index = next(i for i, step in enumerate(plan.steps) if step.hands_on)
    step = plan.steps[index].model_copy(update={"side": "left"} | change)
    areas = dict(CATALOGUE.areas)
    other = plan.model_copy(
        update={
            "protocol": "theirs",
            "areas": areas,
            "steps": (step,),
            "techniques": CATALOGUE.techniques,
        }
    )
    _, page = shown(shipped_visitor.app, other, 0)
    assert not classes(page) & DRAWN
    assert text_of(page, "place-words").startswith(areas[step.area or ""].name)


def test_an_area_that_nobody_drew_is_told_in_words(shipped_visitor: Visitor) -> None:
    plan = PLANS["dm-legs-feet"]
    index = next(i for i, step in enumerate(plan.steps) if step.area == "calf")
    for change in ({"id": "shin-edge"}, {"figure": "leg-side"}):
        areas = plan.areas | {"calf": plan.areas["calf"].model_copy(update=change)}
        _, page = shown(shipped_visitor.app, plan.model_copy(update={"areas": areas}), index)
        assert not classes(page) & DRAWN
        assert text_of(page, "place-words")


def test_a_card_has_no_picture_that_a_phase_of_its_protocol_must_not_have(
    shipped_visitor: Visitor,
) -> None:
    """Seen to fail with the longest phase that has a picture: hands that rest, with the dot of the point."""
    main_step: Any = shipped_visitor.app.jinja_env.globals["main_step"]
    bare = set()
    for name in PLANS:
        usual = LIBRARY.usual_plan(LIBRARY.entries[name])
        assert usual
        main, pictured = main_step(usual)
        wrong = [step for step in usual.steps if step.id in WRONG.get(name, {})]
        if pictured:
            assert (main.area, main.arrow) not in {(step.area, step.arrow) for step in wrong}, name
        else:
            bare.add(name)
    assert bare == {"oc-ap-distant"}
    page = shipped_visitor.page("/")
    cards = [e for e in page.shown if "card-picture" in e.attrs.get("class", "")]
    assert [card.text for card in cards if card.text] == ["Hand"]
    pictures = [e for e in page.shown if e.tag == "svg" and e.attrs.get("class") == "figure"]
    assert len(pictures) == len(PLANS) - 1


@pytest.mark.parametrize(
    ("side", "region", "told"),
    [
        ("left", "legs", "Left leg"),
        ("right", "feet", "Right foot"),
        ("both", "feet", "Both feet"),
        ("both", "back", "Both sides"),
        ("left", "neck", "Left side"),
        ("middle", "back", "In the middle"),
        (None, "back", ""),
    ],
)
def test_a_side_in_words(side: str | None, region: str, told: str) -> None:
    assert side_words(side, region) == told
