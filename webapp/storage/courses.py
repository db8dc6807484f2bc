"""Database queries of clients, courses and past sessions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.domain.assignment import NewCourse
from webapp.domain.clinician_word import KeptWord
from webapp.domain.course import Client, Course, Terms
from webapp.domain.glucose import Reading
from webapp.domain.plan import Plan
from webapp.domain.record import Early, Feedback, SessionRecord, session_record
from webapp.domain.screening import Admission
from webapp.domain.session import Event, fold
from webapp.storage.clinician_words import statements_to_keep
from webapp.storage.sessions import (
    Belonging,
    NotSavedError,
    Storage,
    event_of,
    events,
    feedback_row,
    readings,
    sessions,
)
from webapp.storage.tables import clients, courses, summaries

# No look-alikes, and no two letters side by side that could make a word.
LETTERS = "ACDEFGHJKMNPQRTUVWXY"
DIGITS = "234679"
KEPT_STATES = 10_000
MOST_CODES = 100  # tries for a code that nobody has
PATTERN = (LETTERS, DIGITS, "-", LETTERS, DIGITS, LETTERS)

HEAD = (
    *(sessions.c.id.label("session"), sessions.c.client.label("of_client")),
    *(sessions.c.course.label("of_course"), sessions.c.plan_hash, sessions.c.last_seq),
    *(sessions.c.begun_at, sessions.c.early),
    *(summaries.c.before, summaries.c.after, summaries.c.skin, summaries.c.note),
)
SESSIONS = sa.select(*HEAD).outerjoin(summaries).where(sessions.c.begun_at.is_not(None))
NEWEST = (sessions.c.begun_at.desc(), sessions.c.id.desc())
COURSES = sa.select(courses, clients.c.code).join(clients)
WHOLE = (
    sa.select(courses, clients.c.code, *HEAD)
    .select_from(courses)
    .join(clients)
    .outerjoin(sessions, (sessions.c.course == courses.c.id) & sessions.c.begun_at.is_not(None))
    .outerjoin(summaries, summaries.c.session == sessions.c.id)
)

# Events, and in the same columns a session's plan: what is read together takes one query.
A_PLAN = "plan"
EVENT = (
    *(events.c.session, events.c.seq, events.c.key, events.c.kind),
    *(events.c.at, events.c.detail),
)
PLAN = (
    sessions.c.id,
    sa.literal(0).label("seq"),
    sessions.c.plan_hash,
    sa.literal(A_PLAN).label("kind"),
    sa.cast(sa.literal(0), sa.BigInteger).label("at"),
    sessions.c.plan,
)

Readings = dict[str, list[tuple[int, Reading]]]


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the past is wanted: ids, or nothing for everything; ``only`` a kind.

    ``before`` is a place in the list: begun_at and id of the last session that was shown.
    """

    client: str = ""
    course: str = ""
    protocol: str = ""
    only: str = ""
    before: tuple[int, str] | None = None


def new_code() -> str:
    """Return a random code for a client."""
    return "".join(secrets.choice(signs) for signs in PATTERN)


@dataclass(frozen=True, slots=True)
class Filing:
    """Under what a new session is filed.

    Without ``client`` one is made, with a code of its own. ``course`` is one that is there (taken
    up again where it was put aside), one to be made, or None where the protocol has no courses.
    ``words`` of a clinician are kept for the client, whom nobody knew when they were told.
    """

    client: Client | None
    course: Course | NewCourse | None = None
    early: Early | None = None
    feedback: Feedback | None = None
    words: tuple[KeptWord, ...] = ()

    def course_of(self, client: Client, now: int) -> tuple[Course | None, list[sa.Executable]]:
        """The course, and the statements that make it or take it up again."""
        if isinstance(self.course, NewCourse):
            course = self.course.course_for(client, now)
            return course, [sa.insert(courses).values(course_row(course))]
        if self.course and self.course.aside:
            matching = courses.c.id == self.course.id
            return self.course, [sa.update(courses).where(matching).values(aside=False)]
        return self.course, []


def client_row(client: Client, now: int) -> dict[str, object]:
    """Return a client as a row of its table."""
    return {"id": client.id, "code": client.code, "created_at": now}


def course_row(course: Course) -> dict[str, object]:
    """Return a course as a row of its table."""
    return {
        "id": course.id,
        "client": course.client.id,
        "protocol": course.protocol,
        "title": course.title,
        "terms": course.terms.model_dump_json(),
        "target": course.target,
        "created_at": course.created_at,
        "aside": course.aside,
    }


