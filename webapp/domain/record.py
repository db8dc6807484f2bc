"""Session record: what a past session planned, what was done, and the feedback on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from webapp.domain.plan import Plan
from webapp.domain.session import State, Status, advance, done_in_full, hands_on_over

Skin = Literal["fine", "marks", "sore"]
Early = Literal["advised", "cut-short", "away", "wished"]

SKIN: tuple[Skin, ...] = ("fine", "marks", "sore")
EARLY: tuple[Early, ...] = ("advised", "cut-short", "away", "wished")
SCORES = range(11)
# facts.md: U-12 cups, HO-09 honey, U-22 stones; with diabetes the skin is looked over (R09, R14)
ON_THE_SKIN = {"cupping", "vacuum", "honey", "warm-stones", "cool-stones"}
SUCTION = {"cupping", "vacuum"}
BALANCE_FROM_MS = 30_000


@dataclass(frozen=True, slots=True)
class Feedback:
    """What people said about a session: pain 0 to 10 before and after, the skin, a note."""

    before: int | None = None
    after: int | None = None
    skin: Skin | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """One phase: planned (in the plan as it began) and done, in ms."""

    title: str
    technique: str
    area: str
    side: str
    planned_ms: int
    done_ms: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session that was begun, as of one instant.

    ``outcome``: ``whole``, ``part`` (something was skipped or cut short), ``early`` (ended before
    its plan), ``pain``, ``low``, or ``live``.
    """

    id: str
    plan: Plan
    begun_at: int
    status: Status
    outcome: str
    phases: tuple[PhaseRecord, ...]
    feedback: Feedback = Feedback()
    early: Early | None = None
    client: str | None = None
    course: str | None = None

    @property
    def done_ms(self) -> int:
        """Hands-on time that was done, in ms."""
        return sum(phase.done_ms for phase in self.phases)

    @property
    def planned_ms(self) -> int:
        """Hands-on time that was planned, in ms."""
        return sum(phase.planned_ms for phase in self.phases)

    @property
    def counts(self) -> bool:
        """True when hands were at work: any time counts."""
        return self.done_ms > 0

    @property
    def suction(self) -> bool:
        """True when cups were on the skin."""
        return any(s.technique in SUCTION and s.done_ms for s in self.phases)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Titles of the phases that got no time."""
        return tuple(phase.title for phase in self.phases if not phase.done_ms)

    def by_technique(self) -> dict[str, int]:
        """Hands-on ms by technique, in the order of the plan."""
        totals: dict[str, int] = {}
        for phase in self.phases:
            totals[phase.technique] = totals.get(phase.technique, 0) + phase.done_ms
        return totals


def session_record(
    session_id: str,
    plan: Plan,
    folded: State,
    now: int,
    feedback: Feedback = Feedback(),
    early: Early | None = None,
    client: str | None = None,
    course: str | None = None,
) -> SessionRecord:
    """The session after its last event, as of ``now``; one that nobody started begins at 0."""
    state = advance(plan, folded, now)
    phases = tuple(
        PhaseRecord(
            step.title,
            step.technique or "",
            step.area or "",
            step.side or "",
            step.seconds * 1000,
            ms,
        )
        for step, ms in zip(plan.steps, state.done, strict=True)
        if step.hands_on
    )
    live = state.status in ("running", "waiting", "paused")
    if state.status == "stopped":
        outcome = "low" if state.low else "pain"
    elif live and not hands_on_over(plan, state.index):
        outcome = "live"
    else:
        outcome = "whole" if done_in_full(plan, state) else "part"
        outcome = "early" if state.ended_early else outcome
    begun = state.started_at or 0
    return SessionRecord(
        session_id, plan, begun, state.status, outcome, phases, feedback, early, client, course
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """A side that got less than the other over a course, by so many ms."""

    area: str
    side: str
    short_ms: int


def balance(pasts: Iterable[SessionRecord]) -> tuple[Balance, ...]:
    """Where one side was cut: per area, what left and right lost against the plan.

    Only sessions that planned both sides count: a side that the questions left out was no cut.
    Time added later pays it back.
    """
    lost: dict[str, dict[str, int]] = {}
    names: dict[str, str] = {}
    for past in pasts:
        for area, sides in both_sides(past).items():
            names[area] = past.plan.areas[area].name if area in past.plan.areas else area
            area_lost = lost.setdefault(area, {"left": 0, "right": 0})
            for side, ms in sides.items():
                area_lost[side] += ms
    balances = []
    for area, sides in lost.items():
        more = sides["left"] - sides["right"]
        if abs(more) >= BALANCE_FROM_MS:
            balances.append(Balance(names[area], "left" if more > 0 else "right", abs(more)))
    return tuple(sorted(balances, key=lambda b: -b.short_ms))


@dataclass(frozen=True, slots=True)
class Short:
    """A side that is behind over a course, and its areas, the most behind first."""

    side: str
    short_ms: int
    areas: tuple[Balance, ...]


def short_sides(pasts: Iterable[SessionRecord]) -> tuple[Short, ...]:
    """The balance in one line a side."""
    balances = balance(pasts)
    sides = [tuple(b for b in balances if b.side == side) for side in ("left", "right")]
    sides_behind = [Short(s[0].side, sum(b.short_ms for b in s), s) for s in sides if s]
    return tuple(sorted(sides_behind, key=lambda short: -short.short_ms))


def both_sides(past: SessionRecord) -> dict[str, dict[str, int]]:
    """Ms that each side lost, by area, where both were planned."""
    lost: dict[str, dict[str, int]] = {}
    for phase in past.phases:
        if phase.side in ("left", "right"):
            sides = lost.setdefault(phase.area, {})
            sides[phase.side] = sides.get(phase.side, 0) + phase.planned_ms - phase.done_ms
    return {area: sides for area, sides in lost.items() if len(sides) == 2}


def skin_asked(plan: Plan) -> bool:
    """True when the protocol asks for a look at the skin afterwards."""
    return plan.diabetes or any(step.technique in ON_THE_SKIN for step in plan.steps)
