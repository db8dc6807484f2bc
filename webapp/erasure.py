"""Deleting for good: rows with all that hangs on them, out of the files, and out of old copies.

What hangs on a row follows from the foreign keys of the tables; what is tied to it without one is
named in ``TIED``.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from webapp.backups import FOLDER
from webapp.database import Postgresql, Sqlite
from webapp.exchange import snapshot
from webapp.storage import events, screenings, sessions
from webapp.tables import metadata

AT_ONCE = 500
Ids = Sequence[str]


def screenings_of(connection: sa.Connection, ids: Ids) -> list[str]:
    """The screenings that led to these sessions."""
    query = sa.select(sessions.c.admission).where(sessions.c.id.in_(ids))
    told = [json.loads(admission) for admission in connection.scalars(query) if admission]
    return [admission["screening"] for admission in told if admission.get("screening")]


# rows that belong to a row of a table, though no foreign key says so
TIED: dict[str, list[tuple[sa.Table, Callable[[sa.Connection, Ids], list[str]]]]] = {
    "sessions": [(screenings, screenings_of)]
}


def erase(database: Sqlite | Postgresql, table: str, ids: Ids) -> dict[str, int]:
    """Delete these rows and all that hangs on them, without a trace. Gives how many by table.

    Raises NotSavedError.
    """
    counts: dict[str, int] = {}
    with database.write() as connection:
        for start in range(0, len(ids), AT_ONCE):
            delete(connection, metadata.tables[table], ids[start : start + AT_ONCE], counts)
    database.wipe()
    return counts


def delete(connection: sa.Connection, table: sa.Table, ids: Ids, counts: dict[str, int]) -> None:
    """Delete the rows of ``table`` with these ids, first what hangs on them."""
    for tied, found in TIED.get(table.name, []):
        delete(connection, tied, found(connection, ids), counts)
    for child, column in hanging_on(table):
        if "id" in child.c:
            below = list(connection.scalars(sa.select(child.c.id).where(column.in_(ids))))
            delete(connection, child, below, counts)
        else:
            remove(connection, child, column, ids, counts)
    remove(connection, table, table.c.id, ids, counts)


def remove(
    connection: sa.Connection,
    table: sa.Table,
    column: sa.Column[str],
    ids: Ids,
    counts: dict[str, int],
) -> None:
    gone = connection.execute(sa.delete(table).where(column.in_(ids))).rowcount
    counts[table.name] = counts.get(table.name, 0) + gone


def hanging_on(table: sa.Table) -> Iterable[tuple[sa.Table, sa.Column[str]]]:
    """Tables with a foreign key to ``table``, and its column."""
    for child in metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column.table is table and child is not table:
                yield child, key.parent


@dataclass(frozen=True, slots=True)
class Old:
    """Sessions that retention would delete, and when the first and the last of them ended (ms)."""

    ids: tuple[str, ...]
    first: int
    last: int
    all: int

    def text(self) -> str:
        if not self.ids:
            return f"None of {self.all} sessions is that old."
        span = " to ".join(
            f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}" for ms in (self.first, self.last)
        )
        return f"{len(self.ids)} of {self.all} sessions would be deleted; they ended {span}."


def ended_before(database: Sqlite | Postgresql, days: int, now: datetime | None = None) -> Old:
    """Sessions in which nothing has happened for so many days."""
    limit = int(((now or datetime.now(UTC)) - timedelta(days=days)).timestamp() * 1000)
    newest = sa.select(sa.func.max(events.c.at)).where(events.c.session == sessions.c.id)
    ended = sa.func.coalesce(newest.scalar_subquery(), sessions.c.created_at)
    query = sa.select(sessions.c.id, ended.label("ended")).where(ended < limit).order_by(ended)
    with snapshot(database) as connection:
        rows = connection.execute(query).all()
        count = connection.scalar(sa.select(sa.func.count()).select_from(sessions)) or 0
    ids = tuple(row.id for row in rows)
    return Old(ids, rows[0].ended if rows else 0, rows[-1].ended if rows else 0, count)


def still_holding(data: Path, ids: Ids) -> list[Path]:
    """Copies of the database in the data folder that have one of these ids anywhere."""
    folder = data / FOLDER
    copies = [*folder.glob("*.sqlite3"), *folder.glob("*.jsonl.gz")]
    copies += [p for word in ("replaced", "damaged") for p in data.glob(f"*.{word}-*.sqlite3")]
    return [path for path in sorted(copies) if holds(path, ids)]


def holds(path: Path, ids: Ids) -> bool:
    """True when the copy has one of the ids, or cannot be read."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return any(f'"{an_id}"' in line for line in file for an_id in ids)
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            known = {row[0] for row in connection.execute("SELECT id FROM sessions")}
        return bool(known & set(ids))
    except (OSError, EOFError, sqlite3.Error, UnicodeDecodeError):
        return True
