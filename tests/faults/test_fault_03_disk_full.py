"""Fault 3: the disk is full. A running session reaches its end in the reserve; new ones wait.

Seen to fail with the mechanism removed:

- with ``Sqlite.make_room`` giving False the next act of the running session is a 503;
- with ``Sqlite.has_room`` always True a new session is begun on the full disk;
- without ``keep_reserve`` in ``has_room`` nothing new begins after room was made.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.real_server import COMMAND, Server
from tests.support.safe_answers import SAFE
from tests.support.visitor import Visitor
from webapp.storage import disk

pytestmark = pytest.mark.fault(3)

WORDS = "The disk is full"
BANNER = "The server's disk is full."
MOUNTED = 'mount -t tmpfs -o size=28m none "$0" && exec "$@"'


def may_mount() -> bool:
    """True where a process may have a small disk of its own."""
    if not shutil.which("unshare") or not Path("/proc/self/stat").exists():
        return False
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


def seen_from_here(server: Server) -> Path:
    """The data folder on the server's own disk."""
    return Path(f"/proc/{server.running.pid}/root{server.data}")


def wait_for_reserve(folder: Path, seconds: float = 10.0) -> None:
    """A first start makes it beside its first answers; a disk full before has none to give."""
    end = time.monotonic() + seconds
    while not disk.Disk(folder).has_reserve():
        assert time.monotonic() < end, "no reserve was made"
        time.sleep(0.01)


def fill(folder: Path) -> Path:
    """Take all room at once: while it lasts the server may write, and gives its reserve away."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free)
        file.seek(0, os.SEEK_END)
        try:
            while True:
                file.write(os.urandom(4096))
        except OSError:
            return filler


@pytest.mark.skipif(not may_mount(), reason="needs to mount a small disk")
def test_on_a_full_disk_a_session_reaches_its_end_and_none_begins(
    tmp_path: Path, protocols_folder: Path
) -> None:
    data = tmp_path / "disk"
    data.mkdir()
    command = ("unshare", "-m", "sh", "-c", MOUNTED, str(data), str(COMMAND))
    with Server(data, protocols_folder, command=command) as server:
        session_id, waits = server.prepare("long"), server.prepare("long")
        screened = server.ask("POST", "/protocols/long/screening", SAFE).headers["location"]
        server.act(session_id, "start")
        wait_for_reserve(seen_from_here(server))
        filler = fill(seen_from_here(server))
        for number in range(200):
            server.act(session_id, "resume" if number % 2 else "pause")
        assert not (seen_from_here(server) / disk.NAME).exists()
        assert BANNER in server.look(session_id).text
        for path, fields in (
            ("/protocols/long/screening", SAFE),
            ("/sessions", {"screening": screened.removeprefix("/screenings/")}),
        ):
            refused = server.ask("POST", path, fields)
            assert (refused.status, refused.headers["retry-after"]) == (503, "30")
            assert WORDS in refused.text
        form = server.look(waits).form | {"another": "1"}
        assert server.ask("POST", f"/sessions/{waits}/start", form).status == 409
        assert server.act(session_id, "end").live["data-status"] == "finished"
        filler.unlink()
        assert server.act(waits, "start").live["data-status"] == "running"
        server.prepare("short")
        assert BANNER not in server.look(waits).text
        assert server.look(session_id).live["data-seq"] == "202"


def test_the_act_that_finds_the_disk_full_goes_through_once(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no small disk can be mounted: it is full while the reserve is there."""
    monkeypatch.setattr(disk, "RESERVE_BYTES", 4096)
    session_id = visitor.started("long")
    own = visitor.storage.database.disk  # type: ignore[union-attr]
    assert own.keep_reserve()
    monkeypatch.setattr(own, "fill_reserve", lambda: False)

    def strike(_c: object, _cursor: object, text: str, *_more: object) -> None:
        if text == "COMMIT" and own.reserve.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    sa.event.listen(visitor.storage.engine, "before_cursor_execute", strike)
    visitor.done(session_id, "pause")
    sa.event.remove(visitor.storage.engine, "before_cursor_execute", strike)
    assert visitor.seq(session_id) == 2
    assert visitor.storage.trouble == "full"
    assert WORDS in visitor.answer("short").text
    visitor.done(session_id, "resume", "end")


def test_a_disk_without_room_keeps_no_reserve_and_is_full_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = disk.Disk(tmp_path)
    usage = shutil.disk_usage(tmp_path)._replace(free=2 * disk.RESERVE_BYTES - 1)
    monkeypatch.setattr("webapp.storage.disk.shutil.disk_usage", lambda _folder: usage)
    assert not own.keep_reserve()
    assert str(own.trouble) == "full"
    assert not own.give_reserve()
    assert not own.reserve.exists()
    monkeypatch.undo()
    assert own.keep_reserve()
    assert str(own.trouble) == ""
    assert own.reserve.stat().st_size == disk.RESERVE_BYTES


def test_two_who_find_the_disk_full_at_once_both_get_the_reserve(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign of life gives it while an act fails. Seen to fail when the second does not retry."""
    monkeypatch.setattr(disk, "RESERVE_BYTES", 4096)
    session_id = visitor.started("long")
    own = visitor.storage.database.disk  # type: ignore[union-attr]
    assert own.keep_reserve()
    monkeypatch.setattr(own, "fill_reserve", lambda: False)

    def strike(_c: object, _cursor: object, text: str, *_more: object) -> None:
        if text == "COMMIT" and own.reserve.exists():
            own.give_reserve()
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    sa.event.listen(visitor.storage.engine, "before_cursor_execute", strike)
    visitor.done(session_id, "pause")
    sa.event.remove(visitor.storage.engine, "before_cursor_execute", strike)
    assert visitor.seq(session_id) == 2
    assert visitor.storage.trouble == "full"


def test_a_reserve_that_is_wanted_while_it_is_made_is_given_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without the lock: the disk was then taken for one with room and a reserve."""
    own = disk.Disk(tmp_path)
    in_the_middle, go_on = threading.Event(), threading.Event()

    def sync(_file: int) -> None:
        in_the_middle.set()
        assert go_on.wait(10)

    monkeypatch.setattr("webapp.storage.disk.os.fsync", sync)
    making = threading.Thread(target=own.keep_reserve)
    giving = threading.Thread(target=own.give_reserve)
    making.start()
    assert in_the_middle.wait(10)
    giving.start()
    giving.join(0.2)
    go_on.set()
    making.join(10)
    giving.join(10)
    assert own.full
    assert not own.reserve.exists()
