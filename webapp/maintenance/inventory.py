"""Inventory for the owner's pages: sessions, clients, disk space, and backups."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from webapp.maintenance import backups
from webapp.settings import Settings
from webapp.storage.disk import free_bytes
from webapp.storage.sessions import SCHEMA, Storage, events, sessions
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import clients, courses

WHEN = re.compile(r"(\d{8}T\d{6}Z)")
TOUCHED_MS = 12 * 3_600_000
MIGRATED = re.compile(r"^before-migration-(\d+)-")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the database; ``name`` is its place in the data folder, ``made_at`` in ms.

    ``schema`` is None for a file that cannot be read.
    """

    name: str
    kind: str
    made_at: int
    bytes: int
    schema: int | None

    @property
    def file(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def usable(self) -> bool:
        return self.schema is not None and self.schema <= SCHEMA


@dataclass(frozen=True, slots=True)
class Inventory:
    """Sizes in bytes; ``free`` is what the disk of the data folder has left."""

    sessions: int
    clients: int
    courses: int
    bytes: int
    free: int


HOW_MANY = sa.select(
    *(
        sa.select(sa.func.count()).select_from(table).scalar_subquery().label(table.name)
        for table in (sessions, clients, courses)
    )
)


def read_inventory(storage: Storage, settings: Settings) -> Inventory:
    with storage.engine.connect() as connection:
        counts = connection.execute(HOW_MANY).one()._asdict()
        if isinstance(storage.database, Sqlite):
            path = storage.database.path
            size = sum(backups.size_of(path.with_name(path.name + end)) for end in ("", "-wal"))
        else:
            size_query = sa.func.pg_database_size(sa.func.current_database())
            size = int(connection.scalar(sa.select(size_query)) or 0)
    return Inventory(**counts, bytes=size, free=free_bytes(settings.data))


def copies(settings: Settings) -> list[Copy]:
    """Every copy in the data folder that this site can read, newest first."""
    ending = ".gz" if settings.database_url else ".sqlite3"
    paths = [path for path in backups.list_copies(settings.data) if path.suffix == ending]
    rows = [copy_at(path, settings.data) for path in paths]
    return sorted(rows, key=lambda copy: (copy.made_at, copy.name), reverse=True)


def copy_at(path: Path, data: Path) -> Copy:
    match = WHEN.search(path.name)
    if match:
        seconds = datetime.strptime(match[1], backups.STAMP).replace(tzinfo=UTC).timestamp()
    else:
        seconds = path.stat().st_mtime
    name = path.relative_to(data).as_posix()
    return Copy(
        name, kind_of(path.name), int(seconds * 1000), backups.size_of(path), schema_in(path)
    )


def kind_of(name: str) -> str:
    if migrated := MIGRATED.match(name):
        return f"before the upgrade from schema {migrated[1]}"
    if "replaced" in name:
        return "kept by a restore"
    return "damaged, kept" if "damaged" in name else "backup"


def schema_in(path: Path) -> int | None:
    """The schema of a copy, by its head alone; None when it cannot be read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return int(json.loads(file.readline(10_000))["schema"])
        uri = f"{path.resolve().as_uri()}?immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
            return int(row[0])
    except (OSError, EOFError, sqlite3.Error, ValueError, TypeError, LookupError):
        return None


def copy_named(settings: Settings, name: str) -> Copy | None:
    """The copy with this file name or place; None when there is none."""
    return next((copy for copy in copies(settings) if name in (copy.file, copy.name)), None)


def running_sessions(storage: Storage, now: int) -> list[str]:
    """Sessions that are live and were touched within the last 12 hours. One query."""
    newest = sa.select(sa.func.max(events.c.at)).where(events.c.session == sessions.c.id)
    touched = newest.scalar_subquery() > now - TOUCHED_MS
    query = sa.select(sessions.c.id).where(sessions.c.live_until > now, touched)
    with storage.engine.connect() as connection:
        return list(connection.scalars(query))


def lost_since(storage: Storage, at: int) -> tuple[int, int]:
    """How many sessions were made after ``at`` (ms), and how many older ones went on after it."""
    created = sa.select(sa.func.count()).select_from(sessions).where(sessions.c.created_at > at)
    went_on = (
        sa.select(sa.func.count(sa.distinct(events.c.session)))
        .join(sessions, sessions.c.id == events.c.session)
        .where(events.c.at > at, sessions.c.created_at <= at)
    )
    with storage.engine.connect() as connection:
        return connection.scalar(created) or 0, connection.scalar(went_on) or 0
