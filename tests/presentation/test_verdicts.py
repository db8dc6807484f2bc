"""A verdict and the signs after a stop in words."""

from __future__ import annotations

import pytest

from tests.domain.test_session_cases import plan_at
from tests.support.builders import shipped
from webapp.domain.catalogue import Level, RedFlag, Urgency
from webapp.domain.glucose import Advice
from webapp.domain.screening import Finding, Verdict
from webapp.presentation.stage import CALL, calls_for_help, stop_signs
from webapp.presentation.verdicts import words_of


def verdict(
    level: Level, urgency: Urgency | None = None, question: str = "q", *, low: bool = False
) -> Verdict:
    found = Finding(question=question, level=level, said="So.", act="Do.", urgency=urgency, low=low)
    return Verdict(level=level, findings=() if level == "clear" else (found,))


@pytest.mark.parametrize(
    ("given", "needs_word", "waits", "kind", "heading", "sign"),
    [
        (verdict("clear"), False, False, "clear", "Clear to start", "go"),
        (verdict("changes"), False, False, "changes", "Clear, with changes", "go"),
        (verdict("clinician"), True, False, "clinician", "Ask a clinician first", "ask"),
        (verdict("clinician"), False, False, "word", "Clear, with a clinician's word", "go"),
        (verdict("not-today"), False, False, "not-today", "Not today", "stop"),
        (verdict("not-today"), False, True, "not-today", "Not yet", "stop"),
        (verdict("not-today", question="course"), False, False, "not-today", "Not yet", "stop"),
        (verdict("not-today", low=True), False, True, "not-today", "Treat the low now", "stop"),
        (verdict("help", "emergency"), False, False, "help", "Get help now", "stop"),
        (verdict("help", "emergency", low=True), False, False, "help", "Treat the low now", "stop"),
        (verdict("help", "same-day"), False, False, "help", "Medical help today", "stop"),
        (verdict("help", "urgent"), False, False, "help", "See a doctor within days", "stop"),
    ],
)
def test_a_verdict_has_its_heading_and_sign(
    given: Verdict, needs_word: bool, waits: bool, kind: str, heading: str, sign: str
) -> None:
    words = words_of(given, needs_word=needs_word, waits=waits)
    assert (words.kind, words.heading, words.sign) == (kind, heading, sign)


def test_only_an_emergency_shows_the_call() -> None:
    def emergency(urgency: Urgency) -> bool:
        return words_of(verdict("help", urgency), needs_word=False, waits=False).emergency

    assert emergency("emergency")
    low = verdict("help", "emergency", low=True)  # sugar comes first
    assert not words_of(low, needs_word=False, waits=False).emergency
    assert not emergency("same-day")
    assert not emergency("urgent")


def test_a_refusal_that_passes_says_so() -> None:
    def sentence(question: str, *, waits: bool) -> str:
        given = verdict("not-today", question=question)
        return words_of(given, needs_word=False, waits=waits).sentence

    assert sentence("course", waits=False) == "It is only too early for this one."
    assert sentence("q", waits=True) == ""
    assert "speak against" in sentence("q", waits=False)


def flag(sign: str, act: str, urgency: Urgency, *, late: bool = False) -> RedFlag:
    return RedFlag(id=sign, sign=sign, act=act, urgency=urgency, late=late, origin="inferred")


def test_signs_after_a_stop_are_parted_by_their_urgency() -> None:
    flags = (
        flag("chest", "Call your emergency number.", "emergency"),
        flag("low", "Call your emergency number, give nothing to drink.", "emergency"),
        flag("calf", "See a doctor today.", "same-day"),
        flag("later", "Call your emergency number.", "emergency", late=True),
    )
    signs = stop_signs(plan_at(0).model_copy(update={"red_flags": flags}))
    assert signs.call == (("chest", ""), ("low", "give nothing to drink."))
    assert signs.others == (("calf", "See a doctor today."),)


def test_a_reading_calls_for_help_only_in_an_emergency() -> None:
    advice = Advice(level="help", said="So.", act="Do.", urgency="emergency")
    assert calls_for_help(advice)
    assert not calls_for_help(advice.model_copy(update={"urgency": None, "level": "clear"}))


def test_every_emergency_after_a_stop_says_to_call() -> None:
    """The page has a button for the call, so the sign does not repeat it; the words must agree."""
    flags = shipped().catalogue.red_flags.values()
    emergencies = [flag for flag in flags if flag.urgency == "emergency" and not flag.late]
    assert emergencies
    assert [flag.id for flag in emergencies if CALL not in flag.act] == []
