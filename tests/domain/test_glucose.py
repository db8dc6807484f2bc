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
from webapp.domain.glucose import OTHER_UNIT, Advice, Ketones, Reading, Unit

# lows: a medicine that can cause lows, or not known. acid: insulin or ketoacidosis earlier, or not
# known. ketones in mmol/L, "?" not measured, "-" not asked yet. wait in minutes.
BEFORE = """
reading     lows acid ketones | level          wait shortest | says
-- severe low: below 54, below 3.0, LO
20 mg/dL    any  any  -       | help emergency 15   no       | 15 to 20 g of fast sugar
53.9 mg/dL  any  any  -       | help emergency 15   no       | 15 to 20 g of fast sugar
1.1 mmol/L  any  any  -       | help emergency 15   no       | 15 to 20 g of fast sugar
2.9 mmol/L  any  any  -       | help emergency 15   no       | 15 to 20 g of fast sugar
2.99 mmol/L any  any  -       | help emergency 15   no       | 15 to 20 g of fast sugar
LO          any  any  -       | help emergency 15   no       | your emergency number
2.9 mmol/L  any  any  3.1     | help emergency any  no       | your emergency number
-- low: below 72, below 4.0
54 mg/dL    any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
54.1 mg/dL  any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
71 mg/dL    any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
71.9 mg/dL  any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
3.0 mmol/L  any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
3.01 mmol/L any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
3.9 mmol/L  any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
3.99 mmol/L any  any  -       | not-today      15   no       | 15 to 20 g of fast sugar
3.0 mmol/L  any  any  -       | not-today      15   no       | not better after two treatments: call your emergency number
71.9 mg/dL  any  any  -       | not-today      15   no       | Drowsy, or not better after two treatments
3.9 mmol/L  any  any  0.6     | not-today      -    no       | sick-day plan
3.9 mmol/L  any  any  1.6     | not-today      -    no       | Call your diabetes team today
3.9 mmol/L  any  any  3.1     | help emergency any  no       | your emergency number
-- borderline with insulin, a sulfonylurea or a glinide: below 100, below 5.6
72 mg/dL    yes  any  -       | not-today      15   no       | 15 g of carbohydrate
72.1 mg/dL  yes  any  -       | not-today      15   no       | 15 g of carbohydrate
99 mg/dL    yes  any  -       | not-today      15   no       | from 5.6 mmol/L (100 mg/dL)
99.9 mg/dL  yes  any  -       | not-today      15   no       | from 5.6 mmol/L (100 mg/dL)
4.0 mmol/L  yes  any  -       | not-today      15   no       | 15 g of carbohydrate
4.01 mmol/L yes  any  -       | not-today      15   no       | 15 g of carbohydrate
5.5 mmol/L  yes  any  -       | not-today      15   no       | 15 g of carbohydrate
5.55 mmol/L yes  any  -       | not-today      15   no       | 15 g of carbohydrate
5.59 mmol/L yes  any  -       | not-today      15   no       | 15 g of carbohydrate
5.5 mmol/L  yes  any  3.1     | help emergency any  no       | your emergency number
-- borderline without such a medicine
72 mg/dL    no   any  -       | clear          -    no       | snack at hand
72.1 mg/dL  no   any  -       | clear          -    no       | snack at hand
99 mg/dL    no   any  -       | clear          -    no       | snack at hand
99.9 mg/dL  no   any  -       | clear          -    no       | snack at hand
4.0 mmol/L  no   any  -       | clear          -    no       | snack at hand
4.01 mmol/L no   any  -       | clear          -    no       | snack at hand
5.5 mmol/L  no   any  -       | clear          -    no       | snack at hand
5.55 mmol/L no   any  -       | clear          -    no       | snack at hand
5.59 mmol/L no   any  -       | clear          -    no       | snack at hand
5.5 mmol/L  no   any  0.5     | clear          -    no       | snack at hand
5.5 mmol/L  no   any  0.6     | not-today      -    no       | sick-day plan
5.5 mmol/L  no   any  1.6     | not-today      -    no       | Call your diabetes team today
5.5 mmol/L  no   any  3.1     | help emergency any  no       | your emergency number
-- go: up to 250, up to 13.9
100 mg/dL   any  any  -       | clear          -    no       |
100.1 mg/dL any  any  -       | clear          -    no       |
249.9 mg/dL any  any  -       | clear          -    no       |
250 mg/dL   any  any  -       | clear          -    no       |
5.6 mmol/L  any  any  -       | clear          -    no       |
5.61 mmol/L any  any  -       | clear          -    no       |
13.9 mmol/L any  any  -       | clear          -    no       |
13.9 mmol/L any  any  ?       | clear          -    no       |
7.0 mmol/L  any  any  0.5     | clear          -    no       |
7.0 mmol/L  any  any  0.59    | clear          -    no       |
7.0 mmol/L  any  any  0.6     | not-today      -    no       | sick-day plan, and test again
7.0 mmol/L  any  any  1.5     | not-today      -    no       | sick-day plan, and test again
7.0 mmol/L  any  any  1.6     | not-today      -    no       | Call your diabetes team today
7.0 mmol/L  any  any  3.0     | not-today      -    no       | Call your diabetes team today
7.0 mmol/L  any  any  3.1     | help emergency -    no       | your emergency number
-- high without insulin and ketoacidosis: up to 300, up to 16.7
250.1 mg/dL any  no   -       | changes        -    yes      | shortest plan only
251 mg/dL   any  no   -       | changes        -    yes      | shortest plan only
300 mg/dL   any  no   -       | changes        -    yes      | shortest plan only
13.91 mmol/L any no   -       | changes        -    yes      | shortest plan only
13.95 mmol/L any no   -       | changes        -    yes      | shortest plan only
14.0 mmol/L any  no   -       | changes        -    yes      | shortest plan only
16.7 mmol/L any  no   -       | changes        -    yes      | shortest plan only
14.0 mmol/L any  no   ?       | changes        -    yes      | shortest plan only
14.0 mmol/L any  no   0.5     | changes        -    yes      | shortest plan only
14.0 mmol/L any  no   0.6     | not-today      -    any      | sick-day plan
14.0 mmol/L any  no   1.6     | not-today      -    any      | Call your diabetes team today
14.0 mmol/L any  no   3.1     | help emergency -    any      | your emergency number
-- high with insulin, or after ketoacidosis
250.1 mg/dL any  yes  -       | not-today      -    no       | Test ketones first
251 mg/dL   any  yes  -       | not-today      -    no       | Test ketones first
251 mg/dL   any  yes  ?       | not-today      -    no       | Test ketones first
251 mg/dL   any  yes  0.5     | changes        -    yes      | shortest plan only
251 mg/dL   any  yes  0.6     | not-today      -    no       | sick-day plan, and test again
251 mg/dL   any  yes  1.5     | not-today      -    no       | sick-day plan, and test again
251 mg/dL   any  yes  1.6     | not-today      -    no       | Call your diabetes team today
251 mg/dL   any  yes  3.0     | not-today      -    no       | Call your diabetes team today
251 mg/dL   any  yes  3.1     | help emergency -    no       | your emergency number
300 mg/dL   any  yes  ?       | not-today      -    no       | Test ketones first
300 mg/dL   any  yes  0.5     | changes        -    yes      | shortest plan only
13.91 mmol/L any yes  ?       | not-today      -    no       | Test ketones first
13.95 mmol/L any yes  ?       | not-today      -    no       | Test ketones first
14.0 mmol/L any  yes  -       | not-today      -    no       | Test ketones first
14.0 mmol/L any  yes  ?       | not-today      -    no       | Test ketones first
14.0 mmol/L any  yes  0       | changes        -    yes      | shortest plan only
14.0 mmol/L any  yes  0.5     | changes        -    yes      | shortest plan only
14.0 mmol/L any  yes  0.59    | changes        -    yes      | shortest plan only
14.0 mmol/L any  yes  0.6     | not-today      -    no       | sick-day plan, and test again
14.0 mmol/L any  yes  0.61    | not-today      -    no       | sick-day plan, and test again
14.0 mmol/L any  yes  1.5     | not-today      -    no       | sick-day plan, and test again
14.0 mmol/L any  yes  1.59    | not-today      -    no       | sick-day plan, and test again
14.0 mmol/L any  yes  1.6     | not-today      -    no       | Call your diabetes team today
14.0 mmol/L any  yes  3.0     | not-today      -    no       | Call your diabetes team today
14.0 mmol/L any  yes  3.01    | help emergency -    no       | your emergency number
14.0 mmol/L any  yes  3.1     | help emergency -    no       | your emergency number
16.7 mmol/L any  yes  ?       | not-today      -    no       | Test ketones first
16.7 mmol/L any  yes  0.5     | changes        -    yes      | shortest plan only
-- very high: above 300, above 16.7, HI
300.1 mg/dL any  any  -       | not-today      -    no       | sick-day plan
301 mg/dL   any  any  -       | not-today      -    no       | sick-day plan
600 mg/dL   any  any  -       | not-today      -    no       | sick-day plan
16.71 mmol/L any any  -       | not-today      -    no       | sick-day plan
16.8 mmol/L any  any  -       | not-today      -    no       | sick-day plan
33.3 mmol/L any  any  -       | not-today      -    no       | sick-day plan
HI          any  any  -       | not-today      -    no       | above 3.0 mmol/L, or vomiting
HI          any  any  0.5     | not-today      -    no       | sick-day plan
HI          any  any  1.6     | not-today      -    no       | Call your diabetes team today
HI          any  any  3.0     | not-today      -    no       | Call your diabetes team today
HI          any  any  3.1     | help emergency -    no       | your emergency number
300.1 mg/dL any  any  3.1     | help emergency -    no       | your emergency number
16.71 mmol/L any any  3.1     | help emergency -    no       | your emergency number
-- no meter at hand
none        yes  any  -       | not-today      -    no       | meter at hand
none        no   any  -       | changes        -    yes      | shortest plan only
none        no   any  0.6     | not-today      -    any      | sick-day plan
none        any  any  3.1     | help emergency -    any      | your emergency number
"""

