"""The measure of words finds what it is for."""

from __future__ import annotations

import pytest

from tests.clinical.words import alternatives, faults_of_question, hard
from webapp.domain.catalogue import Outcome, Question


def asked(text: str, name: str = "one") -> Question:
    outcomes = (Outcome(level="not-today", act="Wait."),)
    return Question(id=name, group="today", text=text, outcomes=outcomes, origin="inferred")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Fever", 1),
        ("Fever or a cold", 2),
        ("Fever, a cold, or any infection", 3),
        ("A wound, a blister; a spot, or heat", 4),
        ("An operation within the last month", 1),
        ("A knock and a fall", 1),
        ("Orange orders", 1),
    ],
)
def test_alternatives_are_counted(text: str, count: int) -> None:
    assert alternatives(text) == count


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Have you had a fall or a hard knock to the neck in three weeks now", "16 words"),
        ("Pain, heat, a cut, or a spot on the foot", "4 alternatives"),
        ("Considerable cardiovascular deterioration necessitating hospital admission", "ease"),
        ("Cardiovascular deterioration", "syllables"),
    ],
)
def test_a_question_that_is_too_much_is_found(text: str, fault: str) -> None:
    assert any(fault in found for found in faults_of_question(asked(text)))


def test_a_plain_question_has_no_fault() -> None:
    assert [*faults_of_question(asked("Do you have a cold, or do you feel ill today?"))] == []
    card = "An illness, a medicine, surgery, a fall, a child on the way"
    assert not any("alternatives" in f for f in faults_of_question(asked(card, "new-since")))
    assert any("alternatives" in f for f in faults_of_question(asked(card, "other")))


def test_signs_on_lines_of_their_own_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("A weak arm", "A face that hangs on one side since this very day")
    monkeypatch.setattr("tests.clinical.words.signs_of", lambda question: lines)
    found = [*faults_of_question(asked("Any of these, new?"))]
    assert [fault for fault in found if "in the sign" in fault] == [
        "11 words in the sign 'A face that hangs on one side since this very day', at most 8"
    ]


def test_the_limit_of_reading_ease_is_seventy() -> None:
    assert [*hard("The cat sat on the mat today")] == []
    assert [*hard("Several doctors recommended another appointment yesterday")]
