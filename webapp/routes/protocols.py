"""Pages of a protocol: its purpose, its phases, and the plan for the minutes at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict

from webapp.domain.plan import Plan, reach
from webapp.domain.protocol import Protocol
from webapp.domain.screening import questions_for
from webapp.domain.signs import typed_text
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import assignments, site

blueprint = Blueprint("protocols", __name__, url_prefix="/protocols")

MOST_MINUTES = 240
MINUTES = re.compile(r"^\d{1,3}([.,]\d{1,4})?$", re.ASCII)


@dataclass(frozen=True)
class Wish:
    """What was asked for: the plan, or what is wrong with the minutes that were typed."""

    typed: str
    plan: Plan | None
    fault: str = ""


def entry_or_404(protocol_id: str) -> LibraryEntry:
    entry = site().library.get(protocol_id)
    if entry is None:
        abort(404)
    return entry


@blueprint.get("/<protocol_id>")
def show(protocol_id: str) -> tuple[str, int]:
    entry = entry_or_404(protocol_id)
    wish = wish_of(entry.protocol, request.args)
    return page(entry, wish), 422 if wish.fault else 200


@blueprint.get("/<protocol_id>/plan")
def plan(protocol_id: str) -> tuple[str, int]:
    """The fragment with the plan for the minutes in the query."""
    entry = entry_or_404(protocol_id)
    if entry.protocol.session is None:
        abort(404)
    wish = wish_of(entry.protocol, request.args)
    text = render_template("protocols/_plan.html", **plan_context(entry, wish))
    return text, 422 if wish.fault else 200


def page(entry: LibraryEntry, wish: Wish) -> str:
    client = assignments.client_of(request.args.get("client", "")[:32])
    words = assignments.word_context(client, entry)
    return render_template("protocols/protocol.html", **plan_context(entry, wish), **words)


def plan_context(entry: LibraryEntry, wish: Wish) -> dict[str, object]:
    protocol = entry.protocol
    chosen = frozenset(wish.plan.chosen) if wish.plan else frozenset()
    return {
        "protocol": protocol,
        "wish": wish,
        "plan": wish.plan or entry_plan(entry, chosen),
        "reach": reach(protocol, chosen) if protocol.session else None,
        "catalogue": site().library.catalogue,
        "asked": questions_for(site().library.catalogue, protocol) if protocol.startable else (),
        "optional": protocol.optional_steps(),
        "client": request.args.get("client", "")[:32],
    }


def entry_plan(entry: LibraryEntry, chosen: frozenset[str]) -> Plan | None:
    session = entry.protocol.session
    return site().library.plan(entry.protocol, session.usual, chosen) if session else None


def wish_of(protocol: Protocol, fields: MultiDict[str, str]) -> Wish:
    """The plan for ``minutes`` and ``include`` of the fields; usual minutes when not given."""
    if protocol.session is None:
        return Wish("", None)
    typed = typed_text(fields.get("minutes", ""))
    chosen = frozenset(fields.getlist("include")) & protocol.optional_steps().keys()
    if not typed:
        return Wish("", site().library.plan(protocol, protocol.session.usual, chosen))
    seconds = seconds_of(typed)
    if seconds is None:
        return Wish(typed, None, f"Please give minutes up to {MOST_MINUTES} as a number, like 15.")
    return Wish(typed, site().library.plan(protocol, seconds, chosen))


def seconds_of(typed: str) -> int | None:
    """Minutes as typed (a decimal comma is fine) in seconds; None when they are impossible."""
    if not MINUTES.match(typed):
        return None
    minutes = float(typed.replace(",", "."))
    return round(minutes * 60) if 0 < minutes <= MOST_MINUTES else None
