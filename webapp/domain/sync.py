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

from webapp.domain.commands import decide
from webapp.domain.plan import Plan
from webapp.domain.session import STOPS, Action, Event, RefusedError, State, Status, advance, follow

SAME_LINE_MS = 2_000
OLDER = "another screen acted later"
ELSEWHERE = "the session had gone on to another step"

Check = Callable[[Sequence[Event], State, Action, int], str]


@dataclass(frozen=True, slots=True)
class OfflineCommand:
    """One act of the device: done at ``at`` of its line, at ``step``.

    ``wish_ms`` goes with ``end-at``: from then until the end of the hands-on work.
    """

    key: str
    action: Action
    at: int
    step: str
    wish_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OfflineLog:
    """What one device tells: it knew ``seq`` events, and did ``acts`` one after the other.

    ``line`` is its idea of the server's now; ``counted`` is False when it slept or began meanwhile;
    ``status`` is what it shows at the end.
    """

    seq: int
    line: int
    counted: bool
    status: Status
    acts: tuple[OfflineCommand, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An act that was not done, and why, in words."""

    told: OfflineCommand
    why: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What becomes of an account: events to record behind those that are there, in order."""

    events: tuple[Event, ...]
    missed: tuple[Rejected, ...] = ()
    settled: bool = False
    paused: bool = False


def step_id(plan: Plan, state: State) -> str:
    return plan.steps[state.index].id if state.index < len(plan.steps) else "end"


def merge(
    plan: Plan,
    past: Sequence[Event],
    folded: State,
    account: OfflineLog,
    now: int,
    hindrance: Check = lambda events, state, action, at: "",
) -> MergeResult:
    """What to record of ``account`` at ``now``. Nothing twice: acts with a recorded key are done.

    ``hindrance(events, state, action, at)`` says why an act may not count although the session's
    own rules allow it; empty when it may.
    """
    shift = now - account.line
    shift = 0 if 0 <= shift <= SAME_LINE_MS else shift
    known = {event.key for event in past}
    own = {told.key for told in account.acts}
    others = [e for e in past[account.seq :] if e.kind not in ("doubt", "settled")]
    others = [event for event in others if event.key not in own]
    new: list[Event] = []
    missed: list[Rejected] = []

    def record(event: Event) -> None:
        nonlocal folded
        new.append(event)
        folded = follow(plan, folded, event)

    settled = account.counted and not others and folded.before_doubt is not None
    if settled:
        record(settling(past, folded, len(past), shift, now))
    for told in account.acts:
        if told.key in known:
            continue
        at = max(folded.at, min(told.at + shift, now))
        state = advance(plan, folded, at)
        late = others and told.action not in STOPS
        why = OLDER if late and at <= others[-1].at else ""
        if not why and told.action not in STOPS and told.step != step_id(plan, state):
            why = ELSEWHERE
        why = why or hindrance((*past, *new), state, told.action, at)
        if not why:
            try:
                seq = len(past) + len(new)
                record(decide(plan, folded, seq, told.action, at, told.key, told.wish_ms))
            except RefusedError as refusal:
                why = str(refusal)
        if why:
            missed.append(Rejected(told, why))
    key = f"differ-{missed[-1].told.key}"[:64] if missed else ""
    paused = bool(missed) and key not in known and differs(plan, folded, account.status, now)
    if paused:
        record(decide(plan, folded, len(past) + len(new), "pause", now, key))
    return MergeResult(tuple(new), tuple(missed), settled, paused)


def settling(past: Sequence[Event], folded: State, seq: int, shift: int, now: int) -> Event:
    """The event that takes the doubt back, at its instant on today's line of time."""
    doubt = next(event for event in reversed(past) if event.kind == "doubt")
    assert folded.before_doubt is not None
    at = min(now, folded.before_doubt.at + shift)
    return replace(doubt, seq=seq + 1, key=f"settled-{doubt.key}"[:64], kind="settled", at=at)


def differs(plan: Plan, folded: State, shown: Status, now: int) -> bool:
    """True when the device stands still while the session, in its history, runs."""
    return shown in ("paused", "stopped") and advance(plan, folded, now).status == "running"
