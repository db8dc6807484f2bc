"""Where lit patches and places to keep off meet: boxes, ovals, rings and lines."""

from __future__ import annotations

import pytest

from tests.support.builders import shipped
from webapp.domain.keep_off import lies_on, overlap

VIEWS = shipped().catalogue.views
BACK, FRONT = VIEWS["back"], VIEWS["leg-front"]


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("y 0.1..0.4 x 0.2..0.5", "y 0.3..0.6 x 0.4..0.9", True),
        ("y 0.1..0.4 x 0.2..0.5", "y 0.4..0.6 x 0.2..0.5", False),
        ("y 0.1..0.4 x 0.2..0.5", "y 0.1..0.4 x 0.5..0.9", False),
        ("y 0..1 x 0.4..0.5", "oval y 0.5 0.7 r 0.1 0.15", False),
        ("y 0..1 x 0.4..0.6", "oval y 0.5 0.7 r 0.1 0.15", True),
        ("oval y 0.5 0.5 r 0.2 0.4 hole 0.5", "oval y 0.5 0.5 r 0.05 0.1", False),
        ("oval y 0.5 0.5 r 0.2 0.4 hole 0.5", "oval y 0.5 0.8 r 0.05 0.1", True),
    ],
)
def test_two_patches_overlap_or_only_touch(one: str, other: str, meets: bool) -> None:
    assert overlap(BACK, one, other) is overlap(BACK, other, one) is meets


def test_an_item_has_a_patch_or_else_its_line() -> None:
    assert lies_on(BACK, ["y 0.4..0.5 x 0.3..0.6"], "kidneys")
    assert not lies_on(BACK, ["y 0.03..0.42 x 0.12..0.9"], "kidneys")
    assert lies_on(BACK, ["y 0.1..0.3 x 0.3..0.6"], "blade-edge")
    assert not lies_on(BACK, ["y 0.1..0.3 x 0.2..0.38"], "blade-edge")


def test_the_ring_round_the_kneecap_is_off_it_and_one_that_covers_it_is_not() -> None:
    assert not lies_on(FRONT, FRONT.shapes["knee"].lit, "kneecap")
    assert lies_on(FRONT, ["oval s -0.07 0.5 r 0.125 0.46"], "kneecap")


def test_what_a_view_does_not_show_is_never_lit() -> None:
    assert not lies_on(FRONT, ["s 0..1 x 0..1"], "kidneys")
