"""Calendar arithmetic: spans of days and months, and dates that keep a gap across time zones.

Instants are integer milliseconds UTC. ``zone`` is where the wall clock hangs; None means the
machine's own zone.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, time, timedelta, tzinfo

from webapp.domain.protocol import Span

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
QUARTER_MS = 900_000
LATER_SAME_DAY_MS = 2 * HOUR_MS


def wall(at: int, zone: tzinfo | None) -> datetime:
    """What the clock on the wall shows at an instant."""
    return datetime.fromtimestamp(at / 1000, zone)


def instant(shown: datetime) -> int:
    """The instant at which the wall shows this; of an hour that comes twice, the first."""
    return round(shown.timestamp() * 1000)


def end_of_day(at: int, zone: tzinfo | None) -> int:
    """The instant at which the day of ``at`` ends on the wall; not every day has 24 hours."""
    shown = wall(at, zone)
    return instant(datetime.combine(shown + timedelta(days=1), time(), shown.tzinfo))


def next_time(at: int, hour: int, minute: int, zone: tzinfo | None, within_ms: int) -> int | None:
    """The first instant after ``at`` at which the wall shows this time of day.

    None when it does not within ``within_ms``: the hour that is skipped in spring never comes.
    """
    first = at // MINUTE_MS * MINUTE_MS + MINUTE_MS
    for later in range(first, at + within_ms + 1, MINUTE_MS):
        shown = wall(later, zone)
        if (shown.hour, shown.minute) == (hour, minute):
            return later
    return None


def add_span(at: int, span: Span, zone: tzinfo | None) -> int:
    """The same time of day ``span`` later; 31 August and 6 months is the last day of February."""
    shown = wall(at, zone).replace(fold=0)
    months = shown.year * 12 + shown.month - 1 + span.months
    year, month = divmod(months, 12)
    day = min(shown.day, monthrange(year, month + 1)[1])
    moved = shown.replace(year=year, month=month + 1, day=day)
    return instant(moved + timedelta(weeks=span.weeks, days=span.days))


def quarter_up(at: int) -> int:
    """The next full quarter of an hour; every zone in use today is whole quarters from UTC."""
    return -(-at // QUARTER_MS) * QUARTER_MS


def slot(earliest: int, usual: int, zone: tzinfo | None) -> int:
    """The first good moment at or after ``earliest``: at the time of day of ``usual``.

    Up to two hours later on the same day are fine (a gap of 48 hours across the change to summer
    time ends an hour later); otherwise the next day.
    """
    first = quarter_up(earliest)
    time = wall(quarter_up(usual), zone)
    day = wall(first, zone)
    shown = day.replace(hour=time.hour, minute=time.minute, second=0, microsecond=0, fold=0)
    today = instant(shown)
    if today >= first:
        return today
    if first - today <= LATER_SAME_DAY_MS:
        return first
    return max(first, instant(shown + timedelta(days=1)))


def dates(
    earliest: int, usual: int, gap_ms: int, count: int, zone: tzinfo | None, end: int | None = None
) -> tuple[int, ...]:
    """At most ``count`` dates from ``earliest`` on, each at least ``gap_ms`` after the one before.

    ``usual`` gives the time of day; nothing is planned at or after ``end``.
    """
    planned: list[int] = []
    for _ in range(count):
        at = slot(earliest, usual, zone)
        if end is not None and at >= end:
            break
        planned.append(at)
        earliest = at + gap_ms
    return tuple(planned)
