"""Flask blueprints, one module for each noun."""

from __future__ import annotations

from typing import cast

from flask import abort, current_app, request

from webapp.auth.middleware import request_state
from webapp.network import address_for_others
from webapp.settings import is_loopback
from webapp.site import Site
from webapp.storage.sessions import Stored


def site() -> Site:
    """The site this request is for."""
    return cast("Site", current_app.extensions["site"])


def request_time() -> int:
    """Return the instant of this request: the clock is read once."""
    return request_state().now


def stored_or_404(session_id: str, *, again: bool = False) -> Stored:
    """Return the session in the address; ``again`` after a conflict, when others have acted."""
    stored = site().storage.load(session_id, None if again else request_state().seq)
    if stored is None:
        abort(404)
    return stored


def name_in(host: str) -> str:
    """A Host header without its port."""
    return host.rpartition(":")[0] or host


def outside() -> str:
    """The address by which other devices come: this request's, unless it leads here only."""
    settings = site().settings
    if settings.public_url or is_loopback(name_in(request.host)):
        return address_for_others(settings)
    return f"{request.scheme}://{request.host}"
