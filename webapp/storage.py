"""Rows in, frozen domain objects out. SQLAlchemy Core; SQLite is written by one connection.

SQLite: WAL with ``synchronous=FULL``, every write through one connection under one lock, each in
``BEGIN IMMEDIATE``; an act is acknowledged only after its commit. Instants are integer
milliseconds of the server's clock (``clock.py``).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from webapp.clock import SignOfLife
from webapp.domain.glucose import Reading
from webapp.domain.past import Early
from webapp.domain.plan import Plan
from webapp.domain.screening import Admission, Screening
from webapp.domain.session import Event, State, fold, follow, live_until
from webapp.tables import clients, courses, metadata, summaries

SCHEMA = 3
SCREENING_KEPT_MS = 24 * 3_600_000
BUSY_SECONDS = 5.0
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

LAST_SEQ = sa.select(sessions.c.last_seq).where(sessions.c.id == sa.bindparam("id"))
SESSION = sa.select(sessions).where(sessions.c.id == sa.bindparam("id"))
EVENTS = sa.select(events).where(events.c.session == sa.bindparam("id")).order_by(events.c.seq)
LIVE = (
    sa.select(sessions.c.id)
    .where(sessions.c.live_until > sa.bindparam("now"))
    .order_by(sessions.c.created_at.desc(), sessions.c.id)
)
ADD_EVENT = sa.insert(events)
BEGIN = sa.update(sessions).where(sessions.c.id == sa.bindparam("b_id"))
BEGIN = BEGIN.values(begun_at=sa.bindparam("b_at"))
# What an older database gets; its sessions stay without a client.
NEW_IN_3 = (
    "ALTER TABLE sessions ADD COLUMN client VARCHAR(32) REFERENCES clients (id) ON DELETE CASCADE",
    "ALTER TABLE sessions ADD COLUMN course VARCHAR(32) REFERENCES courses (id) ON DELETE CASCADE",
    "ALTER TABLE sessions ADD COLUMN early VARCHAR(16)",
    "ALTER TABLE sessions ADD COLUMN begun_at BIGINT",
)
BEGUN = (
    "UPDATE sessions SET begun_at = "
    "(SELECT at FROM events WHERE session = sessions.id AND kind = 'start')"
)
MOVE_ON = (
    sa.update(sessions)
    .where(sessions.c.id == sa.bindparam("b_id"), sessions.c.last_seq == sa.bindparam("b_seen"))
    .values(last_seq=sa.bindparam("b_seq"), live_until=sa.bindparam("b_until"))
)


class StorageError(Exception):
    """The database cannot be used; the text says what and what to do."""


class NotSavedError(StorageError):
    """A write failed; nothing was changed and nothing may be acknowledged."""


class ConflictError(Exception):
    """Somebody else acted meanwhile; nothing was changed."""


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

    @property
    def seq(self) -> int:
        return len(self.events)

    def has_key(self, key: str) -> bool:
        """True when an act with this key is recorded."""
        return any(event.key == key for event in self.events)


class Storage:
    """The database behind the app. One per process."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.lock = threading.Lock()
        self.writer: sa.Connection | None = None
        self.cache: OrderedDict[str, Stored] = OrderedDict()
        self.cache_lock = threading.Lock()
        self.plans: dict[str, Plan] = {}
        self.folded: dict[tuple[str, int], State] = {}
        self.held = threading.local()
        self.readers: weakref.WeakSet[sa.Connection] = weakref.WeakSet()

    # -- opening ---------------------------------------------------------------------------

    def prepare(self) -> None:
        """Create the tables in a new database. Raises StorageError for a newer or a broken one."""
        try:
            with self.write() as connection:
                if sa.inspect(connection).has_table("meta"):
                    self.upgrade(connection, self.check_schema(connection))
                else:
                    metadata.create_all(connection)
                    connection.execute(sa.insert(meta), {"name": "schema", "value": str(SCHEMA)})
        except NotSavedError as error:
            why = getattr(error.__cause__, "orig", error.__cause__)
            raise StorageError(f"the database cannot be used: {why}") from error

    def check_schema(self, connection: sa.Connection) -> int:
        """The schema of the database that is there. Raises StorageError for a newer one."""
        found = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "schema"))
        if found is None or not found.isdigit() or int(found) > SCHEMA:
            raise StorageError(
                f"the database was written by a newer Steady Hands (schema {found}, this one knows "
                f"{SCHEMA}); install that version, or choose another folder with --data"
            )
        return int(found)

    def upgrade(self, connection: sa.Connection, found: int) -> None:
        """Bring an older database up to date, in the transaction of ``connection``."""
        if found < 2:
            connection.exec_driver_sql("ALTER TABLE sessions ADD COLUMN admission TEXT")
            metadata.create_all(connection, tables=[screenings, readings])
        if found < 3:
            metadata.create_all(connection, tables=[clients, courses, summaries])
            for statement in (*NEW_IN_3, BEGUN):
                connection.exec_driver_sql(statement)
            for index in HISTORY_INDEXES:
                index.create(connection)
        if found < SCHEMA:
            connection.execute(
                sa.update(meta).where(meta.c.name == "schema").values(value=str(SCHEMA))
            )

    def close(self) -> None:
        with self.lock:
            self.drop_writer()
        for reader in list(self.readers):
            reader.close()
        self.engine.dispose()

    # -- reading ---------------------------------------------------------------------------

    def last_seq(self, session_id: str) -> int | None:
        """How many events the session has; None when it is unknown. One query."""
        connection = self.reader()
        try:
            return connection.scalar(LAST_SEQ, {"id": session_id})
        except BaseException:
            connection.close()
            raise

    def reader(self) -> sa.Connection:
        """This thread's own connection for a beat: taking one from the pool costs more than the read."""
        held: sa.Connection | None = getattr(self.held, "reader", None)
        if held is None or held.closed:
            held = self.held.reader = self.engine.connect()
            self.readers.add(held)
        return held

    def load(self, session_id: str) -> Stored | None:
        """The session, from memory when nothing has happened since. One to three queries."""
        seq = self.last_seq(session_id)
        if seq is None:
            return None
        kept = self.cache.get(session_id)
        if kept and kept.seq == seq:
            return kept
        with self.engine.connect() as connection:
            row = connection.execute(SESSION, {"id": session_id}).one()
            past = tuple(event_of(r) for r in connection.execute(EVENTS, {"id": session_id}).all())
        plan = self.plan_of(row)
        stored = stored_of(row, plan, past)
        self.keep(stored)
        return stored

    def live(self, now: int, most: int = 20) -> list[Stored]:
        """Sessions that somebody started and that are not over, latest first, at most ``most``."""
        return list(self.load_all(self.live_ids(now, most)))

    def live_ids(self, now: int, most: int | None = None) -> list[str]:
        query = LIVE.limit(most) if most else LIVE
        with self.engine.connect() as connection:
            return list(connection.scalars(query, {"now": now}))

    def load_all(self, ids: Sequence[str]) -> Iterator[Stored]:
        """The sessions with these ids in at most two queries, in the order given."""
        if not ids:
            return
        wanted = sa.select(sessions).where(sessions.c.id.in_(ids))
        past = sa.select(events).where(events.c.session.in_(ids)).order_by(events.c.seq)
        with self.engine.connect() as connection:
            rows = {row.id: row for row in connection.execute(wanted)}
            by_session: dict[str, list[Event]] = {}
            for row in connection.execute(past):
                by_session.setdefault(row.session, []).append(event_of(row))
        for session_id in ids:
            row = rows[session_id]
            yield stored_of(row, self.plan_of(row), tuple(by_session.get(session_id, [])))

    def plan_of(self, row: sa.Row[tuple[object, ...]]) -> Plan:
        """The frozen plan of a session; equal plans are one object in memory."""
        plan = self.plans.get(row.plan_hash)
        if plan is None:
            if len(self.plans) >= KEPT_PLANS:
                self.plans.clear()
            plan = self.plans[row.plan_hash] = Plan.model_validate_json(row.plan)
        return plan

    def last_sign_of_life(self) -> SignOfLife | None:
        with self.engine.connect() as connection:
            value = connection.scalar(sa.select(meta.c.value).where(meta.c.name == "life"))
        return SignOfLife(**json.loads(value)) if value else None

    # -- writing ---------------------------------------------------------------------------

    def create(
        self,
        plan: Plan,
        protocol_hash: str,
        now: int,
        admission: Admission | None = None,
        belonging: Belonging | None = None,
    ) -> str:
        """Store a new session and give its id; the one that its screening has led to already, if any.

        Raises NotSavedError.
        """
        session_id = secrets.token_urlsafe(12)
        text = plan.model_dump_json()
        with self.write() as connection:
            if admission and (made := used_up(connection, admission.screening, session_id)):
                return made
            connection.execute(
                sa.insert(sessions),
                {
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
                },
            )
        return session_id

    def keep_screening(self, screening: Screening, now: int) -> str:
        """Store a screening, drop those of more than a day ago, and give its id.

        Raises NotSavedError.
        """
        screening_id = secrets.token_urlsafe(12)
        row = {"id": screening_id, "body": screening.model_dump_json(), "kept_at": now}
        with self.write() as connection:
            old = screenings.c.kept_at < now - SCREENING_KEPT_MS
            connection.execute(sa.delete(screenings).where(old))
            connection.execute(sa.insert(screenings), row)
        return screening_id

    def screening(self, screening_id: str, now: int) -> Screening | None:
        """A screening of the last day. One query."""
        query = sa.select(screenings.c.body).where(
            screenings.c.id == screening_id, screenings.c.kept_at >= now - SCREENING_KEPT_MS
        )
        with self.engine.connect() as connection:
            body = connection.scalar(query)
        return Screening.model_validate_json(body) if body else None

    def tell_word(self, screening_id: str, screening: Screening) -> None:
        """Store the screening with a clinician's word. Raises NotSavedError."""
        with self.write() as connection:
            connection.execute(
                sa.update(screenings)
                .where(screenings.c.id == screening_id)
                .values(body=screening.model_dump_json())
            )

    def tell_reading(self, session_id: str, at: int, reading: Reading) -> None:
        """A reading after the session; the same instant again replaces it. Raises NotSavedError."""
        row = {"session": session_id, "at": at, "body": reading.model_dump_json()}
        same = (readings.c.session == session_id) & (readings.c.at == at)
        with self.write() as connection:
            connection.execute(sa.delete(readings).where(same))
            connection.execute(sa.insert(readings), row)

    def readings_of(self, session_id: str) -> list[tuple[int, Reading]]:
        """Instants (ms) and readings after a session, in order. One query."""
        query = sa.select(readings).where(readings.c.session == session_id).order_by(readings.c.at)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(row.at, Reading.model_validate_json(row.body)) for row in rows]

    def record(self, stored: Stored, event: Event) -> Stored:
        """Add ``event`` right behind what ``stored`` knows, durably, and give the session after it.

        Raises ConflictError when another event came first, NotSavedError when it cannot be written.
        """
        past = (*stored.events, event)
        folded = follow(stored.plan, stored.folded, event)
        try:
            with self.write() as connection:
                moved = connection.execute(
                    MOVE_ON,
                    {
                        "b_id": stored.id,
                        "b_seen": stored.seq,
                        "b_seq": event.seq,
                        "b_until": live_until(stored.plan, folded),
                    },
                )
                if moved.rowcount != 1:
                    raise ConflictError
                connection.execute(ADD_EVENT, row_of(stored.id, event))
                if event.kind == "start":
                    connection.execute(BEGIN, {"b_id": stored.id, "b_at": event.at})
        except IntegrityError:
            raise ConflictError from None
        after = replace(stored, events=past, folded=folded)
        self.keep(after)
        return after

    def tell_life(self, sign: SignOfLife) -> None:
        """Store the sign of life. Raises NotSavedError."""
        value = json.dumps({"boot": sign.boot, "steady": sign.steady, "now": sign.now})
        with self.write() as connection:
            done = connection.execute(
                sa.update(meta).where(meta.c.name == "life").values(value=value)
            )
            if not done.rowcount:
                connection.execute(sa.insert(meta), {"name": "life", "value": value})

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction on the one writing connection; committed when the block ends well."""
        with self.lock:
            try:
                connection = self.writer = self.writer or self.engine.connect()
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.exec_driver_sql("COMMIT")
                connection.commit()
            except (IntegrityError, ConflictError):
                self.undo()
                raise
            except DBAPIError as error:
                self.drop_writer()
                raise NotSavedError("the database could not be written") from error
            except BaseException:
                self.undo()
                raise

    def undo(self) -> None:
        if self.writer:
            self.writer.exec_driver_sql("ROLLBACK")
            self.writer.commit()

    def drop_writer(self) -> None:
        """After a failed write the connection is not trusted again."""
        if self.writer:
            self.writer.invalidate()
            self.writer.close()
        self.writer = None

    def keep(self, stored: Stored) -> None:
        with self.cache_lock:
            self.cache[stored.id] = stored
            self.cache.move_to_end(stored.id)
            while len(self.cache) > KEPT_SESSIONS:
                self.cache.popitem(last=False)


def open_sqlite(path: Path) -> Storage:
    """The embedded database at ``path``, made when it is missing. Raises StorageError."""
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        poolclass=sa.pool.QueuePool,
        pool_reset_on_return=None,
    )

    @sa.event.listens_for(engine, "connect")
    def durable(connection: object, _record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    storage = Storage(engine)
    try:
        storage.prepare()
    except (OperationalError, DBAPIError) as error:
        raise StorageError(f"the database {path.name} cannot be opened: {error.orig}") from error
    return storage


def used_up(connection: sa.Connection, screening_id: str, session_id: str) -> str | None:
    """The session this screening has led to; None after noting that it leads to ``session_id``."""
    mine = screenings.c.id == screening_id
    body = connection.scalar(sa.select(screenings.c.body).where(mine))
    if body is None:
        return None
    screening = Screening.model_validate_json(body)
    if screening.session:
        return screening.session
    used = screening.model_copy(update={"session": session_id}).model_dump_json()
    connection.execute(sa.update(screenings).where(mine).values(body=used))
    return None


def stored_of(row: sa.Row[Any], plan: Plan, past: tuple[Event, ...]) -> Stored:
    admission = Admission.model_validate_json(row.admission) if row.admission else None
    folded = fold(plan, past)
    return Stored(
        row.id, row.title, plan, past, folded, row.created_at, admission, row.client, row.course
    )


def event_of(row: sa.Row[tuple[object, ...]]) -> Event:
    left = tuple((str(i), int(ms)) for i, ms in json.loads(row.detail).get("left_ms", []))
    return Event(row.seq, row.key, row.kind, row.at, left)


def row_of(session_id: str, event: Event) -> dict[str, object]:
    detail = json.dumps({"left_ms": event.left_ms} if event.left_ms else {})
    return {
        "session": session_id,
        "seq": event.seq,
        "key": event.key,
        "kind": event.kind,
        "at": event.at,
        "detail": detail,
    }
