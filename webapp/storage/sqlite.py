"""SQLite: one file, read by any thread, written by one connection.

WAL with ``synchronous=FULL``; every write is under one lock and in ``BEGIN IMMEDIATE``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.storage.database import (
    BUSY_SECONDS,
    ConflictError,
    Database,
    FullError,
    NotSavedError,
    StorageError,
)
from webapp.storage.disk import Disk, Trouble

TURN_SECONDS = 0.05
STILL_SECONDS = 2.0
WIPE_TRIES = 3


class Pool(sa.pool.QueuePool):
    """Connections to a file; none is given while the file is put in the place of another."""

    gate: threading.Event | None = None

    def connect(self) -> sa.PoolProxiedConnection:
        """Return a connection, after the file has been exchanged."""
        if self.gate is not None:
            self.gate.wait(5 * STILL_SECONDS)
        return super().connect()


class Sqlite(Database):
    """One file, one writing connection under one lock, one process that serves."""

    engine: sa.Engine

    def __init__(self, path: Path) -> None:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),  # as text ? and % would count as signs
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
        sa.event.listen(engine, "connect", set_pragmas)
        self.watch_gate()

    def watch_gate(self) -> None:
        """Have the pool wait while the file is exchanged."""
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
        """Hold the writer's lock. During a long write nobody waits: NotSavedError is raised."""
        while not self.lock.acquire(timeout=TURN_SECONDS):
            if self.long not in (None, threading.get_ident()):
                raise NotSavedError("something long is being written")
        try:
            yield
        finally:
            self.lock.release()

    @contextmanager
    def writing_long(self) -> Iterator[None]:
        """Allow this thread a long write: commands are told to try again, heartbeats go on."""
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
        """Return what keeps us from writing."""
        return self.disk.trouble

    @property
    def rooms_made(self) -> int:
        """Return how often the reserve was used."""
        return self.disk.rooms_made

    def make_room(self, before: int) -> bool:
        """Free the reserve. Return True when another try is worth it."""
        return self.disk.give_reserve() or self.rooms_made > before

    def has_room(self) -> bool:
        """Return False when nothing new may begin because the disk is full."""
        return not self.disk.full or self.disk.keep_reserve()

    def alone(self, connection: sa.Connection) -> None:
        """``BEGIN IMMEDIATE`` has made sure of that."""

    def own_writer(self) -> sa.Connection:
        """Return the one connection that writes."""
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
                    return sum(copy_rows(connection, name) for name in names)
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
                remove_log(self.path)
                kept = keep()
                prepared.replace(self.path)
                return kept
            finally:
                self.watch_gate()
                self.open.set()

    def close_connections(self) -> None:
        """Close all connections, after those in use are done."""
        self.drop_writer()
        for reader in list(self.readers):
            reader.close()
        end = time.monotonic() + STILL_SECONDS
        while is_busy(self.engine.pool) and time.monotonic() < end:
            time.sleep(0.005)
        self.engine.dispose()

    def wipe(self) -> None:
        """Rewrite the file so that nothing of deleted rows is left in it or in its log."""
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
        """Roll back the transaction of the writer."""
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
        """Close the file."""
        with self.turn():
            self.drop_writer()
        super().close()


def copy_rows(connection: sa.Connection, name: str) -> int:
    """Copy all rows of a table from the attached file. Return how many."""
    columns = ", ".join(f'"{c["name"]}"' for c in sa.inspect(connection).get_columns(name))
    command = f'INSERT INTO main."{name}" ({columns}) SELECT {columns} FROM staged."{name}"'
    return connection.exec_driver_sql(command).rowcount


def is_busy(pool: sa.Pool) -> bool:
    """Return True while a connection is in use."""
    return isinstance(pool, Pool) and pool.checkedout() > 0


def remove_log(path: Path) -> None:
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


def set_pragmas(connection: Any, _record: object) -> None:
    """Configure a new connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
