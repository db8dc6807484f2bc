"""Database commands: ``backup``, ``restore``, ``export``, ``import``, ``erase``, ``retention``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webapp.cli.environment import PlainError, absolute, write_output
from webapp.settings import Settings

if TYPE_CHECKING:
    from webapp.storage.postgresql import Postgresql
    from webapp.storage.sqlite import Sqlite

Command = Callable[..., Any]


def database_options(command: Command) -> Command:
    """The options that say which database is meant."""
    database = click.option(
        "--database",
        "database_url",
        envvar=["STEADY_HANDS_DATABASE", "DATABASE_URL"],
        help="A PostgreSQL database instead, like postgresql://user:password@host/name.",
    )
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, readable=False),
        envvar="STEADY_HANDS_DATA",
        default=usual_folder,
        help="Folder of the database.",
    )
    return data(database(command))


def usual_folder() -> Path:
    """The system's folder for application data. Raises PlainError where it is not known."""
    from platformdirs import user_data_path

    try:
        return user_data_path("steady-hands")
    except RuntimeError:
        raise PlainError(
            "the home folder is not known here; name a folder for the data with --data"
        ) from None


def settings_of(data: Path, database_url: str | None) -> Settings:
    return Settings(absolute(data, "--data"), database_url=database_url or None)


@contextmanager
def plain_errors() -> Iterator[None]:
    """What goes wrong with the database is one line."""
    from webapp.storage.sessions import StorageError

    try:
        yield
    except StorageError as error:
        raise PlainError(str(error)) from None


@contextmanager
def open_to_read(settings: Settings) -> Iterator[Sqlite | Postgresql]:
    """The database as it is, also while it is served."""
    from webapp.storage.sessions import database_of

    with plain_errors():
        check_exists(settings)
        database = database_of(settings)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def open_to_write(settings: Settings) -> Iterator[Sqlite | Postgresql]:
    """Open the database, migrated; SQLite only while no server runs."""
    from webapp.maintenance import folder_lock
    from webapp.maintenance.opening import open_storage

    with plain_errors():
        check_exists(settings)
        with (
            nullcontext() if settings.database_url else folder_lock.lock_out_servers(settings.data)
        ):
            storage = open_storage(settings)
            try:
                yield storage.database
            finally:
                storage.close()


def check_exists(settings: Settings) -> None:
    if not settings.database_url and not settings.database.exists():
        raise PlainError(f"there is no database in {settings.data}")


@click.command()
@database_options
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the backups; 'backups' in the data folder.",
)
def backup(data: Path, database_url: str | None, to: Path | None) -> None:
    """Make a checked copy of the database, also while it is in use; 7 days and 4 weeks are kept."""
    from webapp.maintenance import backups

    settings = settings_of(data, database_url)
    folder = absolute(to, "--to") if to else settings.data / backups.FOLDER
    with open_to_read(settings) as database:
        target = backups.make(database, folder)
    click.echo(f"The backup is {target}")


@click.command()
@database_options
@click.argument("file", type=click.Path(path_type=Path))
def restore(data: Path, database_url: str | None, file: Path) -> None:
    """Put a backup in the place of the database; what was there is kept."""
    from webapp.maintenance import folder_lock
    from webapp.maintenance.restore import restore_export, restore_file
    from webapp.storage.sessions import SCHEMA

    settings = settings_of(data, database_url)
    with plain_errors():
        kept: Path | None
        if settings.database_url:
            kept = restore_export(settings, file)
        else:
            settings.data.mkdir(parents=True, exist_ok=True)
            with folder_lock.lock_out_servers(settings.data):
                kept = restore_file(file, settings.database, SCHEMA)
    click.echo(f"{file} is restored.")
    if kept:
        click.echo(f"What was there before is kept in {kept}")


@click.command("export")
@database_options
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write instead of the screen; packed when it ends in .gz.",
)
@click.option("--client", default="", help="Code of a client, for this one alone.")
def export_all(data: Path, database_url: str | None, to: Path | None, client: str) -> None:
    """Write everything, or one client, as JSON Lines."""
    from webapp.maintenance import jsonl
    from webapp.maintenance.backups import put_in_place

    with open_to_read(settings_of(data, database_url)) as database:
        if to is None:
            write_output(f"{line}\n" for line in jsonl.lines(database, client))
            return
        partial = to.with_name(f".partial-{to.name}")
        try:
            if to.exists() and not to.is_file():  # a device or a pipe, which nothing may replace
                jsonl.write_file(database, to, client)
                return
            jsonl.write_file(database, partial, client)
            put_in_place(partial, to)
        except OSError as error:
            raise PlainError(f"cannot write {to} ({error.strerror})") from None
        finally:
            with suppress(OSError):
                partial.unlink()


@click.command("import")
@database_options
@click.argument("file", type=click.Path(path_type=Path))
def import_all(data: Path, database_url: str | None, file: Path) -> None:
    """Bring an export into this database: all of it, or nothing when a row is there already."""
    from webapp.maintenance.restore import import_export

    settings = settings_of(data, database_url)
    with plain_errors():
        count = import_export(settings, file)
    click.echo(f"{count} rows were imported.")


@click.command()
@database_options
@click.option("--session", "sessions", multiple=True, help="Id of a session.")
@click.option("--client", default="", help="Code of a client: courses and sessions go with it.")
@click.option("--purge", is_flag=True, help="Also delete the backups that still hold it.")
def erase(
    data: Path, database_url: str | None, sessions: tuple[str, ...], client: str, purge: bool
) -> None:
    """Delete sessions, or a client, so that nothing of them is left in the database."""
    from webapp.maintenance import erase

    if bool(sessions) == bool(client):
        raise PlainError("name sessions with --session, or a client with --client")
    settings = settings_of(data, database_url)
    with open_to_write(settings) as database:
        table = "clients" if client else "sessions"
        ids = erase.ids_of_client(database, client) if client else sessions
        counts = erase.erase(database, table, ids)
    if not counts.get(table):
        raise PlainError(f"there is no such {table.removesuffix('s')}; nothing was changed")
    report_erased(settings, tuple(ids), counts, purge)


@click.command()
@database_options
@click.option(
    "--days", type=click.IntRange(1), required=True, help="Sessions that ended before are deleted."
)
@click.option("--preview", is_flag=True, help="Only say what would be deleted.")
@click.option("--purge", is_flag=True, help="Also delete the backups that still hold it.")
def retention(data: Path, database_url: str | None, days: int, preview: bool, purge: bool) -> None:
    """Delete sessions that ended more than so many days ago, and clinicians' words as old."""
    from webapp.maintenance import erase
    from webapp.maintenance.retention import ended_before, words_before

    settings = settings_of(data, database_url)
    if preview:
        with open_to_read(settings) as database:
            click.echo(ended_before(database, days).text())
        return
    with open_to_write(settings) as database:
        old = ended_before(database, days)
        counts = erase.erase(database, "sessions", old.ids)
        counts |= erase.erase(database, "clinician_words", words_before(database, days))
    report_erased(settings, old.ids, counts, purge)


def report_erased(
    settings: Settings, sessions: tuple[str, ...], counts: dict[str, int], purge: bool
) -> None:
    """Say what was deleted and where it still stands."""
    from webapp.maintenance import erase

    parts = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    click.echo(f"Deleted for good: {parts or 'nothing'}.")
    for path in erase.copies_with(settings.data, sessions):
        if purge:
            path.unlink()
            click.echo(f"Deleted too: {path}")
        else:
            click.echo(f"Still in: {path}")


COMMANDS = (backup, restore, export_all, import_all, erase, retention)
