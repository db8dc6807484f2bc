"""Overlap of what a picture lights with the places that its words forbid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import hypot, sqrt

from webapp.domain.anatomy import XY, Box, Oval, View, covers, edges, patch_of, ring_of

ROWS = 24  # heights at which two patches are compared
TOUCH = 1  # units; patches that only touch do not overlap
STEP = 4  # units between the places of a line


def lies_on(view: View, patches: Iterable[str], item: str) -> bool:
    """Whether a patch covers some of a keep-away item; never one that the view does not show."""
    found = tuple(patches)
    if (found, item) not in view.overlaps:
        view.overlaps[found, item] = (
            any(overlap(view, a, b) for a in found for b in view.off[item])
            if item in view.off
            else any(on_drawn(view, a, way) for a in found for way in view.avoid.get(item, ()))
        )
    return view.overlaps[found, item]


def on_drawn(view: View, patch: str, drawn: str) -> bool:
    """Whether a patch covers some of what is drawn of an item: an oval or a line."""
    if drawn.startswith("oval"):
        return overlap(view, patch, drawn)
    return any(covers(view, patch, place) for place in along(view.way(drawn)))


def along(places: list[XY]) -> Iterator[XY]:
    """Places every few units along a broken line."""
    for a, b in pairwise(places):
        many = max(2, int(hypot(b.x - a.x, b.y - a.y) / STEP))
        for i in range(many + 1):
            yield XY(a.x + (b.x - a.x) * i / many, a.y + (b.y - a.y) * i / many)


def overlap(view: View, one: str, other: str) -> bool:
    """Whether two patches of the client's left side have more in common than an edge."""
    a, b = patch_of(one), patch_of(other)
    (a_low, a_high), (b_low, b_high) = heights(view, a), heights(view, b)
    low, high = max(a_low, b_low), min(a_high, b_high)
    if high - low <= TOUCH:
        return False
    rows = (low + (high - low) * (i + 0.5) / ROWS for i in range(ROWS))
    return any(
        min(right, other_right) - max(left, other_left) > TOUCH
        for y in rows
        for left, right in widths(view, a, y)
        for other_left, other_right in widths(view, b, y)
    )


def heights(view: View, patch: Box | Oval) -> tuple[float, float]:
    """The least and the most height of a patch, in units."""
    if isinstance(patch, Oval):
        middle, _, ry = ring_of(view, patch)
        return middle.y - ry, middle.y + ry
    low, high = sorted(view.height(patch.frame, part) for part in patch.along)
    return low, high


def widths(view: View, patch: Box | Oval, y: float) -> Iterator[tuple[float, float]]:
    """From where to where a patch reaches at height ``y``; twice beside the hole of an oval."""
    if isinstance(patch, Box):
        left, right = sorted(edges(view, patch, y))
        yield left, right
        return
    middle, rx, ry = ring_of(view, patch)
    part = ((y - middle.y) / ry) ** 2
    outer = rx * sqrt(max(0, 1 - part))
    inner = rx * sqrt(max(0, patch.hole**2 - part))
    if inner:
        yield middle.x - outer, middle.x - inner
        yield middle.x + inner, middle.x + outer
    else:
        yield middle.x - outer, middle.x + outer
