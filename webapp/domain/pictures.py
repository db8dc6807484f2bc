"""Which phases have a true picture, and what the others show in words instead.

Asked whenever a phase is shown, never kept in a plan: a session that was prepared long ago must not
show a picture that was found wrong since.
"""

from __future__ import annotations

from typing import NamedTuple

from webapp.domain.catalogue import Area, Catalogue
from webapp.domain.plan import PlannedStep
from webapp.domain.protocol import Phase

PARTS = {"legs": "leg", "feet": "foot", "arms": "arm", "ear": "ear"}
SEVERAL = {"foot": "feet"}


class Words(NamedTuple):
    """Where, on which side and which way; ``side`` and ``way`` are empty where a file says nothing."""

    place: str
    side: str
    way: str


def is_wrong(catalogue: Catalogue, technique: str, area: str) -> bool:
    """True when the figure would show what the words forbid, or leave out what they name."""
    return any(wrong.holds(technique, area) for wrong in catalogue.wrong_pictures)


def words_of(
    catalogue: Catalogue, protocol: str, step_id: str, step: Phase | PlannedStep, area: Area
) -> Words:
    """What stands in the place of the figure; of a protocol that nobody went through, its own words.

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
