"""Words for a screening verdict: its heading, its sign and the sentence below."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from webapp.domain.catalogue import Urgency
from webapp.domain.screening import GLUCOSE, Finding, Verdict
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
