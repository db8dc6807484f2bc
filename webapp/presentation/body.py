"""Body figures: draws a view of the body as SVG, with areas, arrows and places to keep off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin

from markupsafe import escape

from webapp.domain.anatomy import (
    HEIGHT,
    WIDTH,
    XY,
    Box,
    Oval,
    Scene,
    Shape,
    Spot,
    View,
    edges,
    patch_of,
    ring_of,
    short,
    smooth_through,
    spots,
)
from webapp.domain.pictures import BOTH_WAYS, Sides
from webapp.presentation.paths import short_path
from webapp.presentation.thumbnail import thumbnail

MIRROR = f"matrix(-1 0 0 1 {WIDTH} 0)"
CORNER = 9
HEAD = 26
RING = 15
NARROW = 7  # room at the start of an arrow that is drawn thin
BESIDE = 100  # how far each limb moves aside where both are drawn
BOTH = 0.88

HOLE = ' fill-rule="evenodd"'


def path(kind: str, line: str, more: str = "") -> str:
    """A path of a class, in whole units."""
    return f'<path class="{kind}"{more} d="{short_path(line)}"/>'


def number(value: float) -> str:
    return short(round(value, 1))


def body_path(view: View, text: str) -> str:
    """A path with its sides filled in: ``[in 0 90]``, ``[out 90 0]``, mirrored ``[rout 0 90]``."""

    def side(found: re.Match[str]) -> str:
        curve = view.outline.inner if found[1] == "in" else view.outline.outer
        start, end = float(found[2]), float(found[3])
        if found[1] != "rout":
            return curve.path(start, end)
        low, high = sorted((start, end))
        ys = [low, *(y for y in curve.ys if low < y < high), high]
        if start > end:
            ys.reverse()
        return smooth_through(lambda y: WIDTH - curve.at(y), ys)

    if text not in view.paths:
        view.paths[text] = re.sub(r"\[(in|out|rout) (\d+) (\d+)\]", side, text)
    return view.paths[text]


def patch_path(view: View, patch: str) -> str:
    """A lit patch as a closed path with soft corners."""
    if patch not in view.paths:
        view.paths[patch] = new_patch_path(view, patch)
    return view.paths[patch]


def new_patch_path(view: View, patch: str) -> str:
    found = patch_of(patch)
    if isinstance(found, Oval):
        text = oval_path(*ring_of(view, found))
        return text + (oval_path(*ring_of(view, found, found.hole)) if found.hole else "")
    return box_path(view, found)


def oval_path(middle: XY, rx: float, ry: float) -> str:
    x, y = middle
    arc = f"A{number(rx)} {number(ry)} 0 1 1 "
    return f"M{number(x - rx)} {number(y)}{arc}{number(x + rx)} {number(y)}{arc}{number(x - rx)} {number(y)}"


def box_path(view: View, box: Box) -> str:
    low, high = sorted(view.height(box.frame, along) for along in box.along)
    top, bottom = sorted(edges(view, box, low)), sorted(edges(view, box, high))
    r = min(CORNER, (high - low) / 2, (top[1] - top[0]) / 2, (bottom[1] - bottom[0]) / 2)
    many = max(2, round((high - low) / 30) + 1)
    ys = [low + r + (high - low - 2 * r) * i / (many - 1) for i in range(many)]

    def side(which: int, heights: Sequence[float]) -> str:
        def x(y: float) -> float:
            return sorted(edges(view, box, y))[which]

        return smooth_through(x, heights)

    def corner(x: float, y: float, toward: float) -> str:
        return f"Q{number(x)} {number(y)} {number(x + toward)} {number(y)}"

    return (
        f"M{side(0, ys)}{corner(bottom[0], high, r)}L{number(bottom[1] - r)} {number(high)}"
        f"Q{number(bottom[1])} {number(high)} {side(1, ys[::-1])}{corner(top[1], low, -r)}"
        f"L{number(top[0] + r)} {number(low)}Q{number(top[0])} {number(low)} {number(sorted(edges(view, box, ys[0]))[0])} {number(ys[0])}Z"
    )


def curve(places: Sequence[XY]) -> str:
    """A smooth line through places (Catmull and Rom)."""
    text = f"M{number(places[0].x)} {number(places[0].y)}"
    if len(places) == 2:
        return f"{text}L{number(places[1].x)} {number(places[1].y)}"
    for i, (b, c) in enumerate(pairwise(places)):
        a, d = places[max(i - 1, 0)], places[min(i + 2, len(places) - 1)]
        text += (
            f"C{number(b.x + (c.x - a.x) / 6)} {number(b.y + (c.y - a.y) / 6)} "
            f"{number(c.x - (d.x - b.x) / 6)} {number(c.y - (d.y - b.y) / 6)} {number(c.x)} {number(c.y)}"
        )
    return text


def tip(end: XY, before: XY, size: float) -> str:
    """An open head at ``end`` of a line that comes from ``before``."""
    far = hypot(end.x - before.x, end.y - before.y) or 1
    ux, uy = (end.x - before.x) / far * size, (end.y - before.y) / far * size
    return (
        f"M{number(end.x - ux - uy * 0.7)} {number(end.y - uy + ux * 0.7)}L{number(end.x)} {number(end.y)}"
        f"L{number(end.x - ux + uy * 0.7)} {number(end.y - uy - ux * 0.7)}"
    )


def length(places: Sequence[XY]) -> float:
    return sum(hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(places))


def arrow(
    places: Sequence[XY], twice: bool = False, thin: bool = False, cased: bool = False
) -> str:
    """An arrow along places; ``cased`` in a dark line, where it crosses what is lit palely."""
    size = min(HEAD * (0.65 if thin else 1), length(places) * (0.26 if twice else 0.4))
    heads = tip(places[-1], places[-2], size) + (tip(places[0], places[1], size) if twice else "")
    kind = "figure-arrow figure-ring" if thin else "figure-arrow"
    line = f"{curve(places)}{heads}"
    case = path(f"{kind} figure-case", line) if cased else ""
    return case + path(kind, line)


def ring(middle: XY, r: float, ry: float | None = None) -> str:
    """Most of a circle or oval with a head where it would close."""
    ry = ry or r
    turn = [XY(middle.x + r * sin(a), middle.y - ry * cos(a)) for a in (0, 1.62 * pi, 1.5 * pi)]
    end, before = turn[1], turn[2]
    return (
        f'<path class="figure-arrow figure-ring" d="M{number(turn[0].x)} {number(turn[0].y)}A{number(r)} {number(ry)} 0 1 1 '
        f'{number(end.x)} {number(end.y)}{tip(end, before, min(r, ry, 20) * 0.75)}"/>'
    )


def coil(places: Sequence[XY], r: float) -> str:
    """Loops carried along a straight way, with a head at the end."""
    (x0, y0), (x1, y1) = places[0], places[-1]
    far = hypot(x1 - x0, y1 - y0)
    loops = max(2, min(6, round(far / (r * 2.2))))
    ux, uy = (x1 - x0) / far, (y1 - y0) / far
    many = loops * 8 + 1
    line = []
    for i in range(many):
        turn = i / 8 * 2 * pi
        along = far * i / (many - 1) + r * 0.8 * sin(turn)
        beside = -r * cos(turn)
        line.append(XY(x0 + along * ux - beside * uy, y0 + along * uy + beside * ux))
    return path("figure-arrow figure-ring", f"{curve(line)}{tip(line[-1], line[-2], 15)}")


def mark_of(view: View, shape: Shape, name: str) -> str:
    """The sign for the way of the hands; nothing for ``still``."""
    ways = shape.marks.get(name, ())
    first = patch_of(shape.lit[0]) if shape.lit else None
    if name == "circles" and isinstance(first, Oval) and first.hole:
        return ring(*ring_of(view, first, (1 + first.hole) / 2))
    text = ""
    for way in ways:
        places = view.way(way)
        if name == "circles" and len(places) == 1:
            text += ring(places[0], min(RING, room(view, shape, spots(way)[0])))
        elif name == "pats":
            text += f'<circle class="figure-dot" cx="{number(places[0].x)}" cy="{number(places[0].y)}" r="8"/>'
        elif name == "spirals":
            text += coil(places, min(17, room(view, shape, middle_spot(way))))
        else:
            thin = room(view, shape, spots(way)[0], 0) < NARROW
            twice = name in ("across", "shake")
            text += arrow(places, twice, thin, cased=bool(shape.pale))
    return text


def middle_spot(way: str) -> tuple[str, float, float]:
    """The place half way between both ends of a way, which lie in one frame."""
    (frame, along, across), (_, far_along, far_across) = spots(way)[0], spots(way)[-1]
    return frame, (along + far_along) / 2, (across + far_across) / 2


def room(view: View, shape: Shape, spot: tuple[str, float, float], least: float = 8) -> float:
    """How large a ring may be that stays on the lit patch round it."""
    place = view.at(*spot)
    reach: list[float] = [least]
    for patch in shape.lit:
        found = patch_of(patch)
        if isinstance(found, Oval):
            middle, rx, ry = ring_of(view, found)
            if hypot(middle.x - place.x, middle.y - place.y) < min(rx, ry):
                reach.append(min(rx, ry) * 0.72)
        else:
            low, high = sorted(view.height(found.frame, a) for a in found.along)
            left, right = sorted(edges(view, found, place.y))
            if low < place.y < high and left < place.x < right:
                reach.append(
                    min(place.x - left, right - place.x, high - place.y, place.y - low) - 3
                )
    return max(reach)


def avoid_of(view: View, names: Sequence[str]) -> str:
    """What hands keep off, dashed; what this view does not show is left out."""
    text, drawn = "", set[str]()
    for name in names:
        for item in view.avoid.get(name, ()):
            if item in drawn:
                continue
            drawn.add(item)
            if item.startswith("oval"):
                found = patch_of(item)
                assert isinstance(found, Oval)
                line = oval_path(*ring_of(view, found))
            else:
                places = view.way(item)
                line = "M" + "L".join(f"{number(p.x)} {number(p.y)}" for p in places)
            text += path("figure-avoid", line, f' data-off="{name}"')
    return text


def point_of(view: View, mark: Spot, part: float) -> str:
    """A point: a lit disc, ring and dot, small lines at its landmarks; ``part`` of the sheet shows."""
    place = view.way(mark.at)[0]
    x, y = number(place.x), number(place.y)
    ticks = ""
    for landmark in mark.landmarks:
        at = view.way(landmark)[0]
        half = 18 * part
        ticks += f'<path class="figure-tick" d="M{number(at.x - half)} {number(at.y)}h{number(2 * half)}"/>'
    return (
        f'{ticks}<circle class="figure-lit" cx="{x}" cy="{y}" r="{number(26 * part)}"/>'
        f'<circle class="figure-arrow figure-ring" cx="{x}" cy="{y}" r="{number(18 * part)}"/>'
        f'<circle class="figure-dot" cx="{x}" cy="{y}" r="{number(8 * part)}"/>'
    )


def fingers_of(view: View, mark: Spot) -> str:
    """The client's fingers between a landmark and a point: bars beside the limb or above it."""
    if not mark.fingers or not mark.start:
        return ""
    start, end = view.way(mark.start)[0], view.way(mark.at)[0]
    text = ""
    if abs(end.y - start.y) > abs(end.x - start.x):
        low, high = sorted((start.y, end.y))
        outer = max(view.outline.both((low + high) / 2))
        part = mark.zoom[2] / WIDTH if mark.zoom else 1
        x = outer + 14 * part
        step = (high - low) / mark.fingers
        for i in range(mark.fingers):
            text += f'<rect class="figure-finger" x="{number(x)}" y="{number(low + i * step + 1.5)}" width="{number(48 * part)}" height="{number(step - 3)}" rx="{number(min(9, step / 2 - 2))}"/>'
    else:
        low, high = sorted((start.x, end.x))
        step = (high - low) / mark.fingers
        for i in range(mark.fingers):
            text += f'<rect class="figure-finger" x="{number(low + i * step + 1)}" y="{number(end.y - 78)}" width="{number(step - 2)}" height="46" rx="{number(step / 2 - 1)}"/>'
    return text


