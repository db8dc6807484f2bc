"""Every technique of the catalogue has its own picture of the hand and its own movement."""

from __future__ import annotations

import re
from math import cos, radians, sin
from pathlib import Path

import pytest
from flask import Flask

from tests.support.builders import shipped
from tests.support.page import Page
from tests.support.visitor import Visitor
from tests.test_pictures import PHASES, whole_plan
from webapp.domain.anatomy import WIDTH, Oval, View, patch_of, ring_of
from webapp.domain.pictures import picture_of, without_side
from webapp.domain.plan import Plan
from webapp.presentation.hands import FLAT, HANDS, places_of, posed

ROOT = Path(__file__).parent.parent
DRAWINGS = ROOT / "templates" / "figures" / "hands"
MOVEMENT = (ROOT / "static" / "css" / "stage" / "movement.css").read_text(encoding="utf-8")
TECHNIQUES = sorted(shipped().catalogue.techniques)


def picture(app: Flask, technique: str) -> str:
    return str(app.jinja_env.globals["hand_of_technique"](technique))  # type: ignore[operator]


def keyframes(name: str) -> str:
    found = re.search(rf"@keyframes {name} \{{(.*?)\n  \}}", MOVEMENT, re.DOTALL)
    assert found, name
    return " ".join(found[1].split())


def test_each_technique_has_one_drawing_and_no_drawing_is_left_over() -> None:
    assert sorted(path.stem for path in DRAWINGS.glob("*.html")) == TECHNIQUES


def test_no_two_drawings_are_the_same(visitor: Visitor) -> None:
    shapes = {re.sub(r"^<svg[^>]*>", "", picture(visitor.app, name)) for name in TECHNIQUES}
    assert len(shapes) == len(TECHNIQUES)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_drawing_says_what_the_hand_does(visitor: Visitor, technique: str) -> None:
    svg = Page(picture(visitor.app, technique)).elements[0].attrs
    assert svg["role"] == "img"
    assert len(svg["aria-label"].split()) >= 5
    assert svg["aria-label"].endswith(".")


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_drawing_shows_skin_hand_and_where_it_works(visitor: Visitor, technique: str) -> None:
    shown = " ".join(e.attrs.get("class", "") for e in Page(picture(visitor.app, technique)).shown)
    for part in ("hand-ground", "hand-skin", "hand-moves", "figure-lit"):
        assert part in shown, part


def test_each_technique_moves_in_its_own_way() -> None:
    ways = {keyframes(f"move-{technique}") for technique in TECHNIQUES}
    assert len(ways) == len(TECHNIQUES)
    for technique in TECHNIQUES:
        assert f".move-{technique} {{ --move: move-{technique}; " in MOVEMENT
    assert ".step-hand.bursting .hand-moves { animation-name: var(--move); }" in MOVEMENT


def test_movement_changes_transforms_only_and_never_goes_on_for_ever() -> None:
    frames = re.findall(r"@keyframes [\w-]+ \{(.*?)\n  \}", MOVEMENT, re.DOTALL)
    properties = set(re.findall(r"([\w-]+):", " ".join(frames)))
    assert properties == {"transform", "animation-timing-function"}
    assert "infinite" not in MOVEMENT


def test_a_technique_that_nobody_has_drawn_has_no_picture(visitor: Visitor) -> None:
    assert picture(visitor.app, "something-new") == ""


def test_the_glossary_shows_every_hand(shipped_visitor: Visitor) -> None:
    shown = shipped_visitor.page("/techniques").elements
    classes = {e.attrs.get("class", "").partition(" move-")[2] for e in shown if e.tag == "svg"}
    assert classes - {""} == set(TECHNIQUES)


def test_the_stage_shows_the_hand_and_keeps_each_once_for_later(shipped_visitor: Visitor) -> None:
    session = shipped_visitor.prepare("oc-classic-full")
    page = shipped_visitor.page(f"/sessions/{session}")
    kept = [e.attrs["data-picture"] for e in page.elements if "data-picture" in e.attrs]
    asked = [e.attrs["data-hand"] for e in page.elements if "data-hand" in e.attrs]
    assert len(kept) == len(set(kept))
    assert set(kept) == set(asked)
    live = [e for e in page.elements if e.tag == "svg" and not e.is_in("template")]
    assert not [
        e for e in live if "hand-picture" in e.attrs.get("class", "")
    ]  # first a step of words


