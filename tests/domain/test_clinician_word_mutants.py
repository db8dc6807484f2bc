"""Every rule of a kept word has a test that notices when the rule is gone or wrong.

Each part of the source named here is made wrong on purpose, one at a time; the tests of
``test_clinician_word.py`` have to fail with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.domain import test_clinician_word as tests
from webapp.domain import clinician_word

pytestmark = pytest.mark.slow

SOURCE = Path(clinician_word.__file__).read_text(encoding="utf-8")
WRONG = (
    ("timedelta(0) <= age <=", "age <="),
    ("min(days, self.days)", "days"),
    ("min(days, self.days)", "self.days"),
    ("date.fromisoformat(self.on) + timedelta(days=self.days)", "date.fromisoformat(self.on)"),
    ("word is None or word.answer != answer:", "word is None:"),
    ("not word.counts(today, days) or word.who not in", "word.who not in"),
    (" or word.who not in who_may_clear_questions({question}):", ":"),
    ('verdict.level != "clinician" or not found', "not found"),
    ("min(found, key", "max(found, key"),
    ("AGREED_BY.get(word.question, ()) and word.counts(today, days)", "AGREED_BY[word.question]"),
    ("word.who in AGREED_BY.get(word.question, ()) and", ""),
    (" | dict(agreed)", ""),
    ("if question in asked and answers.places", "if answers.places"),
    ("word.question in possible and (", "("),
    ("word.question not in asked or not still_so", "not still_so"),
    ("word.question not in asked or not still_so(word, answers)", "word.question not in asked"),
    ("if word.question in AGREED_BY:", "if False:"),
    ("same is None or same.answer != answer", "same is None"),
    ("self.kept is None or not", "self.kept is not None and not"),
    ('outcome.level == "clinician"', "outcome.level"),
    ("{w.question: AskedWord(w.question, w.answer, w.days, w) for w in kept}", "{}"),
    (" if word.question in possible]", "]"),
)


def mutant(old: str, new: str) -> ModuleType:
    """Return the module with one part of its source changed."""
    assert SOURCE.count(old) == 1, f"{SOURCE.count(old)} times {old!r}"
    module = ModuleType("webapp.domain.clinician_word_mutant")
    sys.modules[module.__name__] = module  # models look up their annotations there
    exec(compile(SOURCE.replace(old, new), "mutant", "exec"), vars(module))
    return module


def calls() -> Iterator[Callable[[], object]]:
    """Every test with each of its rows."""
    for name, test in vars(tests).items():
        if not name.startswith("test_"):
            continue
        (mark, *_) = [m for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"] or [0]
        for row in mark.args[1] if mark else [()]:
            given = dict(zip(mark.args[0], row, strict=True)) if mark else {}
            yield lambda test=test, given=given: test(**given)  # type: ignore[misc]


def fails(call: Callable[[], Any]) -> bool:
    try:
        call()
    except Exception:
        return True
    return False


@pytest.mark.parametrize(("old", "new"), WRONG)
def test_no_wrong_rule_survives(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    assert not any(fails(call) for call in calls())
    module = mutant(old, new)
    monkeypatch.setattr(tests, "clinician_word", module)
    monkeypatch.setattr(tests, "KeptWord", module.KeptWord)
    assert any(fails(call) for call in calls())
