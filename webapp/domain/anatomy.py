"""Views of the body: geometry of landmarks, areas, limbs and points on a drawing.

A view is drawn for the client's left side on a sheet of 400 by 560 units and mirrored for the
right. Its frames give a height for every fraction along the body; its sides give, for every height,
where the inner and the outer outline lie. So a fraction across follows the outline, and a place is
corrected in one number. The fractions come from protocols/catalogue/views.json, with their sources.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from webapp.domain.protocol import Id, Line, Model, Text, Title

WIDTH, HEIGHT = 400, 560

NUMBER = r"-?\d+(?:\.\d+)?"
SPOT = rf"[a-z] {NUMBER} {NUMBER}"
SPAN = rf"{NUMBER}\.\.{NUMBER}"

Way = Annotated[str, StringConstraints(pattern=rf"^{SPOT}( > {SPOT})*$")]
Patch = Annotated[
    str,
    StringConstraints(
        pattern=rf"^([a-z] {SPAN} x {SPAN}( u {SPAN})?"
        rf"|oval {SPOT} r {NUMBER} {NUMBER}( hole {NUMBER})?)$"
    ),
]
Station = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]
Place = Annotated[tuple[float, ...], Field(min_length=2, max_length=2)]
Zoom = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]
Crop = Annotated[tuple[float, ...], Field(min_length=4, max_length=4)]
Pose = Literal["behind", "front", "side"]


class XY(NamedTuple):
    """A place on the sheet, in units from its upper left corner."""

    x: float
    y: float


class Frame(Model):
    """A length of the body: fraction 0 lies at height ``start``, 1 at ``end``.

    ``sides`` only where the fractions across do not follow the outline of the view.
    """

    start: float
    end: float
    sides: tuple[Station, ...] = ()


class Shape(Model):
    """What is lit for an area: patches, paler ones for lighter hands, and the ways of its marks.

    A patch is ``frame from..to x from..to``, where needed with ``u from..to`` for the least and
    most across a second frame, or ``oval frame along across r along across``. A way is a list of
    places, ``frame along across > frame along across``. ``zoom`` shows only that x, y and width.
    ``numbers`` are places of 1, 2, 3 and so on: the order in which hands go.
    """

    lit: tuple[Patch, ...] = ()
    pale: tuple[Patch, ...] = ()
    marks: dict[str, tuple[Way, ...]] = Field(default_factory=dict)
    avoid: tuple[Id, ...] = ()
    zoom: Zoom | None = None
    numbers: tuple[Way, ...] = ()


class Spot(Model):
    """A point to press: where, its name, how many of the client's fingers from ``start`` to it."""

    at: Way
    name: Title | None = None
    start: Way | None = None
    fingers: Annotated[int, Field(ge=0, le=4)] = 0
    landmarks: tuple[Way, ...] = ()
    avoid: tuple[Id, ...] = ()
    zoom: Zoom | None = None


class Drawn(NamedTuple):
    """What the picture of a phase shows: a shape of a view with a mark, or a point.

    ``chosen``: one of several points that were chosen by feel and are counted. ``own``: the hands
    are the person's own.
    """

    view: str
    shape: str = ""
    mark: str = ""
    point: str = ""
    hand: str = ""
    chosen: bool = False
    own: bool = False


class PhasePicture(Model):
    """The picture of phases of known protocols; ``phases`` are ids in a file, without a side."""

    protocols: Annotated[tuple[Id, ...], Field(min_length=1)]
    phases: Annotated[tuple[Id, ...], Field(min_length=1)]
    area: Id
    view: Id
    shape: Id = ""
    mark: Id = ""
    point: Id = ""
    hand: Id = ""
    chosen: bool = False
    own: bool = False

    @property
    def drawn(self) -> Drawn:
        """The same for whoever draws it."""
        return Drawn(self.view, self.shape, self.mark, self.point, self.hand, self.chosen, self.own)


