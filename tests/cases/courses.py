"""Courses of acts: random ones that go where the rules have edges, and walks through a plan."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import get_args

from tests.cases.course import Act, event_of
from webapp.domain.commands import allowed
from webapp.domain.plan import Plan
from webapp.domain.session import (
    Action,
    Kind,
    RefusedError,
    State,
    Status,
    advance,
    follow,
    initial,
)
from webapp.domain.snapshot import timetable

ACTIONS: tuple[Action, ...] = get_args(Action)
FINAL: tuple[Action, ...] = ("end", "low", "stop")
BEGIN = 1_000
START: Act = ("start", BEGIN)
ON: Act = ("next", BEGIN)


def wishes(plan: Plan, state: State) -> list[int]:
    """Times until the end of the hands-on work at which a re-fit may come out differently."""
    usual = sum(state.left[state.index :])
    return [0, 1, usual, usual + 1, usual + 2_500, usual - 2_500, usual + 7_500, usual // 2, 10**7]


def next_change(plan: Plan, state: State) -> int | None:
    """Ms until the step under way is used up."""
    rows = timetable(plan, state)
    return rows[0].ends_in if state.status == "running" and rows else None


def random_gap(rng: random.Random, plan: Plan, state: State) -> int:
    """Ms until somebody looks or acts again: often at the very edge of a step."""
    change = next_change(plan, state)
    if change is not None and rng.random() < 0.4:
        return max(0, change + rng.choice((-1, 0, 1)))
    return rng.choice((0, 1, 400, 2_500, rng.randrange(30_000), rng.randrange(30_000), 95_000))


def random_act(rng: random.Random, plan: Plan, state: State) -> Act:
    """What happens at ``state``: mostly what is possible, seldom the end of it all."""
    live = state.status in ("running", "waiting", "paused")
    if state.before_time_lost and rng.random() < 0.5:
        lost = rng.choice((0, rng.randrange(60_000)))
        return ("settled", min(state.at, state.before_time_lost.at + lost))
    if live and rng.random() < 0.06:
        return ("doubt", state.at)
    possible = [a for a in allowed(plan, state) if a not in FINAL or rng.random() < 0.08]
    kind: Kind = rng.choice(possible if possible and rng.random() < 0.85 else ACTIONS)
    if kind != "end-at":
        return (kind, state.at)
    return (kind, state.at, rng.choice((*wishes(plan, state), rng.randrange(900_000))))


def random_course(rng: random.Random, plan: Plan, most: int = 14) -> tuple[list[Act], int]:
    """Acts one after the other, and the instant to look at."""
    acts: list[Act] = [START] if rng.random() < 0.9 else []
    state = folded = after(plan, initial(plan), 0, acts[0]) if acts else initial(plan)
    for _ in range(rng.randint(2, most)):
        state = advance(plan, folded, folded.at + random_gap(rng, plan, folded))
        acts.append(random_act(rng, plan, state))
        folded = after(plan, folded, len(acts), acts[-1])
        if folded.status in ("finished", "stopped") and rng.random() < 0.7:
            break
    return acts, max(state.at, folded.at) + random_gap(rng, plan, folded)


def random_refit(rng: random.Random, plan: Plan) -> tuple[list[Act], int]:
    """A new end at some place of a course."""
    acts, now = random_course(rng, plan, most=5)
    folded = initial(plan)
    for seq, act in enumerate(acts):
        folded = after(plan, folded, seq, act)
    wish = rng.choice((*wishes(plan, advance(plan, folded, now)), rng.randrange(400_000)))
    return [*acts, ("end-at", now, wish)], now


def after(plan: Plan, folded: State, seq: int, act: Act) -> State:
    """The state after ``act``; the same one where it is refused."""
    try:
        return follow(plan, folded, event_of(plan, folded, seq, act))
    except RefusedError:
        return folded


def walk(plan: Plan) -> Iterator[tuple[str, list[Act], int, int | None]]:
    """Every step from the start to the end: its id, the acts before, when it begins and ends.

    A step that waits is left 7 s after it began to wait.
    """
    acts: list[Act] = [START]
    state = after(plan, initial(plan), 0, acts[0])
    while state.status in ("running", "waiting"):
        change = next_change(plan, state)
        ends = None if change is None else state.at + change
        yield plan.steps[state.index].id, list(acts), state.at, ends
        waits_from = ends or state.at
        if plan.steps[state.index].wait:
            acts.append(("next", waits_from + 7_000))
            state = after(plan, state, len(acts), acts[-1])
        else:
            state = advance(plan, state, max(waits_from, state.at + 1))


def in_status(plan: Plan) -> dict[Status, list[Act]]:
    """Acts that lead to each status, in the first phase where there is a choice."""
    first = next(i for i, step in enumerate(plan.steps) if step.hands_on)
    to_work = [START, *([ON] * first)]
    acts: dict[Status, list[Act]] = {
        "ready": [],
        "running": to_work,
        "paused": [*to_work, ("pause", 2_000)],
        "finished": [*to_work, ("end", 2_000), ("end", 3_000)],
        "stopped": [*to_work, ("stop", 2_000)],
    }
    open_steps = [i for i, step in enumerate(plan.steps) if step.wait and not step.seconds]
    if open_steps:
        acts["waiting"] = [START, *([ON] * open_steps[0])]
    return acts
