"""Page of today: sessions that run, courses that are due, protocols used last."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.domain.calendar_dates import end_of_day, instant
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import courses, request_clock, request_time, site
from webapp.routes.catalogue import running_now
from webapp.routes.courses import Standing

blueprint = Blueprint("today", __name__)

LOOKED_AT = 60
USED = 4


@blueprint.get("/today")
def show() -> str:
    now = request_time()
    active = [
        standing
        for standing in courses.standings(aside=False)
        if standing.progress.done
        and not standing.progress.fresh(now)
        and site().library.get(standing.course.protocol)
    ]
    due, ahead = split(active, this_day_ends())
    return render_template(
        "today/today.html",
        running=running_now(),
        due=due,
        ahead=ahead,
        reviews=[s for s in active if s.progress.reviews(now)],
        used=last_used(),
        clock=request_clock(),
        now=now,
    )


def this_day_ends() -> int:
    """The instant at which this day ends where the site stands."""
    clock = request_clock()
    shown = instant(clock.wall_time())
    return request_time() + end_of_day(shown, clock.zone) - shown


def split(active: list[Standing], until: int) -> tuple[list[Standing], list[Standing]]:
    """The courses whose next session may be today, and those with a date later on."""
    open_ones = [s for s in active if s.due_at is not None and s.progress.next_at is not None]
    due = [s for s in open_ones if (s.progress.next_at or 0) < until]
    ahead = [s for s in open_ones if s not in due]
    return due, sorted(ahead, key=lambda s: s.due_at or 0)


def last_used() -> list[tuple[LibraryEntry, str]]:
    """The last protocols in use, each with the client it was last used for."""
    used: dict[str, tuple[LibraryEntry, str]] = {}
    for protocol, client in site().courses.latest_uses(LOOKED_AT):
        entry = site().library.get(protocol)
        if entry and entry.protocol.startable and protocol not in used:
            used[protocol] = (entry, client or "")
    return list(used.values())[:USED]
