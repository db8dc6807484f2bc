"""Dates and times in words; pages show them in the site's zone, and script in the viewer's."""

from __future__ import annotations

from datetime import datetime


def day_time(shown: datetime) -> str:
    """``Wednesday, 4 March, 10:15``."""
    return f"{shown:%A}, {shown.day} {shown:%B, %H:%M}"


def full_day(shown: datetime) -> str:
    """``4 March 2026``."""
    return f"{shown.day} {shown:%B %Y}"


def day_hour(shown: datetime) -> str:
    """``4 March 2026, 10:15``."""
    return f"{full_day(shown)}, {shown:%H:%M}"


def hour(shown: datetime) -> str:
    """``10:15``."""
    return f"{shown:%H:%M}"


def offset_minutes(shown: datetime) -> int:
    """How far the wall is ahead of UTC then."""
    ahead = shown.utcoffset()
    return round(ahead.total_seconds() / 60) if ahead else 0


FILTERS = {
    "day_time": day_time,
    "full_day": full_day,
    "day_hour": day_hour,
    "hour": hour,
    "offset_minutes": offset_minutes,
}
