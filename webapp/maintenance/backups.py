"""Backups: make, check and rotate copies; check the database at the start. See ``restore.py``.

A copy of SQLite is a file of SQLite; of PostgreSQL it is an export (``jsonl.py``). Each comes
into being under another name and is durable before it gets its own.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webapp.storage.database import Database, Progress, StorageError, ignore_progress
from webapp.storage.sqlite import Sqlite

FOLDER = "backups"
PARTIAL = ".partial-"
ALWAYS_CHECKED_BYTES = 64 * 1024 * 1024  # measured: 13 ms for 20 MB, 130 ms for 200 MB
KEPT_DAYS = 7
KEPT_WEEKS = 4
NAME = re.compile(r"^steady-hands-(\d{8}T\d{6}Z)\.(sqlite3|jsonl\.gz)$")
STAMP = "%Y%m%dT%H%M%SZ"
PROGRESS_STEPS = 100_000  # of SQLite's virtual machine, between two reports of progress
SIZE = (
    "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)


def stamp() -> str:
    return datetime.now(UTC).strftime(STAMP)


def unused_name(folder: Path, begins: str, ends: str) -> str:
    """Return a file name with the present second that is free in ``folder``."""
    name, more = f"{begins}-{stamp()}", ""
    for number in range(2, 1_000):
        if not (folder / f"{name}{more}{ends}").exists():
            break
        more = f"-{number}"
    return f"{name}{more}{ends}"


def make(database: Database, folder: Path, report: Progress = ignore_progress) -> Path:
    """Make a checked copy of ``database`` in ``folder``, rotate older ones. Raises StorageError."""
    target = folder / f"steady-hands-{stamp()}{suffix_of(database)}"
    copy(database, target, report)
    for old in superseded([path for path in folder.iterdir() if NAME.match(path.name)]):
        old.unlink(missing_ok=True)
    return target


def copy_before_migration(database: Database, schema: int) -> Path:
    """Copy the database as it is before its schema changes. Raises StorageError."""
    name = f"before-migration-{schema}-{stamp()}{suffix_of(database)}"
    target = database.folder / FOLDER / name
    copy(database, target)
    return target


def suffix_of(database: Database) -> str:
    return ".sqlite3" if isinstance(database, Sqlite) else ".jsonl.gz"


def copy(database: Database, target: Path, report: Progress = ignore_progress) -> None:
    """Copy ``database`` to ``target``: all of it and durable, or nothing. Raises StorageError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left_over in target.parent.glob(f"{PARTIAL}*"):
            left_over.unlink()
        partial = partial_of(target)
        if isinstance(database, Sqlite):
            copy_file(database.path, partial, report)
        else:
            from webapp.maintenance.jsonl import write_file

            write_file(database, partial, report=report)
        put_in_place(partial, target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial_of(target).unlink()
        raise StorageError(f"the database could not be copied to {target} ({error})") from error


def partial_of(target: Path) -> Path:
    return target.with_name(f"{PARTIAL}{target.name}")


def copy_file(source: Path, target: Path, report: Progress = ignore_progress) -> None:
    """Copy a SQLite file and check the copy. Writers are not blocked."""
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        (of,) = connection.execute(SIZE).fetchone()
        connection.set_progress_handler(lambda: report(size_of(target), of), PROGRESS_STEPS)
        connection.execute("VACUUM INTO ?", (str(target),))
    report(of, of)
    if fault := find_damage(target):
        raise StorageError(
            f"the copy of the database is damaged ({fault}); the old copies are kept"
        )


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def put_in_place(partial: Path, target: Path) -> None:
    """Give a finished file its name, durably."""
    sync_file(partial)
    partial.replace(target)
    sync_folder(target.parent)


def sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    if os.name == "nt":  # has no such thing
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_damage(path: Path) -> str | None:
    """Return what is wrong with a SQLite file that nobody writes to; None when it is whole."""
    try:
        uri = f"{path.resolve().as_uri()}?immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            (first,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if first == "ok" else str(first).strip().splitlines()[-1]


def is_due(folder: Path, now: datetime) -> bool:
    """Return True when the newest backup is a day old."""
    newest = next(iter(list_backups(folder)), None)
    return newest is None or abs(now - made_at(newest)) >= timedelta(days=1)


def superseded(paths: list[Path]) -> list[Path]:
    """Return backups to delete: all but the newest of each of the last 7 days and 4 weeks."""
    newest_first = sorted(paths, key=lambda path: path.name, reverse=True)
    days: dict[str, Path] = {}
    weeks: dict[str, Path] = {}
    for path in newest_first:
        day = made_at(path)
        days.setdefault(day.strftime("%Y-%m-%d"), path)
        weeks.setdefault(day.strftime("%G-%V"), path)
    kept = {*list(days.values())[:KEPT_DAYS], *list(weeks.values())[:KEPT_WEEKS]}
    return [path for path in newest_first if path not in kept]


def made_at(path: Path) -> datetime:
    """Return when a backup was made, from its name."""
    match = NAME.match(path.name)
    return datetime.strptime(match[1] if match else "", STAMP).replace(tzinfo=UTC)


def list_backups(folder: Path) -> list[Path]:
    """Return the backups in ``folder``, newest first."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if NAME.match(path.name)]
    return sorted(files, key=lambda path: path.name, reverse=True)


def list_copies(data: Path) -> list[Path]:
    """Return every copy of the database in a data folder: backups, and replaced databases."""
    folder = data / FOLDER
    files = [*folder.glob("*.sqlite3"), *folder.glob("*.jsonl.gz")]
    files += [p for word in ("replaced", "damaged") for p in data.glob(f"*.{word}-*.sqlite3")]
    return [path for path in files if not path.name.startswith(PARTIAL)]


def keep_private(data: Path) -> None:
    """Leave the database and its copies to their owner alone; some may be older than this rule."""
    if os.name == "nt":
        return
    for path in (*data.glob("*.sqlite3*"), *(data / FOLDER).glob("*")):
        with suppress(OSError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def newest_good(folder: Path) -> Path | None:
    """Return the newest undamaged SQLite backup in ``folder``."""
    files = (path for path in list_backups(folder) if path.suffix == ".sqlite3")
    return next((path for path in files if find_damage(path) is None), None)


def check_before_start(path: Path) -> None:
    """Raise StorageError when the database is damaged, or missing although copies exist."""
    if path.exists() and path.stat().st_size:
        if fault := damage_at_start(path):
            raise StorageError(f"the database {path} is damaged ({fault}); {advice(path)}")
    elif list_backups(path.parent / FOLDER) or any(path.parent.glob(f"{path.stem}.replaced-*")):
        raise StorageError(f"the database {path} is missing or empty; {advice(path)}")


def damage_at_start(path: Path) -> str | None:
    """Return the damage that a check finds; a large file closed cleanly is not read in full."""
    left_open = path.with_name(f"{path.name}-wal").exists()
    if path.stat().st_size > ALWAYS_CHECKED_BYTES and not left_open:
        return None
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            (first,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if first == "ok" else str(first).strip().splitlines()[-1]


def advice(path: Path) -> str:
    """Return what to do about a damaged or missing database."""
    good = newest_good(path.parent / FOLDER)
    if good is None:
        return (
            f"there is no good backup in {path.parent / FOLDER}; restore one from elsewhere with: "
            "steady-hands restore FILE, or move the file away to begin anew"
        )
    return (
        f"the newest good backup is of {made_at(good):%Y-%m-%d %H:%M} UTC; restore it, keeping the "
        f"file that is there, with: steady-hands restore {good} --data {path.parent}"
    )
