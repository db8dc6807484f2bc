"""Open a database and migrate it; a copy is made before its schema changes."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from webapp.maintenance.backups import copy_before_migration
from webapp.settings import Settings
from webapp.storage.database import StorageError, reason
from webapp.storage.observer import StorageObserver
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import SCHEMA, Storage, database_of, postgresql_at
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import metadata
from webapp.storage.upgrade import prepare


def open_storage(settings: Settings) -> Storage:
    """The database that the settings name, brought up to date. Raises StorageError."""
    return open_database(database_of(settings))


def open_sqlite(path: Path) -> Storage:
    """The embedded database at ``path``, made when it is missing. Raises StorageError."""
    return open_database(Sqlite(path))


def open_postgresql(url: str, folder: Path) -> Storage:
    """The database of a PostgreSQL server; copies go to ``folder``. Raises StorageError."""
    return open_database(postgresql_at(url, folder))


def open_database(
    database: Sqlite | Postgresql, observer: StorageObserver | None = None
) -> Storage:
    """``database``, brought up to date. Raises StorageError."""
    name = database.name
    try:
        prepare(database, metadata, SCHEMA, copy_before_migration)
    except StorageError as error:
        database.close()
        if type(error) is StorageError:
            raise
        raise StorageError(f"the database {name} cannot be used: {reason(error)}") from error
    except DBAPIError as error:
        database.close()
        raise StorageError(f"the database {name} cannot be opened: {reason(error)}") from error
    return Storage(database, observer)
