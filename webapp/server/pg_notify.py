"""Push events between processes that share a PostgreSQL database, by LISTEN and NOTIFY.

One thread with its own connection sends and receives them. No command waits for it: events lie in a
queue, and are dropped while the database is away, because every page agrees within one heartbeat.
"""

from __future__ import annotations

import logging
import re
import secrets
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

CHANNEL = "steady_hands_nudges"
PAYLOAD = re.compile(r"^([0-9a-f]{8}) ([A-Za-z0-9_-]{1,32})$", re.ASCII)
RETRY_SECONDS = 0.5
CONNECT_SECONDS = 3
MOST_WAITING = 1_000
# A dead peer is noticed although nothing is sent: the connection says something this often.
SILENT_SECONDS = 15.0

log = logging.getLogger("steady_hands")


class PgNotify(threading.Thread):
    """Sends push events to other processes, calls ``heard`` for theirs; ``notify`` never waits."""

    def __init__(self, parameters: dict[str, str], heard: Callable[[str], None]) -> None:
        """``parameters`` of a connection, as libpq names them."""
        super().__init__(name="pg-notify", daemon=True)
        self.parameters = parameters
        self.heard = heard
        self.mine = secrets.token_hex(4)
        self.waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self.woken, self.waker = socket.socketpair()
        self.woken.setblocking(False)
        self.waker.setblocking(False)
        self.ended = threading.Event()
        self.listening = threading.Event()

    def notify(self, session_id: str) -> None:
        """Queue a push event of the session; any thread may call it."""
        self.waiting.append(session_id)
        self.wake()

    def end(self) -> None:
        self.ended.set()
        self.wake()

    def wake(self) -> None:
        with suppress(OSError):  # full, so it is awake anyway
            self.waker.send(b"!")

    def run(self) -> None:
        logged = False
        while not self.ended.is_set():
            try:
                with self.connected() as connection:
                    self.work(connection)
                    logged = False
            except (psycopg.Error, OSError) as error:
                if not logged:
                    log.warning("no push events to other processes: %s", type(error).__name__)
                logged = True
            self.listening.clear()
            self.ended.wait(RETRY_SECONDS)
        self.woken.close()
        self.waker.close()

    def connected(self) -> psycopg.Connection[Any]:
        options: dict[str, Any] = {
            **self.parameters,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "steady-hands nudges",
            "tcp_user_timeout": 5_000,
        }
        return psycopg.connect(autocommit=True, **options)

    def work(self, connection: psycopg.Connection[Any]) -> None:
        """Send and receive until the connection breaks or ``end`` is called."""
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self.waiting.clear()  # heartbeats have shown what happened without a connection
        self.listening.set()
        with selectors.DefaultSelector() as selector:
            for readable in (connection, self.woken):
                selector.register(readable, selectors.EVENT_READ)
            while not self.ended.is_set():
                something = selector.select(SILENT_SECONDS)
                self.sleep_again()
                if self.waiting or not something:
                    self.send(connection)
                for notice in connection.notifies(timeout=0):
                    self.hear(notice)

    def sleep_again(self) -> None:
        with suppress(BlockingIOError):
            while self.woken.recv(4_096):
                pass

    def send(self, connection: psycopg.Connection[Any]) -> None:
        """Send all that waits in one statement; without any it checks the connection."""
        sessions = {self.waiting.popleft() for _ in range(len(self.waiting))}
        payloads = [f"{self.mine} {session_id}" for session_id in sessions]
        connection.execute(
            "SELECT pg_notify(%s, one) FROM unnest(%s::text[]) AS one", (CHANNEL, payloads)
        )

    def hear(self, notice: psycopg.Notify) -> None:
        match = PAYLOAD.match(notice.payload)
        if match and match[1] != self.mine:
            self.heard(match[2])
