"""Offline sync: acts of a device count once; where screens disagree, the session pauses."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import Phase as Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import Act, happened, simple_plan
from webapp.domain.commands import allowed
from webapp.domain.plan import Plan
from webapp.domain.session import Action, Event, RefusedError, State, Status, advance, fold
from webapp.domain.sync import (
    ELSEWHERE,
    OLDER,
    MergeResult,
    OfflineCommand,
    OfflineLog,
    merge,
    step_id,
)

PLAN = simple_plan()
BEGUN: tuple[Act, ...] = (("start", 1_000), ("next", 1_000))


def told(action: Action, at: int, step: str, key: str = "") -> OfflineCommand:
    return OfflineCommand(key=key or f"own-{action}-{at}", action=action, at=at, step=step)


def offline_log(
    seq: int, line: int, *acts: OfflineCommand, counted: bool = True, status: Status = "running"
) -> OfflineLog:
    return OfflineLog(
        seq=seq, line=line, alone_since=line, counted=counted, status=status, acts=acts
    )


def take(
    events: tuple[Event, ...], told_of: OfflineLog, now: int, plan: Plan = PLAN
) -> MergeResult:
    return merge(plan, events, fold(plan, events), told_of, now)


def state_after(events: tuple[Event, ...], taken: MergeResult, now: int) -> State:
    return advance(PLAN, fold(PLAN, (*events, *taken.events)), now)


def test_acts_count_at_the_instant_at_which_they_were_done() -> None:
    events = happened(PLAN, *BEGUN)
    acts = (told("pause", 11_000, "phase-1"), told("resume", 31_000, "phase-1"))
    taken = take(events, offline_log(2, 100_000, *acts), 100_000)
    assert [(e.kind, e.at, e.seq) for e in taken.events] == [
        ("pause", 11_000, 3),
        ("resume", 31_000, 4),
    ]
    online = happened(PLAN, ("pause", 11_000), ("resume", 31_000), before=events)
    assert state_after(events, taken, 100_000) == advance(PLAN, fold(PLAN, online), 100_000)


def test_the_way_to_the_server_does_not_make_an_act_later() -> None:
    events = happened(PLAN, *BEGUN)
    taken = take(events, offline_log(2, 99_000, told("pause", 11_000, "phase-1")), 100_000)
    assert taken.events[0].at == 11_000


def test_a_device_whose_line_is_far_off_is_believed_in_its_ages_only() -> None:
    events = happened(PLAN, *BEGUN)
    acts = told("pause", 5_011_000, "phase-1")
    taken = take(events, offline_log(2, 5_020_000, acts, counted=False), 40_000)
    assert taken.events[0].at == 31_000


def test_a_log_that_is_told_twice_counts_once() -> None:
    events = happened(PLAN, *BEGUN)
    same = offline_log(2, 50_000, told("pause", 11_000, "phase-1"), told("next", 20_000, "phase-1"))
    events += take(events, same, 50_000).events
    assert take(events, same, 51_000) == MergeResult(())


def test_a_log_of_which_a_part_has_arrived_already_is_no_conflict_with_itself() -> None:
    events = happened(PLAN, *BEGUN)
    acts = (told("pause", 11_000, "phase-1"), told("resume", 31_000, "phase-1"))
    events += take(events, offline_log(2, 20_000, acts[0]), 20_000).events
    taken = take(events, offline_log(2, 40_000, *acts), 40_000)
    assert [e.kind for e in taken.events] == ["resume"]
    assert taken.rejected == ()


def test_what_is_older_than_the_act_of_another_screen_is_told_and_not_done() -> None:
    events = happened(PLAN, *BEGUN, ("extend", 20_000))
    taken = take(events, offline_log(2, 40_000, told("next", 15_000, "phase-1")), 40_000)
    assert (taken.events, [m.why for m in taken.rejected]) == ((), [OLDER])


def test_what_is_newer_and_was_done_at_the_same_step_counts() -> None:
    events = happened(PLAN, *BEGUN, ("extend", 20_000))
    taken = take(events, offline_log(2, 40_000, told("next", 25_000, "phase-1")), 40_000)
    assert [(e.kind, e.at) for e in taken.events] == [("next", 25_000)]


def test_what_was_done_at_another_step_is_told_and_not_done() -> None:
    events = happened(PLAN, *BEGUN, ("next", 20_000))
    taken = take(events, offline_log(2, 40_000, told("next", 25_000, "phase-1")), 40_000)
    assert (taken.events, [m.why for m in taken.rejected]) == ((), [ELSEWHERE])


@pytest.mark.parametrize("at", [15_000, 25_000])
def test_a_stop_always_counts(at: int) -> None:
    events = happened(PLAN, *BEGUN, ("next", 20_000))
    stop = told("stop", at, "phase-1")
    taken = take(events, offline_log(2, 40_000, stop, status="stopped"), 40_000)
    assert state_after(events, taken, 40_000).status == "stopped"
    assert taken.rejected == ()


def test_a_device_that_paused_while_another_went_on_pauses_the_session() -> None:
    events = happened(PLAN, *BEGUN, ("next", 20_000))
    paused = offline_log(2, 40_000, told("pause", 15_000, "phase-1"), status="paused")
    taken = take(events, paused, 40_000)
    assert taken.paused
    assert [(e.kind, e.at) for e in taken.events] == [("pause", 40_000)]
    again = take((*events, *taken.events), paused, 41_000)
    assert again.events == ()


def test_told_again_after_somebody_went_on_a_difference_pauses_no_second_time() -> None:
    """Its answer was lost, and the session was resumed: the same log says nothing new."""
    events = happened(PLAN, *BEGUN, ("next", 20_000))
    first = told("pause", 15_000, "phase-1")
    taken = take(events, offline_log(2, 40_000, first, status="paused"), 40_000)
    resumed = Event(len(events) + 2, "resumed-here", "resume", 41_000)
    events = (*events, *taken.events, resumed)
    again = take(events, offline_log(2, 42_000, first, status="paused"), 42_000)
    assert (again.events, again.paused) == ((), False)
    more = told("back", 43_000, "phase-1")
    later = take(events, offline_log(2, 44_000, first, more, status="paused"), 44_000)
    assert [e.kind for e in later.events] == ["pause"]
    assert {e.key for e in later.events}.isdisjoint(e.key for e in events)


def test_a_device_that_runs_never_sets_a_paused_session_going() -> None:
    events = happened(PLAN, *BEGUN, ("pause", 20_000))
    told_of = offline_log(2, 40_000, told("next", 15_000, "phase-1"))
    taken = take(events, told_of, 40_000)
    assert state_after(events, taken, 40_000).status == "paused"


def test_what_the_rules_refuse_is_told_with_their_reason() -> None:
    events = happened(PLAN, *BEGUN)
    taken = take(events, offline_log(2, 40_000, told("resume", 15_000, "phase-1")), 40_000)
    assert len(taken.rejected) == 1
    assert taken.rejected[0].why


def test_what_the_answers_no_longer_allow_is_told_with_the_reason() -> None:
    events = happened(PLAN, *BEGUN)
    told_of = offline_log(2, 40_000, told("pause", 15_000, "phase-1"))
    taken = merge(PLAN, events, fold(PLAN, events), told_of, 40_000, lambda *_: "too old")
    assert (taken.events, [m.why for m in taken.rejected]) == ((), ["too old"])


# --- doubt -------------------------------------------------------------------------------------

DOUBTED = (*happened(PLAN, *BEGUN), Event(3, "doubt-1", "doubt", 10_000))


def test_a_device_that_went_on_counting_settles_the_doubt() -> None:
    taken = take(DOUBTED, offline_log(2, 90_000), 90_000)
    assert taken.time_confirmed
    state = state_after(DOUBTED, taken, 90_000)
    never_doubted = advance(PLAN, fold(PLAN, DOUBTED[:2]), 90_000)
    assert (state.status, state.index, state.left) == (
        never_doubted.status,
        never_doubted.index,
        never_doubted.left,
    )


@pytest.mark.parametrize("shift", [-30_000, 500_000])
def test_after_a_reboot_the_session_goes_on_by_the_device_on_the_new_line_of_time(
    shift: int,
) -> None:
    taken = take(DOUBTED, offline_log(2, 90_000), 90_000 + shift)
    state = state_after(DOUBTED, taken, 90_000 + shift)
    assert state.left == advance(PLAN, fold(PLAN, DOUBTED[:2]), 90_000).left
    acts = offline_log(2, 90_000, told("pause", 20_000, "phase-1"), status="paused")
    taken = take(DOUBTED, acts, 90_000 + shift)
    state = state_after(DOUBTED, taken, 90_000 + shift)
    assert (state.status, state.left[1]) == ("paused", 60_000 - 19_000)


def test_a_device_that_slept_settles_nothing() -> None:
    taken = take(DOUBTED, offline_log(2, 90_000, counted=False), 90_000)
    assert taken == MergeResult(())


def test_after_somebody_has_answered_the_doubt_nothing_is_settled() -> None:
    events = happened(PLAN, ("resume", 80_000), before=DOUBTED)
    assert take(events, offline_log(2, 90_000), 90_000) == MergeResult(())


def test_two_devices_that_counted_settle_the_doubt_once() -> None:
    events = (*DOUBTED, *take(DOUBTED, offline_log(2, 90_000), 90_000).events)
    second = offline_log(2, 91_000, told("pause", 30_000, "phase-1"), status="paused")
    taken = take(events, second, 91_000)
    assert not taken.time_confirmed
    assert [(e.kind, e.at) for e in taken.events] == [("pause", 30_000)]


# --- any course ----------------------------------------------------------------------------------


@st.composite
def courses(draw: st.DrawFn) -> tuple[tuple[Act, ...], int]:
    """Allowed acts with their instants, and how many of them the server saw at once."""
    acts: list[Act] = []
    at = 1_000
    for _ in range(draw(st.integers(2, 10))):
        events = happened(PLAN, *acts)
        state = advance(PLAN, fold(PLAN, events), at)
        offered = [a for a in allowed(PLAN, state) if a not in ("end-at", "extend")]
        if not offered:
            break
        one: Act = (draw(st.sampled_from(offered)), at)
        with suppress(RefusedError):  # a cap, or the most that a session may have
            happened(PLAN, *acts, one)
            acts.append(one)
        at += draw(st.integers(0, 90_000))
    return tuple(acts), draw(st.integers(1, len(acts)))


def as_told(whole: tuple[Event, ...], number: int) -> OfflineCommand:
    event = whole[number]
    state = advance(PLAN, fold(PLAN, whole[:number]), event.at)
    assert event.kind != "doubt"
    assert event.kind != "settled"
    return OfflineCommand(key=event.key, action=event.kind, at=event.at, step=step_id(PLAN, state))


@settings(max_examples=150, deadline=None, phases=(Stage.explicit, Stage.reuse, Stage.generate))
@given(courses(), st.integers(0, 1_500))
def test_any_course_told_afterwards_ends_as_if_the_server_had_seen_it(
    course: tuple[tuple[Act, ...], int], delay: int
) -> None:
    acts, seen = course
    whole = happened(PLAN, *acts)
    before = whole[:seen]
    line = whole[-1].at + 5_000
    own = tuple(as_told(whole, number) for number in range(seen, len(whole)))
    taken = take(before, offline_log(seen, line, *own), line + delay)
    assert (*before, *taken.events) == whole
    assert taken.rejected == ()