def limb(view: View) -> str:
    """The body of a view, for the client's left side."""
    body = "".join(path("figure-body", body_path(view, d)) for d in view.body)
    return body + "".join(path("figure-hair", d) for d in view.hair)


def lines_of(view: View) -> str:
    return path("figure-detail", "".join(view.lines))


def sides_of(side: str) -> tuple[str, ...]:
    return (side,) if side in ("left", "right") else ("left", "right")


def letter(text: str, x: float, y: float, part: float = 1, small: bool = False) -> str:
    return f'<text class="figure-letter" font-size="{number((64 if small else 40) * part)}" x="{number(x)}" y="{number(y)}">{text}</text>'


def middle_of(view: View, side: str) -> float:
    """The x of the middle of a limb where both are drawn."""
    return WIDTH / 2 + BESIDE * (-1 if (side == "left") == view.behind else 1)


def sheet(
    view: View,
    shape: Shape | None,
    mark: str,
    side: str,
    avoid: Sequence[str],
    point: Spot | None,
    *,
    small: bool,
) -> str:
    """The limb or limbs with what is lit, the way of the hands and what they keep off; no words."""
    part = point.zoom[2] / WIDTH if point and point.zoom else 1
    lit = over = ""
    if shape:
        lit = "".join(
            path("figure-lit figure-pale", patch_path(view, p)) for p in shape.pale
        ) + "".join(
            path("figure-lit", patch_path(view, p), HOLE if " hole " in p else "")
            for p in shape.lit
        )
        over = mark_of(view, shape, mark)
    off = avoid_of(view, avoid[:1] if small else avoid)
    if point:
        over += point_of(view, point, part * (1.5 if small else 1))
    body, lines = limb(view), "" if small else lines_of(view)
    sides = sides_of(side)
    turns = {one: f' transform="{MIRROR}"' if one == "right" else "" for one in sides}
    if view.paired:
        return (
            body
            + "".join(f"<g{turns[one]}>{lit}</g>" for one in sides)
            + lines
            + "".join(f"<g{turns[one]}>{off}{over}</g>" for one in sides)
        )
    if len(sides) == 2:
        text = ""
        for one in sides:
            turned = BOTH if one == "left" else -BOTH
            shift = middle_of(view, one) - turned * WIDTH / 2
            text += (
                f'<g transform="matrix({turned} 0 0 {BOTH} {number(shift)} 34)">'
                f"{body}{lit}{lines}{off}{over}</g>"
            )
        return text
    bars = fingers_of(view, point) if point and not small else ""
    return f"<g{turns[side]}>{body}{lit}{lines}{off}{over}{bars}</g>"


