"""Fault 18: backup and restore. What is restored is what was backed up, and nothing in between.

Seen to fail with the mechanism removed:

- with ``shutil.copyfile`` of the file in place of ``VACUUM INTO``, the backup of a database in use
  is no database: its content is still in the log;
- with ``superseded`` empty, backups pile up.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.command import refused, told
from tests.maintenance.test_jsonl import digest_of
from tests.support.builders import simple_plan
from tests.support.real_server import Server
from webapp.domain.session import Event
from webapp.maintenance import backups
from webapp.maintenance.backups import FOLDER, find_damage, superseded
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.sessions import Storage, StorageError

pytestmark = pytest.mark.fault(18)


def filled(settings: Settings, count: int = 5) -> Storage:
    storage = open_storage(settings)
    for number in range(count):
        stored = storage.load(storage.create(simple_plan(), "hash", number))
        assert stored
        storage.record(stored, Event(1, "start-key", "start", number))
    return storage


def backup_of(settings: Settings) -> Path:
    environment = {"DATABASE_URL": settings.database_url} if settings.database_url else {}
    said = told("backup", "--data", settings.data, **environment)
    return Path(said.removeprefix("The backup is ").strip())


def test_what_is_restored_is_what_was_backed_up(tmp_path: Path, database_url: str | None) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    environment = {"DATABASE_URL": database_url} if database_url else {}
    filled(settings).close()
    before = digest_of(settings)
    backup = backup_of(settings)
    filled(settings, 1).close()
    later = digest_of(settings)
    assert later != before
    said = told("restore", backup, "--data", tmp_path, **environment)
    assert digest_of(settings) == before
    kept = Path(said.rpartition("is kept in ")[2].strip())
    assert kept.is_file()
    if database_url:
        told("restore", kept, "--data", tmp_path, **environment)
    else:
        told("restore", kept, "--data", tmp_path)
    assert digest_of(settings) == later


def test_a_backup_of_a_database_in_use_has_what_was_acknowledged(
    tmp_path: Path, database_url: str | None
) -> None:
    settings = Settings(tmp_path, database_url=database_url)
    storage = filled(settings)
    stored, stop = storage.load(storage.create(simple_plan(), "hash", 1)), threading.Event()
    assert stored
    acknowledged = [storage.record(stored, Event(1, "start-key", "start", 1))]

    def write() -> None:
        while not stop.is_set():
            last = acknowledged[-1]
            kind = "resume" if last.folded.status == "paused" else "pause"
            event = Event(last.seq + 1, f"key-{last.seq}", kind, last.folded.at + 1)  # type: ignore[arg-type]
            acknowledged.append(storage.record(last, event))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            least = acknowledged[-1].seq
            backup = backup_of(settings)
            most = acknowledged[-1].seq + 1
            if not database_url:
                assert find_damage(backup) is None
                with closing(sqlite3.connect(backup)) as connection:
                    query = "SELECT count(*) FROM events WHERE session = ?"
                    (found,) = connection.execute(query, (stored.id,)).fetchone()
                assert least <= found <= most
    finally:
        stop.set()
        writer.join()
        storage.close()


def test_a_restore_is_refused_while_a_server_runs(tmp_path: Path, protocols_folder: Path) -> None:
    settings = Settings(tmp_path)
    filled(settings).close()
    backup = backup_of(settings)
    with Server(tmp_path, protocols_folder):
        before = settings.database.read_bytes()
        assert "another Steady Hands (process " in refused("restore", backup, "--data", tmp_path)
        assert settings.database.read_bytes() == before
    told("restore", backup, "--data", tmp_path)


def test_a_restore_is_refused_while_a_server_runs_on_postgresql(
    tmp_path: Path, protocols_folder: Path, postgresql_url: str
) -> None:
    settings = Settings(tmp_path, database_url=postgresql_url)
    filled(settings).close()
    backup = backup_of(settings)
    from tests.support.real_server import clean_environment

    environment = clean_environment(DATABASE_URL=postgresql_url)
    with Server(tmp_path, protocols_folder, environment=environment):
        line = refused("restore", backup, "--data", tmp_path, DATABASE_URL=postgresql_url)
        assert "is being served" in line


@pytest.mark.parametrize("name", ["missing", "text", "other", "newer"])
def test_what_is_no_backup_of_ours_is_refused_and_nothing_changes(
    tmp_path: Path, name: str
) -> None:
    settings = Settings(tmp_path)
    filled(settings).close()
    before = digest_of(settings)
    file = tmp_path / name
    if name == "text":
        file.write_text("a letter")
    elif name != "missing":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE meta (name, value)")
            if name == "newer":
                connection.execute("INSERT INTO meta VALUES ('schema', '99')")
            connection.commit()
    assert str(file) in refused("restore", file, "--data", tmp_path)
    assert digest_of(settings) == before
    assert not list(tmp_path.glob("*.replaced-*"))


def test_a_backup_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    filled(Settings(tmp_path)).close()
    (tmp_path / "file").write_text("in the way")
    line = refused("backup", "--data", tmp_path, "--to", tmp_path / "file" / "deeper")
    assert "could not be copied" in line
    assert "there is no database" in refused("backup", "--data", tmp_path / "nowhere")


def test_what_two_restores_of_one_second_replace_is_all_kept(
    tmp_path: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with ``unused`` giving the first name: the second overwrites what is kept."""
    settings = Settings(tmp_path, database_url=database_url)
    environment = {"DATABASE_URL": database_url} if database_url else {}
    filled(settings).close()
    backup = backup_of(settings)
    monkeypatch.setattr(backups, "stamp", lambda: "20260101T000000Z")
    said = [told("restore", backup, "--data", tmp_path, **environment) for _ in range(3)]
    kept = {Path(one.rpartition("is kept in ")[2].strip()) for one in said}
    assert len(kept) == 3
    assert all(path.is_file() for path in kept)


