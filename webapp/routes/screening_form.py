"""Form parser of a screening: fields to answers.

Fields: ``q-<question>`` a token, ``none-<group>`` no to all the rest of a group,
``place-<question>`` marked places, ``glucose-shown``, ``glucose``, ``unit``, ``trend``,
``glucose-before``, ``minutes-ago``, ``ketones-known`` (``yes``, ``no`` or what a strip shows),
``ketones``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from webapp.domain.catalogue import Area, Question
from webapp.domain.glucose import (
    KETONES_MOST,
    PLAUSIBLE,
    READING_COUNTS_MINUTES,
    STRIP_COUNTS,
    TRENDS,
    Ketones,
    MeterDisplay,
    Reading,
    Unit,
    fits_both_units,
    fits_other_unit,
    implausible,
)
from webapp.domain.plan import unroll
from webapp.domain.protocol import Phase, Protocol
from webapp.domain.screening import Answers, has_diabetes
from webapp.domain.signs import typed_text

Fields = MultiDict[str, str]

NUMBER = re.compile(r"^\d{1,4}([.,]\d{1,2})?$", re.ASCII)
WHOLE = re.compile(r"^\d{1,4}$", re.ASCII)
SHOWN: tuple[MeterDisplay, ...] = ("number", "lo", "hi", "none")
UNITS: tuple[Unit, ...] = ("mmol/L", "mg/dL")
IN_GROUPS = ("sign", "place")


@dataclass(frozen=True)
class ScreeningForm:
    """What a form holds: the answers, faults by field, and how many minutes ago was measured."""

    answers: Answers
    faults: dict[str, str]
    minutes_ago: int = 0


def answers_of(fields: Fields, questions: Sequence[Question], protocol: Protocol) -> ScreeningForm:
    """The answers in ``fields``. What cannot be understood is a fault, never an answer."""
    given: dict[str, str] = {}
    places: dict[str, tuple[str, ...]] = {}
    known = places_of(protocol)
    for question in questions:
        tokens = set(fields.getlist(f"q-{question.id}"))
        if len(tokens) > 1:
            continue  # contradictory: asked again
        token = next(iter(tokens), "")
        sent = tuple(fields.getlist(f"place-{question.id}"))
        if sent and (token != "yes" or not known.keys() >= set(sent)):
            continue  # places without a yes, or of another protocol: asked again
        in_group = question.kind in IN_GROUPS and not question.follows
        if not token and in_group and ticked(fields, f"none-{question.group}"):
            token = "no"
        if token:
            given[question.id] = token
        if sent:
            places[question.id] = sent
    faults: dict[str, str] = {}
    reading, minutes_ago, ketones = None, 0, None
    if has_diabetes(protocol, Answers(given=given)):
        reading, minutes_ago = reading_of(fields, faults)
        ketones = ketones_of(fields, faults)
    answers = Answers(given=given, places=places, reading=reading, ketones=ketones)
    return ScreeningForm(answers, faults, minutes_ago)


def ticked(fields: Fields, name: str) -> bool:
    """True for the one value that the form's own box sends."""
    return fields.getlist(name) == ["1"]


def reading_of(fields: Fields, faults: dict[str, str]) -> tuple[Reading | None, int]:
    """The reading and its age in minutes; None when it is not given, or at fault."""
    shown = next((s for s in SHOWN if s == fields.get("glucose-shown")), None)
    if shown is None:
        return None, 0
    if shown == "none":
        return Reading(shown="none"), 0
    minutes = minutes_ago(fields, faults)
    if shown != "number":
        return (Reading(shown=shown), minutes) if minutes is not None else (None, 0)
    reading = number_reading(fields, faults)
    if reading:
        reading = with_trend(reading, fields, faults)
    return (reading, minutes) if reading and minutes is not None else (None, 0)