class Courses:
    """Clients, courses and feedback about sessions in ``storage``."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    # -- clients ---------------------------------------------------------------------------

    def add_client(self, now: int) -> Client:
        """Create a client with a new code. Raises NotSavedError."""
        while True:
            client = Client(secrets.token_urlsafe(12), new_code())
            try:
                with self.storage.write() as connection:
                    connection.execute(sa.insert(clients), client_row(client, now))
            except IntegrityError:
                continue
            return client

    def prepare(
        self, plan: Plan, protocol_hash: str, now: int, admission: Admission, filed: Filing
    ) -> str:
        """Store a new session with the client and course that it still needs; gives its id.

        One transaction: all of it is there afterwards, or nothing. Raises NotSavedError.
        """
        for _ in range(MOST_CODES):
            client = filed.client or Client(secrets.token_urlsafe(12), new_code())
            course, parents = filed.course_of(client, now)
            if not filed.client:
                parents.insert(0, sa.insert(clients).values(client_row(client, now)))
            parents += statements_to_keep(client.id, filed.words)
            belonging = Belonging(client.id, course.id if course else None, filed.early)
            try:
                return self.storage.create(
                    plan,
                    protocol_hash,
                    now,
                    admission,
                    belonging,
                    parents=parents,
                    feedback=filed.feedback,
                )
            except IntegrityError:
                if filed.client:
                    raise
        raise NotSavedError("no free code for a client was found")

    def clients(self) -> list[Client]:
        """Return all clients, the last treated first. One query."""
        last = sa.select(sa.func.max(sessions.c.begun_at)).where(sessions.c.client == clients.c.id)
        query = sa.select(clients).order_by(
            sa.func.coalesce(last.scalar_subquery(), clients.c.created_at).desc(), clients.c.code
        )
        return [Client(row.id, row.code) for row in self.rows(query)]

    def client(self, client_id: str) -> Client | None:
        """Return the client with this id; None when there is none."""
        rows = self.rows(sa.select(clients).where(clients.c.id == client_id))
        return Client(rows[0].id, rows[0].code) if rows else None

    # -- courses ---------------------------------------------------------------------------

    def add_course(
        self, client: Client, protocol: str, title: str, terms: Terms, target: int | None, now: int
    ) -> Course:
        """Create a course. Raises NotSavedError."""
        course = NewCourse(protocol, title, terms, target).course_for(client, now)
        with self.storage.write() as connection:
            connection.execute(sa.insert(courses), course_row(course))
        return course

    def update(self, course: Course) -> None:
        """Store target, aside and the answer of the review. Raises NotSavedError."""
        values = {"target": course.target, "aside": course.aside, "helped": course.helped}
        with self.storage.write() as connection:
            connection.execute(sa.update(courses).where(courses.c.id == course.id).values(**values))

    def with_records(self, course_id: str, now: int) -> tuple[Course, list[SessionRecord]] | None:
        """A course with its sessions, newest first. Two or three queries."""
        rows = self.rows(WHOLE.where(courses.c.id == course_id).order_by(*NEWEST))
        if not rows:
            return None
        return course_of(rows[0]), self.records_of([row for row in rows if row.session], now)

    def course(self, course_id: str) -> Course | None:
        """One query."""
        rows = self.rows(COURSES.where(courses.c.id == course_id))
        return course_of(rows[0]) if rows else None

    def latest(
        self, client_id: str, protocol: str, now: int, recent: int = 0
    ) -> tuple[Course | None, list[SessionRecord], list[SessionRecord]]:
        """The newest course of a client with this protocol, its sessions, and the client's last
        ``recent`` ones of any kind, newest first. One to three queries.
        """
        matching = (courses.c.client == client_id) & (courses.c.protocol == protocol)
        newest = sa.select(courses.c.id).where(matching)
        newest = newest.order_by(courses.c.created_at.desc(), courses.c.id).limit(1)
        of_course = WHOLE.where(courses.c.id == newest.scalar_subquery()).order_by(*NEWEST)
        rows = self.rows(of_course)
        course = course_of(rows[0]) if rows else None
        rows = [row for row in rows if row.session]
        last = filtered(SESSIONS.order_by(*NEWEST).limit(recent), Filter(client=client_id))
        pasts = self.records_of([*rows, *(self.rows(last) if recent else ())], now)
        return course, pasts[: len(rows)], pasts[len(rows) :]

    def courses(
        self, most: int, now: int, client_id: str = "", *, aside: bool = True
    ) -> list[tuple[Course, list[SessionRecord]]]:
        """Courses with their sessions, newest first; the latest used first. One or two queries."""
        last = sa.select(sa.func.max(sessions.c.begun_at)).where(sessions.c.course == courses.c.id)
        latest = sa.func.coalesce(last.scalar_subquery(), courses.c.created_at)
        chosen = sa.select(courses.c.id, latest.label("latest"))
        if client_id:
            chosen = chosen.where(courses.c.client == client_id)
        if not aside:
            chosen = chosen.where(~courses.c.aside)
        top = chosen.order_by(latest.desc(), courses.c.id).limit(most).subquery()
        query = WHOLE.join(top, top.c.id == courses.c.id)
        rows = self.rows(query.order_by(top.c.latest.desc(), courses.c.id, *NEWEST))
        by_id = {row.id: (course_of(row), list[SessionRecord]()) for row in rows}
        for past in self.records_of([row for row in rows if row.session], now):
            by_id[past.course or ""][1].append(past)
        return list(by_id.values())

    # -- what was said ---------------------------------------------------------------------

    def feedback(self, session_id: str) -> Feedback:
        """One query."""
        rows = self.rows(sa.select(summaries).where(summaries.c.session == session_id))
        return feedback_of(rows[0]) if rows else Feedback()

    def store_feedback(self, session_id: str, feedback: Feedback) -> None:
        """Store the feedback about a session. Raises NotSavedError."""
        matching = summaries.c.session == session_id
        with self.storage.write() as connection:
            connection.execute(sa.delete(summaries).where(matching))
            connection.execute(sa.insert(summaries), feedback_row(session_id, feedback))

    # -- the past --------------------------------------------------------------------------

    def history(self, wanted: Filter, now: int, most: int) -> list[SessionRecord]:
        """Sessions that were begun, newest first, at most ``most``. Two or three queries."""
        query = SESSIONS.order_by(*NEWEST).limit(most)
        return self.records_of(self.rows(filtered(query, wanted)), now)

    def records_of(self, rows: Sequence[sa.Row[Any]], now: int) -> list[SessionRecord]:
        """What happened in these sessions, in their order. At most one query."""
        plans = {row.plan_hash: self.storage.plans.get(row.plan_hash) for row in rows}
        kept = self.storage.folded
        states = {row.session: kept.get((row.session, row.last_seq)) for row in rows}
        happened = self.load_missing(
            rows, plans, [session_id for session_id, state in states.items() if state is None]
        )
        if len(kept) + len(happened) > KEPT_STATES:
            kept.clear()
        records: list[SessionRecord] = []
        for row in rows:
            plan, state = plans[row.plan_hash], states[row.session]
            assert plan is not None
            if state is None:
                state = fold(plan, happened[row.session][: row.last_seq])
                states[row.session] = kept[row.session, row.last_seq] = state
            more = (feedback_of(row), row.early, row.of_client, row.of_course)
            records.append(session_record(row.session, plan, state, now, *more))
        return records

    def load_missing(
        self, rows: Sequence[sa.Row[Any]], plans: dict[str, Plan | None], unfolded: Sequence[str]
    ) -> dict[str, list[Event]]:
        """Add missing ones to ``plans`` by hash; give events of ``unfolded``. At most one query."""
        happened: dict[str, list[Event]] = {session: [] for session in unfolded}
        missing = {row.plan_hash: row.session for row in rows if plans[row.plan_hash] is None}
        wanted: list[sa.Select[Any]] = []
        if unfolded:
            wanted.append(sa.select(*EVENT).where(events.c.session.in_(unfolded)))
        if missing:
            wanted.append(sa.select(*PLAN).where(sessions.c.id.in_(list(missing.values()))))
        for row in self.rows(sa.union_all(*wanted).order_by("seq")) if wanted else ():
            if row.kind == A_PLAN:
                plans[row.key] = self.storage.plan_in(row.key, row.detail)
            else:
                happened[row.session].append(event_of(row))
        return happened

    def readings_of_course(self, course_id: str) -> Readings:
        """Glucose readings after the sessions of a course, by session, in order. One query."""
        query = sa.select(readings).join(sessions).where(sessions.c.course == course_id)
        by_session: Readings = {}
        for row in self.rows(query.order_by(readings.c.at)):
            by_session.setdefault(row.session, []).append(
                (row.at, Reading.model_validate_json(row.body))
            )
        return by_session

    def latest_uses(self, most: int) -> list[tuple[str, str | None]]:
        """Protocol and client of the latest sessions, newest first. One query."""
        query = sa.select(sessions.c.protocol, sessions.c.client)
        query = query.where(sessions.c.begun_at.is_not(None)).order_by(*NEWEST).limit(most)
        return [(row.protocol, row.client) for row in self.rows(query)]

    def rows(self, query: sa.Select[Any] | sa.CompoundSelect[Any]) -> Sequence[sa.Row[Any]]:
        """Return all rows of a query."""
        with self.storage.engine.connect() as connection:
            return connection.execute(query).all()


def filtered(query: sa.Select[Any], wanted: Filter) -> sa.Select[Any]:
    """Return the query with the conditions of a filter."""
    for name in ("client", "course", "protocol"):
        if value := getattr(wanted, name):
            query = query.where(sessions.c[name] == value)
    if wanted.only == "stopped":
        last = (events.c.session == sessions.c.id) & (events.c.seq == sessions.c.last_seq)
        query = query.where(sa.exists().where(last, events.c.kind.in_(("stop", "low"))))
    if wanted.only == "scored":
        query = query.where(summaries.c.before.is_not(None) & summaries.c.after.is_not(None))
    if wanted.before:
        place = sa.tuple_(sessions.c.begun_at, sessions.c.id)
        query = query.where(place < sa.tuple_(*wanted.before))
    return query


def course_of(row: sa.Row[Any]) -> Course:
    """Return the course of a row."""
    client = Client(row.client, row.code)
    terms = Terms.model_validate_json(row.terms)
    course = Course(row.id, client, row.protocol, row.title, terms, row.target, row.created_at)
    return replace(course, aside=row.aside, helped=row.helped)


def feedback_of(row: sa.Row[Any]) -> Feedback:
    """Return the feedback of a row."""
    return Feedback(row.before, row.after, row.skin, row.note or "")
