"""The glucose rule at every edge, in both units; the numbers are typed here by hand.

Facts 2.3 with correction 5; ketones R08; emergencies 2.5 (ketones above 3 at any reading).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest

from webapp.domain import glucose
from webapp.domain.catalogue import LEVELS
from webapp.domain.glucose import (
    OTHER_UNIT,
    STRIP_COUNTS,
    Advice,
    Ketones,
    Person,
    Reading,
    Trend,
    Unit,
)

# After the number: falling, fast or noarrow for the trend, steady without a word; before= ten
# minutes earlier. who: lows, sglt2, ill, shaky as in Person, own for a massage made for diabetes; with "?"
# both ways. ketones in mmol/L or of a strip, "?" not measured, "-" not asked yet. wait in minutes.
BEFORE = """
reading ; who ; ketones | level wait shortest | says
-- severe low: below 54, below 3.0, LO
20 mg/dL ; lows? sglt2? ill? ; 0.2 | help emergency 15 no | Awake and able to swallow: 15 to 20 g of fast sugar now
53.9 mg/dL ; lows? ; - | help emergency 15 no | 15 to 20 g of fast sugar
1.1 mmol/L ; lows? ; - | help emergency 15 no | 15 to 20 g of fast sugar
2.9 mmol/L ; lows? ; - | help emergency 15 no | not better after two treatments: call your emergency number
2.99 mmol/L ; lows? ; - | help emergency 15 no | 15 to 20 g of fast sugar
LO ; lows? ; - | help emergency 15 no | Drowsy, unable to swallow, alone
2.9 mmol/L ; lows? ; 3.1 | help emergency any no | emergency number
2.9 mmol/L fast ; lows? ; - | help emergency 15 no | 15 to 20 g of fast sugar
-- low: below 72, below 4.0
54 mg/dL ; lows? ; - | not-today 15 no | 15 to 20 g of fast sugar
54.1 mg/dL ; lows? ; - | not-today 15 no | 15 to 20 g of fast sugar
71.9 mg/dL ; lows? ; - | not-today 15 no | Drowsy, or not better after two treatments: call your emergency number
3.0 mmol/L ; lows? ; - | not-today 15 no | 15 to 20 g of fast sugar
3.99 mmol/L ; lows? ; - | not-today 15 no | 15 to 20 g of fast sugar
3.9 mmol/L noarrow ; lows? ; - | not-today 15 no | 15 to 20 g of fast sugar
3.9 mmol/L ; lows? ; 0.6 | not-today - no | measure ketones again in two hours
3.9 mmol/L ; lows? ; 1.6 | help same-day - no | diabetes team or urgent care today
-- borderline with insulin, a sulfonylurea or a glinide: below 100, below 5.6
72 mg/dL ; lows own? ; - | not-today 15 no | 15 g of carbohydrate
99.9 mg/dL ; lows own? ; - | not-today 15 no | from 5.6 mmol/L (100 mg/dL)
4.0 mmol/L ; lows own? ; - | not-today 15 no | 15 g of carbohydrate
5.55 mmol/L ; lows own? ; - | not-today 15 no | 15 g of carbohydrate
5.59 mmol/L noarrow ; lows ; - | not-today 15 no | 15 g of carbohydrate
5.59 mmol/L falling ; lows ; - | not-today 15 no | 15 g of carbohydrate
5.59 mmol/L fast ; lows ; - | not-today 15 no | only when it is steady
-- borderline without such a medicine
72 mg/dL ; own? ; - | clear - no | snack at hand
99.9 mg/dL ; own? ; - | clear - no | snack at hand
4.0 mmol/L falling ; own? ; - | clear - no | snack at hand
4.0 mmol/L noarrow ; own? ; - | clear - no | snack at hand
5.59 mmol/L ; own? ; 0.59 | clear - no | snack at hand
4.0 mmol/L fast ; own? ; - | not-today 10 no | Measure again in 10 minutes
-- go: up to 250, up to 13.9, without such a medicine
100 mg/dL ; own? ; - | clear - no |
250 mg/dL ; own? ; - | clear - no |
5.6 mmol/L ; own? ; - | clear - no |
13.9 mmol/L ; own? ; - | clear - no |
13.9 mmol/L ; own? ; ? | clear - no |
7.0 mmol/L noarrow ; own? ; - | clear - no |
7.0 mmol/L falling ; own? ; - | clear - no |
7.0 mmol/L fast ; own? ; - | not-today 10 no | falls no faster
250 mg/dL fast ; own? ; - | not-today 10 no | falls no faster
-- go, with such a medicine
100 mg/dL ; lows ; - | changes - yes | Keep sugar at hand, and measure straight after
5.6 mmol/L ; lows ; - | changes - yes | The shortest plan
13.9 mmol/L ; lows ; - | changes - yes | measure straight after
5.6 mmol/L ; lows own ; - | clear - no | Keep sugar at hand, and measure straight after
250 mg/dL ; lows own ; - | clear - no | Keep sugar at hand
-- R51: falling, with such a medicine
5.6 mmol/L falling ; lows own? ; - | not-today 15 no? | Eat 15 g of carbohydrate, wait 15 minutes
6.99 mmol/L falling ; lows own? ; - | not-today 15 no? | measure a second time
125.9 mg/dL falling ; lows own? ; - | not-today 15 no? | measure a second time
7.0 mmol/L falling ; lows own? ; - | changes - yes | measure straight after
126 mg/dL falling ; lows own? ; - | changes - yes | Keep sugar at hand
13.9 mmol/L falling ; lows own? ; - | changes - yes | The shortest plan
14.0 mmol/L falling ; lows own? ; 0.2 | changes - yes | Keep sugar at hand
5.6 mmol/L fast ; lows own? ; - | not-today 15 no? | only when it is steady
7.0 mmol/L fast ; lows own? ; - | not-today 15 no? | only when it is steady
13.9 mmol/L fast ; lows own? ; - | not-today 15 no? | sugar at hand
16.7 mmol/L fast ; lows own? ; 0.2 | not-today 15 no? | sugar at hand
-- not known counts as falling; a meter without an arrow
5.6 mmol/L noarrow ; lows own? ; - | not-today 10 no? | Measure a second time after 10 minutes
6.99 mmol/L noarrow ; lows own? ; - | not-today 10 no? | give both readings
125.9 mg/dL noarrow ; lows own? ; - | not-today 10 no? | give both readings
7.0 mmol/L noarrow ; lows own? ; - | changes - yes | measure straight after
126 mg/dL noarrow ; lows own? ; - | changes - yes | measure straight after
6.5 mmol/L noarrow before=7.09 ; lows own ; - | clear - no | Keep sugar at hand
6.5 mmol/L noarrow before=6.0 ; lows own ; - | clear - no | Keep sugar at hand
6.5 mmol/L noarrow before=7.1 ; lows own? ; - | not-today 15 no? | Eat 15 g of carbohydrate
6.5 mmol/L noarrow before=7.6 ; lows own? ; - | not-today 15 no? | Eat 15 g of carbohydrate
6.5 mmol/L noarrow before=7.61 ; lows own? ; - | not-today 15 no? | only when it is steady
110 mg/dL noarrow before=119.9 ; lows own ; - | clear - no | Keep sugar at hand
110 mg/dL noarrow before=120 ; lows own ; - | not-today 15 no | Eat 15 g of carbohydrate
110 mg/dL noarrow before=130 ; lows own ; - | not-today 15 no | Eat 15 g of carbohydrate
110 mg/dL noarrow before=130.1 ; lows own ; - | not-today 15 no | only when it is steady
6.5 mmol/L before=7.1 ; lows own? ; - | not-today 15 no? | Eat 15 g of carbohydrate
9.0 mmol/L falling before=10.2 ; lows own? ; - | not-today 15 no? | only when it is steady
9.0 mmol/L fast before=9.0 ; lows own? ; - | not-today 15 no? | only when it is steady
6.5 mmol/L falling before=6.4 ; lows own ; - | not-today 15 no | Eat 15 g of carbohydrate
-- high: up to 300, up to 16.7; ketones matter for everybody
250.1 mg/dL ; lows? ; - | not-today - any | Test ketones first
251 mg/dL ; lows? ; ? | not-today - any | or a trace on a strip
300 mg/dL ; lows? ; ? | not-today - any | Test ketones first
13.91 mmol/L ; lows? ; - | not-today - any | Test ketones first
13.95 mmol/L ; lows? ; ? | not-today - any | Test ketones first
16.7 mmol/L ; lows? ; ? | not-today - any | Test ketones first
250.1 mg/dL ; lows? own? ; 0.5 | changes - yes | shortest plan only
300 mg/dL ; lows? own? ; 0.59 | changes - yes | shortest plan only
13.95 mmol/L ; lows? own? ; 0 | changes - yes | shortest plan only
16.7 mmol/L ; lows? own? ; negative | changes - yes | shortest plan only
-- very high: above 300, above 16.7
300.1 mg/dL ; lows? ; 0.2 | not-today - no | test ketones, and measure again in an hour or two
600 mg/dL ; lows? ; 0.2 | not-today - no | call your diabetes team or urgent care today
16.71 mmol/L ; lows? ; 0.2 | not-today - no | vomiting or drowsy: call your emergency number
33.3 mmol/L ; lows? ; - | not-today - no | Test ketones first
16.71 mmol/L ; lows? ill ; 0.2 | help same-day - no | urgent care today
300.1 mg/dL ; lows? ill ; 0.2 | help same-day - no | Vomiting, drowsy or confused: call your emergency number
-- signs of a low that do not fit
16.71 mmol/L ; lows? ill? shaky ; 0.2 | help emergency - no | Say the reading and the signs
300.1 mg/dL ; lows? shaky ; 0.2 | help emergency - no | Call your emergency number
HI ; lows? ill? shaky ; 0.2 | help emergency - no | Call your emergency number
16.7 mmol/L ; lows? shaky ; 0.2 | changes - yes | shortest plan only
-- HI: above the meter
HI ; lows? ill? ; 0.2 | help same-day - no | urgent care now
HI ; lows? ill? ; - | help same-day - no | the emergency department
HI ; lows? ; 3.1 | help emergency same-day - no | emergency number
-- ketones, at any number: R08, R52, R53
7.0 mmol/L ; own ; 0.59 | clear - no |
7.0 mmol/L ; own ; negative | clear - no |
7.0 mmol/L ; own ; 0.6 | not-today - no | sick-day plan, and measure ketones again in two hours
7.0 mmol/L ; own ; 1.5 | not-today - no | two hours
7.0 mmol/L ; own ; trace | not-today - no | two hours
7.0 mmol/L ; own sglt2 ; 0.6 | help same-day - no | whatever glucose shows
7.0 mmol/L ; own ill ; 0.6 | help same-day - no | Vomiting or drowsy: call your emergency number
7.0 mmol/L ; own ill ; 1.5 | help same-day - no | two hours
7.0 mmol/L ; own sglt2 ; trace | help same-day - no | diabetes team or urgent care today
7.0 mmol/L ; own ill ; trace | help same-day - no | diabetes team or urgent care today
7.0 mmol/L ; own sglt2? ill? ; 1.51 | help same-day - no | diabetes team or urgent care today
7.0 mmol/L ; own sglt2? ill? ; 3.0 | help same-day - no | the emergency department
7.0 mmol/L ; own sglt2? ill? ; plus | help same-day - no | diabetes team or urgent care today
7.0 mmol/L ; own sglt2? ; plus-plus | help same-day - no | diabetes team or urgent care today
7.0 mmol/L ; own sglt2? ill ; plus-plus | help emergency - no | Say the numbers
7.0 mmol/L ; own sglt2? ill? ; plus-plus-plus | help emergency - no | Say the numbers
7.0 mmol/L ; own sglt2? ill? ; 3.01 | help emergency - no | Say the numbers
7.0 mmol/L ; own ; 0.2+trace | not-today - no | two hours
7.0 mmol/L ; own ; 0.6+negative | not-today - no | two hours
14.0 mmol/L ; lows? ; 0.6 | not-today - any | two hours
14.0 mmol/L ; lows? ; 1.6 | help same-day - any | diabetes team
15.1 mmol/L ; lows? ; plus | help same-day - any | diabetes team
-- not measured where it is asked for
7.0 mmol/L ; own sglt2 ; - | not-today - no | Test ketones first
7.0 mmol/L ; own sglt2 ; ? | not-today - no | Test ketones first
7.0 mmol/L ; own ill ; ? | not-today - no | Test ketones first
-- no meter at hand
none ; lows own? ; - | not-today - no | meter at hand
none ; own? ; - | changes - yes | shortest plan only
none ; own? ; 0.6 | not-today - any | two hours
none ; lows? ; 3.1 | help emergency - any | emergency number
"""

# Ketones are asked for above 250 mg/dL or 13.9 mmol/L, when ill, and with an SGLT2 medicine.
ASKS = """
reading      who | asks
250 mg/dL    own | no
250.1 mg/dL  own | yes
300 mg/dL    lows | yes
301 mg/dL    own | yes
13.9 mmol/L  lows | no
13.91 mmol/L own | yes
16.71 mmol/L own | yes
HI           own | yes
LO           lows | no
none         lows | no
3.9 mmol/L   lows | no
5.5 mmol/L   own | no
5.5 mmol/L   sglt2 | yes
5.5 mmol/L   ill | yes
none         ill | yes
none         sglt2 | yes
"""

# facts 2.3 "check after", R03: a reading after the massage
AFTER = """
reading      | level          wait | says
LO           | help emergency 15   | 15 to 20 g of fast sugar
53.9 mg/dL   | help emergency 15   | 15 to 20 g of fast sugar
2.99 mmol/L  | help emergency 15   | call your emergency number
54 mg/dL     | not-today      15   | 15 to 20 g of fast sugar
71.9 mg/dL   | not-today      15   | 15 to 20 g of fast sugar
3.0 mmol/L   | not-today      15   | 15 to 20 g of fast sugar
3.9 mmol/L   | not-today      15   | 15 to 20 g of fast sugar
72 mg/dL     | clear          15   | measure again in 15 minutes
99.9 mg/dL   | clear          15   | measure again in 15 minutes
4.0 mmol/L   | clear          15   | measure again in 15 minutes
5.55 mmol/L  | clear          15   | measure again in 15 minutes
100 mg/dL    | clear          -    | 1 to 2 hours and before bed
250 mg/dL    | clear          -    | 1 to 2 hours and before bed
5.6 mmol/L   | clear          -    | 1 to 2 hours and before bed
13.9 mmol/L  | clear          -    | 1 to 2 hours and before bed
250.1 mg/dL  | clear          -    | plan for high values
13.95 mmol/L | clear          -    | plan for high values
16.7 mmol/L  | clear          -    | plan for high values
300.1 mg/dL  | not-today      -    | very high
16.71 mmol/L | not-today      -    | test ketones, and measure again in an hour or two
16.71 mmol/L | not-today      -    | call your diabetes team or urgent care today
HI           | help same-day  -    | above what the meter can show
HI           | help same-day  -    | urgent care now
250.1 mg/dL  | clear          -    | ketones above 3.0 mmol/L: call your emergency number
13.91 mmol/L | clear          -    | Vomiting, drowsy
HI           | help same-day  -    | Vomiting, drowsy or confused: call your emergency number
3.9 mmol/L   | not-today      15   | two treatments: call your emergency number
none         | no advice           |
"""

# what a meter can show; "other": the number would be possible in the other unit
NUMBERS = """
number        | possible other
19.9 mg/dL    | no       yes
20 mg/dL      | yes      no
600 mg/dL     | yes      no
600.1 mg/dL   | no       no
1.09 mmol/L   | no       no
1.1 mmol/L    | yes      no
33.3 mmol/L   | yes      no
33.31 mmol/L  | no       yes
6.4 mg/dL     | no       yes
1.1 mg/dL     | no       yes
1.09 mg/dL    | no       no
115 mmol/L    | no       yes
600 mmol/L    | no       yes
601 mmol/L    | no       no
0 mg/dL       | no       no
0 mmol/L      | no       no
-5 mmol/L     | no       no
NaN mmol/L    | no       no
NaN mg/dL     | no       no
Infinity mg/dL | no      no
"""

# very high in mmol/L and very low in mg/dL: which one has to be confirmed
BOTH = """
number | both
19     | no
19.9   | no
19.99  | no
20     | yes
20.0   | yes
20.1   | yes
25     | yes
33.2   | yes
33.3   | yes
33.31  | no
33.4   | no
34     | no
1.1    | no
6.4    | no
115    | no
600    | no
0      | no
-25    | no
NaN    | no
Infinity | no
"""

UNITS: dict[str, Unit] = {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}
Cells = tuple[str, ...]


def rows(table: str) -> tuple[Cells, ...]:
    """The rows of a table: its parts between bars, spaces made even. Remarks and head left out."""
    lines = [line for line in table.strip().splitlines()[1:] if not line.startswith("--")]
    return tuple(tuple(" ".join(part.split()) for part in line.split("|")) for line in lines)


TREND_WORDS: dict[str, Trend] = {
    "falling": "falling",
    "fast": "falling-fast",
    "noarrow": "unknown",
}


def reading(text: str) -> Reading:
    match text.split():
        case ["LO"]:
            return Reading(shown="lo")
        case ["HI"]:
            return Reading(shown="hi")
        case ["none"]:
            return Reading(shown="none")
    number, unit, *more = text.split()
    trend: Trend = next((TREND_WORDS[word] for word in more if word in TREND_WORDS), "steady")
    before = next((Decimal(w.removeprefix("before=")) for w in more if "=" in w), None)
    return Reading(
        shown="number", value=Decimal(number), unit=UNITS[unit], trend=trend, before=before
    )


def ketones(text: str) -> Ketones | None:
    if text == "-":
        return None
    blood, strip = None, None
    for part in text.split("+"):
        if part in STRIP_COUNTS:
            strip = next(name for name in STRIP_COUNTS if name == part)
        elif part != "?":
            blood = Decimal(part)
    return Ketones(mmol_per_l=blood, strip=strip)


def people(text: str) -> Iterator[Person]:
    """Every person of these words: lows, sglt2, ill, shaky, own, each with "?" for both ways."""
    words = text.split()
    names = ("lows", "sglt2", "ill", "shaky", "own")
    ways = [(True, False) if f"{n}?" in words else (n in words,) for n in names]
    for lows, sglt2, ill, shaky, own in product(*ways):
        yield Person(lows=lows, sglt2=sglt2, ill=ill, shaky=shaky, made_for=own)


def told(found: tuple[Advice, ...], says: str) -> str:
    """Level, urgency, wait and length of all advice together, and whether it has the words."""
    level = max((advice.level for advice in found), key=LEVELS.index, default="clear")
    worst = [advice for advice in found if advice.level == level]
    urgency = sorted({advice.urgency for advice in worst if advice.urgency})
    waits = {advice.wait_minutes for advice in worst} or {None}
    wait = "-" if None in waits else str(max(wait for wait in waits if wait))
    shortest = "yes" if any(advice.shortest for advice in found) else "no"
    words = [] if any(says in f"{a.said} {a.act}" for a in found) or not says else ["no words"]
    return " ".join([level, *urgency, wait, shortest, *words])


def agrees(wanted: str, found: str) -> bool:
    """True when every word is the same; "any" agrees with each."""
    pairs = zip(wanted.split(), found.split(), strict=False)
    return len(wanted.split()) == len(found.split()) and all(w in (f, "any") for w, f in pairs)


def unmet_before(row: Cells) -> Iterator[str]:
    given, wanted, says = row
    shown, who, ketone = (part.strip() for part in given.split(";"))
    for person in people(who):
        try:
            found = told(glucose.judge(reading(shown), person, ketones(ketone)), says)
        except ValueError as error:
            found = f"ValueError: {error}"
        if not agrees(wanted.replace("no?", "any"), found):
            yield f"before: {given} ({person}): {wanted}, got {found}"


def unmet_asks(row: Cells) -> Iterator[str]:
    given, wanted = row
    shown, _, who = given.rpartition(" ")
    (person,) = people(who)
    found = "yes" if glucose.asks_for_ketones(reading(shown), person) else "no"
    if found != wanted:
        yield f"asks for ketones: {given}: {wanted}, got {found}"


def unmet_after(row: Cells) -> Iterator[str]:
    given, wanted, says = row
    try:
        found = told((glucose.after_session(reading(given)),), says).removesuffix(" no")
    except ValueError:
        found = "no advice"
    if found != wanted:
        yield f"after: {given}: {wanted}, got {found}"


def unmet_number(row: Cells) -> Iterator[str]:
    given, wanted = row
    number, unit = Decimal(given.split()[0]), UNITS[given.split()[1]]
    possible = not glucose.implausible(number, unit)
    other = glucose.fits_other_unit(number, unit)
    found = " ".join("yes" if yes else "no" for yes in (possible, other))
    if found != wanted:
        yield f"possible number: {given}: {wanted}, got {found}"
    try:
        glucose.band_of(Reading(shown="number", value=number, unit=unit))
    except ValueError:
        raised = True
    else:
        raised = False
    if raised != (wanted.split()[0] == "no"):
        yield f"band of {given}: {wanted}, but {'' if raised else 'no '}ValueError"


def unmet_both(row: Cells) -> Iterator[str]:
    number, wanted = row
    found = "yes" if glucose.fits_both_units(Decimal(number)) else "no"
    if found != wanted:
        yield f"fits both units: {number}: {wanted}, got {found}"


def unmet_numbers_of_other_modules() -> Iterator[str]:
    """Numbers that the form uses: a reading counts for 15 minutes, ketone meters end at 15."""
    if glucose.READING_COUNTS_MINUTES != 15:  # correction 5
        yield f"a reading counts for 15 minutes, got {glucose.READING_COUNTS_MINUTES}"
    if glucose.KETONES_MOST != 15:
        yield f"ketone meters end at 15, got {glucose.KETONES_MOST}"


TABLES = (
    (BEFORE, unmet_before),
    (ASKS, unmet_asks),
    (AFTER, unmet_after),
    (NUMBERS, unmet_number),
    (BOTH, unmet_both),
)


def unmet() -> Iterator[str]:
    """What of all tables the rule does not keep."""
    for table, check in TABLES:
        for row in rows(table):
            yield from check(row)
    yield from unmet_numbers_of_other_modules()


def label(row: Cells) -> str:
    return row[0]


@pytest.mark.parametrize("row", rows(BEFORE), ids=label)
def test_before_a_massage(row: Cells) -> None:
    assert [*unmet_before(row)] == []


@pytest.mark.parametrize("row", rows(ASKS), ids=label)
def test_ketones_are_asked_for(row: Cells) -> None:
    assert [*unmet_asks(row)] == []


@pytest.mark.parametrize("row", rows(AFTER), ids=label)
def test_after_a_massage(row: Cells) -> None:
    assert [*unmet_after(row)] == []


@pytest.mark.parametrize("row", rows(NUMBERS), ids=label)
def test_possible_numbers(row: Cells) -> None:
    assert [*unmet_number(row)] == []


@pytest.mark.parametrize("row", rows(BOTH), ids=label)
def test_numbers_that_fit_both_units(row: Cells) -> None:
    assert [*unmet_both(row)] == []


def test_numbers_of_the_form() -> None:
    assert [*unmet_numbers_of_other_modules()] == []


def test_a_number_without_its_value_is_no_reading() -> None:
    for check in (glucose.band_of, glucose.after_session):
        with pytest.raises(ValueError, match="possible number"):
            check(Reading(shown="number"))


def test_no_reading_after_a_massage_is_never_called_usual() -> None:
    with pytest.raises(ValueError, match="no reading"):
        glucose.after_session(Reading(shown="none"))


def test_each_unit_has_the_other() -> None:
    assert OTHER_UNIT == {"mg/dL": "mmol/L", "mmol/L": "mg/dL"}


def test_both_units_agree_away_from_the_edges() -> None:
    """A wrong table in one of the units would put the same blood into another band."""
    for tenths in range(11, 334):
        value = Decimal(tenths) / 10
        here = glucose.band_of(Reading(shown="number", value=value, unit="mmol/L"))
        weight = (value * 18).quantize(Decimal(1))
        near = {
            glucose.band_of(Reading(shown="number", value=weight + off, unit="mg/dL"))
            for off in (-2, 0, 2)
            if 20 <= weight + off <= 600
        }
        assert here in near, value


def test_the_wait_is_long_enough_for_sugar_to_work() -> None:
    """R02: measured again after 10 to 15 minutes; the longer one."""
    waits = {
        advice.wait_minutes
        for value in ("LO", "3.5 mmol/L", "5.0 mmol/L")
        for advice in glucose.judge(reading(value), Person(lows=True, sglt2=False, ill=False), None)
    }
    assert waits == {15}
