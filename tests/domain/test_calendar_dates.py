"""Instants and the clock on the wall, in the nights when clocks change, in every kind of zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from webapp.domain.calendar_dates import HOUR_MS, end_of_day, next_time, wall

MINUTE_MS = 60_000


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# zone, an instant in UTC, how many minutes of its day are left on the wall
DAYS = [
    ("Europe/Berlin", "2026-03-28 23:00", 23 * 60),  # the clocks go forward at 2:00
    ("Europe/Berlin", "2026-10-24 22:00", 25 * 60),  # and back at 3:00
    ("Europe/Berlin", "2026-10-25 00:30", 23 * 60 - 30),  # 2:30, the first time
    ("Europe/Berlin", "2026-10-25 01:30", 22 * 60 - 30),  # 2:30, the second time
    ("America/New_York", "2026-03-08 05:00", 23 * 60),
    ("America/Sao_Paulo", "2018-11-04 03:00", 23 * 60),  # 0:00 to 1:00 is skipped
    ("America/Sao_Paulo", "2018-11-04 02:30", 30),  # the day before ends where it is
    ("America/Sao_Paulo", "2018-02-18 02:30", 30),  # 23:30, the second time
    ("America/Sao_Paulo", "2018-02-18 01:30", 90),  # 23:30, the first time
    ("America/Santiago", "2026-09-06 03:30", 30),
    ("America/Havana", "2026-11-01 03:30", 30),  # midnight comes twice
    ("America/Havana", "2026-11-01 04:30", 24 * 60 + 30),  # 0:30, the first time
    ("Africa/Cairo", "2026-04-23 21:30", 30),
    ("Asia/Beirut", "2026-03-28 21:30", 30),
    ("Australia/Lord_Howe", "2026-10-03 13:30", 23 * 60 + 30),  # half an hour forward
    ("Australia/Lord_Howe", "2026-04-04 13:00", 24 * 60 + 30),  # and back
    ("Pacific/Chatham", "2026-09-26 11:15", 23 * 60),
    ("UTC", "2026-03-29 00:00", 24 * 60),
]


@pytest.mark.parametrize(("zone", "at", "left"), DAYS)
def test_a_day_ends_at_midnight_however_long_it_is(zone: str, at: str, left: int) -> None:
    assert (end_of_day(utc(at), ZoneInfo(zone)) - utc(at)) // MINUTE_MS == left


# zone, an instant in UTC, what is typed, and in how many minutes that is
TIMES: list[tuple[str, str, tuple[int, int], int | None]] = [
    ("Europe/Berlin", "2026-03-29 00:30", (3, 30), 60),  # 1:30
    ("Europe/Berlin", "2026-03-29 00:30", (2, 30), None),  # does not come that night
    ("Europe/Berlin", "2026-03-29 00:30", (6, 30), 240),
    ("Europe/Berlin", "2026-10-25 00:40", (2, 30), 50),  # 2:40, the first time
    ("Europe/Berlin", "2026-10-25 01:40", (2, 30), None),  # 2:40, the second time
    ("Europe/Berlin", "2026-10-24 23:50", (2, 30), 40),  # the first of two
    ("Europe/Berlin", "2026-10-24 23:50", (3, 0), 130),
    ("America/New_York", "2026-11-01 05:45", (1, 15), 30),
    ("America/New_York", "2026-03-08 06:30", (3, 0), 30),
    ("America/Santiago", "2026-09-06 03:45", (1, 0), 15),  # 23:45 and then 1:00
    ("America/Santiago", "2026-04-05 02:45", (23, 30), 45),
    ("Australia/Lord_Howe", "2026-04-04 14:50", (1, 40), 20),  # 1:50, half an hour comes again
    ("Australia/Lord_Howe", "2026-10-03 15:15", (2, 45), 30),  # 1:45
    ("Asia/Kathmandu", "2026-05-01 18:00", (0, 0), 15),
    ("UTC", "2026-03-02 10:00", (10, 0), None),
    ("UTC", "2026-03-02 10:00", (16, 0), 360),
    ("UTC", "2026-03-02 10:00", (16, 1), None),
]


@pytest.mark.parametrize(("zone", "at", "typed", "later"), TIMES)
def test_a_time_that_is_typed_is_the_next_one_on_the_wall(
    zone: str, at: str, typed: tuple[int, int], later: int | None
) -> None:
    found = next_time(utc(at), *typed, ZoneInfo(zone), 6 * HOUR_MS)
    assert found == (None if later is None else utc(at) + later * MINUTE_MS)


@pytest.fixture
def machine_in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[tzinfo | None]:
    """The machine's own zone, which no site names."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield None
    monkeypatch.undo()
    time.tzset()


def test_the_machines_own_zone_counts_alike(machine_in_berlin: tzinfo | None) -> None:
    for zone, at, left in DAYS:
        if zone == "Europe/Berlin":
            found = end_of_day(utc(at), machine_in_berlin) - utc(at)
            assert found // MINUTE_MS == left, at
    for zone, at, typed, later in TIMES:
        if zone == "Europe/Berlin":
            found_at = next_time(utc(at), *typed, machine_in_berlin, 6 * HOUR_MS)
            assert found_at == (None if later is None else utc(at) + later * MINUTE_MS), at
    assert wall(utc("2026-10-25 01:30"), machine_in_berlin).hour == 2
