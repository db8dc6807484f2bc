"""The beat: "is this still what is so?", asked by every open session page every five seconds.

It is answered in front of Flask, whose dispatch would cost several times the answer itself. Only an
unchanged session is answered here, by 204; everything else goes on to the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from webapp.database import AwayError
from webapp.security import BARE_HEADERS, Hosts

if TYPE_CHECKING:
    from webapp.app import Site

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

PATH = re.compile(r"^/sessions/([A-Za-z0-9_-]{1,32})/live$", re.ASCII)
QUERY = re.compile(r"^seq=(\d{1,8})&until=(\d{1,16})$", re.ASCII)
HEADERS = [*BARE_HEADERS, ("Cache-Control", "no-store")]


class Beat:
    """WSGI in front of the app."""

    def __init__(self, flask: Flask, hosts: Hosts) -> None:
        self.app: App = flask.wsgi_app
        self.extensions = flask.extensions
        self.hosts = hosts

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        query = QUERY.match(environ.get("QUERY_STRING", ""))
        if query and environ["REQUEST_METHOD"] == "GET":
            path = PATH.match(environ.get("PATH_INFO", ""))
            if path and self.hosts.know(environ.get("HTTP_HOST", "").lower()):
                site: Site = self.extensions["site"]
                try:
                    same = unchanged(site, path[1], int(query[1]), int(query[2]))
                except AwayError:
                    start_response("503 SERVICE UNAVAILABLE", [*HEADERS, ("Retry-After", "2")])
                    return ()
                if same:
                    now = str(site.clock.now())
                    start_response("204 NO CONTENT", [*HEADERS, ("X-Now", now)])
                    return ()
        return self.app(environ, start_response)


def unchanged(site: Site, session_id: str, seq: int, until: int) -> bool:
    """True while no event came after ``seq`` and the page does not change by itself (0: never)."""
    return site.storage.last_seq(session_id) == seq and (until == 0 or site.clock.now() < until)
