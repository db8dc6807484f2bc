"""The body as drawn: points in their places, lit parts, and the right as the mirrored left."""

from __future__ import annotations

import re

import pytest

from tests.support.builders import shipped
from webapp.domain.anatomy import XY
from webapp.presentation import body

VIEWS = shipped().catalogue.views
NEAR = 0.03

# View, part of the drawing and which of its numbers: the fraction it has to lie at.
POINTS = [
    ("leg-front", "st36", "s", 0.19, 0.65),
    ("leg-inner", "sp6", "s", 0.80, 0.42),
    ("leg-inner", "ki3", "s", 1.0, 0.64),
    ("foot-top", "lr3", "w", 0.55, 0.30),
    ("arm-back", "si3", "m", 0.38, 1.0),
    ("arm-back", "te5", "f", 0.83, 0.50),
    ("back", "back-t5", "y", 0.20, 0.20),
]
SHAPES = [(view, name) for view in VIEWS.values() for name in view.shapes]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("view_id", "point", "frame", "along", "across"), POINTS)
def test_a_point_is_drawn_in_its_place(
    view_id: str, point: str, frame: str, along: float, across: float, side: str
) -> None:
    view = VIEWS[view_id]
    svg = body.figure(view, None, "", side, "", point=view.points[point])
    drawn = re.search(r'class="figure-dot" cx="([\d.]+)" cy="([\d.]+)"', svg)
    assert drawn
    found = view.fraction(frame, XY(float(drawn[1]), float(drawn[2])))
    assert found == pytest.approx((along, across), abs=NEAR)
    around = svg[: drawn.start()]
    opened = around.rfind("<g")
    assert (body.MIRROR in around[opened : opened + 60]) == (side == "right")


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_a_side_always_lights_something(side: str) -> None:
    for view, name in SHAPES:
        svg = body.figure(view, view.shapes[name], "", side, "")
        patches = len(view.shapes[name].lit) + len(view.shapes[name].pale)
        assert svg.count("figure-lit") == patches * (2 if side == "both" else 1) > 0
        assert svg.count("figure-letter") == (2 if side == "both" or view.paired else 1)


def test_the_right_is_the_left_mirrored() -> None:
    view = VIEWS["leg-front"]
    shape = view.shapes["lower-leg"]
    left, right = (body.figure(view, shape, "up", side, "") for side in ("left", "right"))
    assert body.MIRROR not in left.partition("figure-far")[0]
    assert body.MIRROR in right.partition("figure-far")[0]
    assert ">L<" in left
    assert ">R<" in right
