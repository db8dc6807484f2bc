"""Heartbeat: each open session page asks every 5 or 10 s whether it is up to date.

It is answered before Flask, whose dispatch would cost several times the answer itself. Only an
unchanged session is answered here, with 204. Everything else goes on to the app.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from flask import Flask

from webapp.auth.http_security import fixed_headers
from webapp.auth.permissions import Authenticator, Caller
from webapp.network import Hosts
from webapp.site import Site
from webapp.storage.database import AwayError

PATH = re.compile(r"^/sessions/([A-Za-z0-9_-]{1,32})(?:/calm)?/live$", re.ASCII)
QUERY = re.compile(r"^seq=(\d{1,8})&until=(\d{1,16})$", re.ASCII)
HeartbeatResponse = tuple[int, list[tuple[str, str]]]


class HeartbeatRequest(NamedTuple):
    """A heartbeat: the page's ``seq`` and ``until`` (ms); no ``caller`` where nobody must join."""

    session: str
    seq: int
    until: int
    caller: Caller | None


class Heartbeat:
    """Answers heartbeats before Flask sees them."""

    def __init__(self, app: Flask, hosts: Hosts) -> None:
        self.extensions = app.extensions
        self.hosts = hosts
        self.authenticator: Authenticator = app.extensions["authenticator"]
        settings = app.extensions["site"].settings
        self.headers = [*fixed_headers(settings, thin=True), ("Cache-Control", "no-store")]

    def answer(
        self, path: str, query: str, host: str, caller: Caller | None
    ) -> HeartbeatResponse | None:
        """Return status and headers; None when it is no heartbeat, or the session has changed.

        ``caller`` is None where nobody has to join.
        """
        heartbeat = self.parse(path, query, host, caller)
        response = self.answers([heartbeat])[0] if heartbeat else None
        return self.add_time(response) if response else None

    def parse(
        self, path: str, query: str, host: str, caller: Caller | None
    ) -> HeartbeatRequest | None:
        """Parse a heartbeat; None when it is none."""
        about = QUERY.match(query)
        session = PATH.match(path) if about else None
        if not about or not session or not self.hosts.know(host.lower()):
            return None
        return HeartbeatRequest(session[1], int(about[1]), int(about[2]), caller)

    def answers(self, heartbeats: Sequence[HeartbeatRequest]) -> list[HeartbeatResponse | None]:
        """Answer heartbeats with one query, without the time; several only on PostgreSQL."""
        site: Site = self.extensions["site"]
        now = site.clock.now()
        authenticator = self.authenticator
        try:
            if len(heartbeats) == 1:
                heartbeat = heartbeats[0]
                rows = [
                    authenticator.identify_with_seq(site, heartbeat.caller, heartbeat.session, now)
                ]
            else:
                callers = [(heartbeat.caller, heartbeat.session) for heartbeat in heartbeats]
                rows = authenticator.identify_many(site, callers, now)
        except AwayError:
            return [(503, [*self.headers, ("Retry-After", "2")])] * len(heartbeats)
        return [
            self.response(site, heartbeat, identity is not None, seq, now)
            for heartbeat, (identity, seq) in zip(heartbeats, rows, strict=True)
        ]

    def response(
        self, site: Site, heartbeat: HeartbeatRequest, known: bool, seq: int | None, now: int
    ) -> HeartbeatResponse | None:
        if not known:
            return 401, self.headers
        if not unchanged(site, seq, heartbeat, now):
            return None
        site.presence.note(heartbeat.session, now)
        return 204, self.headers

    def add_time(self, response: HeartbeatResponse) -> HeartbeatResponse:
        """Add the server's time, as late as possible, since pages set their clocks by it."""
        status, headers = response
        if status != 204:
            return response
        return 204, [*headers, ("X-Now", str(self.extensions["site"].clock.now()))]


def unchanged(site: Site, last: int | None, heartbeat: HeartbeatRequest, now: int) -> bool:
    """Return True while the page has the last event and shows nothing that time has changed since.

    ``until`` 0 means that nothing changes by itself. When storage is in trouble it is False, since
    the page then has to show that.
    """
    if last != heartbeat.seq or site.storage.trouble:
        return False
    return heartbeat.until == 0 or now < heartbeat.until
