"""Session state machine: computes the state from a frozen plan and recorded events.

Rules that stand here and nowhere else:
- Events are human acts, and two marks: ``doubt`` when time was lost, which pauses the session, and
  ``settled`` when a device that went on counting confirms the time. Phase ends are computed.
- ``TRANSITIONS`` is both the rule and the list of buttons.
- A step that is left early keeps its remaining time, and Back returns to it. A step that was used
  up starts again in full. A step that was given no time is passed over.
- Caps count what is done plus what is planned. An act that would break one is refused.
- ``finished`` is never stored: it is what running becomes when the plan is used up.

All times are integer milliseconds; instants are on the server's clock since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from webapp.domain.plan import Plan

Status = Literal["ready", "running", "waiting", "paused", "finished", "stopped"]
Action = Literal[
    "start",
    "pause",
    "resume",
    "next",
    "back",
    "restart",
    "extend",
    "end-at",
    "undo",
    "release",
    "end",
    "low",
    "stop",
]
Kind = Action | Literal["doubt", "settled"]

EXTEND_MS = 30_000
LONGEST_REST_MS = 7_200_000

# Both end a session at once; ``low`` is for signs of low glucose.
STOPS: tuple[Action, ...] = ("low", "stop")

# A new end, and its way back: ``undo`` takes back a re-fit while its step lasts.
FITS: tuple[Action, ...] = ("end-at", "undo")

TRANSITIONS: dict[Status, tuple[Action, ...]] = {
    "ready": ("start", *FITS),
    "running": ("pause", "next", "back", "restart", "extend", *FITS, "end", *STOPS),
    "waiting": ("next", "back", "restart", *FITS, "end", *STOPS),
    "paused": ("resume", "release", "next", "back", "restart", "extend", *FITS, "end", *STOPS),
    "finished": (),
    "stopped": (),
}

ANY_STATUS: tuple[Action, ...] = TRANSITIONS["running"] + ("start", "resume", "release")


class RefusedError(Exception):
    """The act is not possible now; the text says why, in words for the person."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: ``seq`` counts from 1.

    ``left_ms`` records the result of a re-fit, and of an extension by less than ``EXTEND_MS``.
    """

    seq: int
    key: str
    kind: Kind
    at: int
    left_ms: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Where a session stands at the instant ``at``.

    Per step: ``left`` (still to run), ``done`` (run in all), ``attempt`` (run since last given in
    full), ``planned`` (in full). ``held`` counts, per cap, time in pauses that a cap counts on.
    ``before_time_lost`` is where it stood when time was lost, ``before_fit`` where it stood before
    a re-fit; both until somebody acts.
    """

    at: int
    status: Status
    index: int
    left: tuple[int, ...]
    done: tuple[int, ...]
    attempt: tuple[int, ...]
    planned: tuple[int, ...]
    held: tuple[int, ...]
    holding: bool = False
    waited: int = 0
    time_lost: bool = False
    ended_early: bool = False
    ended_from: int | None = None
    low: bool = False
    hands_on_ended_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    before_time_lost: State | None = None
    before_fit: State | None = None


def initial(plan: Plan, at: int = 0) -> State:
    """Return the state of a session before its start."""
    planned = tuple(step.seconds * 1000 for step in plan.steps)
    zeros = (0,) * len(planned)
    return State(at, "ready", 0, planned, zeros, zeros, planned, (0,) * len(plan.rules.cap))


def fold(plan: Plan, events: Sequence[Event]) -> State:
    """Return the state right after the last event."""
    state = initial(plan)
    for event in events:
        state = follow(plan, state, event)
    return state


def follow(plan: Plan, state: State, event: Event) -> State:
    """Return the state right after ``event``, the first event after ``state``."""
    return apply(plan, advance(plan, state, event.at), event)


