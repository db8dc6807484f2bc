"""Queries of the client and course of a new session, for ``domain/assignment.py``."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MultiDict

from webapp.domain.assignment import (
    NEW,
    REASONS,
    Assignment,
    assign,
    choose_client,
    early_reason,
    heed_course,
    next_course,
    prepare_fault,
    score_of,
)
from webapp.domain.clinician_word import AskedWord, asked_words
from webapp.domain.course import Client, CourseProgress, terms_of
from webapp.domain.labels import span
from webapp.domain.protocol import Span
from webapp.domain.record import Feedback
from webapp.domain.screening import Screening, Verdict
from webapp.presentation.dates import day_time, full_day
from webapp.presentation.verdicts import asked_word_words
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import request_clock, request_time, site
from webapp.storage import clinician_words
from webapp.storage.courses import Filing
from webapp.storage.sessions import Stored

WORD_IS_GONE = "The clinician's word no longer counts. Please answer the questions again."
RECENT = 40  # sessions of a client that are looked at for gaps of up to a week


def chosen_client(fields: MultiDict[str, str]) -> tuple[str, str]:
    """Return the client's id in the form, ``new`` or "", and what is wrong with it."""
    return choose_client(fields.get("client", ""), site().courses.clients())


def known_client(client: str, now: int) -> str:
    """Return the id to store; a new client gets a code now."""
    return site().courses.add_client(now).id if client == NEW else client


def assignment_of(
    entry: LibraryEntry, client_id: str, now: int, known: Sequence[Client] | None = None
) -> Assignment:
    """Return where a session of this protocol at ``now`` would go; ``known`` are all clients."""
    courses = site().courses
    client = client_of(client_id, known)
    if client is None:
        return Assignment()
    course, pasts, recent = courses.latest(client.id, entry.protocol.id, now, RECENT)
    return assign(entry.protocol, client, course, pasts, recent, now, request_clock().zone)


def client_of(client_id: str, known: Sequence[Client] | None = None) -> Client | None:
    """Return the client; "" is the only one, if there is one by now."""
    if client_id == NEW:
        return None
    if client_id and known is None:
        return site().courses.client(client_id)
    everybody = site().courses.clients() if known is None else known
    if client_id:
        return next((client for client in everybody if client.id == client_id), None)
    return everybody[0] if len(everybody) == 1 else None


def heed(entry: LibraryEntry, verdict: Verdict, client_id: str, now: int) -> Verdict:
    """Return the verdict with what the course knows: gentle first sessions, what is too early."""
    place = assignment_of(entry, client_id, now)
    return heed_course(verdict, entry.protocol, place, hold_words(entry, place), now)


def hold_words(entry: LibraryEntry, place: Assignment) -> tuple[str, str]:
    """Return what holds a start back, and what to do; both empty when nothing does."""
    held, progress, clock = place.hold, place.progress, request_clock()
    if held is None:
        return "", ""
    when = day_time(clock.wall_time_of(held.until)) if held.until else ""
    terms = terms_of(entry.protocol)
    hours = (
        max(t.gap_hours for t in (terms, progress.course.terms if progress else None) if t)
        if (terms or progress)
        else 0
    )
    if held.rule == "suction":
        return (
            "Cups were on the skin less than 72 hours ago.",
            f"Not before {when}, and only when the marks have faded.",
        )
    if held.rule == "gap":
        return (
            f"At least {hours} hours lie between two sessions of this massage.",
            f"The next one may be from {when} on.",
        )
    if held.rule == "week":
        most = terms.most_in_week if terms else 0
        return (
            f"At most {most} sessions of this massage in seven days.",
            f"The next one may be from {when} on.",
        )
    if held.rule == "review":
        after = progress.course.terms.review_after if progress else None
        return f"{span(after or Span(weeks=4))} have passed.", "Has it helped? Say so first."
    day = full_day(clock.wall_time_of(held.until)) if held.until else ""
    if held.rule == "break":
        return "The time of this course is over.", f"A break now; again from {when} on."
    return "This course is complete.", f"A new one may begin from {day} on.{longer_words(progress)}"


def longer_words(progress: CourseProgress | None) -> str:
    """Return where a complete course may still be made longer."""
    bounds = progress.course.terms.sessions if progress else None
    if not progress or not bounds or progress.done >= bounds.max or progress.course.helped == "no":
        return ""
    return f" Its page can set more sessions, up to {bounds.max}."


def fault_of(entry: LibraryEntry, place: Assignment, fields: MultiDict[str, str]) -> str:
    """Return why a session may not be prepared with this form; empty when it may."""
    early = early_reason(fields.get("early"))
    return prepare_fault(
        place, bool(site().courses.clients()), early, " ".join(hold_words(entry, place))
    )


def filing_of(
    entry: LibraryEntry, place: Assignment, fields: MultiDict[str, str], now: int
) -> Filing:
    """Return under what the session is filed; a missing client or course is made with it."""
    early = early_reason(fields.get("early")) if place.hold else None
    score = score_of(fields.get("before", ""))
    feedback = None if score is None else Feedback(before=score)
    return Filing(place.client, next_course(entry.protocol, place, now), early, feedback)


def held_at_start(stored: Stored, now: int) -> tuple[str, bool] | None:
    """Return why a prepared session may not begin, and whether that is firm."""
    entry = site().library.get(stored.plan.protocol)
    if stored.client is None or entry is None:
        return None
    if word_is_gone(stored, stored.client):
        return WORD_IS_GONE, True
    place = assignment_of(entry, stored.client, now)
    return (" ".join(hold_words(entry, place)), place.hold.firm) if place.hold else None


def word_is_gone(stored: Stored, client: str) -> bool:
    """Return True when the clinician's word that cleared a session is no longer kept."""
    word = stored.admission.word if stored.admission else None
    if word is None:
        return False
    known = clinician_words.words_of_client(site().storage, client)
    return not any((k.who, k.on, k.told_at) == (word.who, word.on, word.at) for k in known)


def word_context(client: Client | None, entry: LibraryEntry | None = None) -> dict[str, object]:
    """Return the clinicians' words kept for a client, or that a protocol needs of them."""
    today = request_clock().wall_time().date()
    words = words_asked_of(client, entry) if client else []
    return {
        "word_client": client,
        "word_back": entry.protocol.id if entry else "",
        "asked_words": asked_word_words(words, site().library.catalogue, today),
    }


def words_asked_of(client: Client, entry: LibraryEntry | None) -> list[AskedWord]:
    """Return the words of a client; for a protocol also what the answers of the day need."""
    here = site()
    kept = clinician_words.words_of_client(here.storage, client.id)
    if entry is None:
        return asked_words(kept, here.library.catalogue)
    latest = here.storage.latest_screening(client.id, request_time())
    known = latest.answers if latest else None
    return asked_words(kept, here.library.catalogue, entry.protocol, known)


def context(entry: LibraryEntry, screening: Screening, now: int) -> dict[str, object]:
    """Return what the verdict's page shows of client and course."""
    refuses = screening.verdict.level in ("not-today", "help")
    known = site().courses.clients()
    place = Assignment() if refuses else assignment_of(entry, screening.client, now, known)
    said, act = hold_words(entry, place)
    return {
        "place": place,
        "hold_said": said,
        "hold_act": act,
        "reasons": REASONS,
        "several": len(known) > 1,
    }
