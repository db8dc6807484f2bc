"""Flask blueprints, one module for each noun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import abort, current_app, request

from webapp.auth.middleware import request_state
from webapp.network import candidates
from webapp.settings import is_loopback
from webapp.site import Site
from webapp.storage.sessions import Stored
from webapp.timekeeping.clock import Moment


def site() -> Site:
    """Return the site of this request."""
    return cast("Site", current_app.extensions["site"])


def request_clock() -> Moment:
    """Return the clock as this request has read it, once."""
    return request_state().clock


def request_time() -> int:
    """Return the instant of this request, in ms."""
    return request_state().now


def stored_or_404(session_id: str, *, again: bool = False) -> Stored:
    """Return the session in the address; ``again`` after a conflict, when others have acted."""
    stored = site().storage.load(session_id, None if again else request_state().seq)
    if stored is None:
        abort(404)
    return stored


def name_in(host: str) -> str:
    """Return a Host header without its port."""
    return host.rpartition(":")[0] or host


@dataclass(frozen=True, slots=True)
class Address:
    """Where other devices may find the site, and when one last came in there (ms), if ever."""

    address: str
    adapter: str = ""
    came_in_at: int | None = None


def addresses() -> list[Address]:
    """All there are, by how likely the network is, then where a device came in last."""
    arrivals = current_app.extensions.get("arrivals")
    came = dict(arrivals.at) if arrivals else {}
    found = candidates(site().settings)
    found.sort(key=lambda one: (one.rank, -came.get(one.address, 0)))
    known = [Address(one.address, one.adapter, came.pop(one.address, None)) for one in found]
    return [*known, *(Address(one, came_in_at=at) for one, at in reversed(came.items()))]


def outside() -> str:
    """The address by which other devices come: this request's, unless it leads here only."""
    settings = site().settings
    if settings.public_url or is_loopback(name_in(request.host)):
        return addresses()[0].address
    return f"{request.scheme}://{request.host}"