def advance(plan: Plan, state: State, now: int) -> State:
    """Return the state at ``now`` when nobody has acted since.

    A ``now`` before the state's own instant changes nothing: time never runs backwards.
    """
    passed = now - state.at
    if passed <= 0:
        return state
    if state.status == "paused":
        return hold(plan, state, passed)
    if state.status not in ("running", "waiting"):
        return replace(state, at=now)
    left, done, attempt = list(state.left), list(state.done), list(state.attempt)
    index, waited, at = state.index, state.waited, state.at
    status: Status = state.status
    hands_on_ended_at = state.hands_on_ended_at
    while passed and index < len(plan.steps):
        used = passed if status == "waiting" else min(passed, left[index])
        if status == "waiting":
            waited += used
        else:
            left[index] -= used
            attempt[index] += used
        done[index] += used
        passed -= used
        at += used
        if status == "running" and not left[index]:
            if plan.steps[index].wait:
                status, waited = "waiting", 0
                continue
            index = first_with_time(plan, state, index + 1)
            status, waited = entry_status(plan, left, index), 0
            if hands_on_ended_at is None and hands_on_over(plan, index):
                hands_on_ended_at = at
    moved = replace(
        state,
        at=now,
        status=status,
        index=index,
        left=tuple(left),
        done=tuple(done),
        attempt=tuple(attempt),
        waited=waited,
        hands_on_ended_at=hands_on_ended_at,
    )
    return finish(moved, at) if index == len(plan.steps) else moved


def first_with_time(plan: Plan, state: State, index: int) -> int:
    """The first step from ``index`` on that was given time or waits; one past the last if none."""
    while index < len(plan.steps) and is_left_out(plan, state, index):
        index += 1
    return index


def is_left_out(plan: Plan, state: State, index: int) -> bool:
    """True for a step that has no time, as a plan or a re-fit leaves it out."""
    return not state.planned[index] and not plan.steps[index].wait


def entry_status(plan: Plan, left: Sequence[int], index: int) -> Status:
    """Running on entering a timed step, waiting on entering one that only waits."""
    if index < len(plan.steps) and plan.steps[index].wait and not left[index]:
        return "waiting"
    return "running"


def finish(state: State, at: int) -> State:
    """Return the state of a session that ended at `at`, in ms."""
    ended = state.hands_on_ended_at if state.hands_on_ended_at is not None else at
    return replace(state, status="finished", ended_at=at, hands_on_ended_at=ended, holding=False)


def hold(plan: Plan, state: State, passed: int) -> State:
    """Return the state after a pause: only caps that count on (cups on the skin) change."""
    held = state.held
    if state.holding:
        held = tuple(
            ms + (passed if cap.counts_while_paused else 0)
            for ms, cap in zip(state.held, plan.rules.cap, strict=True)
        )
    return replace(state, at=state.at + passed, held=held)


def hands_on_over(plan: Plan, index: int) -> bool:
    """True when no phase lies at or after ``index``."""
    return not any(step.hands_on for step in plan.steps[index:])


def apply(plan: Plan, state: State, event: Event) -> State:
    """The state after ``event``, which happened at ``state.at``. Pure bookkeeping, no checks."""
    if event.kind == "doubt":
        return lose_time(plan, state)
    if event.kind == "settled":
        return confirm_time(state, event.at)
    if event.kind == "undo":
        return without_fit(plan, state) or state
    before = replace(state, before_time_lost=None, before_fit=None)
    after = apply_action(plan, state, event)
    return replace(
        after, before_time_lost=None, before_fit=before if event.kind == "end-at" else None
    )


def lose_time(plan: Plan, state: State) -> State:
    """Return the state paused, with what it was before time was lost."""
    on = on_the_skin(plan, state)
    state = replace(state, before_fit=None)
    before = state.before_time_lost or state
    return replace(state, status="paused", holding=on, time_lost=True, before_time_lost=before)


def confirm_time(state: State, at: int) -> State:
    """Return the state from before time was lost, from ``at`` on: a device went on counting."""
    return replace(state.before_time_lost, at=at) if state.before_time_lost else state


