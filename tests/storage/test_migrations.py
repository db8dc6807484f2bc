"""Older databases are brought up to date on both databases, and end as new ones begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.storage import golden
from webapp.maintenance.backups import FOLDER
from webapp.maintenance.jsonl import Digest, line_of, rows_of, snapshot
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.sessions import SCHEMA, Storage, StorageError
from webapp.storage.tables import metadata
from webapp.storage.upgrade import MIGRATIONS, migrate, revision


def write_golden(settings: Settings, schema: int) -> None:
    if settings.database_url:
        golden.write_postgresql(settings.database_url, schema)
    else:
        golden.write_sqlite(settings.database, schema)


def differences(connection: sa.Connection) -> list[object]:
    """Between the tables of a database and those that the app knows."""
    options = {"compare_type": True, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return [one for one in found if not is_unread_link(connection, one)]


def is_unread_link(connection: sa.Connection, difference: Any) -> bool:
    """What SQLite does on deleting is not read from columns that were added later.

    That it is there is looked at in ``test_courses.py``, by asking the database itself.
    """
    kind = difference[0] if isinstance(difference, tuple) else ""
    links = kind in ("remove_fk", "add_fk") and difference[1].table.name == "sessions"
    return connection.dialect.name == "sqlite" and links


def unmigrated(storage: Storage) -> None:
    """Take away all tables of an open database."""
    with storage.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.schema.DropTable(table))


def test_the_newest_migration_is_the_schema_of_the_app() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_current_head() == revision(SCHEMA)
    found = [script.revision for script in scripts.walk_revisions()]
    assert found == [revision(schema) for schema in range(SCHEMA, 0, -1)]


def test_migrations_from_nothing_end_where_a_new_database_begins(storage: Storage) -> None:
    with storage.engine.connect() as connection:
        assert differences(connection) == []
    unmigrated(storage)
    with storage.write() as connection:
        assert differences(connection)
        migrate(connection, 0, SCHEMA)
    with storage.engine.connect() as connection:
        assert differences(connection) == []


@pytest.mark.parametrize("schema", golden.SCHEMAS)
def test_an_older_database_becomes_one_of_now_and_keeps_every_row(
    tmp_path: Path, database_url: str | None, schema: int
) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    write_golden(settings, schema)
    storage = open_storage(settings)
    try:
        with storage.engine.connect() as connection:
            assert differences(connection) == []
            assert sorted(connection.scalars(sa.text("SELECT id FROM sessions"))) == [
                "golden-finished",
                "golden-paused",
                "golden-ready",
                "golden-running",
            ]
            devices = connection.scalar(sa.text("SELECT count(*) FROM devices"))
            assert devices == max(0, schema - 3)  # each release with joining let one in
            words = connection.scalar(sa.text("SELECT count(*) FROM clinician_words"))
            assert words == int(schema > 5)
        running = storage.load(golden.RUNNING)
        assert running
        assert (running.folded.status, running.seq) == ("running", 6)
        assert running.folded.at == golden.RESUMED_AT
    finally:
        storage.close()


@pytest.mark.parametrize("schema", [n for n in golden.SCHEMAS if n < SCHEMA])
def test_the_database_is_copied_as_it_was_before_it_is_migrated(
    tmp_path: Path, database_url: str | None, schema: int
) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    write_golden(settings, schema)
    open_storage(settings).close()
    open_storage(settings).close()
    (kept,) = (tmp_path / FOLDER).iterdir()
    ending = ".jsonl.gz" if database_url else ".sqlite3"
    assert kept.name.startswith(f"before-migration-{schema}-")
    assert kept.name.endswith(ending)
    if not database_url:
        fresh = golden.write_sqlite(tmp_path / "fresh" / "steady-hands.sqlite3", schema)
        assert content(kept) == content(fresh)


def content(path: Path) -> str:
    engine = sa.create_engine(f"sqlite:///{path}")
    total = Digest()
    with engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            for row in connection.execute(sa.select(table)):
                total.add(line_of(table.name, dict(row._mapping)))
    engine.dispose()
    return total.text()


def test_a_copy_that_cannot_be_made_stops_the_migration(
    tmp_path: Path, database_url: str | None
) -> None:
    settings = Settings(tmp_path / "data", database_url=database_url)
    write_golden(settings, 1)
    settings.data.mkdir(exist_ok=True)
    (settings.data / FOLDER).write_text("in the way")
    with pytest.raises(StorageError, match="could not be copied"):
        open_storage(settings)
    (settings.data / FOLDER).unlink()
    open_storage(settings).close()


def test_a_newer_database_is_refused_and_left_alone_on_both(
    tmp_path: Path, database_url: str | None
) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    storage = open_storage(settings)
    change = sa.text("UPDATE meta SET value = '99' WHERE name = 'schema'")
    with storage.write() as connection:
        connection.execute(change)
    storage.close()
    with pytest.raises(StorageError, match="newer Steady Hands") as caught:
        open_storage(settings)
    assert "\n" not in str(caught.value)


def test_a_database_of_something_else_is_refused_and_left_alone(
    tmp_path: Path, database_url: str | None
) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    storage = open_storage(settings)
    with storage.write() as connection:
        connection.execute(sa.text("DROP TABLE meta"))
    storage.close()
    with pytest.raises(StorageError, match="tables of something else"):
        open_storage(settings)


def test_rows_come_in_the_same_order_from_both_databases(
    tmp_path: Path, postgresql_url: str
) -> None:
    found = []
    for url in (None, postgresql_url):
        settings = Settings(tmp_path / str(bool(url)), database_url=url)
        write_golden(settings, 1)
        storage = open_storage(settings)
        with snapshot(storage.database) as connection:
            tables = metadata.sorted_tables
            found.append([[*rows_of(connection, table)] for table in tables])
        storage.close()
    assert found[0] == found[1]
    assert sum(map(len, found[0])) > 15
