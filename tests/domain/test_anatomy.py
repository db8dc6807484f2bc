"""Places on the drawings against the facts: landmarks, points, and what hands keep off.

The numbers here are the facts as the surface anatomy gives them, written once more by hand: a
change in protocols/catalogue/views.json that moves a place fails here.
"""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import pytest
from pydantic import ValidationError

from tests.support.builders import shipped
from webapp.domain.anatomy import XY, View, covers, patch_of, spots

CATALOGUE = shipped().catalogue
VIEWS = CATALOGUE.views
NEAR = 0.03

BANDS = (("y", (0.05, 0.42), (0.2, 0.45)), ("y", (0.66, 0.78), (0.2, 0.45)))
# What is drawn as a line, by a place on it.
DRAWN = [
    ("back", "M158 104", (158, 104), "y", 0.07, 0.40),  # upper inner corner of the blade
    ("back", "155 203", (155, 203), "y", 0.30, 0.42),  # its lower tip
    ("back", "M156 122", (156, 122), "y", 0.11, 0.40),  # inner end of its ridge
    ("back", "M166 431", (168, 434), "y", 0.845, 0.27),  # dimple
    ("back", "M200 453", (200, 453), "y", 0.89, 0.0),  # top of the cleft
    ("low-back-buttocks", "M147 304", (151, 307), "y", 0.57, 0.27),
    ("low-back-buttocks", "M200 328", (200, 328), "y", 0.62, 0.0),
    ("leg-back", "M166 252", (200, 250), "s", 0.0, 0.5),  # crease of the knee
    ("leg-inner", "M199 447", (209, 447), "s", 1.0, 0.40),  # inner ankle
    ("foot-top", "M140 114", (200, 111), "w", 0.0, 0.5),  # crease of the ankle
    ("arm-back", "M168 324", (200, 322), "f", 1.0, 0.5),  # crease of the wrist
]
# What hands keep off: frame, from and to along, from and to across.
OFF = {
    ("back", "spine"): ("y", -1, 2, 0, 0.10),
    ("nape", "spine"): ("y", -1, 2, 0, 0.10),
    ("low-back-buttocks", "spine"): ("y", -1, 2, 0, 0.10),
    ("back", "kidneys"): ("y", 0.43, 0.65, 0.17, 0.64),
    ("low-back-buttocks", "kidneys"): ("y", -0.08, 0.26, 0.17, 0.62),
    ("low-back-buttocks", "tailbone"): ("y", 0.62, 0.81, 0, 0.08),
    ("low-back-buttocks", "sit-bone"): ("y", 0.83, 0.97, 0.25, 0.45),
    ("leg-front", "shin"): ("s", 0.06, 1.0, 0.20, 0.48),
    ("leg-front", "groin-inner-thigh"): ("t", 0.0, 1.0, 0, 0.30),
    ("leg-inner", "shin"): ("s", 0.06, 1.0, 0, 0.38),
    ("leg-back", "heel-tendon"): ("s", 0.72, 1.1, 0.38, 0.62),
    ("leg-back", "groin-inner-thigh"): ("t", 0.0, 0.9, 0, 0.20),
    ("nape", "front-of-ear-line"): ("y", 0.4, 1.0, 0.90, 1.3),
    ("nape", "occiput-hollow"): ("y", 0.16, 0.42, 0.15, 0.75),
    ("ear", "ear-canal"): ("y", 0.50, 0.66, 0.15, 0.38),
    ("ear", "behind-lobe"): ("y", 0.90, 1.15, 0.55, 0.95),
}
SHAPES = [(view, name) for view in VIEWS.values() for name in view.shapes]


@pytest.mark.parametrize(("view_id", "text", "place", "frame", "along", "across"), DRAWN)
def test_a_landmark_is_drawn_in_its_place(
    view_id: str, text: str, place: tuple[float, float], frame: str, along: float, across: float
) -> None:
    """A blade that hangs two vertebrae low, as it once did, fails here."""
    view = VIEWS[view_id]
    assert any(text in line for line in view.lines), f"{text} is not drawn in {view_id}"
    assert view.fraction(frame, XY(*place)) == pytest.approx((along, across), abs=NEAR)


def test_the_sides_of_every_view_are_its_outline() -> None:
    for view in VIEWS.values():
        for y, inner, outer in view.sides:
            assert view.outline.both(y) == pytest.approx((inner, outer))
        assert [y for y, _, _ in view.sides] == sorted({y for y, _, _ in view.sides})


