"""The app with its real protocols, served from this process, so that a test owns its clock."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Page, Route
from werkzeug.test import TestResponse

from tests.browser.conftest import go
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.real_server import free_port
from tests.support.threaded_server import serving
from tests.support.visitor import StandingClock, Visitor
from webapp.app import create_app
from webapp.maintenance.opening import open_sqlite
from webapp.settings import Settings
from webapp.timekeeping.presence import Presence


class Hand(Visitor):
    """A visitor who asks under the address that the browser uses."""

    def get(self, path: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        return super().get(path, htmx=htmx, **{"Host": self.host} | headers)

    def post(
        self, path: str, fields: dict[str, str], *, htmx: bool = False, **headers: str
    ) -> TestResponse:
        return super().post(path, fields, htmx=htmx, **{"Host": self.host} | headers)

    @property
    def host(self) -> str:
        return self.seen["host"]


@dataclass(frozen=True)
class InProcess:
    """The served app; every visitor finds it empty, at the same minute of the same morning."""

    address: str
    app: Flask
    turn: threading.Lock

    @contextmanager
    def visitor(self) -> Iterator[Hand]:
        site = self.app.extensions["site"]
        with tempfile.TemporaryDirectory() as folder:
            storage, clock = open_sqlite(Path(folder) / "steady-hands.sqlite3"), StandingClock()
            here = replace(site, storage=storage, clock=clock, presence=Presence(storage))
            self.app.extensions["site"] = here
            host = self.address.removeprefix("http://")
            yield Hand(self.app, self.app.test_client(), clock, storage, {"host": host})
            with self.turn:  # a page that goes away still tells something
                self.app.extensions["site"] = site
                storage.close()

    def show(self, page: Page, what: str | TestResponse) -> None:
        """Open an address; or show an answer that was got some other way, under its own address."""
        if isinstance(what, str):
            go(page, self.address + what)
            return

        def hand_out(route: Route) -> None:
            route.fulfill(status=200, headers=dict(what.headers), body=what.get_data())

        url = self.address + what.request.path
        page.route(url, hand_out, times=1)
        go(page, url)


def in_turn(app: Flask, turn: threading.Lock) -> Callable[..., Iterable[bytes]]:
    """The app, one request at a time, as the real server runs it."""

    def ask(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with turn:
            return list(app.wsgi_app(environ, start_response))

    return ask


@contextmanager
def served(protocols: Path | None = None) -> Iterator[InProcess]:
    """The app on a free port of this machine, in a thread; others would have to join."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), port=port, lan=True)
        if protocols:
            settings = replace(settings, protocols=protocols)
        app = with_heartbeat(create_app(settings))
        turn = threading.Lock()
        try:
            with serving(in_turn(app, turn), port):
                yield InProcess(f"http://127.0.0.1:{port}", app, turn)
        finally:
            app.extensions["site"].storage.close()