def numbers_of(view: View, shape: Shape, *, mirrored: bool) -> str:
    """The order in which hands go, as 1, 2, 3 beside what is lit."""
    text = ""
    for i, way in enumerate(shape.numbers, 1):
        x, y = view.way(way)[0]
        place = f'x="{number(WIDTH - x if mirrored else x)}" y="{number(y)}"'
        text += f'<text class="figure-number" font-size="26" {place}>{i}</text>'
    return text


def figure(
    view: View,
    shape: Shape | None,
    mark: str,
    side: str,
    label: str,
    *,
    avoid: Sequence[str] = (),
    point: Spot | None = None,
    count: str = "",
    seen: Sides = BOTH_WAYS,
    turned: bool = False,
    small: bool = False,
) -> str:
    """The whole drawing as an SVG of 400 by 560 units.

    ``mark`` names a way of ``shape``; ``count`` is the number of a chosen point, as ``2 of 4``;
    ``seen`` is from where the body is seen as the client lies; ``turned``: before, from elsewhere.
    """
    zoom = point.zoom if point else shape.zoom if shape else None
    left, top, wide = zoom or (0, 0, WIDTH)
    part = wide / WIDTH
    tall = HEIGHT * part
    sides = sides_of(side)
    parts = [sheet(view, shape, mark, side, avoid, point, small=small)]
    x, y = (
        (left + (46 if view.paired else 366) * part, top + tall - 20 * part)
        if zoom
        else view.letter
    )
    if view.paired:
        parts += [letter("L", x, y, part, small), letter("R", WIDTH - x, y, part, small)]
    elif len(sides) == 2:
        for one in sides:
            parts.append(
                letter(
                    one[0].upper(), middle_of(view, one), HEIGHT - 6 if view.behind else 24, part
                )
            )
    else:
        parts.append(letter(side[0].upper(), x if side == "left" else WIDTH - x, y, part, small))
    if side == "right" and not view.paired:
        left = WIDTH - left - wide
    if not small:
        parts.append(thumbnail(view, sides, seen, (left, top, wide), turned=turned))
    if shape and not small:
        parts.append(numbers_of(view, shape, mirrored=sides == ("right",)))
    if point and not small:
        place = view.way(point.at)[0]
        if view.paired:
            turn = f' transform="{MIRROR}"' if sides == ("right",) else ""
            parts.append(f"<g{turn}>{fingers_of(view, point)}</g>")
        else:
            outer = max(max(view.outline.both(place.y)) + 14 * part, place.x + 30 * part)
            high = place.y + 10 * part
            if point.fingers and point.start:
                start = view.way(point.start)[0].y
                outer = max(view.outline.both((start + place.y) / 2)) + 14 * part
                high = min(start, place.y) - 8 * part
            x, anchor = (outer, "start") if side != "right" else (WIDTH - outer, "end")
            if point.name:
                parts.append(
                    f'<text class="figure-name" font-size="{number(30 * part)}" x="{number(x)}" '
                    f'y="{number(high)}" text-anchor="{anchor}">{escape(point.name)}</text>'
                )
    if count and not small:
        parts.append(
            f'<text class="figure-name" font-size="30" x="{WIDTH - 8}" y="{HEIGHT - 14}" text-anchor="end">✕ {escape(count)}</text>'
        )
    near = " figure-near" if zoom else ""
    size = " figure-small" if small else ""
    return (
        f'<svg class="figure{near}{size}" viewBox="{number(left)} {number(top)} {number(wide)} {number(tall)}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def scene(drawn: Scene, side: str, label: str, *, small: bool = False) -> str:
    """A stretch as an SVG of 400 by 560 units, mirrored for the right side."""
    text = ""
    for part in drawn.limbs:
        if part.who == "far":
            text += path("figure-detail", part.d)
            continue
        kind = {"client": "body", "helper": "hand", "far-limb": "other"}[part.who]
        text += path(f"figure-edge-{kind}", part.d, f' stroke-width="{number(part.wide + 8)}"')
    for group in ("far-limb", "client", "lit", "helper"):
        pieces = drawn.lit if group == "lit" else [p for p in drawn.limbs if p.who == group]
        kind = {"client": "body", "helper": "hand", "far-limb": "other", "lit": "lit"}[group]
        if group == "helper":
            text += "".join(
                path("figure-edge-hand", p.d, f' stroke-width="{number(p.wide + 8)}"')
                for p in pieces
            )
        text += "".join(
            path(f"figure-limb-{kind}", p.d, f' stroke-width="{number(p.wide)}"') for p in pieces
        )
    for line in drawn.avoid:
        text += path("figure-avoid", curve([XY(*place) for place in line]))
    for line in drawn.arrows:
        text += arrow([XY(*place) for place in line]).replace("figure-arrow", "figure-way")
    turn = f' transform="{MIRROR}"' if side == "right" else ""
    x, y = drawn.letter
    size = " figure-small" if small else ""
    return (
        f'<svg class="figure figure-scene{size}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"<g{turn}>{text}</g>{letter(side[:1].upper(), WIDTH - x if side == 'right' else x, y)}</svg>"
    )
