"""Pictures of phases: which phase has an exact drawing, and the words where it has none.

Asked whenever a phase is shown, never kept in a plan: a session that was prepared long ago must not
show a picture that was found wrong since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from webapp.domain.anatomy import Drawn, View
from webapp.domain.catalogue import Area, Catalogue
from webapp.domain.keep_off import lies_on
from webapp.domain.plan import PlannedStep
from webapp.domain.protocol import ChosenPoint, Phase, Protocol
from webapp.domain.ways import contradiction, mark_of

PARTS = {"legs": "leg", "feet": "foot", "arms": "arm", "ear": "ear"}
SEVERAL = {"foot": "feet"}

# From where the body can be seen: from behind, from the front; "side" of a client who sits freely.
Sides = tuple[str, ...]
BOTH_WAYS: Sides = ("behind", "front")
FACE_DOWN = re.compile(r"face down|forehead|wrong way round")
FACE_UP = re.compile(r"face up|half sitting|back support|on the back\b|back supported")


class Words(NamedTuple):
    """Where, on which side, which way; ``side`` and ``way`` are empty where a file has none."""

    place: str
    side: str
    way: str


def seen_from(protocol: Protocol) -> Sides:
    """From where the body is seen in the positions of a protocol; both where none is told."""
    postures, text = protocol.postures or (), protocol.position.lower()
    found = {
        "behind": not {"face-down", "head-forward"}.isdisjoint(postures) or FACE_DOWN.search(text),
        "front": "face-up" in postures or FACE_UP.search(text),
    }
    sides = tuple(side for side in BOTH_WAYS if found[side]) or BOTH_WAYS
    return (*sides, "side") if text.startswith("sitting") and not found["front"] else sides


def is_seen(view: View, seen: Sides) -> bool:
    """Whether a view shows what can be seen of the body from there."""
    return view.either or view.pose not in BOTH_WAYS or view.pose in seen


def picture_of(
    catalogue: Catalogue,
    protocol: str,
    step_id: str,
    step: Phase | PlannedStep,
    seen: Sides = BOTH_WAYS,
) -> Drawn | None:
    """What the figure of a step shows; None where it would show another thing than the words.

    A protocol of ours has its pictures listed. For others it is derived from area, arrow and what
    the words forbid: never a point, since their file names none. ``step_id`` is the id in a plan.
    """
    if not step.technique or not step.area or step.side == "middle":
        return None
    if isinstance(step, PlannedStep) and step.kind == "change":
        step_id = step_id.removeprefix("to-")  # a move shows the phase that it leads to
    if listed := listed_picture(catalogue, protocol, step_id, step.area):
        return listed if is_drawn(catalogue, listed) else None
    if step.point:
        return of_point(catalogue, step.point, step.hands or "")
    for scene in catalogue.scenes.values():
        if step.technique == "stretching" and scene.hand == step.hands:
            return Drawn(scene.id, hand=scene.hand)
    if any(wrong.holds(step.technique, step.area) for wrong in catalogue.wrong_pictures):
        return None
    return next(derived(catalogue, step, seen), None)


def listed_picture(catalogue: Catalogue, protocol: str, step_id: str, area: str) -> Drawn | None:
    """The picture that the catalogue lists for a phase of ours."""
    names = ((protocol, name, area) for name in (step_id, without_side(step_id)))
    return next(
        (catalogue.phase_pictures[n].drawn for n in names if n in catalogue.phase_pictures), None
    )


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


def derived(catalogue: Catalogue, step: Phase | PlannedStep, seen: Sides) -> Iterator[Drawn]:
    """The pictures of a step of somebody else's file that show what its words say.

    An arrow that runs against the words is left out; the loader tells it.
    """
    area, forbidden = step.area or "", forbidden_items(catalogue, step)
    for view in views_of(catalogue, area):
        for name in shapes_of(view, area) if is_seen(view, seen) else ():
            shape = view.shapes[name]
            mark = mark_of(step)
            if contradiction(catalogue, view, shape, mark, step):
                mark = ""
            drawn = Drawn(view.id, name, mark, hand=step.hands or "")
            lit = (*shape.lit, *shape.pale)
            if not any(lies_on(view, lit, item) for item in forbidden) and is_drawn(
                catalogue, drawn
            ):
                yield drawn


def forbidden_items(catalogue: Catalogue, step: Phase | PlannedStep) -> list[str]:
    """The keep-away items that a step names: by id, in format 1 by a word of theirs."""
    told = " ".join(step.avoid).lower()
    named = [item for words, item in TOLD.items() if re.search(words, told)]
    return [*step.not_here, *named]


# How lines of format 1 call what hands keep off.
TOLD = {
    r"kidney": "kidneys",
    r"(low|last|free)\w* ribs?": "last-ribs",
    r"spine": "spine",
    r"shin": "shin",
    r"(hollow|back) of the knee|behind the knee": "hollow-of-knee",
    r"groin|inner thigh": "groin-inner-thigh",
    r"under the skull": "occiput-hollow",
    r"tailbone": "tailbone",
    r"sit bone": "sit-bone",
}
NARROWER = ("clear", "off-edge", "hand-wide", "strip", "two-fingers", "two-fingers-clear")


def views_of(catalogue: Catalogue, area: str) -> list[View]:
    """The views in which an area is drawn: first the one that the area names."""
    known = catalogue.areas.get(area)
    views = [view for view in catalogue.views.values() if area in view.shapes]
    return sorted(views, key=lambda view: view.id != known.figure) if known else []


def shapes_of(view: View, area: str) -> list[str]:
    """The shapes of an area in a view: all of it, then narrower ones."""
    return [
        name for name in (area, *(f"{area}-{part}" for part in NARROWER)) if name in view.shapes
    ]


def words_of(
    catalogue: Catalogue, protocol: str, step_id: str, step: Phase | PlannedStep, area: Area
) -> Words:
    """What stands in place of the figure; of a protocol that nobody went through, its own words.

    ``step_id`` is the id in a plan, so with its side.
    """
    known = catalogue.place_words.get((protocol, step_id, area.id))
    way = step.direction or ("press in place" if step.technique == "point-pressure" else "")
    return Words(
        place=known.place if known else area.name,
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
