"""Fault 16: the screening itself fails. Nothing is ever cleared by a failure.

Seen to fail with the mechanism removed: with ``screen`` wrapped so that a failure counts as "clear"
the answers lead to a session; with ``refusal_of`` giving "" when it fails a session starts
unchecked.
"""

from __future__ import annotations

import pytest

from tests.support.safe_answers import SAFE
from tests.support.visitor import Visitor
from webapp.domain import admission
from webapp.domain import screening as rules
from webapp.routes import screenings

pytestmark = pytest.mark.fault(16)


def fails(*_arguments: object, **_more: object) -> None:
    raise RuntimeError("for a test")


def counted(visitor: Visitor) -> tuple[int, int]:
    with visitor.storage.engine.connect() as connection:
        tables = ("screenings", "sessions")
        found = [connection.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar() for t in tables]
    return int(found[0] or 0), int(found[1] or 0)


@pytest.mark.parametrize("where", ["verdict_on", "screen", "answers_of", "questions_for"])
def test_answers_that_cannot_be_judged_clear_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(screenings, where, fails)
    answer = visitor.post("/protocols/short/screening", SAFE)
    assert answer.status_code == 500
    assert "Begin" not in answer.text
    assert counted(visitor) == (0, 0)


@pytest.mark.parametrize("where", ["refusal_of", "plan_of"])
def test_a_verdict_that_cannot_be_read_again_prepares_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    screening = visitor.screened()
    monkeypatch.setattr(screenings, where, fails)
    assert visitor.get(f"/screenings/{screening}").status_code == 500
    assert visitor.post("/sessions", {"screening": screening}).status_code == 500
    assert counted(visitor) == (1, 0)


def test_a_session_whose_answers_cannot_be_checked_does_not_start(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = visitor.prepare("short")
    monkeypatch.setattr(admission, "refusal", fails)
    assert visitor.act(session_id, "start").status_code == 500
    assert visitor.seq(session_id) == 0


def test_a_rule_that_fails_for_one_answer_clears_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deep inside: each function of the rules in turn raises, and nobody calls that clear."""
    names = [n for n in dir(rules) if callable(getattr(rules, n)) and n[0].islower()]
    struck = 0
    for name in names:
        if getattr(getattr(rules, name), "__module__", "") != rules.__name__:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(rules, name, fails)
            answer = visitor.post("/protocols/sided/screening", SAFE)
        assert answer.status_code in (303, 500)
        struck += answer.status_code == 500
    assert struck >= 3
