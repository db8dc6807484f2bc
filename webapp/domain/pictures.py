"""Pictures of phases: which phase has an exact drawing, and the words where it has none.

Asked whenever a phase is shown, never kept in a plan: a session that was prepared long ago must not
show a picture that was found wrong since.
"""

from __future__ import annotations

from typing import NamedTuple

from webapp.domain.anatomy import Drawn, View
from webapp.domain.catalogue import Area, Catalogue
from webapp.domain.plan import PlannedStep
from webapp.domain.protocol import ChosenPoint, Phase

PARTS = {"legs": "leg", "feet": "foot", "arms": "arm", "ear": "ear"}
SEVERAL = {"foot": "feet"}


class Words(NamedTuple):
    """Where, on which side, which way; ``side`` and ``way`` are empty where a file has none."""

    place: str
    side: str
    way: str


def picture_of(
    catalogue: Catalogue, protocol: str, step_id: str, step: Phase | PlannedStep
) -> Drawn | None:
    """What the figure of a step shows; None where it would show another thing than the words.

    A protocol of ours has its pictures listed. For others it is derived from area, arrow and what
    the words forbid: never a point, since their file names none. ``step_id`` is the id in a plan.
    """
    if not step.technique or not step.area:
        return None
    if isinstance(step, PlannedStep) and step.kind == "change":
        step_id = step_id.removeprefix("to-")  # a move shows the phase that it leads to
    for name in (step_id, without_side(step_id)):
        listed = catalogue.phase_pictures.get((protocol, name, step.area))
        if listed:
            return listed.drawn if is_drawn(catalogue, listed.drawn) else None
    if step.point:
        return of_point(catalogue, step.point, step.hands or "")
    if any(wrong.holds(step.technique, step.area) for wrong in catalogue.wrong_pictures):
        return None
    return derived(catalogue, step)


def of_point(catalogue: Catalogue, point: str | ChosenPoint, hand: str) -> Drawn | None:
    """The picture of a point that a file names; of a chosen one, the band it may lie in."""
    if isinstance(point, ChosenPoint):
        drawn = Drawn("back", "chosen-points", "still", "", hand, chosen=True)
        return drawn if is_drawn(catalogue, drawn) else None
    views = (view.id for view in catalogue.views.values() if point in view.points)
    return next((Drawn(view, point=point, hand=hand) for view in views), None)


def without_side(step_id: str) -> str:
    """The id of a phase in its file, from its id in a plan."""
    return step_id.removesuffix("-left").removesuffix("-right")


def is_drawn(catalogue: Catalogue, drawn: Drawn) -> bool:
    """Whether the view has that shape with a way for the mark, or that point."""
    view = catalogue.views.get(drawn.view)
    if not view:
        return drawn.view in catalogue.scenes
    if drawn.point:
        return drawn.point in view.points
    shape = view.shapes.get(drawn.shape)
    return bool(shape and (shape.lit or shape.pale) and drawn.mark in ("", "still", *shape.marks))


def derived(catalogue: Catalogue, step: Phase | PlannedStep) -> Drawn | None:
    """The picture of a step of somebody else's file."""
    area = step.area or ""
    view = view_of(catalogue, area)
    if not view:
        return None
    forbidden = " ".join((*step.avoid, *step.not_here)).lower()
    shape = area
    for word, variants in CLEAR.items():
        if word in forbidden:
            fit = [f"{area}-{name}" for name in variants if f"{area}-{name}" in view.shapes]
            if not fit and view.id in ("back", "low-back-buttocks"):
                return None
            shape = fit[0] if fit else shape
    mark = MARKS.get((step.technique or "", step.arrow or ""), step.arrow or "")
    drawn = Drawn(view.id, shape, mark, hand=step.hands or "")
    return drawn if is_drawn(catalogue, drawn) else None


CLEAR = {"kidney": ("clear",), "lower ribs": ("clear",), "last-ribs": ("clear",)}
MARKS = {("vibration", "still"): "shake", ("patting", "still"): "pats"}


def view_of(catalogue: Catalogue, area: str) -> View | None:
    """The view in which an area is drawn: the one that the area names, or the first that has it."""
    known = catalogue.areas.get(area)
    if not known:
        return None
    views = [view for view in catalogue.views.values() if area in view.shapes]
    return next((view for view in views if view.id == known.figure), views[0] if views else None)


def words_of(
    catalogue: Catalogue, protocol: str, step_id: str, step: Phase | PlannedStep, area: Area
) -> Words:
    """What stands in place of the figure; of a protocol that nobody went through, its own words.

    ``step_id`` is the id in a plan, so with its side.
    """
    known = catalogue.place_words.get((protocol, step_id, area.id))
    way = step.direction or ("press in place" if step.technique == "point-pressure" else "")
    return Words(
        place=known.place if known else f"{area.name}: {step.title}",
        side=(known and known.side) or side_words(step.side, area.region),
        way=way[:1].upper() + way[1:],
    )


def side_words(side: str | None, region: str) -> str:
    """``Left leg``, ``Both feet``, ``Right side``, ``In the middle``."""
    part = PARTS.get(region, "side")
    if side == "both":
        return f"Both {SEVERAL.get(part, f'{part}s')}"
    if side == "middle":
        return "In the middle"
    return f"{side.capitalize()} {part}" if side else ""
