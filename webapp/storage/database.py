"""SQLite and PostgreSQL behind one shape: reads outside any transaction, each write in one.

SQLite: WAL with ``synchronous=FULL``, every write through one connection under one lock, each in
``BEGIN IMMEDIATE``. PostgreSQL: a pool; rows order the writers. On both the engine leaves
transactions to us, so that a write is durable exactly when ``write`` ends.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.storage.disk import Disk, Trouble

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 3
LATELY_SECONDS = 30.0  # three signs of life
PATIENCE_SECONDS = 3.0
RETRY_SECONDS = 0.05
ONE_AT_A_TIME = 5_487_263_540  # names our lock among a server's advisory locks

TURN_SECONDS = 0.05
STILL_SECONDS = 2.0
WIPE_TRIES = 3

POSTGRESQL_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "synchronous_commit": "on",
        "statement_timeout": 5_000,
        "lock_timeout": 5_000,
        "idle_in_transaction_session_timeout": 90_000,
    }.items()
)


Tell = Callable[[int, int], None]  # how much is done, of how much


def no_matter(_done: int, _of: int) -> None:
    """For those who need no progress."""


class StorageError(Exception):
    """The database cannot be used; the text says what and what to do."""


class NotSavedError(StorageError):
    """A write failed; nothing was changed and nothing may be acknowledged."""


class FullError(NotSavedError):
    """There is no room on the disk."""


class AwayError(NotSavedError):
    """The database's server does not answer."""


class LostError(AwayError):
    """The connection broke; whether the last write counted has to be looked up."""


class ConflictError(Exception):
    """Somebody else acted meanwhile; nothing was changed."""


class Database:
    """What both have in common. ``shared`` is true when other processes may write too."""

    shared = False

    def __init__(self, engine: sa.Engine, folder: Path, name: str) -> None:
        """Copies go to ``folder``; ``name`` is for messages."""
        self.engine = engine
        self.name = name
        self.folder = folder
        self.held = threading.local()
        self.readers: weakref.WeakSet[sa.Connection] = weakref.WeakSet()
        self.written_at: float | None = None  # of the last write, unless it failed

    def reader(self) -> sa.Connection:
        """This thread's own connection for a beat: taking one from the pool costs more than the read."""
        held = self.own
        if held is None:
            held = self.held.reader = self.engine.connect()
            self.readers.add(held)
        return held

    def value(self, connection: sa.Connection, query: sa.TextClause, **named: str) -> Any:
        """The first column of the first row, None without one; ``named`` is what the text names."""
        return connection.scalar(query, named)

    @property
    def own(self) -> sa.Connection | None:
        """The connection that this thread has read by, if any."""
        held: sa.Connection | None = getattr(self.held, "reader", None)
        return None if held is None or held.closed else held

    def leave(self) -> None:
        """Close this thread's own reading connection: the thread may be used for other things."""
        held = self.own
        if held is not None:
            held.close()

    @property
    def written_lately(self) -> bool:
        """True when this process's last write was kept, and is not long ago."""
        at = self.written_at
        return at is not None and time.monotonic() - at < LATELY_SECONDS

    @property
    def trouble(self) -> Trouble:
        """What keeps us from writing, as far as we know; a server's disk is its own matter."""
        return ""

    @property
    def given(self) -> int:
        """How often room was made."""
        return 0

    def make_room(self, given: int) -> bool:
        """After FullError: True when it is worth another try; ``given`` is from before the write.

        Who comes second finds nothing to give, but the room that the first has made.
        """
        return False

    def has_room(self) -> bool:
        """False when nothing new may begin because the disk is full."""
        return True

    @contextmanager
    def writing_long(self) -> Iterator[None]:
        """What this thread writes now may take long; here it keeps nobody waiting."""
        yield

    def close(self) -> None:
        for reader in list(self.readers):
            reader.close()
        self.engine.dispose()


class Pool(sa.pool.QueuePool):
    """Connections to a file; none is given while the file is put in the place of another."""

    gate: threading.Event | None = None

    def connect(self) -> sa.PoolProxiedConnection:
        if self.gate is not None:
            self.gate.wait(5 * STILL_SECONDS)
        return super().connect()


