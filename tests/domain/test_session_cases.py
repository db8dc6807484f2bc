"""The table of cases that Python and script share, held against Python."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

import pytest

from tests.cases.course import FILE, as_text, event_of, happen, names, outcome, outcome_of, plan_of
from webapp.domain.payload import events_payload, plan_payload
from webapp.domain.plan import Plan
from webapp.domain.session import (
    TRANSITIONS,
    Action,
    Event,
    RefusedError,
    Status,
    advance,
    fold,
    initial,
)

STALE = "the rules have changed: run `make cases`, and bring static/js/rules/ along"


@cache
def table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def plan_at(number: int) -> Plan:
    return plan_of(table()["plans"][number])


def as_case(value: Any) -> Any:
    """Lists instead of tuples, as a file has them."""
    return json.loads(json.dumps(value))


def comes_out(case: dict[str, Any]) -> bool:
    """True when the rules make of a case what the file says.

    Other rules may lead its acts to where they make no sense: then it fails like any other.
    """
    try:
        found = as_case(outcome(plan_at(case["plan"]), case["acts"], case["now"]))
    except (IndexError, ValueError, AssertionError):
        return False
    return bool(found == {part: case[part] for part in ("gives", "state", "view")})


def test_every_case_comes_out_as_the_file_says() -> None:
    stale = [case["name"] for case in table()["cases"] if not comes_out(case)]
    assert stale == [], STALE
    assert names(plan_at(0)) == table()["names"], STALE


def test_the_file_has_enough_cases_of_every_kind() -> None:
    cases = table()["cases"]
    assert len(cases) >= 300
    assert sum(": course " in case["name"] for case in cases) >= 250
    assert len({case["name"] for case in cases}) == len(cases)
    assert all(any(case["plan"] == n for case in cases) for n in range(len(table()["plans"])))
    assert FILE.read_text(encoding="utf-8") == as_text(table())
    assert FILE.stat().st_size < 2_000_000


def test_every_act_is_taken_and_refused_in_every_status_where_that_can_be() -> None:
    seen = set()
    for case in table()["cases"]:
        plan = plan_at(case["plan"])
        gives, states = happen(plan, case["acts"])
        before = [initial(plan), *states]
        for act, given, folded in zip(case["acts"], gives, before, strict=False):
            seen.add((advance(plan, folded, act[1]).status, act[0], isinstance(given, Event)))
    statuses, actions = get_args(Status), get_args(Action)
    for status in statuses:
        for action in actions:
            taken = action in TRANSITIONS[status]
            assert (status, action, taken) in seen, (status, action, taken)


@pytest.mark.slow
def test_the_same_acts_always_come_to_the_same_and_a_look_changes_nothing() -> None:
    for case in table()["cases"]:
        plan = plan_at(case["plan"])
        gives, states = happen(plan, case["acts"])
        events = [given for given in gives if isinstance(given, Event)]
        folded = fold(plan, events)
        assert folded == (states[-1] if states else initial(plan)), case["name"]
        assert looked_at(plan, case["acts"]) == gives, case["name"]
        halfway = advance(plan, folded, (folded.at + case["now"]) // 2)
        again = outcome_of(plan, gives, advance(plan, halfway, case["now"]), case["now"])
        assert again["state"] == outcome(plan, case["acts"], case["now"])["state"], case["name"]


def looked_at(plan: Plan, acts: list[Any]) -> list[Event | str]:
    """What the acts give, each decided on everything that happened before, looked at in between."""
    events: list[Event] = []
    gives: list[Event | str] = []
    for act in acts:
        folded = fold(plan, events)
        looked = advance(plan, folded, (folded.at + act[1]) // 2)
        try:
            events.append(event_of(plan, looked, len(events), act))
            gives.append(events[-1])
        except RefusedError as refusal:
            gives.append(str(refusal))
    return gives


@pytest.mark.parametrize("number", range(0, 80, 7))
def test_a_bare_plan_says_everything_that_the_rules_ask(number: int) -> None:
    plain = {key: value for key, value in table()["plans"][number].items() if key != "name"}
    assert plan_payload(plan_at(number)) == plain


def test_events_are_told_with_what_a_refit_led_to() -> None:
    events = (Event(1, "a", "start", 5), Event(2, "b", "end-at", 9, (("one", 5_000), ("two", 1))))
    said = [["start", 5], ["end-at", 9, [["one", 5_000], ["two", 1]]]]
    assert events_payload(events) == said