def hand_on(app: Flask, protocol: str, step_id: str) -> str:
    """The hand of a phase on its body part."""
    plan = whole_plan(protocol)
    assert plan
    step = next(step for step in plan.steps if step.id == step_id)
    return str(app.jinja_env.globals["hand_of"](step, plan))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("protocol", "step", "says", "hands"),
    [
        ("oc-cervical-4step", "kneading-thumbs", "thumb pads", 2),
        ("oc-cervical-4step", "squeezing", "Backs of bent fingers", 1),
        ("dm-legs-feet", "sole-left", "flat thumb", 1),
        ("dm-legs-feet", "calf-strokes-left", "round the limb", 2),
        ("dm2-acupressure", "settle", "lie still", 2),
        ("oc-ap-ear", "rim-left", "thumb behind", 1),
        ("dm-general-gentle", "low-back-strokes", "Both flat hands", 2),
    ],
)
def test_the_hand_is_the_one_of_the_words_on_its_body_part(
    visitor: Visitor, protocol: str, step: str, says: str, hands: int
) -> None:
    """Seen to fail while each technique had one hand for all places."""
    svg = hand_on(visitor.app, protocol, step)
    assert says in Page(svg).elements[0].attrs["aria-label"]
    assert "figure-body" in svg
    assert "figure-lit" in svg
    pieces = len(HANDS[hand_name(protocol, step)].pieces)
    assert svg.count('class="hand-edge"') == pieces * hands


def hand_name(protocol: str, step: str) -> str:
    catalogue = shipped().catalogue
    return next(
        picture.hand
        for (name, phase, _), picture in catalogue.phase_pictures.items()
        if (name, phase) == (protocol, without_side(step))
    )


def test_every_hand_of_a_phase_is_drawn() -> None:
    catalogue = shipped().catalogue
    for picture in catalogue.phase_pictures.values():
        assert picture.hand in HANDS or picture.view in catalogue.scenes


def test_fingertips_go_round_the_kneecap_and_never_lie_on_it() -> None:
    """Seen to fail with the pads in the middle of the ring."""
    view = shipped().catalogue.views["leg-front"]
    at, _ = places_of(view, view.shapes["knee"], "circles", None)
    middle, rx, ry = ring_of(view, kneecap(view))
    assert ((at.x - middle.x) / rx) ** 2 + ((at.y - middle.y) / ry) ** 2 > 1


def kneecap(view: View) -> Oval:
    found = patch_of(view.avoid["kneecap"][0])
    assert isinstance(found, Oval)
    return found


@pytest.mark.parametrize("view_id", ["back", "low-back-buttocks", "nape"])
def test_the_middle_of_a_palm_stays_beside_the_spine(view_id: str) -> None:
    view = shipped().catalogue.views[view_id]
    for name, shape in view.shapes.items():
        for mark in shape.marks or {"still": ()}:
            at, _ = places_of(view, shape, mark, None)
            assert at.x < WIDTH / 2 - view.cm, f"{view_id} {name} {mark}"


@pytest.mark.parametrize(
    ("protocol", "step"),
    [
        ("oc-classic-collar", "kneading-upper-back"),
        ("oc-cervical-4step", "kneading-circles"),
        ("dm2-acupressure", "st36-left"),
        ("oc-thai", "mid-back-palm-left"),
        ("oc-honey-back", "press-lift"),
    ],
)
def test_what_is_lifted_pressed_or_peeled_has_three_frames(
    visitor: Visitor, protocol: str, step: str
) -> None:
    """Seen to fail while one drawing stood for the whole movement."""
    svg = hand_on(visitor.app, protocol, step)
    frames = re.split(r'<g class="hand-moves hand-frame hand-frame-\d">', svg)[1:]
    assert len(frames) == len({re.sub(r'hand-count".*', "", frame) for frame in frames}) == 3
    assert "--move: frame-during" in MOVEMENT


def test_the_frames_take_turns_and_stand_side_by_side_with_reduced_motion() -> None:
    frames = [keyframes(f"frame-{name}") for name in ("before", "during", "after")]
    assert len(set(frames)) == 3
    reduced = MOVEMENT.split("@media (prefers-reduced-motion: reduce)")[1].split("@keyframes")[0]
    places = re.findall(r"hand-frame-(\d) \{ transform: (?:translate\((-?\d+)px, 0\))?", reduced)
    assert places == [("1", "-80"), ("2", ""), ("3", "80")]


@pytest.mark.parametrize(("plan", "index"), PHASES)
def test_no_pad_and_no_stone_lies_on_the_spine(
    shipped_visitor: Visitor, plan: Plan, index: int
) -> None:
    """Seen to fail for both hands on the nape, thumbs on the back and the stone."""
    step = plan.steps[index]
    found = picture_of(shipped().catalogue, plan.protocol, step.id, step, plan.seen_from)
    assert found
    view = shipped().catalogue.views.get(found.view)
    if not view or not view.paired or found.point or found.hand not in HANDS:
        return
    shown = HANDS[found.hand]
    shape = view.shapes[found.shape]
    at, way, turn = posed(view, shape, found.mark, None, shown, own=found.own)
    angle = radians(way + turn)
    tips = [(x, y, wide / 2) for _, _, x, y, wide in shown.pieces if x > -3]
    tips += [(shown.tool[0], shown.tool[1], shown.tool[2])] if shown.tool else []
    if shown.pieces == FLAT:
        return  # its palm is measured by itself, below
    reach = max(x * cos(angle) - y * sin(angle) + wide for x, y, wide in tips)
    off = (WIDTH / 2 - at.x) / view.cm
    assert reach < off, f"{reach:.1f} cm towards the spine, which is {off:.1f} cm away"
