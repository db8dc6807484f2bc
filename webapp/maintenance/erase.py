"""Deletion for good: rows with all that depends on them; finds backups that still hold them.

Foreign keys of the tables say which rows depend on a row; those that depend without one are
named in ``TIED``.
"""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from webapp.maintenance.backups import list_copies
from webapp.maintenance.jsonl import snapshot
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import screenings, sessions
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import clients, metadata

AT_ONCE = 500
WHOSE = re.compile(r'^\{"table":"(?:sessions|clients)","row":\{"id":"([^"]*)"')
Ids = Sequence[str]


def screenings_of(connection: sa.Connection, ids: Ids) -> list[str]:
    """The screenings that led to these sessions."""
    query = sa.select(sessions.c.admission).where(sessions.c.id.in_(ids))
    admissions = [json.loads(admission) for admission in connection.scalars(query) if admission]
    return [admission["screening"] for admission in admissions if admission.get("screening")]


def answers_of(connection: sa.Connection, ids: Ids) -> list[str]:
    """The screenings of the last day that were answered for these clients."""
    rows = connection.execute(sa.select(screenings.c.id, screenings.c.body)).all()
    return [row.id for row in rows if json.loads(row.body).get("client") in ids]


# rows that belong to a row of a table, though no foreign key says so
TIED: dict[str, list[tuple[sa.Table, Callable[[sa.Connection, Ids], list[str]]]]] = {
    "sessions": [(screenings, screenings_of)],
    "clients": [(screenings, answers_of)],
}


def erase(database: Sqlite | Postgresql, table: str, ids: Ids) -> dict[str, int]:
    """Delete these rows and all that hangs on them, without a trace. Gives how many by table.

    Raises NotSavedError.
    """
    counts: dict[str, int] = {}
    with database.writing_long(), database.write() as connection:
        for start in range(0, len(ids), AT_ONCE):
            delete(connection, metadata.tables[table], ids[start : start + AT_ONCE], counts)
    database.wipe()
    return counts


def delete(connection: sa.Connection, table: sa.Table, ids: Ids, counts: dict[str, int]) -> None:
    """Delete the rows of ``table`` with these ids, first what hangs on them."""
    for part, column, some in dependent_rows(connection, table, ids, set()):
        gone = connection.execute(sa.delete(part).where(column.in_(some))).rowcount
        counts[part.name] = counts.get(part.name, 0) + gone


def ids_of_client(database: Sqlite | Postgresql, code: str) -> list[str]:
    """The id of the client with this code; empty when there is none."""
    with snapshot(database) as connection:
        return list(connection.scalars(sa.select(clients.c.id).where(clients.c.code == code)))


def count_rows(database: Sqlite | Postgresql, table: str, ids: Ids) -> dict[str, int]:
    """How many rows :func:`erase` would delete, by table."""
    counts: dict[str, int] = {}
    with snapshot(database) as connection:
        seen: set[tuple[str, str]] = set()
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            for part, column, those in dependent_rows(
                connection, metadata.tables[table], some, seen
            ):
                query = sa.select(sa.func.count()).select_from(part).where(column.in_(those))
                counts[part.name] = counts.get(part.name, 0) + (connection.scalar(query) or 0)
    return counts


def dependent_rows(
    connection: sa.Connection, table: sa.Table, ids: Ids, seen: set[tuple[str, str]]
) -> Iterator[tuple[sa.Table, sa.Column[str], Ids]]:
    """Where the rows with these ids stand, and first all that hangs on them; each row once."""
    ids = [row_id for row_id in ids if (table.name, row_id) not in seen]
    seen.update((table.name, row_id) for row_id in ids)
    for tied, ids_of_tied in TIED.get(table.name, []):
        yield from dependent_rows(connection, tied, ids_of_tied(connection, ids), seen)
    for child, column in foreign_keys_to(table):
        if "id" in child.c:
            below = list(connection.scalars(sa.select(child.c.id).where(column.in_(ids))))
            yield from in_batches(connection, child, below, seen)
        else:
            yield child, column, ids
    yield table, table.c.id, ids


def in_batches(
    connection: sa.Connection, table: sa.Table, ids: Ids, seen: set[tuple[str, str]]
) -> Iterator[tuple[sa.Table, sa.Column[str], Ids]]:
    for start in range(0, len(ids), AT_ONCE):
        yield from dependent_rows(connection, table, ids[start : start + AT_ONCE], seen)


def foreign_keys_to(table: sa.Table) -> Iterable[tuple[sa.Table, sa.Column[str]]]:
    """Tables with a foreign key to ``table``, and its column."""
    for child in metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column.table is table and child is not table:
                yield child, key.parent


def copies_with(data: Path, ids: Ids) -> list[Path]:
    """Copies of the database in the data folder that have one of these ids anywhere."""
    return [path for path in sorted(list_copies(data)) if has_any_id(path, ids)]


def has_any_id(path: Path, ids: Iterable[str]) -> bool:
    """True when the copy has a session or client with one of the ids, or cannot be read."""
    ids = set(ids)
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                matches = (WHOSE.match(line) for line in file)
                return any(row[1] in ids for row in matches if row)
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return any(has_id(connection, table, ids) for table in ("sessions", "clients"))
    except (OSError, EOFError, sqlite3.Error, UnicodeDecodeError):
        return True


def has_id(connection: sqlite3.Connection, table: str, ids: set[str]) -> bool:
    """False for a table that an older copy does not have."""
    known = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    if not connection.execute(known, (table,)).fetchone()[0]:
        return False
    return any(row[0] in ids for row in connection.execute(f"SELECT id FROM {table}"))
