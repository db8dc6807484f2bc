"""Reference pages: glossary of techniques, sources, and what to do about low glucose."""

from __future__ import annotations

import re

from flask import Blueprint, render_template

from webapp.domain.catalogue import Source
from webapp.domain.glucose import RECHECK_MINUTES
from webapp.routes import request_clock, site

LOW_RECHECK_MS = RECHECK_MINUTES * 60_000

blueprint = Blueprint("reference", __name__)


@blueprint.get("/techniques")
def techniques() -> str:
    """Every technique: everyday name, textbook name, what the hands do, and where it is used."""
    library = site().library
    used = {
        technique: [
            entry.protocol
            for entry in library.entries.values()
            if any(phase.technique == technique for phase in entry.protocol.all_phases())
        ]
        for technique in library.catalogue.techniques
    }
    return render_template(
        "reference/techniques.html", techniques=library.catalogue.techniques.values(), used=used
    )


@blueprint.get("/sources")
def sources() -> str:
    """The public sources with grade and address, and what the words of an origin mean."""
    entries = site().library.catalogue.sources.values()
    return render_template("reference/sources.html", sources=sorted(entries, key=in_order))


@blueprint.get("/low")
def low() -> str:
    """What to do in a low, with a quarter of an hour counted from now."""
    recheck = request_clock().wall_time(LOW_RECHECK_MS).strftime("%H:%M")
    return render_template("reference/low.html", recheck=recheck, recheck_ms=LOW_RECHECK_MS)


def in_order(source: Source) -> tuple[int, str]:
    """R05 before R05b before R06."""
    number = re.search(r"\d+", source.id)
    return int(number[0]) if number else 0, source.id
