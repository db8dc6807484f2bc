"""Assignment of a session to a client and a course, and what holds its start back."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple, get_args

from webapp.domain.course import (
    Client,
    Course,
    CourseProgress,
    Hold,
    Terms,
    gap_hold,
    gentle_changes,
    hold,
    progress,
    strictest,
    suction_hold,
    terms_of,
)
from webapp.domain.protocol import Protocol
from webapp.domain.record import EARLY, SCORES, SUCTION, Early, SessionRecord, Short, short_sides
from webapp.domain.screening import Finding, Verdict, merged, refused

NEW = "new"
REASONS: dict[Early, str] = {
    "advised": "A clinician advised it",
    "cut-short": "The last session was cut short",
    "away": "Away on the planned day",
    "wished": "Wished for, and all is well",
}
assert set(REASONS) == set(EARLY) == set(get_args(Early))


class NewCourse(NamedTuple):
    """A course that is to be made, before its client is known; ``target`` counts sessions."""

    protocol: str
    title: str
    terms: Terms
    target: int | None

    def course_for(self, client: Client, now: int) -> Course:
        """Return the course with an id of its own."""
        return Course(secrets.token_urlsafe(12), client, *self, now)


@dataclass(frozen=True)
class Assignment:
    """Where a session would belong. Without a client: nobody is known yet, a code is made."""

    client: Client | None = None
    course: Course | None = None
    progress: CourseProgress | None = None
    hold: Hold | None = None
    pasts: tuple[SessionRecord, ...] = ()

    @property
    def short_sides(self) -> tuple[Short, ...]:
        """Sides that got too little in the sessions so far."""
        return short_sides(self.pasts)

    @property
    def sore(self) -> bool:
        """True when the skin was sore after the last session."""
        return bool(self.pasts) and self.pasts[0].feedback.skin == "sore"


def suction_techniques(protocol: Protocol) -> tuple[str, ...]:
    """Return the techniques of a protocol that put cups on the skin."""
    return tuple(SUCTION.intersection(phase.technique for phase in protocol.all_phases()))


def assign(
    protocol: Protocol,
    client: Client,
    course: Course | None,
    pasts: Sequence[SessionRecord],
    recent: Sequence[SessionRecord],
    now: int,
    zone: tzinfo | None,
) -> Assignment:
    """Return where a session at ``now`` belongs, from the latest course and its sessions.

    ``recent`` are the client's last sessions of any protocol and course, for the gaps.
    """
    course_progress = progress(course, pasts, now, zone) if course else None
    held = strictest(
        (
            suction_hold(recent, suction_techniques(protocol), now),
            gap_hold(protocol.id, terms_of(protocol), recent, now),
            hold(course_progress, now) if course_progress else None,
        )
    )
    return Assignment(client, course, course_progress, held, tuple(pasts))


def choose_client(chosen: str, known: Sequence[Client]) -> tuple[str, str]:
    """Return the client's id, ``new``, or "" while nobody has a code; and what is wrong.

    With several clients one has to be chosen.
    """
    if chosen == NEW or any(client.id == chosen for client in known):
        return chosen, ""
    if chosen or len(known) > 1:
        return "", "Please choose whose session this is."
    return known[0].id if known else "", ""


def heed_course(
    verdict: Verdict, protocol: Protocol, place: Assignment, words: tuple[str, str], now: int
) -> Verdict:
    """Return the verdict with gentle first sessions, refused where the course holds firmly.

    ``words`` are what holds a start back, and what to do.
    """
    if terms := terms_of(protocol):
        fresh = place.progress is None or place.progress.fresh(now)
        gentle = gentle_changes(terms, 0 if fresh or not place.progress else place.progress.done)
        verdict = verdict.model_copy(update={"changes": merged([verdict.changes, gentle])})
    if place.hold and place.hold.firm and place.hold.rule != "review":
        said, act = words
        finding = Finding(question="course", level="not-today", said=said, act=act)
        return refused(verdict, finding)
    return verdict


def prepare_fault(place: Assignment, has_clients: bool, early: Early | None, words: str) -> str:
    """Return why a session may not be prepared; empty when it may."""
    if place.client is None and has_clients:
        return "Please answer the questions again, and say whose session it is."
    if place.hold is None:
        return ""
    if place.hold.firm:
        return words
    return "" if early else "Please say why it begins before its date."


def next_course(protocol: Protocol, place: Assignment, now: int) -> Course | NewCourse | None:
    """Return the course that goes on, or the one that begins; None where there are no courses."""
    terms = terms_of(protocol)
    if terms is None:
        return None
    again = place.progress and (place.progress.fresh(now) or place.progress.over)
    if place.course and not again:
        return place.course
    target = terms.sessions.usual if terms.sessions else None
    return NewCourse(protocol.id, protocol.title, terms, target)


def early_reason(typed: str | None) -> Early | None:
    """Return the reason for an early start; None for anything else."""
    return next((reason for reason in EARLY if reason == typed), None)


def score_of(typed: str) -> int | None:
    """Return 0 to 10 as typed; None for anything else."""
    return next((score for score in SCORES if str(score) == typed), None)
