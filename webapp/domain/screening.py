"""The check before a start: which questions, what the answers lead to, and whether it still counts.

It fails closed: an answer that is missing, not sure or not understood never clears; the verdict is
the most restrictive of all answers; what no rule covers is refused. Rules and words stand in
``protocols/catalogue/screening.json`` (facts.md 2.3 to 2.5), which questions are asked follows
from the areas and techniques that the protocol touches.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from webapp.domain.catalogue import (
    DIABETES,
    LEVELS,
    UNSURE,
    Catalogue,
    Level,
    Outcome,
    Question,
    Reach,
    Urgency,
)
from webapp.domain.glucose import (
    Advice,
    Ketones,
    Person,
    Reading,
    asks_for_ketones,
    band_of,
    judge,
)
from webapp.domain.plan import Changes, LeaveOut
from webapp.domain.protocol import Model, Protocol

RULES = 2  # counts up when the code of a rule changes
ANSWERS_COUNT_MS = 60 * 60_000
READING_COUNTS_MS = 15 * 60_000
WORD_COUNTS_DAYS = 183
SHORT_WORD_COUNTS_DAYS = 92  # with diabetes, in pregnancy, and while cancer is treated
DATED_WORD_COUNTS_DAYS = 31
# Facts of the last month or of the present weeks: a word for one ends with it.
DATED = {
    "surgery",
    "procedure",
    "accident-after",
    "eye-bleed",
    "mental-flare",
    "diabetes-unsteady",
}
AGO = {
    WORD_COUNTS_DAYS: "half a year",
    SHORT_WORD_COUNTS_DAYS: "three months",
    DATED_WORD_COUNTS_DAYS: "a month",
}

Clinician = Literal["doctor", "specialist", "diabetes-team", "midwife"]
WHO: tuple[Clinician, ...] = ("doctor", "specialist", "diabetes-team", "midwife")
DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
# What besides a doctor the diabetes team and the midwife can answer for.
TEAM_MAY_CLEAR = {
    "glucose-medicine",
    "diabetes-unsteady",
    "feet-numb",
    "foot-shape",
    "foot-cold-since",
    "foot-ulcer-before",
}
MIDWIFE_MAY_CLEAR = {"pregnancy"}
# Places left out until one of these agrees; a side is left, right or both.
AGREED_BY: dict[str, tuple[Clinician, ...]] = {"foot-ulcer-place": ("diabetes-team", "specialist")}
Agreed = Mapping[str, str]
NOTHING_AGREED: Agreed = MappingProxyType({})


class Answers(Model):
    """What was answered: a token per question, the marked places, the reading, the ketones.

    A place is ``area`` or ``area:side``.
    """

    given: dict[str, str] = Field(default_factory=dict)
    places: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reading: Reading | None = None
    ketones: Ketones | None = None


class Finding(Model):
    """One answer that matters, with what it leads to. ``low``: a low, to be treated at once."""

    question: str
    level: Level
    said: str
    act: str
    urgency: Urgency | None = None
    wait_minutes: int | None = None
    low: bool = False


class Verdict(Model):
    """The most restrictive of all answers.

    ``missing`` are ids of questions without an answer; ``missing_signs``: one of them could still
    make it "get help now" (a red flag, the reading, ketones) or says what a reading means.
    """

    level: Level
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
    missing_signs: bool = False
    changes: Changes = Changes()

    @property
    def complete(self) -> bool:
        """True when nothing more has to be asked: all is answered, or no further answer helps."""
        refused = self.level == "not-today" and self.wait_minutes is None
        return (
            not self.missing
            or self.level == "help"
            or self.low is not None
            or (refused and not self.missing_signs)
        )

    @property
    def low(self) -> Finding | None:
        """The low that has to be treated first, if there is one."""
        return next((finding for finding in self.findings if finding.low), None)

    @property
    def worst(self) -> tuple[Finding, ...]:
        """Return the findings of the most restrictive level."""
        return tuple(finding for finding in self.findings if finding.level == self.level)

    @property
    def wait_minutes(self) -> int | None:
        """When the answers that refuse pass by themselves: the longest wait; None if one stays."""
        waits = [finding.wait_minutes for finding in self.worst]
        if not waits or None in waits:
            return None
        return max(wait for wait in waits if wait is not None)


class Word(Model):
    """A clinician's word: who said so, on which day (ISO), told the app at ``at`` (ms)."""

    who: Clinician
    on: str
    at: int


