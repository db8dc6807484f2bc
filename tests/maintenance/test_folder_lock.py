"""One process serves from a data folder; a killed one is no obstacle."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.faults.command import refused
from tests.support.real_server import Server, free_port
from webapp.maintenance import folder_lock
from webapp.maintenance.folder_lock import SERVING, lock_folder
from webapp.storage.sessions import StorageError


def test_a_second_server_on_one_folder_is_refused_in_one_clear_line(
    tmp_path: Path, protocols_folder: Path
) -> None:
    with Server(tmp_path, protocols_folder) as server:
        line = refused("serve", "--data", tmp_path, "--port", free_port())
        assert f"another Steady Hands (process {server.running.pid})" in line
        assert str(tmp_path) in line
        assert "--database" in line
        assert server.ask("GET", "/").status == 200


def test_after_kill_9_the_folder_is_free_at_once(tmp_path: Path, protocols_folder: Path) -> None:
    with Server(tmp_path, protocols_folder) as server:
        os.kill(server.running.pid, signal.SIGKILL)
        server.running.wait(5)
        with Server(tmp_path, protocols_folder) as next_one:
            assert next_one.ask("GET", "/").status == 200


def test_a_lock_ends_with_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_lock, "WAIT_SECONDS", 0.0)
    first = lock_folder(tmp_path, SERVING)
    with pytest.raises(StorageError, match=f"process {os.getpid()}"):
        lock_folder(tmp_path, SERVING)
    first.close()
    lock_folder(tmp_path, SERVING).close()


def test_several_processes_need_postgresql(tmp_path: Path) -> None:
    line = refused("serve", "--data", tmp_path, "--processes", 2, "--port", free_port())
    assert "several need PostgreSQL" in line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "postgresql://x:secret@127.0.0.1:1/y",
            "y at 127.0.0.1:1 cannot be used: Connection refused",
        ),
        ("mysql://x:secret@y/z", "a database of kind mysql is not known"),
        ("nonsense", "is not understood"),
        ("postgresql://host", "names none"),
    ],
)
def test_an_unusable_address_is_one_line_without_the_password(
    tmp_path: Path, url: str, words: str
) -> None:
    line = refused("serve", "--data", tmp_path, "--port", free_port(), DATABASE_URL=url)
    assert words in line
    assert "secret" not in line


def test_a_missing_database_or_user_is_one_line(tmp_path: Path, postgresql_url: str) -> None:
    for wrong, words in (
        (postgresql_url.replace("/postgres", "/nope"), 'database "nope" does not exist'),
        (postgresql_url.replace("tester@", "who@"), 'role "who" does not exist'),
    ):
        line = refused("serve", "--data", tmp_path, "--port", free_port(), "--database", wrong)
        assert words in line
