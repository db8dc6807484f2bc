"""Fit a protocol to the minutes at hand: one line of steps with exact durations.

The fit climbs a ladder. The lowest rung gives every phase its least time (and a share rule's
phases as much more as the rule needs); each rung above adds one grid step of 5 s to the phase
that lags most behind its usual time (a divisor method of apportionment, so every phase
follows ``usual * lambda`` between its bounds). Sums are therefore exact, and no phase ever gets
less from a longer wish with the same phases.

Where the file says what a short plan leaves out, each number of entries left out has a ladder of
its own, and the plan is made on the one with most phases that reaches the wish. Between two places
stands the time to move, which is no hands-on time. Times are whole seconds unless named ``_ms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from webapp.domain.catalogue import Area, KeepAway, RedFlag, Technique
from webapp.domain.protocol import (
    Arrow,
    Breathing,
    Cap,
    Change,
    ChosenPoint,
    Cue,
    Duration,
    FirstSide,
    Model,
    Passes,
    Phase,
    Protocol,
    Rules,
    Share,
    Side,
    SideGroup,
)
from webapp.domain.protocol import Step as FileStep

GRID_SECONDS = 5
GRID_MS = GRID_SECONDS * 1000
OPTIONAL_FLOOR_SECONDS = 15  # facts.md, correction 8

StepKind = Literal["prepare", "phase", "change", "aftercare"]


LIGHT_PRESSURE = 2


class UnreachableError(ValueError):
    """No plan can keep the rules of the protocol at a total it promises."""


class LeaveOut(Model):
    """Hands stay off: phases in ``area`` (on ``side`` when one is given), or phases with ``tag``
    or ``technique``. ``whole``: no phase touches the area at all, nor one that reaches into it.
    """

    why: str
    area: str | None = None
    side: Literal["left", "right"] | None = None
    tag: str | None = None
    technique: str | None = None
    whole: bool = False


class Changes(Model):
    """What a screening changes in a plan; each with its reason in words.

    ``light``: no phase above pressure 2 of 5. ``shortest``: the least time, whatever was wished.
    ``glucose``: the person has diabetes, so the session can stop for a low and asks for a reading.
    """

    leave_out: tuple[LeaveOut, ...] = ()
    light: tuple[str, ...] = ()
    shortest: tuple[str, ...] = ()
    glucose: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.leave_out or self.light or self.shortest or self.glucose)


class PlanChange(Model):
    """One change that was made to a plan, and why, in words."""

    what: str
    why: str


class PlannedStep(Model):
    """One step of a session. ``seconds`` 0 means that it waits until told from the start.

    ``avoid`` names places in words: all of them in a plan of format 1, otherwise only those that
    the person marked. A step of the kind ``change`` that does not wait is a move to the next phase,
    which it shows.
    """

    id: str
    kind: StepKind
    title: str
    seconds: int
    wait: bool
    origin: str
    optional: bool = False
    text: str = ""
    technique: str | None = None
    area: str | None = None
    side: Side | None = None
    direction: str | None = None
    arrow: Arrow | None = None
    pressure: int | None = None
    tempo: int | None = None
    breathing: Breathing | None = None
    min_seconds: int = 0
    max_seconds: int = 0
    instructions: tuple[str, ...] = ()
    cues: tuple[Cue, ...] = ()
    avoid: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hands: str | None = None
    from_landmark: str | None = None
    to_landmark: str | None = None
    point: str | ChosenPoint | None = None
    not_here: tuple[str, ...] = ()
    go_lightly: tuple[str, ...] = ()
    passes: Passes | None = None
    in_turn: bool = False

    @property
    def hands_on(self) -> bool:
        """True for a phase of hands-on work."""
        return self.kind == "phase"

    @property
    def is_move(self) -> bool:
        """True for the time between two places, which passes by itself."""
        return self.kind == "change" and not self.wait


class Plan(Model):
    """What a session runs: the frozen steps with all that is needed to show and to limit them.

    ``asked_seconds`` is the wish after rounding, ``hands_on_seconds`` what the rules allow.
    ``left_out`` are titles of phases for which the time is too short. ``seen_from``: from where the
    body is seen as the client lies or sits, ``behind`` and ``front``; empty when not known.
    ``first_side`` is the side that hurts less; None where nobody asked, or both are the same.
    ``light``: no phase presses more than lightly, and the stage says so. ``leave_out``
    are the ids of the phases that a re-fit may still leave out, the first entry first.
    """

    protocol: str
    title: str
    asked_seconds: int
    hands_on_seconds: int
    session_min_seconds: int
    session_max_seconds: int
    rules: Rules
    steps: tuple[PlannedStep, ...]
    stop: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    changes: tuple[PlanChange, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    diabetes: bool = False
    techniques: dict[str, Technique] = Field(default_factory=dict)
    areas: dict[str, Area] = Field(default_factory=dict)
    keep_away: dict[str, KeepAway] = Field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    seen_from: tuple[str, ...] = ()
    first_side: FirstSide | None = None
    light: bool = False
    leave_out: tuple[tuple[str, ...], ...] = ()

    def __hash__(self) -> int:
        """Return a hash of the times alone: that is quick, and equal plans have equal times."""
        return hash((self.protocol, *(step.seconds for step in self.steps)))

    @property
    def reached(self) -> bool:
        """True when the total is exactly what was asked for."""
        return self.asked_seconds == self.hands_on_seconds


@dataclass(frozen=True, slots=True)
class Part:
    """One phase as the fit sees it; times in grid steps, ``*_ms`` in milliseconds.

    ``spent_ms`` is what this phase has had already (a re-fit while it runs), ``odd_ms`` what its
    remaining time carries beyond whole grid steps.
    """

    technique: str
    tags: tuple[str, ...]
    low: int
    high: int
    usual: int
    spent_ms: int = 0
    odd_ms: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """Hands-on time already used, in milliseconds: what rules count besides the plan."""

    total_ms: int = 0
    by_technique: tuple[tuple[str, int], ...] = ()
    by_tag: tuple[tuple[str, int], ...] = ()


Rung = tuple[int, ...]

NO_CHANGES = Changes()
NO_AREAS: Mapping[str, Area] = MappingProxyType({})
NO_KEEP_AWAY: Mapping[str, KeepAway] = MappingProxyType({})


def unroll(
    protocol: Protocol, first_side: FirstSide | None = None
) -> tuple[tuple[Phase | Change, str], ...]:
    """All phases and changes of side in order, each with its id in the plan.

    With ``first_side`` that side comes first, in groups and in pairs of phases.
    """
    line: list[tuple[Phase | Change, str]] = []
    for number, entry in enumerate(protocol.phases, start=1):
        if isinstance(entry, Phase):
            line.append((entry, entry.id))
            if first_side and is_pair(line[-2:]) and entry.side == first_side:
                line[-2:] = reversed(line[-2:])
            continue
        sides = sorted(entry.for_sides, key=lambda side: side != first_side if first_side else 0)
        for position, side in enumerate(sides):
            if position:
                line.append((entry.change, f"change-{number}-{side}"))
            line += [(on_side(phase, side), f"{phase.id}-{side}") for phase in entry.phases]
    return tuple(line)


def is_pair(line: Sequence[tuple[Phase | Change, str]]) -> bool:
    """True for two phases that do the same on the two sides: ``cups-right``, ``cups-left``."""
    found = {item.side: step_id for item, step_id in line if isinstance(item, Phase)}
    left, right = found.get("left"), found.get("right")
    return bool(left and right) and str(left).removesuffix("-left") == str(right).removesuffix(
        "-right"
    )


def on_side(phase: Phase, side: Side) -> Phase:
    """The phase of a group on one side; each tag also with its side, for caps of one side."""
    tags = (*phase.tags, *(f"{tag}-{side}" for tag in phase.tags))
    return phase.model_copy(update={"side": side, "tags": tags})


def fit(
    protocol: Protocol,
    seconds: int,
    chosen: frozenset[str] = frozenset(),
    changes: Changes = NO_CHANGES,
    areas: Mapping[str, Area] = NO_AREAS,
    first_side: FirstSide | None = None,
) -> Plan:
    """Fit ``protocol`` to ``seconds`` of hands-on time.

    ``chosen`` are ids of optional phases and steps that are wanted; all others of them stay out.
    ``changes`` are what the screening asks for; ``areas`` then says which area lies in which.
    ``first_side`` is the side to begin with, where phases come in pairs.
    The wish is rounded to 5 s; outside the reachable range the nearest reachable total is planned.
    A short plan leaves out what the file names, as little of it as the wish allows.
    Where phases are left out, the session's own least no longer holds, only that of each phase.
    Raises UnreachableError when the rules cannot be kept at all.
    """
    if protocol.session is None or not protocol.phases:
        raise UnreachableError("the protocol has no phases to run")
    wanted = tuple(
        (item, step_id)
        for item, step_id in unroll(protocol, first_side)
        if not (isinstance(item, Phase) and item.optional and item.id not in chosen)
    )
    line, made = changed(wanted, changes, areas) if changes else (wanted, ())
    choices = fittings(protocol, line)
    asked = round(seconds / GRID_SECONDS)
    whole = len(line) == len(wanted)
    wish = asked if whole else share_of(protocol, wanted, line, asked)
    least = protocol.session.min if whole else 0
    lowest = max(min(choice.low for choice in choices), -(-least // GRID_SECONDS))
    wish = lowest if changes.shortest else max(wish, lowest)
    choice = min(choices, key=lambda choice: choice.miss(wish))
    total = min(max(wish, choice.low), choice.high)
    most = protocol.session.max
    if changes.shortest:
        most = total * GRID_SECONDS
    elif not whole:
        longest = share_of(protocol, wanted, line, most // GRID_SECONDS)
        most = max(total, longest) * GRID_SECONDS
    rung = choice.rungs[total - choice.low]
    steps = [
        *(step_of(step, "prepare") for step in kept(protocol.prepare, chosen)),
        *planned_line(protocol, choice.line, rung),
        *(step_of(step, "aftercare") for step in kept(protocol.aftercare, chosen)),
    ]
    return Plan(
        protocol=protocol.id,
        title=protocol.title,
        asked_seconds=asked * GRID_SECONDS,
        hands_on_seconds=sum(step.seconds for step in steps if step.hands_on),
        session_min_seconds=min(protocol.session.min, total * GRID_SECONDS),
        session_max_seconds=most,
        rules=protocol.rules,
        steps=tuple(steps),
        stop=protocol.stop,
        chosen=tuple(sorted(chosen)),
        changes=(
            *made,
            *(PlanChange(what="The shortest plan", why=why) for why in changes.shortest),
            *(
                PlanChange(what="Glucose is measured straight after", why=w)
                for w in changes.glucose
            ),
        ),
        diabetes=protocol.condition == "diabetes-mellitus" or bool(changes.glucose),
        left_out=choice.left_out,
        first_side=first_side,
        light=bool(changes.light),
        leave_out=still_to_leave_out(protocol, choice.line),
    )


PhaseLine = tuple[tuple[Phase | Change, str], ...]


def share_of(protocol: Protocol, wanted: PhaseLine, line: PhaseLine, asked: int) -> int:
    """What of a wish is left for ``line``, in grid steps: left-out phases take their share along.

    Never more than what is usual for the phases that stay.
    """
    assert protocol.session is not None
    choices = fittings(protocol, wanted, checks_ends=False)
    least = -(-protocol.session.min // GRID_SECONDS)
    wish = max(asked, least, min(choice.low for choice in choices))
    choice = min(choices, key=lambda choice: choice.miss(wish))
    rung = choice.rungs[min(max(wish, choice.low), choice.high) - choice.low]
    planned = [step_id for item, step_id in choice.line if isinstance(item, Phase)]
    stays = {step_id for _, step_id in line}
    usual = sum(part_of(item).usual for item, _ in line if isinstance(item, Phase))
    given = sum(steps for step_id, steps in zip(planned, rung, strict=True) if step_id in stays)
    return min(given, usual)


@dataclass(frozen=True, slots=True)
class Fitting:
    """A line of phases with its ladder; ``left_out`` are the titles that it lacks, being short."""

    line: PhaseLine
    rungs: tuple[Rung, ...]
    left_out: tuple[str, ...]

    @property
    def low(self) -> int:
        return sum(self.rungs[0])

    @property
    def high(self) -> int:
        return sum(self.rungs[-1])

    def miss(self, total: int) -> int:
        """How far its nearest total is from ``total``, in grid steps."""
        return max(self.low - total, total - self.high, 0)


def fittings(
    protocol: Protocol, line: PhaseLine, *, checks_ends: bool = True
) -> tuple[Fitting, ...]:
    """The line with its ladder, first whole, then with one entry of ``leave_out`` less each time.

    Raises UnreachableError where none of them can keep the rules; of those for the first and the
    last technique only with ``checks_ends``.
    """
    found: list[Fitting] = []
    refused: UnreachableError | None = None
    gone: set[str] = set()
    for entry in ((), *protocol.leave_out):
        gone.update(entry)
        rest = without(line, gone)
        if entry and found and len(rest) == len(found[-1].line):
            continue
        try:
            if checks_ends:
                check_ends(rest, protocol.rules)
            found.append(Fitting(rest, rungs_of(protocol, rest), titles_of(line, gone)))
        except UnreachableError as error:
            refused = refused or error
    if refused and not found:
        raise refused
    return tuple(found)


def still_to_leave_out(protocol: Protocol, line: PhaseLine) -> tuple[tuple[str, ...], ...]:
    """The ids of what ``line`` can do without, entry by entry.

    No phase that waits, and none without which a change of side or a rule for the ends would go.
    """
    found: list[tuple[str, ...]] = []
    gone: set[str] = set()
    for entry in protocol.leave_out:
        phases = [(item, i) for item, i in line if isinstance(item, Phase) and item.id in entry]
        rest = without(line, gone.union(entry))
        if (
            not phases
            or any(item.wait for item, _ in phases)
            or sides_changed(rest) < sides_changed(line)
        ):
            continue
        try:
            check_ends(rest, protocol.rules)
        except UnreachableError:
            continue
        gone.update(entry)
        found.append(tuple(step_id for _, step_id in phases))
    return tuple(found)


def sides_changed(line: PhaseLine) -> int:
    return sum(isinstance(item, Change) for item, _ in line)


def without(line: PhaseLine, gone: set[str]) -> PhaseLine:
    if not gone:
        return line
    stays = [(item, i) for item, i in line if not (isinstance(item, Phase) and item.id in gone)]
    return without_idle_changes(stays)


def titles_of(line: PhaseLine, ids: set[str]) -> tuple[str, ...]:
    phases = (item for item, _ in line if isinstance(item, Phase))
    return tuple(dict.fromkeys(phase.title for phase in phases if phase.id in ids))


def rungs_of(protocol: Protocol, line: PhaseLine) -> tuple[Rung, ...]:
    """The ladder of a line; what caps count on the way between places is taken off them."""
    moving = {
        cap.tag: sum(move.seconds for _, _, move in moved(protocol, line) if cap.tag in move.tags)
        for cap in protocol.rules.cap
    }
    parts = tuple(part_of(item) for item, _ in line if isinstance(item, Phase))
    most = protocol.session.max if protocol.session else 0
    counted = tuple((tag, seconds * 1000) for tag, seconds in moving.items() if seconds)
    return ladder(parts, protocol.rules, most, Spent(by_tag=counted))


@dataclass(frozen=True, slots=True)
class Move:
    """The time to come to a phase from another place.

    ``tags`` are those of what stays on the body, which its cap counts meanwhile.
    """

    seconds: int = 0
    tags: tuple[str, ...] = ()


def moved(protocol: Protocol, line: PhaseLine) -> list[tuple[Phase | Change, str, Move]]:
    """Each item of the line, with the move that comes before it."""
    capped = {cap.tag for cap in protocol.rules.cap if cap.counts_while_paused}
    found: list[tuple[Phase | Change, str, Move]] = []
    before: Phase | None = None
    for item, step_id in line:
        move = Move()
        if isinstance(item, Phase) and before and place_of(item) != place_of(before):
            usual = protocol.move_seconds if protocol.format > 1 else 0
            on_body = tuple(t for t in item.tags if t in before.tags and t in capped)
            move = Move(usual if item.move_seconds is None else item.move_seconds, on_body)
        found.append((item, step_id, move))
        before = item if isinstance(item, Phase) else None
    return found


def place_of(phase: Phase) -> tuple[str, str | None, object]:
    return phase.area, phase.side, phase.point


def planned_line(protocol: Protocol, line: PhaseLine, rung: Rung) -> list[PlannedStep]:
    """The steps between preparation and aftercare, the time of each phase from ``rung``."""
    steps: list[PlannedStep] = []
    times = iter(rung)
    for item, step_id, move in moved(protocol, line):
        if isinstance(item, Change):
            steps.append(change_of(item, step_id))
            continue
        step = phase_of(item, step_id, next(times) * GRID_SECONDS)
        if move.seconds:
            steps.append(move_to(step, move))
        steps.append(step)
    return steps


def changed(
    line: PhaseLine, changes: Changes, areas: Mapping[str, Area]
) -> tuple[PhaseLine, tuple[PlanChange, ...]]:
    """The line as the screening leaves it, and what was changed in words."""
    made: list[PlanChange] = []
    kept: list[tuple[Phase | Change, str]] = []
    for item, step_id in line:
        if isinstance(item, Change):
            kept.append((item, step_id))
            continue
        reasons = [rule.why for rule in changes.leave_out if is_left_out(item, rule, areas)]
        if reasons:
            side = f", {item.side}" if item.side in ("left", "right") else ""
            title = item.title.removesuffix(side)
            made.append(PlanChange(what=f"Left out: {title}{side}", why=reasons[0]))
        else:
            kept.append((lightened(keeping_off(item, changes, areas), changes), step_id))
    made += [PlanChange(what="Light pressure only", why=why) for why in changes.light]
    return without_idle_changes(kept), tuple(made)


def is_left_out(phase: Phase, rule: LeaveOut, areas: Mapping[str, Area]) -> bool:
    """True when the phase has the place, tag or technique; a place on no side is on both."""
    if rule.tag is not None and rule.tag in phase.tags:
        return True
    if rule.technique is not None and rule.technique == phase.technique:
        return True
    if rule.area is None:
        return False
    inside = phase.area == rule.area or rule.area in areas[phase.area].within
    reaches = rule.whole and phase.area in areas[rule.area].within
    return (inside or reaches) and not on_other_side(phase, rule)


def on_other_side(phase: Phase, rule: LeaveOut) -> bool:
    return rule.side is not None and phase.side in ("left", "right") and phase.side != rule.side


def keeping_off(phase: Phase, changes: Changes, areas: Mapping[str, Area]) -> Phase:
    """A phase that stays, with a line for every marked place that it could meet."""
    places = [
        f"the marked place: {rule.side + ' ' if rule.side else ''}{areas[rule.area].name.lower()}"
        for rule in changes.leave_out
        if rule.area and not on_other_side(phase, rule)
    ]
    return phase.model_copy(update={"avoid": (*phase.avoid, *dict.fromkeys(places))})


def lightened(phase: Phase, changes: Changes) -> Phase:
    """The phase at light pressure, in the file's own words for that where it has some."""
    if not changes.light:
        return phase
    said = phase.light or phase
    return phase.model_copy(
        update={
            "pressure": min(phase.pressure, LIGHT_PRESSURE),
            "instructions": said.instructions,
            "cues": said.cues,
        }
    )


