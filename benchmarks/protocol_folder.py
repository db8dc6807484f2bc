"""A folder with one protocol of equal phases that follow one another without a person."""

from __future__ import annotations

import json
import math
from pathlib import Path

PROTOCOL = "benchmark"
MOST_PHASES = 60  # of the format
USUAL_PHASES = 20
PHASE_SECONDS = 20
LONG_PHASE_SECONDS = 30

HANDS = (("stroking", "outward"), ("kneading", "circles"), ("trituration", "spirals"))


def long_enough(folder: Path, seconds: float) -> Path:
    """A protocol that runs for ``seconds`` at least, with short phases where they suffice."""
    each = PHASE_SECONDS if seconds <= PHASE_SECONDS * MOST_PHASES else LONG_PHASE_SECONDS
    return write(folder, each, max(USUAL_PHASES, math.ceil(seconds / each)))


def write(folder: Path, each: int = PHASE_SECONDS, count: int = USUAL_PHASES) -> Path:
    """Write the protocol into ``folder`` and give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    total = each * count
    protocol = {
        "format": 1,
        "id": PROTOCOL,
        "title": "Benchmark",
        "summary": "Equal phases, one after the other.",
        "condition": "spinal-osteochondrosis",
        "regions": ["back"],
        "performer": ["helper"],
        "position": "Lying.",
        "access": "open",
        "evidence": {"grade": "traditional", "note": "None."},
        "session": {"min": total, "usual": total, "max": total},
        "phases": [phase(number, each) for number in range(count)],
    }
    (folder / f"{PROTOCOL}.json").write_text(json.dumps(protocol), encoding="utf-8")
    return folder


def phase(number: int, each: int) -> dict[str, object]:
    technique, arrow = HANDS[number % len(HANDS)]
    return {
        "id": f"phase-{number}",
        "technique": technique,
        "title": f"Phase {number}",
        "area": "whole-back",
        "side": "both",
        "direction": "from the low back to the shoulders",
        "arrow": arrow,
        "pressure": 2,
        "tempo": 20,
        "seconds": {"min": each, "usual": each, "max": each},
        "instructions": ["Both hands glide from low to high.", "Let the shoulders sink."],
        "avoid": ["Straight on the spine"],
        "origin": "inferred",
    }