def apply_action(plan: Plan, state: State, event: Event) -> State:
    """Return the state after an event of a person."""
    match event.kind:
        case "start":
            status = entry_status(plan, state.left, 0)
            return replace(state, status=status, started_at=event.at)
        case "pause":
            return replace(
                state, status="paused", holding=on_the_skin(plan, state), time_lost=False
            )
        case "resume":
            return resume(plan, state)
        case "release":
            return replace(state, holding=False)
        case "next":
            return enter(plan, state, state.index + 1)
        case "back":
            return back(plan, state)
        case "restart":
            return enter(plan, restore_in_full(state, state.index), state.index)
        case "extend":
            return lengthen(state, extension_ms(state, event))
        case "end-at":
            return apply_refit(plan, state, event.left_ms)
        case "end":
            return end(plan, state)
        case "stop" | "low":
            over = state.hands_on_ended_at if state.hands_on_ended_at is not None else event.at
            return replace(
                state,
                status="stopped",
                ended_at=event.at,
                hands_on_ended_at=over,
                holding=False,
                low=event.kind == "low",
            )
        case _:
            raise ValueError(event.kind)


def on_the_skin(plan: Plan, state: State) -> bool:
    """True when a pause in this step leaves something on the body that a cap counts on."""
    return state.holding or step_on_the_skin(plan, state)


def step_on_the_skin(plan: Plan, state: State) -> bool:
    """True when the step under way is covered by a cap that counts on in a pause."""
    tags = plan.steps[state.index].tags if state.index < len(plan.steps) else ()
    return any(cap.counts_while_paused and cap.tag in tags for cap in plan.rules.cap)


def resume(plan: Plan, state: State) -> State:
    """Return the state that goes on; a cap's time in the pause is cut from the phases it covers."""
    left = list(state.left)
    for number, cap in enumerate(plan.rules.cap):
        space = max(0, cap.seconds * 1000 - used_ms(plan, state, number))
        for i in tagged(plan, cap.tag):
            if i >= state.index:
                left[i] = min(left[i], space)
                space -= left[i]
    status = entry_status(plan, left, state.index)
    resumed = replace(state, status=status, left=tuple(left), holding=False, time_lost=False)
    if status == "running" and not left[state.index]:
        return enter(plan, resumed, state.index + 1)
    return resumed


def enter(plan: Plan, state: State, index: int) -> State:
    """Go to step ``index``, or the first behind it that has time; a pause stays a pause."""
    index = first_with_time(plan, state, index)
    moved = replace(state, index=index, waited=0)
    if state.hands_on_ended_at is None and hands_on_over(plan, index):
        moved = replace(moved, hands_on_ended_at=state.at)
    elif not hands_on_over(plan, index):
        moved = replace(moved, hands_on_ended_at=None)
    if index >= len(plan.steps):
        return finish(moved, state.at)
    if state.status == "paused":
        return moved
    return replace(moved, status=entry_status(plan, moved.left, index))


def back(plan: Plan, state: State) -> State:
    """Return to the step before; right after an early end, to the step that was left for it."""
    index = step_before(plan, state)
    if plan.steps[index].kind == "aftercare":
        return enter(plan, restore_if_used_up(state, index), index)
    if state.ended_from is not None:
        index = state.ended_from
    again = replace(restore_if_used_up(state, index), ended_early=False, ended_from=None)
    return enter(plan, again, index)


def step_before(plan: Plan, state: State) -> int:
    """The step before that has time and is no move between places: a move passes by itself."""
    index = max(0, state.index - 1)
    while index and (plan.steps[index].is_move or is_left_out(plan, state, index)):
        index -= 1
    return index


def restore_if_used_up(state: State, index: int) -> State:
    """Return the state with all of the step left when nothing of it is."""
    return state if state.left[index] else restore_in_full(state, index)


def restore_in_full(state: State, index: int) -> State:
    """Return the state with the full planned time of a step left."""
    return replace(
        state,
        left=replace_at(state.left, index, state.planned[index]),
        attempt=replace_at(state.attempt, index, 0),
    )


