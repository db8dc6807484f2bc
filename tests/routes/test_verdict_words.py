"""What a verdict says besides its findings: comfort only where nobody has to be called."""

from __future__ import annotations

import pytest

from tests.support.safe_answers import SAFE
from tests.support.visitor import Visitor

REST = "Rest, and be kind to yourself."


def verdict(visitor: Visitor, protocol: str, **fields: str) -> str:
    more = {name.replace("_", "-"): value for name, value in fields.items()}
    answer = visitor.post(f"/protocols/{protocol}/screening", SAFE | more)
    assert answer.status_code == 303
    return visitor.get(answer.headers["Location"]).text


@pytest.mark.parametrize("said", ["q_alcohol", "q_unwell"])
def test_where_rest_is_all_it_is_said(shipped_visitor: Visitor, said: str) -> None:
    assert REST in verdict(shipped_visitor, "oc-self-nape", **{said: "yes"})


@pytest.mark.parametrize(
    "fields",
    [
        {"q_flare": "yes"},
        {"q_fever": "yes"},
        {"q_clot_known": "yes"},
        {"q_unwell": "yes", "q_surgery": "yes"},
    ],
)
def test_no_comfort_beside_whom_to_call_or_to_see(
    shipped_visitor: Visitor, fields: dict[str, str]
) -> None:
    text = verdict(shipped_visitor, "oc-self-nape", **fields)
    assert "speak against a massage today" in text
    assert REST not in text


@pytest.mark.parametrize("glucose", ["18.2", "17.0"])
def test_no_comfort_above_a_glucose_that_refuses(shipped_visitor: Visitor, glucose: str) -> None:
    text = verdict(
        shipped_visitor, "dm-legs-feet", glucose=glucose, ketones_known="yes", ketones="0.2"
    )
    assert "Glucose is very high" in text
    assert REST not in text


@pytest.mark.parametrize("question", ["q_foot_wound", "q_foot_hot"])
def test_a_foot_says_what_to_do_when_nobody_answers(
    shipped_visitor: Visitor, question: str
) -> None:
    text = verdict(shipped_visitor, "dm-legs-feet", **{question: "yes"})
    assert "Nobody answers, or feverish: urgent care or the emergency department today." in text


def test_the_warning_of_three_weeks_is_short_and_the_rest_behind_it(
    shipped_visitor: Visitor,
) -> None:
    session = shipped_visitor.started("oc-self-nape", "end")
    page = shipped_visitor.page(f"/sessions/{session}/summary")
    (warning,) = (found for found in page.all("section", class_="panel warn"))
    head, _, behind = warning.text.partition("All signs")
    shown = head.partition("Call ")[0]
    assert len(shown.split()) <= 27
    assert "sudden headache" in shown
    assert "bladder" in behind
