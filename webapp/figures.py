"""Body figures for templates, drawn once for every area, side and arrow."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask
from markupsafe import Markup

from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.protocol import Area
from webapp.filters import place


def main_step(plan: Plan) -> PlannedStep:
    """The longest phase: the picture that stands for the whole protocol."""
    phases = [step for step in plan.steps if step.hands_on]
    return max(phases, key=lambda step: step.seconds)


def install(app: Flask) -> None:
    """Offer ``figure_of(step, plan)`` and ``main_step(plan)`` to templates."""

    @lru_cache(maxsize=512)
    def draw(area: Area, side: str, arrow: str, label: str) -> Markup:
        drawing = app.jinja_env.get_template("figures/_figure.html").module
        return Markup(drawing.figure(area, side, arrow, label))  # type: ignore[attr-defined]

    def figure_of(step: PlannedStep, plan: Plan) -> Markup:
        if not step.area:
            return Markup("")
        return draw(plan.areas[step.area], step.side or "both", step.arrow or "", place(step, plan))

    app.jinja_env.globals["figure_of"] = figure_of
    app.jinja_env.globals["main_step"] = main_step
