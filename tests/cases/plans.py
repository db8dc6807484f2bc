"""The plans of the cases: built ones, each with something of its own, and all that are shipped."""

from __future__ import annotations

import random
from typing import Any

from tests.support.builders import (
    SHIPPED,
    numbered,
    phase,
    protocol,
    rules,
    shipped_protocol,
    sides,
    step,
    usual_plan,
)
from webapp.domain.plan import Plan, UnreachableError, fit
from webapp.domain.protocol import Phase

TECHNIQUES = ("stroking", "kneading", "rubbing")
SHARES: tuple[dict[str, float], ...] = ({}, {"kneading": 0.55}, {"kneading": 0.123, "rubbing": 0.2})
ROOMY = (60, 120, 600)


def simple(**more: Any) -> Plan:
    """``ready-1`` (waits), three phases of 60 s, ``rest`` (120 s)."""
    return usual_plan(
        protocol(*numbered(3), prepare=[step("ready-1")], aftercare=[step("rest", 120)], **more)
    )


def cups(cap: int = 200) -> Plan:
    """``oil`` 60, ``right`` 90 and ``left`` 90 (cups, together at most ``cap``), ``close`` 60."""
    return usual_plan(
        protocol(
            phase("oil"),
            phase("right", (60, 90, 180), tags=["cups"]),
            phase("left", (60, 90, 180), tags=["cups"]),
            phase("close"),
            session=(180, 300, 600),
            rules=rules(cap={"cups": cap}, counting=["cups"]),
            aftercare=[step("rest", 120)],
        )
    )


def cups_last() -> Plan:
    """Cups in the last step of all."""
    only = phase("cup", (20, 60, 120), tags=["cups"])
    return usual_plan(
        protocol(phase("oil"), only, rules=rules(cap={"cups": 90}, counting=["cups"]))
    )


def moves() -> Plan:
    """Cups on both sides, and 10 s to move between two places, which their cap counts."""
    return usual_plan(
        protocol(
            phase("oil"),
            phase("right", (60, 90, 180), side="right", tags=["cups"]),
            phase("left", (60, 90, 180), side="left", tags=["cups"]),
            phase("close"),
            session=(180, 300, 600),
            rules=rules(cap={"cups": 205}, counting=["cups"]),
            aftercare=[step("rest", 120)],
            format=2,
            move_seconds=10,
        )
    )


def two_caps() -> Plan:
    """A phase under two caps, of which one counts on in a pause; one that does not beside it."""
    return usual_plan(
        protocol(
            phase("press", (20, 60, 120), tags=["deep-work"]),
            phase("both-caps", (20, 60, 120), tags=["cups", "deep-work"]),
            phase("cup", (20, 60, 120), tags=["cups"], wait=True),
            phase("close", technique="kneading"),
            session=(60, 240, 400),
            rules=rules(cap={"deep-work": 150, "cups": 130}, counting=["cups"]),
        )
    )


def shares() -> Plan:
    """Kneading has more than 0.6 of the time, and rubbing more than a twentieth."""
    return usual_plan(
        protocol(
            phase("begin", (10, 30, 60)),
            phase("knead", (30, 120, 300), technique="kneading"),
            phase("rub", (5, 20, 60), technique="rubbing"),
            phase("knead-again", (30, 60, 200), technique="kneading"),
            phase("finish", (10, 30, 60)),
            session=(120, 260, 500),
            rules=rules(share={"kneading": 0.6, "rubbing": 0.05}),
            aftercare=[step("rest", 60), step("water")],
        )
    )


def odd_bounds() -> Plan:
    """Bounds that are no multiples of 5 s, and a phase of one fixed length."""
    return usual_plan(
        protocol(
            phase("fixed", (30, 30, 30)),
            phase("odd", (13, 33, 58)),
            phase("free", (22, 60, 91)),
            session=(70, 120, 175),
            prepare=[step("wash", 45), step("settle")],
        )
    )


def none_at_first() -> Plan:
    """A phase in the middle that this fit gives no time at all."""
    return fit(
        protocol(
            phase("first", (15, 20, 60)),
            phase("maybe", (0, 5, 60)),
            phase("last", (15, 90, 120)),
            session=(30, 120, 240),
        ),
        30,
    )