class Admission(Model):
    """What a session keeps of its screening. Instants in ms; ``reading_at`` only with diabetes."""

    screening: str
    protocol: str
    protocol_hash: str
    rules_hash: str
    level: Level
    answered_at: int
    reading_at: int | None = None
    needs_reading: bool = False
    word: Word | None = None

    @property
    def counts_until(self) -> int:
        """The instant after which answers or reading no longer count; 0 without the reading."""
        ends = [self.answered_at + ANSWERS_COUNT_MS]
        if self.needs_reading:
            ends.append(self.reading_at + READING_COUNTS_MS if self.reading_at is not None else 0)
        return min(ends)


class Screening(Model):
    """Answers with their verdict and the wish they were given for; kept for a day.

    ``answered_at`` is the instant (ms) of the answers, ``reading_at`` of the reading. A screening
    leads to one ``session`` at most. ``client`` is an id, empty while nobody has a code.
    ``agreed``: sides that a team has given back, by question.
    """

    protocol: str
    protocol_hash: str
    rules_hash: str
    seconds: int
    chosen: tuple[str, ...]
    answers: Answers
    verdict: Verdict
    answered_at: int
    reading_at: int | None = None
    word: Word | None = None
    session: str | None = None
    client: str = ""
    agreed: dict[str, str] = Field(default_factory=dict)

    @property
    def wait_until(self) -> int | None:
        """The instant from which answering again makes sense; None when no wait helps."""
        low = self.verdict.low
        minutes = low.wait_minutes if low else self.verdict.wait_minutes
        return self.answered_at + minutes * 60_000 if minutes else None

    @property
    def counts_until(self) -> int:
        """The instant after which the answers or the reading no longer count."""
        ends = [self.answered_at + ANSWERS_COUNT_MS]
        if self.reading_at is not None:
            ends.append(self.reading_at + READING_COUNTS_MS)
        return min(ends)

    def admission(self, screening_id: str) -> Admission:
        """What a session keeps of it."""
        reading = self.answers.reading
        return Admission(
            screening=screening_id,
            protocol=self.protocol,
            protocol_hash=self.protocol_hash,
            rules_hash=self.rules_hash,
            level=self.verdict.level if not self.verdict.missing else "not-today",
            answered_at=self.answered_at,
            reading_at=self.reading_at,
            needs_reading=reading is not None and reading.shown != "none",
            word=self.word,
        )


SIGNS = "signs"
GLUCOSE = "glucose-reading"
TREND = "glucose-trend"
KETONES = "ketones"
HAS_DIABETES = "diabetes"
LOWS = ("hypo-now",)  # questions that tell of a low; readings tell it themselves
# Whose answers decide what a reading means; without them no refusal for glucose is told yet.
RISKS = (
    *(HAS_DIABETES, "diabetes-type", "glucose-medicine", "last-insulin", "sglt2"),
    *("hypo-severe", "unwell", "fever"),
)
ILL = ("unwell", "fever")


def questions_for(catalogue: Catalogue, protocol: Protocol) -> tuple[Question, ...]:
    """All that may be asked, in the order of groups: by area, technique and posture, and what the
    file adds; follow-ups and what only people with diabetes are asked too.
    """
    asked = {
        question.id: question
        for question in catalogue.questions.values()
        if question.id in protocol.screening
        or catalogue.concerns(question.asked, protocol, diabetes=True)
    }
    order = list(catalogue.groups)
    found = [
        q for q in asked.values() if not q.follows or any(w.question in asked for w in q.follows)
    ]
    return tuple(sorted(found, key=lambda question: order.index(question.group)))


def asked_after(catalogue: Catalogue, protocol: Protocol, answers: Answers) -> tuple[Question, ...]:
    """What of ``questions_for`` is asked of somebody who has given these ``answers``."""
    diabetes = has_diabetes(protocol, answers)
    asked: dict[str, Question] = {}
    for question in questions_for(catalogue, protocol):
        listed = question.id in protocol.screening
        if not listed and not catalogue.concerns(question.asked, protocol, diabetes=diabetes):
            continue
        if question.lows_only and not low_risk(answers):
            continue
        if question.follows and not any(
            way.question in asked and answers.given.get(way.question) in way.answers
            for way in question.follows
        ):
            continue
        asked[question.id] = question
    return tuple(asked.values())


