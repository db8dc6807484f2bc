"""Storage observer of a serving process: pushes events to open pages, and runs work on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from webapp.server.push import PushEvents
from webapp.storage.observer import StorageObserver
from webapp.storage.postgresql import Postgresql
from webapp.storage.sqlite import Sqlite

if TYPE_CHECKING:
    from webapp.server.pg_notify import PgNotify


class LoopObserver(StorageObserver):
    """Tells the open pages of this process, and other processes where they share a database."""

    def __init__(self, database: Sqlite | Postgresql) -> None:
        self.push = PushEvents()
        self.pg_notify = pg_notify_for(database, self.push.notify)
        self.loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to serve on ``loop``."""
        self.loop = loop
        if self.pg_notify:
            self.pg_notify.start()

    def recorded(self, session_id: str) -> None:
        self.push.notify(session_id)
        if self.pg_notify:
            self.pg_notify.notify(session_id)

    def run_between_requests(self, work: Callable[[], None]) -> None:
        if self.loop is None:
            work()
            return
        done: Future[None] = Future()

        def run() -> None:
            try:
                work()
                done.set_result(None)
            except BaseException as error:
                done.set_exception(error)

        self.loop.call_soon_threadsafe(run)
        done.result()


def pg_notify_for(database: Sqlite | Postgresql, heard: Callable[[str], None]) -> PgNotify | None:
    """Return the notifications between processes; None for SQLite."""
    if not isinstance(database, Postgresql):
        return None
    from webapp.server.pg_notify import PgNotify  # its driver is only installed with PostgreSQL

    return PgNotify(database.parameters, heard)