@pytest.mark.parametrize(("view", "name"), SHAPES, ids=lambda p: p if isinstance(p, str) else p.id)
def test_what_is_lit_stays_off_what_its_words_forbid(view: View, name: str) -> None:
    shape = view.shapes[name]
    for off in shape.avoid:
        assert off in view.avoid, f"{off} is not drawn in {view.id}"
        if (view.id, off) not in OFF:
            continue
        frame, low, high, left, right = OFF[view.id, off]
        for i in range(41):
            for j in range(11):
                along, across = low + (high - low) * i / 40, left + (right - left) * j / 10
                place = view.at(frame, along, across)
                lit = [patch for patch in shape.lit if covers(view, patch, place)]
                assert not lit, f"{lit} lies on {off} at {frame} {along:.2f} {across:.2f}"


def test_a_diamond_and_lines_are_kept_off_too() -> None:
    """The hollow of the knee and the edge of the blade are lines; nothing lit touches them."""
    for view, name in SHAPES:
        shape = view.shapes[name]
        for off in shape.avoid:
            for way in view.avoid[off]:
                if way.startswith("oval"):
                    continue
                for place in steps(view.way(way)):
                    lit = [patch for patch in shape.lit if covers(view, patch, place)]
                    assert not lit, f"{view.id} {name}: {lit} lies on {off}"


def steps(places: list[XY]) -> list[XY]:
    """Places every few units along a broken line."""
    found = []
    for a, b in pairwise(places):
        many = max(2, int(hypot(b.x - a.x, b.y - a.y) / 4))
        found += [
            XY(a.x + (b.x - a.x) * i / many, a.y + (b.y - a.y) * i / many) for i in range(many + 1)
        ]
    return found


def test_every_way_of_the_hands_begins_and_ends_on_what_is_lit() -> None:
    for view, name in SHAPES:
        shape = view.shapes[name]
        for mark, ways in shape.marks.items():
            if any("hole" in patch for patch in shape.lit):
                continue  # the ring goes round the middle
            for way in ways:
                ends = (view.at(*spots(way)[0]), view.at(*spots(way)[-1]))
                for place in ends:
                    assert any(
                        covers(view, patch, XY(place.x, place.y + nudge))
                        for patch in (*shape.lit, *shape.pale)
                        for nudge in (-14, 0, 14)
                    ), f"{view.id} {name} {mark}: {way}"


def test_a_point_is_drawn_where_the_catalogue_says() -> None:
    for view in VIEWS.values():
        for name, point in view.points.items():
            at = next(spot for spot in CATALOGUE.points[name].at if spot.view == view.id)
            assert spots(point.at) == ((at.frame, at.along, at.across),)
    drawn = [patch_of(patch)[:3] for patch in VIEWS["back"].shapes["chosen-points"].pale]
    bands = [
        (b.frame, tuple(b.along), tuple(b.across)) for b in CATALOGUE.points["back-band"].bands
    ]
    assert drawn == bands == list(BANDS)


def test_no_two_points_of_a_view_share_a_place() -> None:
    for view in VIEWS.values():
        places = [view.way(point.at)[0] for point in view.points.values()]
        assert len(set(places)) == len(places)


def test_a_patch_is_read_as_it_is_written() -> None:
    box = patch_of("s 0.1..0.92 x 0.5..0.92")
    assert box == ("s", (0.1, 0.92), (0.5, 0.92), None)
    assert patch_of("oval s -0.07 0.5 r 0.06 0.24 hole 0.5") == ("s", -0.07, 0.5, 0.06, 0.24, 0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"shapes": {"heel": {"lit": ["q 0.1..0.2 x 0.1..0.9"]}}},
        {"shapes": {"heel": {"lit": ["oval q 0.1 0.5 r 0.1 0.2"]}}},
        {"shapes": {"heel": {"lit": ["s 0..1 x 0..1"], "marks": {"up": ["s 0 0 > q 1 1"]}}}},
        {"avoid": {"shin": ["q 0.1 0.2"]}},
    ],
)
def test_a_place_in_no_frame_of_its_view_is_refused(change: dict[str, object]) -> None:
    raw = VIEWS["leg-inner"].model_dump() | change
    with pytest.raises(ValidationError, match=r"found frame q in .*, expected one of s"):
        View.model_validate(raw, strict=False)
