"""Hand pictures: draws the hands on the body part of a phase, in the direction of its arrow.

A hand is a list of rounded pieces in centimetres: its working tip at 0, its fingers towards +x,
the way of the stroke, the thumb towards -y. Pieces of one list are drawn as one shape. What is
lifted, pressed or peeled has three frames: before, during, after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, degrees, radians, sin

from markupsafe import escape

from webapp.domain.anatomy import WIDTH, XY, Box, Oval, Shape, Spot, View, edges, patch_of, ring_of
from webapp.presentation.body import (
    BOTH,
    middle_of,
    number,
    sheet,
    sides_of,
)

# x, y of both ends and width, all in cm.
Piece = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Hand:
    """A position: its pieces, how many hands, how they stand to the way, and the words of it.

    ``turn`` in degrees from the way; ``apart`` in cm from the middle to each of two hands;
    ``facing``: two hands come from both sides; ``tool`` in cm: x, y, half width, half height.
    ``fixed``: degrees on the sheet of a hand that does not follow the way but lies at its first
    mark. ``behind``: pieces on the far side of what is held. ``before`` and ``after`` are what the
    hand looks like then; ``high`` is how much larger it is drawn in the air above the body.
    """

    says: str
    pieces: tuple[Piece, ...]
    count: int = 1
    turn: float = 0
    apart: float = 4.6
    facing: bool = False
    tool: tuple[float, float, float, float] | None = None
    hose: bool = False
    press: tuple[float, float] | None = None
    shakes: bool = False
    wide: float = 30
    fold: float | None = None
    back: float = 0
    high: float = 1
    fixed: float | None = None
    behind: tuple[Piece, ...] = ()
    before: Frame | None = None
    after: Frame | None = None

    @property
    def frames(self) -> tuple[Hand, ...]:
        """The hand before, during and after; alone where it only glides or rests."""
        if not self.before or not self.after:
            return (self,)
        return (self.before.of(self), self, self.after.of(self))


@dataclass(frozen=True, slots=True)
class Frame:
    """How a hand differs before or after; ``back`` in cm against the way, ``high`` in the air."""

    pieces: tuple[Piece, ...] = ()
    back: float = 0
    high: float = 1
    fold: float | None = None

    def of(self, shown: Hand) -> Hand:
        return replace(
            shown,
            pieces=self.pieces or shown.pieces,
            back=self.back,
            high=self.high,
            press=None,
            fold=self.fold,
        )


FINGERS: tuple[Piece, ...] = (
    (-9, -2.9, -2.4, -3.1, 1.7),
    (-9, -1, -0.8, -1, 1.75),
    (-9, 1, -1.8, 1.05, 1.7),
    (-9.4, 2.9, -4, 3.2, 1.5),
)
ARM: Piece = (-27, 0, -17, 0, 5.4)
PALM: Piece = (-15, 0, -10, 0, 7.4)
THUMB: Piece = (-14.5, -3, -10.6, -5.6, 2)
FLAT = (ARM, PALM, *FINGERS, THUMB)
PADS: tuple[Piece, ...] = (
    (-20, 0, -12, 0, 5.4),
    (-10.5, 0, -7, 0, 7),
    (-6, -2.7, -0.6, -2.5, 1.7),
    (-6, -0.9, 0, -0.85, 1.7),
    (-6, 0.9, -0.3, 0.85, 1.7),
    (-6, 2.7, -1.6, 2.5, 1.5),
    (-9, -3.4, -7, -5, 2),
)
TONGS: tuple[Piece, ...] = (
    (-20, 0, -12, 0, 5.4),
    (-10, -0.5, -7.5, -0.5, 7),
    (-6.5, -3.2, -1.5, -5, 1.8),
    (-1.5, -5, 1.4, -3.2, 1.8),
    (-6.5, -1.4, -1.2, -3.2, 1.7),
    (-8, 3, -2.6, 4.6, 2.1),
    (-2.6, 4.6, 1, 2.8, 2.1),
)
POINTING: tuple[Piece, ...] = (
    (-22, 1, -13, 1, 5.2),
    (-11, 1.2, -8.5, 1.2, 6.6),
    (-8, -1.4, 0, 0, 1.8),
    (-6.8, 0.8, -5.6, 0.9, 1.7),
    (-7, 2.6, -6, 2.6, 1.6),
    (-9.5, -2.6, -5.6, -3, 2),
)
EDGE: tuple[Piece, ...] = (
    (-23, 0, -14, 0, 4.6),
    (-13.5, 0, -7, 0, 3.4),
    (-7, 0, 0.6, 0.2, 2.2),
    (-11, -0.8, -5, -2.2, 1.9),
)
FIST: tuple[Piece, ...] = (
    (-17, 0, -9, 0, 5.4),
    (-7, 0, -3.4, 0, 7.4),
    (-2, -2.9, -0.6, -2.9, 1.7),
    (-2, -1, -0.2, -1, 1.7),
    (-2, 0.95, -0.3, 0.95, 1.7),
    (-2.2, 2.8, -0.9, 2.8, 1.6),
    (-6, -4, -3, -4.4, 2),
)
BOTH_THUMBS: tuple[Piece, ...] = (
    (-15, -7, -9, -5, 5.2),
    (-8, -4.6, -5.5, -4.4, 6.2),
    (-6, -2.2, 0, -1.2, 2.1),
    (-5, -5.4, 0.4, -6.8, 1.6),
    (-5, -6.4, -0.6, -8.6, 1.6),
    (-6, -7.2, -2.6, -10, 1.5),
)
FLAT_THUMB: tuple[Piece, ...] = (
    (-20, 2.5, -12, 2.5, 5.2),
    (-10, 2.6, -7.5, 2.6, 6.6),
    (-7.5, -0.6, 0, 0, 2.3),
    (-6.5, 3.2, -4.6, 3.4, 1.7),
    (-6.7, 4.9, -5, 5, 1.6),
)
GRIP: tuple[Piece, ...] = (
    (-18, 0, -11, 0, 5.4),
    (-9, 0, -6, 0, 7.2),
    (-5, -2.8, 0, -2.8, 1.7),
    (-5, -0.9, 0.7, -0.9, 1.7),
    (-5, 0.95, 0.5, 0.95, 1.7),
    (-5, 2.8, -0.6, 2.8, 1.5),
    (-8, -3.6, -4.6, -5.4, 2),
)
PINCH: tuple[Piece, ...] = (
    (-24, 1, -15, 0.6, 5.2),
    (-12.5, 0.4, -10.5, 0.4, 6.4),
    (-10, -2.4, -4.6, -4, 1.8),
    (-4.6, -4, 0, -1.3, 1.7),
    (-10, 3, -4.4, 4.2, 2.1),
    (-4.4, 4.2, 0, 1.5, 2),
)
OPEN_TONGS: tuple[Piece, ...] = (
    (-20, 0, -12, 0, 5.4),
    (-10, -0.5, -7.5, -0.5, 7),
    (-6.5, -3.2, -1, -6.4, 1.8),
    (-1, -6.4, 2.4, -6.2, 1.8),
    (-6.5, -1.4, -0.4, -4.4, 1.7),
    (-8, 3, -2.6, 5.8, 2.1),
    (-2.6, 5.8, 1.6, 5.8, 2.1),
)
TWO_PADS: tuple[Piece, ...] = (
    (-20, 0, -12, 0, 5),
    (-10.5, 0, -8, 0, 5.8),
    (-7, -1.5, 0, -1.1, 1.7),
    (-7, 0.5, 0.3, 0.7, 1.7),
    (-7.2, 2.2, -4.6, 2.3, 1.6),
    (-9, -2.8, -7, -4.4, 1.9),
)
BENT_PADS: tuple[Piece, ...] = (
    *TWO_PADS[:2],
    (-7, -1.4, -1.8, -0.8, 1.7),
    (-7, 0.5, -1.6, 0.7, 1.7),
    *TWO_PADS[4:],
)
PEELED: tuple[Piece, ...] = (
    (-27, 0, -17, 0, 6),
    (-15, 0, -12, 0, 8.2),
    (-11, -2.9, -6, -3.1, 1.7),
    (-11, -1, -5, -1, 1.75),
    (-11, 1, -5.6, 1.05, 1.7),
    (-11, 2.9, -7, 3.2, 1.5),
    (-14.5, -3, -11.6, -5.6, 2),
)
OPEN, ROLLED = Frame(OPEN_TONGS), Frame(back=-1.6, fold=24)
ABOVE, AWAY = Frame(back=1.6, high=1.1), Frame(back=0.8, high=1.1)
EAR_PINCH: tuple[Piece, ...] = ((-9, -0.8, 0, 0, 1.4),)
EAR_BEHIND: tuple[Piece, ...] = ((-9, 2.4, -0.3, 0.7, 1.7),)
OVER: tuple[Piece, ...] = (
    (-4, -2.9, 4.4, -2.8, 1.7),
    (-4, -0.95, 5.6, -0.9, 1.7),
    (-4, 1, 5, 1, 1.7),
    (-4, 2.9, 3.2, 2.9, 1.5),
)
CUPPED: tuple[Piece, ...] = (
    (-16, 0, -10, 0, 5.2),
    (-8, 0, -3.6, 0, 7.4),
    (-3, -2.4, 0.6, -1.8, 1.9),
    (-3, -0.8, 1.2, -0.6, 1.8),
    (-3, 0.9, 1, 0.7, 1.8),
    (-3, 2.5, 0.3, 1.9, 1.7),
    (-6, -3.4, -2.4, -3.6, 2),
)

HANDS = {
    "flat-palm": Hand("One flat hand glides", FLAT),
    "two-palms": Hand("Both flat hands glide side by side", FLAT, 2),
    "hands-rest": Hand("Two hands lie still", FLAT, 2),
    "finger-pads": Hand("Finger pads shift the skin", PADS),
    "finger-pads-lift": Hand(
        "Finger pads of both hands pick up skin and muscle",
        BENT_PADS,
        2,
        apart=3.6,
        fold=0,
        before=Frame(TWO_PADS),
        after=Frame(back=-1.4, fold=20),
    ),
    "finger-pads-both": Hand("Finger pads of both hands shift the skin", PADS, 2, apart=3.6),
    "tongs": Hand(
        "Thumb and fingers lift the muscle and roll it",
        TONGS,
        fold=0,
        turn=90,
        before=OPEN,
        after=ROLLED,
    ),
    "tongs-two-hands": Hand(
        "Both hands lift one broad fold", TONGS, 2, apart=4.2, fold=0, before=OPEN, after=ROLLED
    ),
    "own-hand-across": Hand("The other hand reaches over the shoulder", OVER, fixed=100),
    "palm-edge": Hand("The little-finger edge presses along", EDGE, turn=90),
    "knuckles": Hand("Backs of bent fingers glide", FIST),
    "both-thumbs": Hand("Two thumb pads; the fingers lie on top", BOTH_THUMBS, 2, apart=0),
    "thumb-flat": Hand("The whole flat thumb glides", FLAT_THUMB),
    "ring": Hand("Both hands hold round the limb", GRIP, 2, 90, 1.2, facing=True),
    "cup-heel-then-sides": Hand("The palm cups the heel", GRIP, fixed=12),
    "toe-pinch": Hand("Finger and thumb at the sides of the toe", PINCH),
    "fingers-in-gaps": Hand("Fingertips glide from the gaps between the toes", PADS),
    "loose-palm": Hand("A loose palm rocks from side to side", FLAT, shakes=True),
    "finger-press": Hand("One pad presses straight down", POINTING, before=ABOVE, after=AWAY),
    "ear-pinch": Hand(
        "Fingertip in front, thumb behind", EAR_PINCH, behind=EAR_BEHIND, fixed=165, wide=12
    ),
    "cupped-hands": Hand("Two hollow hands fall in turn", CUPPED, 2),
    "flat-pat": Hand("Two loose flat hands pat in turn", FLAT, 2),
    "honey-lift": Hand(
        "The flat palm presses and peels off",
        FLAT,
        press=(-12, 0),
        before=Frame(back=1.6, high=1.1),
        after=Frame(PEELED, back=1, high=1.06),
    ),
    "cup-slide": Hand("The cup slides", PINCH, tool=(0.6, 0, 2, 2)),
    "suction-head": Hand("The suction head slides", PINCH, tool=(0.6, 0, 2, 2), hose=True),
    "device": Hand("The massager glides", GRIP, tool=(1.8, 0, 1.7, 1.9)),
    "stone": Hand("The stone glides under the fingers", GRIP, tool=(0.8, 0, 3, 2.8)),
    "heel-of-hand": Hand(
        "The heel of the hand leans in", FLAT, press=(-15, 0), before=ABOVE, after=AWAY
    ),
    "two-palms-lean": Hand(
        "Two flat palms lean, arms straight", FLAT, 2, press=(-12, 0), before=ABOVE, after=AWAY
    ),
    "palm-lean": Hand(
        "One flat palm leans, arm straight", FLAT, press=(-12, 0), before=ABOVE, after=AWAY
    ),
}
OFF_SPINE = {
    "back": 5.4,
    "low-back-buttocks": 5,
    "nape": 4.4,
}  # cm from the midline to a palm's middle
TIPS_OFF_SPINE = 1.5
WORKS, FREE = 3, 0.3  # cm: what lies so near the tip works; so far it stays off the spine
UPWARD, MOST_ASKEW = -90, 12  # degrees
FROM_BELOW = -100  # who stands behind a seated person reaches the nape from below
FROM_THE_SIDE = 20  # and who treats the own nape from the side, elbow raised
HALF_PALM, NARROW_APART = 3.7, 2.4  # cm
PEN = '<path class="figure-tick" d="M-9-9l18 18m0-18l-18 18"/>'
MIDDLE_OF_PALM = 9  # cm behind the fingertips of a flat hand


def hand(shown: Hand) -> str:
    """One hand at the origin, in cm."""
    text = ""
    if shown.tool:
        x, y, rx, ry = shown.tool
        text += f'<ellipse class="hand-tool" cx="{x}" cy="{y}" rx="{rx}" ry="{ry}"/>'
    if shown.hose:
        text += '<path class="hand-edge" stroke-width="1.6" d="M3 -1Q10 -6 24 -8"/>'
    text += "".join(
        f'<path class="hand-behind" stroke-width="{wide}" d="M{a} {b}L{c} {d}"/>'
        for a, b, c, d, wide in shown.behind
    )
    for kind, more in (("hand-edge", 0.7), ("hand-flesh", 0.0)):
        text += "".join(
            f'<path class="{kind}" stroke-width="{number(wide + more)}" d="M{a} {b}L{c} {d}"/>'
            for a, b, c, d, wide in shown.pieces
        )
    if shown.fold is not None:
        tilt = f' transform="rotate({shown.fold})"' if shown.fold else ""
        text += f'<ellipse class="hand-fold" cx="0.5" cy="-0.2" rx="2.2" ry="1.7"{tilt}/>'
    if shown.press:
        x, y = shown.press
        text += f'<circle class="hand-press" cx="{x}" cy="{y}" r="2.4"/>'
    if shown.shakes:
        text += '<path class="hand-shake" d="M-10 -7q1.4 1 0 2.4M-7 -7q1.4 1 0 2.4M-10 5q1.4 1 0 2.4M-7 5q1.4 1 0 2.4"/>'
    return text


def places_of(view: View, shape: Shape | None, mark: str, point: Spot | None) -> tuple[XY, float]:
    """Where the working tip lies on the client's left side, and the way in degrees."""
    outward = 1 if view.behind else -1
    if point:
        return view.way(point.at)[0], 0 if outward == 1 else 180
    assert shape
    ways = shape.marks.get(mark, ())
    longest = max((view.way(way) for way in ways), key=len, default=[])
    if len(longest) > 1:
        start, end = longest[0], longest[-1]
        at = XY((start.x + end.x) / 2, (start.y + end.y) / 2)
        if len(longest) > 2:
            middle = longest[len(longest) // 2]
            at = XY((at.x + middle.x) / 2, (at.y + middle.y) / 2)
            start = longest[0]
        way = degrees(atan2(end.y - start.y, end.x - start.x))
        return at, -90 if mark == "shake" else way
    found = patch_of((shape.lit or shape.pale)[0])
    if isinstance(found, Oval) and found.hole:
        middle, _, ry = ring_of(view, found, (1 + found.hole) / 2)
        return XY(middle.x, middle.y + ry), -90
    if longest:
        return longest[0], -90
    if isinstance(found, Oval):
        return ring_of(view, found)[0], -90
    y = view.height(found.frame, sum(found.along) / 2)
    return XY(sum(edges(view, found, y)) / 2, y), -90


def beside(view: View, shape: Shape, at: XY, apart: float) -> tuple[XY, float]:
    """Two hands on a limb: one on each of two strips, or both beyond one patch's inner edge."""
    boxes = [box for patch in shape.lit if isinstance(box := patch_of(patch), Box)]
    here = [
        sorted(edges(view, box, at.y))
        for box in boxes
        if min(view.height(box.frame, a) for a in box.along) - 1
        <= at.y
        <= max(view.height(box.frame, a) for a in box.along) + 1
    ]
    if len(here) == 2:
        one, other = ((low + high) / 2 for low, high in here)
        return XY((one + other) / 2, at.y), abs(one - other) / 2 / view.cm
    if not here:
        return at, apart
    inner, outer = view.outline.both(at.y)
    room = (NARROW_APART + HALF_PALM) * view.cm
    low, high = here[0]
    x = max(at.x, low + room) if inner < outer else min(at.x, high - room)
    return XY(x, at.y), NARROW_APART


def posed(
    view: View, shape: Shape | None, mark: str, point: Spot | None, shown: Hand, *, own: bool
) -> tuple[XY, float, float]:
    """Where the working tip lies, the way and the turn from it in degrees: never over the spine."""
    at, way = places_of(view, shape, mark, point)
    if shown.fixed is not None:
        starts = shape.marks[mark] if shape and shown is HANDS["cup-heel-then-sides"] else ()
        return (view.way(starts[0])[0] if starts else at), shown.fixed, shown.turn
    turn = shown.turn
    if view.id == "nape":
        turn = (FROM_THE_SIDE if own else FROM_BELOW) - way
        if shown.pieces == BENT_PADS:
            at = XY(at.x, at.y + 2 * view.cm)
    elif view.paired and shown.pieces == BOTH_THUMBS:
        turn = 90  # both hands lie beside the spine, thumbs towards it
    if view.paired and shown.pieces in (FLAT, CUPPED):
        off = TIPS_OFF_SPINE if own else OFF_SPINE[view.id]
        at = XY(min(at.x, WIDTH / 2 - off * view.cm), at.y)
        if view.id != "nape":
            way = min(max(way, UPWARD - MOST_ASKEW), UPWARD + MOST_ASKEW)
    elif view.paired:
        off = reach_of(shown, way + turn) + FREE
        at = XY(min(at.x, WIDTH / 2 - off * view.cm), at.y)
    return at, way, turn


def reach_of(shown: Hand, angle: float) -> float:
    """How far, in cm, what works reaches from the place of the tip towards the spine."""
    tips = [(x, y, wide / 2) for _, _, x, y, wide in shown.pieces if x > -WORKS]
    tips += [shown.tool[:3]] if shown.tool else []
    turned = radians(angle)
    return max(x * cos(turned) - y * sin(turned) + wide for x, y, wide in tips)


def hand_picture(
    view: View,
    shape: Shape | None,
    mark: str,
    point: Spot | None,
    side: str,
    name: str,
    technique: str,
    label: str,
    avoid: tuple[str, ...],
    *,
    own: bool = False,
    chosen: bool = False,
) -> str:
    """The hands on their body part: a part of the figure's sheet, four by three.

    ``own``: the person's own hands; ``chosen``: a finger on a point that was marked with a pen.
    """
    shown = HANDS[name]
    at, way, turn = posed(view, shape, mark, point, shown, own=own)
    cm = view.cm
    sides = sides_of(side)
    two_limbs = len(sides) == 2 and not view.paired
    each_side = len(sides) == 2 and (shown.count == 2 or two_limbs)
    wide = max(min(shown.wide * cm, 620), 150)
    middle = at
    if each_side:
        middle = XY(WIDTH / 2, at.y)
        wide = max(wide, 2 * abs(WIDTH / 2 - at.x) + 14 * cm if view.paired else WIDTH)
    elif side == "right":
        middle = XY(WIDTH - at.x, at.y)
    if two_limbs:
        middle = XY(middle.x, at.y * BOTH + 34)
    tall = wide * 0.75
    scale = wide / 240
    twice = shown.count == 2 and not each_side
    apart = shown.apart
    if twice and not shown.facing and shape and not view.paired:
        at, apart = beside(view, shape, at, apart)
    palm = MIDDLE_OF_PALM if shown.pieces == FLAT and not own else 0
    part = BOTH if two_limbs else 1
    x = at.x * part + (middle_of(view, "left") - part * WIDTH / 2 if two_limbs else 0)
    places = {"left": (x - middle.x) / scale, "right": (x - WIDTH + middle.x) / scale}
    moves = len(shown.frames) == 1
    frames = []
    for frame in shown.frames:
        one = drawn(frame, turn, palm, apart if twice else None, part * cm / scale, moves=moves)
        one = f"{PEN if chosen else ''}{one}"
        frames.append(
            "".join(
                f'<g transform="{"scale(-1 1) " * (s == "right")}translate({places[s]:.0f} 0) rotate({way:.0f})">{one}</g>'
                for s in (sides if each_side else sides[:1])
            )
        )
    hands = frames[0] if moves else side_by_side(frames)
    hands = (
        f'<g transform="translate({middle.x:.0f} {middle.y:.0f}) scale({scale:.3g})">{hands}</g>'
    )
    under = sheet(view, shape, mark, side, avoid, point, small=False)
    return (
        f'<svg class="figure hand-picture hand-on move-{technique}" viewBox="{middle.x - wide / 2:.0f} '
        f'{middle.y - tall / 2:.0f} {wide:.0f} {tall:.0f}" role="img" aria-label="{escape(label)}">'
        f"{under}{hands}</svg>"
    )


def side_by_side(frames: list[str]) -> str:
    """Before, during and after, each in a group that styles show in turn or side by side."""
    return "".join(
        f'<g class="hand-moves hand-frame hand-frame-{i}"><rect class="hand-plate" x="-118" y="-118" '
        f'width="236" height="236" rx="16"/>{frame}'
        f'<text class="hand-count" x="-100" y="-72">{i}</text></g>'
        for i, frame in enumerate(frames, 1)
    )


def drawn(
    shown: Hand, turn: float, palm: float, apart: float | None, unit: float, *, moves: bool
) -> str:
    """One hand, or two ``apart`` cm from the middle, ``palm`` cm ahead along the way.

    ``unit`` is a centimetre in a picture 240 wide: what moves, moves as far on the screen
    everywhere. ``moves``: it has a single frame.
    """
    text = ""
    for i in range(1 if apart is None else 2):
        aside = 0 if apart is None else (apart if i else -apart) * unit
        around = -turn if i and shown.facing else turn
        place = f"translate({(palm - shown.back) * unit:.0f} {aside:.0f})"
        round_it = f"rotate({around:.0f}) " if around else ""
        where = f"{place} {round_it}" if shown.facing else f"{round_it}{place} "
        size = unit * shown.high
        mirrored = f" {-size:.3g}" if i else ""
        text += f'<g transform="{where}scale({size:.3g}{mirrored})">{hand(shown)}</g>'
    return f'<g class="hand-moves">{text}</g>' if moves else text