def with_trend(reading: Reading, fields: Fields, faults: dict[str, str]) -> Reading | None:
    """The reading with its arrow, and with the number of ten minutes before where one is given."""
    trend = next((t for t in TRENDS if t == fields.get("trend")), None)
    typed = typed_text(fields.get("glucose-before", ""))
    before = Decimal(typed.replace(",", ".")) if NUMBER.match(typed) else None
    if typed and (before is None or implausible(before, reading.unit)):
        faults["glucose-before"] = "Please give the earlier reading as a number of the same unit."
        return None
    return reading.model_copy(update={"trend": trend, "before": before})


def reading_now(fields: Fields, faults: dict[str, str]) -> Reading | None:
    """A reading of this moment: a number, LO or HI; None with the fault when it is none."""
    shown = fields.get("glucose-shown")
    if shown == "lo":
        return Reading(shown="lo")
    if shown == "hi":
        return Reading(shown="hi")
    return number_reading(fields, faults)


def minutes_ago(fields: Fields, faults: dict[str, str]) -> int | None:
    typed = typed_text(fields.get("minutes-ago", ""))
    if not WHOLE.match(typed):
        faults["minutes-ago"] = "Please give the minutes as a whole number, 0 for just now."
        return None
    if int(typed) > READING_COUNTS_MINUTES:
        faults["minutes-ago"] = "A reading counts for 15 minutes. Please measure again."
        return None
    return int(typed)


def number_reading(fields: Fields, faults: dict[str, str]) -> Reading | None:
    """The typed number with its unit; a number that cannot be is questioned, not taken."""
    unit = next((u for u in UNITS if u == fields.get("unit")), None)
    typed = typed_text(fields.get("glucose", ""))
    if unit is None:
        faults["unit"] = "Please choose the unit of your meter."
        return None
    if not NUMBER.match(typed):
        faults["glucose"] = "Please give the reading as a number, like 6.4 or 115."
        return None
    value = Decimal(typed.replace(",", "."))
    if fits_other_unit(value, unit):
        other = next(u for u in UNITS if u != unit)
        faults["glucose"] = f"{typed} {unit} cannot be. Is it {typed} {other}? Choose the unit."
        return None
    if implausible(value, unit):
        least, most = PLAUSIBLE[unit]
        faults["glucose"] = f"{typed} {unit} cannot be. Meters show {least} to {most} {unit}."
        return None
    if fits_both_units(value) and fields.get("unit-sure") != unit:
        faults["unit-sure"] = (
            f"{typed} mmol/L would be very high, {typed} mg/dL very low. "
            "Look at the meter once more."
        )
        return None
    return Reading(shown="number", value=value, unit=unit)


def ketones_of(fields: Fields, faults: dict[str, str]) -> Ketones | None:
    """Ketones as typed; None when nothing was said about them, or what was said is at fault."""
    known = fields.get("ketones-known")
    if known == "no":
        return Ketones(mmol_per_l=None)
    strip = next((shown for shown in STRIP_COUNTS if shown == known), None)
    if strip:
        return Ketones(mmol_per_l=None, strip=strip)
    if known != "yes":
        return None
    typed = typed_text(fields.get("ketones", ""))
    value = Decimal(typed.replace(",", ".")) if NUMBER.match(typed) else None
    if value is None or value > KETONES_MOST:
        faults["ketones"] = "Please give blood ketones in mmol/L as a number, like 0.3."
        return None
    return Ketones(mmol_per_l=value)


def places_of(protocol: Protocol) -> dict[str, tuple[str, str]]:
    """The places that hands touch: area and side ("" for both) by ``area`` or ``area:side``."""
    found: dict[str, tuple[str, str]] = {}
    for item, _ in unroll(protocol):
        if isinstance(item, Phase):
            side = item.side if item.side in ("left", "right") else ""
            found[f"{item.area}:{side}" if side else item.area] = (item.area, side or "")
    return found


def place_name(area: Area, side: str) -> str:
    return f"{side.capitalize()} {area.name.lower()}" if side else area.name