# facts 2.3: ketones are asked for above 250 mg/dL or 13.9 mmol/L with insulin, or ever ketoacidosis
ASKS = """
reading      acid | asks
250 mg/dL    yes  | no
250.1 mg/dL  yes  | yes
300 mg/dL    yes  | yes
301 mg/dL    yes  | yes
13.9 mmol/L  yes  | no
13.91 mmol/L yes  | yes
16.7 mmol/L  yes  | yes
16.71 mmol/L yes  | yes
HI           yes  | yes
LO           yes  | no
none         yes  | no
3.9 mmol/L   yes  | no
5.5 mmol/L   yes  | no
251 mg/dL    no   | no
14.0 mmol/L  no   | no
HI           no   | no
"""

# facts 2.3 "check after", R03: a reading after the massage
AFTER = """
reading      | level          wait | says
LO           | help emergency 15   | 15 to 20 g of fast sugar
53.9 mg/dL   | help emergency 15   | 15 to 20 g of fast sugar
2.99 mmol/L  | help emergency 15   | your emergency number
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
300.1 mg/dL  | clear          -    | plan for high values
16.71 mmol/L | clear          -    | plan for high values
HI           | clear          -    | plan for high values
250.1 mg/dL  | clear          -    | ketones above 3.0 mmol/L: call your emergency number
13.91 mmol/L | clear          -    | Vomiting, drowsy
HI           | clear          -    | ketones above 3.0 mmol/L: call your emergency number
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


def reading(text: str) -> Reading:
    match text.split():
        case ["LO"]:
            return Reading(shown="lo")
        case ["HI"]:
            return Reading(shown="hi")
        case ["none"]:
            return Reading(shown="none")
    number, unit = text.split()
    return Reading(shown="number", value=Decimal(number), unit=UNITS[unit])


def ketones(text: str) -> Ketones | None:
    if text == "-":
        return None
    return Ketones(mmol_per_l=None if text == "?" else Decimal(text))


def either(text: str) -> tuple[bool, ...]:
    return {"yes": (True,), "no": (False,), "any": (True, False)}[text]


def told(found: tuple[Advice, ...], says: str) -> str:
    """Level, urgency, wait and length of all advice together, and whether it has the words."""
    level = max((advice.level for advice in found), key=LEVELS.index, default="clear")
    worst = [advice for advice in found if advice.level == level]
    urgency = sorted({advice.urgency for advice in worst if advice.urgency})
    waits = {advice.wait_minutes for advice in worst} or {None}
    wait = "-" if None in waits else str(max(wait for wait in waits if wait))
    shortest = "yes" if any(advice.shortest for advice in found) else "no"
    words = [] if any(says in advice.act for advice in found) or not says else ["no words"]
    return " ".join([level, *urgency, wait, shortest, *words])


def agrees(wanted: str, found: str) -> bool:
    """True when every word is the same; "any" agrees with each."""
    pairs = zip(wanted.split(), found.split(), strict=False)
    return len(wanted.split()) == len(found.split()) and all(w in (f, "any") for w, f in pairs)


def unmet_before(row: Cells) -> Iterator[str]:
    given, wanted, says = row
    *shown, lows, acid, ketone = given.split()
    for low, ketosis in product(either(lows), either(acid)):
        try:
            found = told(
                glucose.judge(reading(" ".join(shown)), low, ketosis, ketones(ketone)), says
            )
        except ValueError as error:
            found = f"ValueError: {error}"
        if not agrees(wanted, found):
            yield f"before: {given} (lows {low}, acid {ketosis}): {wanted}, got {found}"


def unmet_asks(row: Cells) -> Iterator[str]:
    given, wanted = row
    shown, _, acid = given.rpartition(" ")
    found = "yes" if glucose.asks_for_ketones(reading(shown), acid == "yes") else "no"
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
        for advice in glucose.judge(reading(value), True, True, None)
    }
    assert waits == {15}