def is_very_high(reading: Reading | None) -> bool:
    """True for a reading so high that no sign can be that of a low."""
    return reading is not None and band_of(reading) == "very-high"


def has_diabetes(protocol: Protocol, answers: Answers) -> bool:
    """True unless the person said no to it: a protocol made for diabetes does not ask."""
    return protocol.condition == DIABETES or answers.given.get(HAS_DIABETES) != "no"


def screen(
    catalogue: Catalogue, protocol: Protocol, answers: Answers, agreed: Agreed = NOTHING_AGREED
) -> Verdict:
    """The verdict on ``answers``; ``agreed``: sides that a team has given back, by question.

    Raises ValueError for a reading that cannot be.
    """
    findings: list[Finding] = []
    missing: list[str] = []
    changes: list[Changes] = []
    diabetes = has_diabetes(protocol, answers)
    questions = asked_after(catalogue, protocol, answers)
    for question in questions:
        token = answers.given.get(question.id)
        if not is_answer(question, token, answers.places.get(question.id, ())):
            missing.append(question.id)
            continue
        if token is None or is_safe(question, token) or is_told_elsewhere(question, questions):
            continue
        if question.id in LOWS and is_very_high(answers.reading):
            continue  # no sugar on top: the reading says what to do
        places = left_out_still(question, answers, agreed)
        if places != answers.places.get(question.id, ()) and not places:
            continue
        outcome = outcome_of(catalogue, protocol, question, token, diabetes=diabetes)
        if outcome is None:
            continue
        findings.append(finding_of(catalogue, question, outcome, token))
        changes.append(changes_of(catalogue, question, outcome, places))
    if diabetes:
        if protocol.condition != DIABETES:
            changes.append(Changes(glucose=("Diabetes",)))
        if answers.reading is None:
            missing.append(GLUCOSE)
        else:
            person = person_of(answers, made_for=protocol.condition == DIABETES)
            found = judge(answers.reading, person, answers.ketones)
            findings += [finding_of_advice(advice) for advice in found]
            changes += [Changes(shortest=(advice.said,)) for advice in found if advice.shortest]
            if answers.reading.shown == "number" and answers.reading.trend is None:
                missing.append(TREND)
            if answers.ketones is None and asks_for_ketones(answers.reading, person):
                missing.append(KETONES)
    level: Level = max((f.level for f in findings), key=LEVELS.index, default="clear")
    return Verdict(
        level=level,
        findings=tuple(sorted(findings, key=most_pressing_first)),
        missing=tuple(missing),
        missing_signs=any(name in missing for name in (KETONES, GLUCOSE, TREND, *RISKS))
        or any(q.group == SIGNS and q.id in missing for q in questions),
        changes=merged(changes),
    )


URGENCIES: tuple[Urgency | None, ...] = ("emergency", "same-day", "urgent", None)


def most_pressing_first(finding: Finding) -> tuple[int, int, bool]:
    """By level, then by urgency; a low before whatever else refuses."""
    return -LEVELS.index(finding.level), URGENCIES.index(finding.urgency), not finding.low


def is_answer(question: Question, token: str | None, places: Sequence[str]) -> bool:
    """True when the token is one that the question knows; a place needs its places."""
    if question.kind == "choice":
        return token == UNSURE or any(option.id == token for option in question.options)
    if question.kind == "place" and token == "yes":
        return bool(places)
    return token in ("yes", "no", UNSURE)


def is_safe(question: Question, token: str) -> bool:
    """Return True for the safe answer to a question without options."""
    if question.kind == "choice":
        return False
    return token == ("yes" if question.kind == "promise" else "no")


def outcome_of(
    catalogue: Catalogue, protocol: Protocol, question: Question, token: str, *, diabetes: bool
) -> Outcome | None:
    """What an answer leads to: the most restrictive outcome that matches, None when it is fine.

    "Not sure" takes the worst of all answers; where no rule covers an unsafe answer, not today.
    """
    if question.kind == "choice":
        options = [o for o in question.options if token in (o.id, UNSURE)]
        candidates = tuple(outcome for option in options for outcome in option.outcomes)
    else:
        candidates = question.outcomes
    matching = [o for o in candidates if catalogue.matches(o.when, protocol, diabetes=diabetes)]
    if question.kind == "place" and token == UNSURE:
        return REFUSED
    if not matching:
        return None if question.kind == "choice" else REFUSED
    return max(matching, key=severity)


