"""JSON payload of a session page: the plan and events that script works with offline.

The names are those of the scripts in ``static/js``. All times are whole seconds unless said.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from webapp.domain.plan import Plan, PlannedStep, fraction_of
from webapp.domain.session import Event


def plan_payload(plan: Plan) -> dict[str, Any]:
    """The plan without everything that is only shown, ready for JSON::

        {"steps": [{"id", "kind", "title", "seconds", "wait",
                    "minSeconds", "maxSeconds", "technique", "tags"}, ...],
         "rules": {"share": [{"technique", "moreThan"}, ...],
                   "cap": [{"tag", "seconds", "countsWhilePaused"}, ...]},
         "leaveOut": [["toes-left", "toes-right"], ...],
         "sessionMaxSeconds": 1200, "diabetes": false}

    ``moreThan`` is an exact fraction as text, like ``"3/5"``.
    """
    return {
        "steps": [step_payload(step) for step in plan.steps],
        "rules": {
            "share": [
                {"technique": share.technique, "moreThan": str(fraction_of(share))}
                for share in plan.rules.share
            ],
            "cap": [
                {
                    "tag": cap.tag,
                    "seconds": cap.seconds,
                    "countsWhilePaused": cap.counts_while_paused,
                }
                for cap in plan.rules.cap
            ],
        },
        "leaveOut": [list(entry) for entry in plan.leave_out],
        "sessionMaxSeconds": plan.session_max_seconds,
        "diabetes": plan.diabetes,
    }


def step_payload(step: PlannedStep) -> dict[str, Any]:
    """Return a step as script receives it; times are seconds."""
    return {
        "id": step.id,
        "kind": step.kind,
        "title": step.title,
        "seconds": step.seconds,
        "wait": step.wait,
        "minSeconds": step.min_seconds,
        "maxSeconds": step.max_seconds,
        "technique": step.technique,
        "tags": list(step.tags),
    }


def events_payload(events: Iterable[Event]) -> list[list[Any]]:
    """Events in order, for JSON: ``[kind, at]``, a re-fit ``[kind, at, [[step id, ms], ...]]``.

    ``at`` is in milliseconds since the Unix epoch. An event's seq is its position, counted from 1.
    """
    return [
        [event.kind, event.at, *([[list(pair) for pair in event.left_ms]] if event.left_ms else [])]
        for event in events
    ]