def test_a_torn_copy_is_never_taken_for_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = filled(Settings(tmp_path))
    good = backups.make(storage.database, tmp_path / FOLDER)
    monkeypatch.setattr(backups, "find_damage", lambda path: "a torn page")
    monkeypatch.setattr(backups, "stamp", lambda: "29990101T000000Z")
    with pytest.raises(StorageError, match="torn page"):
        backups.make(storage.database, tmp_path / FOLDER)
    storage.close()
    assert backups.list_backups(tmp_path / FOLDER) == [good]


def test_a_backup_is_due_when_the_newest_is_a_day_old(tmp_path: Path) -> None:
    """That a server then makes one is tried in ``test_owner_data.py``."""
    storage = filled(Settings(tmp_path))
    folder, now = tmp_path / FOLDER, datetime.now(UTC)
    assert backups.is_due(folder, now)
    first = backups.make(storage.database, folder)
    storage.close()
    assert not backups.is_due(folder, now + timedelta(hours=23))
    (first.parent / "notes.txt").write_text("mine")
    first.rename(first.with_name("steady-hands-20260101T000000Z.sqlite3"))
    assert backups.is_due(folder, now)


def test_seven_days_and_four_weeks_are_kept(tmp_path: Path) -> None:
    first = datetime(2026, 3, 2, 3, tzinfo=UTC)  # a Monday
    kept: list[Path] = []
    for hours in range(0, 24 * 60, 12):
        made = first + timedelta(hours=hours)
        kept.append(tmp_path / f"steady-hands-{made:%Y%m%dT%H%M%SZ}.sqlite3")
        gone = superseded(kept)
        kept = [path for path in kept if path not in gone]
    last = first + timedelta(hours=24 * 60 - 12)
    days = {backups.made_at(path).date() for path in kept}
    assert {last.date() - timedelta(days=n) for n in range(7)} <= days
    weeks = {backups.made_at(path).isocalendar().week for path in kept}
    assert len(weeks) == 4
    assert len(kept) <= 7 + 3
    assert all(backups.made_at(path).hour == 15 for path in kept)


def test_rotation_deletes_nothing_but_backups(tmp_path: Path) -> None:
    storage = filled(Settings(tmp_path))
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name in ("before-migration-1-20200101T000000Z.sqlite3", "notes.txt"):
        (folder / name).write_text("mine")
    for day in range(1, 20):
        (folder / f"steady-hands-202001{day:02}T000000Z.sqlite3").write_text("old")
    backups.make(storage.database, folder)
    storage.close()
    names = {path.name for path in folder.iterdir()}
    assert {"before-migration-1-20200101T000000Z.sqlite3", "notes.txt"} <= names
    assert len(backups.list_backups(folder)) == 9  # seven days, and the newest of two more weeks