def severity(outcome: Outcome) -> tuple[int, int]:
    """By level, then by urgency."""
    return LEVELS.index(outcome.level), -URGENCIES.index(outcome.urgency)


REFUSED = Outcome(level="not-today", act="Find out first. In doubt, no massage.")


def finding_of(catalogue: Catalogue, question: Question, outcome: Outcome, token: str) -> Finding:
    """Return the finding that an outcome leads to."""
    return Finding(
        question=question.id,
        level=outcome.level,
        said=said_of(catalogue, question, token),
        act=outcome.act,
        urgency=outcome.urgency,
        wait_minutes=outcome.wait_minutes,
        low=question.id in LOWS,
    )


def said_of(catalogue: Catalogue, question: Question, token: str) -> str:
    """An answer in words, with the question that it follows."""
    text = question.words
    parent = next((catalogue.questions.get(way.question) for way in question.follows), None)
    if parent and (parent.decided or (question.kind == "place" and len(question.follows) == 1)):
        text = parent.words
    if question.kind == "choice":
        option = next((o.text for o in question.options if o.id == token), "not sure")
        text = f"{text}: {option[0].lower()}{option[1:]}"
    elif question.kind == "promise":
        text = f"Not so, or not sure: {text}"
    elif token == UNSURE:
        text = f"Not sure: {text}"
    return text


def changes_of(
    catalogue: Catalogue, question: Question, outcome: Outcome, places: Sequence[str]
) -> Changes:
    """Return the changes to the plan that an outcome asks for."""
    why = question.words
    leave_out = [LeaveOut(why=why, tag=tag) for tag in outcome.leave_out]
    leave_out += [LeaveOut(why=why, technique=name) for name in outcome.leave_out_techniques]
    if outcome.leave_out_marked:
        for place in places:
            leave_out += places_to_leave_out(catalogue, place, why, outcome.reach)
    return Changes(
        leave_out=tuple(leave_out),
        light=(why,) if outcome.light else (),
        shortest=(why,) if outcome.shortest else (),
    )


LIMBS = ({"arms"}, {"legs", "feet"})


def places_to_leave_out(
    catalogue: Catalogue, place: str, why: str, reach: Reach
) -> Iterator[LeaveOut]:
    """The place itself, or every area of its region or limb, and then whatever reaches into one."""
    area, _, side = place.partition(":")
    where = side if side in ("left", "right") else None
    if reach == "place" or area not in catalogue.areas:
        yield LeaveOut.model_validate({"why": why, "area": area, "side": where})
        return
    region = catalogue.areas[area].region
    regions = {region}
    if reach == "limb":
        regions = next((limb for limb in LIMBS if region in limb), regions)
    for other in catalogue.areas.values():
        if other.id == area or other.region in regions:
            yield LeaveOut.model_validate(
                {"why": why, "area": other.id, "side": where, "whole": True}
            )


def is_told_elsewhere(question: Question, asked: Sequence[Question]) -> bool:
    """True where a follow-up says what an unsafe answer leads to."""
    return question.decided and any(
        way.question == question.id for other in asked for way in other.follows
    )


def left_out_still(question: Question, answers: Answers, agreed: Agreed) -> tuple[str, ...]:
    """The marked places but for those on the side that a team has given back."""
    side = agreed.get(question.id, "")
    marked = answers.places.get(question.id, ())
    return tuple(place for place in marked if side not in ("both", sides_of((place,))))


def sides_of(places: Sequence[str]) -> str:
    """The side of these places: left, right, or both."""
    sides = {place.partition(":")[2] or "both" for place in places}
    return sides.pop() if len(sides) == 1 else "both"


def refused(verdict: Verdict, finding: Finding) -> Verdict:
    """The verdict with one more finding, which refuses unless something worse does."""
    level = "help" if verdict.level == "help" else "not-today"
    findings = (*verdict.findings, finding) if level == "help" else (finding, *verdict.findings)
    return verdict.model_copy(update={"level": level, "findings": findings})


