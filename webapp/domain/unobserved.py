"""Unobserved time: how long a session ran while no screen watched it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webapp.domain.plan import Plan
from webapp.domain.session import Event, State, advance, apply, initial


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch in which step ``index`` ran, in ms of the server's clock."""

    index: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which no screen asked for the session; ``until`` None: it still lasts."""

    since: int
    until: int | None


def runs(plan: Plan, events: Sequence[Event], now: int) -> tuple[Run, ...]:
    """Every stretch in which a step ran, in order, up to ``now``."""
    all_runs: list[Run] = []
    state = initial(plan)
    for event in events:
        state = run_on(plan, state, event.at, all_runs)
        state = apply(plan, state, event)
    run_on(plan, state, now, all_runs)
    return tuple(all_runs)


def run_on(plan: Plan, state: State, until: int, all_runs: list[Run]) -> State:
    """The state at ``until``; what ran on the way is added to ``all_runs``."""
    while state.status == "running" and state.at < until:
        index, since = state.index, state.at
        state = advance(plan, state, min(until, since + state.left[index]))
        all_runs.append(Run(index, since, state.at))
    return advance(plan, state, until)


def unobserved_ms(
    plan: Plan, events: Sequence[Event], gaps: Iterable[Gap], now: int
) -> tuple[int, ...]:
    """Return for each step how long it ran while no screen watched, in ms."""
    unseen = [0] * len(plan.steps)
    stretches = runs(plan, events, now)
    for gap in gaps:
        until = now if gap.until is None else gap.until
        for run in stretches:
            unseen[run.index] += max(0, min(run.until, until) - max(run.since, gap.since))
    return tuple(unseen)