class Sqlite(Database):
    """One file, one writing connection under one lock, one process that serves."""

    engine: sa.Engine

    def __init__(self, path: Path) -> None:
        engine = sa.create_engine(
            f"sqlite:///{path}",
            connect_args={
                "timeout": BUSY_SECONDS,
                "isolation_level": None,
                "check_same_thread": False,
            },
            hide_parameters=True,
            poolclass=Pool,
            pool_reset_on_return=None,
        )
        super().__init__(engine, path.parent, path.name)
        self.path = path
        self.disk = Disk(path.parent)
        self.lock = threading.Lock()
        self.long: int | None = None  # the thread that writes something long
        self.open = threading.Event()
        self.open.set()
        self.writer: sa.Connection | None = None
        sa.event.listen(engine, "connect", durable)
        self.watch_gate()

    def watch_gate(self) -> None:
        assert isinstance(self.engine.pool, Pool)
        self.engine.pool.gate = self.open

    def value(self, connection: sa.Connection, query: sa.TextClause, **named: str) -> Any:
        """As for all, but past SQLAlchemy, which takes six times as long as the read itself."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            row = driver.execute(query.text, named).fetchone()
        except sqlite3.Error:
            return super().value(connection, query, **named)  # raises what callers know
        return row[0] if row else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The writer's lock. While something long is written nobody waits: NotSavedError."""
        while not self.lock.acquire(timeout=TURN_SECONDS):
            if self.long not in (None, threading.get_ident()):
                raise NotSavedError("something long is being written")
        try:
            yield
        finally:
            self.lock.release()

    @contextmanager
    def writing_long(self) -> Iterator[None]:
        """What this thread writes now may take long: acts are told to come again, beats go on."""
        before, self.long = self.long, threading.get_ident()
        try:
            yield
        finally:
            self.long = before

    @contextmanager
    def write(self, *, single: bool = False) -> Iterator[sa.Connection]:
        """A transaction on the one writing connection; committed when the block ends well."""
        with self.turn():
            if self.disk.resting:
                raise NotSavedError("the disk has just failed")
            try:
                connection = self.own_writer()
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.exec_driver_sql("COMMIT")
                connection.commit()
                self.disk.worked()
                self.written_at = time.monotonic()
            except (IntegrityError, ConflictError):
                self.undo()
                raise
            except DBAPIError as error:
                self.drop_writer()
                self.written_at = None
                full = self.disk.judge(error.orig) == "full"
                kind = FullError if full else NotSavedError
                raise kind("the database could not be written") from error
            except BaseException:
                self.undo()
                raise

    @property
    def trouble(self) -> Trouble:
        return self.disk.trouble

    @property
    def given(self) -> int:
        return self.disk.given

    def make_room(self, given: int) -> bool:
        return self.disk.give_reserve() or self.given > given

    def has_room(self) -> bool:
        return not self.disk.full or self.disk.keep_reserve()

    def alone(self, connection: sa.Connection) -> None:
        """``BEGIN IMMEDIATE`` has made sure of that."""

    def own_writer(self) -> sa.Connection:
        self.writer = self.writer or self.engine.connect()
        return self.writer

    def merge(self, staged: Path, names: Sequence[str]) -> int:
        """Bring all rows of these tables of another file in, all or nothing; gives how many.

        Raises IntegrityError when one is there already, NotSavedError.
        """
        with self.writing_long():
            with self.turn():
                self.own_writer().exec_driver_sql("ATTACH ? AS staged", (str(staged),))
                self.own_writer().commit()
            try:
                with self.write() as connection:
                    return sum(merged(connection, name) for name in names)
            finally:
                with self.turn():
                    self.drop_writer()

    def replace_with(self, prepared: Path, keep: Callable[[], Path]) -> Path:
        """Put a whole file in the place of ours; gives where ``keep`` has put the old one.

        Only while nothing else of this process is reading: waits for that. Raises StorageError
        when somebody has the file open, and then nothing has changed.
        """
        with self.turn():
            self.open.clear()
            try:
                self.close_connections()
                stand_still(self.path)
                kept = keep()
                prepared.replace(self.path)
                return kept
            finally:
                self.watch_gate()
                self.open.set()

    def close_connections(self) -> None:
        self.drop_writer()
        for reader in list(self.readers):
            reader.close()
        end = time.monotonic() + STILL_SECONDS
        while busy(self.engine.pool) and time.monotonic() < end:
            time.sleep(0.005)
        self.engine.dispose()

    def wipe(self) -> None:
        """Rewrite the file so that nothing of deleted rows is left in it, nor in the log beside it."""
        with self.writing_long(), self.turn():
            self.drop_writer()
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("VACUUM")
                for _ in range(WIPE_TRIES):
                    if not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar():
                        return
        raise NotSavedError(
            "it is deleted, but another program reads the database, so its traces are still in the "
            "file; they go with the next thing that is deleted"
        )

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

    def close(self) -> None:
        with self.turn():
            self.drop_writer()
        super().close()


def merged(connection: sa.Connection, name: str) -> int:
    columns = ", ".join(f'"{c["name"]}"' for c in sa.inspect(connection).get_columns(name))
    command = f'INSERT INTO main."{name}" ({columns}) SELECT {columns} FROM staged."{name}"'
    return connection.exec_driver_sql(command).rowcount