def extension_ms(state: State, event: Event) -> int:
    """What an ``extend`` adds to the step under way."""
    return event.left_ms[0][1] - state.left[state.index] if event.left_ms else EXTEND_MS


def lengthen(state: State, ms: int) -> State:
    """Return the state with `ms` more for the step under way."""
    return replace(
        state,
        left=replace_at(state.left, state.index, state.left[state.index] + ms),
        planned=replace_at(state.planned, state.index, state.planned[state.index] + ms),
    )


def end(plan: Plan, state: State) -> State:
    """End early: hands off, on to the aftercare; from there, or before any work, all ends."""
    status: Status = "running" if state.status == "paused" else state.status
    over = replace(state, status=status, holding=False, time_lost=False)
    if hands_on_over(plan, state.index):
        return enter(plan, over, len(plan.steps))
    over = replace(over, ended_early=True, ended_from=state.index)
    worked = any(state.done[i] for i, step in enumerate(plan.steps) if step.hands_on)
    rest = next((i for i, s in enumerate(plan.steps) if s.kind == "aftercare"), len(plan.steps))
    return enter(plan, over, rest if worked else len(plan.steps))


def apply_refit(plan: Plan, state: State, left_ms: tuple[tuple[str, int], ...]) -> State:
    """Return the state with the recorded result of a re-fit, step by step."""
    new = dict(left_ms)
    left = tuple(new.get(s.id, ms) for s, ms in zip(plan.steps, state.left, strict=True))
    planned = tuple(
        state.attempt[i] + new[step.id] if step.id in new else state.planned[i]
        for i, step in enumerate(plan.steps)
    )
    return replace(state, left=left, planned=planned)


def without_fit(plan: Plan, state: State) -> State | None:
    """Where the session would stand without its last act, a re-fit.

    None when something else came last, or the step is or would be another one.
    """
    if state.before_fit is None or state.before_fit.index != state.index:
        return None
    before = advance(plan, state.before_fit, state.at)
    return before if (before.status, before.index) == (state.status, state.index) else None


def replace_at(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    """Return `values` with another value at `index`."""
    return (*values[:index], value, *values[index + 1 :])


def tagged(plan: Plan, tag: str) -> list[int]:
    """Return the indexes of the steps with this tag."""
    return [i for i, step in enumerate(plan.steps) if tag in step.tags]


def used_ms(plan: Plan, state: State, number: int) -> int:
    """Return what cap ``number`` has counted so far, in ms."""
    done = sum(state.done[i] for i in tagged(plan, plan.rules.cap[number].tag))
    return done + state.held[number]


def counted_ms(plan: Plan, state: State, number: int) -> int:
    """What cap ``number`` has counted, and what it will count between the phases ahead."""
    moves = (i for i in tagged(plan, plan.rules.cap[number].tag) if not plan.steps[i].hands_on)
    return used_ms(plan, state, number) + sum(state.left[i] for i in moves if i >= state.index)


def hands_on_ms(plan: Plan, state: State) -> int:
    """Hands-on time done plus still planned."""
    return sum(
        state.done[i] + (state.left[i] if i >= state.index else 0)
        for i, step in enumerate(plan.steps)
        if step.hands_on
    )


def done_in_full(plan: Plan, state: State) -> bool:
    """True when every phase had its time, to the second, as it was planned in the end."""
    return all(
        state.done[i] > state.planned[i] - 1000
        for i, step in enumerate(plan.steps)
        if step.hands_on
    )


def live_until(plan: Plan, state: State) -> int:
    """Return when the session is over if nobody acts; far away when it waits.

    Not live at all: 0.
    """
    if state.status in ("ready", "finished", "stopped"):
        return 0
    if state.status != "running" or any(s.wait for s in plan.steps[state.index :]):
        return FAR_AWAY
    return state.at + sum(state.left[state.index :])


FAR_AWAY = 2**52
