"""Fault 5: another process holds the database for 3 s, or for 10 s.

Seen to fail with the mechanism removed: with ``BUSY_SECONDS`` at 0 the short lock is a 503; with
it at 60 the long one is no 503; with ``show_not_saved`` giving 500 a device would not try again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.test_kill import events_in
from tests.support.real_server import Server

pytestmark = pytest.mark.fault(5)


@contextmanager
def locked(data: Path, seconds: float) -> Iterator[None]:
    """For ``seconds`` nobody else can write; at the end it is waited for."""
    with closing(
        sqlite3.connect(
            data / "steady-hands.sqlite3", isolation_level=None, check_same_thread=False
        )
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(seconds, other.execute, ["ROLLBACK"])
        release.start()
        yield
        release.join()


@pytest.fixture
def server(tmp_path: Path, protocols_folder: Path) -> Iterator[Server]:
    with Server(tmp_path, protocols_folder) as running:
        yield running


def test_a_lock_of_3_s_makes_an_act_late_and_nothing_else(server: Server) -> None:
    session_id = server.prepare("long")
    form = server.act(session_id, "start").form
    with locked(server.data, 3.0):
        begun = time.monotonic()
        reply = server.ask("POST", f"/sessions/{session_id}/pause", form)
        assert reply.status == 200, reply.text
        assert time.monotonic() - begun > 2.5
    assert server.ask("POST", f"/sessions/{session_id}/pause", form).status == 200
    assert [key for _, key in events_in(server.data, session_id)][1:] == [form["key"]]


def test_a_lock_of_10_s_is_told_and_the_same_key_afterwards_makes_one_event(
    server: Server,
) -> None:
    session_id = server.prepare("long")
    live = server.act(session_id, "start")
    form, statuses = live.form, list[int]()
    beat = f"/sessions/{session_id}/live?seq=1&until=0"
    with locked(server.data, 10.0):
        refused = server.ask("POST", f"/sessions/{session_id}/pause", form)
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
        assert server.ask("GET", beat).status == 204
        assert events_in(server.data, session_id)[1:] == []
        while 200 not in statuses:
            statuses.append(server.ask("POST", f"/sessions/{session_id}/pause", form).status)
    assert len(statuses) <= 3
    assert server.ask("POST", f"/sessions/{session_id}/pause", form).status == 200
    assert [key for _, key in events_in(server.data, session_id)][1:] == [form["key"]]
