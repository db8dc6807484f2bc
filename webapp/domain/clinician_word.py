"""A clinician's word that is kept for a client: what it covers, and when it ends.

It belongs to a client and a question with its answer. It covers a level ``clinician`` alone, so
whatever refuses goes on refusing. It ends with its answer, or with the days that it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from webapp.domain.catalogue import Catalogue
from webapp.domain.protocol import Model, Protocol
from webapp.domain.screening import (
    AGREED_BY,
    DAY,
    WORD_COUNTS_DAYS,
    Agreed,
    Answers,
    Clinician,
    Verdict,
    Word,
    asked_after,
    has_diabetes,
    is_answer,
    is_safe,
    outcome_of,
    questions_for,
    questions_in_question,
    sides_of,
    who_may_clear_questions,
    word_counts_days,
)


def iso_day(text: str) -> str:
    """Return the text when it is a day, like 2026-03-01. Raises ValueError."""
    if not DAY.match(text):
        raise ValueError("expected a day, like 2026-03-01")
    date.fromisoformat(text)
    return text


class KeptWord(Model):
    """What a clinician said of one ``answer`` of a client, told the app at ``told_at`` (ms).

    ``on`` is the day (ISO) on which it was said; it counts ``days`` from then. For a place that
    was left out until a team agrees, ``answer`` is the side: left, right or both.
    """

    question: str
    answer: str
    who: Clinician
    on: Annotated[str, AfterValidator(iso_day)]
    told_at: int
    days: Annotated[int, Field(ge=1, le=WORD_COUNTS_DAYS)]

    @property
    def ends_on(self) -> date:
        """The last day on which it counts."""
        return date.fromisoformat(self.on) + timedelta(days=self.days)

    def counts(self, today: date, days: int) -> bool:
        """True on ``today``, where such words count ``days`` at the most."""
        age = today - date.fromisoformat(self.on)
        return timedelta(0) <= age <= timedelta(days=min(days, self.days))


def answers_in_question(verdict: Verdict, answers: Answers) -> dict[str, str]:
    """The answers that ask for a clinician's word, by question."""
    asked = questions_in_question(verdict)
    return {name: token for name, token in answers.given.items() if name in asked}


def word_of(
    kept: Iterable[KeptWord], protocol: Protocol, answers: Answers, verdict: Verdict, today: date
) -> Word | None:
    """The kept words as one, of the earliest day; None unless they cover all that asks for one."""
    known = {word.question: word for word in kept}
    found = []
    for question, answer in answers_in_question(verdict, answers).items():
        word = known.get(question)
        if word is None or word.answer != answer:
            return None
        days = word_counts_days(protocol, answers, {question})
        if not word.counts(today, days) or word.who not in who_may_clear_questions({question}):
            return None
        found.append(word)
    if verdict.level != "clinician" or not found:
        return None
    first = min(found, key=lambda word: word.ends_on)
    return Word(who=first.who, on=first.on, at=first.told_at)


def agreed_sides(
    kept: Iterable[KeptWord], protocol: Protocol, answers: Answers, today: date
) -> Agreed:
    """Sides that a team has given back, by the question that leaves them out."""
    found = {}
    for word in kept:
        days = word_counts_days(protocol, answers, {word.question})
        if word.who in AGREED_BY.get(word.question, ()) and word.counts(today, days):
            found[word.question] = word.answer
    return found


def words_to_keep(
    protocol: Protocol, answers: Answers, verdict: Verdict, word: Word, agreed: Agreed
) -> tuple[KeptWord, ...]:
    """What is kept of a word: one for each answer that asks for it, and for what it gives back."""
    told = answers_in_question(verdict, answers) | dict(agreed)
    return tuple(
        KeptWord(
            question=question,
            answer=answer,
            who=word.who,
            on=word.on,
            told_at=word.at,
            days=word_counts_days(protocol, answers, {question}),
        )
        for question, answer in told.items()
    )


def sides_to_agree(answers: Answers, verdict: Verdict) -> Agreed:
    """Sides left out until a team agrees, by question; empty where none is."""
    asked = {finding.question for finding in verdict.findings}
    return {
        question: sides_of(answers.places[question])
        for question in AGREED_BY
        if question in asked and answers.places.get(question)
    }


def ended_by(
    kept: Sequence[KeptWord], catalogue: Catalogue, protocol: Protocol, answers: Answers
) -> set[str]:
    """Questions whose word has ended, since the same question now has another answer."""
    possible = {question.id for question in questions_for(catalogue, protocol)}
    asked = {question.id for question in asked_after(catalogue, protocol, answers)}
    return {
        word.question
        for word in kept
        if word.question in possible and (word.question not in asked or not still_so(word, answers))
    }


def still_so(word: KeptWord, answers: Answers) -> bool:
    """True when the answer is the one that the word was for."""
    if word.question in AGREED_BY:
        return answers.given.get(word.question) == "yes"
    return answers.given.get(word.question) == word.answer


@dataclass(frozen=True, slots=True)
class AskedWord:
    """An answer of a client that asks for a clinician's word, with the word that is kept for it.

    ``days``: how long such a word counts.
    """

    question: str
    answer: str
    days: int
    kept: KeptWord | None = None

    def ended(self, today: date) -> bool:
        """True where no kept word counts today."""
        return self.kept is None or not self.kept.counts(today, self.days)


def asked_words(
    kept: Iterable[KeptWord],
    catalogue: Catalogue,
    protocol: Protocol | None = None,
    known: Answers | None = None,
) -> list[AskedWord]:
    """The words for answers that ``protocol`` asks about, and what ``known`` answers need beside.

    Without a protocol all that are kept.
    """
    possible = set(catalogue.questions)
    if protocol:
        possible = {question.id for question in questions_for(catalogue, protocol)}
    found = {w.question: AskedWord(w.question, w.answer, w.days, w) for w in kept}
    if protocol and known:
        for question, answer in needed(catalogue, protocol, known).items():
            same = found.get(question)
            if same is None or same.answer != answer:
                days = word_counts_days(protocol, known, {question})
                found[question] = AskedWord(question, answer, days)
    return [word for word in found.values() if word.question in possible]


def needed(catalogue: Catalogue, protocol: Protocol, known: Answers) -> dict[str, str]:
    """The known answers that ask for a clinician's word in this protocol, by question."""
    diabetes = has_diabetes(protocol, known)
    found = {}
    for question in asked_after(catalogue, protocol, known):
        answer = known.given.get(question.id, "")
        if not is_answer(question, answer, ("known",)) or is_safe(question, answer):
            continue
        outcome = outcome_of(catalogue, protocol, question, answer, diabetes=diabetes)
        if outcome and outcome.level == "clinician":
            found[question.id] = answer
    return found
