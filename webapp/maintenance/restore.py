"""Restore: puts a backup or an export in the place of the database; adds an import to it.

SQLite is restored from a file, by a command while nobody serves (:func:`restore_file`) or by the
server itself (:func:`replace_live`). PostgreSQL is restored from an export
(:func:`restore_export`).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.maintenance import folder_lock
from webapp.maintenance.backups import (
    FOLDER,
    PARTIAL,
    copy,
    find_damage,
    put_in_place,
    suffix_of,
    sync_file,
    sync_folder,
    unused_name,
)
from webapp.maintenance.jsonl import count_of, exported_tables, is_local, read_file, snapshot
from webapp.maintenance.opening import open_sqlite, open_storage
from webapp.settings import Settings
from webapp.storage.clinician_words import word_of_row
from webapp.storage.database import Database, Progress, StorageError, ignore_progress
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import SCHEMA, Storage, events, meta, screenings, sessions, stored_at
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import LOCAL_TABLES, clients, clinician_words, courses, metadata
from webapp.timekeeping.liveness import pause_for_lost_time

# -- SQLite, while nobody serves -------------------------------------------------------


def restore_file(backup: Path, path: Path, known: int) -> Path | None:
    """Replace ``path`` by a checked copy of ``backup``. Return where the old database is kept.

    Nobody may have the database open. Raises StorageError, and then nothing has changed.
    """
    partial = path.with_name(f"{PARTIAL}{path.name}")
    prepare_restore(backup, partial, known)
    try:
        kept = save_replaced(path)
        restore_devices(partial, path)
        put_in_place(partial, path)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"the backup could not be restored ({error})") from error
    return kept


def prepare_restore(backup: Path, target: Path, known: int) -> None:
    """Write a checked and durable copy of ``backup`` that can be served. Raises StorageError."""
    if not backup.is_file():
        raise StorageError(f"there is no backup {backup}")
    if fault := find_damage(backup):
        raise StorageError(f"the backup {backup} is damaged ({fault}); nothing was changed")
    check_schema(backup, known)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup, target)
        forget_boot(target)
        sync_file(target)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"the backup could not be restored ({error})") from error


def check_schema(backup: Path, known: int) -> None:
    """Raise StorageError when ``backup`` was made by a newer Steady Hands."""
    uri = f"{backup.resolve().as_uri()}?immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    if row is None or not row[0].isdigit() or int(row[0]) > known:
        raise StorageError(
            f"the backup {backup} was written by a newer Steady Hands (schema {row and row[0]}, "
            f"this one knows {known}); nothing was changed"
        )


def forget_boot(path: Path) -> None:
    """Have sessions that ran in the copy paused at the start: nobody knows how they went on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'life'").fetchone()
        if row:
            value = json.dumps(json.loads(row[0]) | {"boot": ""})
            connection.execute("UPDATE meta SET value = ? WHERE name = 'life'", (value,))


def restore_devices(restored: Path, path: Path) -> None:
    """Keep the devices of ``path``, so that a restore brings no revoked device back.

    Where they cannot be read, every device has to join again.
    """
    with closing(sqlite3.connect(restored, isolation_level=None)) as connection:
        known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    names = sorted(LOCAL_TABLES & known)
    fill = [f"INSERT INTO main.{name} SELECT * FROM old.{name}" for name in names]
    try:
        rewrite(restored, names, path if path.is_file() else None, fill)
    except sqlite3.Error:
        rewrite(restored, names, None, ())


def rewrite(restored: Path, names: list[str], old: Path | None, fill: Iterable[str]) -> None:
    """Empty the tables and fill them from the database at ``old``."""
    connection = sqlite3.connect(restored, isolation_level=None, uri=True)
    with closing(connection):
        if old:  # checkpointed, and nobody has it open
            uri = f"{old.resolve().as_uri()}?mode=ro&immutable=1"
            connection.execute("ATTACH ? AS old", (uri,))
        connection.execute("BEGIN IMMEDIATE")
        for statement in (*(f"DELETE FROM main.{name}" for name in names), *(fill if old else ())):
            connection.execute(statement)
        connection.execute("COMMIT")


def save_replaced(path: Path) -> Path | None:
    """Keep the database that is about to be replaced. Return its path.

    A whole file is still in its place afterwards, so that the replacement is one step. One whose
    log cannot be brought in is moved away with it: a start in between says that it is missing.
    """
    if not path.exists() or not checkpoint(path):
        return move_aside(path, "replaced")
    kept = path.with_name(unused_name(path.parent, f"{path.stem}.replaced", path.suffix))
    shutil.copyfile(path, kept)
    sync_file(kept)
    return kept


def checkpoint(path: Path) -> bool:
    """Write the log beside a SQLite file into it. Return False when that is impossible."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return False
    return not path.with_name(f"{path.name}-wal").exists()


def move_aside(path: Path, word: str) -> Path | None:
    """Move a database file and its companion files aside. Return its new path."""
    kept = path.with_name(unused_name(path.parent, f"{path.stem}.{word}", path.suffix))
    moved = None
    for ending in ("-wal", "-shm", ""):
        source = path.with_name(path.name + ending)
        if source.exists():
            source.replace(kept.with_name(kept.name + ending))
            moved = kept
    sync_folder(path.parent)
    return moved


# -- SQLite, while the site serves -----------------------------------------------------


def replace_live(storage: Storage, prepared: Path) -> Path:
    """Replace the served SQLite database by a prepared file. Return the path of the old one.

    Rows that belong to this site are carried over; sessions that ran at the backup are paused.
    Raises StorageError, and then nothing has changed.
    """
    database = storage.database
    assert isinstance(database, Sqlite)
    carry_over(storage, prepared)
    kept = database.replace_with(prepared, lambda: link_beside(database.path))
    sync_folder(database.path.parent)
    storage.forget()
    last = storage.last_sign_of_life()
    if last is not None:
        pause_for_lost_time(storage, last.now)
    return kept


def link_beside(path: Path) -> Path:
    """Link a file that is about to be replaced under another name. Return that path."""
    kept = path.with_name(unused_name(path.parent, f"{path.stem}.replaced", path.suffix))
    try:
        os.link(path, kept)
    except OSError:  # not every file system has that
        shutil.copyfile(path, kept)
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


# -- PostgreSQL ------------------------------------------------------------------------


def restore_export(
    settings: Settings, file: Path, process: str = "", report: Progress = ignore_progress
) -> Path:
    """Replace everything in the database by an export. Return the path of the copy of the old data.

    Only the process ``process`` may serve. Raises StorageError, and then nothing has changed.
    """
    storage = open_storage(settings)
    try:
        check_not_served(storage, process)
        folder = settings.data / FOLDER
        kept = folder / unused_name(folder, "replaced", suffix_of(storage.database))
        copy(storage.database, kept)
        args = (storage.database, file, metadata, SCHEMA, check_rows)
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


# -- import of an export ---------------------------------------------------------------


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
        return read_file(storage.database, file, metadata, SCHEMA, check_rows)
    finally:
        storage.close()


def check_rows(connection: sa.Connection) -> None:
    """Raise ValueError for rows that make no sense together."""
    check_sessions(connection)
    for row in connection.execute(sa.select(clinician_words)).all():
        try:
            word_of_row(row)
        except ValueError as error:
            why = str(error).splitlines()[-1].strip()
            raise ValueError(f"the clinician's word {row.id} cannot be read ({why})") from None


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
