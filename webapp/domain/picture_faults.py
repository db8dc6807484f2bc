"""What a picture would show wrongly: area, side, point, keep-away item, way, view, hands.

In a file of format 2 each is a fault; of format 1 a warning, and words stand there instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from webapp.domain.anatomy import XY, Drawn, Shape, View, covers, patch_of
from webapp.domain.catalogue import Catalogue, Spot
from webapp.domain.keep_off import heights, lies_on, widths
from webapp.domain.pictures import (
    Sides,
    forbidden_items,
    is_seen,
    of_point,
    picture_of,
    shapes_of,
    views_of,
)
from webapp.domain.protocol import ChosenPoint, Phase
from webapp.domain.ways import contradiction, mark_of

IN_WORDS = "so words stand for the picture, expected one in format 2"
NEAR = 0.03  # how far a drawn point or landmark may lie from its fractions
Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """A field of the phase, what is wrong with its picture, and what would be right."""

    field: Place
    text: str


def faults_of(catalogue: Catalogue, protocol: str, phase: Phase, seen: Sides) -> Iterator[Fault]:
    """Every fault of the picture of a phase, whose technique, area and ids are known."""
    yield from of_side(catalogue, phase)
    yield from of_hands(catalogue, phase)
    drawn = picture_of(catalogue, protocol, phase.id, phase, seen)
    if phase.point:
        yield from of_the_point(catalogue, phase, seen)
    elif phase.side == "middle":
        return
    elif drawn is None:
        yield from of_area(catalogue, phase, seen)
    elif drawn.view in catalogue.views:
        view = catalogue.views[drawn.view]
        yield from of_view(view, phase, seen)
        yield from of_light(catalogue, view, view.shapes[drawn.shape], phase)
        yield from of_way(catalogue, view, drawn, phase)


def of_side(catalogue: Catalogue, phase: Phase) -> Iterator[Fault]:
    """A side on which nothing is lit."""
    if phase.side == "middle":
        yield Fault(
            ("side",), "no picture lights the middle alone, expected 'left', 'right' or 'both'"
        )


def of_area(catalogue: Catalogue, phase: Phase, seen: Sides) -> Iterator[Fault]:
    """Why a phase has no picture."""
    if phase.technique == "point-pressure":
        yield Fault(("technique",), f"no point is named, {IN_WORDS}")
        return
    if phase.technique == "stretching":
        holds = ", ".join(scene.hand for scene in catalogue.scenes.values())
        text = f"no stretch is drawn with it, expected one of: {holds}"
        yield (
            Fault(("hands",), text)
            if phase.hands
            else Fault(("technique",), f"no hold is named, {IN_WORDS}")
        )
        return
    views = views_of(catalogue, phase.area)
    if not views:
        areas = sorted(
            {area for v in catalogue.views.values() for area in v.shapes} & {*catalogue.areas}
        )
        yield Fault(("area",), f"no view draws it, expected one of: {', '.join(areas)}")
        return
    shown = [view for view in views if is_seen(view, seen)]
    if not shown:
        yield Fault(
            ("area",),
            f"drawn {views[0].seen}, which the position hides, expected another area or position",
        )
        return
    view = shown[0]
    for i, item in enumerate(forbidden_items(catalogue, phase)):
        shapes = (view.shapes[name] for name in shapes_of(view, phase.area))
        if all(lies_on(view, (*shape.lit, *shape.pale), item) for shape in shapes):
            yield Fault(forbidden_place(phase, i), lit_text(item, phase.area))
            return
    marks = sorted({m for name in shapes_of(view, phase.area) for m in view.shapes[name].marks})
    arrows = sorted({*marks, "still"} & ARROWS)
    yield Fault(
        ("arrow",), f"no arrow {phase.arrow!r} is drawn there, expected one of: {', '.join(arrows)}"
    )


ARROWS = {"up", "down", "outward", "inward", "across", "circles", "spirals", "zigzag", "still"}


def forbidden_place(phase: Phase, i: int) -> Place:
    """Where the file names the ``i``-th forbidden item."""
    return ("not_here", i) if i < len(phase.not_here) else ("avoid",)


def lit_text(item: str, area: str) -> str:
    """A keep-away item that the picture of an area would light."""
    return f"{item!r} is lit in the picture of {area!r}, expected another area or no such item"


def of_view(view: View, phase: Phase, seen: Sides) -> Iterator[Fault]:
    """A view that the position hides."""
    if not is_seen(view, seen):
        yield Fault(
            ("area",),
            f"drawn {view.seen}, which the position hides, expected another area or position",
        )


def of_light(catalogue: Catalogue, view: View, shape: Shape, phase: Phase) -> Iterator[Fault]:
    """A lit shape that covers a keep-away item which the phase names."""
    for i, item in enumerate(forbidden_items(catalogue, phase)):
        if lies_on(view, (*shape.lit, *shape.pale), item):
            yield Fault(forbidden_place(phase, i), lit_text(item, phase.area))


def of_the_point(catalogue: Catalogue, phase: Phase, seen: Sides) -> Iterator[Fault]:
    """A point that is drawn nowhere, outside its area, in a hidden view or where hands keep off."""
    assert phase.point
    field: Place = ("point", "band") if isinstance(phase.point, ChosenPoint) else ("point",)
    drawn = of_point(catalogue, phase.point, "")
    if drawn is None:
        yield Fault(field, "drawn in no view, expected a point with a place")
        return
    view = catalogue.views[drawn.view]
    yield from of_view(view, phase, seen)
    patches = [
        patch
        for name in shapes_of(view, phase.area)
        for patch in (*view.shapes[name].lit, *view.shapes[name].pale)
    ]
    places = places_of(view, drawn)
    if not any(near(view, patch, place) for patch in patches for place in places):
        areas = sorted(area for area in catalogue.areas if holds(view, area, places))
        yield Fault(
            field, f"lies outside the area {phase.area!r}, expected the area {' or '.join(areas)}"
        )
    for i, item in enumerate(phase.not_here):
        if any(on_item(view, item, place) for place in places):
            yield Fault(("not_here", i), lit_text(item, phase.area))


def places_of(view: View, drawn: Drawn) -> list[XY]:
    """Where a point is pressed: its place, or the middles of its bands."""
    if drawn.point:
        return [view.way(view.points[drawn.point].at)[0]]
    middles = []
    for patch in view.shapes[drawn.shape].pale:
        found = patch_of(patch)
        low, high = heights(view, found)
        left, right = next(widths(view, found, (low + high) / 2))
        middles.append(XY((left + right) / 2, (low + high) / 2))
    return middles


def holds(view: View, area: str, places: list[XY]) -> bool:
    """Whether a place lies in an area."""
    shapes = (view.shapes[name] for name in shapes_of(view, area))
    return any(near(view, patch, p) for shape in shapes for patch in shape.lit for p in places)


def near(view: View, patch: str, place: XY) -> bool:
    """Whether a patch holds a place, or its edge is as near as a drawn point may be off."""
    off = NEAR * abs(view.outline.both(place.y)[1] - view.outline.both(place.y)[0]) + 1
    return any(
        covers(view, patch, XY(place.x + x, place.y + y))
        for x in (-off, 0, off)
        for y in (-off, 0, off)
    )


def on_item(view: View, item: str, place: XY) -> bool:
    """Whether a place lies on a keep-away item that fills a patch."""
    patches = view.off.get(item) or [way for way in view.avoid.get(item, ()) if way[:4] == "oval"]
    return any(covers(view, patch, place) for patch in patches)


def of_way(catalogue: Catalogue, view: View, drawn: Drawn, phase: Phase) -> Iterator[Fault]:
    """An arrow that runs against its words or its landmarks."""
    shape, mark = view.shapes[drawn.shape], drawn.mark or mark_of(phase)
    if against := contradiction(catalogue, view, shape, mark, phase):
        yield Fault(("arrow",), against)


HAND = r"(hand|palm|thumb)"
BOTH_HANDS = re.compile(
    rf"\b(both|two)( \w+){{0,2}} {HAND}s\b|\beach hand\b|\bone hand on each\b", re.I
)
ONE_HAND = re.compile(rf"\bone( \w+)? {HAND}\b(?! on each)|\bone palm\b", re.I)


def of_hands(catalogue: Catalogue, phase: Phase) -> Iterator[Fault]:
    """Another number of hands than the words ask for."""
    hand = catalogue.hands.get(phase.hands or "")
    if not hand:
        return
    told = " ".join(filter(None, (phase.title, phase.direction, *phase.instructions)))
    both, one = BOTH_HANDS.search(told), ONE_HAND.search(told)
    if both and not one and hand.count != 2:
        yield Fault(("hands",), hands_text(phase, both[0], "two"))
    if one and not both and hand.count != 1:
        yield Fault(("hands",), hands_text(phase, one[0], "one"))


def hands_text(phase: Phase, words: str, many: str) -> str:
    """The words against the position."""
    return f"{phase.hands!r} does not fit the words {words!r}, expected a position of {many}"


def view_faults(catalogue: Catalogue) -> Iterator[Fault]:
    """What is wrong with the drawings themselves, by the path in their file."""
    for i, view in enumerate(catalogue.views.values()):
        for name, shape in view.shapes.items():
            if not shape.lit and not shape.pale:
                yield Fault(("views", i, "shapes", name), "lights nothing, expected a patch")
        yield from point_faults(catalogue, view, ("views", i, "points"))
        yield from landmark_faults(catalogue, view, ("views", i, "landmarks"))


def point_faults(catalogue: Catalogue, view: View, path: Place) -> Iterator[Fault]:
    """Points that the catalogue places elsewhere, and two in one place."""
    taken: dict[XY, str] = {}
    for name, point in view.points.items():
        place = view.way(point.at)[0]
        if place in taken:
            yield Fault((*path, name), f"the place of {taken[place]!r}, expected another place")
        taken[place] = name
        known = catalogue.points.get(name)
        yield from far_off(view, place, known.at if known else (), (*path, name))


def landmark_faults(catalogue: Catalogue, view: View, path: Place) -> Iterator[Fault]:
    """Landmarks that are drawn elsewhere than the catalogue says."""
    for name, (x, y) in view.landmarks.items():
        known = catalogue.landmarks.get(name)
        yield from far_off(view, XY(x, y), known.at if known else (), (*path, name))


def far_off(view: View, place: XY, spots: Iterable[Spot], path: Place) -> Iterator[Fault]:
    """A place on the sheet that is not where the fractions of the catalogue put it."""
    spot = next((s for s in spots if s.view == view.id and s.frame in view.frames), None)
    if spot is None:
        yield Fault(path, "the catalogue has no such place in this view, expected one")
        return
    along, across = view.fraction(spot.frame, place)
    wanted = across if spot.across is None else spot.across
    if abs(along - spot.along) > NEAR or abs(across - wanted) > NEAR:
        yield Fault(
            path,
            f"drawn at {spot.frame} {along:.2f} {across:.2f}, "
            f"expected {spot.along:g} {wanted:.2f} within {NEAR}",
        )
