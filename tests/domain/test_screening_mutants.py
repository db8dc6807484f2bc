"""Every rule of the check has a row that notices when the rule is gone, milder or moved.

Each rule of ``screening.json``, each limit of the glucose rule and each guard of the code is made
wrong on purpose, one at a time; the rows of the two other modules have to say so. A wrong rule
that no row notices is a survivor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import chain, combinations
from typing import Any

import pytest

from tests.domain import test_glucose as of_glucose
from tests.domain.test_screening import (
    ALL_FLAGS,
    FOLLOWS,
    URGENCIES,
    unmet,
    unmet_flag,
    unmet_starts,
)
from tests.support.builders import shipped
from webapp.domain import glucose, screening
from webapp.domain.catalogue import LEVELS, Catalogue, Option, Outcome, Question, RedFlag, When
from webapp.domain.glucose import BELOW, PLAUSIBLE, UP_TO, Advice, Ketones, Person, Reading, Unit
from webapp.domain.plan import Changes
from webapp.domain.protocol import Protocol
from webapp.domain.screening import Answers, Finding, Verdict

pytestmark = pytest.mark.slow

CATALOGUE = shipped().catalogue
WHEN_LISTS = ("regions", "techniques", "conditions", "access", "postures")


# -- wrong rules ---------------------------------------------------------------------------------


def without(items: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    return items[:index] + items[index + 1 :]


def replaced(items: tuple[Any, ...], index: int, item: object) -> tuple[Any, ...]:
    return (*items[:index], item, *items[index + 1 :])


def wrong_whens(when: When) -> Iterator[tuple[str, When]]:
    """One name less in a list; the last one gone, the list no longer narrows anything."""
    for key in WHEN_LISTS:
        names = getattr(when, key)
        for index, name in enumerate(names):
            yield f"without {name}", when.model_copy(update={key: without(names, index)})


def wrong_asked(
    whens: tuple[When, ...],
) -> Iterator[tuple[str, tuple[When, ...]]]:
    yield "nowhere", ()
    if whens != (When(),):
        yield "everywhere", (When(),)
    for index, when in enumerate(whens):
        if len(whens) > 1:
            yield f"without place {index}", without(whens, index)
        for name, wrong in wrong_whens(when):
            yield f"place {index} {name}", replaced(whens, index, wrong)


def wrong_outcomes(outcomes: tuple[Outcome, ...]) -> Iterator[tuple[str, tuple[Outcome, ...]]]:
    for index, outcome in enumerate(outcomes):
        yield f"outcome {index} gone", without(outcomes, index)
        for name, update in wrong_outcome(outcome):
            changed = outcome.model_copy(update=update)
            yield f"outcome {index} {name}", replaced(outcomes, index, changed)


def wrong_outcome(outcome: Outcome) -> Iterator[tuple[str, dict[str, object]]]:
    milder = LEVELS[LEVELS.index(outcome.level) - 1]
    yield milder, {"level": milder}
    if outcome.urgency:
        yield "without urgency", {"urgency": None}
    if outcome.urgency and outcome.urgency != URGENCIES[0]:
        later = URGENCIES[URGENCIES.index(outcome.urgency) - 1]
        yield later, {"urgency": later}
    if outcome.wait_minutes:
        yield "a minute early", {"wait_minutes": outcome.wait_minutes - 1}
        yield "without its wait", {"wait_minutes": None}
    elif outcome.level == "not-today":
        yield "passes by itself", {"wait_minutes": 15}
    yield from wrong_changes(outcome)
    if outcome.when != When():
        yield "for all", {"when": When()}
    for name, when in wrong_whens(outcome.when):
        yield f"when {name}", {"when": when}


def wrong_changes(outcome: Outcome) -> Iterator[tuple[str, dict[str, object]]]:
    """One change of the plan less."""
    if outcome.light:
        yield "not light", {"light": False}
    if outcome.shortest:
        yield "not the shortest", {"shortest": False}
    for index, name in enumerate(outcome.leave_out_techniques):
        gone = without(outcome.leave_out_techniques, index)
        yield f"leaves {name} in", {"leave_out_techniques": gone}
    if outcome.reach != "place":
        yield "only the place", {"reach": "place"}
    if outcome.reach == "limb":
        yield "only the region", {"reach": "region"}
    for index, tag in enumerate(outcome.leave_out):
        yield f"leaves {tag} in", {"leave_out": without(outcome.leave_out, index)}
    if outcome.leave_out_marked:
        yield "leaves the marked places in", {"leave_out_marked": False}


def wrong_options(options: tuple[Option, ...]) -> Iterator[tuple[str, tuple[Option, ...]]]:
    for index, option in enumerate(options):
        yield f"option {option.id} gone", without(options, index)
        for name, outcomes in wrong_outcomes(option.outcomes):
            changed = option.model_copy(update={"outcomes": outcomes})
            yield f"option {option.id} {name}", replaced(options, index, changed)


def wrong_questions(question: Question) -> Iterator[tuple[str, Question | None]]:
    """The question made wrong in each way; None when it is gone."""
    yield "gone", None
    updates: list[tuple[str, dict[str, object]]] = []
    updates += [(f"asked {name}", {"asked": whens}) for name, whens in wrong_asked(question.asked)]
    updates += [(name, {"outcomes": wrong}) for name, wrong in wrong_outcomes(question.outcomes)]
    updates += [(name, {"options": wrong}) for name, wrong in wrong_options(question.options)]
    if question.kind != "choice":
        other = "promise" if question.kind == "sign" else "sign"
        updates.append((f"as a {other}", {"kind": other}))
    if question.group == screening.SIGNS:
        updates.append(("among the others", {"group": "today"}))
    if question.never_cleared:
        updates.append(("cleared by a word", {"never_cleared": False}))
    for index, sign in enumerate(question.signs):
        updates.append((f"without {sign}", {"signs": without(question.signs, index)}))
    if question.decided:
        updates.append(("not decided", {"decided": False}))
    if question.lows_only:
        updates.append(("asked of all with diabetes", {"lows_only": False}))
    for index, way in enumerate(question.follows):
        updates.append((f"not after {way.question}", {"follows": without(question.follows, index)}))
        for token in way.answers:
            fewer = way.model_copy(update={"answers": tuple(t for t in way.answers if t != token)})
            ways = replaced(question.follows, index, fewer)
            updates.append((f"not after {way.question} {token}", {"follows": ways}))
    for name, update in updates:
        yield name, question.model_copy(update=update)


def wrong_flags(flag: RedFlag) -> Iterator[tuple[str, RedFlag | None]]:
    yield "gone", None
    if flag.urgency != URGENCIES[0]:
        later = URGENCIES[URGENCIES.index(flag.urgency) - 1]
        yield later, flag.model_copy(update={"urgency": later})
    yield "late or not", flag.model_copy(update={"late": not flag.late})
    for name, whens in wrong_asked(flag.when):
        if When() not in whens:  # shown more often is not wrong
            yield f"shown {name}", flag.model_copy(update={"when": whens})


# -- what notices them ---------------------------------------------------------------------------


def only(question_id: str, question: Question | None) -> Catalogue:
    """The question with its family: what it follows, and what follows from it."""
    parents = set(FOLLOWS.get(question_id, {}))
    children = {child for child, before in FOLLOWS.items() if {question_id} & {*before}}
    siblings = {parent for child in children for parent in FOLLOWS[child]}
    family = {question_id} | parents | children | siblings
    questions = {key: q for key, q in CATALOGUE.questions.items() if key in family}
    if question:
        questions[question_id] = question
    else:
        del questions[question_id]
    return CATALOGUE.model_copy(update={"questions": questions})


def with_flag(flag_id: str, flag: RedFlag | None) -> Catalogue:
    others = {key: other for key, other in CATALOGUE.red_flags.items() if key != flag_id}
    return CATALOGUE.model_copy(
        update={"red_flags": others if flag is None else {**others, flag_id: flag}}
    )


def noticed(found: Iterable[str], known: frozenset[str]) -> bool:
    """True at the first row that fails and did not fail before."""
    return any(line not in known for line in found)


def survivors_of(question: Question) -> tuple[int, list[str]]:
    """How many wrong versions there are, and those that no row notices."""
    known = frozenset(unmet(only(question.id, question), question.id))
    wrong = [*wrong_questions(question)]
    left = [
        f"{question.id}: {name}"
        for name, changed in wrong
        if not noticed(unmet(only(question.id, changed), question.id), known)
    ]
    return len(wrong), left


def unmet_flags(flag: RedFlag, catalogue: Catalogue) -> Iterator[str]:
    """The rows of flags whose words stand in ``flag``."""
    for row in ALL_FLAGS:
        if row.says.split(" ")[0].lower() in flag.sign.lower():
            yield from unmet_flag(catalogue, row)


def survivors_of_flag(flag: RedFlag) -> tuple[int, list[str]]:
    known = frozenset(unmet_flags(flag, CATALOGUE))
    wrong = [*wrong_flags(flag)]
    left = [
        f"{flag.id}: {name}"
        for name, changed in wrong
        if not noticed(unmet_flags(flag, with_flag(flag.id, changed)), known)
    ]
    return len(wrong), left


@pytest.mark.parametrize("question", CATALOGUE.questions.values(), ids=lambda one: one.id)
def test_no_wrong_question_survives(question: Question) -> None:
    count, left = survivors_of(question)
    assert count >= 3
    assert left == []


@pytest.mark.parametrize("flag", CATALOGUE.red_flags.values(), ids=lambda one: one.id)
def test_no_wrong_red_flag_survives(flag: RedFlag) -> None:
    count, left = survivors_of_flag(flag)
    assert count >= 3
    assert left == []


# -- wrong numbers and wrong code ----------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """One name of a module or class, and the wrong thing it stands for."""

    name: str
    owner: Any
    attribute: str
    value: object


STEP = {"mg/dL": Decimal("0.1"), "mmol/L": Decimal("0.01")}


def wrong_limits() -> Iterator[Wrong]:
    """Each limit of a band a step lower and higher, and each band gone."""
    for attribute, table in (("BELOW", BELOW), ("UP_TO", UP_TO)):
        for unit, bands in table.items():
            for index, (limit, band) in enumerate(bands):
                for step in (-STEP[unit], STEP[unit]):
                    moved = replaced(bands, index, (limit + step, band))
                    name = f"{band} {'below' if table is BELOW else 'up to'} {limit + step} {unit}"
                    yield Wrong(name, glucose, attribute, {**table, unit: moved})
                gone = {**table, unit: without(bands, index)}
                yield Wrong(f"no {band} in {unit}", glucose, attribute, gone)
    for unit, ends in PLAUSIBLE.items():
        for index, step in ((0, -STEP[unit]), (0, STEP[unit]), (1, -STEP[unit]), (1, STEP[unit])):
            moved = replaced(ends, index, ends[index] + step)
            name = f"possible {moved} {unit}"
            yield Wrong(name, glucose, "PLAUSIBLE", {**PLAUSIBLE, unit: moved})


def wrong_numbers() -> Iterator[Wrong]:
    hundredth = Decimal("0.01")
    for attribute in ("KETONES_CLEAR_BELOW", "KETONES_CALL_ABOVE", "KETONES_EMERGENCY_ABOVE"):
        for step in (-hundredth, hundredth):
            value = getattr(glucose, attribute) + step
            yield Wrong(f"{attribute} {value}", glucose, attribute, value)
    counts = [(glucose, name) for name in ("KETONES_MOST", "READING_COUNTS_MINUTES")]
    counts.append((glucose, "RECHECK_MINUTES"))
    counts += [
        (screening, name)
        for name in (
            "ANSWERS_COUNT_MS",
            "READING_COUNTS_MS",
            "WORD_COUNTS_DAYS",
            "SHORT_WORD_COUNTS_DAYS",
            "DATED_WORD_COUNTS_DAYS",
        )
    ]
    for owner, attribute in counts:
        for off in (-1, 1):
            moved = getattr(owner, attribute) + off
            yield Wrong(f"{attribute} {moved}", owner, attribute, moved)


def wrong_advice() -> Iterator[Wrong]:
    """Each advice of the glucose rule milder, later, shorter, without its wait or its help."""
    for attribute, advice in vars(glucose).items():
        if not isinstance(advice, Advice):
            continue
        updates: list[dict[str, object]] = [
            {"shortest": not advice.shortest},
            {"low": not advice.low},
        ]
        if advice.level != "clear":
            updates.append({"level": LEVELS[LEVELS.index(advice.level) - 1]})
        if advice.urgency:
            later = "urgent" if advice.urgency == "same-day" else "same-day"
            updates += [{"urgency": None}, {"urgency": later}]
        waits = (None, 14, 16) if advice.wait_minutes else (15,)
        updates += [{"wait_minutes": wait} for wait in waits]
        updates.append({"act": "Carry on."})
        for update in updates:
            yield Wrong(
                f"{attribute} {update}", glucose, attribute, advice.model_copy(update=update)
            )


Given = Callable[[dict[str, str]], bool]
LOW_RISKS: dict[str, Given] = {
    "medicine": lambda given: given.get("glucose-medicine") != "none",
    "type": lambda given: given.get("diabetes-type") not in ("type-2", "other"),
}


def any_but(risks: dict[str, Given], left_out: str) -> Callable[[Answers], bool]:
    kept = [risk for name, risk in risks.items() if name != left_out]
    return lambda answers: any(risk(answers.given) for risk in kept)


def trusting(question: str) -> Callable[[Answers], bool]:
    """As it is, but "not sure" and no answer count as the safe answer of ``question``."""
    usual = {"glucose-medicine": "none", "diabetes-type": "type-2"}

    def found(answers: Answers, unknown: tuple[str | None, ...] = ("unsure", "", None)) -> bool:
        given = dict(answers.given)
        if given.get(question) in unknown:
            given[question] = usual[question]
        return any(risk(given) for risk in LOW_RISKS.values())

    return found


def wrong_risks() -> Iterator[Wrong]:
    for value in (True, False):
        yield Wrong(f"low_risk {value}", screening, "low_risk", lambda _, v=value: v)
        yield Wrong(f"very high: {value}", screening, "is_very_high", lambda _, v=value: v)
    for name in LOW_RISKS:
        yield Wrong(f"low_risk without {name}", screening, "low_risk", any_but(LOW_RISKS, name))
    for name in ("glucose-medicine", "diabetes-type"):
        yield Wrong(f"low_risk trusts {name}", screening, "low_risk", trusting(name))
    tablets: Given = lambda given: given.get("glucose-medicine") not in ("none", "tablets")  # noqa: E731
    no_tablets = {**LOW_RISKS, "medicine": tablets}
    yield Wrong("low_risk without tablets", screening, "low_risk", any_but(no_tablets, ""))
    person_of = screening.person_of
    for field in ("lows", "sglt2", "ill", "shaky", "made_for"):
        for value in (True, False):

            def wrong(
                answers: Answers, *, made_for: bool, field: str = field, value: bool = value
            ) -> Person:
                return person_of(answers, made_for=made_for).model_copy(update={field: value})

            yield Wrong(f"person: {field} {value}", screening, "person_of", wrong)
    for name in sorted(screening.DATED):
        yield Wrong(f"{name} is not dated", screening, "DATED", screening.DATED - {name})
    for ill in (("unwell",), ("fever",), ()):
        yield Wrong(f"ill by {ill}", screening, "ILL", ill)


def wrong_trend() -> Iterator[Wrong]:
    """Limits of a fall moved, what a trend says as if it were another."""
    for attribute in ("FALL_MATTERS_BELOW", "FALLS"):
        table: dict[Unit, Any] = getattr(glucose, attribute)
        for unit, limits in table.items():
            for step in (-STEP[unit], STEP[unit]):
                moved: list[Any]
                if isinstance(limits, tuple):
                    moved = [replaced(limits, i, limit + step) for i, limit in enumerate(limits)]
                else:
                    moved = [limits + step]
                for value in moved:
                    yield Wrong(
                        f"{attribute} {value} {unit}", glucose, attribute, {**table, unit: value}
                    )
    trend_of = glucose.trend_of
    for trend, as_if in (
        *(("falling", "steady"), ("falling-fast", "falling"), ("unknown", "steady")),
        *(("steady", "falling"), ("unknown", "falling"), ("falling", "falling-fast")),
    ):
        yield Wrong(f"{trend} as {as_if}", glucose, "trend_of",
                    lambda r, t=trend, a=as_if: a if trend_of(r) == t else trend_of(r))  # fmt: skip
    yield Wrong("the arrow alone, where there is one", glucose, "trend_of",
                lambda r: trend_of(r if r.trend == "unknown" else r.model_copy(
                    update={"before": None})))  # fmt: skip
    yield Wrong(
        "two readings alone",
        glucose,
        "trend_of",
        lambda r: trend_of(r.model_copy(update={"trend": "unknown"} if r.before else {})),
    )
    yield Wrong("two readings are not heard", glucose, "trend_of", lambda r: r.trend or "unknown")
    for strip, value in glucose.STRIP_COUNTS.items():
        for off in (Decimal("-0.6"), Decimal("0.91")):
            counts = {**glucose.STRIP_COUNTS, strip: value + off}
            unnoticed = (("negative", True), ("plus", False), ("plus-plus", True))
            if (strip, off < 0) not in (*unnoticed, ("plus-plus-plus", False)):
                yield Wrong(f"{strip} {value + off}", glucose, "STRIP_COUNTS", counts)
    of_trend, of_ketones = glucose.of_trend, glucose.of_ketones
    yield Wrong("no trend", glucose, "of_trend", lambda *_: ())
    yield Wrong("no ketones", glucose, "of_ketones", lambda *_: ())
    yield Wrong("a strong strip when well", glucose, "of_ketones",
                lambda r, p, k: of_ketones(r, p.model_copy(update={"ill": True}), k))  # fmt: skip
    yield Wrong("a strong strip as when well", glucose, "of_ketones",
                lambda r, p, k: of_ketones(r, p.model_copy(update={"ill": False}), k))  # fmt: skip
    yield Wrong("an SGLT2 medicine is not heard", glucose, "of_ketones",
                lambda r, p, k: of_ketones(r, p.model_copy(update={"sglt2": False}), k))  # fmt: skip
    yield Wrong("a trend without the medicine", glucose, "of_trend",
                lambda r, p: of_trend(r, p.model_copy(update={"lows": True})))  # fmt: skip
    for asks in (lambda *_: False, lambda *_: True):
        yield Wrong("ketones asked", glucose, "asks_for_ketones", asks)
        yield Wrong("ketones asked by the form", screening, "asks_for_ketones", asks)


def wrong_code() -> Iterator[Wrong]:
    """Guards of the check taken away, one at a time."""
    is_answer, is_safe = screening.is_answer, screening.is_safe
    outcome_of, questions_for = screening.outcome_of, screening.questions_for
    judge = glucose.judge
    matches = Catalogue.matches
    milder = screening.REFUSED.model_copy(update={"level": "clinician"})

    def first_outcome(
        c: Catalogue, p: Protocol, q: Question, token: str, *, diabetes: bool
    ) -> Outcome | None:
        options = [option for option in q.options if token in (option.id, "unsure")]
        every = q.outcomes or tuple(o for option in options for o in option.outcomes)
        fitting = [o for o in every if c.matches(o.when, p, diabetes=diabetes)]
        return min(fitting, key=lambda o: LEVELS.index(o.level), default=None)

    def only_listed(c: Catalogue, p: Protocol) -> tuple[Question, ...]:
        return tuple(q for q in questions_for(c, p) if q.id in p.screening)

    def not_listed(c: Catalogue, p: Protocol) -> tuple[Question, ...]:
        return questions_for(c, p.model_copy(update={"screening": ()}))

    def by_regions_of_the_file(
        c: Catalogue, when: When, p: Protocol, *, diabetes: bool = False
    ) -> bool:
        return (not when.regions or not {*p.regions}.isdisjoint(when.regions)) and matches(
            c, when.model_copy(update={"regions": ()}), p, diabetes=diabetes
        )

    def by_areas_alone(c: Catalogue, when: When, p: Protocol, *, diabetes: bool = False) -> bool:
        return matches(c, when, p.model_copy(update={"regions": ()}), diabetes=diabetes)

    def any_of(key: str) -> Callable[..., bool]:
        return lambda c, when, p, diabetes=False: matches(
            c, when.model_copy(update={key: ()}), p, diabetes=diabetes
        )

    def nothing_of(key: str) -> Callable[..., bool]:
        return lambda c, when, p, diabetes=False: (
            not getattr(when, key) and matches(c, when, p, diabetes=diabetes)
        )

    def by_the_protocol(c: Catalogue, when: When, p: Protocol, *, diabetes: bool = False) -> bool:
        return matches(c, when, p)

    def without_ketones(
        reading: Reading, person: Person, ketones: Ketones | None
    ) -> tuple[Advice, ...]:
        return judge(reading, person, None)

    yield Wrong("any token answers", screening, "is_answer", lambda *_: True)
    yield Wrong("no token is missing", screening, "is_answer",
                lambda q, token, places: not token or is_answer(q, token, places))  # fmt: skip
    yield Wrong("a place without places", screening, "is_answer",
                lambda q, token, _: is_answer(q, token, ("here",)))  # fmt: skip
    yield Wrong("not sure is safe", screening, "is_safe",
                lambda q, token: token == "unsure" or is_safe(q, token))  # fmt: skip
    yield Wrong("a promise is a sign", screening, "is_safe",
                lambda q, token: q.kind != "choice" and token == "no")  # fmt: skip
    yield Wrong("yes is safe", screening, "is_safe",
                lambda q, token: q.kind != "choice" and token == "yes")  # fmt: skip
    yield Wrong("the mildest outcome", screening, "outcome_of", first_outcome)
    yield Wrong("not sure of a choice", screening, "outcome_of",
                lambda c, p, q, token, diabetes: None if q.options and token == "unsure"
                else outcome_of(c, p, q, token, diabetes=diabetes))  # fmt: skip
    yield Wrong("nothing changes", screening, "changes_of", lambda *_: Changes())
    yield Wrong("changes are lost", screening, "merged", lambda _: Changes())
    yield Wrong("refused is milder", screening, "REFUSED", milder)
    yield Wrong("nobody has diabetes", screening, "has_diabetes", lambda *_: False)
    yield Wrong("everybody has diabetes", screening, "has_diabetes", lambda *_: True)
    yield Wrong("diabetes goes by the protocol", screening, "has_diabetes",
                lambda p, _: p.condition == "diabetes-mellitus")  # fmt: skip
    yield Wrong("not sure of diabetes is no", screening, "has_diabetes",
                lambda p, a: p.condition == "diabetes-mellitus" or a.given.get("diabetes") == "yes")  # fmt: skip
    yield Wrong("questions go by the protocol", Catalogue, "matches", by_the_protocol)
    yield Wrong("ketones are not heard", screening, "judge", without_ketones)
    yield Wrong("no advice on glucose", screening, "judge", lambda *_: ())
    yield Wrong("severity by level alone", screening, "severity",
                lambda outcome: (LEVELS.index(outcome.level), 0))  # fmt: skip
    yield Wrong("no limbs", screening, "LIMBS", ())
    yield Wrong("a limb without its feet", screening, "LIMBS", ({"arms"}, {"legs"}))
    yield Wrong("only what the file lists", screening, "questions_for", only_listed)
    yield Wrong("nothing that the file lists", screening, "questions_for", not_listed)
    yield Wrong("regions of the file alone", Catalogue, "matches", by_regions_of_the_file)
    yield Wrong("regions of the areas alone", Catalogue, "matches", by_areas_alone)
    for key in WHEN_LISTS:
        yield Wrong(f"any {key}", Catalogue, "matches", any_of(key))
        yield Wrong(f"nothing by {key}", Catalogue, "matches", nothing_of(key))
    for index in range(len(LEVELS) - 1):
        order = [*LEVELS]
        order[index : index + 2] = reversed(order[index : index + 2])
        yield Wrong(f"levels {order}", screening, "LEVELS", tuple(order))


def wrong_words() -> Iterator[Wrong]:
    """Whose word counts: one more or less, of another verdict; a day in another form."""
    who_may_clear, word_fault = screening.who_may_clear, screening.word_fault
    everybody = screening.WHO
    for who in everybody:
        yield Wrong(f"no word of the {who}", screening, "who_may_clear",
                    lambda verdict, who=who: tuple(w for w in who_may_clear(verdict) if w != who))  # fmt: skip
        if who not in ("doctor", "specialist"):  # their words always count
            yield Wrong(f"always the word of the {who}", screening, "who_may_clear",
                        lambda verdict, who=who: tuple({*who_may_clear(verdict), who}))  # fmt: skip
        yield Wrong(f"{who} counts though not here", screening, "word_fault",
                    lambda w, on, today, known, days, who=who: word_fault(w, on, today, (*known, who), days))  # fmt: skip
    yield Wrong("everybody's word", screening, "who_may_clear", lambda _: everybody)
    yield Wrong("a physiotherapist's word", screening, "who_may_clear",
                lambda verdict: (*who_may_clear(verdict), "physiotherapist"))  # fmt: skip
    yield Wrong("whoever says so", screening, "word_fault",
                lambda who, on, today, known, days: word_fault("doctor", on, today, ("doctor",), days))  # fmt: skip
    yield Wrong("all who are known anywhere", screening, "word_fault",
                lambda who, on, today, known, days: word_fault(who, on, today, everybody, days))  # fmt: skip

    for days in (screening.WORD_COUNTS_DAYS, screening.SHORT_WORD_COUNTS_DAYS):
        yield Wrong(f"always {days} days", screening, "word_counts_days", lambda *_, d=days: d)

    def for_a_part(verdict: Verdict) -> tuple[str, ...]:
        found = {f.question for f in verdict.findings if f.level == "clinician"}
        team = ("diabetes-team",) if found & screening.TEAM_MAY_CLEAR else ()
        midwife = ("midwife",) if found & screening.MIDWIFE_MAY_CLEAR else ()
        return ("doctor", "specialist", *team, *midwife)

    def of_every_finding(verdict: Verdict) -> tuple[str, ...]:
        every = tuple(f.model_copy(update={"level": "clinician"}) for f in verdict.findings)
        return who_may_clear(verdict.model_copy(update={"findings": every}))

    def of_the_first(verdict: Verdict) -> tuple[str, ...]:
        return who_may_clear(verdict.model_copy(update={"findings": verdict.findings[:1]}))

    yield Wrong("a word for a part of it", screening, "who_may_clear", for_a_part)
    yield Wrong("a word for what asks for none", screening, "who_may_clear", of_every_finding)
    yield Wrong("a word for the first alone", screening, "who_may_clear", of_the_first)
    asking = {
        question.id
        for question in CATALOGUE.questions.values()
        if any(outcome.level == "clinician" for outcome in question.every_outcome())
    }
    for attribute in ("TEAM_MAY_CLEAR", "MIDWIFE_MAY_CLEAR"):
        known = getattr(screening, attribute)
        for question in sorted(asking):
            other = known ^ {question}
            sign = "without" if question in known else "with"
            yield Wrong(f"{attribute} {sign} {question}", screening, attribute, other)
    for name, day in (
        ("any day that Python reads", r""),
        ("a day that begins well", r"^\d{4}-"),
        ("without bars", r"^(\d{4}-\d{2}-\d{2}|\d{8})$"),
        ("of a week", r"^\d{4}-(\d{2}-\d{2}|W\d{2}(-\d)?)$"),
        ("of a week without bars", r"^\d{4}(-\d{2}-\d{2}|W\d{2}\d?)$"),
        ("never", r"^$"),
    ):
        yield Wrong(f"day {name}", screening, "DAY", re.compile(day, re.ASCII))


def wrong_order() -> Iterator[Wrong]:
    """Findings in another order."""
    key = screening.most_pressing_first
    keys: dict[str, Callable[[Finding], tuple[int, ...]]] = {
        "as asked": lambda _: (0,),
        "by level alone": lambda finding: key(finding)[:1],
        "by urgency alone": lambda finding: key(finding)[1:],
        "by urgency first": lambda finding: key(finding)[::-1],
        "least level first": lambda finding: (-key(finding)[0], key(finding)[1]),
        "least urgent first": lambda finding: (key(finding)[0], -key(finding)[1]),
    }
    for name, wrong in keys.items():
        yield Wrong(f"findings {name}", screening, "most_pressing_first", wrong)
    order = screening.URGENCIES
    for one, other in combinations(range(len(order)), 2):
        moved = [*order]
        moved[one], moved[other] = moved[other], moved[one]
        yield Wrong(f"urgencies {moved}", screening, "URGENCIES", tuple(moved))


def wrong_complete() -> Iterator[Wrong]:
    """When nothing more is asked: too early, or too late for a low."""
    complete: Callable[[Verdict], bool] = vars(Verdict)["complete"].fget
    screen = screening.screen

    def refused(verdict: Verdict) -> bool:
        return verdict.level == "not-today" and verdict.wait_minutes is None

    def told(verdict: Verdict) -> bool:
        return verdict.low is not None

    found: dict[str, Callable[[Verdict], bool]] = {
        "always": lambda _: True,
        "never": lambda _: False,
        "only when all is answered": lambda v: not v.missing,
        "not for help": lambda v: complete(v) and (v.level != "help" or not v.missing),
        "not for lows": lambda v: not v.missing
        or v.level == "help"
        or (refused(v) and not v.missing_signs),
        "for a low only when signs are answered": lambda v: complete(v)
        and (not told(v) or v.level == "help" or not v.missing_signs),
        "for a low only alone": lambda v: complete(v)
        and (not told(v) or v.level == "help" or len(v.worst) == 1 or not v.missing),
        "for every wait": lambda v: complete(v) or bool(v.wait_minutes),
        "for every refusal": lambda v: complete(v) or v.level == "not-today",
        "for a refusal with signs open": lambda v: complete(v) or refused(v),
        "not for a refusal": lambda v: complete(v) and (not refused(v) or not v.missing or told(v)),
        "whatever waits": lambda v: complete(v) or any(f.wait_minutes for f in v.findings),
    }  # fmt: skip
    for name, wrong in found.items():
        yield Wrong(f"complete {name}", Verdict, "complete", property(wrong))
    for lows in (
        (),
        ("last-meal",),
        (*screening.LOWS, "last-meal"),
        (*screening.LOWS, "last-insulin"),
    ):
        yield Wrong(f"lows {lows}", screening, "LOWS", lows)

    def signs_without(*left_out: str) -> Callable[[Catalogue, Protocol, Answers], Verdict]:
        """What is open of ``left_out`` is no sign: a question by its group, the others by id."""

        def found(c: Catalogue, p: Protocol, answers: Answers) -> Verdict:
            verdict = screen(c, p, answers)
            signs = {key for key, q in c.questions.items() if q.group == screening.SIGNS}
            if screening.SIGNS in left_out:
                signs = set()
            signs |= {screening.GLUCOSE, screening.KETONES, screening.TREND} - {*left_out}
            return verdict.model_copy(
                update={"missing_signs": not signs.isdisjoint(verdict.missing)}
            )

        return found

    for left_out in (screening.GLUCOSE, screening.KETONES, screening.SIGNS):
        yield Wrong(f"{left_out} is no sign", screening, "screen", signs_without(left_out))
    yield Wrong("all that is open is a sign", screening, "screen",
                lambda c, p, answers: (v := screen(c, p, answers)).model_copy(
                    update={"missing_signs": bool(v.missing)}))  # fmt: skip


def wrong_numbers_for_both() -> Iterator[Wrong]:
    """Numbers that fit both units: others, or one step more or less at each end."""
    least, most = Decimal(20), Decimal("33.3")
    hundredth = Decimal("0.01")
    ends = {
        "never": (most, least),
        "from a hundredth less": (least - hundredth, most),
        "above the least": (least + hundredth, most),
        "below the most": (least, most - hundredth),
        "up to a hundredth more": (least, most + hundredth),
        "from 1.1": (Decimal("1.1"), most),
        "up to 600": (least, Decimal(600)),
    }
    for name, (low, high) in ends.items():
        yield Wrong(f"both units {name}", glucose, "fits_both_units",
                    lambda value, low=low, high=high: value.is_finite() and low <= value <= high)  # fmt: skip
    yield Wrong("both units always", glucose, "fits_both_units", lambda _: True)
    yield Wrong("both units: either", glucose, "fits_both_units",
                lambda value: not all(glucose.implausible(value, unit) for unit in PLAUSIBLE))  # fmt: skip


def wrong_afterwards() -> Iterator[Wrong]:
    """What a reading after the massage says, as if it were another or said less."""
    after = glucose.after_session
    usual = Reading(shown="number", value=Decimal("7.0"))

    def trusting_nothing(reading: Reading) -> Advice:
        return after(usual if reading.shown == "none" else reading)

    def saying(band: str, words: str) -> Callable[[Reading], Advice]:
        def found(reading: Reading) -> Advice:
            advice = after(reading)
            if glucose.band_of(reading) != band:
                return advice
            return advice.model_copy(update={"act": advice.act.split(words)[0]})

        return found

    yield Wrong("after: no reading is usual", glucose, "after_session", trusting_nothing)
    for band, as_if in (("severe-low", "3.5"), ("low", "5.0"), ("borderline", "7.0"),
                        ("go", "20"), ("high", "7.0"), ("very-high", "7.0")):  # fmt: skip
        other = Reading(shown="number", value=Decimal(as_if))
        yield Wrong(f"after: {band} as {as_if}", glucose, "after_session",
                    lambda r, band=band, o=other: after(o if glucose.band_of(r) == band else r))  # fmt: skip
    for band, words in (("low", "Drowsy"), ("high", "Vomiting"), ("very-high", "Vomiting"),
                        ("high", "drowsy, or"), ("very-high", "call your")):  # fmt: skip
        yield Wrong(f"after: {band} ends before {words!r}", glucose, "after_session",
                    saying(band, words))  # fmt: skip
    for attribute, words in (("LOW", "Drowsy"), ("SEVERE_LOW", "Drowsy")):
        advice = getattr(glucose, attribute)
        shorter = advice.model_copy(update={"act": advice.act.split(words)[0]})
        yield Wrong(f"{attribute} ends before {words!r}", glucose, attribute, shorter)


LOWS = {"SEVERE_LOW", "LOW"}  # facts 2.3: only these two are treated before anything else


def unmet_lows() -> Iterator[str]:
    for name, advice in vars(glucose).items():
        if isinstance(advice, Advice) and advice.low != (name in LOWS):
            yield f"{name} is {'' if advice.low else 'not '}treated as a low"


def test_only_the_two_lows_are_treated_before_anything_else() -> None:
    assert [*unmet_lows()] == []


def everything() -> Iterator[str]:
    """The quickest first: most that is wrong is found by the first rows that can notice it."""
    return chain(unmet_lows(), of_glucose.unmet(), unmet_starts(), unmet(CATALOGUE))


@cache
def known_before() -> frozenset[str]:
    return frozenset(everything())


ALL_WRONG = [
    *wrong_limits(),
    *wrong_numbers(),
    *wrong_advice(),
    *wrong_risks(),
    *wrong_trend(),
    *wrong_code(),
    *wrong_words(),
    *wrong_order(),
    *wrong_complete(),
    *wrong_numbers_for_both(),
    *wrong_afterwards(),
]


@pytest.mark.parametrize("wrong", ALL_WRONG, ids=lambda wrong: wrong.name)
def test_no_wrong_number_and_no_missing_guard_survives(
    wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = known_before()
    monkeypatch.setattr(wrong.owner, wrong.attribute, wrong.value)
    assert noticed(everything(), known)


def test_how_many_wrong_rules_there_are() -> None:
    """So many that none of the kinds can have been left out by mistake."""
    questions = sum(len([*wrong_questions(one)]) for one in CATALOGUE.questions.values())
    flags = sum(len([*wrong_flags(one)]) for one in CATALOGUE.red_flags.values())
    print(f"wrong questions {questions}, red flags {flags}, numbers and code {len(ALL_WRONG)}")
    assert questions > 500
    assert flags > 50
    assert len(ALL_WRONG) > 250
