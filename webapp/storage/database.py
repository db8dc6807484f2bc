"""Base of both databases: readers, write transactions, errors.

The engine leaves transactions to us, so that a write is durable exactly when ``write`` ends.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from webapp.storage.disk import Trouble

BUSY_SECONDS = 5.0
LATELY_SECONDS = 30.0  # three signs of life


Progress = Callable[[int, int], None]  # done, total


def ignore_progress(_done: int, _of: int) -> None:
    """Ignore the progress."""


class StorageError(Exception):
    """The database cannot be used; the text says what and what to do."""


class NotSavedError(StorageError):
    """A write failed; nothing was changed and nothing may be acknowledged."""


class FullError(NotSavedError):
    """There is no room on the disk."""


class AwayError(NotSavedError):
    """The database server does not answer."""


class LostError(AwayError):
    """The connection broke; whether the last write counted has to be looked up."""


class ConflictError(Exception):
    """Somebody else acted meanwhile; nothing was changed."""


class Database:
    """Base class of both. ``shared`` is True when other processes may write too."""

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
        """Return this thread's own connection for heartbeats: the pool costs more than the read."""
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
        """Return what prevents writing, as far as known; PostgreSQL's disk is not watched."""
        return ""

    @property
    def rooms_made(self) -> int:
        """How often room was made."""
        return 0

    def make_room(self, before: int) -> bool:
        """Return True when another try is worth it after FullError.

        ``before`` is ``rooms_made`` before the write: of two writers the second finds the room that
        the first has made.
        """
        return False

    def has_room(self) -> bool:
        """False when nothing new may begin because the disk is full."""
        return True

    def check_new(self, connection: sa.Connection) -> None:
        """Raise StorageError where an empty database could not hold everything."""

    @contextmanager
    def writing_long(self) -> Iterator[None]:
        """Allow this thread a long write; PostgreSQL makes nobody wait for it."""
        yield

    def close(self) -> None:
        """Close all connections."""
        for reader in list(self.readers):
            reader.close()
        self.engine.dispose()


def undo(connection: sa.Connection) -> None:
    """Roll back; a connection on which that fails is not used again."""
    try:
        connection.exec_driver_sql("ROLLBACK")
    except (DBAPIError, AwayError):
        connection.invalidate()


def reason(error: BaseException) -> str:
    """Return the driver's message as one line."""
    deepest = error
    while deepest.__cause__:
        deepest = deepest.__cause__
    deepest = getattr(deepest, "orig", None) or deepest
    lines = [line.strip() for line in str(deepest).splitlines() if line.strip()]
    said = lines[0] if lines else type(deepest).__name__
    return said.rpartition("FATAL:")[2].rpartition(" failed: ")[2].strip()
