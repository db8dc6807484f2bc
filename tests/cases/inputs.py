"""Courses of acts with a reason: the table of acts, the edges of time, caps, ends and doubts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain, product

from tests.cases import plans
from tests.cases.course import Act, happen
from tests.cases.courses import ACTIONS, BEGIN, ON, START, in_status, walk, wishes
from webapp.domain.plan import Plan
from webapp.domain.session import EXTEND_MS, LONGEST_REST_MS, Action, State, advance, initial

REAL_TIME = 1_794_480_000_000  # instants as they are in the field: 12 November 2026
Case = tuple[str, list[Act], int]  # name, acts, the instant to look at


def one(action: Action, at: int, wish: int = 120_000) -> Act:
    return (action, at, wish) if action == "end-at" else (action, at)


def table(plan: Plan) -> Iterator[Case]:
    """Every act in every status."""
    for status, acts in in_status(plan).items():
        for action in ACTIONS:
            yield f"{action} in {status}", [*acts, one(action, 3_000)], 4_000


def edges(plan: Plan) -> Iterator[Case]:
    """The millisecond before, at and after the begin and the end of every step."""
    for step_id, acts, begins, ends in walk(plan):
        for name, edge in (("begin", begins), ("end", ends)):
            for off in (-1, 0, 1) if edge else ():
                yield f"{off:+} ms at the {name} of {step_id}", acts, (edge or 0) + off


def everywhere(plan: Plan, rng: random.Random, one_of: int) -> Iterator[Case]:
    """Acts at the edges and within every step, running and paused; one of so many, by chance."""
    for step_id, acts, begins, ends in walk(plan):
        spots = {"begin": begins, "within": begins + 2_345, "last ms": (ends or begins + 2) - 1}
        for spot, at in spots.items():
            befores: dict[str, list[Act]] = {
                "": [],
                "pause, ": [("pause", at)],
                "doubt, ": [("doubt", at)],
            }
            for (before, first), action in product(befores.items(), ACTIONS):
                if not rng.randrange(one_of):
                    last = one(action, at, rng.randrange(300_000))
                    name = f"{before}{action} at {spot} of {step_id}"
                    yield name, [*acts, *first, last], at + rng.randrange(9_000)


def refits(plan: Plan, rng: random.Random, one_of: int) -> Iterator[Case]:
    """New ends from before the start, and from the begin and the middle of every step."""
    starts: list[tuple[str, list[Act], int]] = [("ready", [], BEGIN)]
    for step_id, acts, begins, _ in walk(plan):
        starts.append((f"begin of {step_id}", acts, begins))
        starts.append((f"within {step_id}", acts, begins + 12_345))
    for name, acts, at in starts:
        for wish in wishes(plan, advance(plan, reached(plan, acts), at)):
            if not rng.randrange(one_of):
                yield f"end-at {wish} at {name}", [*acts, ("end-at", at, wish)], at + 1


def reached(plan: Plan, acts: list[Act]) -> State:
    return happen(plan, acts)[1][-1] if acts else initial(plan)


def refits_taken_back(plan: Plan) -> Iterator[Case]:
    """A new end and its undo, in every status and at the edges of the step."""
    for status, acts in in_status(plan).items():
        if status in ("ready", "running", "waiting", "paused"):
            fitted: list[Act] = [*acts, ("end-at", 2_500, 100_000)]
            yield f"a new end and its undo in {status}", [*fitted, ("undo", 3_000)], 4_000
            yield (
                f"a new end and undo twice in {status}",
                [*fitted, ("undo", 3_000), ("undo", 3_100)],
                4_000,
            )
            yield (
                f"two new ends and an undo in {status}",
                [*fitted, *fitted[-1:], ("undo", 3_000)],
                4_000,
            )
    short: list[Act] = [START, ON, ("end-at", 2_000, 90_000)]
    between: dict[str, list[Act]] = {
        "another act": [("extend", 2_500)],
        "a pause": [("pause", 2_500)],
        "lost time": [("doubt", 2_500)],
        "lost time that was confirmed": [("doubt", 2_500), ("settled", 2_600)],
    }
    for name, acts in between.items():
        yield f"undo after {name}", [*short, *acts, ("undo", 3_000)], 4_000
    for at in (30_999, 31_000, 60_999, 61_000, 70_000):
        yield f"undo at {at}", [*short, ("undo", at)], at + 5


def pauses_with_cups() -> Iterator[Case]:
    """A pause of every telling length in ``cups``, whose first cup goes on a minute in."""
    on = BEGIN + 60_000
    for ms in (0, 1, 20_000, 20_001, 50_000, 110_000, 110_001, 169_999, 170_000, 170_001, 900_000):
        paused: list[Act] = [START, ("pause", on + 30_000)]
        over = on + 30_000 + ms
        yield f"cups on for {ms} ms", paused, over
        yield f"resume after {ms} ms with cups on", [*paused, ("resume", over)], over
        off: list[Act] = [*paused, ("release", over), ("resume", over + 5_000)]
        yield f"cups off after {ms} ms", off[:-1], over + 5_000
        yield f"resume after cups came off after {ms} ms", off, over + 6_000
    for action in ("restart", "extend", "back", "next"):
        for at in (on - 1, on, on + 19_999, on + 20_000, on + 20_001, on + 80_000, on + 90_000):
            yield f"{action} at {at} with cups", [START, (action, at)], at
    late: list[Act] = [START, ("pause", on + 30_000), ("resume", on + 400_000)]
    for again in ("extend", "restart", "back"):
        acts: list[Act] = [*late, one(again, on + 400_010)]
        yield f"{again} when the cap is used up", acts, on + 400_020
    left_on: list[Act] = [START, ("pause", on + 100_000), ("next", on + 101_000)]
    yield "resume beyond the cups with cups on", [*left_on, ("resume", on + 102_000)], on + 103_000
    yield "pause again with cups on", [*left_on, ("doubt", on + 102_000)], on + 110_000


def limits() -> Iterator[tuple[str, Case]]:
    """The last millisecond at which more is possible, by the plan's name."""
    rest = BEGIN + 60_000
    for over in (-1, 0, 1):
        at = rest + 7_180_000 + EXTEND_MS - LONGEST_REST_MS - over
        yield "long-rest", (f"extend a rest, {over:+} ms", [START, ("extend", at)], at)
        again = BEGIN + 30_000 + over
        yield "just-enough", (f"restart, {over:+} ms", [START, ("restart", again)], again)
    for name in ("just-enough", "just-not", "roomy"):
        twice: list[Act] = [START, ("extend", BEGIN + 1), ("extend", BEGIN + 2)]
        yield name, ("extend twice", twice, BEGIN + 3)
        yield name, ("back at the end", [START, ("back", BEGIN + 60_000)], BEGIN + 60_001)


