"""Where a course stands, what holds a start back, and the dates to come."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import phase, protocol, shipped, shipped_protocol, simple_plan
from webapp.domain.calendar_dates import HOUR_MS, add_span, dates, slot, wall
from webapp.domain.course import (
    Client,
    Course,
    CourseProgress,
    Hold,
    Terms,
    gap_hold,
    gentle_changes,
    hold,
    planned,
    progress,
    strictest,
    suction_hold,
    terms_of,
    within,
)
from webapp.domain.protocol import Break, Count, Span
from webapp.domain.record import PhaseRecord, SessionRecord

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 24 * HOUR_MS
PLAN = simple_plan()
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
]


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def terms(**more: object) -> Terms:
    bounds = Count(min=10, usual=10, max=15)
    return Terms.model_validate(
        {"sessions": bounds, "gap_hours": 48, "repeat_after": Span(months=6)} | more
    )


def course(of: Terms | None = None, target: int | None = 10) -> Course:
    return Course("c", Client("k", "K7-M4Q"), "built", "Built", of or terms(), target, 0)


def past(begun_at: int, technique: str = "kneading", done_ms: int = 60_000) -> SessionRecord:
    spell = PhaseRecord("One", technique, "low-back", "both", 60_000, done_ms)
    return SessionRecord(f"s{begun_at}", PLAN, begun_at, "finished", "whole", (spell,))


def after(
    starts: list[int], now: int, of: Terms | None = None, target: int | None = 10
) -> CourseProgress:
    return progress(course(of, target), [past(start) for start in starts], now, BERLIN)


MONDAY = at("2026-03-02 10:00")


def test_a_new_course_waits_for_nothing() -> None:
    found = after([], MONDAY)
    assert (found.stage, found.done, found.next_at) == ("new", 0, None)
    assert hold(found, MONDAY) is None
    assert planned(found, MONDAY, BERLIN)[0] == MONDAY


def test_the_gap_counts_from_start_to_start_and_ends_at_the_millisecond() -> None:
    end = MONDAY + 48 * HOUR_MS
    assert after([MONDAY], MONDAY + 1).next_at == end
    assert hold(after([MONDAY], end - 1), end - 1) == Hold("gap", end, firm=False)
    assert hold(after([MONDAY], end), end) is None


@pytest.mark.parametrize("technique", ["cupping", "vacuum", "honey"])
def test_what_marks_or_irritates_the_skin_never_starts_before_its_gap(technique: str) -> None:
    of = terms(gap_hours=72, techniques=(technique,))
    held = hold(after([MONDAY], MONDAY + 1, of), MONDAY + 1)
    assert held == Hold("gap", MONDAY + 72 * HOUR_MS, firm=True)


def test_a_session_in_which_no_hand_was_laid_on_does_not_count() -> None:
    idle = [past(MONDAY, done_ms=0)]
    assert progress(course(), idle, MONDAY + 1, BERLIN).done == 0


def test_a_complete_course_waits_for_its_repeat_and_then_begins_anew() -> None:
    starts = [MONDAY + n * 2 * DAY for n in range(10)]
    again = add_span(starts[-1], Span(months=6), BERLIN)
    found = after(starts, starts[-1] + DAY)
    assert (found.stage, found.left, found.next_at) == ("complete", 0, again)
    assert hold(found, again - 1) == Hold("repeat", again, firm=False)
    assert hold(found, again) is None
    assert found.fresh(again)
    assert not found.fresh(again - 1)
    assert len(planned(found, starts[-1] + DAY, BERLIN)) == 1


def test_more_sessions_within_the_protocol_take_up_the_course_again() -> None:
    starts = [MONDAY + n * 2 * DAY for n in range(10)]
    assert after(starts, starts[-1] + DAY, target=12).stage == "going"
    assert [within(terms(), wanted) for wanted in (1, 12, 99)] == [10, 12, 15]


def test_honey_ends_at_eight_for_any_reason() -> None:
    # facts C11, HO-07: five as usual, eight at most
    of = terms_of(shipped_protocol("oc-honey-back"))
    assert of is not None
    assert of.sessions == Count(min=5, usual=5, max=8)
    assert within(of, 99) == 8
    starts = [MONDAY + n * 2 * DAY for n in range(8)]
    now = starts[-1] + 30 * DAY
    held = hold(after(starts, now, of, target=8), now)
    assert held is not None
    assert (held.rule, held.firm) == ("repeat", True)
    assert held.until == add_span(starts[-1], Span(months=6), BERLIN)


def points() -> Terms:
    found = terms_of(shipped_protocol("oc-ap-sedating"))
    assert found is not None
    return found


def test_points_stop_at_three_months_with_a_week_off() -> None:
    # facts C45: whatever number was wanted
    starts = [MONDAY + n * 3 * DAY for n in range(31)]
    end = add_span(MONDAY, Span(months=3), BERLIN)
    now = end + 1
    found = replace(after(starts, now, points(), target=45), course=answered("yes"))
    assert found.stage == "resting"
    off = add_span(starts[-1], Span(weeks=1), BERLIN)
    assert hold(found, now) == Hold("break", off, firm=True)
    assert found.fresh(off)


def test_no_date_of_points_is_planned_beyond_three_months() -> None:
    now = MONDAY + 41 * DAY
    days = planned(after([MONDAY, MONDAY + 40 * DAY], now, points(), target=45), now, BERLIN)
    end = add_span(MONDAY, Span(months=3), BERLIN)
    assert end - 3 * DAY <= max(days) < end
    assert len(days) < 43


def answered(helped: str | None) -> Course:
    return replace(course(points(), 45), helped=helped)  # type: ignore[arg-type]


def test_points_are_looked_at_after_four_weeks() -> None:
    due = MONDAY + 28 * DAY - HOUR_MS  # summer time has begun
    starts = [MONDAY + n * 4 * DAY for n in range(7)]

    def held(helped: str | None, now: int) -> Hold | None:
        found = progress(answered(helped), [past(s) for s in starts], now, BERLIN)
        return hold(found, now)

    assert held(None, due - 1) is None
    assert held(None, due) == Hold("review", None, firm=True)
    assert held("yes", due) is None
    left_off = held("no", due)
    assert left_off is not None
    assert left_off.firm
    assert left_off.rule == "repeat"


def test_a_course_left_for_months_begins_anew_without_a_question() -> None:
    found = after([MONDAY, MONDAY + 2 * DAY], MONDAY + 300 * DAY)
    assert found.stage == "going"
    assert found.fresh(MONDAY + 300 * DAY)
    assert hold(found, MONDAY + 300 * DAY) is None


@pytest.mark.parametrize(("hours", "held"), [(71.99, True), (72, False)])
def test_cups_of_any_protocol_keep_72_hours(hours: float, held: bool) -> None:
    # facts C04
    now = MONDAY + round(hours * HOUR_MS)
    vacuum = [past(MONDAY, "vacuum"), past(MONDAY + HOUR_MS, "kneading")]
    found = suction_hold(vacuum, ["cupping", "stroking"], now)
    assert (found is not None) == held
    assert found is None or found.firm
    assert suction_hold(vacuum, ["kneading"], MONDAY) is None
    assert suction_hold([past(MONDAY, "cupping", 0)], ["cupping"], MONDAY + 1) is None


@pytest.mark.parametrize(
    ("hours_ago", "of", "until_hours"),
    [
        ([47.9], {}, 48),
        ([48], {}, None),
        ([100, 40, 90], {}, 48),
        ([71], {"gap_hours": 72}, 72),
        ([150, 100, 50], {"most_in_week": 3}, 168 - 150),
        ([150, 100, 49], {"most_in_week": 3, "gap_hours": 48}, 168 - 150),
        ([169, 100, 50], {"most_in_week": 3}, None),
        ([168, 100, 50], {"most_in_week": 3}, None),
        ([100, 50], {"most_in_week": 3}, None),
        ([167, 166, 165, 100, 50], {"most_in_week": 3}, 168 - 165),
    ],
)
def test_the_gap_counts_every_session_with_hands_on(
    hours_ago: list[float], of: dict[str, object], until_hours: int | None
) -> None:
    """Of whatever course or none, however short; not those in which no hands were on."""
    now = MONDAY + 400 * HOUR_MS
    short = [past(now - round(hours * HOUR_MS), "kneading", 1) for hours in hours_ago]
    other = replace(past(now - HOUR_MS), plan=PLAN.model_copy(update={"protocol": "other"}))
    never_begun = past(now - HOUR_MS, "kneading", 0)
    found = gap_hold("built", terms(**of), [*short, other, never_begun], now)
    if until_hours is None:
        assert found is None
        return
    week = "most_in_week" in of
    assert found is not None
    wanted = now + until_hours * HOUR_MS
    if not week:
        wanted = now - round(min(hours_ago) * HOUR_MS) + until_hours * HOUR_MS
    assert (found.rule, found.until, found.firm) == ("week" if week else "gap", wanted, week)
    assert gap_hold("built", None, short, now) is None


def test_the_gap_of_cups_and_honey_is_firm() -> None:
    for technique in ("cupping", "vacuum", "honey"):
        found = gap_hold("built", terms(techniques=(technique,)), [past(MONDAY)], MONDAY + HOUR_MS)
        assert found is not None
        assert found.firm, technique


def test_what_no_reason_shortens_holds_first_and_then_the_longest() -> None:
    soft, softer = Hold("gap", 90, firm=False), Hold("gap", 50, firm=False)
    firm, firmer = Hold("suction", 10, firm=True), Hold("week", 20, firm=True)
    assert strictest((None, softer, soft)) == soft
    assert strictest((soft, firm, None)) == firm
    assert strictest((firm, firmer)) == firmer
    assert strictest((None, None)) is None


def test_no_seven_days_hold_more_thai_than_three() -> None:
    thai = terms_of(shipped_protocol("oc-thai"))
    assert thai is not None
    assert thai.most_in_week == 3
    found = progress(course(thai), [past(MONDAY)], MONDAY + DAY, BERLIN)
    days = [MONDAY, *planned(found, MONDAY + DAY, BERLIN)]
    assert len(days) == 10
    assert min(later - day for day, later in zip(days, days[3:], strict=False)) >= 7 * DAY - HOUR_MS


def test_the_first_three_classical_sessions_are_gentle() -> None:
    # facts C01, CL-06
    for name, entry in shipped().entries.items():
        of = terms_of(entry.protocol)
        classical = name.startswith("oc-classic") or name == "oc-cervical-4step"
        assert of is None or of.gentle_first == (3 if classical else 0), name
    assert gentle_changes(terms(gentle_first=3), 2).light
    assert gentle_changes(terms(gentle_first=3), 2).shortest
    assert not gentle_changes(terms(gentle_first=3), 3)


def test_a_protocol_without_a_course_has_no_terms() -> None:
    assert terms_of(protocol(phase("one"))) is None


# -- dates -------------------------------------------------------------------------------------


def test_forty_eight_hours_over_the_change_to_summer_time_end_an_hour_later() -> None:
    saturday = at("2026-03-28 10:00")
    assert slot(saturday + 48 * HOUR_MS, saturday, BERLIN) == at("2026-03-30 11:00")


def test_over_the_change_to_winter_time_the_usual_time_is_kept() -> None:
    saturday = at("2026-10-24 10:00")
    assert slot(saturday + 48 * HOUR_MS, saturday, BERLIN) == at("2026-10-26 10:00")


def test_missed_days_are_planned_anew_at_the_usual_time() -> None:
    late = at("2026-03-12 20:00")
    found = after([MONDAY], late)
    assert planned(found, late, BERLIN)[:2] == (at("2026-03-13 10:00"), at("2026-03-15 10:00"))
    assert len(planned(found, late, BERLIN)) == 9
    assert hold(found, late) is None


@pytest.mark.parametrize(
    ("begun", "span", "end"),
    [
        ("2028-02-29 10:00", Span(months=12), "2029-02-28 10:00"),
        ("2027-08-31 10:00", Span(months=6), "2028-02-29 10:00"),
        ("2026-08-31 10:00", Span(months=6), "2027-02-28 10:00"),
        ("2026-01-31 10:00", Span(months=1, weeks=1, days=1), "2026-03-08 10:00"),
        ("2026-03-01 02:30", Span(weeks=4), "2026-03-29 03:30"),
    ],
)
def test_spans_keep_the_day_and_the_time_on_the_wall(begun: str, span: Span, end: str) -> None:
    assert add_span(at(begun), span, BERLIN) == at(end)


INSTANTS = st.integers(min_value=at("2024-01-01 00:00"), max_value=at("2032-12-31 00:00"))
GAPS = st.integers(min_value=1, max_value=1000)
SPANS = st.builds(
    Span, months=st.integers(0, 24), weeks=st.integers(0, 52), days=st.integers(0, 366)
)


@settings(max_examples=150)
@given(INSTANTS, INSTANTS, GAPS, st.integers(0, 20), st.sampled_from(ZONES))
def test_dates_rise_and_never_break_the_gap(
    earliest: int, usual: int, gap: int, count: int, zone: str
) -> None:
    found = dates(earliest, usual, gap * HOUR_MS, count, ZoneInfo(zone))
    assert len(found) == count
    assert all(b - a >= gap * HOUR_MS for a, b in itertools.pairwise(found))
    assert all(date >= earliest for date in found)
    assert not found or found[0] - earliest <= 2 * DAY
    assert all(wall(date, ZoneInfo(zone)).minute % 15 == 0 for date in found)


@settings(max_examples=150)
@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=12),
    INSTANTS,
    GAPS,
    st.integers(0, 400),
    st.integers(0, 400),
    st.sampled_from(ZONES),
)
def test_planning_anew_never_shortens_a_gap(
    steps: list[int], first: int, gap: int, wait: int, later: int, zone: str
) -> None:
    """Whatever was done and missed: dates come after now, after the gap, and only move on."""
    here = ZoneInfo(zone)
    starts = [first + sum(steps[: n + 1]) * 7 * HOUR_MS for n in range(len(steps))]
    of = Terms(sessions=Count(min=1, usual=15, max=20), gap_hours=gap)
    sessions = [past(start) for start in starts]
    now = max(starts) + wait * HOUR_MS
    soon, late = (
        planned(progress(course(of, 15), sessions, when, here), when, here)
        for when in (now, now + later * HOUR_MS)
    )
    for found, when in ((soon, now), (late, now + later * HOUR_MS)):
        assert all(date >= max(when, max(starts) + gap * HOUR_MS) for date in found)
        assert all(b - a >= gap * HOUR_MS for a, b in itertools.pairwise(found))
    assert all(b >= a for a, b in zip(soon, late, strict=False))


@settings(max_examples=150)
@given(INSTANTS, SPANS, st.sampled_from(ZONES))
def test_a_span_never_goes_back_and_keeps_the_time_of_day(
    begun: int, span: Span, zone: str
) -> None:
    here = ZoneInfo(zone)
    end = add_span(begun, span, here)
    before, found = wall(begun, here), wall(end, here)
    assert (
        end >= begun - 2 * HOUR_MS if not (span.months or span.weeks or span.days) else end > begun
    )
    exists = found.replace(fold=0).astimezone(UTC) == found.astimezone(UTC)
    if exists and found.utcoffset() == (found - timedelta(hours=3)).utcoffset():
        assert (found.hour, found.minute) == (before.hour, before.minute)


@settings(max_examples=100)
@given(st.lists(INSTANTS, min_size=1, max_size=40, unique=True), INSTANTS, st.booleans())
def test_a_held_start_is_never_let_through_before_its_instant(
    starts: list[int], now: int, strict: bool
) -> None:
    of = terms(techniques=("honey",) if strict else ("kneading",))
    found = after(starts, now, of)
    if now >= max(starts) and not found.fresh(now) and found.next_at and now < found.next_at:
        held = hold(found, now)
        assert held is not None
        assert held.until == found.next_at
        assert held.firm == strict


def test_a_break_in_the_terms_is_read_from_the_file() -> None:
    assert points().break_after == Break(after=Span(months=3), pause=Span(weeks=1))
    assert points().review_after == Span(weeks=4)
