"""The push to other screens, on a real server: quick, to the session's pages, never in the way."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.real_server import Server
from webapp.server.rsgi import ALIVE, PUSH

pytestmark = pytest.mark.timed

PROTOCOL = "oc-classic-full"
SOON_SECONDS = 5.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


class Stream:
    """An open page's stream of nudges."""

    def __init__(self, server: Server, session_id: str, host: str | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON_SECONDS)
        headers = {"Host": host} if host else {}
        self.connection.request("GET", f"/sessions/{session_id}/nudges", headers=headers)
        self.answer = self.connection.getresponse()

    def read(self) -> bytes:
        return self.answer.readline() + self.answer.readline()

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_every_open_page_is_nudged_by_an_act_and_by_nothing_else(server: Server) -> None:
    session_id, other = server.prepare(PROTOCOL), server.prepare(PROTOCOL)
    streams = [Stream(server, session_id) for _ in range(20)]
    assert {stream.read() for stream in streams} == {ALIVE}
    server.act(other, "start")
    server.look(session_id)
    server.act(session_id, "start")
    assert {stream.read() for stream in streams} == {PUSH}
    server.act(session_id, "next")
    assert {stream.read() for stream in streams} == {PUSH}
    for stream in streams:
        stream.close()


def test_a_page_that_went_away_costs_the_others_nothing(server: Server) -> None:
    session_id = server.prepare(PROTOCOL)
    gone, here = Stream(server, session_id), Stream(server, session_id)
    gone.read()
    here.read()
    gone.close()
    server.act(session_id, "start")
    assert here.read() == PUSH
    here.close()


def test_an_unknown_session_and_a_foreign_host_get_no_stream(server: Server) -> None:
    session_id = server.prepare(PROTOCOL)
    for stream, status in (
        (Stream(server, "nobody"), 404),
        (Stream(server, session_id, host="evil.example"), 421),
    ):
        assert stream.answer.status == status
        stream.close()


def test_the_stream_carries_the_fixed_headers(server: Server) -> None:
    stream = Stream(server, server.prepare(PROTOCOL))
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in stream.answer.headers["Content-Security-Policy"]
    stream.close()


def test_the_server_stops_at_once_although_pages_are_open(server: Server) -> None:
    streams = [Stream(server, server.prepare(PROTOCOL)) for _ in range(3)]
    assert {stream.read() for stream in streams} == {ALIVE}
    begun = time.monotonic()
    os.kill(server.running.pid, signal.SIGTERM)
    assert server.running.wait(20) == 0
    assert time.monotonic() - begun < 4, "it waited for the pages"
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused_with_a_page(server: Server, chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SOON_SECONDS)
    body = b"x" * 200_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sessions", iter([body]) if chunked else body, form)
    answer = connection.getresponse()
    assert answer.status == 413
    assert "larger than this site takes" in answer.read().decode()
    connection.close()
    assert server.ask("GET", "/").status == 200


def test_addresses_with_escaped_letters_reach_the_app_as_they_are(server: Server) -> None:
    assert server.ask("GET", "/pro%74ocols/oc-classic-full").status == 200
    assert server.ask("GET", "/protocols/%C3%A4").status == 404
    assert server.ask("GET", "/protocols/%ff").status == 404
