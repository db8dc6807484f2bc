"""The glucose rule before a massage, and after it.

Bands and acts: facts.md 2.3. The numbers for lows are R01 and R02; the others are borrowed from
exercise guidance (R05, R05b) and one practitioner (R04). No body has set limits for massage.
A reading is compared in the unit that was entered; between two bands the stricter one holds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from webapp.domain.catalogue import Level, Urgency
from webapp.domain.protocol import Model

Unit = Literal["mmol/L", "mg/dL"]
MeterDisplay = Literal["number", "lo", "hi", "none"]
Band = Literal["severe-low", "low", "borderline", "go", "high", "very-high"]

READING_COUNTS_MINUTES = 15
RECHECK_MINUTES = 15

# Below each of these the band holds, from the lowest upwards (facts.md 2.3).
BELOW: dict[Unit, tuple[tuple[Decimal, Band], ...]] = {
    "mg/dL": (
        (Decimal(54), "severe-low"),
        (Decimal(72), "low"),
        (Decimal(100), "borderline"),
    ),
    "mmol/L": (
        (Decimal("3.0"), "severe-low"),
        (Decimal("4.0"), "low"),
        (Decimal("5.6"), "borderline"),
    ),
}
# Up to and with each of these.
UP_TO: dict[Unit, tuple[tuple[Decimal, Band], ...]] = {
    "mg/dL": ((Decimal(250), "go"), (Decimal(300), "high")),
    "mmol/L": ((Decimal("13.9"), "go"), (Decimal("16.7"), "high")),
}
PLAUSIBLE: dict[Unit, tuple[Decimal, Decimal]] = {
    "mg/dL": (Decimal(20), Decimal(600)),
    "mmol/L": (Decimal("1.1"), Decimal("33.3")),
}
OTHER_UNIT: dict[Unit, Unit] = {"mg/dL": "mmol/L", "mmol/L": "mg/dL"}

KETONES_CLEAR_BELOW = Decimal("0.6")  # mmol/L, R08
KETONES_CALL_FROM = Decimal("1.6")  # mmol/L, R08
KETONES_EMERGENCY_ABOVE = Decimal("3.0")  # mmol/L, R08
KETONES_MOST = Decimal(15)  # mmol/L, what a meter can show


class Reading(Model):
    """What the meter showed: a number in ``unit``, LO, HI, or no meter at hand (``none``)."""

    shown: MeterDisplay
    value: Decimal | None = None
    unit: Unit = "mmol/L"


class Ketones(Model):
    """Blood ketones in mmol/L; None when they were not measured."""

    mmol_per_l: Decimal | None


class Advice(Model):
    """What the rule says of a reading. Level ``clear`` with an act is a friendly reminder.

    ``low``: to be treated at once, whatever else is open.
    """

    level: Level
    said: str
    act: str
    urgency: Urgency | None = None
    wait_minutes: int | None = None
    shortest: bool = False
    low: bool = False


def band_of(reading: Reading) -> Band | None:
    """The band of facts.md 2.3; None when there is no reading.

    Raises ValueError for a number that is missing or cannot be.
    """
    match reading.shown:
        case "none":
            return None
        case "lo":
            return "severe-low"
        case "hi":
            return "very-high"
    if reading.value is None or implausible(reading.value, reading.unit):
        raise ValueError("a reading without a possible number")
    for limit, band in BELOW[reading.unit]:
        if reading.value < limit:
            return band
    for limit, band in UP_TO[reading.unit]:
        if reading.value <= limit:
            return band
    return "very-high"


def implausible(value: Decimal, unit: Unit) -> bool:
    """True for a number that no meter shows in this unit."""
    least, most = PLAUSIBLE[unit]
    return not (value.is_finite() and least <= value <= most)


def fits_both_units(value: Decimal) -> bool:
    """True for a number that is very high in one unit and very low in the other: 20 to 33.3."""
    return not any(implausible(value, unit) for unit in PLAUSIBLE)


def fits_other_unit(value: Decimal, unit: Unit) -> bool:
    """True when the number would be possible in the other unit: perhaps the unit was mixed up."""
    return implausible(value, unit) and not implausible(value, OTHER_UNIT[unit])


def asks_for_ketones(reading: Reading, ketone_risk: bool) -> bool:
    """Ketones matter above 13.9 mmol/L (250 mg/dL) with insulin, or after any ketoacidosis (R05, R08)."""
    return ketone_risk and band_of(reading) in ("high", "very-high")


def judge(
    reading: Reading, low_risk: bool, ketone_risk: bool, ketones: Ketones | None
) -> tuple[Advice, ...]:
    """What the rule says before a start.

    ``low_risk``: insulin, a sulfonylurea or a glinide, or not known. ``ketone_risk``: insulin or
    ketoacidosis earlier, or not known. Raises ValueError for an impossible reading.
    """
    high = high_ketones(ketones)
    band = band_of(reading)
    match band:
        case None:
            return (*high, NO_METER_WITH_RISK if low_risk else NO_METER)
        case "severe-low":
            return (*high, SEVERE_LOW)
        case "low":
            return (*high, LOW)
        case "borderline":
            return (*high, BORDERLINE_WITH_RISK if low_risk else BORDERLINE)
        case "go":
            return high
        case "high" if not ketone_risk:
            return (*high, HIGH)
        case "high":
            if ketones is None or ketones.mmol_per_l is None:
                return (KETONES_UNKNOWN,)
            return high or (HIGH,)
        case "very-high":
            return (*high, VERY_HIGH)


def high_ketones(ketones: Ketones | None) -> tuple[Advice, ...]:
    value = ketones.mmol_per_l if ketones else None
    if value is None or value < KETONES_CLEAR_BELOW:
        return ()
    if value > KETONES_EMERGENCY_ABOVE:
        return (KETONES_EMERGENCY,)
    return (KETONES_CALL if value >= KETONES_CALL_FROM else KETONES_RAISED,)


SEVERE_LOW = Advice(
    level="help",
    low=True,
    urgency="emergency",
    said="Glucose is very low (under 3.0 mmol/L, 54 mg/dL).",
    act=(
        "Treat it now: 15 to 20 g of fast sugar. Somebody stays. Measure again after 15 minutes. "
        "Not better after two treatments, or drowsy: call your emergency number."
    ),
    wait_minutes=RECHECK_MINUTES,
)
LOW = Advice(
    level="not-today",
    low=True,
    said="Glucose is low (under 4.0 mmol/L, 72 mg/dL).",
    act=(
        "15 to 20 g of fast sugar now: juice or glucose tablets. Measure again after 15 minutes, "
        "and treat again if it is still low. Then something longer lasting to eat. "
        "Drowsy, or not better after two treatments: call your emergency number."
    ),
    wait_minutes=RECHECK_MINUTES,
)
BORDERLINE_WITH_RISK = Advice(
    level="not-today",
    said="Glucose is near low (under 5.6 mmol/L, 100 mg/dL), with a medicine that can cause lows.",
    act=(
        "Eat 15 g of carbohydrate, wait 15 minutes, and measure again. "
        "Start only from 5.6 mmol/L (100 mg/dL)."
    ),
    wait_minutes=RECHECK_MINUTES,
)
BORDERLINE = Advice(
    level="clear",
    said="Glucose is near low (under 5.6 mmol/L, 100 mg/dL).",
    act="Keep a snack at hand.",
)
HIGH = Advice(
    level="changes",
    said="Glucose is high (above 13.9 mmol/L, 250 mg/dL).",
    act="Better another day. If you feel well, the shortest plan only.",
    shortest=True,
)
VERY_HIGH = Advice(
    level="not-today",
    said="Glucose is very high (above 16.7 mmol/L, 300 mg/dL).",
    act=(
        "Follow your own sick-day plan. Test ketones if you can: above 3.0 mmol/L, or vomiting or "
        "drowsy, call your emergency number."
    ),
)
KETONES_UNKNOWN = Advice(
    level="not-today",
    said="Glucose is high, and ketones are not known.",
    act="Test ketones first. With 0.6 mmol/L or more: your own sick-day plan, no massage.",
)
KETONES_RAISED = Advice(
    level="not-today",
    said="Ketones are raised (0.6 mmol/L or more).",
    act="Follow your own sick-day plan, and test again in two hours.",
)
KETONES_CALL = Advice(
    level="not-today",
    said="Ketones are high (1.6 mmol/L or more).",
    act="Call your diabetes team today, and follow your own sick-day plan.",
)
KETONES_EMERGENCY = Advice(
    level="help",
    urgency="emergency",
    said="Ketones are very high (above 3.0 mmol/L).",
    act="Call your emergency number. Say the numbers.",
)
NO_METER_WITH_RISK = Advice(
    level="not-today",
    said="No reading, with a medicine that can cause lows.",
    act="Massage only on a day with a meter at hand.",
)
NO_METER = Advice(
    level="changes",
    said="No glucose reading.",
    act="The shortest plan only, and a snack at hand. Stop at any sign of a low.",
    shortest=True,
)


def after_session(reading: Reading) -> Advice:
    """What a reading after the massage says (R03: it may fall for hours). Raises ValueError."""
    match band_of(reading):
        case "severe-low":
            return SEVERE_LOW
        case "low":
            return LOW
        case "borderline":
            return Advice(
                level="clear",
                said="Glucose is near low.",
                act="Eat something, and measure again in 15 minutes.",
                wait_minutes=RECHECK_MINUTES,
            )
        case "high" | "very-high":
            return Advice(
                level="clear",
                said="Glucose is high.",
                act=(
                    "Follow your own plan for high values. Vomiting, drowsy, or ketones above "
                    "3.0 mmol/L: call your emergency number."
                ),
            )
        case None:
            raise ValueError("no reading")
        case "go":
            return Advice(
                level="clear",
                said="Glucose is in the usual range.",
                act="Measure again in 1 to 2 hours and before bed: it may still fall.",
            )
