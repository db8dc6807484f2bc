"""The session core: events happened to a frozen plan; everything else is computed.

Rules that stand here and nowhere else:
- Only human acts are events (and a doubt about time, which pauses). Phase ends are computed.
- ``TRANSITIONS`` is both the rule and the list of buttons.
- Time that is left of a step is kept when it is left early: Back gives it again; a step that was
  used up is given again in full.
- Caps count what is done plus what is planned. An act that would break one is refused.
- ``finished`` is never stored: it is what running becomes when the plan is used up.

All times are integer milliseconds; instants are on the server's clock since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from webapp.domain.plan import GRID_MS, GRID_SECONDS, Part, Plan, PlannedStep, Spent, ladder

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
    "release",
    "end",
    "stop",
]
Kind = Action | Literal["doubt"]

EXTEND_MS = 30_000
LONGEST_REST_MS = 7_200_000

TRANSITIONS: dict[Status, tuple[Action, ...]] = {
    "ready": ("start", "end-at"),
    "running": ("pause", "next", "back", "restart", "extend", "end-at", "end", "stop"),
    "waiting": ("next", "back", "restart", "end-at", "end", "stop"),
    "paused": ("resume", "release", "next", "back", "restart", "extend", "end-at", "end", "stop"),
    "finished": (),
    "stopped": (),
}

ANY_STATUS: tuple[Action, ...] = TRANSITIONS["running"] + ("start", "resume", "release")


class RefusedError(Exception):
    """The act is not possible now; the text says why, in words for the person."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: ``seq`` counts from 1, ``left_ms`` records the result of a re-fit."""

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
    doubted: bool = False
    ended_early: bool = False
    hands_on_ended_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None


def initial(plan: Plan, at: int = 0) -> State:
    """A session that nobody has started."""
    planned = tuple(step.seconds * 1000 for step in plan.steps)
    zeros = (0,) * len(planned)
    return State(at, "ready", 0, planned, zeros, zeros, planned, (0,) * len(plan.rules.cap))


def fold(plan: Plan, events: Sequence[Event]) -> State:
    """The state right after the last event."""
    state = initial(plan)
    for event in events:
        state = apply(plan, advance(plan, state, event.at), event)
    return state


