"""Words for a screening verdict: its heading, its sign and the sentence below."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from webapp.domain.catalogue import Catalogue, Urgency
from webapp.domain.clinician_word import AskedWord
from webapp.domain.screening import (
    AGREED_BY,
    GLUCOSE,
    Clinician,
    Finding,
    Verdict,
    said_of,
    who_may_clear_questions,
)
from webapp.presentation.stage import NUMBER

HELP: dict[Urgency | None, str] = {
    None: "Get help now",
    "emergency": "Get help now",
    "same-day": "Medical help today",
    "urgent": "See a doctor within days",
}
# "word": a clinician has agreed.
Kind = Literal["clear", "changes", "word", "clinician", "not-today", "help"]
HEADINGS: dict[Kind, str] = {
    "clear": "Clear to start",
    "changes": "Clear, with changes",
    "word": "Clear, with a clinician's word",
    "clinician": "Ask a clinician first",
    "not-today": "Not today",
}
SENTENCES: dict[Kind, str] = {
    "clear": "None of the answers speaks against it.",
    "changes": "The plan below leaves out what your answers ask for.",
    "clinician": "This massage starts only after a clinician has agreed. Ask what stands below.",
    "not-today": "Your answers speak against a massage today.",
}
TOO_EARLY = "It is only too early for this one."
REST = "Rest, and be kind to yourself."


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """What the page shows of a verdict; ``sign`` is go, ask or stop, ``emergency`` shows the call.

    ``number_below``: no emergency, or sugar first, but a finding names the number to call.
    """

    kind: Kind
    heading: str
    sentence: str
    sign: Literal["go", "ask", "stop"]
    emergency: bool
    number_below: bool


def words_of(verdict: Verdict, *, needs_word: bool, waits: bool) -> VerdictWords:
    """Return the words of ``verdict``; ``waits``: the questions may be answered again later."""
    kind: Kind = verdict.level
    if verdict.level == "clinician" and not needs_word:
        kind = "word"
    urgency = verdict.worst[0].urgency if kind == "help" else None
    too_early = bool(verdict.worst) and verdict.worst[0].question == "course"
    heading = HELP[urgency] if kind == "help" else HEADINGS[kind]
    sentence = SENTENCES.get(kind, "")
    if kind == "not-today" and (waits or too_early):
        heading, sentence = "Not yet", TOO_EARLY if too_early else ""
    elif kind == "not-today" and needs_rest_alone(verdict.findings):
        sentence = f"{sentence} {REST}"
    emergencies = [f for f in verdict.worst if f.urgency == "emergency"]
    sugar_first = verdict.low is not None and all(finding.low for finding in emergencies)
    if sugar_first:
        heading = "Treat the low now"
    emergency = urgency == "emergency" and not sugar_first
    named = any(NUMBER in finding.act for finding in verdict.findings)
    return VerdictWords(
        kind, heading, sentence, sign_of(kind), emergency, number_below=named and not emergency
    )


def sign_of(kind: Kind) -> Literal["go", "ask", "stop"]:
    if kind in ("clear", "changes", "word"):
        return "go"
    return "ask" if kind == "clinician" else "stop"


CONTACT = re.compile(
    r"\b(call|doctor|nurse|midwife|clinician|specialist|team|urgent care|emergency)\b",
    re.IGNORECASE,
)


def needs_rest_alone(findings: Iterable[Finding]) -> bool:
    """True where rest is all: no finding is of glucose, or says whom to call or to see."""
    return not any(
        finding.question == GLUCOSE
        or finding.level in ("clinician", "help")
        or finding.low
        or CONTACT.search(finding.act)
        for finding in findings
    )


@dataclass(frozen=True, slots=True)
class AskedWordWords:
    """A word that is kept or asked for, as a page shows it; ``until`` is an ISO day.

    ``who`` is None where none is kept; ``who_choices`` may say so anew.
    """

    question: str
    said: str
    ended: bool
    who_choices: tuple[Clinician, ...]
    who: Clinician | None = None
    on: str = ""
    until: str = ""


def asked_word_words(
    words: Iterable[AskedWord], catalogue: Catalogue, today: date
) -> list[AskedWordWords]:
    """Return the words of a client in words, those that are asked for first."""
    found = [words_of_asked(word, catalogue, today) for word in words]
    return sorted(found, key=lambda shown: not shown.ended)


def words_of_asked(word: AskedWord, catalogue: Catalogue, today: date) -> AskedWordWords:
    """Return one of them in words."""
    shown = AskedWordWords(
        question=word.question,
        said=about(word, catalogue),
        ended=word.ended(today),
        who_choices=who_may_renew(word.question),
    )
    if word.kept is None:
        return shown
    kept = word.kept
    return replace(shown, who=kept.who, on=kept.on, until=kept.ends_on.isoformat())


def about(word: AskedWord, catalogue: Catalogue) -> str:
    """What a word is for, in words."""
    if word.question in AGREED_BY:
        which = "both feet" if word.answer == "both" else f"the {word.answer} foot"
        return f"Hands on {which} after an ulcer"
    return said_of(catalogue, catalogue.questions[word.question], word.answer)


def who_may_renew(question: str) -> tuple[Clinician, ...]:
    """Whose word counts for a question."""
    return AGREED_BY.get(question) or who_may_clear_questions({question})
