"""The parts of a step are rendered once for a plan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.support.page import Page
from webapp.domain.plan import NO_CHANGES, Changes, LeaveOut, Plan
from webapp.domain.protocol import FirstSide
from webapp.site import Site


def test_equal_plans_share_their_parts_and_others_do_not(shipped_app: Flask) -> None:
    site: Site = shipped_app.extensions["site"]
    protocol = next(iter(site.library.entries.values())).protocol
    plan, longer = site.library.plan(protocol, 600), site.library.plan(protocol, 1200)
    again = Plan.model_validate_json(plan.model_dump_json())
    step_parts: Any = shipped_app.jinja_env.globals["step_parts"]
    assert (plan is not again, plan == again, hash(plan) == hash(again)) == (True, True, True)
    with shipped_app.test_request_context("/"):
        assert step_parts(again, 0) is step_parts(plan, 0)
        assert step_parts(longer, 0) is not step_parts(plan, 0)


def stage_of(app: Flask, plan: Plan, step_id: str) -> Page:
    """A step as the stage shows it, without its figure."""
    index = next(i for i, step in enumerate(plan.steps) if step.id == step_id)
    step_parts: Any = app.jinja_env.globals["step_parts"]
    with app.test_request_context("/"):
        parts = step_parts(plan, index)
    return Page("".join((parts.words, parts.lines)))


def shipped_plan(app: Flask, protocol_id: str, changes: Changes = NO_CHANGES) -> Plan:
    site: Site = app.extensions["site"]
    return site.library.plan(site.library.entries[protocol_id].protocol, 900, changes=changes)


def text_of(page: Page, name: str) -> str:
    return next((e.text for e in page.elements if name in e.attrs.get("class", "").split()), "")


def said_of(page: Page, name: str) -> str:
    found = (e for e in page.elements if name in e.attrs.get("class", "").split())
    return next(found).attrs["data-said"]


def test_a_phase_is_called_by_its_title_and_labelled_by_its_technique(shipped_app: Flask) -> None:
    page = stage_of(shipped_app, shipped_plan(shipped_app, "dm-legs-feet"), "calf-shake-left")
    assert text_of(page, "step-name") == "Loose calf Vibration"


def test_places_to_keep_off_rules_and_passes_stand_apart(shipped_app: Flask) -> None:
    plan = shipped_plan(shipped_app, "oc-classic-collar")
    page = stage_of(shipped_app, plan, "kneading-collar")
    assert text_of(page, "step-passes") == "One side, then the other · 4 to 5 times"
    assert said_of(page, "step-passes") == "One side, then the other. 4 to 5 times"
    assert text_of(page, "step-avoid") == (
        "Not here: spine · front of the neck · in front of ears · collarbone hollow"
    )
    assert said_of(page, "step-avoid") == (
        "Not here: The spine bones themselves, The front of the neck and the throat, "
        "Anything in front of the ears, The hollow above the collarbone"
    )
    lumbar = stage_of(
        shipped_app, shipped_plan(shipped_app, "oc-classic-lumbar"), "kneading-low-back"
    )
    assert text_of(lumbar, "step-avoid") == "Not here: spine · flanks"
    assert text_of(lumbar, "step-lightly") == "Go lightly: Over kidneys, below the last rib"


def test_a_place_to_keep_off_is_said_in_full_by_the_first_phase_that_has_it(
    shipped_app: Flask,
) -> None:
    plan = shipped_plan(shipped_app, "oc-classic-collar")
    fresh = {
        step.id: said_of(page, "step-fresh")
        for step in plan.steps
        if "step-fresh" in (page := stage_of(shipped_app, plan, step.id)).source
    }
    assert list(fresh) == [
        *("opening-strokes", "rubbing-nape", "rubbing-collar", "squeezing-back", "patting")
    ]
    assert fresh["rubbing-collar"] == "Not here: The hollow above the collarbone"
    told = [line for said in fresh.values() for line in said.removeprefix("Not here: ").split(", ")]
    assert len(told) == len(set(told))


def test_a_light_session_has_the_words_for_it(shipped_app: Flask) -> None:
    usual = stage_of(shipped_app, shipped_plan(shipped_app, "oc-classic-thoracic"), "squeezing")
    assert "Even, then out over the flat of the blade." in text_of(usual, "step-lines")
    light = Changes(light=("Thin bones",))
    page = stage_of(
        shipped_app, shipped_plan(shipped_app, "oc-classic-thoracic", light), "squeezing"
    )
    assert "Lightly, out over the flat of the blade." in text_of(page, "step-lines")
    assert "Even, then" not in text_of(page, "step-lines")
    assert text_of(page, "step-passes") == ("Light today · One side, then the other · 4 to 5 times")
    assert text_of(page, "step-lightly") == "Go lightly: Over kidneys and lowest ribs"


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_step_for_both_sides_names_the_side_that_comes_first(
    shipped_app: Flask, side: FirstSide
) -> None:
    library = shipped_app.extensions["site"].library
    massage = library.entries["oc-classic-thoracic"].protocol
    plan = library.plan(massage, 900, first_side=side)
    found = {s.id: text_of(stage_of(shipped_app, plan, s.id), "step-passes") for s in plan.steps}
    first = f"{side.capitalize()} side first · 4 to 5 times"
    assert found["rubbing"] == found["kneading-upper-back"] == first
    assert found["opening-strokes"] == found["rest"] == ""


def test_a_marked_place_stands_with_the_places_to_keep_off(shipped_app: Flask) -> None:
    sore = Changes(leave_out=(LeaveOut(why="Sore", area="calf", side="right"),))
    page = stage_of(shipped_app, shipped_plan(shipped_app, "dm-legs-feet", sore), "sole-right")
    assert text_of(page, "step-avoid") == "Not here: nails and corns · the marked place: right calf"


def test_a_move_shows_the_place_that_comes_next(shipped_app: Flask) -> None:
    plan = shipped_plan(shipped_app, "dm-legs-feet")
    page = stage_of(shipped_app, plan, "to-calf-strokes-left")
    assert text_of(page, "step-name").startswith("Calf strokes")
    assert text_of(page, "step-place") == "Next place: Left calf heel towards knee"


def test_a_plan_that_was_frozen_before_shows_what_it_has(shipped_app: Flask) -> None:
    """As format 1 wrote it: none of the fields that came with format 2."""
    plan = shipped_plan(shipped_app, "oc-classic-lumbar")
    new = {"hands", "from_landmark", "to_landmark", "point", "not_here", "go_lightly", "passes"}
    kept = plan.model_dump(mode="json", exclude={"keep_away": True, "left_out": True})
    kept["steps"] = [
        {key: value for key, value in step.items() if key not in new}
        | ({"avoid": ["The spine bones themselves", "firm pressure"]} if step["technique"] else {})
        for step in kept["steps"]
        if not step["id"].startswith("to-")
    ]
    old = Plan.model_validate_json(json.dumps(kept))
    page = stage_of(shipped_app, old, "kneading-low-back")
    assert text_of(page, "step-avoid") == "Keep off: The spine bones themselves · firm pressure"
    assert text_of(page, "step-lightly") == ""
