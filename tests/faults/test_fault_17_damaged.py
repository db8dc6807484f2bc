"""Fault 17: the database file is damaged, emptied or gone. Never silent; the bad file is kept.

Seen to fail with the mechanism removed: with ``check_before_start`` taken out of ``open_once`` the
server starts on a file with a torn page and says nothing.
"""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.command import refused, told
from tests.support.builders import simple_plan
from tests.support.real_server import Server, free_port
from webapp.maintenance.backups import (
    ALWAYS_CHECKED_BYTES,
    FOLDER,
    check_before_start,
    damage_at_start,
)
from webapp.maintenance.opening import open_sqlite
from webapp.settings import Settings
from webapp.storage.sessions import StorageError

pytestmark = pytest.mark.fault(17)


def filled(data: Path) -> Path:
    """A database with some sessions; its path."""
    data.mkdir(exist_ok=True)
    storage = open_sqlite(Settings(data).database)
    for number in range(30):
        storage.create(simple_plan(), "hash", number)
    storage.close()
    return Settings(data).database


def tear_a_page(path: Path) -> None:
    """Overwrite one page in the middle, as a failing disk would."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 + 100)


def spoil_the_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"not a database at all")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def delete(path: Path) -> None:
    path.unlink()


DAMAGES = [tear_a_page, cut, spoil_the_head, empty, delete]


def start(data: Path) -> str:
    return refused("serve", "--data", data, "--port", free_port())


@pytest.mark.parametrize("spoil", DAMAGES)
def test_the_start_says_what_is_wrong_and_how_to_restore_and_doing_so_helps(
    tmp_path: Path, protocols_folder: Path, spoil: Callable[[Path], None]
) -> None:
    path = filled(tmp_path)
    told("backup", "--data", tmp_path)
    spoil(path)
    before = path.read_bytes() if path.exists() else None
    line = start(tmp_path)
    assert str(path) in line
    assert re.search(r"is damaged|is missing or empty", line)
    assert "the newest good backup is of 20" in line
    command = shlex.split(line.partition("with: steady-hands ")[2])
    assert command[0] == "restore"
    assert (path.read_bytes() if path.exists() else None) == before
    told(*command)
    kept = [p for p in tmp_path.glob("*.replaced-*.sqlite3") if p.read_bytes() == before]
    assert len(kept) == (0 if before is None else 1)
    with Server(tmp_path, protocols_folder) as server:
        assert server.ask("GET", "/").status == 200
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (30,)


def test_a_damaged_backup_is_passed_over_for_an_older_good_one(tmp_path: Path) -> None:
    path = filled(tmp_path)
    told("backup", "--data", tmp_path)
    (good,) = (tmp_path / FOLDER).iterdir()
    bad = good.with_name("steady-hands-29991231T235959Z.sqlite3")
    bad.write_bytes(good.read_bytes())
    cut(bad)
    tear_a_page(path)
    assert str(good) in start(tmp_path)
    assert "is damaged" in refused("restore", bad, "--data", tmp_path)


def test_without_a_backup_the_line_says_so(tmp_path: Path) -> None:
    tear_a_page(filled(tmp_path))
    assert "there is no good backup" in start(tmp_path)


def test_an_empty_folder_is_a_new_site(tmp_path: Path) -> None:
    check_before_start(Settings(tmp_path).database)


def test_a_big_file_is_read_through_only_when_it_was_not_closed_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    assert path.stat().st_size < ALWAYS_CHECKED_BYTES
    tear_a_page(path)
    with pytest.raises(StorageError, match="damaged"):
        check_before_start(path)
    monkeypatch.setattr("webapp.maintenance.backups.ALWAYS_CHECKED_BYTES", 1)
    assert damage_at_start(path) is None
    path.with_name(f"{path.name}-wal").write_bytes(b"")
    assert damage_at_start(path)
