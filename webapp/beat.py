"""The beat: "is this still what is so?", asked by every open session page every five seconds.

It is answered in front of Flask, whose dispatch would cost several times the answer itself. Only an
unchanged session is answered here, by 204; everything else goes on to the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from webapp.access import Caller, Gate
from webapp.database import AwayError
from webapp.gate import caller_in
from webapp.security import Hosts, fixed_headers

if TYPE_CHECKING:
    from webapp.app import Site

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

PATH = re.compile(r"^/sessions/([A-Za-z0-9_-]{1,32})(?:/calm)?/live$", re.ASCII)
QUERY = re.compile(r"^seq=(\d{1,8})&until=(\d{1,16})$", re.ASCII)
STATUSES = {204: "204 NO CONTENT", 401: "401 UNAUTHORIZED", 503: "503 SERVICE UNAVAILABLE"}


class Beat:
    """Answers beats; as WSGI in front of the app, or asked by another front."""

    def __init__(self, flask: Flask, hosts: Hosts, gate: Gate) -> None:
        self.app: App = with_scheme(flask.wsgi_app, hosts.scheme)
        self.extensions = flask.extensions
        self.hosts = hosts
        self.gate = gate
        settings = flask.extensions["site"].settings
        self.headers = [*fixed_headers(settings), ("Cache-Control", "no-store")]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and (query := environ.get("QUERY_STRING")):
            host = environ.get("HTTP_HOST", "")
            caller = caller_in(environ) if self.gate.joining else None
            if answer := self.answer(environ.get("PATH_INFO", ""), query, host, caller):
                status, headers = answer
                start_response(STATUSES[status], headers)
                return ()
        return self.app(environ, start_response)

    def answer(
        self, path: str, query: str, host: str, caller: Caller | None
    ) -> tuple[int, list[tuple[str, str]]] | None:
        """Status and headers; None when this is no beat, or there is something new to show.

        ``caller`` is None where nobody has to join.
        """
        asked = QUERY.match(query)
        session = PATH.match(path) if asked else None
        if not asked or not session or not self.hosts.know(host.lower()):
            return None
        site: Site = self.extensions["site"]
        try:
            known, seq = self.look(site, session[1], caller)
            if not known:
                return 401, self.headers
            if not unchanged(site, seq, int(asked[1]), int(asked[2])):
                return None
        except AwayError:
            return 503, [*self.headers, ("Retry-After", "2")]
        now = site.clock.now()
        site.watch.note(session[1], now)
        return 204, [*self.headers, ("X-Now", str(now))]

    def look(self, site: Site, session_id: str, caller: Caller | None) -> tuple[bool, int | None]:
        """Whether the caller may look on, and the last seq of the session. One query."""
        if caller is None:
            return True, site.storage.last_seq(session_id)
        return self.gate.last_seq(site, caller, session_id)


def with_scheme(app: App, scheme: str) -> App:
    """Behind a reverse proxy the settings, not the connection, say that it is https."""

    def ask(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = scheme
        return app(environ, start_response)

    return ask


def unchanged(site: Site, last: int | None, seq: int, until: int) -> bool:
    """True while no event came after ``seq`` and the page does not change by itself (0: never).

    In trouble the whole answer goes out, because it says so.
    """
    if last != seq or site.storage.trouble:
        return False
    return until == 0 or site.clock.now() < until