def merged(changes: Sequence[Changes]) -> Changes:
    """Return all changes in one."""
    return Changes(
        leave_out=tuple(rule for change in changes for rule in change.leave_out),
        light=tuple(why for change in changes for why in change.light),
        shortest=tuple(why for change in changes for why in change.shortest),
        glucose=tuple(why for change in changes for why in change.glucose),
    )


def low_risk(answers: Answers) -> bool:
    """Insulin, a sulfonylurea or a glinide; type 1 always; unknown counts as yes (R05)."""
    given = answers.given
    return given.get("glucose-medicine") != "none" or given.get("diabetes-type") not in (
        "type-2",
        "other",
    )


def person_of(answers: Answers, *, made_for: bool) -> Person:
    """What a reading means for this person; what is not known counts as so."""
    return Person(
        lows=low_risk(answers),
        sglt2=answers.given.get("sglt2") != "no",
        ill=any(answers.given.get(question) != "no" for question in ILL),
        shaky=any(answers.given.get(question) in ("yes", UNSURE) for question in LOWS),
        made_for=made_for,
    )


def finding_of_advice(advice: Advice) -> Finding:
    """Return the finding that advice about glucose leads to."""
    return Finding(
        question=GLUCOSE,
        level=advice.level,
        said=advice.said,
        act=advice.act,
        urgency=advice.urgency,
        wait_minutes=advice.wait_minutes,
        low=advice.low,
    )


def who_may_clear(verdict: Verdict) -> tuple[Clinician, ...]:
    """Whose word counts for all that asks for one: a doctor's always, others' for their field."""
    return who_may_clear_questions(questions_in_question(verdict))


def questions_in_question(verdict: Verdict) -> set[str]:
    """The questions whose answers ask for a clinician's word."""
    return {finding.question for finding in verdict.findings if finding.level == "clinician"}


def who_may_clear_questions(questions: Collection[str]) -> tuple[Clinician, ...]:
    """Whose word counts for all of these questions."""
    who: tuple[Clinician, ...] = ("doctor", "specialist")
    if TEAM_MAY_CLEAR.issuperset(questions):
        who = (*who, "diabetes-team")
    if MIDWIFE_MAY_CLEAR.issuperset(questions):
        who = (*who, "midwife")
    return who


def word_counts_days(protocol: Protocol, answers: Answers, questions: Collection[str]) -> int:
    """Return for how many days a clinician's word on these questions counts with the answers."""
    given = answers.given
    pregnant = given.get("pregnancy") != "no"
    treated = given.get("tumour") != "no" and given.get("tumour-treated") != "no"
    if not DATED.isdisjoint(questions):
        return DATED_WORD_COUNTS_DAYS
    if has_diabetes(protocol, answers) or pregnant or treated:
        return SHORT_WORD_COUNTS_DAYS
    return WORD_COUNTS_DAYS


def word_fault(who: str, on: str, today: date, known: Sequence[Clinician], days: int) -> str:
    """Return what is wrong with a clinician's word as typed; empty when nothing is.

    ``known`` are those whose word counts here, ``days`` how long it counts.
    """
    if who not in known:
        return "Please choose who said so."
    try:
        day = date.fromisoformat(on) if DAY.match(on) else None
    except ValueError:
        day = None
    if day is None:
        return "Please give the day on which it was said."
    if day > today:
        return "That day has not come yet."
    if today - day > timedelta(days=days):
        return f"That was more than {AGO[days]} ago. Please ask again."
    return ""


def refusal(
    admission: Admission | None, protocol_hash: str | None, rules_hash: str, now: int
) -> str:
    """Why a session may not start now, in words; empty when it may.

    ``protocol_hash`` is the version that is loaded now, None when the protocol is gone.
    """
    if admission is None:
        return "The questions before this session have not been answered."
    if admission.level not in ("clear", "changes", "clinician"):
        return "The answers do not allow this session today."
    if admission.level == "clinician" and admission.word is None:
        return "A clinician has to agree first."
    if admission.protocol_hash != protocol_hash or admission.rules_hash != rules_hash:
        return "The protocol or its questions have changed since the answers."
    age = now - admission.answered_at
    if not 0 <= age <= ANSWERS_COUNT_MS:
        return "The answers are more than an hour old."
    if admission.needs_reading:
        if admission.reading_at is None:
            return "There is no glucose reading."
        if not 0 <= now - admission.reading_at <= READING_COUNTS_MS:
            return "The glucose reading is more than 15 minutes old. Measure again."
    return ""
