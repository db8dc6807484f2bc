"""Page of the history: every session that began, newest first, a page at a time."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request

from webapp.routes import request_clock, request_time, site
from webapp.storage.courses import Filter

blueprint = Blueprint("history", __name__)

PAGE = 25
PLACE = re.compile(r"^(\d{1,16})\.([A-Za-z0-9_-]{1,32})$", re.ASCII)
KINDS = {"": "All sessions", "stopped": "Stopped", "scored": "With pain told"}


@blueprint.get("/history")
def show() -> str:
    """Show sessions by client, protocol and kind; ``before`` is where the page before ended."""
    wanted = filter_of()
    now = request_time()
    records = site().courses.history(wanted, now, PAGE + 1)
    shown = records[:PAGE]
    last = shown[-1] if len(records) > PAGE else None
    clients = site().courses.clients()
    return render_template(
        "history/history.html",
        pasts=shown,
        older=f"{last.begun_at}.{last.id}" if last else "",
        wanted=wanted,
        kinds=KINDS,
        clients=clients,
        codes={client.id: client.code for client in clients},
        entries=sorted(site().library.entries.values(), key=lambda e: e.protocol.title),
        clock=request_clock(),
    )


def filter_of() -> Filter:
    """Return the filter in the query; a value that is invalid filters nothing."""
    fields = request.args
    place = PLACE.match(fields.get("before", ""))
    return Filter(
        client=fields.get("client", "")[:32],
        protocol=fields.get("protocol", "")[:60],
        only=fields.get("only", "") if fields.get("only") in KINDS else "",
        before=(int(place[1]), place[2]) if place else None,
    )
