"""A site that others join, on two loopback addresses: the machine's own and a tablet's way in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.browser.site import Hand, in_turn
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.real_server import free_port
from tests.support.threaded_server import serving
from tests.support.visitor import StandingClock
from webapp.app import create_app
from webapp.settings import Settings

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


@dataclass(frozen=True)
class Network:
    """The served app; ``owner`` asks as the machine itself."""

    app: Flask
    port: int
    owner: Hand

    @property
    def home(self) -> str:
        return f"http://{HERE}:{self.port}"

    @property
    def elsewhere(self) -> str:
        return f"http://{ELSEWHERE}:{self.port}"


@contextmanager
def network(folder: Path, clock: StandingClock | None = None) -> Iterator[Network]:
    """``clock`` stands until it is told; without one time goes on."""
    port = free_port()
    app = with_heartbeat(create_app(Settings(folder, ELSEWHERE, port, lan=True)))
    site = app.extensions["site"]
    if clock:
        app.extensions["site"] = site = type(site)(
            site.settings, site.storage, site.library, clock, site.presence
        )
    turn = threading.Lock()
    with ExitStack() as stack:
        for address in (HERE, ELSEWHERE):
            stack.enter_context(serving(in_turn(app, turn), port, address))
        host = {"host": f"{HERE}:{port}"}
        hand = Hand(app, app.test_client(), clock or StandingClock(), site.storage, host)
        yield Network(app, port, hand)
    site.storage.close()
