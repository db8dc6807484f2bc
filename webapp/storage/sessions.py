"""Tables and queries of sessions, events and screenings.

An act is acknowledged only after its commit. Instants are integer milliseconds of the server's
clock (``clock.py``).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.domain.glucose import Reading
from webapp.domain.plan import Plan
from webapp.domain.record import Early, Feedback
from webapp.domain.screening import Admission, Screening
from webapp.domain.session import Event, State, fold, follow, live_until
from webapp.domain.sign_of_life import SignOfLife
from webapp.settings import Settings
from webapp.storage.database import AwayError as AwayError
from webapp.storage.database import ConflictError as ConflictError
from webapp.storage.database import FullError as FullError
from webapp.storage.database import LostError
from webapp.storage.database import NotSavedError as NotSavedError
from webapp.storage.database import StorageError as StorageError
from webapp.storage.disk import Trouble
from webapp.storage.observer import StorageObserver
from webapp.storage.postgresql import MOVE_ON_AT_ONCE, Postgresql, describe_place, parameters_of
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import metadata, summaries

SCHEMA = 6
T = TypeVar("T")
SCREENING_KEPT_MS = 24 * 3_600_000
KEPT_SESSIONS = 20_000
KEPT_PLANS = 2_000

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("protocol", sa.String(60), nullable=False),
    sa.Column("title", sa.String(60), nullable=False),
    sa.Column("protocol_hash", sa.String(64), nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("plan_hash", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("live_until", sa.BigInteger, nullable=False, index=True),
    sa.Column("admission", sa.Text),
    sa.Column("client", sa.ForeignKey("clients.id", ondelete="CASCADE")),
    sa.Column("course", sa.ForeignKey("courses.id", ondelete="CASCADE")),
    sa.Column("early", sa.String(16)),
    sa.Column("begun_at", sa.BigInteger),
)
# History is read along these, newest first.
HISTORY_INDEXES = (
    sa.Index("ix_sessions_begun", sessions.c.begun_at, sessions.c.id),
    sa.Index("ix_sessions_client_begun", sessions.c.client, sessions.c.begun_at),
    sa.Index("ix_sessions_course_begun", sessions.c.course, sessions.c.begun_at),
)

screenings = sa.Table(
    "screenings",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("kept_at", sa.BigInteger, nullable=False, index=True),
)

readings = sa.Table(
    "readings",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.UniqueConstraint("session", "key"),
)

# Stretches in which no screen asked for a session that was under way.
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True),
    sa.Column("until", sa.BigInteger),
)

# When any screen last asked, told now and then by processes that share the database.
sights = sa.Table(
    "sights",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("process", sa.String(16), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)

# What each screen of a session said of itself at its end; times in ms.
screens = sa.Table(
    "screens",
    metadata,
    sa.Column("session", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("screen", sa.String(32), primary_key=True),
    sa.Column("apart", sa.Integer, nullable=False),
    sa.Column("alone", sa.Integer, nullable=False),
)

LAST_SEQ = sa.text("SELECT last_seq FROM sessions WHERE id = :id")
SESSION = sa.select(sessions).where(sessions.c.id == sa.bindparam("id"))
EVENTS = sa.select(events).where(events.c.session == sa.bindparam("id")).order_by(events.c.seq)
LIVE = (
    sa.select(sessions)
    .where(sessions.c.live_until > sa.bindparam("now"))
    .order_by(sessions.c.created_at.desc(), sessions.c.id)
)
ADD_EVENT = sa.insert(events)
BEGIN = sa.update(sessions).where(sessions.c.id == sa.bindparam("b_id"))
BEGIN = BEGIN.values(
    begun_at=sa.bindparam("b_at"),
    early=sa.func.coalesce(sa.bindparam("b_early", type_=sa.String), sessions.c.early),
)
# What an older database gets; its sessions stay without a client.
MOVE_ON = (
    sa.update(sessions)
    .where(sessions.c.id == sa.bindparam("b_id"), sessions.c.last_seq == sa.bindparam("b_seen"))
    .values(last_seq=sa.bindparam("b_seq"), live_until=sa.bindparam("b_until"))
)


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose a session is: ids of client and course, and why it began before its date."""

    client: str
    course: str | None = None
    early: Early | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A session as it lies in the database, folded to its last event."""

    id: str
    title: str
    plan: Plan
    events: tuple[Event, ...]
    folded: State
    created_at: int
    admission: Admission | None = None
    client: str | None = None
    course: str | None = None
    early: Early | None = None

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return len(self.events)

    def has_key(self, key: str) -> bool:
        """True when an act with this key is recorded."""
        return any(event.key == key for event in self.events)


class Storage:
    """The database behind the app. One per process."""

    def __init__(
        self, database: Sqlite | Postgresql, observer: StorageObserver | None = None
    ) -> None:
        self.observer = observer or StorageObserver()
        self.database = database
        self.engine = database.engine
        self.write = database.write
        self.reader = database.reader
        self.cache: OrderedDict[str, Stored] = OrderedDict()
        self.cache_lock = threading.Lock()
        self.plans: dict[str, Plan] = {}
        self.folded: dict[tuple[str, int], State] = {}

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def forget(self) -> None:
        """Clear the caches: the database is another one now."""
        with self.cache_lock:
            self.cache.clear()
            self.plans.clear()
            self.folded.clear()

    # -- reading ---------------------------------------------------------------------------

    def last_seq(self, session_id: str) -> int | None:
        """How many events the session has; None when it is unknown. One query."""
        seq: int | None = self.read(
            lambda connection: self.database.value(connection, LAST_SEQ, id=session_id)
        )
        return seq

    def first(self, query: sa.Select[Any], values: dict[str, str]) -> sa.Row[Any] | None:
        """Return one row, with the fast read of a heartbeat. One query."""
        return self.read(lambda connection: connection.execute(query, values).first())

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` on this thread's own connection, and once more when that was lost."""
        try:
            return self.read_once(work)
        except LostError:
            return self.read_once(work)

    def read_once(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on a connection for reading."""
        connection = self.reader()
        try:
            return work(connection)
        except BaseException:
            connection.close()
            raise

    def load(self, session_id: str, seq: int | None = None) -> Stored | None:
        """The session, from memory when nothing has happened since. One query, or two or three.

        ``seq``: how many events it has, where that was read for this same request.
        """
        kept = self.cache.get(session_id)
        if kept and kept.seq == (self.last_seq(session_id) if seq is None else seq):
            return kept
        row, past = self.read(lambda connection: rows_of(connection, session_id))
        if row is None:
            return None
        stored = stored_of(row, self.plan_of(row), tuple(map(event_of, past)))
        self.put_in_cache(stored)
        return stored

    def live(self, now: int, most: int = 20) -> list[Stored]:
        """Sessions that somebody started and that are not over, latest first, at most ``most``."""
        with self.engine.connect() as connection:
            rows = connection.execute(LIVE.limit(most), {"now": now}).all()
            return list(stored_with_events(connection, rows, self.plan_of))

    def live_ids(self, now: int) -> list[str]:
        """Return the ids of the sessions that are live at `now`, in ms."""
        with self.engine.connect() as connection:
            return list(connection.scalars(LIVE.with_only_columns(sessions.c.id), {"now": now}))

    def load_all(self, ids: Sequence[str]) -> Iterator[Stored]:
        """The sessions with these ids in at most two queries, in the order given."""
        if not ids:
            return
        wanted = sa.select(sessions).where(sessions.c.id.in_(ids))
        with self.engine.connect() as connection:
            rows = {row.id: row for row in connection.execute(wanted)}
            in_order = [rows[session_id] for session_id in ids]
            yield from stored_with_events(connection, in_order, self.plan_of)

    def plan_of(self, row: sa.Row[Any]) -> Plan:
        """The frozen plan of a session; equal plans are one object in memory."""
        return self.plan_in(row.plan_hash, row.plan)

    def plan_in(self, plan_hash: str, text: str) -> Plan:
        """Return the plan with this hash; ``text`` is its JSON."""
        plan = self.plans.get(plan_hash)
        if plan is None:
            if len(self.plans) >= KEPT_PLANS:
                self.plans.clear()
            plan = self.plans[plan_hash] = Plan.model_validate_json(text)
        return plan

    def last_sign_of_life(self) -> SignOfLife | None:
        """Return the last stored sign of life; None on a new database."""
        with self.engine.connect() as connection:
            value = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "life"))
        return SignOfLife(**json.loads(value)) if value else None

    def ready(self) -> bool:
        """Whether the database can be read, was written lately, and has our schema. One query."""
        if not self.database.written_lately:
            return False
        try:
            with self.engine.connect() as connection:
                schema = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "schema"))
        except DBAPIError:
            return False
        return bool(schema == str(SCHEMA))

    # -- writing ---------------------------------------------------------------------------

    def create(
        self,
        plan: Plan,
        protocol_hash: str,
        now: int,
        admission: Admission | None = None,
        belonging: Belonging | None = None,
        *,
        parents: Sequence[sa.Executable] = (),
        feedback: Feedback | None = None,
    ) -> str:
        """Store a new session and give its id, or that which its screening has led to already.

        ``parents`` are statements that make what the session refers to. They, the session and the
        ``feedback`` are one transaction. Raises NotSavedError, IntegrityError when a parent is
        refused.
        """
        self.need_room()
        session_id = secrets.token_urlsafe(12)
        text = plan.model_dump_json()
        row = {
            "id": session_id,
            "protocol": plan.protocol,
            "title": plan.title,
            "protocol_hash": protocol_hash,
            "plan": text,
            "plan_hash": hashlib.sha256(text.encode()).hexdigest(),
            "created_at": now,
            "last_seq": 0,
            "live_until": 0,
            "admission": admission.model_dump_json() if admission else None,
            "client": belonging.client if belonging else None,
            "course": belonging.course if belonging else None,
            "early": belonging.early if belonging else None,
        }

        def work(connection: sa.Connection) -> str:
            if admission and (
                known_id := session_of_screening(connection, admission.screening, session_id)
            ):
                return known_id
            for statement in parents:
                connection.execute(statement)
            connection.execute(sa.insert(sessions), row)
            if feedback:
                connection.execute(sa.insert(summaries), feedback_row(session_id, feedback))
            return session_id

        return self.carry_out(work, session_id)

    def keep_screening(self, screening: Screening, now: int) -> str:
        """Store a screening, drop those of more than a day ago, and give its id.

        Raises NotSavedError.
        """
        self.need_room()
        screening_id = secrets.token_urlsafe(12)
        row = {"id": screening_id, "body": screening.model_dump_json(), "kept_at": now}
        old = screenings.c.kept_at < now - SCREENING_KEPT_MS

        def work(connection: sa.Connection) -> str:
            connection.execute(sa.delete(screenings).where(old))
            connection.execute(sa.insert(screenings), row)
            return screening_id

        return self.carry_out(work, screening_id)

    def screening(self, screening_id: str, now: int) -> Screening | None:
        """A screening of the last day. One query."""
        query = sa.select(screenings.c.body).where(
            screenings.c.id == screening_id, screenings.c.kept_at >= now - SCREENING_KEPT_MS
        )
        with self.engine.connect() as connection:
            body = connection.scalar(query)
        return Screening.model_validate_json(body) if body else None

    def latest_screening(self, client: str, now: int) -> Screening | None:
        """The last screening of a client within a day. One query."""
        theirs = screenings.c.body.contains(f'"client":"{client}"', autoescape=True)
        query = sa.select(screenings.c.body).where(
            screenings.c.kept_at >= now - SCREENING_KEPT_MS, theirs
        )
        with self.engine.connect() as connection:
            body = connection.scalar(query.order_by(screenings.c.kept_at.desc()).limit(1))
        return Screening.model_validate_json(body) if body else None

    def tell_word(self, screening_id: str, screening: Screening) -> None:
        """Store the screening with a clinician's word. Raises NotSavedError."""
        body = screening.model_dump_json()
        change = sa.update(screenings).where(screenings.c.id == screening_id).values(body=body)
        self.carry_out(lambda connection: connection.execute(change))

    def store_reading(self, session_id: str, at: int, reading: Reading) -> None:
        """A reading after the session; the same instant again replaces it. Raises NotSavedError."""
        row = {"session": session_id, "at": at, "body": reading.model_dump_json()}
        same = (readings.c.session == session_id) & (readings.c.at == at)

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(readings).where(same))
            connection.execute(sa.insert(readings), row)

        self.carry_out(work)

    def record(self, stored: Stored, *new: Event, early: Early | None = None) -> Stored:
        """Add ``new`` right behind what ``stored`` knows, durably and at once; give the session.

        ``early`` goes with a start before its course's date: why.
        Raises ConflictError when another event came first, NotSavedError when it cannot be written.
        """
        if not new:
            return stored
        folded = stored.folded
        for event in new:
            folded = follow(stored.plan, folded, event)
        move = {
            "b_id": stored.id,
            "b_seen": stored.seq,
            "b_seq": new[-1].seq,
            "b_until": live_until(stored.plan, folded),
        }

        rows = [row_of(stored.id, event) for event in new]
        begins = new[0].kind == "start"

        def moved(connection: sa.Connection) -> bool:
            if self.database.shared and not begins:
                values = {**move, "told": json.dumps(rows)}
                return connection.execute(MOVE_ON_AT_ONCE, values).rowcount == len(rows)
            if connection.execute(MOVE_ON, move).rowcount != 1:
                return False
            connection.execute(ADD_EVENT, rows)
            return True

        def work(connection: sa.Connection) -> None:
            if moved(connection):
                if begins:
                    begin = {"b_id": stored.id, "b_at": new[0].at, "b_early": early}
                    connection.execute(BEGIN, begin)
            elif not all(is_recorded(connection, stored.id, event) for event in new):
                raise ConflictError

        try:
            self.carry_out(work, single=not begins)
        except IntegrityError:
            raise ConflictError from None
        after = replace(
            stored,
            events=(*stored.events, *new),
            folded=folded,
            early=early or stored.early,
        )
        self.put_in_cache(after)
        self.observer.recorded(stored.id)
        return after

    def carry_out(
        self, work: Callable[[sa.Connection], T], new_id: T | None = None, *, single: bool = False
    ) -> T:
        """Do ``work`` in a transaction; all of it once more when the connection broke on the way.

        Then the first try may have counted: ``work`` has to find that out, or to leave a row twice
        with the id ``new_id``, which the database refuses. Once more, too, when the disk was full
        and the reserve was given. ``single``: on PostgreSQL it writes by one statement only.
        Raises NotSavedError.
        """
        room_made = self.database.rooms_made
        try:
            with self.write(single=single) as connection:
                return work(connection)
        except FullError:
            if not self.database.make_room(room_made):
                raise
            with self.write() as connection:
                return work(connection)
        except LostError:
            try:
                with self.write(single=single) as connection:
                    return work(connection)
            except IntegrityError:
                if new_id is None:
                    raise
                return new_id

    def store_sign_of_life(self, sign: SignOfLife) -> None:
        """Store the sign of life. Raises NotSavedError."""
        value = json.dumps({"boot": sign.boot, "steady": sign.steady, "now": sign.now})
        self.carry_out(lambda connection: set_meta(connection, "life", value))
        self.database.has_room()  # looks whether there is room again

    @property
    def trouble(self) -> Trouble:
        """What keeps us from writing, as far as we know."""
        return self.database.trouble

    def need_room(self) -> None:
        """Raise FullError when nothing new may begin."""
        if not self.database.has_room():
            raise FullError("the disk is full")

    def put_in_cache(self, stored: Stored) -> None:
        """Store a session in the cache."""
        with self.cache_lock:
            self.cache[stored.id] = stored
            self.cache.move_to_end(stored.id)
            while len(self.cache) > KEPT_SESSIONS:
                self.cache.popitem(last=False)


