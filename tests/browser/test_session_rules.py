"""The rules of a session as script has them, held in Chromium to what Python makes of the same."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch
from tests.cases import plans
from tests.cases.course import FILE, compact, names, outcome
from tests.cases.courses import random_course, random_refit
from webapp.assets.files import read_assets
from webapp.domain.payload import plan_payload

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(__file__).with_name("run_cases.js").read_text(encoding="utf-8")
FRESH_PLANS, FRESH_COURSES = 60, 300
SHOWN = 5

Run = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def run(visit: Callable[..., Page], watch: Watch) -> Run:
    """Runs a table in the page with the modules that the site serves.

    Only here the policy is off: it allows a script by its nonce, and so no import from outside.
    """
    page = visit("/", bypass_csp=True)
    base = read_assets(ROOT / "static").url("js/rules/session.js").rsplit("/", 1)[0]

    def in_page(table: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            page.evaluate(RUN, {"base": base, "text": compact(table)})
        )
        assert watch.errors == []
        return found

    return in_page


def differences(cases: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> list[str]:
    """The name of each case that came out otherwise, with what differs."""
    told = []
    for case, came in zip(cases, found, strict=True):
        parts = ["error"] if "error" in came else ["gives", "state", "view"]
        told += [
            f"{case['name']}: {part}\n"
            f"  python {compact(case.get(part))}\n  script {compact(came[part])}"
            for part in parts
            if compact(case.get(part)) != compact(came[part])
        ]
    return told


def test_script_comes_to_the_same_as_python_in_every_case_of_the_table(run: Run) -> None:
    table = json.loads(FILE.read_text(encoding="utf-8"))
    assert len(table["cases"]) >= 300
    found = run(table)
    differing = differences(table["cases"], found["outcomes"])
    assert not differing, f"{len(differing)} differ:\n" + "\n".join(differing[:SHOWN])
    said = {part: sorted(found["names"][part]) for part in ("state", "view")}
    assert said == {part: sorted(table["names"][part]) for part in ("state", "view")}


def test_script_comes_to_the_same_as_python_in_courses_that_nobody_chose(run: Run) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    table = fresh(random.Random(seed))
    differing = differences(table["cases"], run(table)["outcomes"])
    assert not differing, f"{len(differing)} differ, seed {seed}:\n" + "\n".join(differing[:SHOWN])


def fresh(rng: random.Random) -> dict[str, Any]:
    """Random courses over shipped, built and random plans, with what Python makes of them."""
    some = [*plans.shipped().values(), *plans.built().values()]
    some += [plans.random_plan(rng) for _ in range(FRESH_PLANS)]
    cases = []
    for number in range(FRESH_COURSES):
        place = number % len(some)
        draw = random_refit if number % 3 == 0 else random_course
        acts, now = draw(rng, some[place])
        case = {"name": f"course {number}: {acts}", "plan": place, "acts": acts, "now": now}
        cases.append(case | outcome(some[place], acts, now))
    table = {
        "names": names(some[0]),
        "plans": [plan_payload(plan) for plan in some],
        "cases": cases,
    }
    read: dict[str, Any] = json.loads(compact(table))
    return read
