"""The rules of content version 9462604ecad2, frozen: what newer rules are held against."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from webapp.domain.catalogue import LEVELS, UNSURE, Area
from webapp.domain.protocol import Protocol

QUESTIONS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "screening.json").read_text(encoding="utf-8")
)["questions"]
URGENCIES = (None, "urgent", "same-day", "emergency")
Finding = tuple[str, str | None]
REFUSED: dict[str, Any] = {"level": "not-today"}


def matches(when: Mapping[str, Any], protocol: Protocol, areas: Mapping[str, Area]) -> bool:
    phases = tuple(protocol.all_phases())
    regions = {*protocol.regions, *(areas[p.area].region for p in phases)}
    techniques = {phase.technique for phase in phases}
    return (
        (not when.get("regions") or not regions.isdisjoint(when["regions"]))
        and (not when.get("techniques") or not techniques.isdisjoint(when["techniques"]))
        and (not when.get("conditions") or protocol.condition in when["conditions"])
        and (not when.get("access") or protocol.access in when["access"])
    )


def outcome_of(
    question: Mapping[str, Any], token: str, protocol: Protocol, areas: Mapping[str, Area]
) -> Mapping[str, Any] | None:
    kind = question.get("kind", "sign")
    if kind != "choice" and token == ("yes" if kind == "promise" else "no"):
        return None
    found = question.get("outcomes", [])
    if kind == "choice":
        options = [o for o in question["options"] if token in (o["id"], UNSURE)]
        found = [outcome for option in options for outcome in option.get("outcomes", [])]
    if kind == "place" and token == UNSURE:
        return REFUSED
    fitting = [o for o in found if matches(o.get("when", {}), protocol, areas)]
    if not fitting:
        return None if kind == "choice" else REFUSED
    worst: Mapping[str, Any] = max(fitting, key=lambda outcome: LEVELS.index(outcome["level"]))
    return worst


def of_glucose(
    shown: str, value: Decimal | None, low_risk: bool, ketone_risk: bool, ketones: Decimal | None
) -> list[Finding]:
    """The table of 2.3 as it was; ``value`` in mmol/L."""
    found: list[Finding] = []
    if ketones is not None and ketones >= Decimal("0.6"):
        over = ketones > Decimal("3.0")
        found.append(("help", "emergency") if over else ("not-today", None))
    if shown == "none":
        return [*found, ("not-today" if low_risk else "changes", None)]
    if shown == "lo" or (value is not None and value < Decimal("3.0")):
        return [*found, ("help", "emergency")]
    if shown == "hi" or value is None or value > Decimal("16.7"):
        return [*found, ("not-today", None)]
    if value < Decimal("4.0") or (value < Decimal("5.6") and low_risk):
        return [*found, ("not-today", None)]
    if value > Decimal("13.9"):
        if ketone_risk and ketones is None:
            return [("not-today", None)]
        return found if ketone_risk and found else [*found, ("changes", None)]
    return found


def is_asked(question_id: str, protocol: Protocol, areas: Mapping[str, Area]) -> bool:
    (question,) = [q for q in QUESTIONS if q["id"] == question_id]
    return question_id in protocol.screening or any(
        matches(when, protocol, areas) for when in question.get("asked", [{}])
    )


def verdict(
    protocol: Protocol, areas: Mapping[str, Area], given: Mapping[str, str], glucose: list[Finding]
) -> tuple[int, int]:
    """How bad the verdict was: level, then urgency."""
    found = list(glucose)
    for question in QUESTIONS:
        asked = is_asked(question["id"], protocol, areas)
        outcome = outcome_of(question, given[question["id"]], protocol, areas) if asked else None
        if outcome:
            found.append((outcome["level"], outcome.get("urgency")))
    return max(
        ((LEVELS.index(level), URGENCIES.index(urgency)) for level, urgency in found),
        default=(0, 0),
    )
