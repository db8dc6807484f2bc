"""Runs one case by the rules in ``webapp/domain``, through what the rest of the app calls too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from webapp.domain.commands import decide
from webapp.domain.payload import events_payload
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.protocol import Cap, Rules, Share
from webapp.domain.session import Action, Event, Kind, RefusedError, State, follow, initial
from webapp.domain.snapshot import Snapshot, snapshot, view

FILE = Path(__file__).parent / "session.json"
Act = tuple[Kind, int] | tuple[Kind, int, int | None]
Json = dict[str, Any]


def plan_of(bare: Json) -> Plan:
    """A plan that says no more than its bare form; the rest of it plays no part in the rules."""
    rules = bare["rules"]
    return Plan(
        protocol="case",
        title="Case",
        asked_seconds=0,
        hands_on_seconds=0,
        session_min_seconds=0,
        session_max_seconds=bare["sessionMaxSeconds"],
        rules=Rules(
            share=tuple(
                Share(technique=s["technique"], more_than=float(Fraction(s["moreThan"])))
                for s in rules["share"]
            ),
            cap=tuple(
                Cap(
                    tag=cap["tag"],
                    seconds=cap["seconds"],
                    counts_while_paused=cap["countsWhilePaused"],
                )
                for cap in rules["cap"]
            ),
        ),
        steps=tuple(step_of(step) for step in bare["steps"]),
        diabetes=bare["diabetes"],
        leave_out=tuple(map(tuple, bare["leaveOut"])),
    )


def step_of(bare: Json) -> PlannedStep:
    return PlannedStep(
        id=bare["id"],
        kind=bare["kind"],
        title=bare["title"],
        seconds=bare["seconds"],
        wait=bare["wait"],
        origin="inferred",
        technique=bare["technique"],
        min_seconds=bare["minSeconds"],
        max_seconds=bare["maxSeconds"],
        tags=tuple(bare["tags"]),
    )


def event_of(plan: Plan, folded: State, seq: int, act: Act) -> Event:
    """What ``act`` leads to. Raises RefusedError."""
    kind, at, *wish = act
    if kind in ("doubt", "settled"):
        return Event(seq + 1, f"key-{seq + 1}", kind, at)
    action: Action = kind  # type: ignore[assignment]
    return decide(plan, folded, seq, action, at, f"key-{seq + 1}", *wish)


def happen(plan: Plan, acts: Sequence[Act]) -> tuple[list[Event | str], list[State]]:
    """For each act the event or the words of the refusal, and the state right after it."""
    gives: list[Event | str] = []
    states = [initial(plan)]
    for act in acts:
        seq = sum(isinstance(given, Event) for given in gives)
        try:
            event = event_of(plan, states[-1], seq, act)
        except RefusedError as refusal:
            gives.append(str(refusal))
            states.append(states[-1])
        else:
            gives.append(event)
            states.append(follow(plan, states[-1], event))
    return gives, states[1:]


def outcome(plan: Plan, acts: Sequence[Act], now: int) -> Json:
    """What must come of ``acts``, as JSON."""
    gives, states = happen(plan, acts)
    folded = states[-1] if states else initial(plan)
    return outcome_of(plan, gives, folded, now)


def outcome_of(plan: Plan, gives: Sequence[Event | str], folded: State, now: int) -> Json:
    seen = view(plan, folded, sum(isinstance(given, Event) for given in gives), now)
    return {
        "gives": [
            given if isinstance(given, str) else events_payload([given])[0] for given in gives
        ],
        "state": state_json(seen.state),
        "view": list(view_json(seen).values()),
    }


def state_json(state: State | None) -> list[Any] | None:
    """The values of all fields, in their order; of the state before a re-fit what that changed."""
    if state is None:
        return None
    told = {field.name: getattr(state, field.name) for field in fields(State)}
    told["before_time_lost"] = state_json(state.before_time_lost)
    if before := state.before_fit:
        told["before_fit"] = [before.at, before.left, before.planned]
    return list(told.values())


def view_json(seen: Snapshot) -> Json:
    return {
        "actions": seen.actions,
        "rows": [[row.id, row.begins_in, row.ends_in, row.wait] for row in seen.rows],
        "stepId": seen.step_id,
        "live": seen.live,
        "remainingMs": seen.remaining_ms,
        "plannedMs": seen.planned_ms,
        "untilChangeMs": seen.until_change_ms,
        "handsOnOver": seen.hands_on_over,
        "handsOnDoneMs": seen.hands_on_done_ms,
        "handsOnEndsIn": seen.hands_on_ends_in,
        "waitsAhead": seen.waits_ahead,
        "upIn": seen.up_in,
        "waitsBeforeUp": seen.waits_before_up,
        "capSecondsLeft": seen.cap_seconds_left,
    }


def names(plan: Plan) -> Json:
    """What the values of ``state`` and ``view`` are called in script, in their order."""
    return {
        "state": [in_script(field.name) for field in fields(State)],
        "view": list(view_json(snapshot(plan, (), 0))),
    }


def in_script(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def as_text(table: Json) -> str:
    """JSON with one plan or case a line, so that a change shows where it is."""
    parts = (
        compact(part) + ":[\n" + ",\n".join(map(compact, items)) + "\n]"
        if isinstance(items, list)
        else f"{compact(part)}:{compact(items)}"
        for part, items in table.items()
    )
    return "{" + ",\n".join(parts) + "}\n"


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
