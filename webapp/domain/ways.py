"""Which way an arrow runs on a drawing, and whether the words of a phase say another."""

from __future__ import annotations

import re
from math import hypot

from webapp.domain.anatomy import XY, Shape, View
from webapp.domain.catalogue import Catalogue, Landmark
from webapp.domain.plan import PlannedStep
from webapp.domain.protocol import Phase

MARKS = {("vibration", "still"): "shake", ("patting", "still"): "pats"}
# Ways in words. Other words, as "to the knee", are compared by where they lie.
TURNS = {
    "up": re.compile(r"\bup(ward|wards)?\b"),
    "down": re.compile(r"\bdown(ward|wards)?\b"),
    "outward": re.compile(r"\b(out|outwards?)\b"),
    "inward": re.compile(r"\b(in|inwards?)\b"),
}
FROM_TO = re.compile(r"^(?:from )?(.+?),? (?:up to|down to|out to|to|towards) (.+)$")
NOT_PLACES = {
    "the",
    "and",
    "of",
    "up",
    "out",
    "in",
    "row",
    "by",
    "slowly",
    "side",
    "low",
    "edge",
    "where",
}


def mark_of(step: Phase | PlannedStep) -> str:
    """The mark of a step on the drawing of its area."""
    return MARKS.get((step.technique or "", step.arrow or ""), step.arrow or "")


def ends_of(step: Phase | PlannedStep) -> tuple[str | None, str | None]:
    """The landmarks from which and to which a step goes."""
    if isinstance(step, Phase):
        return step.from_, step.to
    return step.from_landmark, step.to_landmark


def contradiction(
    catalogue: Catalogue, view: View, shape: Shape, mark: str, step: Phase | PlannedStep
) -> str | None:
    """How an arrow runs against the words or the landmarks of its step; None where it does not."""
    told = (step.direction or "").lower()
    named = [turn for turn, words in TURNS.items() if words.search(told)]
    if step.arrow in TURNS and named and step.arrow not in named:
        return (
            f"{step.arrow!r} contradicts the direction {step.direction!r}, "
            f"expected {' or '.join(map(repr, named))}"
        )
    drawn = [view.way(way) for way in shape.marks.get(mark, ())]
    way = next((places for places in drawn if len(places) > 1), None)
    ends = landmark_ends(catalogue, view, step) or worded_ends(catalogue, view, told)
    if not way or not ends or mark in ("across", "shake"):
        return None
    wanted = ends[1].x - ends[0].x, ends[1].y - ends[0].y
    found = way[-1].x - way[0].x, way[-1].y - way[0].y
    if not hypot(*wanted) or wanted[0] * found[0] + wanted[1] * found[1] >= 0:
        return None
    start, end = ends_of(step)
    said = f"from {start!r} to {end!r}" if start else repr(step.direction)
    return f"{step.arrow!r} runs against {said}, expected the arrow of the other way"


def landmark_ends(
    catalogue: Catalogue, view: View, step: Phase | PlannedStep
) -> tuple[XY, XY] | None:
    """Where the landmarks lie from which and to which a phase goes; None where one is not told."""
    found = [spot_in(view, catalogue.landmarks.get(name or "")) for name in ends_of(step)]
    start, end = found
    return (start, end) if start and end else None


def spot_in(view: View, landmark: Landmark | None) -> XY | None:
    """The place of a landmark in a view; a frame across is followed from its start."""
    for spot in landmark.at if landmark else ():
        if spot.view == view.id and spot.frame in view.frames and spot.across is not None:
            return view.at(spot.frame, spot.along, spot.across)
    return None


def worded_ends(catalogue: Catalogue, view: View, told: str) -> tuple[XY, XY] | None:
    """Where ``toes to heel`` begins and ends in a view, by the names of its landmarks."""
    found = FROM_TO.match(told)
    if not found:
        return None
    start, end = (worded(catalogue, view, words) for words in found.groups())
    return (start, end) if start and end else None


def worded(catalogue: Catalogue, view: View, words: str) -> XY | None:
    """The middle of the landmarks of a view whose names have a word in common with ``words``."""
    wanted = {*re.findall(r"[a-z]{3,}", words)} - NOT_PLACES
    places = [
        spot
        for mark in catalogue.landmarks.values()
        if wanted & {*re.findall(r"[a-z]{3,}", mark.name.lower())} and (spot := spot_in(view, mark))
    ]
    if not places:
        return None
    return XY(sum(p.x for p in places) / len(places), sum(p.y for p in places) / len(places))
