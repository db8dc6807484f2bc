"""Every route is asked on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Visitor, visit_with
from tests.postgresql import Server
from webapp.database import Postgresql
from webapp.storage import SCHEMA, Storage, meta, open_postgresql, open_sqlite
from webapp.tables import metadata
from webapp.upgrade import prepare


@pytest.fixture(scope="session")
def shared_database(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postgresql]:
    """A database with our tables, for one test after the other."""
    url = postgresql.new_database("routes")
    storage = open_postgresql(url, tmp_path_factory.mktemp("copies"))
    assert isinstance(storage.database, Postgresql)
    yield storage.database
    storage.close()


def clear(database: Postgresql) -> None:
    """Leave the tables without rows; make them again where a test has dropped one."""
    with database.engine.connect() as connection:
        missing = set(metadata.tables) - set(sa.inspect(connection).get_table_names())
        if missing:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    if missing:
        prepare(database, metadata, SCHEMA)
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            kept = sa.true() if table is not meta else meta.c.name != "schema"
            connection.execute(sa.delete(table).where(kept))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        storage = open_sqlite(tmp_path / "steady-hands.sqlite3")
        yield storage
        storage.close()
    else:
        database: Postgresql = request.getfixturevalue("shared_database")
        clear(database)
        yield Storage(database)


@pytest.fixture
def visitor(small_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """A visitor of a site with the small protocols."""
    yield from visit_with(small_app, empty)


@pytest.fixture
def owner(lan_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """The machine itself, of a site that others have to join."""
    yield from visit_with(lan_app, empty)


@pytest.fixture
def shipped_visitor(shipped_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """A visitor of a site with the protocols of the repository."""
    yield from visit_with(shipped_app, empty)