def without_idle_changes(line: Sequence[tuple[Phase | Change, str]]) -> PhaseLine:
    """A change of side stays only between phases of two sides."""
    busy: list[tuple[Phase | Change, str]] = []
    before: Side | None = None
    for i, (item, step_id) in enumerate(line):
        if isinstance(item, Phase):
            before = item.side
        else:
            following = line[i + 1][0] if i + 1 < len(line) else None
            behind = following.side if isinstance(following, Phase) else None
            if {before, behind} != {"left", "right"} or not step_id.endswith(f"-{behind}"):
                continue
        busy.append((item, step_id))
    return tuple(busy)


def check_ends(line: PhaseLine, rules: Rules) -> None:
    """Raise UnreachableError when nothing is left, or not the first, last or main technique."""
    phases = [item for item, _ in line if isinstance(item, Phase)]
    if not phases:
        raise UnreachableError("nothing is left of the protocol")
    if rules.first and phases[0].technique != rules.first:
        raise UnreachableError(f"it would not begin with {rules.first}")
    if rules.last and phases[-1].technique != rules.last:
        raise UnreachableError(f"it would not end with {rules.last}")
    techniques = {phase.technique for phase in phases}
    if missing := [s.technique for s in rules.share if s.technique not in techniques]:
        raise UnreachableError(f"no {missing[0]} would be left")