def busy(pool: sa.Pool) -> bool:
    return isinstance(pool, Pool) and pool.checkedout() > 0


def stand_still(path: Path) -> None:
    """Bring the log beside a file into it and take the log away: only its sole user can do that.

    Raises StorageError.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0.5, isolation_level=None)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"the database cannot be exchanged now ({error})") from None
    if mode != "delete":
        raise StorageError("another program reads the database; nothing was changed")


def durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


class Postgresql(Database):
    """A server that any number of processes share."""

    shared = True

    def __init__(self, parameters: dict[str, str], folder: Path, name: str) -> None:
        """``parameters`` as libpq names them; the engine's own address holds none of them."""
        theirs = parameters.get("options") or os.environ.get("PGOPTIONS", "")
        engine = sa.create_engine(
            "postgresql+psycopg://",
            connect_args=parameters
            | {
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": int(BUSY_SECONDS * 1000),
                "keepalives_idle": 30,
                "options": f"{theirs} {POSTGRESQL_OPTIONS}".strip(),  # of two the last counts
                "application_name": "steady-hands",
            },
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            pool_reset_on_return=None,
        )
        super().__init__(engine, folder, name)
        self.parameters = parameters
        self.patient = False
        sa.event.listen(engine, "do_connect", self.connect)
        sa.event.listen(engine, "handle_error", self.translate)

    def connect(self, dialect: Any, _record: object, cargs: Any, cparams: Any) -> Any:
        """A new connection. A server that restarts is waited for, once, until it has come back."""
        end = time.monotonic() + (PATIENCE_SECONDS if self.patient else 0)
        while True:
            try:
                made = dialect.connect(*cargs, **cparams)
            except dialect.dbapi.OperationalError:
                if time.monotonic() >= end:
                    self.patient = False
                    raise
                time.sleep(RETRY_SECONDS)
            except ValueError:  # a name of a host that cannot be one
                raise dialect.dbapi.OperationalError("its address cannot be used") from None
            else:
                self.patient = True
                return made

    def translate(self, context: sa.engine.ExceptionContext) -> None:
        """Raise what callers know instead of the driver's errors. Raises LostError, AwayError."""
        error = context.sqlalchemy_exception
        if context.is_disconnect:
            raise LostError("the connection to the database was lost") from error
        if isinstance(error, sa.exc.OperationalError):
            self.written_at = None
            raise AwayError("the database does not answer") from error

    @contextmanager
    def write(self, *, single: bool = False) -> Iterator[sa.Connection]:
        """A transaction on a connection of its own; committed when the block ends well.

        ``single``: the block writes by one statement, which is a transaction by itself. It gets the
        connection that this thread reads by, and costs one round trip instead of five.
        """
        if single and self.own:
            with self.write_single(self.own) as connection:
                yield connection
            return
        with self.engine.connect() as connection:
            try:
                connection.exec_driver_sql("BEGIN")
                yield connection
                connection.exec_driver_sql("COMMIT")
                self.written_at = time.monotonic()
            except (IntegrityError, ConflictError):
                undo(connection)
                raise
            except DBAPIError as error:
                self.written_at = None
                connection.invalidate()
                raise NotSavedError("the database could not be written") from error
            except AwayError:
                self.written_at = None
                connection.invalidate()
                raise
            except BaseException:
                undo(connection)
                raise

    @contextmanager
    def write_single(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        try:
            yield connection
            self.written_at = time.monotonic()
        except (IntegrityError, ConflictError):
            raise
        except BaseException as error:
            connection.invalidate()
            connection.close()
            if isinstance(error, (DBAPIError, AwayError)):
                self.written_at = None
            if isinstance(error, DBAPIError):
                raise NotSavedError("the database could not be written") from error
            raise

    def alone(self, connection: sa.Connection) -> None:
        """Wait until no other process makes or migrates tables; until this transaction ends."""
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))

    def wipe(self) -> None:
        """Rewrite the tables so that nothing of deleted rows is left in their files."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            try:
                for name in sa.inspect(connection).get_table_names():
                    connection.exec_driver_sql(f'VACUUM (FULL) "{name}"')
            finally:
                connection.invalidate()


def undo(connection: sa.Connection) -> None:
    """Roll back; a connection on which that fails is not used again."""
    try:
        connection.exec_driver_sql("ROLLBACK")
    except (DBAPIError, AwayError):
        connection.invalidate()


def reason(error: BaseException) -> str:
    """What the driver said, as one line."""
    deepest = error
    while deepest.__cause__:
        deepest = deepest.__cause__
    deepest = getattr(deepest, "orig", None) or deepest
    lines = [line.strip() for line in str(deepest).splitlines() if line.strip()]
    said = lines[0] if lines else type(deepest).__name__
    return said.rpartition("FATAL:")[2].rpartition(" failed: ")[2].strip()
