"""The heartbeat in front of an app for the test client, which knows no RSGI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from webapp.auth.middleware import caller_in
from webapp.network import hosts_of
from webapp.server.heartbeat import Heartbeat

STATUSES = {204: "204 NO CONTENT", 401: "401 UNAUTHORIZED", 503: "503 SERVICE UNAVAILABLE"}


class WithHeartbeat:
    """A WSGI app that answers beats as the server does, and asks Flask for all else."""

    def __init__(self, app: Flask) -> None:
        self.app = app.wsgi_app
        self.beat = Heartbeat(app, hosts_of(app.extensions["site"].settings))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and (query := environ.get("QUERY_STRING")):
            host = environ.get("HTTP_HOST", "")
            caller = caller_in(environ) if self.beat.authenticator.joining else None
            if found := self.beat.answer(environ.get("PATH_INFO", ""), query, host, caller):
                status, headers = found
                start_response(STATUSES[status], headers)
                return ()
        return self.app(environ, start_response)


def with_heartbeat(app: Flask) -> Flask:
    """Put the heartbeat in front of ``app``; gives it back."""
    app.wsgi_app = WithHeartbeat(app)  # type: ignore[method-assign]
    return app
