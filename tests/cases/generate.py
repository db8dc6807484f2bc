"""Writes ``session.json``: chosen and random inputs with what the rules in Python make of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.cases import plans
from tests.cases.course import FILE, Json, as_text, names, outcome
from tests.cases.courses import random_course, random_refit
from tests.cases.inputs import Case, thought_up
from webapp.domain.payload import plan_payload
from webapp.domain.plan import Plan

SEED = 20_261_112
BUILT_COURSES, RANDOM_PLANS, COURSES_EACH, SHIPPED_COURSES = 7, 20, 4, 1
# Of 2500 drawn re-fits, those that came out otherwise with some rule broken on purpose.
TELLING = (
    *(6, 9, 16, 41, 64, 69, 97, 102, 138, 148, 265, 274, 293, 306, 307, 502, 509, 534),
    *(645, 708, 801, 1158, 1568, 1774, 1821, 2495),
)


def by_chance(rng: random.Random, some: dict[str, Plan], each: int) -> Iterator[tuple[str, Case]]:
    for name, plan in some.items():
        for number in range(1, each + 1):
            yield name, (f"course {number}", *random_course(rng, plan))


def telling_refit(seed: int) -> tuple[Plan, Case]:
    rng = random.Random(seed)
    plan = plans.random_plan(rng)
    return plan, ("a telling new end", *random_refit(rng, plan))


def table_of_cases() -> Json:
    rng = random.Random(SEED)
    drawn = {f"drawn-{number}": plans.random_plan(rng) for number in range(1, RANDOM_PLANS + 1)}
    built, shipped = plans.built(), plans.shipped()
    telling = {f"refit-{seed}": telling_refit(seed) for seed in TELLING}
    every = {**built, **drawn, **shipped, **{name: plan for name, (plan, _) in telling.items()}}
    cases = [
        *thought_up(rng),
        *by_chance(rng, built, BUILT_COURSES),
        *by_chance(rng, drawn, COURSES_EACH),
        *by_chance(rng, shipped, SHIPPED_COURSES),
        *((name, case) for name, (_, case) in telling.items()),
    ]
    places = {name: number for number, name in enumerate(every)}
    return {
        "names": names(built["simple"]),
        "plans": [{"name": name, **plan_payload(plan)} for name, plan in every.items()],
        "cases": [
            {
                "name": f"{name}: {case}",
                "plan": places[name],
                "acts": acts,
                "now": now,
                **outcome(every[name], acts, now),
            }
            for name, (case, acts, now) in cases
        ],
    }


if __name__ == "__main__":
    found = table_of_cases()
    FILE.write_text(as_text(found), encoding="utf-8")
    print(f"{len(found['cases'])} cases on {len(found['plans'])} plans in {FILE.name}")
