"""The calendar files, read by two readers that know nothing of each other."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ical.calendar import Calendar
from ical.calendar_stream import IcsCalendarStream

from tests.domain.test_course import BERLIN, at
from tests.support.builders import happened, shipped_protocol, simple_plan
from webapp.domain.aftercare import reminders
from webapp.domain.calendar_dates import HOUR_MS
from webapp.domain.course import Client, Course, CourseProgress, planned, progress, terms_of
from webapp.domain.record import SessionRecord, session_record
from webapp.domain.session import fold
from webapp.presentation.ical import course_calendar, reminder_calendar

NOW = at("2026-03-27 12:00")
Entry = tuple[str, datetime, datetime, str, str]


def standing(protocol_id: str, starts: list[int], now: int = NOW) -> CourseProgress:
    """A course of a shipped protocol in which sessions were begun at these instants."""
    protocol = shipped_protocol(protocol_id)
    terms = terms_of(protocol)
    assert terms is not None
    assert terms.sessions is not None
    client = Client("k", "K7-M4Q")
    course = Course("c", client, protocol_id, protocol.title, terms, terms.sessions.usual, 0)
    return progress(course, [session(start) for start in starts], now, BERLIN)


def session(start: int) -> SessionRecord:
    plan = simple_plan()
    state = fold(plan, happened(plan, ("start", start), ("next", start)))
    return session_record(f"s{start}", plan, state, start + 999_999)


def written(protocol_id: str, starts: list[int], now: int = NOW) -> bytes:
    found = standing(protocol_id, starts, now)
    dates = planned(found, now, BERLIN)
    return course_calendar(found, dates, now, shipped_protocol(protocol_id))


def read(body: bytes) -> Any:
    """What icalendar reads; its values are of many types."""
    return icalendar.Calendar.from_ical(body)


def by_icalendar(body: bytes) -> list[Entry]:
    calendar = read(body)
    return [
        (str(e["UID"]), e["DTSTART"].dt, e["DTEND"].dt, str(e["SUMMARY"]), str(e["DESCRIPTION"]))
        for e in calendar.walk("VEVENT")
    ]


def by_ical(body: bytes) -> list[Entry]:
    calendar: Calendar = IcsCalendarStream.calendar_from_ics(body.decode())
    found = []
    for e in calendar.events:
        assert isinstance(e.dtstart, datetime)
        assert isinstance(e.dtend, datetime)
        found.append((e.uid or "", e.dtstart, e.dtend, e.summary or "", e.description or ""))
    return found


START = at("2026-03-26 10:00")


@pytest.mark.parametrize("name", ["oc-classic-full", "dm-legs-feet", "oc-honey-back", "oc-ap-ear"])
def test_two_readers_read_the_same_dates_texts_and_alarms(name: str) -> None:
    body = written(name, [START])
    first, second = by_icalendar(body), by_ical(body)
    assert first == second
    found = standing(name, [START])
    assert [e[1] for e in first] == [
        datetime.fromtimestamp(d / 1000, UTC) for d in planned(found, NOW, BERLIN)
    ]
    usual = shipped_protocol(name).session
    assert usual is not None
    assert {e[2] - e[1] for e in first} == {timedelta(seconds=usual.usual)}


def test_preparation_and_aftercare_stand_in_every_entry() -> None:
    for *_, text in by_ical(written("dm-legs-feet", [START])):
        assert "one and a half to two hours before" in text
        assert "No alcohol" in text
        assert "Never fasting" in text
        for step in shipped_protocol("dm-legs-feet").aftercare:
            assert step.text in text


def test_dates_keep_their_time_on_the_wall_and_their_gap_over_the_change_to_summer_time() -> None:
    shown = [e[1].astimezone(BERLIN) for e in by_ical(written("oc-classic-full", [START]))]
    assert f"{shown[0]:%a %d %H:%M}" == "Sat 28 10:00"
    assert f"{shown[1]:%a %d %H:%M}" == "Mon 30 11:00"  # 10:00 would be 47 hours
    gaps = [b - a for a, b in itertools.pairwise(shown)]
    assert min(
        b.astimezone(UTC) - a.astimezone(UTC) for a, b in itertools.pairwise(shown)
    ) >= timedelta(hours=48), gaps


def test_each_viewer_sees_the_same_instant_in_their_own_zone() -> None:
    (first, *_) = by_icalendar(written("oc-classic-full", [START]))
    assert f"{first[1].astimezone(ZoneInfo('America/New_York')):%H:%M}" == "05:00"
    assert f"{first[1].astimezone(ZoneInfo('Asia/Kathmandu')):%H:%M}" == "14:45"


def test_alarms_tell_of_the_meal_and_of_glucose_afterwards() -> None:
    (first, *_) = read(written("dm-legs-feet", [START])).walk("VEVENT")
    alarms = [
        (a["TRIGGER"].dt, a["TRIGGER"].params.get("RELATED", "START"), str(a["DESCRIPTION"]))
        for a in first.walk("VALARM")
    ]
    assert alarms[0][:2] == (timedelta(hours=-2), "START")
    assert [(t, r) for t, r, _ in alarms[1:]] == [
        (timedelta(minutes=10), "END"),
        (timedelta(minutes=60), "END"),
    ]
    assert "light meal" in alarms[0][2]
    other = by_ical(written("oc-classic-full", [START]))
    assert other
    assert len(read(written("oc-classic-full", [START])).walk("VALARM")) == len(other)


def test_an_entry_names_neither_client_nor_condition() -> None:
    body = written("dm-legs-feet", [START]).decode()
    assert "K7-M4Q" not in body
    assert all("iabetes" not in e[3] for e in by_icalendar(body.encode()))
    assert body.count("CLASS:PRIVATE") == body.count("BEGIN:VEVENT")


def test_a_new_date_moves_the_entry_of_the_same_session() -> None:
    soon, late = (
        by_ical(written("oc-classic-full", [START], now)) for now in (NOW, NOW + 99 * HOUR_MS)
    )
    assert soon[0][0] == late[0][0]
    assert soon[0][1] < late[0][1]
    assert len({e[0] for e in soon}) == len(soon)
    sequence = [
        int(read(written("oc-classic-full", [START], now)).walk("VEVENT")[0]["SEQUENCE"])
        for now in (NOW, NOW + 99 * HOUR_MS)
    ]
    assert sequence[0] < sequence[1]


def test_the_first_date_of_the_next_course_does_not_move_an_old_entry() -> None:
    starts = [START + n * 50 * HOUR_MS for n in range(10)]
    (again,) = by_ical(written("oc-classic-full", starts, starts[-1] + HOUR_MS))
    assert again[0] == "c-again@steady-hands"
    assert again[3] == "Massage session 1 of 10"


def test_what_follows_a_session_is_read_by_both() -> None:
    plan = simple_plan().model_copy(update={"diabetes": True})
    state = fold(plan, happened(plan, ("start", START), ("next", START), ("end", START + 5_000)))
    body = reminder_calendar("s", reminders(plan, state), START + 9_000)
    assert by_icalendar(body) == by_ical(body)
    assert [e[0] for e in by_ical(body)] == [
        "s-first@steady-hands",
        "s-again@steady-hands",
        "s-skin@steady-hands",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(at("2024-01-01 00:00"), at("2032-01-01 00:00")),
    st.sampled_from(["oc-classic-full", "oc-ap-ear", "oc-honey-back"]),
)
def test_both_readers_agree_whenever_a_course_begins(start: int, name: str) -> None:
    body = written(name, [start], start + HOUR_MS)
    assert by_icalendar(body) == by_ical(body)
    assert b"\r\n" in body
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