def database_of(settings: Settings) -> Sqlite | Postgresql:
    """The database that the settings name, as it is. Raises StorageError."""
    if settings.database_url:
        return postgresql_at(settings.database_url, settings.data)
    return Sqlite(settings.database)


def postgresql_at(url: str, folder: Path) -> Postgresql:
    """Return the database at an address. Raises StorageError when it cannot be read."""
    parameters = parameters_of(url)
    return Postgresql(parameters, folder, describe_place(parameters))


def session_of_screening(
    connection: sa.Connection, screening_id: str, session_id: str
) -> str | None:
    """The session this screening has led to; None after noting that it leads to ``session_id``."""
    matching = screenings.c.id == screening_id
    body = connection.scalar(sa.select(screenings.c.body).where(matching).with_for_update())
    if body is None:
        return None
    screening = Screening.model_validate_json(body)
    if screening.session:
        return screening.session
    used = screening.model_copy(update={"session": session_id}).model_dump_json()
    connection.execute(sa.update(screenings).where(matching).values(body=used))
    return None


def feedback_row(session_id: str, feedback: Feedback) -> dict[str, object]:
    """Return feedback as a row of its table."""
    return {"session": session_id, **asdict(feedback)}


def set_meta(connection: sa.Connection, name: str, value: str) -> None:
    """Set a value of ``meta``."""
    change = sa.update(meta).where(meta.c.name == name).values(value=value)
    if not connection.execute(change).rowcount:
        connection.execute(sa.insert(meta), {"name": name, "value": value})


