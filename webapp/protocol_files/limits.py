"""Length limits: which texts of a phase are too long for the stage.

A longer text is a warning and no fault: the stage then shows it smaller.
"""

from __future__ import annotations

from collections.abc import Iterator

from webapp.domain.catalogue import Catalogue
from webapp.domain.labels import place_name
from webapp.domain.protocol import Phase
from webapp.protocol_files import json_reader

TITLE = 32
PLACE = 42
INSTRUCTION = 42
KEEP_OFF = 70

Complaint = tuple[json_reader.Path, str]


def length_complaints(
    place: json_reader.Path, phase: Phase, catalogue: Catalogue
) -> Iterator[Complaint]:
    """Every text of a phase that is longer than the stage has room for, with its count."""
    texts: list[tuple[json_reader.Path, str, int]] = [(("title",), phase.title, TITLE)]
    if area := catalogue.areas.get(phase.area):
        where = place_name(area, phase.side or "right")
        texts.append((("direction",), " ".join(filter(None, (where, phase.direction))), PLACE))
    texts += [(("instructions", i), t, INSTRUCTION) for i, t in enumerate(phase.instructions)]
    for i, text in enumerate(phase.light.instructions if phase.light else ()):
        texts.append((("light", "instructions", i), text, INSTRUCTION))
    texts.append((("not_here",), " · ".join(keep_off(phase, catalogue)), KEEP_OFF))
    for path, text, most in texts:
        if len(text) > most:
            yield (
                (*place, *path),
                f"{len(text)} characters on the stage ({text!r}), expected at most {most}",
            )


def keep_off(phase: Phase, catalogue: Catalogue) -> list[str]:
    """What stands in the two lines of places and rules."""
    known = (catalogue.keep_away[item] for item in phase.not_here if item in catalogue.keep_away)
    return [*(item.short for item in known), *phase.go_lightly]
