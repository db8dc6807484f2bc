"""Schema upgrade: creates a new schema, migrates an older one, refuses a newer one.

``meta.schema`` alone says which schema a database has; Alembic's own table follows it. A change of
schema is: a new number in ``storage.SCHEMA``, the table there, and a file in
``migrations/versions`` whose revision is that number.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from webapp.storage.database import Database, StorageError
from webapp.storage.postgresql import Postgresql
from webapp.storage.sqlite import Sqlite

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
SCHEMA_OF = "SELECT value FROM meta WHERE name = 'schema'"


def prepare(
    database: Sqlite | Postgresql,
    metadata: sa.MetaData,
    schema: int,
    copy: Callable[[Database, int], object],
) -> None:
    """Bring ``database`` to ``schema``. Raises StorageError for a newer or a foreign one.

    ``copy`` keeps the database as it is, with its schema's number, before it is migrated.
    """
    with database.engine.connect() as connection:
        present = schema_of(connection, metadata, schema)
    if present == schema:
        return
    if present:
        copy(database, present)
    with database.write() as connection:
        database.alone(connection)
        present = schema_of(connection, metadata, schema)
        if not present:
            database.check_new(connection)
            metadata.create_all(connection)
            connection.exec_driver_sql(f"INSERT INTO meta VALUES ('schema', '{schema}')")
        elif present < schema:
            migrate(connection, present, schema)


def schema_of(connection: sa.Connection, metadata: sa.MetaData, known: int) -> int:
    """The schema of the database that is there, 0 for an empty one. Raises StorageError."""
    tables = set(sa.inspect(connection).get_table_names())
    if "meta" not in tables:
        if foreign := sorted(tables & set(metadata.tables)):
            raise StorageError(
                f"the database holds tables of something else ({', '.join(foreign)}); give Steady "
                "Hands one of its own"
            )
        return 0
    present = connection.exec_driver_sql(SCHEMA_OF).scalar()
    if present is None or not present.isdigit() or not 0 < int(present) <= known:
        raise StorageError(
            f"the database was written by a newer Steady Hands (schema {present}, this one knows "
            f"{known}); install that version, or choose another folder with --data"
        )
    return int(present)


def migrate(connection: sa.Connection, present: int, wanted: int) -> None:
    """Run the migrations after ``present`` in ``connection``'s transaction; 0 makes the tables."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if present:
        command.stamp(config, revision(present), purge=True)
    command.upgrade(config, revision(wanted))
    if present:
        change = f"UPDATE meta SET value = '{wanted}' WHERE name = 'schema'"
    else:
        change = f"INSERT INTO meta VALUES ('schema', '{wanted}')"
    connection.exec_driver_sql(change)


def revision(schema: int) -> str:
    """Return the name of a schema's revision, as Alembic knows it."""
    return f"{schema:04}"