def reach(
    protocol: Protocol,
    chosen: frozenset[str] = frozenset(),
    changes: Changes = NO_CHANGES,
    areas: Mapping[str, Area] = NO_AREAS,
) -> tuple[int, int]:
    """The shortest and the longest hands-on time that can be planned, in seconds."""
    shortest = fit(protocol, 0, chosen, changes, areas).hands_on_seconds
    return shortest, fit(protocol, 24 * 3600, chosen, changes, areas).hands_on_seconds


def kept(steps: Sequence[FileStep], chosen: frozenset[str]) -> list[FileStep]:
    """The steps that run: optional ones only when chosen."""
    return [step for step in steps if not step.optional or step.id in chosen]


def least_seconds(phase: Phase) -> int:
    return max(phase.seconds.min, OPTIONAL_FLOOR_SECONDS if phase.optional else 0)


def part_of(phase: Phase) -> Part:
    """The phase's bounds on the grid. Raises UnreachableError where no grid step fits."""
    least = least_seconds(phase)
    low, high = -(-least // GRID_SECONDS), phase.seconds.max // GRID_SECONDS
    if low > high:
        raise UnreachableError(
            f"phase {phase.id}: no multiple of {GRID_SECONDS} s lies between {least} and "
            f"{phase.seconds.max}"
        )
    usual = max(1, round((phase.seconds.usual or least) / GRID_SECONDS))
    return Part(phase.technique, phase.tags, low, high, usual)


@lru_cache(maxsize=256)
def ladder(
    parts: tuple[Part, ...],
    rules: Rules,
    most_seconds: int,
    spent: Spent = Spent(),
    *,
    strict: bool = True,
) -> tuple[Rung, ...]:
    """Every reachable allocation in grid steps, from the shortest total upwards, one step apart.

    With ``strict`` a share rule that cannot hold raises UnreachableError; without (a re-fit of a
    session in which phases were skipped) it only says which phases come first.
    """
    rung = [part.low for part in parts]
    if strict and (broken := broken_cap(parts, rung, rules.cap, spent)):
        raise UnreachableError(
            f"the phases tagged {broken.tag} need more than the cap of {broken.seconds} s "
            "even at their shortest"
        )
    odd = sum(part.odd_ms for part in parts) + spent.total_ms
    while behind := [share for share in rules.share if not holds(parts, rung, share, spent)]:
        if not strict and (sum(rung) + 1) * GRID_MS + odd > most_seconds * 1000:
            break
        wanted = [
            i
            for i in room(parts, rung, rules.cap, spent)
            if parts[i].technique == behind[0].technique
        ]
        if not wanted:
            if strict:
                raise UnreachableError(
                    f"{behind[0].technique} can never have more than "
                    f"{behind[0].more_than} of the time"
                )
            break
        rung[most_behind(parts, rung, wanted)] += 1
    if strict and sum(rung) * GRID_SECONDS > most_seconds:
        raise UnreachableError(
            f"the shortest plan takes {sum(rung) * GRID_SECONDS} s, "
            f"more than session.max {most_seconds}"
        )
    rungs = [tuple(rung)]
    while (sum(rung) + 1) * GRID_MS + odd <= most_seconds * 1000:
        candidates = room(parts, rung, rules.cap, spent)
        allowed = keeping_shares(parts, rung, candidates, rules.share, spent)
        if not strict:
            allowed = allowed or candidates
        if not allowed:
            break
        rung[most_behind(parts, rung, allowed)] += 1
        rungs.append(tuple(rung))
    return tuple(rungs)


def room(
    parts: Sequence[Part], rung: Sequence[int], caps: Sequence[Cap], spent: Spent
) -> list[int]:
    """The phases that may get one grid step more without passing their maximum or a cap."""
    full = {
        cap.tag
        for cap in caps
        if tagged_ms(parts, rung, cap.tag, spent) + GRID_MS > cap.seconds * 1000
    }
    return [
        i
        for i, part in enumerate(parts)
        if rung[i] < part.high and not full.intersection(part.tags)
    ]


def most_behind(parts: Sequence[Part], rung: Sequence[int], among: Sequence[int]) -> int:
    """The phase whose next half grid step is the smallest fraction of its usual time."""

    def lag(i: int) -> float:
        had = parts[i].spent_ms + parts[i].odd_ms + rung[i] * GRID_MS
        return (2 * had + GRID_MS) / parts[i].usual

    return min(among, key=lambda i: (lag(i), i))


def holds(parts: Sequence[Part], rung: Sequence[int], share: Share, spent: Spent) -> bool:
    """True when the technique has more than its fraction of the whole hands-on time."""
    return is_more(*share_ms(parts, rung, share, spent), share)


def is_more(own: int, total: int, share: Share) -> bool:
    fraction = fraction_of(share)
    return own * fraction.denominator > fraction.numerator * total


def share_ms(
    parts: Sequence[Part], rung: Sequence[int], share: Share, spent: Spent
) -> tuple[int, int]:
    """The time of the technique, and all hands-on time."""
    total = spent.total_ms
    own = dict(spent.by_technique).get(share.technique, 0)
    for part, steps in zip(parts, rung, strict=True):
        time_ms = steps * GRID_MS + part.odd_ms
        total += time_ms
        own += time_ms if part.technique == share.technique else 0
    return own, total


@lru_cache(maxsize=64)
def fraction_of(share: Share) -> Fraction:
    """The rule's fraction as written: 0.6 means three fifths, not the nearest binary number."""
    return Fraction(str(share.more_than))


def keeping_shares(
    parts: Sequence[Part],
    rung: Sequence[int],
    among: Sequence[int],
    shares: Sequence[Share],
    spent: Spent,
) -> list[int]:
    """The phases ``among`` these that may get one grid step more with every share rule standing."""
    found = list(among)
    for share in shares:
        own, total = share_ms(parts, rung, share, spent)
        others = is_more(own, total + GRID_MS, share)
        itself = is_more(own + GRID_MS, total + GRID_MS, share)
        found = [i for i in found if (itself if parts[i].technique == share.technique else others)]
    return found


def tagged_ms(parts: Sequence[Part], rung: Sequence[int], tag: str, spent: Spent) -> int:
    """Used and planned time of all phases with ``tag``."""
    planned = sum(
        steps * GRID_MS + part.odd_ms
        for part, steps in zip(parts, rung, strict=True)
        if tag in part.tags
    )
    return planned + dict(spent.by_tag).get(tag, 0)


def broken_cap(
    parts: Sequence[Part], rung: Sequence[int], caps: Sequence[Cap], spent: Spent
) -> Cap | None:
    """The first cap that this rung passes."""
    return next(
        (cap for cap in caps if tagged_ms(parts, rung, cap.tag, spent) > cap.seconds * 1000), None
    )


def check_reachable(protocol: Protocol) -> None:
    """Raise UnreachableError unless every total from session.min to session.max can be planned."""
    if protocol.session is None:
        return
    shortest, longest = reach(protocol)
    session = protocol.session
    if shortest > session.min + GRID_SECONDS - 1:
        raise UnreachableError(
            f"session.min is {session.min} s, "
            f"but the shortest plan that keeps the rules takes {shortest} s"
        )
    if longest < session.max - GRID_SECONDS + 1:
        raise UnreachableError(
            f"session.max is {session.max} s, "
            f"but the longest plan that keeps the rules takes {longest} s"
        )
    for fuller, shorter in pairwise(fittings(protocol, usual_line(protocol))):
        if shorter.high + 1 < fuller.low:
            raise UnreachableError(
                f"no plan takes {(shorter.high + 1) * GRID_SECONDS} s: "
                "what is left out then leaves too little"
            )


def usual_line(protocol: Protocol) -> PhaseLine:
    """What is done unless something is chosen: everything that is not optional."""
    return tuple(
        (item, i) for item, i in unroll(protocol) if not (isinstance(item, Phase) and item.optional)
    )


def usual_seconds(duration: Duration | None) -> int:
    return duration.usual if duration else 0


def step_of(step: FileStep, kind: StepKind) -> PlannedStep:
    """A preparation or aftercare step as planned: its usual time; none means wait."""
    seconds = usual_seconds(step.seconds)
    return PlannedStep(
        id=step.id,
        kind=kind,
        title=step.title,
        text=step.text,
        seconds=seconds,
        wait=step.wait or not seconds,
        optional=step.optional,
        breathing=step.breathing,
        min_seconds=step.seconds.min if step.seconds else 0,
        max_seconds=step.seconds.max if step.seconds else 0,
        origin=step.origin,
    )


def change_of(change: Change, step_id: str) -> PlannedStep:
    """The step between two sides: it always waits until told."""
    return PlannedStep(
        id=step_id,
        kind="change",
        title="Change sides",
        text=change.text,
        seconds=usual_seconds(change.seconds),
        wait=True,
        max_seconds=change.seconds.max if change.seconds else 0,
        origin="inferred",
    )


def move_to(step: PlannedStep, move: Move) -> PlannedStep:
    """The time before ``step`` in which hands move there: it shows what the phase will."""
    return step.model_copy(
        update={
            "id": f"to-{step.id}",
            "kind": "change",
            "seconds": move.seconds,
            "min_seconds": 0,
            "max_seconds": move.seconds,
            "tags": move.tags,
            "wait": False,
            "optional": False,
            "cues": (),
            "breathing": None,
            "tempo": None,
        }
    )


def phase_of(phase: Phase, step_id: str, seconds: int) -> PlannedStep:
    """A phase with the time that the fit gave it."""
    return PlannedStep(
        id=step_id,
        kind="phase",
        title=phase.title,
        seconds=seconds,
        wait=phase.wait,
        optional=phase.optional,
        technique=phase.technique,
        area=phase.area,
        side=phase.side,
        direction=phase.direction,
        arrow=phase.arrow,
        pressure=phase.pressure,
        tempo=phase.tempo,
        breathing=phase.breathing,
        min_seconds=least_seconds(phase),
        max_seconds=phase.seconds.max,
        instructions=phase.instructions,
        cues=phase.cues,
        avoid=phase.avoid,
        tags=phase.tags,
        hands=phase.hands,
        from_landmark=phase.from_,
        to_landmark=phase.to,
        point=phase.point,
        not_here=phase.not_here,
        go_lightly=phase.go_lightly,
        passes=phase.passes,
        in_turn=phase.in_turn,
        origin=phase.origin,
    )


def with_names(
    plan: Plan,
    techniques: dict[str, Technique],
    areas: dict[str, Area],
    red_flags: Sequence[RedFlag] = (),
    keep_away: Mapping[str, KeepAway] = NO_KEEP_AWAY,
) -> Plan:
    """The plan with its own copy of every name and sign it shows, so that it can be frozen."""
    return plan.model_copy(
        update={
            "red_flags": tuple(red_flags),
            "techniques": {s.technique: techniques[s.technique] for s in plan.steps if s.technique},
            "areas": {s.area: areas[s.area] for s in plan.steps if s.area},
            "keep_away": {name: keep_away[name] for s in plan.steps for name in s.not_here},
        }
    )


__all__ = [
    "GRID_SECONDS",
    "Plan",
    "PlannedStep",
    "SideGroup",
    "UnreachableError",
    "check_reachable",
    "fit",
    "ladder",
    "reach",
    "unroll",
    "with_names",
]
