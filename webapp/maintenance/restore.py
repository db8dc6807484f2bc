"""Import of an export, and restore of a backup or an export into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.maintenance import backups, folder_lock
from webapp.maintenance.jsonl import count_of, exported_tables, is_local, read_file, snapshot
from webapp.maintenance.opening import open_sqlite, open_storage
from webapp.settings import Settings
from webapp.storage.database import Database, Progress, StorageError, ignore_progress
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import SCHEMA, Storage, events, meta, screenings, sessions, stored_at
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import LOCAL_TABLES, clients, courses, metadata
from webapp.timekeeping.liveness import pause_for_lost_time


def import_export(settings: Settings, file: Path) -> int:
    """Import an export beside the present data. Return the number of rows. Raises StorageError."""
    if settings.database_url:
        return import_file(settings, file)
    settings.data.mkdir(parents=True, exist_ok=True)
    with folder_lock.lock_out_servers(settings.data):
        return import_file(settings, file)


def import_file(settings: Settings, file: Path) -> int:
    storage = open_storage(settings)
    try:
        return read_file(storage.database, file, metadata, SCHEMA, check_sessions)
    finally:
        storage.close()


def restore_export(
    settings: Settings, file: Path, process: str = "", report: Progress = ignore_progress
) -> Path:
    """Replace everything in the database by an export. Return the path of the copy of the old data.

    Only the process ``process`` may serve. Raises StorageError, and then nothing has changed.
    """
    storage = open_storage(settings)
    try:
        check_not_served(storage, process)
        folder = settings.data / backups.FOLDER
        kept = folder / backups.unused_name(folder, "replaced", backups.suffix_of(storage.database))
        backups.copy(storage.database, kept)
        args = (storage.database, file, metadata, SCHEMA, check_sessions)
        read_file(*args, replace=True, report=report)
        pause_running(storage)
        return kept
    finally:
        storage.close()


def check_not_served(storage: Storage, process: str = "") -> None:
    """Raise StorageError when another process stored a sign of life within half a minute."""
    from webapp.timekeeping.clock import Clock
    from webapp.timekeeping.shared_clock import SharedClock

    shared_clock = SharedClock(storage, Clock())
    if process:
        shared_clock.process = process
    if shared_clock.others(shared_clock.read()):
        others = "every other server" if process else "every server"
        raise StorageError(f"the database is being served; stop {others} and wait 30 seconds")


def pause_running(storage: Storage) -> None:
    """Pause sessions that ran when the export was made: nobody knows how they went on."""
    with storage.engine.connect() as connection:
        last = connection.scalar(sa.select(sa.func.max(events.c.at)))
    if last is not None:
        pause_for_lost_time(storage, last)


def check_sessions(connection: sa.Connection) -> None:
    """Raise ValueError when a session's rows do not fit together."""
    for row in connection.execute(sa.select(sessions)).all():
        query = sa.select(events).where(events.c.session == row.id).order_by(events.c.seq)
        try:
            stored = stored_at(row, connection.execute(query).all())
        except (ValueError, LookupError, TypeError) as error:
            why = str(error).splitlines()[0]
            raise ValueError(f"session {row.id} cannot be read ({why})") from None
        if [event.seq for event in stored.events] != list(range(1, row.last_seq + 1)):
            raise ValueError(f"session {row.id} has gaps in its history")


def compare(staged: Database, live: Database) -> dict[str, Any]:
    """Return what a staged export holds, and how much of it the live database has already."""
    with snapshot(staged) as connection:
        counts = {
            table.name: count_of(connection, table)
            for table in (clients, courses, sessions, events)
        }
        span = sa.select(sa.func.min(sessions.c.created_at), sa.func.max(sessions.c.created_at))
        first, last = connection.execute(span).one()
        theirs = known_names(connection)
    with snapshot(live) as connection:
        common = theirs & known_names(connection)
    return {"counts": counts, "first": first, "last": last, "known": len(common)}


def known_names(connection: sa.Connection) -> set[str]:
    """Return ids and client codes, which must be unique."""
    columns = (sessions.c.id, courses.c.id, clients.c.id, clients.c.code, screenings.c.id)
    return {name for column in columns for name in connection.scalars(sa.select(column))}


def drop_local(staged: Sqlite | Postgresql) -> None:
    """Delete the settings of another site from a staged export."""
    with staged.write() as connection:
        connection.execute(sa.delete(meta).where(is_local(meta)))


def merge(storage: Storage, staged: Path) -> int:
    """Import a staged export into the SQLite database that is served. Raises StorageError."""
    assert isinstance(storage.database, Sqlite)
    names = [table.name for table in exported_tables(metadata)]
    try:
        return storage.database.merge(staged, names)
    except IntegrityError as error:
        raise StorageError(
            f"some of it is here already ({error.orig}); nothing was changed"
        ) from None


def replace_live(storage: Storage, prepared: Path) -> Path:
    """Replace the served SQLite database by a prepared file. Return the path of the old one.

    Rows that belong to this site are carried over; sessions that ran at the backup are paused.
    Raises StorageError, and then nothing has changed.
    """
    database = storage.database
    assert isinstance(database, Sqlite)
    carry_over(storage, prepared)
    kept = database.replace_with(prepared, lambda: backups.link_beside(database.path))
    backups.sync_folder(database.path.parent)
    storage.forget()
    last = storage.last_sign_of_life()
    if last is not None:
        pause_for_lost_time(storage, last.now)
    return kept


def carry_over(storage: Storage, prepared: Path) -> None:
    """Copy jobs, devices and settings of this site into a backup that is to be restored."""
    target = open_sqlite(prepared)
    tables = [table for table in metadata.sorted_tables if table.name in LOCAL_TABLES]
    kept = (meta.c.name == "retention",)
    try:
        with storage.engine.connect() as source, target.write() as connection:
            for table, where in [*((table, ()) for table in tables), (meta, kept)]:
                connection.execute(sa.delete(table).where(*where))
                rows = source.execute(sa.select(table).where(*where)).mappings().all()
                if rows:
                    connection.execute(sa.insert(table), [dict(row) for row in rows])
    finally:
        target.close()
