"""The glucose rule before a massage, and after it.

Bands and acts: facts.md 2.3. The numbers for lows are R01 and R02; the others are borrowed from
exercise guidance (R05, R05b, R51) and one practitioner (R04). No body has set limits for massage.
The trend is that of R51, ketones of R08, R52 and R53.
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
KETONES_CALL_ABOVE = Decimal("1.5")  # mmol/L, R52
KETONES_EMERGENCY_ABOVE = Decimal("3.0")  # mmol/L, R08
KETONES_MOST = Decimal(15)  # mmol/L, what a meter can show

Strip = Literal["negative", "trace", "plus", "plus-plus", "plus-plus-plus"]
# What a urine strip counts as, in mmol/L of blood (R52 has the two side by side).
STRIP_COUNTS: dict[Strip, Decimal] = {
    "negative": Decimal(0),
    "trace": KETONES_CLEAR_BELOW,
    "plus": KETONES_CALL_ABOVE + Decimal("0.1"),
    "plus-plus": KETONES_EMERGENCY_ABOVE,
    "plus-plus-plus": KETONES_EMERGENCY_ABOVE + Decimal("0.1"),
}

Trend = Literal["steady", "falling", "falling-fast", "unknown"]
TRENDS: tuple[Trend, ...] = ("steady", "falling", "falling-fast", "unknown")
TREND_MINUTES = 10  # between two readings of a meter without an arrow
# Below this a fall asks for carbohydrate and a second reading, with a medicine that causes lows.
FALL_MATTERS_BELOW: dict[Unit, Decimal] = {"mg/dL": Decimal(126), "mmol/L": Decimal("7.0")}
# A fall in ten minutes: from the first on it is falling, above the second falling fast (R51: arrows
# stand for 1 and for 2 mg/dL a minute).
FALLS: dict[Unit, tuple[Decimal, Decimal]] = {
    "mg/dL": (Decimal(10), Decimal(20)),
    "mmol/L": (Decimal("0.6"), Decimal("1.1")),
}


class Reading(Model):
    """What the meter showed: a number in ``unit``, LO, HI, or no meter at hand (``none``).

    ``trend``: the arrow of a sensor. ``before``: the number ten minutes earlier, in the same unit,
    for a meter without an arrow.
    """

    shown: MeterDisplay
    value: Decimal | None = None
    unit: Unit = "mmol/L"
    trend: Trend | None = None
    before: Decimal | None = None


class Ketones(Model):
    """Blood ketones in mmol/L, or what a urine strip showed; neither when not measured."""

    mmol_per_l: Decimal | None
    strip: Strip | None = None

    @property
    def counts_as(self) -> Decimal | None:
        """Mmol/L; of both the higher one; None when they were not measured."""
        found = [STRIP_COUNTS[self.strip]] if self.strip else []
        found += [self.mmol_per_l] if self.mmol_per_l is not None else []
        return max(found, default=None)


class Person(Model):
    """What a reading means depends on; what is not known counts as so.

    ``lows``: insulin, a sulfonylurea or a glinide. ``sglt2``: such a medicine. ``ill``: unwell, a
    fever or an infection. ``shaky``: said to have signs of a low. ``made_for``: the massage is one
    made for diabetes, short as it is.
    """

    lows: bool
    sglt2: bool
    ill: bool
    shaky: bool = False
    made_for: bool = False


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


def trend_of(reading: Reading) -> Trend:
    """The worse of the arrow and of what two readings say; not known is said as such."""
    told: list[Trend] = [reading.trend] if reading.trend not in (None, "unknown") else []
    if reading.value is not None and reading.before is not None:
        told.append(trend_of_fall(reading.before - reading.value, reading.unit))
    return max(told, key=TRENDS.index, default="unknown")


def trend_of_fall(fall: Decimal, unit: Unit) -> Trend:
    """What a fall within ten minutes is called."""
    falling, fast = FALLS[unit]
    if fall > fast:
        return "falling-fast"
    return "falling" if fall >= falling else "steady"


def asks_for_ketones(reading: Reading, person: Person) -> bool:
    """Ketones matter above 13.9 mmol/L (250 mg/dL), when ill, with an SGLT2 medicine (R05, R53)."""
    return person.ill or person.sglt2 or band_of(reading) in ("high", "very-high")


def judge(reading: Reading, person: Person, ketones: Ketones | None) -> tuple[Advice, ...]:
    """What the rule says before a start. Raises ValueError for an impossible reading."""
    return (
        *of_ketones(reading, person, ketones),
        *of_number(reading, person),
        *of_trend(reading, person),
    )


def of_number(reading: Reading, person: Person) -> tuple[Advice, ...]:
    """Return what a number on the meter means for this person before a massage."""
    match band_of(reading):
        case None:
            return (NO_METER_WITH_RISK if person.lows else NO_METER,)
        case "severe-low":
            return (SEVERE_LOW,)
        case "low":
            return (LOW,)
        case "borderline":
            return (BORDERLINE_WITH_RISK if person.lows else BORDERLINE,)
        case "go" if person.lows:
            return (SUGAR_AT_HAND if person.made_for else SUGAR_AT_HAND_SHORT,)
        case "go":
            return ()
        case "high":
            return (HIGH,)
        case "very-high" if person.shaky:
            return (VERY_HIGH_SHAKY,)
        case "very-high" if reading.shown == "hi":
            return (ABOVE_THE_METER,)
        case "very-high":
            return (VERY_HIGH_ILL if person.ill else VERY_HIGH,)


def of_trend(reading: Reading, person: Person) -> tuple[Advice, ...]:
    """What a fall says of a number that is no low (R51)."""
    if reading.shown != "number" or band_of(reading) in ("severe-low", "low"):
        return ()
    trend = trend_of(reading)
    if trend == "falling-fast":
        return (FALLING_FAST if person.lows else FALLING_FAST_NO_RISK,)
    if trend == "steady" or not person.lows or band_of(reading) == "borderline":
        return ()  # near low with such a medicine already asks for carbohydrate and a reading
    if reading.value is not None and reading.value >= FALL_MATTERS_BELOW[reading.unit]:
        return (FALLING_ABOVE,)
    return (NO_ARROW if trend == "unknown" else FALLING_BELOW,)


def of_ketones(reading: Reading, person: Person, ketones: Ketones | None) -> tuple[Advice, ...]:
    """Return what ketones mean for this person; nothing when they are fine or not asked for."""
    value = ketones.counts_as if ketones else None
    if value is None:
        return (KETONES_UNKNOWN,) if asks_for_ketones(reading, person) else ()
    if value < KETONES_CLEAR_BELOW:
        return ()
    strong_strip = ketones is not None and ketones.strip == "plus-plus" and person.ill
    if value > KETONES_EMERGENCY_ABOVE or strong_strip:
        return (KETONES_EMERGENCY,)
    if value > KETONES_CALL_ABOVE:
        return (KETONES_CALL,)
    return (KETONES_RAISED_CALL if person.ill or person.sglt2 else KETONES_RAISED,)


SEVERE_LOW = Advice(
    level="help",
    low=True,
    urgency="emergency",
    said="Glucose is very low (under 3.0 mmol/L, 54 mg/dL).",
    act=(
        "Awake and able to swallow: 15 to 20 g of fast sugar now. Somebody stays. Measure again "
        "after 15 minutes. Drowsy, unable to swallow, alone, or not better after two treatments: "
        "call your emergency number."
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
SUGAR_AT_HAND = Advice(
    level="clear",
    said="A medicine that can cause lows.",
    act="Keep sugar at hand, and measure straight after.",
)
SUGAR_AT_HAND_SHORT = Advice(
    level="changes",
    said="A medicine that can cause lows.",
    act="The shortest plan. Keep sugar at hand, and measure straight after.",
    shortest=True,
)
FALLING_FAST = Advice(
    level="not-today",
    said="Glucose is falling fast, with a medicine that can cause lows.",
    act=(
        "Have sugar at hand and follow your own plan. Measure again in 15 minutes. "
        "Start only when it is steady."
    ),
    wait_minutes=RECHECK_MINUTES,
)
FALLING_FAST_NO_RISK = Advice(
    level="not-today",
    said="Glucose is falling fast.",
    act="Measure again in 10 minutes. Start only when it falls no faster.",
    wait_minutes=TREND_MINUTES,
)
FALLING_BELOW = Advice(
    level="not-today",
    said=("Glucose is falling below 7.0 mmol/L (126 mg/dL), with a medicine that can cause lows."),
    act="Eat 15 g of carbohydrate, wait 15 minutes, and measure a second time.",
    wait_minutes=RECHECK_MINUTES,
)
NO_ARROW = Advice(
    level="not-today",
    said="Below 7.0 mmol/L (126 mg/dL), perhaps falling, with a medicine that can cause lows.",
    act="Measure a second time after 10 minutes, and give both readings.",
    wait_minutes=TREND_MINUTES,
)
FALLING_ABOVE = Advice(
    level="changes",
    said="Glucose is falling, or nobody knows, with a medicine that can cause lows.",
    act="The shortest plan. Keep sugar at hand, and measure straight after.",
    shortest=True,
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
        "Follow your own sick-day plan, drink water, test ketones, and measure again in an hour "
        "or two. "
        "Thirsty, unwell or confused: call your diabetes team or urgent care today. "
        "Ketones above 3.0 mmol/L, vomiting or drowsy: call your emergency number."
    ),
)
VERY_HIGH_ILL = Advice(
    level="help",
    urgency="same-day",
    said="Glucose is very high (above 16.7 mmol/L, 300 mg/dL), and you are not well.",
    act=(
        "Call your diabetes team or urgent care today. Follow your own sick-day plan. "
        "Vomiting, drowsy or confused: call your emergency number."
    ),
)
VERY_HIGH_SHAKY = Advice(
    level="help",
    urgency="emergency",
    said="Glucose is very high, and the signs do not fit: shaky, sweaty, very hungry or confused.",
    act="Call your emergency number. Say the reading and the signs.",
)
ABOVE_THE_METER = Advice(
    level="help",
    urgency="same-day",
    said="Glucose is above what the meter can show.",
    act=(
        "Call your diabetes team or urgent care now. Nobody answers: the emergency department. "
        "Vomiting, drowsy or confused: call your emergency number."
    ),
)
KETONES_UNKNOWN = Advice(
    level="not-today",
    said="Ketones are not known, and they matter now.",
    act=(
        "Test ketones first. With 0.6 mmol/L or more, or a trace on a strip: "
        "your own sick-day plan, no massage."
    ),
)
KETONES_RAISED = Advice(
    level="not-today",
    said="Ketones are raised (0.6 mmol/L or more, or a trace).",
    act="Follow your own sick-day plan, and measure ketones again in two hours.",
)
KETONES_RAISED_CALL = Advice(
    level="help",
    urgency="same-day",
    said="Ketones are raised (0.6 mmol/L or more, or a trace), unwell or with an SGLT2 medicine.",
    act=(
        "Call your diabetes team or urgent care today, whatever glucose shows. "
        "Measure ketones again in two hours. Vomiting or drowsy: call your emergency number."
    ),
)
KETONES_CALL = Advice(
    level="help",
    urgency="same-day",
    said="Ketones are high (above 1.5 mmol/L, or + on a strip).",
    act=(
        "Call your diabetes team or urgent care today, and follow your own sick-day plan. "
        "Nobody answers, or you get worse: the emergency department."
    ),
)
KETONES_EMERGENCY = Advice(
    level="help",
    urgency="emergency",
    said="Ketones are very high (above 3.0 mmol/L, or ++ when ill).",
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
        case "high":
            return Advice(
                level="clear",
                said="Glucose is high.",
                act=(
                    "Follow your own plan for high values. Vomiting, drowsy, or ketones above "
                    "3.0 mmol/L: call your emergency number."
                ),
            )
        case "very-high" if reading.shown == "hi":
            return ABOVE_THE_METER
        case "very-high":
            return VERY_HIGH
        case None:
            raise ValueError("no reading")
        case "go":
            return Advice(
                level="clear",
                said="Glucose is in the usual range.",
                act="Measure again in 1 to 2 hours and before bed: it may still fall.",
            )
