"""Offline sync: merge what a device did on its own into the history of the session.

Rules:
- When nobody else acted, every command counts, at the instant at which it was done.
- When somebody else acted, an older command, or one done at another step, is rejected and reported.
  A stop always counts. If the device had paused and the session runs, the session is paused.
- Lost time on the server is confirmed by a device that went on counting.

All times are integer milliseconds. ``line`` is the server's time as the device carried it on by its
own steady clock. After a reboot it may differ from the server's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from webapp.domain.commands import decide
from webapp.domain.plan import Plan
from webapp.domain.protocol import Model
from webapp.domain.session import STOPS, Action, Event, RefusedError, State, Status, advance, follow

SAME_LINE_MS = 2_000
OLDER = "another screen acted later"
ELSEWHERE = "the session had gone on to another step"

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Milliseconds = Annotated[int, Field(ge=0, le=10**14)]
Check = Callable[[Sequence[Event], State, Action, int], str]


class OfflineCommand(Model):
    """A command that was done at ``at`` of the device's line, at ``step``.

    ``wish_ms`` goes with ``end-at``: from then until the end of the hands-on work.
    """

    key: Key
    action: Action
    at: Milliseconds
    step: Annotated[str, Field(max_length=80)]
    wish_ms: Milliseconds | None = None


class OfflineLog(Model):
    """What one device did: it knew ``seq`` events, and did ``acts`` one after the other.

    ``line`` is its idea of the server's now, ``alone_since`` the instant of the last answer it had;
    ``counted`` is False when it slept or began meanwhile; ``status`` is what it shows at the end.
    """

    seq: Annotated[int, Field(ge=0, le=10**6)]
    line: Milliseconds
    alone_since: Milliseconds
    counted: bool
    status: Status
    acts: Annotated[tuple[OfflineCommand, ...], Field(max_length=300)] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A command that was not done, and why, in words."""

    command: OfflineCommand
    why: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a log leads to: ``events`` to record behind those that are there, in order."""

    events: tuple[Event, ...]
    rejected: tuple[Rejected, ...] = ()
    time_confirmed: bool = False
    paused: bool = False


def step_id(plan: Plan, state: State) -> str:
    """Return the id of the step under way; `end` after the last one."""
    return plan.steps[state.index].id if state.index < len(plan.steps) else "end"


def merge(
    plan: Plan,
    past: Sequence[Event],
    folded: State,
    log: OfflineLog,
    now: int,
    refusal_of: Check = lambda events, state, action, at: "",
) -> MergeResult:
    """Return what to record of ``log`` at ``now``. Commands whose key is recorded are done already.

    ``refusal_of(events, state, action, at)`` says why a command may not count although its
    session allows it; empty when it may.
    """
    shift = now - log.line
    shift = 0 if 0 <= shift <= SAME_LINE_MS else shift
    known = {event.key for event in past}
    own = {command.key for command in log.acts}
    others = [e for e in past[log.seq :] if e.kind not in ("doubt", "settled")]
    others = [event for event in others if event.key not in own]
    new: list[Event] = []
    rejected: list[Rejected] = []

    def record(event: Event) -> None:
        nonlocal folded
        new.append(event)
        folded = follow(plan, folded, event)

    time_confirmed = log.counted and not others and folded.before_time_lost is not None
    if time_confirmed:
        record(confirm_time(past, folded, len(past), shift, now))
    for command in log.acts:
        if command.key in known:
            continue
        at = max(folded.at, min(command.at + shift, now))
        state = advance(plan, folded, at)
        stops = command.action in STOPS
        why = OLDER if others and not stops and at <= others[-1].at else ""
        if not why and not stops and command.step != step_id(plan, state):
            why = ELSEWHERE
        why = why or refusal_of((*past, *new), state, command.action, at)
        if not why:
            try:
                seq = len(past) + len(new)
                record(decide(plan, folded, seq, command.action, at, command.key, command.wish_ms))
            except RefusedError as refusal:
                why = str(refusal)
        if why:
            rejected.append(Rejected(command, why))
    key = f"differ-{rejected[-1].command.key}"[:64] if rejected else ""
    paused = bool(rejected) and key not in known and differs(plan, folded, log.status, now)
    if paused:
        record(decide(plan, folded, len(past) + len(new), "pause", now, key))
    return MergeResult(tuple(new), tuple(rejected), time_confirmed, paused)


def confirm_time(past: Sequence[Event], folded: State, seq: int, shift: int, now: int) -> Event:
    """Return the event that takes lost time back, at its instant on the present clock."""
    lost = next(event for event in reversed(past) if event.kind == "doubt")
    assert folded.before_time_lost is not None
    at = min(now, folded.before_time_lost.at + shift)
    return replace(lost, seq=seq + 1, key=f"settled-{lost.key}"[:64], kind="settled", at=at)


def differs(plan: Plan, folded: State, shown: Status, now: int) -> bool:
    """Return True when the device stands still while the session, in its history, runs."""
    return shown in ("paused", "stopped") and advance(plan, folded, now).status == "running"
