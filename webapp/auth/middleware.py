"""Access check before each Flask route: identity, role and rate limit.

The heartbeat and the push events ask the same table of permissions in ``server/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, render_template, request
from werkzeug.wrappers import Response

from webapp.auth.permissions import (
    LOCAL_OWNER,
    STATUS_ONLY,
    Authenticator,
    Caller,
    Identity,
    Role,
    required_role,
)
from webapp.auth.rate_limit import CREATING, RateLimit
from webapp.network import Arrivals
from webapp.presentation.errors import error_response
from webapp.presentation.htmx import is_htmx
from webapp.timekeeping.clock import Moment

COOKIE_SECONDS = (
    400 * 24 * 3600
)  # the longest that browsers keep; each visit of the first page renews it
DISPLAY_ONLY = "This device was let in as a display: it shows sessions and changes nothing."
OWNERS_ONLY = "This page is for owners: they say who may come in, and look after the data."
ASK_OWNER = "An owner can change that on the page Devices."
TOO_MANY = "This device has begun a great deal within a minute. Nothing was made; please wait."


def caller_in(environ: Mapping[str, Any]) -> Caller:
    """Return who sends a WSGI request."""
    return Caller(
        environ.get("REMOTE_ADDR", ""),
        environ.get("HTTP_HOST", ""),
        environ.get("HTTP_COOKIE", ""),
        "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ,
    )


@dataclass(slots=True)
class RequestState:
    """What one request has read: the clock, its identity, and the last ``seq`` of its session.

    ``seq`` is set where it was read together with the identity.
    """

    clock: Moment
    identity: Identity | None = None
    seq: int | None = None

    @property
    def now(self) -> int:
        return self.clock.instant


def request_state() -> RequestState:
    """Return what this request has read so far; the first call reads the clock."""
    if "state" not in g:
        g.state = RequestState(current_app.extensions["site"].clock.moment())
    state: RequestState = g.state
    return state


def current_identity() -> Identity | None:
    """Return who sends this request; None for a stranger."""
    return request_state().identity


def authenticator() -> Authenticator:
    """Return the authenticator of the site that this request is for."""
    guard: Authenticator = current_app.extensions["authenticator"]
    return guard


def identify() -> Identity | None:
    """Read who sends this request, and the last ``seq`` of its session. At most one query."""
    state, site = request_state(), current_app.extensions["site"]
    session_id = (request.view_args or {}).get("session_id")
    if not authenticator().joining:
        state.identity = LOCAL_OWNER
    elif session_id is None:
        state.identity = authenticator().identify(site, caller_in(request.environ), state.now)
    else:
        state.identity, state.seq = authenticator().identify_with_seq(
            site, caller_in(request.environ), session_id, state.now
        )
    return state.identity


def role() -> int:
    """Return the role of the sender, for templates; 0 for a stranger."""
    identity = current_identity() if authenticator().joining else LOCAL_OWNER
    return identity.role if identity else 0


def may(endpoint: str, action: str = "") -> bool:
    """Return True when the sender may use the endpoint."""
    return role() >= (required_role(endpoint, action) or 0)


def set_device_cookie(response: Response, name: str, token: str) -> None:
    """Set the cookie with the device's token: not for script, other sites or other ports."""
    response.set_cookie(
        name,
        token,
        max_age=COOKIE_SECONDS,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=authenticator().secure,
    )


def join_response() -> Response:
    """Return the page that says how to join, and nothing more."""
    if request.endpoint in STATUS_ONLY:
        return Response(status=401)
    template = "joining/_join.html" if is_htmx() else "joining/join.html"
    return Response(render_template(template, said=""), 401, mimetype="text/html")


def forbidden_response(who: Identity) -> Response:
    why = DISPLAY_ONLY if who.role < Role.OPERATOR else OWNERS_ONLY
    return error_response(403, "Not from this device", f"{why} {ASK_OWNER}")


def too_many_requests(seconds: int) -> Response:
    return error_response(429, "One moment", TOO_MANY, seconds)


def install(app: Flask, guard: Authenticator) -> None:
    """Check permissions before every request of ``app``, behind the checks of Host and Origin."""
    app.extensions["authenticator"] = guard
    app.jinja_env.globals |= {"role": role, "may": may, "joining": guard.joining}
    if not guard.joining:
        return
    limits = RateLimit()
    app.extensions["arrivals"] = Arrivals()

    def check() -> Response | None:
        if not guard.is_home(caller_in(request.environ)):
            address = request.host_url.rstrip("/").lower()
            app.extensions["arrivals"].note(address, request_state().now)
        needed = required_role(request.endpoint, str((request.view_args or {}).get("action", "")))
        if needed is None:
            return None
        who = identify()
        if who is None:
            return join_response()
        if who.role < needed:
            return forbidden_response(who)
        if who.device and request.endpoint in CREATING and request.method == "POST":
            wait = limits.wait(who.device, request_state().now)
            return too_many_requests(wait) if wait else None
        return None

    def renew(response: Response) -> Response:
        who = current_identity()
        if who and who.device and request.endpoint == "catalogue.show":
            set_device_cookie(
                response, guard.cookie, guard.token(request.headers.get("Cookie", ""))
            )
        return response

    app.before_request(check)
    app.after_request(renew)
