"""Charts of a course as SVG. The only module that uses svg.py.

They carry classes and no style, so that the site's stylesheet colours them in every theme and the
policy stands; the page has the same figures as a table. The library writes text as it is given:
only numbers made here go into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import svg
from markupsafe import Markup

from webapp.domain.catalogue import Technique
from webapp.domain.record import SessionRecord

WIDTH, HEIGHT = 640, 250
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 14, 34
LEAST_PLACES = 6
GAP = 0.35
MOST_SCORE = 10
DOT = 6.5


def techniques_of(pasts: Sequence[SessionRecord]) -> dict[str, Technique]:
    """The techniques of these sessions in the order in which they were first used."""
    techniques: dict[str, Technique] = {}
    for past in pasts:
        for technique in past.by_technique():
            if technique in past.plan.techniques:
                techniques.setdefault(technique, past.plan.techniques[technique])
    return techniques


def x_of(number: int, count: int) -> float:
    """Where session ``number`` (from 1) of ``count`` stands."""
    step = (WIDTH - LEFT - RIGHT) / max(count, LEAST_PLACES)
    return round(LEFT + (number - 0.5) * step, 1)


def y_of(value: float, most: float) -> float:
    return round(HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM), 1)


def frame(count: int, ticks: Sequence[int], most: float) -> list[svg.Element]:
    """Lines across with their numbers, and the number of every session below."""
    drawn: list[svg.Element] = []
    for tick in ticks:
        y = y_of(tick, most)
        drawn.append(svg.Line(x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_=["chart-line"]))
        drawn.append(svg.Text(x=LEFT - 10, y=y + 5, text=str(tick), class_=["chart-side"]))
    every = 1 if count <= 20 else 5
    drawn += [
        svg.Text(x=x_of(n, count), y=HEIGHT - 10, text=str(n), class_=["chart-number"])
        for n in range(1, count + 1)
        if n % every == 0 or every == 1
    ]
    return drawn


def picture(elements: list[svg.Element]) -> Markup:
    drawn = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, WIDTH, HEIGHT),
        class_=["chart"],
        extra={"aria-hidden": "true"},
        elements=elements,
    )
    return Markup(drawn.as_str())


def scores_chart(pasts: Sequence[SessionRecord]) -> Markup | None:
    """Pain before (hollow) and after (full) each session; None without scores."""
    if not any(p.feedback.before is not None or p.feedback.after is not None for p in pasts):
        return None
    count = len(pasts)
    elements = frame(count, range(0, MOST_SCORE + 1, 2), MOST_SCORE)
    for name in ("before", "after"):
        points = [
            (x_of(n, count), y_of(score, MOST_SCORE))
            for n, past in enumerate(pasts, 1)
            if (score := getattr(past.feedback, name)) is not None
        ]
        elements += [
            svg.Line(x1=a[0], y1=a[1], x2=b[0], y2=b[1], class_=["chart-way", f"chart-{name}"])
            for a, b in pairwise(points)
        ]
        elements += [
            svg.Circle(cx=x, cy=y, r=DOT, class_=["chart-dot", f"chart-{name}"]) for x, y in points
        ]
    return picture(elements)


def minutes_chart(pasts: Sequence[SessionRecord]) -> Markup | None:
    """Hands-on minutes of each session, a piece for each technique; None without sessions."""
    longest = max((past.done_ms for past in pasts), default=0) / 60_000
    if not longest:
        return None
    step = next(s for s in (1, 2, 5, 10, 15, 30, 60) if longest / s <= 6)
    most = -(-longest // step) * step
    count = len(pasts)
    elements = frame(count, range(0, int(most) + 1, step), most)
    width = (WIDTH - LEFT - RIGHT) / max(count, LEAST_PLACES) * (1 - GAP)
    for n, past in enumerate(pasts, 1):
        below = 0.0
        for technique, ms in past.by_technique().items():
            above = below + ms / 60_000
            height = round(y_of(below, most) - y_of(above, most), 1)
            hue = (
                past.plan.techniques[technique].hue
                if technique in past.plan.techniques
                else "plain"
            )
            elements.append(
                svg.Rect(
                    x=round(x_of(n, count) - width / 2, 1),
                    y=y_of(above, most),
                    width=round(width, 1),
                    height=height,
                    class_=["chart-bar", f"hue-{hue}"],
                )
            )
            below = above
    return picture(elements)
