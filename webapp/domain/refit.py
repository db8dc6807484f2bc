"""Refit: new durations for the remaining phases, so that hands-on work ends at a given time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from webapp.domain.plan import GRID_MS, GRID_SECONDS, Part, Plan, PlannedStep, Spent, ladder
from webapp.domain.session import FAR_AWAY, State, counted_ms, entry_status


def phases_ahead(plan: Plan, state: State) -> list[int]:
    """The phases that still run: not the one that is used up and only waits to be left."""
    waits = state.status != "ready" and entry_status(plan, state.left, state.index) == "waiting"
    return [i for i, s in enumerate(plan.steps) if s.hands_on and i >= state.index + waits]


def refit(plan: Plan, state: State, until_end_ms: int) -> tuple[tuple[str, int], ...]:
    """New remaining times of the steps ahead, so that hands-on work ends in ``until_end_ms``.

    Where the time is too short, phases that the plan can do without get none, as few as will do; a
    longer time brings them back. What follows holds for the phases that stay. The one under way
    takes what is no multiple of 5 s; one ahead whose time is none, because it was begun before,
    starts from what its least time lacks. Outside the reachable range the nearest reachable total
    comes out. Times of preparation and of changes of side ahead are left as they are.
    """
    ahead = phases_ahead(plan, state)
    best: tuple[tuple[int, int], tuple[tuple[str, int], ...]] | None = None
    for gone in choices(plan, state, ahead):
        trial = leaving_out(plan, state, gone)
        stay = [i for i in ahead if i not in gone]
        times, (over, off) = fitted(plan, trial, stay, until_end_ms)
        moves = {i: ms for i, ms in enumerate(trial.left) if ms != state.left[i]}
        found = moves | dict.fromkeys(gone, 0) | dict(zip(stay, times, strict=True))
        event = tuple((plan.steps[i].id, found[i]) for i in sorted(found))
        if not over and off < GRID_MS:
            return event
        if best is None or (over, abs(off)) < best[0]:
            best = ((over, abs(off)), event)
    assert best is not None
    return best[1]


def choices(plan: Plan, state: State, ahead: Sequence[int]) -> Iterator[frozenset[int]]:
    """The phases to leave out: as few as can be, then those of one entry more each time.

    An entry goes, or comes back, as a whole, and only while all of it lies ahead and hands are not
    on their way to it. Never all phases.
    """
    places = {step.id: i for i, step in enumerate(plan.steps)}
    entries = [frozenset(places[step_id] for step_id in entry) for entry in plan.leave_out]
    untouched = {
        i for i in ahead if i > state.index + plan.steps[i - 1].is_move and not state.attempt[i]
    }
    free = [entry for entry in entries if entry <= untouched]
    fixed = {i for entry in entries if entry not in free for i in entry if not state.planned[i]}
    gone = frozenset(fixed.intersection(ahead))
    yield gone
    for entry in free:
        if gone | entry < set(ahead):
            gone |= entry
            yield gone


def leaving_out(plan: Plan, state: State, gone: frozenset[int]) -> State:
    """The state with no time for ``gone`` and the moves to it; other such moves have theirs."""
    may_go = {step_id for entry in plan.leave_out for step_id in entry}
    left, planned = list(state.left), list(state.planned)
    for i in range(state.index + 1, len(plan.steps)):
        if plan.steps[i].id not in may_go:
            continue
        move = i - 1 if plan.steps[i - 1].is_move and i - 1 > state.index else None
        if i in gone:
            left[i] = 0
        if move is not None and (i in gone or not planned[move]):
            left[move] = planned[move] = 0 if i in gone else plan.steps[move].seconds * 1000
    return replace(state, left=tuple(left), planned=tuple(planned))


def fitted(
    plan: Plan, state: State, ahead: Sequence[int], until_end_ms: int
) -> tuple[tuple[int, ...], tuple[int, int]]:
    """The times of the phases ``ahead``; by how much the session and the wish are passed, in ms."""
    others = sum(
        state.left[i]
        for i, s in enumerate(plan.steps)
        if not s.hands_on and state.index <= i < ahead[-1]
    )
    wish = max(0, until_end_ms - others)
    most = plan.session_max_seconds * 1000 - spent(plan, state).total_ms

    def miss(left_ms: Sequence[int]) -> tuple[int, int]:
        return max(0, sum(left_ms) - most), abs(sum(left_ms) - wish)

    ends: tuple[int, ...] = (0,)
    if ahead[0] == state.index:
        begun = sum(part.odd_ms for part in parts_ahead(plan, state, ahead, 0)[1:])
        ends = (wish - begun, most - begun, *ends_of(plan, state, ahead[0]))
    fits: list[tuple[int, ...]] = []
    for odd in dict.fromkeys(end % GRID_MS for end in ends):
        fits.append(allot(plan, state, parts_ahead(plan, state, ahead, odd), wish))
        if miss(fits[-1]) == (0, 0):
            break
    best = min(fits, key=miss)
    return best, (miss(best)[0], sum(best) - wish)


def allot(plan: Plan, state: State, parts: tuple[Part, ...], wish: int) -> tuple[int, ...]:
    """The time of each part in milliseconds, their sum as near to ``wish`` as the ladder comes."""
    rungs = ladder(parts, plan.rules, plan.session_max_seconds, spent(plan, state), strict=False)
    steps = round((wish - sum(part.odd_ms for part in parts)) / GRID_MS)
    rung = rungs[min(max(steps - sum(rungs[0]), 0), len(rungs) - 1)]
    return tuple(n * GRID_MS + part.odd_ms for n, part in zip(rung, parts, strict=True))


def parts_ahead(plan: Plan, state: State, ahead: Sequence[int], odd: int) -> tuple[Part, ...]:
    """What the re-fit may still plan. A cap goes before a minimum, first come first served."""
    space = [
        cap.seconds * 1000 - counted_ms(plan, state, n) for n, cap in enumerate(plan.rules.cap)
    ]
    parts: list[Part] = []
    for i in ahead:
        covering = [n for n, cap in enumerate(plan.rules.cap) if cap.tag in plan.steps[i].tags]
        room = max(0, min((space[n] for n in covering), default=FAR_AWAY))
        step, had = plan.steps[i], state.attempt[i]
        lacking = bounds_left(step, had, room)[0] % GRID_MS if state.left[i] % GRID_MS else 0
        part = remaining_part(step, had, room, odd if i == state.index else lacking)
        parts.append(part)
        for n in covering:
            space[n] -= part.low * GRID_MS + part.odd_ms
    return tuple(parts)


def ends_of(plan: Plan, state: State, index: int) -> tuple[int, int, int]:
    """Least and most that the phase under way may still have, and the room that its caps leave."""
    tags = plan.steps[index].tags
    rooms = [
        cap.seconds * 1000 - counted_ms(plan, state, n)
        for n, cap in enumerate(plan.rules.cap)
        if cap.tag in tags
    ]
    room = max(0, min(rooms, default=FAR_AWAY))
    return *bounds_left(plan.steps[index], state.attempt[index], room), room


def bounds_left(step: PlannedStep, had: int, room: int) -> tuple[int, int]:
    """Return the least and most ms that a phase may still get, within `room`."""
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
        by_tag[cap.tag] = counted_ms(plan, state, number)
    for i, step in enumerate(plan.steps):
        if step.hands_on and step.technique:
            by_technique[step.technique] = by_technique.get(step.technique, 0) + state.done[i]
    total = sum(by_technique.values())
    return Spent(total, tuple(sorted(by_technique.items())), tuple(sorted(by_tag.items())))
