"""The parts of a step on the stage, rendered once for each plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup

from webapp.domain.plan import Plan

MOST_STEPS = 1_000
MOST_PLANS = 100

COUNT_NOTES = {
    "ready": "of hands-on time, ready when you are",
    "running": "",
    "waiting": "waiting for you: Next goes on",
    "paused": "paused",
}
COUNT_NOTES_LOOKING_ON = {
    **COUNT_NOTES,
    "ready": "of hands-on time, not started yet",
    "waiting": "waiting for whoever treats",
}


@dataclass(frozen=True, slots=True)
class StepParts:
    """What the stage shows of a step, as its templates name it."""

    figure: Markup
    words: Markup
    hand: Markup
    lines: Markup


def count_notes(acting: bool) -> dict[str, str]:
    """The line under the count for each status; who only looks on is not asked to act."""
    return COUNT_NOTES if acting else COUNT_NOTES_LOOKING_ON


def install(app: Flask) -> None:
    """Give templates ``step_parts(plan, index)``, ``kept_steps(plan)``, ``count_notes(acting)``."""

    @lru_cache(MOST_STEPS)
    def step_parts(plan: Plan, index: int) -> StepParts:
        drawing: Any = app.jinja_env.get_template("sessions/_step.html").module
        step = plan.steps[index]
        return StepParts(
            Markup(drawing.step_figure(step, plan)),
            Markup(drawing.step_words(step, plan)),
            Markup(drawing.step_hand(step, plan)),
            Markup(drawing.step_lines(step, plan)),
        )

    @lru_cache(MOST_PLANS)
    def kept_steps(plan: Plan) -> Markup:
        drawing: Any = app.jinja_env.get_template("sessions/_kept_steps.html").module
        return Markup(drawing.kept_steps(plan))

    app.jinja_env.globals |= {
        "step_parts": step_parts,
        "kept_steps": kept_steps,
        "count_notes": count_notes,
    }
