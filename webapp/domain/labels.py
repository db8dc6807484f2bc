"""Display words for enumerated values of protocol files."""

from __future__ import annotations

from webapp.domain.catalogue import Area
from webapp.domain.protocol import Breathing, Passes, Span

PERFORMERS = {"therapist": "a therapist", "helper": "a helper at home", "self": "yourself"}
GRADES = {
    "guideline": "Guideline",
    "moderate": "Moderate evidence",
    "low": "Low evidence",
    "traditional": "Traditional, hardly studied",
}
CONDITIONS = {
    "diabetes-mellitus": "Diabetes",
    "spinal-osteochondrosis": "Spinal osteochondrosis",
}


LOCKS = {
    "clearance": "More questions first",
    "professional": "For trained hands only",
    "withheld": "Explained, never run",
}


LIMBS = ("legs", "feet", "arms", "ear")


def place_name(area: Area, side: str | None) -> str:
    """Where: ``Left calf``, ``Left: upper back``, ``Calf, both``, ``Back``."""
    limb = area.region in LIMBS or area.name.startswith("Side ")
    if side in ("left", "right"):
        name = f"{area.name[0].lower()}{area.name[1:]}"
        return f"{side.capitalize()}{'' if limb else ':'} {name}"
    return f"{area.name}, both" if limb and side == "both" else area.name


def span(value: Span) -> str:
    """``6 months``, ``1 week``."""
    parts = [
        f"{number} {unit if number != 1 else unit.removesuffix('s')}"
        for number, unit in (
            (value.months, "months"),
            (value.weeks, "weeks"),
            (value.days, "days"),
        )
        if number
    ]
    return " ".join(parts)


def breathing(pace: Breathing) -> str:
    """Return a pace of breathing in words."""
    return f"Breathe in {pace.in_seconds} s, out {pace.out_seconds} s"


def passes(count: Passes) -> str:
    """``4 to 5 times``."""
    if count.least == count.most:
        return "once" if count.most == 1 else f"{count.most} times"
    return f"{count.least} to {count.most} times"


def by_whom(performers: tuple[str, ...]) -> str:
    """Return in words who may perform a protocol."""
    return " or ".join(PERFORMERS[name] for name in performers)