class View(Model):
    """A drawing of a part of the body. ``paired``: it shows both sides of the client.

    ``behind``: the client's left is at the viewer's left. ``cm``: units of a centimetre on an
    adult. ``sides`` are heights with the inner and the outer outline; in ``body`` and ``lines``,
    ``[in 0 90]`` stands for the inner outline from height 0 to 90. ``thumb`` is where the small
    person stands beside it, x, y and size; ``crop`` the part of them that it shows, x, y, width,
    height, and ``sitting`` that of a person who sits. ``landmarks`` are drawn there, in units of
    the sheet. ``avoid`` says how a keep-away item is drawn,
    ``off`` where it lies if that is more than its line. ``either``: seen face down and face up.
    """

    id: Id
    seen: Title
    cm: float
    behind: bool
    paired: bool = False
    frames: dict[str, Frame]
    sides: tuple[Station, ...]
    body: tuple[str, ...]
    hair: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    letter: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)]
    pose: Pose
    crop: Crop
    thumb: Zoom
    sitting: Crop | None = None
    either: bool = False
    landmarks: dict[Id, Place] = Field(default_factory=dict)
    avoid: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    off: dict[str, tuple[Patch, ...]] = Field(default_factory=dict)
    shapes: dict[str, Shape] = Field(default_factory=dict)
    points: dict[str, Spot] = Field(default_factory=dict)

    @model_validator(mode="after")
    def framed(self) -> View:
        """Check that every place lies in a frame of this view. Raises ValueError."""
        texts = {
            **{f"avoid.{name}": ways for name, ways in self.avoid.items()},
            **{f"off.{name}": patches for name, patches in self.off.items()},
            **{f"points.{name}": (point.at,) for name, point in self.points.items()},
        }
        for name, shape in self.shapes.items():
            ways = [way for found in shape.marks.values() for way in found]
            texts[f"shapes.{name}"] = (*shape.lit, *shape.pale, *ways)
        for place, found in texts.items():
            named = {
                frame
                for text in found
                for frame in re.findall(r"(?:^oval |^|> )([a-z])(?= -?\d)", text)
            }
            if unknown := named - set(self.frames):
                known = ", ".join(self.frames)
                raise ValueError(
                    f"found frame {', '.join(sorted(unknown))} in {place}, expected one of {known}"
                )
        return self

    @cached_property
    def curves(self) -> dict[str, Sides]:
        """The sides of every frame."""
        common = Sides(self.sides)
        return {
            name: Sides(frame.sides) if frame.sides else common
            for name, frame in self.frames.items()
        }

    @cached_property
    def paths(self) -> dict[str, str]:
        """Outlines and patches of this view as SVG paths, as far as somebody asked."""
        return {}

    @cached_property
    def overlaps(self) -> dict[tuple[tuple[str, ...], str], bool]:
        """Which patches lie on which keep-away item, as far as somebody asked."""
        return {}

    @cached_property
    def outline(self) -> Sides:
        """Both edges of the drawing, in units of the sheet."""
        return Sides(self.sides)

    def height(self, frame: str, along: float) -> float:
        """The height of a fraction along a frame. Raises KeyError for a frame of another view."""
        found = self.frames[frame]
        return found.start + (found.end - found.start) * along

    def at(self, frame: str, along: float, across: float) -> XY:
        """The place of two fractions on the client's left side."""
        y = self.height(frame, along)
        return XY(self.curves[frame].across(y, across), y)

    def fraction(self, frame: str, place: XY) -> tuple[float, float]:
        """The fractions along and across of a place: the reverse of :meth:`at`."""
        found = self.frames[frame]
        inner, outer = self.curves[frame].both(place.y)
        return (place.y - found.start) / (found.end - found.start), (place.x - inner) / (
            outer - inner
        )

    def way(self, way: str) -> list[XY]:
        """The places of a way, on the client's left side."""
        return [self.at(*spot) for spot in spots(way)]


