"""The questions before a start, the verdict, a clinician's word, what a session makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.builders import SHIPPED, shipped, shipped_protocol
from tests.support.page import Page
from tests.support.safe_answers import SAFE
from tests.support.visitor import HOST, Visitor
from webapp.domain import admission
from webapp.domain.screening import Verdict, questions_for
from webapp.routes import screenings
from webapp.site import Site
from webapp.timekeeping.presence import Presence

MINUTE = 60
FINE = {"ketones_known": "yes", "ketones": "0.2"}


def verdict_of(visitor: Visitor, protocol: str, **fields: str) -> Page:
    return visitor.page(f"/screenings/{visitor.screened(protocol, **fields)}")


def heading(page: Page) -> str:
    return page.all("h1")[0].text


def ready(visitor: Visitor, protocol: str, **fields: str) -> str:
    """A session that was prepared; gives its id."""
    return visitor.prepare(protocol, **fields)


def site_of(visitor: Visitor) -> Site:
    site: Site = visitor.app.extensions["site"]
    return site


# -- the form ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", SHIPPED)
def test_every_question_is_on_the_page_and_none_is_answered(
    shipped_visitor: Visitor, protocol: str
) -> None:
    page = shipped_visitor.page(f"/protocols/{protocol}/screening")
    names = {e.attrs["name"] for e in page.all("input", type="radio")}
    asked = questions_for(shipped().catalogue, shipped_protocol(protocol))
    assert {f"q-{question.id}" for question in asked} <= names
    assert not [e for e in page.all("input") if "checked" in e.attrs]
    for question in asked:
        assert question.text in page.source.replace("&#39;", "'")
        tokens = {e.attrs["value"] for e in page.all("input", name=f"q-{question.id}")}
        assert "unsure" in tokens
        assert len(tokens) >= 3


@pytest.mark.parametrize("protocol", SHIPPED)
def test_all_safe_answers_clear_every_shipped_protocol(
    shipped_visitor: Visitor, protocol: str
) -> None:
    page = verdict_of(shipped_visitor, protocol)
    assert heading(page) == "Clear to start"
    session_id = ready(shipped_visitor, protocol)
    shipped_visitor.done(session_id, "start")


def test_an_empty_form_is_asked_again_and_nothing_is_kept(shipped_visitor: Visitor) -> None:
    with shipped_visitor.queries() as statements:
        answer = shipped_visitor.post("/protocols/dm-legs-feet/screening", {})
    assert answer.status_code == 422
    assert all(statement.startswith("SELECT") for statement in statements)
    page = Page(answer.text)
    assert "Signs that need help first: all" in page.by_id("open-answers").text
    assert "Begin" not in page.buttons()


def test_what_was_answered_stays_in_the_form(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.answer(
        "dm-legs-feet", none_today="", q_alcohol="no", glucose="115", unit="mg/dL", minutes_ago="3"
    )
    assert answer.status_code == 422
    page = Page(answer.text)
    assert [
        e.attrs["value"] for e in page.all("input", name="q-alcohol") if "checked" in e.attrs
    ] == ["no"]
    assert page.by_id("glucose").attrs["value"] == "115"
    assert page.all("input", name="none-signs")[0].attrs.get("checked") == ""
    assert page.fields("nothing") == {}


def test_the_minutes_and_the_choices_go_through_the_questions(shipped_visitor: Visitor) -> None:
    page = shipped_visitor.page("/protocols/dm-legs-feet/screening?minutes=12&include=wash")
    hidden = {e.attrs["name"]: e.attrs["value"] for e in page.all("input", type="hidden")}
    assert hidden == {"minutes": "12", "include": "wash"}
    session_id = shipped_visitor.prepare("dm-legs-feet", **hidden)
    stored = shipped_visitor.storage.load(session_id)
    assert stored is not None
    assert stored.plan.hands_on_seconds == 720
    assert stored.plan.chosen == ("wash",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"glucose": "115", "unit": "mmol/L"}, "115 mmol/L cannot be. Is it 115 mg/dL?"),
        ({"glucose": "6.1", "unit": "mg/dL"}, "6.1 mg/dL cannot be. Is it 6.1 mmol/L?"),
        ({"glucose": "900", "unit": "mg/dL"}, "900 mg/dL cannot be."),
        ({"glucose": "0.5", "unit": "mmol/L"}, "0.5 mmol/L cannot be."),
        ({"glucose": "", "unit": "mmol/L"}, "Please give the reading as a number"),
        ({"glucose": "6,1,1", "unit": "mmol/L"}, "Please give the reading as a number"),
        ({"glucose": "-6", "unit": "mmol/L"}, "Please give the reading as a number"),
        ({"glucose": "6.1", "unit": ""}, "Please choose the unit of your meter."),
        ({"minutes-ago": ""}, "Please give the minutes as a whole number"),
        ({"minutes-ago": "16"}, "A reading counts for 15 minutes. Please measure again."),
        ({"minutes-ago": "-1"}, "Please give the minutes as a whole number"),
    ],
)
def test_a_reading_that_cannot_be_is_questioned_not_taken(
    shipped_visitor: Visitor, fields: dict[str, str], said: str
) -> None:
    answer = shipped_visitor.post("/protocols/dm-legs-feet/screening", SAFE | fields)
    assert answer.status_code == 422
    assert said in answer.text
    for name, value in fields.items():
        if name in ("glucose", "minutes-ago"):
            assert Page(answer.text).by_id(name).attrs["value"] == value


def test_a_decimal_comma_is_a_decimal_point(shipped_visitor: Visitor) -> None:
    page = verdict_of(shipped_visitor, "dm-legs-feet", glucose="3,9")
    assert heading(page) == "Treat the low now"


def test_the_unit_is_remembered_on_the_device_and_nothing_else(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.answer("dm-legs-feet", glucose="120", unit="mg/dL")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith('glucose-unit="mg/dL"') or cookie.startswith("glucose-unit=mg/dL")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "120" not in cookie
    page = shipped_visitor.page("/protocols/dm-legs-feet/screening")
    chosen = [e.attrs["value"] for e in page.all("input", name="unit") if "checked" in e.attrs]
    assert chosen == ["mg/dL"]


def test_training_is_confirmed_once_on_a_device_for_each_method(shipped_visitor: Visitor) -> None:
    def answered(protocol: str) -> list[str]:
        page = shipped_visitor.page(f"/protocols/{protocol}/screening")
        return [e.attrs["name"] for e in page.all("input", type="radio") if "checked" in e.attrs]

    mine = {"trained_for": "device"}
    shipped_visitor.screened("oc-thai", q_trained="no", **mine)
    assert answered("oc-thai") == []
    shipped_visitor.screened("oc-thai")
    assert answered("oc-thai") == []  # nobody said whose training it is
    shipped_visitor.screened("oc-thai", **mine)
    assert answered("oc-thai") == ["q-trained", "trained-for"]
    assert answered("oc-stone") == []
    shipped_visitor.screened("oc-stone", **mine)
    assert answered("oc-thai") == answered("oc-stone") == ["q-trained", "trained-for"]
    shipped_visitor.screened("oc-thai", trained_for="today")  # somebody else works with it today
    assert answered("oc-thai") == []


# -- verdicts ------------------------------------------------------------------------------------


def test_a_red_flag_shows_whom_to_call_although_the_rest_is_open(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.post("/protocols/oc-self-nape/screening", {"q-neck-face": "yes"})
    assert answer.status_code == 303
    page = shipped_visitor.page(answer.headers["Location"])
    assert heading(page) == "Get help now"
    assert page.all("a", href="tel:112")[0].text == "Call 112"
    assert "Begin" not in page.buttons()


@pytest.mark.parametrize(
    ("protocol", "fields", "title"),
    [
        ("oc-self-nape", {"q_fever": "yes"}, "Not today"),
        ("oc-self-nape", {"q_fever": "unsure"}, "Not today"),
        ("oc-self-nape", {"q_last_meal": "recent"}, "Not yet"),
        ("oc-self-nape", {"q_blood_pressure": "high"}, "Ask a clinician first"),
        ("dm-legs-feet", {"q_foot_hot": "yes"}, "Medical help today"),
        ("oc-classic-full", {"q_hidden_illness": "yes"}, "See a doctor within days"),
        ("dm-legs-feet", {"glucose": "2.9"}, "Treat the low now"),
        ("dm-legs-feet", {"glucose": "2.9", "q_foot_wound": "yes"}, "Treat the low now"),
        ("dm-legs-feet", {"glucose": "2.9", "q_chest_breath": "yes"}, "Get help now"),
        ("dm-legs-feet", {"glucose": "3.9"}, "Treat the low now"),
        ("dm-legs-feet", {"glucose": "3.9", "q_unwell": "yes"}, "Treat the low now"),
        ("dm-legs-feet", {"q_hypo_now": "unsure", "glucose": "6.0"}, "Treat the low now"),
        ("dm-legs-feet", {"glucose": "14.5"} | FINE, "Clear, with changes"),
        ("oc-thai", {"q_trained": "no"}, "Not today"),
    ],
)
def test_the_verdict_says_its_name_and_refuses_what_it_must(
    shipped_visitor: Visitor, protocol: str, fields: dict[str, str], title: str
) -> None:
    screening = shipped_visitor.screened(protocol, **fields)
    page = shipped_visitor.page(f"/screenings/{screening}")
    assert heading(page) == title
    starts = title == "Clear, with changes"
    assert ("Begin" in page.buttons()) == starts
    answer = shipped_visitor.post("/sessions", {"screening": screening})
    assert answer.status_code == (303 if starts else 409)


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ("left", ["cups-left", "cups-right"]),
        ("right", ["cups-right", "cups-left"]),
        ("same", ["cups-right", "cups-left"]),
    ],
)
def test_the_side_that_hurts_less_is_asked_and_the_frozen_plan_begins_there(
    shipped_visitor: Visitor, said: str, order: list[str]
) -> None:
    screening = shipped_visitor.screened("oc-cupping-back")
    page = shipped_visitor.page(f"/screenings/{screening}")
    choices = page.all("input", name="first-side")
    assert [one.attrs["value"] for one in choices] == ["left", "right", "same"]
    assert all("required" in one.attrs and "checked" not in one.attrs for one in choices)
    answer = shipped_visitor.post("/sessions", {"screening": screening, "first-side": said})
    assert answer.status_code == 303
    session_id = answer.headers["Location"].removeprefix("/sessions/")
    stored = shipped_visitor.storage.load(session_id)
    assert stored
    assert [s.id for s in stored.plan.steps if s.hands_on and "cups" in s.tags] == order
    assert stored.plan.first_side == (None if said == "same" else said)
    stage = shipped_visitor.get(f"/sessions/{session_id}").text
    positions = [stage.index(f'data-for="{name}"') for name in order]
    assert positions == sorted(positions)


def test_where_no_plan_can_begin_on_that_side_the_usual_order_runs(
    shipped_visitor: Visitor,
) -> None:
    screening = shipped_visitor.screened(
        "oc-thai", q_skin="yes", **{"place_skin": "foot-top:right"}
    )
    answer = shipped_visitor.post("/sessions", {"screening": screening, "first-side": "right"})
    assert answer.status_code == 303, Page(answer.text).by_id("verdict").text
    stored = shipped_visitor.storage.load(answer.headers["Location"].removeprefix("/sessions/"))
    assert stored
    first = next(step for step in stored.plan.steps if step.hands_on)
    assert (stored.plan.first_side, first.id) == (None, "foot-strokes-left")


def test_before_the_start_stands_in_full_where_hands_stay_off(shipped_visitor: Visitor) -> None:
    screening = shipped_visitor.screened("oc-cupping-back")
    (fold,) = shipped_visitor.page(f"/screenings/{screening}").all("details", class_="phase-how")
    assert "The spine: stay two fingers (2-3 cm) away" in fold.text
    assert "Go lightly: No oil on the neck; Over kidneys and ribs; Over the marks." in (fold.text)


def test_a_side_that_is_none_is_refused_and_where_none_is_asked_none_counts(
    shipped_visitor: Visitor,
) -> None:
    screening = shipped_visitor.screened("oc-cupping-back")
    answer = shipped_visitor.post("/sessions", {"screening": screening, "first-side": "top"})
    assert answer.status_code == 422
    assert "the left side, the right side, or both the same" in (
        Page(answer.text).by_id("fault-side").text
    )
    legs = shipped_visitor.screened("oc-ap-ear")
    assert "first-side" not in shipped_visitor.get(f"/screenings/{legs}").text
    answer = shipped_visitor.post("/sessions", {"screening": legs, "first-side": "right"})
    stored = shipped_visitor.storage.load(answer.headers["Location"].removeprefix("/sessions/"))
    assert stored
    assert stored.plan.first_side is None


def test_a_wait_says_when_and_counts_down(shipped_visitor: Visitor) -> None:
    screening = shipped_visitor.screened("dm-legs-feet", glucose="3.8")
    page = shipped_visitor.page(f"/screenings/{screening}")
    assert "10:15" in page.all("p", class_="verdict-wait")[0].text
    assert page.all("count-down")[0].attrs["data-left-ms"] == "900000"
    shipped_visitor.clock.forward(14 * MINUTE)
    page = shipped_visitor.page(f"/screenings/{screening}")
    assert page.all("count-down")[0].attrs["data-left-ms"] == "60000"


def test_answering_again_leaves_open_what_the_wait_was_for(shipped_visitor: Visitor) -> None:
    screening = shipped_visitor.screened("dm-legs-feet", q_hypo_now="yes", glucose="3.8")
    early = shipped_visitor.get(f"/screenings/{screening}/again")
    assert early.status_code == 409
    assert "Treat the low now" in early.text
    shipped_visitor.clock.forward(15 * MINUTE)
    page = shipped_visitor.page(f"/screenings/{screening}/again")
    answered = {e.attrs["name"] for e in page.all("input", type="radio") if "checked" in e.attrs}
    assert {"q-surgery", "q-feet-numb"} <= answered
    again = {"q-hypo-now", "glucose-shown", "q-fever", "q-foot-wound", "q-last-meal"}
    assert answered.isdisjoint(again)
    assert page.by_id("glucose").attrs["value"] == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"glucose": "14.2"},
        {"q_sglt2": "yes"},
        {"q_sglt2": "unsure"},
        {"q_unwell": "yes"},
        {"q_fever": "yes"},
    ],
    ids=str,
)
def test_ketones_are_asked_for_when_they_matter(
    shipped_visitor: Visitor, fields: dict[str, str]
) -> None:
    answer = shipped_visitor.answer("dm-legs-feet", **fields)
    assert answer.status_code == 422
    assert "Ketones: they matter now" in Page(answer.text).by_id("open-answers").text
    page = verdict_of(shipped_visitor, "dm-legs-feet", ketones_known="no", **fields)
    assert heading(page) == "Not today"


@pytest.mark.parametrize(
    ("known", "ketones", "title"),
    [
        ("yes", "0.5", "Clear, with changes"),
        ("yes", "0.6", "Not today"),
        ("yes", "1.6", "Medical help today"),
        ("yes", "3.1", "Get help now"),
        ("negative", "", "Clear, with changes"),
        ("trace", "", "Not today"),
        ("plus", "", "Medical help today"),
        ("plus-plus", "", "Medical help today"),
        ("plus-plus-plus", "", "Get help now"),
        ("no", "", "Not today"),
    ],
)
def test_ketones_of_blood_and_of_a_strip(
    shipped_visitor: Visitor, known: str, ketones: str, title: str
) -> None:
    fields = {"ketones_known": known, "ketones": ketones, "glucose": "14.2"}
    assert heading(verdict_of(shipped_visitor, "dm-legs-feet", **fields)) == title


def test_a_reading_without_its_trend_is_asked_for_it(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.answer("dm-legs-feet", trend="")
    assert answer.status_code == 422
    assert "The trend of glucose" in answer.text


def test_two_readings_stand_for_an_arrow(shipped_visitor: Visitor) -> None:
    risk: dict[str, str] = {"q_glucose_medicine": "tablets", "trend": "unknown", "glucose": "6.5"}
    assert heading(verdict_of(shipped_visitor, "dm-legs-feet", **risk)) == "Not yet"
    page = verdict_of(shipped_visitor, "dm-legs-feet", glucose_before="6.6", **risk)
    assert heading(page) == "Clear to start"
    for wrong in ("115", "six"):
        answer = shipped_visitor.answer("dm-legs-feet", glucose_before=wrong, **risk)
        assert answer.status_code == 422
        assert "the earlier reading as a number of the same unit" in answer.text


def test_diabetes_brings_its_questions_and_the_reading_to_any_protocol(
    shipped_visitor: Visitor,
) -> None:
    answer = shipped_visitor.answer("oc-self-nape", q_diabetes="", glucose_shown="")
    assert answer.status_code == 422
    panel = Page(answer.text).by_id("open-answers").text
    assert "Diabetes of any type" in panel
    assert "The glucose reading" not in panel
    answer = shipped_visitor.answer("oc-self-nape", q_diabetes="yes", glucose_shown="")
    assert "The glucose reading" in Page(answer.text).by_id("open-answers").text
    fields = {
        "q_diabetes": "yes",
        "q_glucose_medicine": "insulin",
        "q_last_insulin": "over-an-hour",
    }
    page = verdict_of(shipped_visitor, "oc-self-nape", **fields)
    assert heading(page) == "Clear, with changes"
    assert "Keep sugar at hand" in page.source
    session_id = ready(shipped_visitor, "oc-self-nape", **fields)
    stored = shipped_visitor.storage.load(session_id)
    assert stored is not None
    assert stored.plan.diabetes
    assert stored.plan.hands_on_seconds == 400
    assert stored.admission is not None
    assert stored.admission.needs_reading
    assert any(flag.id == "hypo" for flag in stored.plan.red_flags)


def test_a_follow_up_is_asked_before_a_sign_is_told(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.answer("oc-self-nape", q_neck_dizzy="yes")
    assert answer.status_code == 422
    panel = Page(answer.text).by_id("open-answers").text
    assert "Is it new, or has a doctor explained it?" in panel
    assert "call your emergency number" in panel
    for token, title in (
        ("new", "Get help now"),
        ("unsure", "Get help now"),
        ("old", "Ask a clinician first"),
    ):
        fields = {"q_neck_dizzy": "yes", "q_neck_dizzy_since": token}
        assert heading(verdict_of(shipped_visitor, "oc-self-nape", **fields)) == title


def test_a_tick_for_none_never_answers_a_follow_up(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.answer("oc-self-nape", q_weak_bones="yes")
    assert answer.status_code == 422
    assert "Any fall or stumble" in Page(answer.text).by_id("open-answers").text


def test_no_comfort_stands_above_a_danger(shipped_visitor: Visitor) -> None:
    for fields in ({"glucose": "14.2", "ketones_known": "yes", "ketones": "1.0"},
                   {"glucose": "18.0"} | FINE, {"q_flare": "yes"}):  # fmt: skip
        page = verdict_of(shipped_visitor, "dm-legs-feet", **fields)
        assert "be kind to yourself" not in page.source


def test_a_low_is_treated_before_anybody_is_called(shipped_visitor: Visitor) -> None:
    page = verdict_of(shipped_visitor, "dm-legs-feet", glucose="2.8")
    assert heading(page) == "Treat the low now"
    source = page.source
    assert source.index("15 to 20 g of fast sugar") < source.index('href="tel:')
    assert "not better after two treatments: call your emergency number" in source


def test_changes_change_the_plan_and_say_why(shipped_visitor: Visitor) -> None:
    fields = {"q_insulin_sites": "yes"}
    screening = shipped_visitor.post(
        "/protocols/dm-legs-feet/screening",
        SAFE | {"q-insulin-sites": "yes", "place-insulin-sites": "thigh:left"},
    ).headers["Location"]
    page = shipped_visitor.page(screening)
    assert heading(page) == "Clear, with changes"
    assert "Left out: Thigh strokes, left." in page.all("section", class_="panel changes")[0].text
    made = shipped_visitor.post("/sessions", {"screening": screening.rsplit("/", 1)[1]})
    stored = shipped_visitor.storage.load(made.headers["Location"].rsplit("/", 1)[1])
    assert stored is not None
    ids = [step.id for step in stored.plan.steps]
    assert "thigh-strokes-left" not in ids
    assert "thigh-strokes-right" in ids
    assert shipped_visitor.answer("dm-legs-feet", **fields).status_code == 422  # no place marked


def test_changes_that_leave_no_massage_refuse_it(shipped_visitor: Visitor) -> None:
    answer = shipped_visitor.post(
        "/protocols/oc-self-4step/screening",
        SAFE | {"q-skin": "yes", "place-skin": "nape-shoulders"},
    )
    page = shipped_visitor.page(answer.headers["Location"])
    assert heading(page) == "Not today"
    assert "Too much would have to be left out." in page.source


def test_a_number_that_fits_both_units_is_taken_only_when_the_meter_is_looked_at(
    shipped_visitor: Visitor,
) -> None:
    answer = shipped_visitor.answer("dm-legs-feet", glucose="25", unit="mmol/L")
    assert answer.status_code == 422
    assert "25 mg/dL very low" in answer.text
    assert Page(answer.text).all("input", name="unit-sure")[0].attrs["value"] == "mmol/L"
    other = shipped_visitor.answer("dm-legs-feet", glucose="25", unit="mg/dL", unit_sure="mmol/L")
    assert other.status_code == 422
    page = verdict_of(
        shipped_visitor, "dm-legs-feet", glucose="25", unit="mmol/L", unit_sure="mmol/L", **FINE
    )
    assert "Glucose is very high" in page.source


@pytest.mark.parametrize(
    ("fields", "who", "status"),
    [
        ({"q_surgery": "yes"}, "diabetes-team", 422),
        ({"q_surgery": "yes"}, "midwife", 422),
        ({"q_diabetes_unsteady": "yes"}, "diabetes-team", 303),
        ({"q_diabetes_unsteady": "yes", "q_surgery": "yes"}, "diabetes-team", 422),
        ({"q_pregnancy": "yes"}, "midwife", 303),
        ({"q_pregnancy": "yes"}, "diabetes-team", 422),
    ],
)
def test_a_word_counts_only_in_its_own_field(
    shipped_visitor: Visitor, fields: dict[str, str], who: str, status: int
) -> None:
    screening = shipped_visitor.screened("dm-legs-feet", **fields)
    said = {"who": who, "on": "2026-03-01", "confirmed": "yes"}
    assert shipped_visitor.post(f"/screenings/{screening}/word", said).status_code == status


# -- a clinician's word --------------------------------------------------------------------------


def test_a_clinicians_word_takes_two_steps_and_then_counts(shipped_visitor: Visitor) -> None:
    screening = shipped_visitor.screened("oc-self-nape", q_surgery="yes")
    address = f"/screenings/{screening}/word"
    said = {"who": "doctor", "on": "2026-03-01"}
    first = shipped_visitor.post(address, said)
    assert first.status_code == 200
    assert "Is this right?" in first.text
    assert "1 March 2026" in first.text
    assert shipped_visitor.post("/sessions", {"screening": screening}).status_code == 409
    assert shipped_visitor.post(address, said | {"confirmed": "yes"}).status_code == 303
    page = shipped_visitor.page(f"/screenings/{screening}")
    assert heading(page) == "Clear, with a clinician's word"
    made = shipped_visitor.post("/sessions", {"screening": screening})
    session_id = made.headers["Location"].rsplit("/", 1)[1]
    stored = shipped_visitor.storage.load(session_id)
    assert stored is not None
    assert stored.admission is not None
    assert stored.admission.word is not None
    assert (stored.admission.word.who, stored.admission.word.on) == ("doctor", "2026-03-01")
    shipped_visitor.done(session_id, "start")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "Please choose who said so."),
        ({"who": "nobody", "on": "2026-03-01"}, "Please choose who said so."),
        ({"who": "doctor", "on": ""}, "Please give the day"),
        ({"who": "doctor", "on": "2026-02-30"}, "Please give the day"),
        ({"who": "doctor", "on": "2026-03-03"}, "That day has not come yet."),
        ({"who": "doctor", "on": "2026-01-29"}, "more than a month ago"),
    ],
)
def test_a_word_that_is_not_whole_is_not_taken(
    shipped_visitor: Visitor, said: dict[str, str], why: str
) -> None:
    screening = shipped_visitor.screened("oc-self-nape", q_surgery="yes")
    for step in ({}, {"confirmed": "yes"}):
        answer = shipped_visitor.post(f"/screenings/{screening}/word", said | step)
        assert answer.status_code == 422
        assert why in answer.text
    kept = shipped_visitor.storage.screening(screening, shipped_visitor.clock.now())
    assert kept is not None
    assert kept.word is None


@pytest.mark.parametrize(("protocol", "status"), [("oc-self-nape", 303), ("dm-legs-feet", 422)])
def test_a_word_counts_for_three_months_with_diabetes(
    shipped_visitor: Visitor, protocol: str, status: int
) -> None:
    screening = shipped_visitor.screened(protocol, q_heart="yes")
    said = {"who": "doctor", "on": "2025-11-20", "confirmed": "yes"}
    answer = shipped_visitor.post(f"/screenings/{screening}/word", said)
    assert answer.status_code == status
    assert ("more than three months ago" in answer.text) == (status == 422)


@pytest.mark.parametrize(
    ("protocol", "fields"),
    [
        ("oc-self-nape", {"q_under_18": "yes"}),
        ("oc-self-nape", {"q_clot_known": "yes"}),
        ("oc-self-nape", {"q_neck_vessels": "yes"}),
        ("oc-classic-full", {"q_aneurysm": "yes"}),
        ("oc-cupping-back", {"q_diabetes": "yes"}),
        ("oc-cupping-back", {"q_blood_thinners": "yes"}),
        ("dm-legs-feet", {"glucose": "3.0"}),
        ("dm-legs-feet", {"q_foot_wound": "yes"}),
        ("oc-self-nape", {"q_surgery": "yes", "q_fever": "yes"}),
    ],
)
def test_no_word_clears_what_is_never_cleared(
    shipped_visitor: Visitor, protocol: str, fields: dict[str, str]
) -> None:
    screening = shipped_visitor.screened(protocol, **fields)
    said = {"who": "doctor", "on": "2026-03-01", "confirmed": "yes"}
    assert shipped_visitor.post(f"/screenings/{screening}/word", said).status_code == 409
    assert shipped_visitor.post("/sessions", {"screening": screening}).status_code == 409


# -- what a session makes of it ------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "status"), [(60, 303), (60.01, 409)])
def test_answers_count_for_an_hour_before_a_session_is_prepared(
    shipped_visitor: Visitor, minutes: float, status: int
) -> None:
    screening = shipped_visitor.screened("oc-self-nape")
    shipped_visitor.clock.forward(minutes * MINUTE)
    answer = shipped_visitor.post("/sessions", {"screening": screening})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("protocol", "minutes", "why"),
    [
        ("oc-self-nape", 60, ""),
        ("oc-self-nape", 60.01, "The answers are more than an hour old."),
        ("dm-legs-feet", 15, ""),
        ("dm-legs-feet", 15.01, "The glucose reading is more than 15 minutes old."),
    ],
)
def test_a_session_starts_only_while_its_answers_count(
    shipped_visitor: Visitor, protocol: str, minutes: float, why: str
) -> None:
    session_id = ready(shipped_visitor, protocol)
    shipped_visitor.clock.forward(minutes * MINUTE)
    answer = shipped_visitor.act(session_id, "start")
    assert answer.status_code == (409 if why else 200)
    assert why in answer.text
    assert shipped_visitor.seq(session_id) == (0 if why else 1)
    if why:
        assert "Answer the questions again" in answer.text
        again = next(e for e in Page(answer.text).all("a") if "again" in e.text)
        assert shipped_visitor.get(again.attrs["href"]).status_code == 200


def test_the_age_of_the_reading_counts_from_its_own_minute(shipped_visitor: Visitor) -> None:
    session_id = ready(shipped_visitor, "dm-legs-feet", minutes_ago="10")
    shipped_visitor.clock.forward(5 * MINUTE + 1)
    assert shipped_visitor.act(session_id, "start").status_code == 409


def test_a_slow_preparation_does_not_lead_to_the_first_touch(shipped_visitor: Visitor) -> None:
    session_id = ready(shipped_visitor, "dm-legs-feet")
    shipped_visitor.done(session_id, "start")
    shipped_visitor.clock.forward(16 * MINUTE)
    answer = shipped_visitor.act(session_id, "next")
    assert answer.status_code == 409
    assert "more than 15 minutes old" in answer.text
    assert shipped_visitor.act(session_id, "end").status_code == 200


def test_once_hands_are_at_work_the_answers_have_done_their_work(shipped_visitor: Visitor) -> None:
    session_id = ready(shipped_visitor, "oc-self-nape", minutes="6.67")
    shipped_visitor.done(session_id, "start")
    while "data-step" and shipped_visitor.live(session_id)["data-status"] != "running":
        shipped_visitor.done(session_id, "next")
    shipped_visitor.clock.forward(5)
    shipped_visitor.done(session_id, "pause")
    shipped_visitor.clock.forward(60 * MINUTE)
    shipped_visitor.done(session_id, "resume", "pause")
    shipped_visitor.clock.forward(60 * MINUTE)
    shipped_visitor.done(session_id, "resume", "next")


@pytest.mark.parametrize(
    ("protocol", "minutes", "refused"),
    [
        ("oc-self-nape", 60, False),
        ("oc-self-nape", 61, True),
        ("dm-legs-feet", 15, False),
        ("dm-legs-feet", 16, True),
    ],
)
def test_a_long_pause_asks_for_the_answers_again(
    shipped_visitor: Visitor, protocol: str, minutes: int, refused: bool
) -> None:
    session_id = at_work(shipped_visitor, protocol)
    shipped_visitor.done(session_id, "pause")
    shipped_visitor.clock.forward(minutes * MINUTE / 2)
    shipped_visitor.done(session_id, "next")  # acts in the pause do not make it younger
    shipped_visitor.clock.forward(minutes * MINUTE / 2)
    for action in ("resume", "next"):
        answer = shipped_visitor.act(session_id, action)
        assert answer.status_code == (409 if refused else 200)
        assert ("The pause was long" in answer.text) == refused
    assert shipped_visitor.act(session_id, "end").status_code == 200


def test_no_pause_hides_the_way_to_the_first_touch(shipped_visitor: Visitor) -> None:
    session_id = ready(shipped_visitor, "dm-legs-feet")
    shipped_visitor.done(session_id, "start", "next", "pause")
    while shipped_visitor.live(session_id)["data-step"] != "lower-leg-strokes-left":
        shipped_visitor.done(session_id, "next")
    shipped_visitor.clock.forward(15 * MINUTE + 1)
    answer = shipped_visitor.act(session_id, "resume")
    assert answer.status_code == 409
    assert "glucose reading is more than 15 minutes old" in answer.text
    assert shipped_visitor.live(session_id)["data-status"] == "paused"


def test_one_screening_leads_to_one_session(shipped_visitor: Visitor) -> None:
    screening = shipped_visitor.screened("oc-self-nape")
    answers = [shipped_visitor.post("/sessions", {"screening": screening}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert len({answer.headers["Location"] for answer in answers}) == 1
    kept = shipped_visitor.storage.screening(screening, shipped_visitor.clock.now())
    assert kept is not None
    entry = site_of(shipped_visitor).library.entries["oc-self-nape"]
    plan = site_of(shipped_visitor).library.usual_plan(entry)
    assert plan is not None
    unused = kept.model_copy(update={"session": None}).admission(screening)
    raced = shipped_visitor.storage.create(plan, entry.digest, 1, unused)
    assert answers[0].headers["Location"].endswith(raced)


@pytest.mark.parametrize(
    "fields",
    [
        {"q-fever": ["no", "yes"]},
        {"q-fever": ["yes", "no"]},
        {"place-skin": ["nape"]},
        {"q-skin": ["no"], "place-skin": ["nape"]},
        {"q-skin": ["yes"], "place-skin": ["nape", "calf"]},
        {"q-skin": ["yes"]},
    ],
    ids=str,
)
def test_answers_that_contradict_themselves_are_asked_again(
    shipped_visitor: Visitor, fields: dict[str, list[str]]
) -> None:
    answer = shipped_visitor.client.post(
        "/protocols/oc-self-nape/screening", data={**SAFE, **fields}, headers={"Host": HOST}
    )
    assert answer.status_code == 422
    assert "Still open" in answer.text


def test_another_version_of_the_protocol_or_the_rules_refuses(shipped_visitor: Visitor) -> None:
    session_id = ready(shipped_visitor, "oc-self-nape")
    screening = shipped_visitor.screened("oc-self-nape")
    site = site_of(shipped_visitor)
    entry = site.library.entries["oc-self-nape"]
    catalogue = site.library.catalogue
    for changed in ("protocol", "rules", "gone"):
        if changed == "protocol":
            site.library.entries["oc-self-nape"] = replace(entry, digest="another")
        elif changed == "rules":
            site.library.catalogue = catalogue.model_copy(update={"rules_hash": "another"})
        else:
            del site.library.entries["oc-self-nape"]
        try:
            answer = shipped_visitor.act(session_id, "start")
            made = shipped_visitor.post("/sessions", {"screening": screening})
        finally:
            site.library.entries["oc-self-nape"] = entry
            site.library.catalogue = catalogue
        assert answer.status_code == 409
        assert "have changed since the answers" in answer.text
        assert made.status_code == (404 if changed == "gone" else 409)
    assert shipped_visitor.seq(session_id) == 0


def test_a_session_without_any_screening_does_not_start(shipped_visitor: Visitor) -> None:
    site = site_of(shipped_visitor)
    entry = site.library.entries["oc-self-nape"]
    plan = site.library.usual_plan(entry)
    assert plan is not None
    session_id = shipped_visitor.storage.create(plan, entry.digest, shipped_visitor.clock.now())
    answer = shipped_visitor.act(session_id, "start")
    assert answer.status_code == 409
    assert "have not been answered" in answer.text


def broken(*_arguments: Any, **_more: Any) -> Verdict:
    raise RuntimeError("for a test")


def test_a_fault_in_the_rules_refuses(
    shipped_visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = ready(shipped_visitor, "oc-self-nape")
    screening = shipped_visitor.screened("oc-self-nape")
    monkeypatch.setattr(screenings, "screen", broken)
    monkeypatch.setattr(screenings, "refusal", broken)
    monkeypatch.setattr(admission, "refusal", broken)
    for answer in (
        shipped_visitor.answer("oc-self-nape"),
        shipped_visitor.get(f"/screenings/{screening}"),
        shipped_visitor.post("/sessions", {"screening": screening}),
        shipped_visitor.act(session_id, "start"),
    ):
        assert answer.status_code == 500
        assert "Nothing" in answer.text or "fault is on our side" in answer.text
    assert shipped_visitor.seq(session_id) == 0


def test_answers_are_gone_after_a_day(shipped_visitor: Visitor) -> None:
    first = shipped_visitor.screened("oc-self-nape")
    shipped_visitor.clock.forward(24 * 60 * MINUTE + 1)
    shipped_visitor.screened("oc-self-nape")
    assert shipped_visitor.storage.screening(first, shipped_visitor.clock.now()) is None
    assert shipped_visitor.get(f"/screenings/{first}").status_code == 404


# -- during and after ----------------------------------------------------------------------------


def at_work(visitor: Visitor, protocol: str) -> str:
    session_id = visitor.prepare(protocol)
    visitor.done(session_id, "start")
    for _ in range(20):
        live = visitor.live(session_id)
        if live["data-status"] == "running" and "stage-hands" in live["class"]:
            break
        visitor.done(session_id, "next")
    visitor.clock.forward(5)
    return session_id


def test_signs_of_a_low_stop_a_diabetes_session_and_say_what_to_do(
    shipped_visitor: Visitor,
) -> None:
    session_id = at_work(shipped_visitor, "dm-legs-feet")
    answer = shipped_visitor.act(session_id, "low")
    assert answer.status_code == 200
    assert "Treat this as a low" in answer.text
    assert "15 to 20 g of fast sugar" in answer.text
    live = shipped_visitor.live(session_id)
    assert live["data-status"] == "stopped"
    shipped_visitor.clock.forward(MINUTE)
    page = shipped_visitor.page(f"/sessions/{session_id}")
    shown = list(page.all("count-down"))
    assert shown[0].attrs["data-left-ms"] == str(14 * 60_000)
    summary = shipped_visitor.page(f"/sessions/{session_id}/summary")
    assert "signs of a low" in summary.all("header", class_="lead")[0].text


def test_a_low_counts_with_a_used_key_and_a_stale_form(shipped_visitor: Visitor) -> None:
    session_id = at_work(shipped_visitor, "dm-legs-feet")
    form = shipped_visitor.form(session_id)
    shipped_visitor.post(f"/sessions/{session_id}/pause", form, htmx=True)
    answer = shipped_visitor.post(f"/sessions/{session_id}/low", form, htmx=True)
    assert answer.status_code == 200
    assert shipped_visitor.live(session_id)["data-status"] == "stopped"


def test_a_session_without_diabetes_has_no_such_button(shipped_visitor: Visitor) -> None:
    session_id = at_work(shipped_visitor, "oc-self-nape")
    assert "Signs of a low" not in shipped_visitor.page(f"/sessions/{session_id}").buttons()
    assert shipped_visitor.act(session_id, "low").status_code == 409


@pytest.mark.parametrize(
    ("protocol", "signs", "not_here"),
    [
        ("oc-self-nape", ["Sudden headache", "Clumsy hands"], ["One leg throbs", "A low that"]),
        ("oc-classic-lumbar", ["Numb between the legs"], ["Clumsy hands", "A low that"]),
        ("dm-legs-feet", ["One leg throbs", "A new wound", "A low that"], ["Clumsy hands"]),
        ("oc-honey-back", ["Hives", "Numb between the legs"], ["One leg throbs"]),
    ],
)
def test_pain_stop_shows_the_red_flags_of_the_region(
    shipped_visitor: Visitor, protocol: str, signs: list[str], not_here: list[str]
) -> None:
    session_id = at_work(shipped_visitor, protocol)
    answer = shipped_visitor.act(session_id, "stop")
    live = Page(answer.text).by_id("session-live").text
    assert "Call 112" in live
    for sign in signs:
        assert sign in live
    for sign in not_here:
        assert sign not in live


@pytest.mark.parametrize(
    ("protocol", "warned"), [("oc-self-nape", True), ("oc-classic-lumbar", False)]
)
def test_the_summary_warns_of_late_signs_after_neck_work_only(
    shipped_visitor: Visitor, protocol: str, warned: bool
) -> None:
    session_id = at_work(shipped_visitor, protocol)
    shipped_visitor.done(session_id, "end")
    page = shipped_visitor.page(f"/sessions/{session_id}/summary")
    assert ("In the next three weeks" in page.source) == warned
    assert ("mention the massage" in page.source) == warned


def test_the_reading_afterwards_is_kept_and_answered(shipped_visitor: Visitor) -> None:
    session_id = at_work(shipped_visitor, "dm-legs-feet")
    address = f"/sessions/{session_id}/reading"
    reading = {"glucose-shown": "number", "glucose": "3.7", "unit": "mmol/L"}
    assert shipped_visitor.post(address, reading).status_code == 409  # hands are still at work
    shipped_visitor.done(session_id, "end")
    page = shipped_visitor.page(f"/sessions/{session_id}/summary")
    assert "again 11:00 to 12:00, and before bed" in page.by_id("after").text
    assert shipped_visitor.post(address, reading).status_code == 303
    after = shipped_visitor.page(f"/sessions/{session_id}/summary").by_id("after").text
    assert "3.7 mmol/L" in after
    assert "Glucose is low" in after
    shipped_visitor.clock.forward(15 * MINUTE)
    shipped_visitor.post(address, {"glucose-shown": "hi"})
    after = shipped_visitor.page(f"/sessions/{session_id}/summary").by_id("after").text
    assert "HI" in after
    assert "above what the meter can show" in after
    shipped_visitor.clock.forward(15 * MINUTE)
    very_high = {"glucose-shown": "number", "glucose": "17.0", "unit": "mmol/L"}
    shipped_visitor.post(address, very_high)
    after = shipped_visitor.page(f"/sessions/{session_id}/summary").by_id("after").text
    assert "Glucose is very high" in after
    assert "measure again in an hour or two" in after
    wrong = shipped_visitor.post(address, reading | {"glucose": "115"})
    assert wrong.status_code == 422
    assert "Is it 115 mg/dL?" in wrong.text


def test_no_reading_is_taken_for_a_session_without_diabetes(shipped_visitor: Visitor) -> None:
    session_id = at_work(shipped_visitor, "oc-self-nape")
    shipped_visitor.done(session_id, "end")
    answer = shipped_visitor.post(f"/sessions/{session_id}/reading", {"glucose-shown": "lo"})
    assert answer.status_code == 409
    assert Presence(shipped_visitor.storage).notes_of(session_id).readings == []


@pytest.mark.parametrize("value", ["0", "no", " 1", "on", "<img src=x>"])
def test_none_of_these_is_the_tick_that_the_page_sends_and_nothing_else(
    visitor: Visitor, value: str
) -> None:
    answer = visitor.answer(none_illness=value)
    assert answer.status_code == 422
    path = f"/protocols/short/screening?none-illness={value}"
    assert visitor.post(path, SAFE | {"none-illness": ""}).status_code == 422
