"""Snapshot: everything that a page may show of a session at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.domain.commands import allowed
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.session import (
    Action,
    Event,
    State,
    Status,
    advance,
    done_in_full,
    fold,
    hands_on_ms,
    hands_on_over,
    used_ms,
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it lies ahead: begins and ends in so many ms from now, if nobody does anything.

    ``ends_in`` None: it waits until told, and nothing after it has a time.
    """

    id: str
    begins_in: int
    ends_in: int | None
    wait: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a page may show of a session at one instant.

    ``touched_at`` is the instant of the last event.
    """

    plan: Plan
    state: State
    seq: int
    touched_at: int
    actions: tuple[Action, ...]

    @property
    def rows(self) -> tuple[StepRow, ...]:
        """The step under way and all after it."""
        return timetable(self.plan, self.state)

    @property
    def status(self) -> Status:
        """Status of the session."""
        return self.state.status

    @property
    def step(self) -> PlannedStep | None:
        """The step under way; None after the last one."""
        index = self.state.index
        return self.plan.steps[index] if index < len(self.plan.steps) else None

    @property
    def step_id(self) -> str:
        """Id of the step under way; `end` after the last one."""
        return self.step.id if self.step else "end"

    @property
    def next_step(self) -> tuple[PlannedStep, int] | None:
        """The next step that has time or waits, with its time in ms; no move. None at the end."""
        for i in range(self.state.index + 1, len(self.plan.steps)):
            step, left = self.plan.steps[i], self.state.left[i]
            if not step.is_move and (left or step.wait):
                return step, left
        return None

    @property
    def left_out(self) -> tuple[str, ...]:
        """Titles of the phases that a re-fit left out."""
        gone = [
            step.title
            for step, planned in zip(self.plan.steps, self.state.planned, strict=True)
            if step.hands_on and step.seconds and not planned
        ]
        return tuple(dict.fromkeys(gone))

    @property
    def remaining_ms(self) -> int:
        """Of the step under way; before the start, of the whole hands-on time."""
        if self.status == "ready":
            return hands_on_ms(self.plan, self.state)
        return self.state.left[self.state.index] if self.step else 0

    @property
    def planned_ms(self) -> int:
        """The whole length of the step under way, with what it has had."""
        index = self.state.index
        return self.state.attempt[index] + self.state.left[index] if self.step else 0

    @property
    def until_change_ms(self) -> int | None:
        """Until the page looks different by itself; None when only a person can change it."""
        return self.remaining_ms if self.status == "running" else None

    @property
    def live(self) -> bool:
        """True while the session runs, waits or is paused."""
        return self.status in ("running", "waiting", "paused")

    @property
    def hands_on_over(self) -> bool:
        """True when no hands-on work is left."""
        return self.status in ("finished", "stopped") or (
            self.live and hands_on_over(self.plan, self.state.index)
        )

    @property
    def hands_on_done_ms(self) -> int:
        """Hands-on time that was done, in ms."""
        return sum(self.state.done[i] for i, step in enumerate(self.plan.steps) if step.hands_on)

    @property
    def whole(self) -> bool:
        """True when every phase had its time."""
        return done_in_full(self.plan, self.state)

    @property
    def hands_on_ends_in(self) -> int | None:
        """Ms until the last phase ends if every waiting step is passed at once; None when over."""
        if self.hands_on_over:
            return None
        last = max(i for i, step in enumerate(self.plan.steps) if step.hands_on)
        return sum(self.state.left[self.state.index : last + 1])

    @property
    def waits_ahead(self) -> bool:
        """True when a step before the end of the hands-on time waits for a person."""
        last = max((i for i, s in enumerate(self.plan.steps) if s.hands_on), default=-1)
        return any(s.wait for s in self.plan.steps[self.state.index : last])

    @property
    def up_in(self) -> int | None:
        """Ms until the last step ends if every waiting step is passed at once; None when over."""
        over = self.status in ("finished", "stopped")
        return None if over else sum(self.state.left[self.state.index :])

    @property
    def waits_before_up(self) -> bool:
        """True when a step from here on waits for a person."""
        return any(step.wait for step in self.plan.steps[self.state.index :])

    @property
    def cap_seconds_left(self) -> int | None:
        """While cups are still on in a pause: seconds until their cap, never below 0."""
        if not self.state.holding:
            return None
        rooms = [
            cap.seconds - used_ms(self.plan, self.state, number) // 1000
            for number, cap in enumerate(self.plan.rules.cap)
            if cap.counts_while_paused
        ]
        return max(0, min(rooms))


def snapshot(plan: Plan, events: Sequence[Event], now: int) -> Snapshot:
    """The session at ``now``. Pure: the same arguments give the same snapshot."""
    return view(plan, fold(plan, events), len(events), now)


def view(plan: Plan, folded: State, seq: int, now: int) -> Snapshot:
    """Like :func:`snapshot`, from a state that is folded already."""
    state = advance(plan, folded, now)
    return Snapshot(plan, state, seq, folded.at, allowed(plan, state))


def timetable(plan: Plan, state: State) -> tuple[StepRow, ...]:
    """The running step and all after it as offsets from ``state.at``."""
    rows: list[StepRow] = []
    at = 0
    for i in range(state.index, len(plan.steps)):
        step = plan.steps[i]
        ends = at + state.left[i]
        waits = step.wait and not state.left[i]
        rows.append(StepRow(step.id, at, None if waits else ends, step.wait))
        at = ends
    return tuple(rows)