class Limb(Model):
    """A rounded piece of a scene: path of its middle, width; ``far``, ``far-limb`` lie behind."""

    who: Literal["client", "helper", "far", "far-limb", "lit"]
    d: Text
    wide: float


class Scene(Model):
    """A stretch: the client's limb with the helper's hands, for the left side; units of the sheet.

    ``lit`` is where the pull is felt, ``arrows`` the way of the limb, ``avoid`` a line to stay off.
    ``hand`` is the hold that it shows.
    """

    id: Id
    hand: Id
    seen: Title
    limbs: tuple[Limb, ...]
    lit: tuple[Limb, ...]
    arrows: tuple[tuple[Place, ...], ...]
    avoid: tuple[tuple[Place, ...], ...] = ()
    letter: Place
    note: Line


class Sides:
    """Both outlines as smooth curves through their stations, which never swing beyond them."""

    def __init__(self, stations: Sequence[Sequence[float]]) -> None:
        self.ys = [station[0] for station in stations]
        self.inner = Curve(self.ys, [station[1] for station in stations])
        self.outer = Curve(self.ys, [station[2] for station in stations])

    def both(self, y: float) -> tuple[float, float]:
        """The x of the inner and the outer outline at height ``y``."""
        return self.inner.at(y), self.outer.at(y)

    def across(self, y: float, fraction: float) -> float:
        """The x of a fraction from the inner (0) to the outer outline (1) at height ``y``."""
        inner, outer = self.both(y)
        return inner + (outer - inner) * fraction


class Curve:
    """A monotone cubic through (y, x): Fritsch and Carlson, SIAM J. Numer. Anal. 17 (1980)."""

    def __init__(self, ys: list[float], xs: list[float]) -> None:
        self.ys, self.xs = ys, xs
        secants = [(xs[i + 1] - xs[i]) / (ys[i + 1] - ys[i]) for i in range(len(ys) - 1)]
        self.slopes = [secants[0], *map(harmonic, secants, secants[1:]), secants[-1]]

    def at(self, y: float) -> float:
        """The x at height ``y``; beyond the ends, that of the end."""
        y = min(max(y, self.ys[0]), self.ys[-1])
        i = min(max(bisect_right(self.ys, y) - 1, 0), len(self.ys) - 2)
        span = self.ys[i + 1] - self.ys[i]
        t = (y - self.ys[i]) / span
        return (
            self.xs[i] * (1 + 2 * t) * (1 - t) ** 2
            + self.slopes[i] * span * t * (1 - t) ** 2
            + self.xs[i + 1] * t * t * (3 - 2 * t)
            + self.slopes[i + 1] * span * t * t * (t - 1)
        )

    def path(self, start: float, end: float) -> str:
        """The curve from one height to another as an SVG path without its first letter."""
        low, high = sorted((start, end))
        stops = [low, *(y for y in self.ys if low < y < high), high]
        if start > end:
            stops.reverse()
        return smooth_through(self.at, stops)


def harmonic(before: float, after: float) -> float:
    """The slope between two secants: none where the curve turns."""
    return 2 * before * after / (before + after) if before * after > 0 else 0


def smooth(places: Sequence[XY], slopes: Sequence[float]) -> str:
    """Cubics through places whose slopes dx/dy are known."""
    text = f"{short(places[0].x)} {short(places[0].y)}"
    for (a, sa), (b, sb) in pairwise(zip(places, slopes, strict=True)):
        third = (b.y - a.y) / 3
        text += (
            f"C{short(a.x + sa * third)} {short(a.y + third)} "
            f"{short(b.x - sb * third)} {short(b.y - third)} {short(b.x)} {short(b.y)}"
        )
    return text


NEAR = 1  # unit that a drawn curve may be off