def ends_taken_back() -> Iterator[Case]:
    """An early end in ``two-rests``, with what may follow it."""
    ended: list[Act] = [START, ("end", 40_000)]
    follows: dict[str, list[Act]] = {
        "nothing": [],
        "back": [("back", 50_000)],
        "back twice": [("back", 50_000), ("back", 51_000)],
        "next and back": [("next", 50_000), ("back", 51_000)],
        "next, back and back": [("next", 50_000), ("back", 51_000), ("back", 52_000)],
        "a pause and back": [("pause", 50_000), ("back", 51_000)],
        "a doubt and back": [("doubt", 50_000), ("back", 51_000)],
        "back and end again": [("back", 50_000), ("end", 60_000)],
        "end": [("end", 50_000)],
        "stop": [("stop", 50_000)],
        "stop after the rest": [("stop", 140_000)],
        "a new end": [("end-at", 50_000, 60_000)],
    }
    for name, acts in follows.items():
        yield f"end, then {name}", [*ended, *acts], 60_500
    yield "end before any work", [START, ("end", BEGIN)], 2_000
    yield "end 1 ms into the work", [START, ("end", BEGIN + 1)], 2_000


def doubts() -> Iterator[Case]:
    """Time was lost, and what may follow, in ``cups``."""
    for at in (30_000, BEGIN + 60_000, 95_000):
        lost: list[Act] = [START, ("doubt", at)]
        follows: dict[str, list[Act]] = {
            "nothing": [],
            "another doubt": [("doubt", at + 5_000)],
            "settled at once": [("settled", at)],
            "settled later": [("settled", at + 40_000)],
            "settled before": [("settled", at - 10)],
            "two doubts, then settled": [("doubt", at + 5_000), ("settled", at + 9_000)],
            "release, then settled": [("release", at + 5_000), ("settled", at + 9_000)],
            "resume, then settled": [("resume", at + 5_000), ("settled", at + 9_000)],
            "pause, doubt, settled": [
                ("resume", at),
                ("pause", at),
                ("doubt", at),
                ("settled", at),
            ],
            "next, then settled": [("next", at + 5_000), ("settled", at + 9_000)],
            "end": [("end", at + 5_000)],
            "stop": [("stop", at + 5_000)],
            "low": [("low", at + 5_000)],
        }
        for name, acts in follows.items():
            yield f"doubt at {at}, then {name}", [*lost, *acts], at + 50_000


def through_the_last_cups() -> Iterator[Case]:
    """Pauses in ``cups-last``, whose last step has a cup on."""
    paused: list[Act] = [START, ("pause", 80_000)]
    for action in ("next", "end", "stop", "low", "back"):
        yield f"{action} out of a pause with cups on", [*paused, (action, 85_000)], 90_000


def in_the_field() -> Iterator[Case]:
    """Instants since the Unix epoch, and acts at one and the same millisecond or before it."""
    now = REAL_TIME
    yield (
        "a real instant",
        [("start", now), ("next", now + 1), ("pause", now + 9_001)],
        now + 10_000,
    )
    yield "one instant", [("start", now), ("next", now), ("next", now), ("back", now)], now
    yield "a look into the past", [("start", now), ("next", now + 5)], now - 60_000
    yield "an act in the past", [("start", now), ("next", now + 9), ("pause", now)], now + 20
    yield "long ago", [("start", now), ("next", now)], now + 10**10


def thought_up(rng: random.Random) -> Iterator[tuple[str, Case]]:
    """All inputs with a reason, by the name of their plan."""
    built = plans.built()
    for name in ("simple", "diabetic", "sides", "cups"):
        yield from ((name, case) for case in table(built[name]))
    for name in ("simple", "waits", "timed-sides", "two-rests"):
        yield from ((name, case) for case in edges(built[name]))
    for name, plan in built.items():
        yield from ((name, case) for case in everywhere(plan, rng, 60))
        yield from ((name, case) for case in refits(plan, rng, 9))
    yield from (("simple", case) for case in refits_taken_back(built["simple"]))
    yield from limits()
    single = {
        "cups": chain(pauses_with_cups(), doubts()),
        "cups-last": through_the_last_cups(),
        "two-rests": ends_taken_back(),
        "simple": in_the_field(),
    }
    for name, cases in single.items():
        yield from ((name, case) for case in cases)
