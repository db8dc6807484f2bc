"""Figures for templates: body, hands and time bar, each drawn once and cached."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask
from jinja2 import TemplateNotFound
from markupsafe import Markup, escape

from webapp.domain.anatomy import Drawn as Picture
from webapp.domain.catalogue import Catalogue
from webapp.domain.pictures import BOTH_WAYS, Sides, Words, picture_of, words_of
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.session import State
from webapp.presentation import body
from webapp.presentation.filters import clock, hue, place, side_and_area
from webapp.presentation.hands import HANDS, hand_picture

MOST_KEPT = 500
BAR_WIDTH = 1000
BAR_GAP = 6
SEGMENT = 'class="segment '
LEFT_SEGMENT = 'class="segment segment-left '  # what it did not get is drawn hollow


@dataclass(frozen=True, slots=True)
class Segment:
    """A phase on the time bar: its place in ``plan.steps``, its width, and its drawing so far.

    ``opening`` ends where the width of the part that is done begins.
    """

    index: int
    ms: int
    width: float
    opening: str


@lru_cache(MOST_KEPT)
def segments(plan: Plan, planned: tuple[int, ...]) -> tuple[Segment, ...]:
    """Return every phase in proportion to its ``planned`` time in ms, side by side."""
    phases = [(i, step) for i, step in enumerate(plan.steps) if step.hands_on]
    total = max(1, sum(planned[i] for i, _ in phases))
    scale = (BAR_WIDTH - BAR_GAP * (len(phases) - 1)) / total
    drawn: list[Segment] = []
    x = 0.0
    for index, step in phases:
        width = planned[index] * scale
        title = escape(f"{step.title}, {clock(planned[index])}")
        place = f'x="{x:.0f}" y="0" height="20" rx="4"'
        opening = (
            f'<g class="segment hue-{hue(step, plan)}" data-step="{step.id}" data-index="{index}">'
            f"<title>{title}</title>"
            f'<rect class="segment-all" {place} width="{width:.0f}"/>'
            f'<rect class="segment-done" {place} width="'
        )
        drawn.append(Segment(index, planned[index], width, opening))
        x += width + BAR_GAP
    return tuple(drawn)


def bar(plan: Plan, state: State | None = None) -> Markup:
    """Return the time bar as SVG, filled as far as ``state`` has come."""
    planned = state.planned if state else tuple(step.seconds * 1000 for step in plan.steps)
    parts = segments(plan, planned)
    timed = [part.ms for part in parts if part.ms]
    label = f"{len(timed)} phases, {clock(sum(timed))} of hands-on time"
    text = [
        f'<svg class="bar" viewBox="0 0 {BAR_WIDTH} 20" preserveAspectRatio="none" '
        f'role="img" aria-label="{label}">'
    ]
    for part in parts:
        left = state is not None and part.index < state.index
        opening = part.opening.replace(SEGMENT, LEFT_SEGMENT, 1) if left else part.opening
        text.append(f'{opening}{part.width * filled(part, state):.4g}"/></g>')
    text.append("</svg>")
    return Markup("".join(text))


def filled(part: Segment, state: State | None) -> float:
    """How much of a phase is done, from 0 to 1."""
    return min(1, state.done[part.index] / part.ms) if state and part.ms else 0


BETWEEN = re.compile(r">\n\s*<")
LONG_PATH = re.compile(r'(?<= )d="([^"]{30,})"')


def shared_paths(text: str) -> Markup:
    """``text`` with every long path that it draws more than once put into one list behind it.

    Such a path has its place in the list as ``data-d``; render.js puts it back. Lines of a step
    end between blocks only, so that nothing is seen of their ends, which are left out.
    """
    text = BETWEEN.sub("><", text)
    counts = Counter(LONG_PATH.findall(text))
    places = {path: n for n, path in enumerate(p for p, many in counts.items() if many > 1)}

    def place(found: re.Match[str]) -> str:
        return f'data-d="{places[found[1]]}"' if found[1] in places else found[0]

    drawn = LONG_PATH.sub(place, text)
    return Markup(f'{drawn}<template id="paths" data-paths="{"|".join(places)}"></template>')


def install(app: Flask) -> None:
    """Offer what is drawn, by its name here, to templates."""

    @lru_cache(maxsize=512)
    def draw(
        picture: Picture,
        side: str,
        label: str,
        count: str,
        off: tuple[str, ...],
        seen: Sides,
        turned: bool,
        small: bool,
    ) -> Markup:
        if picture.view in catalogue().scenes:
            return Markup(body.scene(catalogue().scenes[picture.view], side, label, small=small))
        view = catalogue().views[picture.view]
        shape = view.shapes.get(picture.shape)
        point = view.points.get(picture.point)
        return Markup(
            body.figure(
                view,
                shape,
                picture.mark,
                side,
                label,
                avoid=off,
                point=point,
                count=count,
                seen=seen,
                turned=turned,
                small=small,
            )
        )

    def catalogue() -> Catalogue:
        found: Catalogue = app.extensions["site"].library.catalogue
        return found

    def picture(step: PlannedStep, plan: Plan) -> Picture | None:
        seen = plan.seen_from or BOTH_WAYS
        return picture_of(catalogue(), plan.protocol, step.id, step, seen)

    def kept_off(picture: Picture, step: PlannedStep) -> tuple[str, ...]:
        """The keep-away items of the drawing, and those that the words name, as far as drawn."""
        view = catalogue().views.get(picture.view)
        if not view:
            return ()
        point, shape = view.points.get(picture.point), view.shapes.get(picture.shape)
        always = point.avoid if point else shape.avoid if shape else ()
        return tuple(
            dict.fromkeys((*always, *(item for item in step.not_here if item in view.avoid)))
        )

    def has_picture(step: PlannedStep, plan: Plan) -> bool:
        """Whether the figure is drawn, and shows what the words of this step say."""
        return picture(step, plan) is not None

    def place_words(step: PlannedStep, plan: Plan) -> Words | None:
        """What a step of hands shows that has no true picture; None for all others."""
        if not step.technique or has_picture(step, plan):
            return None
        return words_of(catalogue(), plan.protocol, step.id, step, plan.areas[step.area or ""])

    def main_step(plan: Plan) -> tuple[PlannedStep, bool]:
        """The longest phase that has a picture, or the longest, and whether it has one."""
        phases = [step for step in plan.steps if step.hands_on]
        main = max(phases, key=lambda step: (has_picture(step, plan), step.seconds))
        return main, has_picture(main, plan)

    def count_of(step: PlannedStep, plan: Plan) -> str:
        """``2 of 4`` for a point that was chosen."""
        chosen = [s.id for s in plan.steps if s.hands_on and (p := picture(s, plan)) and p.chosen]
        here = step.id.removeprefix("to-")
        return f"{chosen.index(here) + 1} of {len(chosen)}" if here in chosen else ""

    def figure_of(step: PlannedStep, plan: Plan, small: bool = False) -> Markup:
        """The body figure; nothing for a step without a true picture."""
        found = picture(step, plan)
        if not found:
            return Markup("")
        count = count_of(step, plan)
        label = label_of(step, plan, found, count)
        off = kept_off(found, step)
        sides, turned = plan.seen_from or BOTH_WAYS, not small and is_turned(step, plan, found)
        return draw(found, step.side or "both", label, count, off, sides, turned, small)

    def label_of(step: PlannedStep, plan: Plan, found: Picture, count: str) -> str:
        """Place, side and way in words; a point by its name, a stretch by its hold."""
        if scene := catalogue().scenes.get(found.view):
            return f"{place(step, plan)}; {scene.note}"
        view = catalogue().views[found.view]
        point = view.points.get(found.point)
        what = f", {point.name}" if point and point.name else f", point {count}" if count else ""
        return f"{place(step, plan)}{what}; {view.seen}"

    def is_turned(step: PlannedStep, plan: Plan, found: Picture) -> bool:
        """Whether the picture before showed the body from another side."""
        views, before = catalogue().views, None
        for other in plan.steps:
            if other.id == step.id or f"to-{step.id}" == other.id:
                break
            before = picture(other, plan) or before
        earlier = views.get(before.view) if before else None
        now = views.get(found.view)
        return bool(earlier and now and earlier.pose != now.pose)

    def hand_name(step: PlannedStep, plan: Plan) -> str:
        """All that a picture of hands depends on; empty for a step without one."""
        found = picture(step, plan)
        if not found or not step.technique:
            return ""
        if not found.hand or found.view in catalogue().scenes:
            return step.technique if not found.hand else ""
        own = "own" if found.own else ""
        off = kept_off(found, step)
        parts = (step.technique, *found[:4], step.side or "both", found.hand, own, *off)
        return " ".join(part for part in parts if part)

    @lru_cache(maxsize=128)
    def first_with_hand(plan: Plan) -> dict[str, PlannedStep]:
        """The first step with each hand, by the name of the hand."""
        return {name: s for s in reversed(plan.steps) if (name := hand_name(s, plan))}

    def hand_key(step: PlannedStep, plan: Plan) -> str:
        """The number of the hand of a step on its page; empty for a step without one."""
        name = hand_name(step, plan)
        return str([*first_with_hand(plan)].index(name)) if name else ""

    def hands_of(plan: Plan) -> dict[str, Markup]:
        """Each hand that is shown in some step of ``plan``, by its key."""
        steps = first_with_hand(plan).values()
        return {str(i): hand_of(step, plan) for i, step in enumerate(steps)}

    def hand_of(step: PlannedStep, plan: Plan) -> Markup:
        """The hand of a step on its body part; nothing where a scene shows it already."""
        found = picture(step, plan)
        if not found or not step.technique:
            return Markup("")
        if not found.hand:
            return hand_of_technique(step.technique)
        if found.view in catalogue().scenes:
            return Markup("")
        label = f"{HANDS[found.hand].says}: {side_and_area(step, plan)}"
        off = kept_off(found, step)
        return draw_hand(found, step.side or "both", step.technique, label, off)

    @lru_cache(maxsize=512)
    def draw_hand(
        picture: Picture, side: str, technique: str, label: str, off: tuple[str, ...]
    ) -> Markup:
        view = catalogue().views[picture.view]
        shape, point = view.shapes.get(picture.shape), view.points.get(picture.point)
        return Markup(
            hand_picture(
                view,
                shape,
                picture.mark,
                point,
                side,
                picture.hand,
                technique,
                label,
                off,
                own=picture.own,
                chosen=picture.chosen,
            )
        )

    @lru_cache(maxsize=128)
    def hand_of_technique(technique: str) -> Markup:
        """What the hand does in a technique; nothing for one that nobody has drawn."""
        try:
            drawing = app.jinja_env.get_template(f"figures/hands/{technique}.html").module
        except TemplateNotFound:
            return Markup("")
        return Markup(
            f'<svg class="figure hand-picture move-{technique}" viewBox="0 0 240 180" role="img" '
            f'aria-label="{escape(drawing.says)}">{drawing.draw()}</svg>'  # type: ignore[attr-defined]
        )

    def wedge(left: float) -> Markup:
        drawing = app.jinja_env.get_template("figures/_wedge.html").module
        return Markup(drawing.wedge(left))  # type: ignore[attr-defined]

    app.jinja_env.globals["wedge"] = wedge
    app.jinja_env.globals["bar"] = bar
    app.jinja_env.globals["figure_of"] = figure_of
    app.jinja_env.globals["place_words"] = place_words
    app.jinja_env.globals["hands_of"] = hands_of
    app.jinja_env.globals["hand_of"] = hand_of
    app.jinja_env.globals["hand_key"] = hand_key
    app.jinja_env.globals["hand_of_technique"] = hand_of_technique
    app.jinja_env.filters["shared_paths"] = shared_paths
    app.jinja_env.globals["main_step"] = main_step
