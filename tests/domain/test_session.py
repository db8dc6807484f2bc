"""The session core at exact edges, and whatever happens in any order on every protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest
from hypothesis import Phase as Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.plans import moves
from tests.faults.soak import FULL
from tests.support.builders import (
    SHIPPED,
    Act,
    after,
    happened,
    numbered,
    phase,
    protocol,
    rules,
    shipped_protocol,
    sides,
    simple_plan,
    step,
    usual_plan,
)
from webapp.domain.commands import act, allowed, minutes, told
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.session import (
    EXTEND_MS,
    FAR_AWAY,
    TRANSITIONS,
    Action,
    Event,
    RefusedError,
    State,
    Status,
    advance,
    fold,
    follow,
    hands_on_ms,
    initial,
    live_until,
    tagged,
    used_ms,
)
from webapp.domain.snapshot import snapshot

START: Act = ("start", 1_000)
ON: Act = ("next", 1_000)  # past the waiting preparation step of simple_plan
T = 1_000  # the instant at which the first phase begins
# Shrinking a long course of acts takes minutes and makes it little clearer.
UNSHRUNK = (Stage.explicit, Stage.reuse, Stage.generate)
ACTIONS: tuple[Action, ...] = get_args(Action)


def refused(plan: Plan, events: Sequence[Event], *one: Act) -> str:
    """The reason why an act is refused; it must leave everything as it was."""
    before = fold(plan, events)
    with pytest.raises(RefusedError) as refusal:
        happened(plan, *one, before=events)
    assert fold(plan, events) == before
    return str(refusal.value)


def place(plan: Plan, state: State) -> tuple[Status, str, int]:
    """Status, step and what is left of it."""
    if state.index == len(plan.steps):
        return state.status, "end", 0
    return state.status, plan.steps[state.index].id, state.left[state.index]


def at(plan: Plan, events: Sequence[Event], now: int) -> tuple[Status, str, int]:
    return place(plan, snapshot(plan, events, now).state)


# --- the table of transitions ------------------------------------------------------------------

IN_STATUS: dict[Status, tuple[Act, ...]] = {
    "ready": (),
    "running": (START, ON),
    "waiting": (START,),
    "paused": (START, ON, ("pause", 2_000)),
    "finished": (START, ON, ("end", 2_000), ("end", 3_000)),
    "stopped": (START, ON, ("stop", 2_000)),
}
# What the table allows but this very moment of simple_plan cannot do.
NOT_HERE: set[tuple[Status, Action]] = {
    ("waiting", "back"),  # the first step
    ("waiting", "restart"),  # it has no time of its own
    ("paused", "release"),  # nothing is on the skin
    ("running", "low"),  # no diabetes
    ("waiting", "low"),
    ("paused", "low"),
}
EXPECTED: dict[Status, set[Action]] = {
    "ready": {"start", "end-at", "undo"},
    "running": {
        *("pause", "next", "back", "restart", "extend", "end-at", "undo", "end", "low", "stop")
    },
    "waiting": {"next", "back", "restart", "end-at", "undo", "end", "low", "stop"},
    "paused": {
        *("resume", "release", "next", "back", "restart", "extend", "end-at", "undo", "end"),
        *("low", "stop"),
    },
    "finished": set(),
    "stopped": set(),
}


def test_the_table_of_transitions_is_the_one_that_was_designed() -> None:
    assert {status: set(acts) for status, acts in TRANSITIONS.items()} == EXPECTED


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", list(EXPECTED))
def test_an_act_is_taken_where_the_table_has_it_and_refused_everywhere_else(
    status: Status, action: Action
) -> None:
    plan = simple_plan()
    events = happened(plan, *IN_STATUS[status])
    if action == "undo" and "end-at" in EXPECTED[status]:
        events = happened(plan, ("end-at", 2_500, 100_000), before=events)
    seen = snapshot(plan, events, 3_000)
    assert seen.status == status
    possible = action in EXPECTED[status] and (status, action) not in NOT_HERE
    assert (action in seen.actions) == possible
    if possible:
        event = act(plan, events, action, 3_000, "k", 120_000)
        assert (event.seq, event.key, event.kind, event.at) == (len(events) + 1, "k", action, 3_000)
        assert bool(event.left_ms) == (action == "end-at")
    else:
        assert refused(plan, events, (action, 3_000))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("ready", "not begun"),
        ("paused", "Resume first"),
        ("finished", "over"),
        ("stopped", "stopped"),
    ],
)
def test_a_refusal_says_why(status: Status, words: str) -> None:
    plan = simple_plan()
    assert words in refused(plan, happened(plan, *IN_STATUS[status]), ("pause", 3_000))


# --- time passes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (T, ("running", "phase-1", 60_000)),
        (T + 1, ("running", "phase-1", 59_999)),
        (T + 59_999, ("running", "phase-1", 1)),
        (T + 60_000, ("running", "phase-2", 60_000)),
        (T + 60_001, ("running", "phase-2", 59_999)),
        (T + 120_000, ("running", "phase-3", 60_000)),
        (T + 179_999, ("running", "phase-3", 1)),
        (T + 180_000, ("running", "rest", 120_000)),
        (T + 299_999, ("running", "rest", 1)),
        (T + 300_000, ("finished", "end", 0)),
        (T + 10**9, ("finished", "end", 0)),
    ],
)
def test_phases_end_to_the_millisecond(now: int, expected: tuple[Status, str, int]) -> None:
    plan = simple_plan()
    assert at(plan, happened(plan, START, ON), now) == expected


def test_one_long_advance_passes_several_phases_and_counts_each() -> None:
    plan = simple_plan()
    state = advance(plan, after(plan, START, ON), T + 200_000)
    assert state.done == (0, 60_000, 60_000, 60_000, 20_000)
    assert state.left == (0, 0, 0, 0, 100_000)
    assert state.hands_on_ended_at == T + 180_000


def test_a_session_finishes_at_the_instant_when_its_plan_is_used_up() -> None:
    plan = simple_plan()
    state = advance(plan, after(plan, START, ON), T + 10**9)
    assert (state.status, state.ended_at) == ("finished", T + 300_000)
    assert (state.started_at, state.hands_on_ended_at) == (1_000, T + 180_000)
    assert not state.ended_early


def test_time_never_runs_backwards() -> None:
    plan = simple_plan()
    events = happened(plan, START, ("next", 5_000))
    assert at(plan, events, 10) == ("running", "phase-1", 60_000)
    assert happened(plan, ("pause", 10), before=events)[-1].at == 5_000


def test_nothing_moves_before_the_start() -> None:
    plan = simple_plan()
    assert place(plan, advance(plan, initial(plan), 10**9)) == ("ready", "ready-1", 0)


def test_an_open_step_waits_and_counts_up_until_told() -> None:
    plan = simple_plan()
    state = advance(plan, after(plan, START), 61_000)
    assert (place(plan, state), state.waited) == (("waiting", "ready-1", 0), 60_000)
    moved = after(plan, START, ("next", 61_000))
    assert (place(plan, moved), moved.waited) == (("running", "phase-1", 60_000), 0)


def waiting_plan() -> Plan:
    """``look`` (30 s, waits), ``hold`` (60 s, waits), ``last`` (60 s)."""
    return usual_plan(
        protocol(phase("hold", wait=True), phase("last"), prepare=[step("look", 30, wait=True)])
    )


@pytest.mark.parametrize(
    ("now", "expected", "waited"),
    [
        (30_999, ("running", "look", 1), 0),
        (31_000, ("waiting", "look", 0), 0),
        (31_001, ("waiting", "look", 0), 1),
        (99_000, ("waiting", "look", 0), 68_000),
    ],
)
def test_a_timed_step_that_waits_holds_at_its_end(
    now: int, expected: tuple[Status, str, int], waited: int
) -> None:
    plan = waiting_plan()
    state = advance(plan, after(plan, START), now)
    assert (place(plan, state), state.waited) == (expected, waited)


def test_next_leads_on_from_a_phase_that_waits_and_the_wait_counts_as_done() -> None:
    plan = waiting_plan()
    acts: tuple[Act, ...] = (START, ("next", 40_000), ("next", 110_000))
    state = after(plan, *acts)
    assert place(plan, state) == ("running", "last", 60_000)
    assert state.done == (39_000, 70_000, 0)


def test_a_change_of_sides_waits_between_the_sides() -> None:
    plan = usual_plan(protocol(sides(phase("leg"))))
    events = happened(plan, START)
    assert at(plan, events, T + 60_000) == ("waiting", "change-1-right", 0)
    on = happened(plan, ("next", T + 90_000), before=events)
    assert at(plan, on, T + 90_000) == ("running", "leg-right", 60_000)


# --- pause, resume, doubt -------------------------------------------------------------------------


def test_a_pause_keeps_what_is_left_and_resume_goes_on_with_it() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON, ("pause", T + 20_000))
    assert at(plan, events, T + 999_000) == ("paused", "phase-1", 40_000)
    events = happened(plan, ("resume", T + 999_000), before=events)
    assert at(plan, events, T + 999_000 + 39_999) == ("running", "phase-1", 1)
    assert at(plan, events, T + 999_000 + 40_000) == ("running", "phase-2", 60_000)


def test_a_doubt_pauses_and_never_advances_and_resume_clears_it() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON, ("doubt", T + 20_000))
    seen = snapshot(plan, events, T + 10**8)
    assert place(plan, seen.state) == ("paused", "phase-1", 40_000)
    assert seen.state.time_lost
    resumed = fold(plan, happened(plan, ("resume", T + 10**8), before=events))
    assert (place(plan, resumed), resumed.time_lost) == (("running", "phase-1", 40_000), False)


def test_the_doubt_is_over_when_the_session_is_ended_early() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("doubt", T + 20_000), ("end", T + 30_000))
    assert (place(plan, state), state.time_lost) == (("running", "rest", 120_000), False)


def test_a_pause_by_a_person_raises_no_doubt() -> None:
    plan = simple_plan()
    assert not after(plan, START, ON, ("pause", T + 1)).time_lost


def test_a_doubt_while_a_step_waits_goes_back_to_waiting() -> None:
    plan = simple_plan()
    state = after(plan, START, ("doubt", T + 5), ("resume", T + 10))
    assert place(plan, state) == ("waiting", "ready-1", 0)


def test_acts_in_a_pause_stay_in_the_pause() -> None:
    plan = simple_plan()
    pause: tuple[Act, ...] = (START, ON, ("next", T), ("pause", T + 20_000))
    table: dict[Action, tuple[str, int]] = {
        "next": ("phase-3", 60_000),
        "back": ("phase-1", 60_000),
        "restart": ("phase-2", 60_000),
        "extend": ("phase-2", 70_000),
    }
    for action, (step_id, left) in table.items():
        state = after(plan, *pause, (action, T + 30_000))
        assert place(plan, state) == ("paused", step_id, left), action


# --- next, back, restart, extend ------------------------------------------------------------------


def test_back_gives_again_what_was_left_of_a_step() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("next", T + 20_000), ("back", T + 25_000))
    assert place(plan, state) == ("running", "phase-1", 40_000)
    assert state.left[2] == 55_000
    assert state.done[1:3] == (20_000, 5_000)


def test_back_passes_over_the_move_to_another_place() -> None:
    plan = moves()
    assert [one.id for one in plan.steps[:5]] == ["oil", "to-right", "right", "to-left", "left"]
    in_right = after(plan, START, ("back", T + 100_000))
    assert place(plan, in_right) == ("running", "oil", 60_000)
    on_the_move = after(plan, START, ("back", T + 65_000))
    assert place(plan, on_the_move) == ("running", "oil", 60_000)


def test_a_move_between_cups_counts_in_their_cap_and_is_no_hands_on_time() -> None:
    plan = moves()
    state = advance(plan, after(plan, START), T + 170_000)
    assert place(plan, state) == ("running", "left", 90_000)
    assert used_ms(plan, state, 0) == 100_000
    assert hands_on_ms(plan, state) == 300_000
    longest = after(plan, START, ("end-at", T + 1_000, 900_000))
    cups = sum(longest.left[i] for i in tagged(plan, "cups"))
    assert (cups, longest.left[3]) == (205_000, 10_000)


def test_back_gives_a_used_up_step_again_in_full() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("back", T + 60_000))
    assert place(plan, state) == ("running", "phase-1", 60_000)
    assert (state.done[1], state.attempt[1]) == (60_000, 0)


def test_one_millisecond_before_its_end_a_step_is_not_used_up() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("next", T + 59_999), ("back", T + 59_999))
    assert place(plan, state) == ("running", "phase-1", 1)


def test_next_keeps_what_was_left_of_the_step_after_it() -> None:
    plan = simple_plan()
    acts: tuple[Act, ...] = (
        START,
        ON,
        ("next", T),
        ("back", T + 10_000),
        ("next", T + 10_000),
    )
    assert place(plan, after(plan, *acts)) == ("running", "phase-2", 50_000)


def test_back_into_an_open_step_waits_there() -> None:
    plan = simple_plan()
    assert place(plan, after(plan, START, ON, ("back", T + 9))) == ("waiting", "ready-1", 0)


def test_back_from_the_aftercare_opens_the_hands_on_time_again() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON, ("back", T + 180_000))
    state = fold(plan, events)
    assert place(plan, state) == ("running", "phase-3", 60_000)
    assert state.hands_on_ended_at is None
    assert advance(plan, state, T + 240_000).hands_on_ended_at == T + 240_000


def test_next_from_the_last_step_finishes() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("next", T + 180_000))
    assert (place(plan, state), state.ended_at) == (("finished", "end", 0), T + 180_000)


def test_next_out_of_the_last_phase_ends_the_hands_on_time() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("next", T + 150_000))
    assert (place(plan, state), state.hands_on_ended_at) == (
        ("running", "rest", 120_000),
        T + 150_000,
    )


def test_restart_gives_the_step_in_full_and_keeps_what_was_done() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("restart", T + 25_000))
    assert place(plan, state) == ("running", "phase-1", 60_000)
    assert (state.done[1], state.attempt[1]) == (25_000, 0)


def test_restart_of_a_step_that_waits_runs_it_again() -> None:
    plan = waiting_plan()
    assert place(plan, after(plan, START, ("restart", 50_000))) == ("running", "look", 30_000)


def long_session(count: int = 2, most: int = 600) -> Plan:
    """``count`` phases of 60 s (at most 90 s each), with room for more hands-on time."""
    return usual_plan(protocol(*numbered(count), session=(60, count * 60, most)))


def test_extend_adds_thirty_seconds_also_to_what_a_restart_gives() -> None:
    plan = long_session()
    events = happened(plan, START, ("extend", T + 10_000))
    assert at(plan, events, T + 10_000) == ("running", "phase-1", 80_000)
    again = happened(plan, ("restart", T + 20_000), before=events)
    assert at(plan, again, T + 20_000) == ("running", "phase-1", 90_000)


def test_extend_stops_at_the_maximum_of_the_phase() -> None:
    plan = long_session()
    events = happened(plan, START, ("extend", T + 10_000))
    reason = refused(plan, events, ("extend", T + 10_001))
    assert reason == "Phase-1: at most 1:30 min."


def extended(plan: Plan, events: Sequence[Event], now: int) -> tuple[int, str]:
    """What +30 s at ``now`` adds to the step under way, and what is said of it."""
    before = advance(plan, fold(plan, events), now)
    event = act(plan, events, "extend", now, "a-key-of-its-own")
    after = follow(plan, fold(plan, events), event)
    given = after.left[after.index] - before.left[before.index]
    assert after.planned[after.index] - before.planned[before.index] == given
    assert bool(event.left_ms) == (given != EXTEND_MS)
    return given, told(plan, before, event)


@pytest.mark.parametrize(
    ("most", "given", "said"),
    [
        (151, 30_000, ""),
        (150, 30_000, ""),
        (149, 29_000, "+29 s, that is the most."),
        (121, 1_000, "+1 s, that is the most."),
    ],
)
def test_extend_gives_what_is_left_to_give_in_the_session(most: int, given: int, said: str) -> None:
    """Seen to fail with a refusal where less than 30 s was left."""
    plan = long_session(most=most)
    assert extended(plan, happened(plan, START), T + 1) == (given, said)


def test_extend_is_refused_when_the_session_has_nothing_left_to_give() -> None:
    plan = long_session(most=120)
    reason = refused(plan, happened(plan, START), ("extend", T + 1))
    assert reason == "This session has at most 2:00 min of hands-on time."


@pytest.mark.parametrize(
    ("most", "given", "said"),
    [(90, 30_000, ""), (85, 25_000, "+25 s, that is the most.")],
)
def test_extend_gives_what_is_left_to_give_in_the_phase(most: int, given: int, said: str) -> None:
    plan = usual_plan(protocol(phase("one", (30, 60, most)), *numbered(1), session=(60, 120, 270)))
    events = happened(plan, START)
    assert extended(plan, events, T + 12_345) == (given, said)
    full = happened(plan, ("extend", T + 12_345), before=events)
    assert refused(plan, full, ("extend", T + 12_346)) == f"One: at most {minutes(most)}."


@pytest.mark.parametrize(("most", "possible"), [(180, True), (179, False)])
def test_back_stops_at_the_maximum_of_the_session(most: int, possible: bool) -> None:
    plan = long_session(most=most)
    events = happened(plan, START)
    if possible:
        assert happened(plan, ("back", T + 60_000), before=events)[-1].kind == "back"
    else:
        assert "2:59 min of hands-on time" in refused(plan, events, ("back", T + 60_000))


@pytest.mark.parametrize(("now", "possible"), [(T + 30_000, True), (T + 30_001, False)])
def test_restart_stops_at_the_maximum_of_the_session(now: int, possible: bool) -> None:
    plan = long_session(most=150)
    events = happened(plan, START)
    if possible:
        assert happened(plan, ("restart", now), before=events)[-1].kind == "restart"
    else:
        assert "2:30 min of hands-on time" in refused(plan, events, ("restart", now))


def test_rest_may_be_extended_but_not_beyond_two_hours() -> None:
    plan = usual_plan(protocol(*numbered(1), aftercare=[step("rest", 7_180)]))
    events = happened(plan, START)
    now = T + 60_000
    assert extended(plan, events, now + 10_000) == (30_000, "")
    assert extended(plan, events, now + 9_999) == (29_000, "+29 s, that is the most.")
    full = happened(plan, ("extend", now + 10_000), before=events)
    assert refused(plan, full, ("extend", now + 10_001)) == "This step is long enough."


# --- end and stop ---------------------------------------------------------------------------------


@pytest.mark.parametrize("paused", [False, True])
def test_end_early_goes_on_to_the_aftercare(paused: bool) -> None:
    plan = simple_plan()
    pause: tuple[Act, ...] = (("pause", T + 25_000),) if paused else ()
    state = after(plan, START, ON, *pause, ("end", T + 30_000))
    assert place(plan, state) == ("running", "rest", 120_000)
    assert (state.ended_early, state.hands_on_ended_at) == (True, T + 30_000)


def test_end_in_the_aftercare_finishes() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("end", T + 190_000))
    assert (place(plan, state), state.ended_at) == (("finished", "end", 0), T + 190_000)
    assert state.hands_on_ended_at == T + 180_000


def test_end_before_any_hands_on_work_finishes_without_aftercare() -> None:
    plan = simple_plan()
    assert place(plan, after(plan, START, ("end", T + 9))) == ("finished", "end", 0)
    assert place(plan, after(plan, START, ON, ("end", T))) == ("finished", "end", 0)
    assert place(plan, after(plan, START, ON, ("end", T + 1)))[1] == "rest"


def test_end_without_aftercare_finishes() -> None:
    plan = long_session()
    assert place(plan, after(plan, START, ("end", T + 9_000))) == ("finished", "end", 0)


def test_stop_is_final_and_keeps_the_place() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON, ("stop", T + 70_000))
    seen = snapshot(plan, events, T + 10**8)
    assert place(plan, seen.state) == ("stopped", "phase-2", 50_000)
    assert (seen.state.ended_at, seen.state.hands_on_ended_at) == (T + 70_000, T + 70_000)
    assert seen.actions == ()
    assert (seen.live, seen.hands_on_over, seen.hands_on_ends_in) == (False, True, None)


def test_stop_in_the_aftercare_keeps_when_the_work_ended() -> None:
    plan = simple_plan()
    state = after(plan, START, ON, ("stop", T + 200_000))
    assert (state.ended_at, state.hands_on_ended_at) == (T + 200_000, T + 180_000)


# --- cups: a cap that counts on in a pause --------------------------------------------------------


def cups(*, cap: int = 200, session: int = 600) -> Plan:
    """``oil`` 60, ``right`` 90 and ``left`` 90 (cups, together at most ``cap``), ``close`` 60."""
    return usual_plan(
        protocol(
            phase("oil"),
            phase("right", (60, 90, 180), tags=["cups"]),
            phase("left", (60, 90, 180), tags=["cups"]),
            phase("close"),
            session=(180, 300, session),
            rules=rules(cap={"cups": cap}, counting=["cups"]),
            aftercare=[step("rest", 120)],
        )
    )


RIGHT = T + 60_000  # the first cup goes on
LEFT = RIGHT + 90_000


def test_in_a_pause_the_cap_counts_on_until_the_release() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 30_000))
    assert snapshot(plan, events, RIGHT + 30_000).cap_seconds_left == 170
    assert snapshot(plan, events, RIGHT + 30_001).cap_seconds_left == 170
    assert snapshot(plan, events, RIGHT + 31_000).cap_seconds_left == 169
    assert snapshot(plan, events, RIGHT + 900_000).cap_seconds_left == 0
    events = happened(plan, ("release", RIGHT + 50_000), before=events)
    seen = snapshot(plan, events, RIGHT + 999_000)
    assert (seen.state.held, seen.cap_seconds_left) == ((20_000,), None)
    assert "release" not in seen.actions


@pytest.mark.parametrize(
    ("paused_ms", "right", "left"),
    [
        (0, 60_000, 90_000),
        (20_000, 60_000, 90_000),
        (20_001, 60_000, 89_999),
        (50_000, 60_000, 60_000),
        (110_000, 60_000, 0),
        (110_001, 59_999, 0),
        (169_999, 1, 0),
    ],
)
def test_resume_trims_what_is_left_to_the_cap(paused_ms: int, right: int, left: int) -> None:
    plan = cups()
    state = after(plan, START, ("pause", RIGHT + 30_000), ("resume", RIGHT + 30_000 + paused_ms))
    assert place(plan, state) == ("running", "right", right)
    assert state.left[2] == left
    assert not state.holding


def test_when_the_pause_used_up_the_cap_resume_leads_past_the_cups() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 30_000), ("resume", RIGHT + 200_000))
    assert at(plan, events, RIGHT + 200_001) == ("running", "close", 59_999)


def test_only_a_pause_with_cups_on_holds_the_cap() -> None:
    plan = cups()
    before = snapshot(plan, happened(plan, START, ("pause", RIGHT - 1)), RIGHT + 50_000)
    assert (before.state.held, before.cap_seconds_left) == ((0,), None)
    no_counting = usual_plan(protocol(phase("right", tags=["cups"]), rules=rules(cap={"cups": 70})))
    seen = snapshot(no_counting, happened(no_counting, START, ("pause", T + 1)), T + 50_000)
    assert (seen.state.held, seen.cap_seconds_left) == ((0,), None)


def test_a_doubt_with_cups_on_holds_the_cap_too() -> None:
    plan = cups()
    seen = snapshot(plan, happened(plan, START, ("doubt", RIGHT + 30_000)), RIGHT + 40_000)
    assert seen.state.held == (10_000,)


def test_going_on_in_the_pause_does_not_take_the_cups_off() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", LEFT + 30_000), ("next", LEFT + 31_000))
    seen = snapshot(plan, events, LEFT + 40_000)
    assert (seen.step_id, seen.state.held) == ("close", (10_000,))


@pytest.mark.parametrize(("now", "possible"), [(RIGHT + 20_000, True), (RIGHT + 20_001, False)])
def test_restart_is_refused_where_the_cap_would_break(now: int, possible: bool) -> None:
    plan = cups()
    events = happened(plan, START)
    if possible:
        assert happened(plan, ("restart", now), before=events)[-1].kind == "restart"
    else:
        assert refused(plan, events, ("restart", now)) == "Cups: at most 3:20 min in one session."


@pytest.mark.parametrize(("cap", "possible"), [(270, True), (269, False)])
def test_back_is_refused_where_the_cap_would_break(cap: int, possible: bool) -> None:
    plan = cups(cap=cap)
    events = happened(plan, START)
    if possible:
        assert happened(plan, ("back", LEFT), before=events)[-1].kind == "back"
    else:
        assert refused(plan, events, ("back", LEFT)).startswith("Cups: at most 4:29 min")


@pytest.mark.parametrize(("cap", "given"), [(210, 30_000), (209, 29_000), (181, 1_000)])
def test_extend_gives_what_the_cap_has_left_to_give(cap: int, given: int) -> None:
    plan = cups(cap=cap)
    events = happened(plan, START)
    assert extended(plan, events, RIGHT)[0] == given
    full = happened(plan, ("extend", RIGHT), before=events)
    assert refused(plan, full, ("extend", RIGHT)).startswith(f"Cups: at most {minutes(cap)}")


def test_time_held_in_a_pause_counts_against_a_restart() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 1), ("release", RIGHT + 20_001))
    assert refused(plan, events, ("restart", RIGHT + 30_000)).startswith("Cups")


def test_after_too_long_a_pause_the_phases_without_cups_can_still_be_done_again() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 30_000), ("resume", RIGHT + 400_000))
    close = RIGHT + 400_010
    assert at(plan, events, close)[1] == "close"
    for action in ("extend", "restart"):
        assert happened(plan, (action, close), before=events)[-1].kind == action


# --- refit: must end at ---------------------------------------------------------------------------


def refit_case(plan: Plan, events: Sequence[Event], now: int, wish: int) -> tuple[State, State]:
    """The state at ``now`` before and after a re-fit, recorded as text in between."""
    before = snapshot(plan, events, now).state
    event = act(plan, events, "end-at", now, "k", wish)
    stored = json.loads(json.dumps(event.left_ms))
    again = replace(event, left_ms=tuple((step_id, ms) for step_id, ms in stored))
    after_it = fold(plan, (*events, event))
    assert fold(plan, (*events, again)) == after_it
    told = [step_id for step_id, _ in event.left_ms]
    phases = {s.id: i for i, s in enumerate(plan.steps) if s.hands_on}
    assert [step_id for step_id in told if step_id in phases] == [
        step_id for step_id, i in phases.items() if i >= before.index
    ]
    return before, after_it


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (150_000, (45_000, 55_000, 50_000)),
        (170_000, (50_000, 60_000, 60_000)),
        (150_001, (40_001, 55_000, 55_000)),
        (154_999, (44_999, 55_000, 55_000)),
        (250_000, (80_000, 85_000, 85_000)),
        (260_000, (80_000, 90_000, 90_000)),
        (260_001, (80_000, 90_000, 90_000)),
        (999_999, (80_000, 90_000, 90_000)),
        (80_000, (20_000, 30_000, 30_000)),
        (79_999, (20_000, 30_000, 30_000)),
        (0, (20_000, 30_000, 30_000)),
    ],
)
def test_a_refit_ends_the_work_to_the_millisecond_or_as_near_as_it_can(
    wish: int, left: tuple[int, int, int]
) -> None:
    plan = long_session(3)
    _, state = refit_case(plan, happened(plan, START), T + 10_000, wish)
    assert state.left == left


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (0, (17_655, 30_000, 30_000)),
        (77_655, (17_655, 30_000, 30_000)),
        (77_656, (17_656, 30_000, 30_000)),
        (257_655, (77_655, 90_000, 90_000)),
        (258_000, (77_655, 90_000, 90_000)),
    ],
)
def test_the_nearest_reachable_end_is_exact_also_off_the_grid(
    wish: int, left: tuple[int, int, int]
) -> None:
    plan = long_session(3)
    _, state = refit_case(plan, happened(plan, START), T + 12_345, wish)
    assert state.left == left


def test_a_refit_never_passes_the_maximum_of_the_session() -> None:
    plan = long_session(3, most=200)
    before, state = refit_case(plan, happened(plan, START), T + 12_345, 400_000)
    assert hands_on_ms(plan, before) == 180_000
    assert hands_on_ms(plan, state) == 200_000


def test_a_phase_of_one_fixed_length_keeps_it_in_a_refit() -> None:
    plan = usual_plan(protocol(phase("fixed", (30, 30, 30)), phase("free"), session=(60, 90, 120)))
    for wish in (0, 70_003, 71_999, 90_000, 999_999):
        _, state = refit_case(plan, happened(plan, START), T + 1, wish)
        assert state.left[0] == 29_999
        assert state.left[1] % 5_000 == 0


def test_a_refit_from_the_preparation_leaves_its_time_as_it_is() -> None:
    plan = usual_plan(
        protocol(*numbered(2), session=(60, 120, 600), prepare=[step("wash", 45), step("settle")])
    )
    _, state = refit_case(plan, happened(plan, START), T + 5_000, 190_000)
    assert state.left == (40_000, 0, 75_000, 75_000)
    _, state = refit_case(plan, happened(plan, START), T + 5_000, 192_000)
    assert sum(state.left) == 190_000


def test_a_refit_leaves_the_time_of_a_change_of_sides_as_it_is() -> None:
    plan = usual_plan(protocol(sides(phase("leg"), change_seconds=20)))
    _, state = refit_case(plan, happened(plan, START), T + 10_000, 150_001)
    assert sum(state.left) == 150_001
    assert state.left[1] == 20_000


def test_a_refit_can_come_before_the_start() -> None:
    plan = simple_plan()
    _, state = refit_case(plan, (), 10, 120_000)
    assert state.left == (0, 40_000, 40_000, 40_000, 120_000)
    assert state.status == "ready"


def test_a_refit_in_the_last_phase_still_works_and_afterwards_no_more() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON)
    _, state = refit_case(plan, events, T + 170_000, 7_001)
    assert state.left[3] == 7_001
    assert "not possible" in refused(plan, events, ("end-at", T + 180_000, 60_000))


def test_a_refit_gives_no_time_to_a_phase_that_is_used_up_and_waits() -> None:
    plan = waiting_plan()
    events = happened(plan, START, ("next", T + 30_000))
    now = T + 100_000
    assert at(plan, events, now) == ("waiting", "hold", 0)
    event = act(plan, events, "end-at", now, "k", 45_000)
    assert event.left_ms == (("last", 45_000),)


def test_no_refit_while_the_last_phase_only_waits() -> None:
    plan = usual_plan(protocol(phase("hold", wait=True), aftercare=[step("rest", 60)]))
    events = happened(plan, START)
    assert at(plan, events, T + 70_000) == ("waiting", "hold", 0)
    assert "end-at" not in snapshot(plan, events, T + 70_000).actions
    assert refused(plan, events, ("end-at", T + 70_000, 60_000))


def test_a_refit_keeps_the_cap_with_what_is_done() -> None:
    plan = cups()
    _, state = refit_case(plan, happened(plan, START), RIGHT + 30_000, 400_000)
    assert 30_000 + state.left[1] + state.left[2] == 200_000
    assert state.left[3] == 90_000


@pytest.mark.parametrize("wish", [0, 100_000, 150_003, 400_000])
def test_a_refit_keeps_the_cap_after_a_long_pause_although_a_minimum_breaks(wish: int) -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 30_000), ("resume", RIGHT + 180_000))
    _, state = refit_case(plan, events, RIGHT + 180_000, wish)
    assert used_ms(plan, state, 0) + state.left[1] + state.left[2] <= 200_000


@pytest.mark.parametrize("wish", [480_000, 700_000, 500_003])
def test_a_refit_keeps_the_share_of_kneading(wish: int) -> None:
    plan = usual_plan(shipped_protocol("oc-classic-collar"))
    events = happened(plan, START, *past(4, T), ("next", T + 15_000))
    now = T + 137_211
    _, state = refit_case(plan, events, now, wish)
    total = hands_on_ms(plan, state)
    kneading = sum(
        state.done[i] + state.left[i] for i, s in enumerate(plan.steps) if s.technique == "kneading"
    )
    done = sum(state.done[i] for i, s in enumerate(plan.steps) if s.hands_on)
    moves = sum(state.left[i] for i, s in enumerate(plan.steps) if s.kind == "change" and i > 7)
    assert moves == 40_000
    assert total - done + moves == wish
    assert kneading * 2 > total


def within(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)


def less_and_less(plan: Plan, index: int) -> list[set[int]]:
    """What a re-fit at step ``index`` may leave out: nothing, then one entry more each time."""
    found: list[set[int]] = [set()]
    for entry in plan.leave_out:
        phases = {i for i, s in enumerate(plan.steps) if s.id in entry}
        if all(i > index and not (i == index + 1 and plan.steps[index].is_move) for i in phases):
            found.append(found[-1] | phases)
    return found


@settings(max_examples=100, deadline=None, phases=UNSHRUNK)
@given(
    name=st.sampled_from(["oc-self-nape", "dm-legs-feet", "dm-general-gentle"]),
    begun=st.integers(0, 900_000),
    wish=st.integers(0, 1_300_000),
)
def test_any_refit_without_rules_ends_at_the_wish_or_at_the_nearest_end_that_can_be(
    name: str, begun: int, wish: int
) -> None:
    plan = shipped_plan(name)
    events = happened(
        plan,
        *opened(plan),
    )
    events = past_waits(plan, events, begun)
    before = snapshot(plan, events, begun).state
    if before.index >= len(plan.steps) or not plan.steps[before.index].hands_on:
        return
    before, state = refit_case(plan, events, begun, wish)
    here = plan.steps[before.index]
    had = before.attempt[before.index]
    least, most = max(0, here.min_seconds * 1000 - had), here.max_seconds * 1000 - had
    behind = [i for i, s in enumerate(plan.steps) if s.hands_on and i > before.index]
    gone = {i for i in behind if not state.planned[i]}
    for i in set(behind) - gone:
        s = plan.steps[i]
        assert state.left[i] % 5_000 == 0
        assert s.min_seconds * 1000 <= state.left[i] <= s.max_seconds * 1000
    assert least <= state.left[before.index] <= most
    done = hands_on_ms(plan, before) - sum(
        before.left[i] for i, s in enumerate(plan.steps) if s.hands_on and i >= before.index
    )

    def moves(without: set[int]) -> int:
        last = max((i for i in behind if i not in without), default=before.index)
        return sum(
            before.left[i]
            for i, s in enumerate(plan.steps)
            if not s.hands_on and before.index < i < last and i + 1 not in without
        )

    def low(without: set[int]) -> int:
        return least + sum(plan.steps[i].min_seconds for i in behind if i not in without) * 1000

    ways = less_and_less(plan, before.index)
    assert gone in ways
    longer = ways[: ways.index(gone)]
    assert all(low(more) + moves(more) - wish >= 5_000 for more in longer)  # as few as will do
    assert gone == ways[-1] or low(gone) + moves(gone) - wish < 5_000
    for i in gone:
        assert not plan.steps[i - 1].is_move or not state.left[i - 1]
    staying = [plan.steps[i] for i in behind if i not in gone]
    high = most + sum(s.max_seconds // 5 * 5 for s in staying) * 1000
    most_left = plan.session_max_seconds * 1000 - done
    nearest = within(max(0, wish - moves(gone)), low(gone), min(high, most_left))
    reached = hands_on_ms(plan, state) - done
    # a phase under way with less than 5 s of room cannot bridge the grid of the others
    assert reached == nearest if most - least >= 5_000 else abs(reached - nearest) <= 5_000


def test_a_refit_leaves_out_pairs_in_the_order_of_the_file_and_brings_them_back() -> None:
    plan = shipped_plan("dm-legs-feet")
    events = opened(plan)
    begun = happened(plan, *events)
    now = begun[-1].at
    both = {name: {f"{name}-left", f"{name}-right"} for name in ("kneecap-circles", "toes")}

    def left_out(wish: int, before: Sequence[Event]) -> tuple[set[str], tuple[Event, ...]]:
        event = act(plan, before, "end-at", now, f"key-{wish}", wish)
        after = (*before, event)
        state = fold(plan, after)
        gone = {
            s.id for s, ms in zip(plan.steps, state.planned, strict=True) if s.seconds and not ms
        }
        return {step_id for step_id in gone if not step_id.startswith("to-")}, after

    fits, _ = left_out(900_000, begun)
    assert fits == set()
    some, after = left_out(780_000, begun)
    assert some == both["kneecap-circles"]
    least, after = left_out(0, after)
    assert both["kneecap-circles"] | both["toes"] < least
    again, _ = left_out(900_000, after)
    assert again == set()


def test_what_a_refit_left_out_is_passed_over_also_by_next_and_back() -> None:
    plan = shipped_plan("dm-legs-feet")
    begun = happened(plan, *opened(plan))
    now = begun[-1].at
    events = happened(plan, ("end-at", now, 0), before=begun)
    while snapshot(plan, events, now).step_id != "calf-kneading-left":
        events = happened(plan, ("next", now), before=events)
    assert snapshot(plan, events, now).next_step == (find(plan, "foot-top-strokes-left"), 30_000)
    on = happened(plan, ("next", now), ("next", now), before=events)
    assert snapshot(plan, on, now).step_id == "foot-top-strokes-left"
    back = happened(plan, ("back", now), before=on)
    assert snapshot(plan, back, now).step_id == "calf-kneading-left"
    told = {row.id for row in snapshot(plan, events, now).rows if row.begins_in == row.ends_in}
    assert "toes-left" in told
    assert snapshot(plan, events, now).left_out == (
        "Round the kneecap",
        "Thigh strokes",
        "Toe by toe",
    )


def find(plan: Plan, step_id: str) -> PlannedStep:
    return next(step for step in plan.steps if step.id == step_id)


def test_what_was_left_out_on_one_side_does_not_come_back_on_the_other() -> None:
    plan = shipped_plan("dm-legs-feet")
    events = happened(plan, *opened(plan))
    now = events[-1].at
    events = happened(plan, ("end-at", now, 0), before=events)
    while snapshot(plan, events, now).step_id != "sole-left":
        events = happened(plan, ("next", now), before=events)
    _, state = refit_case(plan, events, now, 1_200_000)
    right = ("kneecap-circles-right", "thigh-strokes-right", "toes-right")
    assert [state.left[plan.steps.index(find(plan, name))] for name in right] == [0, 0, 0]


def test_a_pair_that_was_begun_stays_whole_in_a_refit() -> None:
    plan = shipped_plan("dm-legs-feet")
    events = happened(plan, *opened(plan))
    now = events[-1].at
    while snapshot(plan, events, now).step_id != "kneecap-circles-left":
        events = happened(plan, ("next", now), before=events)
    _, state = refit_case(plan, events, now, 0)
    assert state.planned[plan.steps.index(find(plan, "kneecap-circles-right"))] == 30_000
    assert not state.planned[plan.steps.index(find(plan, "toes-left"))]


def test_a_refit_never_rounds_up_beyond_the_maximum_of_the_session() -> None:
    short = (30, 30, 90)
    plan = usual_plan(protocol(phase("a", short), phase("b", short), session=(60, 60, 60)))
    _, state = refit_case(plan, happened(plan, START), T + 1, 63_500)
    assert state.left == (29_999, 30_000)


def test_a_refit_adds_nothing_for_a_share_when_waiting_used_up_the_session() -> None:
    plan = usual_plan(
        protocol(
            phase("hold", wait=True),
            phase("strokes"),
            phase("knead", (30, 130, 200), technique="kneading"),
            rules=rules(share={"kneading": 0.5}),
        )
    )
    events = happened(plan, START, ("next", T + 900_000))
    _, state = refit_case(plan, events, T + 900_000, 0)
    assert state.left == (0, 30_000, 30_000)


def test_restart_after_a_refit_gives_what_was_done_and_what_the_refit_left() -> None:
    plan = long_session(3)
    events = happened(plan, START, ("end-at", T + 10_000, 150_000), ("restart", T + 20_000))
    assert fold(plan, events).left == (55_000, 55_000, 50_000)


def test_a_pause_counts_only_against_the_caps_that_count_on() -> None:
    plan = shipped_plan("odd")
    events = happened(plan, *opened(plan), ("next", 0), ("next", 0), ("pause", 5_000))
    assert snapshot(plan, events, 25_000).state.held == (20_000, 0)


def test_a_doubt_in_a_pause_does_not_take_the_cups_off() -> None:
    plan = cups()
    acts: tuple[Act, ...] = (("pause", LEFT + 30_000), ("next", LEFT + 31_000))
    state = after(plan, START, *acts, ("doubt", LEFT + 32_000))
    assert state.holding


def test_the_last_phase_that_waits_is_no_wait_ahead() -> None:
    plan = usual_plan(protocol(phase("hold", wait=True)))
    assert not snapshot(plan, happened(plan, START), T).waits_ahead


def test_before_the_start_the_remaining_time_is_the_whole_hands_on_time() -> None:
    plan = simple_plan()
    assert snapshot(plan, (), 0).remaining_ms == 180_000


# --- what a page shows ----------------------------------------------------------------------------


def test_the_timetable_tells_when_each_step_begins_and_ends_from_now() -> None:
    plan = simple_plan()
    rows = snapshot(plan, happened(plan, START, ON), T + 20_000).rows
    assert [(r.id, r.begins_in, r.ends_in, r.wait) for r in rows] == [
        ("phase-1", 0, 40_000, False),
        ("phase-2", 40_000, 100_000, False),
        ("phase-3", 100_000, 160_000, False),
        ("rest", 160_000, 280_000, False),
    ]


def test_an_open_step_in_the_timetable_has_no_end() -> None:
    plan = usual_plan(protocol(sides(phase("leg"))))
    rows = snapshot(plan, happened(plan, START), T).rows
    assert [(r.id, r.ends_in, r.wait) for r in rows[:2]] == [
        ("leg-left", 60_000, False),
        ("change-1-right", None, True),
    ]


def test_a_step_without_time_left_that_does_not_wait_ends_as_it_begins() -> None:
    plan = cups()
    events = happened(plan, START, ("pause", RIGHT + 30_000), ("resume", RIGHT + 160_000))
    rows = snapshot(plan, events, RIGHT + 160_000).rows
    assert [(r.id, r.begins_in, r.ends_in) for r in rows[:3]] == [
        ("right", 0, 40_000),
        ("left", 40_000, 40_000),
        ("close", 40_000, 100_000),
    ]


def test_a_snapshot_says_what_the_page_needs() -> None:
    plan = simple_plan()
    events = happened(plan, START, ON)
    seen = snapshot(plan, events, T + 130_000)
    assert (seen.seq, seen.step_id, seen.remaining_ms) == (2, "phase-3", 50_000)
    assert seen.next_step == (plan.steps[4], 120_000)
    assert (seen.until_change_ms, seen.live, seen.hands_on_over) == (50_000, True, False)
    assert (seen.hands_on_done_ms, seen.hands_on_ends_in) == (130_000, 50_000)
    paused = snapshot(plan, happened(plan, ("pause", T + 130_000), before=events), T + 999_000)
    assert (paused.until_change_ms, paused.remaining_ms) == (None, 50_000)
    over = snapshot(plan, events, T + 10**7)
    assert (over.step, over.step_id, over.next_step, over.remaining_ms) == (None, "end", None, 0)
    assert over.rows == ()


@pytest.mark.parametrize(
    ("now", "ends_in"),
    [(T, 180_000), (T + 1, 179_999), (T + 179_999, 1), (T + 180_000, None), (T + 10**7, None)],
)
def test_the_end_of_the_hands_on_time_comes_nearer_until_it_is_over(
    now: int, ends_in: int | None
) -> None:
    plan = simple_plan()
    assert snapshot(plan, happened(plan, START, ON), now).hands_on_ends_in == ends_in


def test_the_end_of_the_hands_on_time_counts_the_timed_steps_before_it() -> None:
    plan = waiting_plan()
    assert snapshot(plan, (), 0).hands_on_ends_in == 150_000
    assert snapshot(plan, happened(plan, START), T + 10_000).hands_on_ends_in == 140_000


def test_waits_ahead_are_told_only_before_the_end_of_the_hands_on_time() -> None:
    plan = waiting_plan()
    events = happened(plan, START)
    assert snapshot(plan, events, T).waits_ahead
    events = happened(plan, ("next", T), ("next", T), before=events)
    assert not snapshot(plan, events, T).waits_ahead


def test_a_session_is_live_until_its_plan_is_used_up_or_as_long_as_it_waits() -> None:
    plan = simple_plan()
    assert live_until(plan, after(plan)) == 0
    assert live_until(plan, after(plan, START)) == FAR_AWAY
    assert live_until(plan, after(plan, START, ON)) == T + 300_000
    assert live_until(plan, after(plan, START, ON, ("next", T + 10_000))) == T + 250_000
    assert live_until(plan, after(plan, START, ON, ("pause", T + 1))) == FAR_AWAY
    assert live_until(plan, after(plan, START, ON, ("stop", T + 1))) == 0
    waits = waiting_plan()
    assert live_until(waits, after(waits, START, ("next", T))) == FAR_AWAY
    assert live_until(waits, after(waits, START, ("next", T), ("next", T))) == T + 60_000


# --- anything, in any order, at any time ----------------------------------------------------------


@cache
def shipped_plan(name: str) -> Plan:
    return odd_plan() if name == "odd" else usual_plan(shipped_protocol(name))


def odd_plan() -> Plan:
    """Everything that no shipped protocol has at once: waits, fixed and zero lengths, two caps."""
    return usual_plan(
        protocol(
            phase("hold", (20, 40, 70), wait=True),
            phase("fixed", (30, 30, 30)),
            phase("cup", (10, 40, 90), tags=["cups"]),
            phase("both", (0, 20, 60), tags=["cups", "heat"]),
            sides(phase("leg", (17, 40, 58), technique="kneading"), change_seconds=15),
            phase("heat", (10, 30, 60), tags=["heat"]),
            phase("shake", (0, 15, 40), wait=True, technique="kneading"),
            session=(150, 255, 330),
            rules=rules(share={"kneading": 0.3}, cap={"cups": 80, "heat": 70}, counting=["cups"]),
            prepare=[step("wash", 30, wait=True)],
            aftercare=[step("rest", 60), step("tea")],
        )
    )


def past(count: int, now: int) -> list[Act]:
    """Next, ``count`` times."""
    return [("next", now) for _ in range(count)]


def opened(plan: Plan) -> tuple[Act, ...]:
    """Start and go through the preparation at the instant 0."""
    count = sum(s.kind == "prepare" for s in plan.steps)
    return ("start", 0), *past(count, 0)


def past_waits(plan: Plan, events: tuple[Event, ...], now: int) -> tuple[Event, ...]:
    """Whenever a step waits before ``now``, somebody says Next at once."""
    while (state := snapshot(plan, events, now).state).status == "waiting":
        events = happened(plan, ("next", now - state.waited), before=events)
    return events


def planned_for(plan: Plan, state: State, tag: str) -> int:
    """What is left of the steps with a tag; a move to a phase without time puts nothing on."""
    ahead = [i for i in tagged(plan, tag) if i >= state.index]
    return sum(
        state.left[i] for i in ahead if not (plan.steps[i].is_move and not state.left[i + 1])
    )


def assert_caps(plan: Plan, state: State) -> None:
    """What is used and planned keeps each cap; where a pause passed it nothing more is planned."""
    for number, cap in enumerate(plan.rules.cap):
        ahead = planned_for(plan, state, cap.tag)
        assert not ahead or used_ms(plan, state, number) + ahead <= cap.seconds * 1000


def assert_lengths(plan: Plan, state: State) -> None:
    for i, one in enumerate(plan.steps):
        assert min(state.left[i], state.done[i], state.attempt[i], state.planned[i]) >= 0
        if one.hands_on:
            assert state.attempt[i] + state.left[i] <= one.max_seconds * 1000, one.id


def assert_time_only_moves(plan: Plan, state: State, delta: int) -> State:
    """``advance`` in two legs is ``advance`` in one, and what was done stays done."""
    later = advance(plan, state, state.at + delta)
    halfway = advance(plan, state, state.at + delta // 3)
    assert advance(plan, halfway, state.at + delta) == later
    assert later.at == state.at + delta
    assert advance(plan, later, state.at) == later
    assert all(a <= b for a, b in zip(state.done, later.done, strict=True))
    assert all(a <= b for a, b in zip(state.held, later.held, strict=True))
    assert later.status == state.status or state.status in ("running", "waiting")
    assert_lengths(plan, later)
    return later


def assert_seen(plan: Plan, events: Sequence[Event], now: int) -> None:
    seen = snapshot(plan, events, now)
    assert set(seen.actions) <= EXPECTED[seen.status]
    at_ms = 0
    for row in seen.rows:
        assert row.begins_in == at_ms
        assert row.ends_in is not None or row.wait
        at_ms = at_ms if row.ends_in is None else row.ends_in
    assert (seen.hands_on_ends_in is None) == seen.hands_on_over
    over = live_until(plan, seen.state)
    if 0 < over < FAR_AWAY:
        assert advance(plan, seen.state, over + 1).status == "finished"
        assert over == now or advance(plan, seen.state, over - 1).status != "finished"


def assert_act(plan: Plan, before: State, event: Event, state: State) -> None:
    """An accepted act breaks no cap, no maximum and takes back nothing that was done."""
    assert state.at == event.at == before.at
    assert (state.done, state.held) == (before.done, before.held)
    if event.kind in ("back", "restart", "extend", "end-at", "resume"):
        assert_caps(plan, state)
        most = plan.session_max_seconds * 1000
        assert hands_on_ms(plan, state) <= max(most, hands_on_ms(plan, before))
    assert_lengths(plan, state)


Move = tuple[int, int, int]
MOVES = st.tuples(
    st.integers(0, 99),
    st.one_of(
        st.sampled_from(
            [0, 1, -1, -2, -3]
        ),  # -1, -2, -3: just before, at, just after the step's end
        st.integers(0, 60_000),
        st.integers(0, 600_000),
    ),
    st.integers(0, 1_500_000),
)


def wait_for(plan: Plan, state: State, code: int) -> int:
    if code >= 0:
        return code
    left = state.left[state.index] if state.index < len(plan.steps) else 0
    return max(0, left + {-1: -1, -2: 0, -3: 1}[code])


def choose(actions: Sequence[Action], number: int) -> Action:
    """Mostly what the page offers, though seldom the end; at times anything at all."""
    going_on = [a for a in actions if a not in ("stop", "low", "end") or number % 9 == 0]
    return (
        ACTIONS[number % len(ACTIONS)]
        if number > 89 or not going_on
        else going_on[number % len(going_on)]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHIPPED, "odd"])
@settings(max_examples=15 if FULL else 9, deadline=None, phases=UNSHRUNK)
@given(moves=st.lists(MOVES, min_size=20, max_size=28), opening=st.booleans())
def test_whatever_is_done_in_whatever_order_the_rules_hold(
    name: str, moves: list[Move], opening: bool
) -> None:
    plan = shipped_plan(name)
    events = happened(plan, *opened(plan)) if opening else ()
    state = fold(plan, events)
    for number, code, wish in moves:
        before = assert_time_only_moves(plan, state, wait_for(plan, state, code))
        if before.status in ("running", "waiting"):
            assert_caps(plan, before)
        action = choose(snapshot(plan, events, before.at).actions, number)
        try:
            event = act(plan, events, action, before.at, f"k{len(events)}", wish)
        except RefusedError:
            state = before
            assert advance(plan, fold(plan, events), before.at) == before
            continue
        events = (*events, event)
        state = fold(plan, events)
        assert_act(plan, before, event, state)
        assert_seen(plan, events, state.at)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_signs_of_a_low_stop_a_session_with_diabetes_for_good() -> None:
    plan = simple_plan().model_copy(update={"diabetes": True})
    for status in ("running", "waiting", "paused"):
        events = happened(plan, *IN_STATUS[status])
        assert "low" in snapshot(plan, events, 3_000).actions
        stopped = fold(plan, (*events, act(plan, events, "low", 3_000, "k")))
        assert (stopped.status, stopped.low, stopped.ended_at) == ("stopped", True, 3_000)
        assert not snapshot(plan, (*events, act(plan, events, "low", 3_000, "k")), 9_000).actions
    assert not after(plan, START, ON, ("stop", 2_000)).low


def test_with_cups_on_a_pause_is_left_only_where_they_work_or_when_they_are_off() -> None:
    plan = usual_plan(shipped_protocol("oc-cupping-back"))
    cups = next(i for i, step in enumerate(plan.steps) if "cups" in step.tags)
    events = [Event(1, "start-key", "start", 0)]
    events += [Event(2 + i, f"next-key-{i}", "next", 10 + i) for i in range(cups)]
    events.append(Event(len(events) + 1, "pause-key", "pause", 5_000))
    here = fold(plan, events)
    assert here.holding
    assert "resume" in allowed(plan, here)
    for _ in range(sum("cups" in planned.tags for planned in plan.steps)):
        events.append(Event(len(events) + 1, f"on-{len(events)}", "next", 6_000))
    beyond = fold(plan, events)
    assert beyond.holding
    assert beyond.status == "paused"
    with pytest.raises(RefusedError, match="Take the cups off"):
        act(plan, events, "resume", 7_000, "resume-key")
    events.append(act(plan, events, "release", 7_000, "release-key"))
    assert act(plan, events, "resume", 8_000, "resume-key").kind == "resume"


def test_back_right_after_an_early_end_returns_to_the_phase_that_was_left() -> None:
    plan = usual_plan(shipped_protocol("oc-self-4step"))
    first = next(i for i, step in enumerate(plan.steps) if step.hands_on)
    events = [Event(1, "start-key", "start", 0)]
    events += [Event(2 + i, f"next-key-{i}", "next", 10 + i) for i in range(first)]
    events.append(act(plan, events, "end", 4_000, "end-key"))
    ended = fold(plan, events)
    assert ended.ended_early
    assert plan.steps[ended.index].kind == "aftercare"
    events.append(act(plan, events, "back", 5_000, "back-key"))
    back = fold(plan, events)
    assert back.index == first
    assert not back.ended_early
    assert back.hands_on_ended_at is None


def test_back_from_an_early_end_never_brings_back_more_than_the_session_may_have() -> None:
    plan = usual_plan(
        protocol(
            phase("one", wait=True),
            phase("two"),
            prepare=[step("ready-1")],
            aftercare=[step("rest", 120)],
        )
    )
    late = 1_000_000
    events = happened(plan, START, ON, ("back", late), ("end", late + 1_000))
    assert at(plan, events, late + 2_000)[:2] == ("running", "rest")
    assert "at most" in refused(plan, events, ("back", late + 2_000))