def smooth_through(at: Callable[[float], float], ys: Sequence[float]) -> str:
    """Cubics along x = ``at(y)`` through as few of the heights as keep it near."""

    def slope(y: float) -> float:
        return at(y + 0.5) - at(y - 0.5)

    def is_near(a: float, b: float) -> bool:
        """Whether one cubic from ``a`` to ``b`` stays near the curve."""
        for t in (0.2, 0.4, 0.6, 0.8):
            u, span = 1 - t, b - a
            x = at(a) * (1 + 2 * t) * u * u + slope(a) * span * t * u * u
            x += at(b) * t * t * (3 - 2 * t) - slope(b) * span * t * t * u
            if abs(x - at(a + span * t)) > NEAR:
                return False
        return True

    kept = [ys[0]]
    while kept[-1] != ys[-1]:
        here = ys.index(kept[-1])
        ahead = (y for y in reversed(ys[here + 2 :]) if is_near(kept[-1], y))
        kept.append(next(ahead, ys[here + 1]))
    return smooth([XY(at(y), y) for y in kept], [slope(y) for y in kept])


def short(value: float) -> str:
    """A number of units with half a unit's accuracy at least, as few characters as that takes."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.0", "0")


@lru_cache(maxsize=2048)
def spots(way: str) -> tuple[tuple[str, float, float], ...]:
    """``s 0.9 0.7 > s 0.1 0.7`` as frame, along and across of each place."""
    found = (spot.split() for spot in way.split(" > "))
    return tuple((frame, float(along), float(across)) for frame, along, across in found)


class Box(NamedTuple):
    """A patch between two heights and two fractions across, where given between two x as well."""

    frame: str
    along: tuple[float, float]
    across: tuple[float, float]
    within: tuple[float, float] | None


class Oval(NamedTuple):
    """A patch round a place, in fractions; ``hole`` is the part that is free in the middle."""

    frame: str
    along: float
    across: float
    radius_along: float
    radius_across: float
    hole: float


def patch_of(text: str) -> Box | Oval:
    """A patch as numbers."""
    numbers = [float(number) for number in re.findall(NUMBER, text.replace("..", " "))]
    if text.startswith("oval"):
        along, across, radius_along, radius_across, *hole = numbers
        return Oval(text[5], along, across, radius_along, radius_across, hole[0] if hole else 0)
    within = (numbers[4], numbers[5]) if " u " in text else None
    return Box(text[0], (numbers[0], numbers[1]), (numbers[2], numbers[3]), within)


def edges(view: View, box: Box, y: float) -> tuple[float, float]:
    """The x of a box's two edges at height ``y``."""
    a, b = (view.curves[box.frame].across(y, x) for x in box.across)
    if box.within:
        start, end = view.frames["u"].start, view.frames["u"].end
        low, high = sorted(start + (end - start) * u for u in box.within)
        a, b = min(max(a, low), high), min(max(b, low), high)
    return a, b


def ring_of(view: View, oval: Oval, part: float = 1) -> tuple[XY, float, float]:
    """Middle and half axes of an oval, in units."""
    middle = view.at(oval.frame, oval.along, oval.across)
    inner, outer = view.curves[oval.frame].both(middle.y)
    frame = view.frames[oval.frame]
    return (
        middle,
        abs(outer - inner) * oval.radius_across * part,
        abs(frame.end - frame.start) * oval.radius_along * part,
    )


def covers(view: View, patch: str, place: XY) -> bool:
    """Whether a patch of the client's left side holds a place."""
    found = patch_of(patch)
    if isinstance(found, Oval):
        middle, rx, ry = ring_of(view, found)
        far = ((place.x - middle.x) / rx) ** 2 + ((place.y - middle.y) / ry) ** 2
        return found.hole**2 <= far <= 1
    low, high = sorted(view.height(found.frame, along) for along in found.along)
    if not low <= place.y <= high:
        return False
    left, right = sorted(edges(view, found, place.y))
    return left <= place.x <= right