def sparing() -> Plan:
    """A re-fit may leave out ``rub``, then ``toes`` of both sides; 10 s between two places."""
    toes = [phase(f"toes-{side}", side=side, area="sole") for side in ("left", "right")]
    built = protocol(
        phase("begin"),
        phase("knead", (40, 60, 120), technique="kneading"),
        phase("rub", (20, 40, 60), area="sole"),
        *toes,
        phase("close", (20, 30, 60)),
        session=(60, 310, 600),
        aftercare=[step("rest", 120)],
        format=2,
        move_seconds=10,
        leave_out=(("rub",), ("toes-left", "toes-right")),
    )
    return usual_plan(built)


def built() -> dict[str, Plan]:
    """Plans by name."""
    waits = protocol(phase("hold", wait=True), phase("last"), prepare=[step("look", 30, wait=True)])
    two_rests = [step("rest", 60), step("drink"), step("walk", 30, wait=True)]
    diabetic = simple().model_copy(update={"diabetes": True})
    return {
        "simple": simple(),
        "diabetic": diabetic,
        "waits": usual_plan(waits),
        "sides": usual_plan(protocol(sides(phase("leg")))),
        "timed-sides": usual_plan(
            protocol(sides(phase("leg"), phase("foot"), change_seconds=20), session=(120, 240, 400))
        ),
        "roomy": usual_plan(protocol(*numbered(2), session=ROOMY)),
        "just-enough": usual_plan(protocol(*numbered(2), session=(60, 120, 150))),
        "just-not": usual_plan(protocol(*numbered(2), session=(60, 120, 149))),
        "long-rest": usual_plan(protocol(*numbered(1), aftercare=[step("rest", 7_180)])),
        "two-rests": usual_plan(protocol(*numbered(2), session=ROOMY, aftercare=two_rests)),
        "cups": cups(),
        "cups-tight": cups(209),
        "cups-wide": cups(270),
        "cups-last": cups_last(),
        "moves": moves(),
        "two-caps": two_caps(),
        "shares": shares(),
        "odd-bounds": odd_bounds(),
        "none-at-first": none_at_first(),
        "sparing": sparing(),
    }


def shipped() -> dict[str, Plan]:
    """Every shipped protocol at its usual time, and with all that is optional at another."""
    plans: dict[str, Plan] = {}
    for number, name in enumerate(SHIPPED):
        item = shipped_protocol(name)
        if item.session is None:
            continue
        plans[name] = fit(item, item.session.usual)
        seconds = (item.session.min, item.session.max)[number % 2]
        plans[f"{name}-other"] = fit(item, seconds, frozenset(item.optional_steps()))
    return plans


def random_plan(rng: random.Random) -> Plan:
    """A plan that nobody thought of: two to six phases with any bounds, tags, waits and rules."""
    while True:
        try:
            return random_fit(rng)
        except UnreachableError:
            continue


def random_fit(rng: random.Random) -> Plan:
    phases = [random_phase(rng, number) for number in range(1, rng.randint(2, 6))]
    least = sum(item.seconds.min for item in phases)
    most = sum(item.seconds.max for item in phases)
    session = (least, (least + most) // 2, most + rng.choice((0, 0, 60, 300)))
    item = protocol(
        *phases,
        *([sides(random_phase(rng, 9), change_seconds=rng.choice((0, 15)))] * rng.randint(0, 1)),
        session=session,
        rules=rules(
            share=rng.choice(SHARES),
            cap={tag: rng.randrange(60, 400) for tag in ("cups", "deep-work")},
            counting=["cups"] if rng.random() < 0.7 else [],
        ),
        prepare=[step("wash", rng.choice((0, 20)))] * rng.randint(0, 1),
        aftercare=[step("rest", rng.choice((0, 60)), wait=rng.random() < 0.3)] * rng.randint(0, 1),
    )
    fitted = fit(item, rng.randrange(least, most + 1))
    return fitted.model_copy(update={"diabetes": rng.random() < 0.3})


def random_phase(rng: random.Random, number: int) -> Phase:
    usual = rng.randrange(15, 120)
    seconds = (rng.randrange(5, usual + 1), usual, usual + rng.randrange(5, 90))
    tags = [tag for tag in ("cups", "deep-work") if rng.random() < 0.35]
    technique = rng.choice(TECHNIQUES)
    wait = rng.random() < 0.2
    return phase(f"p{number}", seconds, technique=technique, tags=tags, wait=wait)
