"""The old rules beside the new ones, on people drawn at random: milder only where the list says so.

A person is a set of facts, each with what it would have answered before and what it answers now.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from decimal import Decimal

from tests.clinical import before as earlier
from tests.support.builders import SHIPPED, shipped, shipped_protocol
from webapp.domain.catalogue import LEVELS
from webapp.domain.glucose import Ketones, Reading, Strip, Trend
from webapp.domain.plan import Changes, LeaveOut, UnreachableError
from webapp.domain.protocol import Protocol
from webapp.domain.screening import Answers, Verdict, questions_for, screen
from webapp.protocol_files.review import MILDER
from webapp.routes.screening_form import places_of

PEOPLE = 10_000 if os.environ.get("STEADY_HANDS_SOAK") else 1_000
SAFE_BEFORE = {
    "last-meal": "good",
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "last-insulin": "never",
    "dka-history": "no",
    "honey-patch": "yes",
    "trained": "yes",
}
SAFE_NOW = {
    "last-meal": "good",
    "diabetes": "no",
    "platelets": "none",
    "honey-patch": "yes",
    "trained": "yes",
}


@dataclass(frozen=True)
class Fact:
    """Something about a person: what it answered before, what it answers now.

    ``milder``: its row in the list of verdicts that are milder on purpose. ``places``: a place of
    the protocol is marked, before and now.
    """

    name: str
    before: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)
    milder: str = ""
    places: tuple[str, str] = ("", "")


def same(*questions: str) -> tuple[Fact, ...]:
    return tuple(Fact(q, {q: token}, {q: token}) for q in questions for token in ("yes", "unsure"))


OLD = "old-sign"
FACTS = (
    *same("chest-breath", "neck-sudden", "foot-wound", "foot-hot", "under-18", "unwell", "fever"),
    *same("flare", "alcohol", "pregnancy", "clot-known", "blood-thinners", "heart", "aneurysm"),
    *same("neck-vessels", "leg-arteries", "lymph", "deep-infection", "spine-injury", "disc"),
    *same("surgery", "joint-inflammation", "joint-replacement", "nervous-system", "mental-flare"),
    *same("kidney-failure", "eye-bleed", "numb-place", "ear-sore", "feet-numb", "foot-shape"),
    *same("cups-marks", "cups-device", "honey-allergy", "stones-cold", "implant-device"),
    *same("weak-bones"),
    Fact("no training", {"trained": "no"}, {"trained": "no"}),
    Fact("no patch test", {"honey-patch": "unsure"}, {"honey-patch": "unsure"}),
    Fact("face or speech", {"neck-dizzy": "yes"}, {"neck-face": "yes"}),
    Fact("dizzy, new", {"neck-dizzy": "yes"}, {"neck-dizzy": "yes", "neck-dizzy-since": "new"}),
    Fact("dizzy, unsure", {"neck-dizzy": "unsure"},
         {"neck-dizzy": "unsure", "neck-dizzy-since": "unsure"}),
    Fact("dizzy, old", {"neck-dizzy": "yes"},
         {"neck-dizzy": "yes", "neck-dizzy-since": "old"}, OLD),
    Fact("weak limb, new", {"neck-limbs": "yes", "new-weakness": "yes"},
         {"neck-limbs": "yes", "neck-limbs-since": "new"}),
    Fact("weak limb, old", {"neck-limbs": "yes"},
         {"neck-limbs": "yes", "neck-limbs-since": "old"}, OLD),
    Fact("bladder", {"neck-limbs": "yes", "back-signs": "yes"}, {"back-signs": "yes"}),
    Fact("saddle", {"back-signs": "yes"}, {"back-signs": "yes"}),
    Fact("both legs, new", {"back-signs": "yes"}, {"legs-both": "yes", "legs-both-since": "new"}),
    Fact("both legs, old", {"back-signs": "yes"},
         {"legs-both": "yes", "legs-both-since": "old"}, OLD),
    Fact("one leg, new", {"leg-clot": "yes"}, {"leg-clot": "yes", "leg-clot-since": "new"}),
    Fact("one leg, no clot", {}, {"leg-clot": "yes", "leg-clot-since": "old"}),
    Fact("cold foot, sudden", {"foot-cold": "yes"},
         {"foot-cold": "yes", "foot-cold-since": "sudden"}),
    Fact("cold foot, weeks", {"foot-cold": "yes"},
         {"foot-cold": "yes", "foot-cold-since": "weeks"}),
    Fact("cold foot, old", {}, {"foot-cold": "yes", "foot-cold-since": "old"}),
    Fact("tingling, new", {"new-weakness": "yes"},
         {"new-weakness": "yes", "new-weakness-since": "new"}),
    Fact("tingling, old", {}, {"new-weakness": "yes", "new-weakness-since": "old"}),
    Fact("back pain and a lump", {"hidden-illness": "yes"}, {"hidden-illness": "yes"}),
    Fact("accident, no pain", {"neck-strain": "yes"},
         {"accident": "yes", "accident-after": "nothing"}),
    Fact("accident, just now", {"accident": "yes", "neck-strain": "yes"},
         {"accident": "yes", "accident-after": "acute"}),
    Fact("accident, days ago", {"accident": "yes", "neck-strain": "yes"},
         {"accident": "yes", "accident-after": "pain"}, "accident-days-ago"),
    Fact("cancer", {"tumour": "yes"}, {"tumour": "yes", "tumour-treated": "yes"}),
    Fact("cancer before, back pain", {"tumour": "yes", "hidden-illness": "yes"},
         {"tumour": "yes", "tumour-treated": "no"}, "cancer-and-back"),
    Fact("pressure, controlled", {"hypertension": "yes"}, {"blood-pressure": "controlled"},
         "pressure-controlled"),
    Fact("pressure, 150", {"hypertension": "yes"}, {"blood-pressure": "high"}),
    Fact("pressure, 170", {"hypertension": "yes", "pressure-160": "yes"},
         {"blood-pressure": "high"}),
    Fact("pressure, unsure", {"hypertension": "unsure", "pressure-160": "unsure"},
         {"blood-pressure": "unsure"}),
    Fact("asthma, mild", {"lungs": "yes", "honey-asthma": "yes"},
         {"lungs": "yes", "lungs-asthma": "mild"}, "mild-asthma"),
    Fact("asthma", {"lungs": "yes", "honey-asthma": "yes"},
         {"lungs": "yes", "lungs-asthma": "other"}),
    Fact("lungs", {"lungs": "yes"}, {"lungs": "unsure", "lungs-asthma": "unsure"}),
    Fact("treated by current", {"physiotherapy": "yes"}, {"physiotherapy": "yes"}),
    Fact("exercises", {"physiotherapy": "yes"}, {}, "exercises"),
    Fact("meal just now", {"last-meal": "recent"}, {"last-meal": "recent"}),
    Fact("fasting", {"last-meal": "empty"}, {"last-meal": "empty"}),
    Fact("meal, not known", {"last-meal": "unsure"}, {"last-meal": "unsure"}),
    Fact("meal long ago", {}, {"last-meal": "late", "meal-snack": "yes"}),
    Fact("advised snack", {"last-meal": "recent"}, {}, "snack"),
    Fact("sore skin", {"skin": "yes"}, {"skin": "yes"}, places=("skin", "skin")),
    Fact("moles", {"skin": "yes", "cups-moles": "yes"}, {"cups-moles": "yes"}, "mole",
         places=("skin", "")),
    Fact("veins", {"varicose-veins": "yes"}, {"varicose-veins": "yes"},
         places=("varicose-veins", "varicose-veins")),
    Fact("nerve damage", {"stones-diabetes": "yes"}, {"stones-nerves": "yes"}),
    *(Fact(q, {}, {q: "yes"}) for q in ("drowsy-medicine", "pain-medicine", "steroids", "port")),
    *(Fact(q, {}, {q: "yes"}) for q in ("fragile-skin", "touch-pain", "hands-well")),
    Fact("two platelets", {}, {"platelets": "several"}),
)  # fmt: skip

VALUES = ("2.9", "3.5", "4.8", "5.5", "6.4", "7.2", "9.0", "13.9", "14.5", "16.8", "20.0")
TRENDS: tuple[Trend, ...] = ("steady", "steady", "falling", "falling-fast", "unknown")
STRIPS: tuple[Strip, ...] = ("negative", "trace", "plus", "plus-plus", "plus-plus-plus")


@dataclass(frozen=True)
class Diabetes:
    """Type, medicine, what insulin when, and what the meters show."""

    type: str
    medicine: str
    insulin: str
    sglt2: str
    dka: str
    more: tuple[str, ...]
    reading: Reading
    ketones: Ketones | None

    @property
    def before(self) -> dict[str, str]:
        within = {"bolus now": "within-an-hour", "long-acting now": "within-an-hour"}
        last = within.get(self.insulin, "over-an-hour") if self.medicine == "insulin" else "never"
        answers = {
            "diabetes-type": self.type,
            "glucose-medicine": self.medicine,
            "last-insulin": last,
            "dka-history": self.dka,
        }
        any_type = ("cups-diabetes", "honey-diabetes", "stones-diabetes")
        return answers | dict.fromkeys((*any_type, *self.more), "yes")

    @property
    def now(self) -> dict[str, str]:
        bolus = "within-an-hour" if self.insulin == "bolus now" else "over-an-hour"
        return {
            "diabetes": "yes",
            "diabetes-type": self.type,
            "glucose-medicine": self.medicine,
            "last-insulin": bolus,
            "sglt2": self.sglt2,
            **dict.fromkeys(self.more, "yes"),
        }

    def glucose_before(self) -> list[earlier.Finding]:
        low = self.medicine != "none" or self.type == "type-1"
        acid = self.medicine == "insulin" or self.type == "type-1" or self.dka == "yes"
        blood = self.ketones.mmol_per_l if self.ketones else None
        return earlier.of_glucose(self.reading.shown, self.reading.value, low, acid, blood)


def drawn_diabetes(chance: random.Random) -> Diabetes:
    kind = chance.choice(("type-1", "type-2", "type-2", "other"))
    medicine = "insulin" if kind == "type-1" else chance.choice(("none", "tablets", "insulin"))
    shown = chance.choice(("number",) * 8 + ("lo", "hi", "none"))
    value = Decimal(chance.choice(VALUES)) if shown == "number" else None
    reading = Reading.model_validate({"shown": shown, "value": value})
    if shown == "number":
        reading = reading.model_copy(update={"trend": chance.choice(TRENDS)})
    blood = Ketones(mmol_per_l=Decimal(chance.choice(("0.2", "0.6", "1.5", "1.8", "3.2"))))
    strip = Ketones(mmol_per_l=None, strip=chance.choice(STRIPS))
    more = ("hypo-severe", "hypo-now", "hypo-unaware", "diabetes-unsteady")
    return Diabetes(
        type=kind,
        medicine=medicine,
        insulin=chance.choice(("bolus now", "long-acting now", "hours ago")),
        sglt2=chance.choice(("no", "no", "yes")),
        dka=chance.choice(("no", "no", "yes")),
        more=(chance.choice(more),) if chance.random() < 0.15 else (),
        reading=reading,
        ketones=chance.choice((None, blood, blood, strip)),
    )


def refused_by_plan(protocol: Protocol, changes: Changes) -> bool:
    assert protocol.session
    try:
        shipped().plan(protocol, protocol.session.usual, frozenset(), changes)
    except UnreachableError:
        return True
    return False


REFUSED = (LEVELS.index("not-today"), 0)


def was(protocol: Protocol, facts: list[Fact], ill: Diabetes | None, place: str) -> tuple[int, int]:
    given = {q["id"]: SAFE_BEFORE.get(q["id"], "no") for q in earlier.QUESTIONS}
    for fact in facts:
        given |= fact.before
    own = protocol.condition == "diabetes-mellitus"
    if ill:
        given |= ill.before
    found = earlier.verdict(
        protocol, shipped().catalogue.areas, given, ill.glucose_before() if ill and own else []
    )
    areas = shipped().catalogue.areas
    marked = any(f.places[0] and earlier.is_asked(f.places[0], protocol, areas) for f in facts)
    area, _, side = place.partition(":")
    rule = LeaveOut.model_validate({"why": "Marked", "area": area, "side": side or None})
    gone = marked and refused_by_plan(protocol, Changes(leave_out=(rule,)))
    return max(found, REFUSED) if gone else found


def badness(verdict: Verdict) -> tuple[int, int]:
    urgency = verdict.worst[0].urgency if verdict.level == "help" else None
    return LEVELS.index(verdict.level), earlier.URGENCIES.index(urgency)


def is_now(
    protocol: Protocol, facts: list[Fact], ill: Diabetes | None, place: str
) -> tuple[int, int]:
    given = {q.id: SAFE_NOW.get(q.id, "no") for q in questions_for(shipped().catalogue, protocol)}
    for fact in facts:
        given |= fact.now
    if ill:
        given |= ill.now
    places: dict[str, tuple[str, ...]] = {
        fact.places[1]: (place,) for fact in facts if fact.places[1]
    }
    ketones = ill.ketones if ill and ill.ketones else Ketones(mmol_per_l=None)
    answers = Answers(
        given=given, places=places, reading=ill.reading if ill else None, ketones=ketones
    )
    verdict = screen(shipped().catalogue, protocol, answers)
    assert not verdict.missing, (protocol.id, verdict.missing, facts)
    gone = bool(verdict.changes) and refused_by_plan(protocol, verdict.changes)
    return max(badness(verdict), REFUSED) if gone else badness(verdict)


def test_no_verdict_is_milder_than_before_but_those_on_the_list() -> None:
    chance = random.Random(9_462_604)
    unlisted: list[str] = []
    used = set[str]()
    for number in range(PEOPLE):
        protocol = shipped_protocol(SHIPPED[number % len(SHIPPED)])
        facts = chance.sample(FACTS, chance.choice((0, 1, 1, 1, 2, 3)))
        questions = [q for fact in facts for q in (*fact.now, *fact.before)]
        if len(set(questions)) < len(questions) - sum(len({*f.now} & {*f.before}) for f in facts):
            facts = facts[:1]  # two facts that answer the same question cannot both be so
        own = protocol.condition == "diabetes-mellitus"
        ill = drawn_diabetes(chance) if own or chance.random() < 0.3 else None
        place = chance.choice([*places_of(protocol)])
        old, new = was(protocol, facts, ill, place), is_now(protocol, facts, ill, place)
        if new >= old:
            continue
        rows = {fact.milder for fact in facts} - {""}
        if ill and ill.insulin == "long-acting now" and ill.medicine == "insulin":
            rows.add("long-acting")
        used |= rows
        if not rows:
            names = [fact.name for fact in facts]
            unlisted.append(f"{protocol.id}: {names}, {ill}: {old}, now {new}")
    assert unlisted == []
    assert used <= {row.fact for row in MILDER}


def test_every_row_of_the_list_is_milder_for_somebody() -> None:
    """Each fact alone, in every protocol: a row that nothing needs would hide another fault."""
    needed = set[str]()
    for name in SHIPPED:
        protocol = shipped_protocol(name)
        ill = None
        if protocol.condition == "diabetes-mellitus":
            usual = Reading(shown="number", value=Decimal("7.2"), trend="steady")
            ill = Diabetes("type-2", "none", "hours ago", "no", "no", (), usual, None)
            long = Diabetes("type-2", "insulin", "long-acting now", "no", "no", (), usual, None)
            if is_now(protocol, [], long, "") < was(protocol, [], long, ""):
                needed.add("long-acting")
        for fact in FACTS:
            place = next(iter(places_of(protocol)))
            old, new = was(protocol, [fact], ill, place), is_now(protocol, [fact], ill, place)
            if new < old:
                assert fact.milder, (name, fact.name, old, new)
                needed.add(fact.milder)
    assert needed == {row.fact for row in MILDER}