def is_recorded(connection: sa.Connection, session_id: str, event: Event) -> bool:
    """True when exactly this event is there already."""
    matching = (events.c.session == session_id) & (events.c.seq == event.seq)
    row = connection.execute(sa.select(events).where(matching)).one_or_none()
    return row is not None and event_of(row) == event


def rows_of(
    connection: sa.Connection, session_id: str
) -> tuple[sa.Row[Any] | None, Sequence[sa.Row[Any]]]:
    """A session's row and its events in order. Two queries; one for an unknown session."""
    row = connection.execute(SESSION, {"id": session_id}).one_or_none()
    past = connection.execute(EVENTS, {"id": session_id}).all() if row else []
    return row, past


def stored_with_events(
    connection: sa.Connection, rows: Sequence[sa.Row[Any]], plan_of: Callable[[sa.Row[Any]], Plan]
) -> Iterator[Stored]:
    """The sessions in these rows, in their order. One query, none for no rows."""
    ids = [row.id for row in rows]
    past = sa.select(events).where(events.c.session.in_(ids)).order_by(events.c.seq)
    happened: dict[str, list[Event]] = {session_id: [] for session_id in ids}
    for event in connection.execute(past) if ids else ():
        happened[event.session].append(event_of(event))
    for row in rows:
        yield stored_of(row, plan_of(row), tuple(happened[row.id]))


