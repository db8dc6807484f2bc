"""The beat: "is this still what is so?", asked by every open session page every five or ten seconds.

It is answered in front of Flask, whose dispatch would cost several times the answer itself. Only an
unchanged session is answered here, by 204; everything else goes on to the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask

from webapp.auth.http_security import Hosts, fixed_headers
from webapp.auth.middleware import caller_in
from webapp.auth.permissions import Caller, Gate
from webapp.storage.database import AwayError

if TYPE_CHECKING:
    from webapp.app import Site

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

PATH = re.compile(r"^/sessions/([A-Za-z0-9_-]{1,32})(?:/calm)?/live$", re.ASCII)
QUERY = re.compile(r"^seq=(\d{1,8})&until=(\d{1,16})$", re.ASCII)
Told = tuple[int, list[tuple[str, str]]]
STATUSES = {204: "204 NO CONTENT", 401: "401 UNAUTHORIZED", 503: "503 SERVICE UNAVAILABLE"}


class Asked(NamedTuple):
    """A beat: seq and until (ms) are what the page has; ``caller`` is None where nobody has to join."""

    session: str
    seq: int
    until: int
    caller: Caller | None


class Beat:
    """Answers beats; as WSGI in front of the app, or asked by another front."""

    def __init__(self, flask: Flask, hosts: Hosts, gate: Gate) -> None:
        self.app: App = with_scheme(flask.wsgi_app, hosts.scheme)
        self.extensions = flask.extensions
        self.hosts = hosts
        self.gate = gate
        settings = flask.extensions["site"].settings
        self.headers = [*fixed_headers(settings, thin=True), ("Cache-Control", "no-store")]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and (query := environ.get("QUERY_STRING")):
            host = environ.get("HTTP_HOST", "")
            caller = caller_in(environ) if self.gate.joining else None
            if answer := self.answer(environ.get("PATH_INFO", ""), query, host, caller):
                status, headers = answer
                start_response(STATUSES[status], headers)
                return ()
        return self.app(environ, start_response)

    def answer(self, path: str, query: str, host: str, caller: Caller | None) -> Told | None:
        """Status and headers; None when this is no beat, or there is something new to show.

        ``caller`` is None where nobody has to join.
        """
        asked = self.asked(path, query, host, caller)
        told = self.answers([asked])[0] if asked else None
        return self.stamped(told) if told else None

    def asked(self, path: str, query: str, host: str, caller: Caller | None) -> Asked | None:
        """What a beat asks; None when this is none."""
        about = QUERY.match(query)
        session = PATH.match(path) if about else None
        if not about or not session or not self.hosts.know(host.lower()):
            return None
        return Asked(session[1], int(about[1]), int(about[2]), caller)

    def answers(self, asked: Sequence[Asked]) -> list[Told | None]:
        """For any number of beats in one query, not yet :meth:`stamped`. More than one only on PostgreSQL."""
        site: Site = self.extensions["site"]
        try:
            if len(asked) == 1:
                found = [self.gate.look(site, asked[0].caller, asked[0].session)]
            else:
                found = self.gate.look_all(site, [(one.caller, one.session) for one in asked])
        except AwayError:
            return [(503, [*self.headers, ("Retry-After", "2")])] * len(asked)
        return [
            self.told(site, one, who is not None, seq)
            for one, (who, seq) in zip(asked, found, strict=True)
        ]

    def told(self, site: Site, asked: Asked, known: bool, seq: int | None) -> Told | None:
        if not known:
            return 401, self.headers
        if not unchanged(site, seq, asked.seq, asked.until):
            return None
        site.watch.note(asked.session, site.clock.now())
        return 204, self.headers

    def stamped(self, told: Told) -> Told:
        """With the time, as late as possible: pages set their clocks by it."""
        status, headers = told
        if status != 204:
            return told
        return 204, [*headers, ("X-Now", str(self.extensions["site"].clock.now()))]


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
