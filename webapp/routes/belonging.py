"""Whose a session is: the client, the course, and what the course's dates say about a start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from werkzeug.datastructures import MultiDict

from webapp.domain.course import (
    Client,
    Course,
    CourseProgress,
    Hold,
    gentle_changes,
    hold,
    progress,
    suction_hold,
    terms_of,
)
from webapp.domain.labels import span
from webapp.domain.protocol import Span
from webapp.domain.record import (
    EARLY,
    SCORES,
    SUCTION,
    Early,
    Feedback,
    SessionRecord,
    Short,
    short_sides,
)
from webapp.domain.screening import Finding, Screening, Verdict, merged, refused
from webapp.presentation.dates import day_time, full_day
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import site
from webapp.storage.courses import Filing, NewCourse
from webapp.storage.sessions import Stored

NEW = "new"
RECENT = 20
REASONS: dict[Early, str] = {
    "advised": "A clinician advised it",
    "cut-short": "The last session was cut short",
    "away": "Away on the planned day",
    "wished": "Wished for, and all is well",
}
assert set(REASONS) == set(EARLY) == set(get_args(Early))


@dataclass(frozen=True)
class Place:
    """Where a session would belong. Without a client: nobody is known yet, a code is made."""

    client: Client | None = None
    course: Course | None = None
    progress: CourseProgress | None = None
    hold: Hold | None = None
    pasts: tuple[SessionRecord, ...] = ()

    @property
    def short_sides(self) -> tuple[Short, ...]:
        return short_sides(self.pasts)

    @property
    def sore(self) -> bool:
        """True when the skin was sore after the last session."""
        return bool(self.pasts) and self.pasts[0].told.skin == "sore"


def chosen_client(fields: MultiDict[str, str], faults: dict[str, str]) -> str:
    """The client's id in the form, ``new``, or "" while nobody has a code.

    With several clients one has to be chosen; what cannot be is a fault.
    """
    chosen = fields.get("client", "")
    known = site().courses.clients()
    if chosen == NEW or any(client.id == chosen for client in known):
        return chosen
    if chosen or len(known) > 1:
        faults["client"] = "Please choose whose session this is."
        return ""
    return known[0].id if known else ""


def known_client(client: str, now: int) -> str:
    """The id to keep; a new client gets a code now."""
    return site().courses.add_client(now).id if client == NEW else client


def place_of(entry: LibraryEntry, client_id: str, now: int) -> Place:
    """Where a session of this protocol at ``now`` would belong."""
    courses, zone = site().courses, site().clock.zone
    client = client_of(client_id)
    if client is None:
        return Place()
    techniques = SUCTION.intersection(phase.technique for phase in entry.protocol.all_phases())
    looked_at = RECENT if techniques else 0
    course, pasts, recent = courses.latest(client.id, entry.protocol.id, now, looked_at)
    found = progress(course, pasts, now, zone) if course else None
    held = suction_hold(recent, tuple(techniques), now) or (hold(found, now) if found else None)
    return Place(client, course, found, held, tuple(pasts))


def client_of(client_id: str) -> Client | None:
    """The client; "" is the only one, if there is one by now."""
    if client_id == NEW:
        return None
    if client_id:
        return site().courses.client(client_id)
    known = site().courses.clients()
    return known[0] if len(known) == 1 else None


def heeding(entry: LibraryEntry, verdict: Verdict, client_id: str, now: int) -> Verdict:
    """The verdict with what the course knows: gentle first sessions, and what is too early."""
    place = place_of(entry, client_id, now)
    terms = terms_of(entry.protocol)
    if terms:
        fresh = place.progress is None or place.progress.fresh(now)
        gentle = gentle_changes(terms, 0 if fresh or not place.progress else place.progress.done)
        verdict = verdict.model_copy(update={"changes": merged([verdict.changes, gentle])})
    if place.hold and place.hold.firm and place.hold.rule != "review":
        said, act = words(place, place.hold)
        finding = Finding(question="course", level="not-today", said=said, act=act)
        return refused(verdict, finding)
    return verdict


def words(place: Place, held: Hold) -> tuple[str, str]:
    """What holds a start back, and what to do, in words."""
    clock = site().clock
    when = day_time(clock.wall_time_of(held.until)) if held.until else ""
    found = place.progress
    hours = found.course.terms.gap_hours if found else 0
    if held.rule == "suction":
        return (
            "Cups were on the skin less than 72 hours ago.",
            f"Not before {when}, and only when the marks have faded.",
        )
    if held.rule == "gap":
        return (
            f"At least {hours} hours lie between two sessions of this course.",
            f"The next one may be from {when} on.",
        )
    if held.rule == "review":
        after = found.course.terms.review_after if found else None
        return f"{span(after or Span(weeks=4))} have passed.", "Has it helped? Say so first."
    day = full_day(clock.wall_time_of(held.until)) if held.until else ""
    if held.rule == "break":
        return "The time of this course is over.", f"A break now; again from {when} on."
    return "This course is complete.", f"A new one may begin from {day} on.{more(found)}"


def more(found: CourseProgress | None) -> str:
    """Where a complete course may still be made longer."""
    bounds = found.course.terms.sessions if found else None
    if not found or not bounds or found.done >= bounds.max or found.course.helped == "no":
        return ""
    return f" Its page can set more sessions, up to {bounds.max}."


def fault_of(place: Place, fields: MultiDict[str, str]) -> str:
    """Why a session may not be prepared with this form; empty when it may."""
    if place.client is None and site().courses.clients():
        return "Please answer the questions again, and say whose session it is."
    if place.hold is None:
        return ""
    if place.hold.firm:
        return " ".join(words(place, place.hold))
    return "" if early_of(fields) else "Please say why it begins before its date."


def early_of(fields: MultiDict[str, str]) -> Early | None:
    return next((reason for reason in EARLY if reason == fields.get("early")), None)


def filing_of(entry: LibraryEntry, place: Place, fields: MultiDict[str, str], now: int) -> Filing:
    """Under what the session of this form is filed; a missing client or course is made with it."""
    early = early_of(fields) if place.hold else None
    score = score_of(fields.get("before", ""))
    feedback = None if score is None else Feedback(before=score)
    return Filing(place.client, course_of(entry, place, now), early, feedback)


def course_of(entry: LibraryEntry, place: Place, now: int) -> Course | NewCourse | None:
    """The course that goes on, or the one that begins; None where the protocol has no courses."""
    terms = terms_of(entry.protocol)
    if terms is None:
        return None
    again = place.progress and (place.progress.fresh(now) or place.progress.over)
    if place.course and not again:
        return place.course
    target = terms.sessions.usual if terms.sessions else None
    return NewCourse(entry.protocol.id, entry.protocol.title, terms, target)


def score_of(typed: str) -> int | None:
    """0 to 10 as typed; None for anything else."""
    return next((score for score in SCORES if str(score) == typed), None)


def held_at_start(stored: Stored, now: int) -> tuple[str, bool] | None:
    """Why a prepared session may not begin, and whether that is firm: another one came between."""
    entry = site().library.get(stored.plan.protocol)
    if stored.client is None or entry is None:
        return None
    place = place_of(entry, stored.client, now)
    return (" ".join(words(place, place.hold)), place.hold.firm) if place.hold else None


def shown(entry: LibraryEntry, screening: Screening, now: int) -> dict[str, object]:
    """What the verdict's page shows of client and course."""
    refuses = screening.verdict.level in ("not-today", "help")
    place = Place() if refuses else place_of(entry, screening.client, now)
    said, act = words(place, place.hold) if place.hold else ("", "")
    return {
        "place": place,
        "hold_said": said,
        "hold_act": act,
        "reasons": REASONS,
        "several": len(site().courses.clients()) > 1,
    }