def stored_of(row: sa.Row[Any], plan: Plan, past: tuple[Event, ...]) -> Stored:
    """Return the session of a row, with its events."""
    admission = Admission.model_validate_json(row.admission) if row.admission else None
    folded = fold(plan, past)
    return Stored(
        row.id,
        row.title,
        plan,
        past,
        folded,
        row.created_at,
        admission,
        row.client,
        row.course,
        row.early,
    )


def stored_at(row: sa.Row[Any], past: Sequence[sa.Row[Any]]) -> Stored:
    """A session from its rows alone. Raises ValueError when they make no sense."""
    events_then = tuple(event_of(event) for event in past)
    return stored_of(row, Plan.model_validate_json(row.plan), events_then)


def event_of(row: sa.Row[tuple[object, ...]]) -> Event:
    """Return the event of a row."""
    left = tuple((str(i), int(ms)) for i, ms in json.loads(row.detail).get("left_ms", []))
    return Event(row.seq, row.key, row.kind, row.at, left)


def row_of(session_id: str, event: Event) -> dict[str, object]:
    """Return an event as a row of its table."""
    detail = json.dumps({"left_ms": event.left_ms} if event.left_ms else {})
    return {
        "session": session_id,
        "seq": event.seq,
        "key": event.key,
        "kind": event.kind,
        "at": event.at,
        "detail": detail,
    }
