"""What pages say about time in the nights when clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.page import Page
from tests.support.visitor import StandingClock, Visitor

BERLIN = "Europe/Berlin"


def stand_at(visitor: Visitor, utc: str, zone: str) -> None:
    """Set the site's clock, and hang the wall clock into a zone."""
    at = round(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)
    visitor.clock = StandingClock(at, ZoneInfo(zone))
    site = visitor.app.extensions["site"]
    visitor.app.extensions["site"] = replace(site, clock=visitor.clock)


@pytest.mark.parametrize(
    ("zone", "begun", "shown"),
    [
        (BERLIN, "2026-03-28 09:00", "Monday, 30 March, 11:00"),
        (BERLIN, "2026-10-24 08:00", "Monday, 26 October, 09:00"),
        ("Australia/Sydney", "2026-10-03 00:00", "Monday, 5 October, 11:00"),
        ("Australia/Lord_Howe", "2026-10-02 23:30", "Monday, 5 October, 10:30"),
        ("America/Santiago", "2026-09-05 14:00", "Monday, 7 September, 11:00"),
        ("UTC", "2026-03-28 10:00", "Monday, 30 March, 10:00"),
    ],
)
def test_the_next_session_is_so_many_hours_later_also_over_a_change(
    visitor: Visitor, zone: str, begun: str, shown: str
) -> None:
    stand_at(visitor, begun, zone)
    session_id = visitor.started()
    visitor.clock.forward(3600)
    text = Page(visitor.get(f"/sessions/{session_id}/summary").text).by_id("next").text
    assert f"At the earliest 48 hours after this session: {shown}." in text


@pytest.mark.parametrize(
    ("now", "typed", "minutes"),
    [
        ("2026-03-29 00:55", "03:05", 10),  # 1:55; 2:00 to 3:00 does not come
        ("2026-10-25 00:55", "02:05", 10),  # 2:55, the first time
        ("2026-10-25 00:50", "03:00", 15),  # 70 minutes are too long: the nearest end
    ],
)
def test_a_session_ends_when_the_wall_says_so(
    visitor: Visitor, now: str, typed: str, minutes: int
) -> None:
    stand_at(visitor, now, BERLIN)
    answer = visitor.act(visitor.started("long"), "end-at", time=typed)
    assert answer.status_code == 200
    left = Page(answer.text).by_id("session-live").attrs["data-remaining-ms"]
    assert int(left) == minutes * 60_000


def test_a_time_that_is_skipped_is_asked_again(visitor: Visitor) -> None:
    stand_at(visitor, "2026-03-29 00:55", BERLIN)
    answer = visitor.act(visitor.started("long"), "end-at", time="02:30")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("begun", "now", "due"),
    [
        ("2026-03-27 22:30", "2026-03-28 23:10", False),  # 0:30 tomorrow; this day has 23 hours
        ("2026-10-23 22:30", "2026-10-24 22:10", True),  # 23:30 today; this day has 25 hours
    ],
)
def test_what_is_due_today_is_due_before_this_midnight(
    visitor: Visitor, begun: str, now: str, due: bool
) -> None:
    """48 hours after a start near midnight, in the week of a change."""
    stand_at(visitor, begun, BERLIN)
    session_id = visitor.started()
    visitor.clock.forward(10)
    visitor.done(session_id, "end")
    stand_at(visitor, now, BERLIN)
    text = visitor.page("/today").by_id("main").text
    assert ("Nothing has to be done today." in text) == (not due)
