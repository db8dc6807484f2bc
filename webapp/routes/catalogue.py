"""Pages of the catalogue: all protocols, and running sessions."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from webapp.domain.snapshot import Snapshot, view
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import request_time, site

blueprint = Blueprint("catalogue", __name__)

FILTERS = ("who", "condition")


@blueprint.get("/")
def show() -> str:
    """Show the protocols that the query asks for; running sessions first."""
    entries = list(site().library.entries.values())
    chosen = {name: request.args.get(name, "") for name in FILTERS}
    shown = [entry for entry in entries if matches(entry, chosen)]
    return render_template(
        "catalogue/catalogue.html",
        entries=sorted(shown, key=shelf_order),
        total=len(entries),
        chosen=chosen,
        bad_files=site().library.bad_files,
        usual_plan=site().library.usual_plan,
        running=running_now(),
    )


def matches(entry: LibraryEntry, chosen: dict[str, str]) -> bool:
    protocol = entry.protocol
    hands = {"self": {"self"}, "table": {"therapist", "helper"}}.get(chosen["who"])
    return (hands is None or bool(hands.intersection(protocol.performer))) and (
        not chosen["condition"] or protocol.condition == chosen["condition"]
    )


SHELVES = ("open", "clearance", "professional", "withheld")


def shelf_order(entry: LibraryEntry) -> tuple[int, str]:
    """Sort what can be started first, and what is never run last."""
    return SHELVES.index(entry.protocol.access), entry.protocol.title


def running_now() -> list[tuple[str, Snapshot]]:
    """Return ids and snapshots of the live sessions."""
    now = request_time()
    sessions = (
        (stored.id, view(stored.plan, stored.folded, stored.seq, now))
        for stored in site().storage.live(now)
    )
    return [(session_id, snapshot) for session_id, snapshot in sessions if snapshot.live]
