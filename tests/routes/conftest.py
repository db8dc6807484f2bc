"""Every route is asked on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.support.postgresql import Server
from webapp.maintenance.backups import copy_before_migration
from webapp.maintenance.opening import open_postgresql
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import SCHEMA, Storage, meta
from webapp.storage.tables import metadata
from webapp.storage.upgrade import prepare

ALL_BUT_META = [table.name for table in reversed(metadata.sorted_tables) if table is not meta]
EMPTIED = "; ".join(  # in one go; TRUNCATE takes longer for tables as small as these
    [*(f"DELETE FROM {name}" for name in ALL_BUT_META), "DELETE FROM meta WHERE name != 'schema'"]
)


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
        prepare(database, metadata, SCHEMA, copy_before_migration)
    with database.write() as connection:
        connection.exec_driver_sql(EMPTIED)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Storage:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        storage: Storage = request.getfixturevalue("sqlite_storage")
        return storage
    database: Postgresql = request.getfixturevalue("shared_database")
    clear(database)
    return Storage(database)
