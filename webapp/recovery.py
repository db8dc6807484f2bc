"""Exports back into a database: imported beside what is there, or restored in its place."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from webapp import backups, folder_lock
from webapp.database import StorageError
from webapp.exchange import read_file
from webapp.settings import Settings
from webapp.storage import SCHEMA, Storage, events, open_storage, sessions, stored_at
from webapp.tables import metadata


def import_export(settings: Settings, file: Path) -> int:
    """Bring an export in beside what is there; gives the number of rows. Raises StorageError."""
    if settings.database_url:
        return imported(settings, file)
    settings.data.mkdir(parents=True, exist_ok=True)
    with folder_lock.alone(settings.data):
        return imported(settings, file)


def imported(settings: Settings, file: Path) -> int:
    storage = open_storage(settings)
    try:
        return read_file(storage.database, file, metadata, SCHEMA, make_sense)
    finally:
        storage.close()


def restore_export(settings: Settings, file: Path) -> Path:
    """Put an export in the place of everything in the database; gives where that is kept.

    Raises StorageError, and then nothing has changed.
    """
    storage = open_storage(settings)
    try:
        refuse_while_served(storage)
        folder = settings.data / backups.FOLDER
        kept = folder / backups.unused(folder, "replaced", backups.ending(storage.database))
        backups.copy(storage.database, kept)
        read_file(storage.database, file, metadata, SCHEMA, make_sense, replace=True)
        return kept
    finally:
        storage.close()


def refuse_while_served(storage: Storage) -> None:
    """Raise StorageError when a process has told within half a minute that it lives."""
    from webapp.clock import Clock
    from webapp.line import SharedLine

    line = SharedLine(storage, Clock())
    if line.others(line.look()):
        raise StorageError("the database is being served; stop every server and wait 30 seconds")


def make_sense(connection: sa.Connection) -> None:
    """Raise ValueError when a session's rows do not fit together."""
    for row in connection.execute(sa.select(sessions)).all():
        mine = sa.select(events).where(events.c.session == row.id).order_by(events.c.seq)
        try:
            stored = stored_at(row, connection.execute(mine).all())
        except (ValueError, LookupError, TypeError) as error:
            why = str(error).splitlines()[0]
            raise ValueError(f"session {row.id} cannot be read ({why})") from None
        if [event.seq for event in stored.events] != list(range(1, row.last_seq + 1)):
            raise ValueError(f"session {row.id} has gaps in its history")