def advance(plan: Plan, state: State, now: int) -> State:
    """The state at ``now``: time has passed and nobody did anything.

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
            index, status = index + 1, entry_status(plan, left, index + 1)
            waited = 0
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


def entry_status(plan: Plan, left: Sequence[int], index: int) -> Status:
    """Running on entering a timed step, waiting on entering one that only waits."""
    if index < len(plan.steps) and plan.steps[index].wait and not left[index]:
        return "waiting"
    return "running"


def finish(state: State, at: int) -> State:
    ended = state.hands_on_ended_at if state.hands_on_ended_at is not None else at
    return replace(state, status="finished", ended_at=at, hands_on_ended_at=ended, holding=False)


def hold(plan: Plan, state: State, passed: int) -> State:
    """A pause: only caps that count on (cups still on the skin) move."""
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
    match event.kind:
        case "start":
            status = entry_status(plan, state.left, 0)
            return replace(state, status=status, started_at=event.at)
        case "pause":
            return replace(state, status="paused", holding=on_the_skin(plan, state), doubted=False)
        case "doubt":
            return replace(state, status="paused", holding=on_the_skin(plan, state), doubted=True)
        case "resume":
            return resume(plan, state)
        case "release":
            return replace(state, holding=False)
        case "next":
            return enter(plan, state, state.index + 1)
        case "back":
            return enter(plan, give_again(state, max(0, state.index - 1)), max(0, state.index - 1))
        case "restart":
            return enter(plan, give_in_full(state, state.index), state.index)
        case "extend":
            return lengthen(state, EXTEND_MS)
        case "end-at":
            return refitted(plan, state, event.left_ms)
        case "end":
            return end(plan, state)
        case "stop":
            over = state.hands_on_ended_at if state.hands_on_ended_at is not None else event.at
            return replace(
                state, status="stopped", ended_at=event.at, hands_on_ended_at=over, holding=False
            )


def on_the_skin(plan: Plan, state: State) -> bool:
    """True when a pause in this step leaves something on the body that a cap counts on."""
    if state.holding:
        return True
    tags = plan.steps[state.index].tags if state.index < len(plan.steps) else ()
    return any(cap.counts_while_paused and cap.tag in tags for cap in plan.rules.cap)


def resume(plan: Plan, state: State) -> State:
    """Go on; what a cap has lost to the pause is taken from the phases it covers."""
    left = list(state.left)
    for number, cap in enumerate(plan.rules.cap):
        space = max(0, cap.seconds * 1000 - used_ms(plan, state, number))
        for i in tagged(plan, cap.tag):
            if i >= state.index:
                left[i] = min(left[i], space)
                space -= left[i]
    status = entry_status(plan, left, state.index)
    resumed = replace(state, status=status, left=tuple(left), holding=False, doubted=False)
    if status == "running" and not left[state.index]:
        return enter(plan, resumed, state.index + 1)
    return resumed


def enter(plan: Plan, state: State, index: int) -> State:
    """Go to step ``index``; a pause stays a pause."""
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


def give_again(state: State, index: int) -> State:
    """What is left of the step, or all of it when nothing is."""
    return state if state.left[index] else give_in_full(state, index)


def give_in_full(state: State, index: int) -> State:
    return replace(
        state,
        left=put(state.left, index, state.planned[index]),
        attempt=put(state.attempt, index, 0),
    )


def lengthen(state: State, ms: int) -> State:
    return replace(
        state,
        left=put(state.left, state.index, state.left[state.index] + ms),
        planned=put(state.planned, state.index, state.planned[state.index] + ms),
    )


def end(plan: Plan, state: State) -> State:
    """End early: hands off, and on to the aftercare; from the aftercare, or before any work, all ends."""
    worked = any(state.done[i] for i, step in enumerate(plan.steps) if step.hands_on)
    index = len(plan.steps)
    if worked and not hands_on_over(plan, state.index):
        index = next((i for i, s in enumerate(plan.steps) if s.kind == "aftercare"), index)
    status: Status = "running" if state.status == "paused" else state.status
    over = replace(state, status=status, ended_early=True, holding=False, doubted=False)
    return enter(plan, over, index)


def refitted(plan: Plan, state: State, left_ms: tuple[tuple[str, int], ...]) -> State:
    """The recorded result of a re-fit, step by step."""
    new = dict(left_ms)
    left = tuple(new.get(s.id, ms) for s, ms in zip(plan.steps, state.left, strict=True))
    planned = tuple(
        state.attempt[i] + new[step.id] if step.id in new else state.planned[i]
        for i, step in enumerate(plan.steps)
    )
    return replace(state, left=left, planned=planned)


def put(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


def tagged(plan: Plan, tag: str) -> list[int]:
    return [i for i, step in enumerate(plan.steps) if tag in step.tags]


def used_ms(plan: Plan, state: State, number: int) -> int:
    """What cap ``number`` has counted so far."""
    done = sum(state.done[i] for i in tagged(plan, plan.rules.cap[number].tag))
    return done + state.held[number]


def allowed(plan: Plan, state: State) -> tuple[Action, ...]:
    """The acts that the page offers, from the table; what this very state cannot do is left out."""
    return tuple(action for action in TRANSITIONS[state.status] if fits_here(plan, state, action))


def fits_here(plan: Plan, state: State, action: Action) -> bool:
    match action:
        case "release":
            return state.holding
        case "back":
            return state.index > 0
        case "extend":
            return state.left[state.index] > 0
        case "restart":
            return state.planned[state.index] > 0
        case "end-at":
            return bool(phases_ahead(plan, state))
        case _:
            return True


def act(
    plan: Plan,
    events: Sequence[Event],
    action: Action,
    now: int,
    key: str,
    hands_on_left_ms: int | None = None,
) -> Event:
    """The event to record for ``action`` at ``now``.

    ``hands_on_left_ms`` goes with ``end-at``: the time until the hands-on work must be over.
    Raises RefusedError with the reason, and then nothing has changed.
    """
    state = advance(plan, fold(plan, events), now)
    if action not in allowed(plan, state):
        raise RefusedError(REASONS.get(state.status, "That is not possible at this moment."))
    event = Event(len(events) + 1, key, action, max(now, state.at))
    if action == "end-at":
        return replace(event, left_ms=refit(plan, state, hands_on_left_ms or 0))
    if action in ("back", "restart", "extend"):
        check_caps(plan, apply(plan, state, event), action)
    return event


REASONS: dict[Status, str] = {
    "ready": "The session has not begun yet.",
    "paused": "The session is paused. Resume first.",
    "finished": "The session is over.",
    "stopped": "The session was stopped. It cannot go on.",
}


def check_caps(plan: Plan, after: State, action: Action) -> None:
    """Raise RefusedError when done plus planned time would break a cap or a bound."""
    if after.index >= len(plan.steps):
        return
    for number, cap in enumerate(plan.rules.cap):
        ahead = sum(after.left[i] for i in tagged(plan, cap.tag) if i >= after.index)
        if ahead and used_ms(plan, after, number) + ahead > cap.seconds * 1000:
            raise RefusedError(
                f"{cap.tag.replace('-', ' ').capitalize()}: at most {minutes(cap.seconds)} in one session."
            )
    step = plan.steps[after.index]
    if not step.hands_on:
        if after.left[after.index] > LONGEST_REST_MS:
            raise RefusedError("This step is long enough.")
        return
    if hands_on_ms(plan, after) > plan.session_max_seconds * 1000:
        raise RefusedError(
            f"This session has at most {minutes(plan.session_max_seconds)} of hands-on time."
        )
    length = after.attempt[after.index] + after.left[after.index]
    if action == "extend" and length > step.max_seconds * 1000:
        raise RefusedError(f"{step.title}: at most {minutes(step.max_seconds)}.")


def minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d} min"


def hands_on_ms(plan: Plan, state: State) -> int:
    """Hands-on time done plus still planned."""
    return sum(
        state.done[i] + (state.left[i] if i >= state.index else 0)
        for i, step in enumerate(plan.steps)
        if step.hands_on
    )


def phases_ahead(plan: Plan, state: State) -> list[int]:
    """The phases that still run: not the one that is used up and only waits to be left."""
    waits = state.status != "ready" and entry_status(plan, state.left, state.index) == "waiting"
    return [i for i, s in enumerate(plan.steps) if s.hands_on and i >= state.index + waits]


def refit(plan: Plan, state: State, until_end_ms: int) -> tuple[tuple[str, int], ...]:
    """New remaining times of all phases from here on, so that hands-on work ends in ``until_end_ms``.

    The phase under way takes what is no multiple of 5 s. Outside the reachable range the nearest
    reachable total comes out. Times of preparation and change steps ahead are left as they are.
    """
    ahead = phases_ahead(plan, state)
    others = sum(
        state.left[i]
        for i, s in enumerate(plan.steps)
        if not s.hands_on and state.index <= i < ahead[-1]
    )
    wish = max(0, until_end_ms - others)
    most = plan.session_max_seconds * 1000 - spent(plan, state).total_ms

    def miss(left_ms: Sequence[int]) -> tuple[int, int]:
        return max(0, sum(left_ms) - most), abs(sum(left_ms) - wish)

    ends = (wish, most, *ends_of(plan, state, ahead[0])) if ahead[0] == state.index else (0,)
    found: list[tuple[int, ...]] = []
    for odd in dict.fromkeys(end % GRID_MS for end in ends):
        found.append(allotted(plan, state, parts_ahead(plan, state, ahead, odd), wish))
        if miss(found[-1]) == (0, 0):
            break
    best = min(found, key=miss)
    return tuple((plan.steps[i].id, ms) for i, ms in zip(ahead, best, strict=True))


def allotted(plan: Plan, state: State, parts: tuple[Part, ...], wish: int) -> tuple[int, ...]:
    """The time of each part in milliseconds, their sum as near to ``wish`` as the ladder comes."""
    rungs = ladder(parts, plan.rules, plan.session_max_seconds, spent(plan, state), strict=False)
    steps = round((wish - sum(part.odd_ms for part in parts)) / GRID_MS)
    rung = rungs[min(max(steps - sum(rungs[0]), 0), len(rungs) - 1)]
    return tuple(n * GRID_MS + part.odd_ms for n, part in zip(rung, parts, strict=True))


def parts_ahead(plan: Plan, state: State, ahead: Sequence[int], odd: int) -> tuple[Part, ...]:
    """What the re-fit may still plan. A cap goes before a phase's minimum, first come first served."""
    space = [cap.seconds * 1000 - used_ms(plan, state, n) for n, cap in enumerate(plan.rules.cap)]
    parts: list[Part] = []
    for i in ahead:
        covering = [n for n, cap in enumerate(plan.rules.cap) if cap.tag in plan.steps[i].tags]
        room = max(0, min((space[n] for n in covering), default=FAR_AWAY))
        part = remaining_part(plan.steps[i], state.attempt[i], room, odd if i == state.index else 0)
        parts.append(part)
        for n in covering:
            space[n] -= part.low * GRID_MS + part.odd_ms
    return tuple(parts)


def ends_of(plan: Plan, state: State, index: int) -> tuple[int, int, int]:
    """Least and most that the phase under way may still have, and the room that its caps leave."""
    tags = plan.steps[index].tags
    rooms = [
        cap.seconds * 1000 - used_ms(plan, state, n)
        for n, cap in enumerate(plan.rules.cap)
        if cap.tag in tags
    ]
    room = max(0, min(rooms, default=FAR_AWAY))
    return *bounds_left(plan.steps[index], state.attempt[index], room), room


def bounds_left(step: PlannedStep, had: int, room: int) -> tuple[int, int]:
    most = min(max(0, step.max_seconds * 1000 - had), room)
    return min(max(0, step.min_seconds * 1000 - had), most), most


def remaining_part(step: PlannedStep, had: int, room: int, odd: int) -> Part:
    """What may still be planned for a phase, in grid steps beyond its odd milliseconds.

    Where no whole grid step beyond ``odd`` lies within the bounds, its least time decides.
    """
    least, most = bounds_left(step, had, room)
    if odd + -(-max(0, least - odd) // GRID_MS) * GRID_MS > most:
        odd = least % GRID_MS
    low = -(-max(0, least - odd) // GRID_MS)
    usual = max(1, round(step.seconds / GRID_SECONDS))
    high = (most - odd) // GRID_MS
    return Part(step.technique or "", step.tags, low, high, usual, had, odd)


def spent(plan: Plan, state: State) -> Spent:
    """Everything done so far, as the rules count it."""
    by_technique: dict[str, int] = {}
    by_tag: dict[str, int] = {}
    for number, cap in enumerate(plan.rules.cap):
        by_tag[cap.tag] = used_ms(plan, state, number)
    for i, step in enumerate(plan.steps):
        if step.hands_on and step.technique:
            by_technique[step.technique] = by_technique.get(step.technique, 0) + state.done[i]
    total = sum(by_technique.values())
    return Spent(total, tuple(sorted(by_technique.items())), tuple(sorted(by_tag.items())))


@dataclass(frozen=True, slots=True)
class Row:
    """A step as it lies ahead: begins and ends in so many ms from now, if nobody does anything.

    ``ends_in`` None: it waits until told, and nothing after it has a time.
    """

    id: str
    begins_in: int
    ends_in: int | None
    wait: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a page may show of a session at one instant."""

    plan: Plan
    state: State
    seq: int
    actions: tuple[Action, ...]
    rows: tuple[Row, ...] = field(repr=False)

    @property
    def status(self) -> Status:
        return self.state.status

    @property
    def step(self) -> PlannedStep | None:
        index = self.state.index
        return self.plan.steps[index] if index < len(self.plan.steps) else None

    @property
    def step_id(self) -> str:
        return self.step.id if self.step else "end"

    @property
    def next_step(self) -> PlannedStep | None:
        index = self.state.index + 1
        return self.plan.steps[index] if index < len(self.plan.steps) else None

    @property
    def remaining_ms(self) -> int:
        """Of the step under way; before the start, of the whole hands-on time."""
        if self.status == "ready":
            return hands_on_ms(self.plan, self.state)
        return self.state.left[self.state.index] if self.step else 0

    @property
    def until_change_ms(self) -> int | None:
        """Until the page looks different by itself; None when only a person can change it."""
        return self.remaining_ms if self.status == "running" else None

    @property
    def live(self) -> bool:
        return self.status in ("running", "waiting", "paused")

    @property
    def hands_on_over(self) -> bool:
        return self.status in ("finished", "stopped") or (
            self.live and hands_on_over(self.plan, self.state.index)
        )

    @property
    def hands_on_done_ms(self) -> int:
        return sum(self.state.done[i] for i, step in enumerate(self.plan.steps) if step.hands_on)

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
    return Snapshot(plan, state, seq, allowed(plan, state), timetable(plan, state))


def timetable(plan: Plan, state: State) -> tuple[Row, ...]:
    """The running step and all after it as offsets from ``state.at``."""
    rows: list[Row] = []
    at = 0
    for i in range(state.index, len(plan.steps)):
        step = plan.steps[i]
        ends = at + state.left[i]
        waits = step.wait and not state.left[i]
        rows.append(Row(step.id, at, None if waits else ends, step.wait))
        at = ends
    return tuple(rows)


def live_until(plan: Plan, state: State) -> int:
    """The instant when the session is over if nobody does anything; far away when it waits.

    Not live at all: 0.
    """
    if state.status in ("ready", "finished", "stopped"):
        return 0
    if state.status != "running" or any(s.wait for s in plan.steps[state.index :]):
        return FAR_AWAY
    return state.at + sum(state.left[state.index :])


FAR_AWAY = 2**52
