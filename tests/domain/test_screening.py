"""The check before a start, against facts typed here by hand.

One row for each item of facts 2.4 and 2.5, of corrections 3 to 6 and of the rows of 2.2 that are
about screening; "R" is a source, "L" a line of the base text. What is unlike the row in any way is
found by :func:`unmet`, with the shipped rules and with rules that were changed on purpose.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import chain

import pytest

from tests.domain.test_glucose import ketones, reading
from tests.support.builders import SHIPPED, phase, protocol, shipped, shipped_protocol
from webapp.domain import screening
from webapp.domain.catalogue import LEVELS, UNSURE, Catalogue, Level, Question, Urgency
from webapp.domain.glucose import Ketones, Reading
from webapp.domain.plan import LeaveOut
from webapp.domain.protocol import Protocol
from webapp.domain.screening import (
    GLUCOSE,
    KETONES,
    Admission,
    Answers,
    Clinician,
    Finding,
    Screening,
    Verdict,
    Word,
)

HOUR = 60 * 60_000
MINUTE = 60_000
STARTABLE = ("clear", "changes", "clinician")
URGENCIES: tuple[Urgency, ...] = ("urgent", "same-day", "emergency")
USUAL = Reading(shown="number", value=Decimal("7.0"), trend="steady")

# What is safe: "no", but for these.
SAFE = {
    "last-meal": "good",
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "last-insulin": "over-an-hour",
    "platelets": "none",
    "meal-snack": "yes",
    "honey-patch": "yes",
    "trained": "yes",
}
# Follow-ups: after which answers to which question each is asked.
UNSAFE = ("yes", UNSURE)
FOLLOWS: dict[str, dict[str, tuple[str, ...]]] = {
    "neck-dizzy-since": {"neck-dizzy": UNSAFE},
    "neck-limbs-since": {"neck-limbs": UNSAFE},
    "legs-both-since": {"legs-both": UNSAFE},
    "accident-after": {"accident": UNSAFE},
    "leg-clot-since": {"leg-clot": UNSAFE},
    "foot-cold-since": {"foot-cold": UNSAFE},
    "new-weakness-since": {"new-weakness": UNSAFE},
    "meal-snack": {"last-meal": ("late",)},
    "last-insulin": {
        "glucose-medicine": ("insulin", UNSURE),
        "diabetes-type": ("type-1", UNSURE),
    },
    "lungs-asthma": {"lungs": UNSAFE},
    "tumour-treated": {"tumour": UNSAFE},
    "tb-active": {"deep-infection": UNSAFE},
    "weak-bones-fall": {"weak-bones": UNSAFE},
    "procedure-place": {"procedure": ("days", UNSURE), "surgery": UNSAFE},
    "port-place": {"port": UNSAFE},
    "foot-ulcer-place": {"foot-ulcer-before": UNSAFE},
}
# Asked only of people with diabetes, in whatever protocol.
OF_DIABETES = {
    *("hypo-severe", "hypo-now", "hypo-unaware", "diabetes-type", "glucose-medicine"),
    *("last-insulin", "sglt2", "diabetes-unsteady", "insulin-sites", "meal-snack"),
}

# What a protocol is about, from its areas and techniques: shipped ones, and small ones whose one
# phase alone says it. None of the small ones lists a question.
TOUCHES = {
    "dm-general-gentle": "diabetes back legs",
    "dm-legs-feet": "diabetes legs feet",
    "dm2-acupressure": "diabetes legs feet points",
    "oc-ap-distant": "spine back arms points",
    "oc-ap-ear": "spine ear points",
    "oc-ap-sedating": "spine back points",
    "oc-ap-toning": "spine back points",
    "oc-cervical-4step": "spine neck collar",
    "oc-classic-collar": "spine neck collar back",
    "oc-classic-full": "spine neck collar back",
    "oc-classic-lumbar": "spine back buttocks",
    "oc-classic-thoracic": "spine back",
    "oc-cupping-back": "spine back cups",
    "oc-honey-back": "spine back honey",
    "oc-massager": "spine back device",
    "oc-self-4step": "spine neck collar",
    "oc-self-nape": "spine neck collar",
    "oc-stone": "spine back warm cool professional",
    "oc-thai": "spine back legs feet stretching professional",
    "oc-vacuum": "spine back vacuum professional",
}
# What three files add by hand: points for a painful neck, stretches that reach the neck, and
# trained hands where the neck is worked on without a professional method.
ADDED = {
    "oc-cervical-4step": "trained",
    "oc-ap-distant": "neck-sudden neck-face neck-dizzy neck-dizzy-since neck-vessels",
    "oc-thai": "neck-sudden neck-face neck-dizzy neck-dizzy-since neck-vessels joint-inflammation",
}
AREAS = {
    "neck": ("nape", "nape-side", "nape-shoulders", "back-of-head"),
    "collar": ("collar",),
    "ear": ("ear", "ear-upper", "ear-lobe"),
    "back": ("whole-back", "beside-spine", "low-back", "mid-upper-back", "upper-back"),
    "buttocks": ("buttocks",),
    "legs": (*("lower-leg", "calf", "knee", "thigh", "thigh-back", "leg-back", "foot-to-knee"),),
    "feet": ("toes", "foot-top", "sole", "heel", "inner-ankle"),
    "arms": ("hand", "forearm"),
}
METHODS = {
    "points": "point-pressure",
    "palms": "palm-pressure",
    "cups": "cupping",
    "vacuum": "vacuum",
    "honey": "honey",
    "device": "device",
    "warm": "warm-stones",
    "cool": "cool-stones",
    "stretching": "stretching",
    "kneading": "kneading",
}
CONDITIONS = {"spine": "spinal-osteochondrosis", "dm": "diabetes-mellitus"}


def small(area: str, technique: str = "stroking", **more: object) -> Protocol:
    """One phase; its file names only the arms as region, so that the area alone decides."""
    built = protocol(phase("one", area=area, technique=technique))
    return built.model_copy(update={"regions": ("arms",), **more})


@cache
def small_ones() -> dict[str, Protocol]:
    found: dict[str, Protocol] = {}
    for short, condition in CONDITIONS.items():
        about = "diabetes" if short == "dm" else "spine"
        for word, areas in AREAS.items():
            for area in areas:
                found[f"{about} {word}: {area}"] = small(area, condition=condition)
        for word, technique in METHODS.items():
            found[f"{about} arms {word}"] = small("hand", technique, condition=condition)
        found[f"{about} arms professional"] = small(
            "hand", condition=condition, access="professional"
        )
    found["spine neck: alone"] = small("nape", regions=("neck",))
    found["spine collar: alone"] = small("collar", regions=("collar-zone",))
    # the file says neck, although no phase lies there
    found["spine neck: by its regions"] = small("hand", regions=("neck",))
    return found


def named(name: str) -> Protocol:
    return small_ones()[name] if name in small_ones() else shipped_protocol(name)


def touches(name: str) -> set[str]:
    return {*TOUCHES.get(name, name.split(":")[0]).split(), "any"}


EVERY_NAME = (*SHIPPED, *small_ones())

# Which question is asked where: facts 2.4 is "one list for all protocols", corrections 3 and 5,
# and what only one place or method needs.
ASKED = """
chest-breath leg-clot leg-clot-since new-weakness under-18      | any
new-weakness-since neck-limbs neck-limbs-since mole-changing    | any
accident accident-after unwell fever flare leg-arteries         | any
alcohol drowsy-medicine pain-medicine physiotherapy pregnancy   | any
last-meal clot-known blood-thinners platelets heart lymph       | any
blood-pressure aneurysm lungs lungs-asthma tumour steroids      | any
tumour-treated deep-infection tb-active weak-bones surgery      | any
weak-bones-fall procedure procedure-place nervous-system        | any
mental-flare kidney-failure skin fragile-skin spine-injury disc | any
touch-pain fistula port port-place hands-well                   | any
diabetes                                                        | spine
hypo-severe hypo-now hypo-unaware diabetes-type sglt2           | any
glucose-medicine last-insulin diabetes-unsteady insulin-sites   | any
meal-snack                                                      | any
neck-sudden neck-face neck-dizzy neck-dizzy-since neck-vessels  | neck collar ear
joint-inflammation                                              | neck collar
back-signs                                                      | neck collar ear back buttocks
hidden-illness legs-both legs-both-since                        | back buttocks collar
eye-bleed                                                       | neck back buttocks collar legs feet
foot-wound foot-hot foot-cold foot-cold-since foot-rest-pain    | legs feet
feet-numb foot-shape foot-ulcer-before foot-ulcer-place         | legs feet
varicose-veins                                                  | legs feet buttocks
ear-sore ear-operation                                          | ear
joint-replacement                                               | stretching
numb-place                                                      | warm cool device cups vacuum honey
cups-marks cups-moles cups-device                               | cups vacuum
implant-device                                                  | device vacuum cups
honey-allergy honey-patch                                       | honey
stones-nerves                                                   | warm cool
stones-cold                                                     | cool
trained                                                         | professional
"""

# Asked first, and never left unanswered before a refusal: 2.5, and the medical help of 2.4.
SIGNS = {
    *("chest-breath", "neck-sudden", "neck-face", "neck-dizzy", "neck-dizzy-since", "neck-limbs"),
    *("neck-limbs-since", "back-signs", "legs-both", "legs-both-since", "accident"),
    *("accident-after", "leg-clot", "leg-clot-since", "foot-wound", "foot-hot", "foot-cold"),
    *("foot-cold-since", "foot-rest-pain", "new-weakness", "new-weakness-since"),
    *("hidden-illness", "mole-changing"),
}
# Correction 4, the glucose rows of 2.3 and correction 5, C19, U-13 and U-22; and what can never be
# old: chest, sudden headache, face and speech, between the legs, bladder and bowel.
NEVER_CLEARED = {
    *("chest-breath", "neck-sudden", "neck-face", "back-signs", "hypo-severe", "foot-wound"),
    *("foot-hot", "foot-rest-pain", "hidden-illness", "mole-changing", "weak-bones-fall"),
    *("under-18", "clot-known", "neck-vessels", "diabetes", "hypo-now", "hypo-unaware"),
    *("flare", "numb-place", "honey-allergy", "stones-nerves", "tb-active"),
}

# An unsafe answer each: question, then "=token" unless it is yes, then "@place". "says" has to
# stand in the question or what it follows, "act" in what follows from it. Of the rest: wait in
# minutes, "light" pressure, "shortest" plan, "out" tags, techniques and places that hands leave
# out, "over" another question whose finding stands beside it, and words for answers with it.
ITEMS = """
fact | protocol | answer | says | level | act | rest
-- 2.5 neck
2.5 sudden unusual headache | oc-self-nape | neck-sudden | sudden headache | help emergency | emergency number |
2.5 sudden unusual neck pain | oc-cervical-4step | neck-sudden | neck pain | help emergency | emergency number |
2.5 neck sign before ear points | oc-ap-ear | neck-sudden | neck pain | help emergency | emergency number |
-- 2.5 back
2.5 chest pain | oc-classic-thoracic | chest-breath | chest pain | help emergency | emergency number |
-- 2.5 leg, foot, diabetes
2.5 breathless | dm-legs-feet | chest-breath | breathless | help emergency | emergency number |
-- 2.4 blocked today, medical help
-- 2.4 blocked until a doctor clears
2.4 aneurysm | oc-classic-lumbar | aneurysm | aneurysm | clinician | doctor |
2.4 arterial disease of the neck | oc-self-nape | neck-vessels | neck vessels | not-today | neck |
2.4 feeling unwell | oc-classic-lumbar | unwell | unwell | not-today | feel well |
2.4 spinal injury | oc-classic-thoracic | spine-injury | injury of the spine | clinician | doctor |
2.4 spinal injury, legs | dm2-acupressure | spine-injury | injury of the spine | clinician | doctor |
2.4 surgery within a month | oc-classic-lumbar | surgery | operation within the last month | clinician | surgeon |
2.4 inflammatory arthritis, neck | oc-self-nape | joint-inflammation | rheumatoid arthritis | clinician | doctor |
2.4 connective tissue, neck | oc-classic-full | joint-inflammation | lupus or the like.*joints that are inflamed | clinician | doctor |
2.4 psychiatric flare | oc-classic-lumbar | mental-flare | mental illness that is worse | clinician | treats |
2.4 under 18 | oc-self-4step | under-18 | younger than 18 | not-today | adults |
2.4 exacerbation | oc-classic-lumbar | flare | strong pain | not-today | doctor first |
2.4 kidney failure | dm-legs-feet | kidney-failure | kidneys that fail | clinician | doctor |
2.4 dialysis | oc-classic-lumbar | kidney-failure | dialysis | clinician | doctor |
2.4 foot deformity | dm-legs-feet | foot-shape | changed shape | clinician | foot team |
2.4 Charcot foot | oc-thai | foot-shape | charcot | clinician | foot team |
2.4 amputation | dm2-acupressure | foot-shape | amputation | clinician | foot team |
-- 2.4 local
2.4 varicose veins | dm-legs-feet | varicose-veins@calf:left | varicose veins | changes | below | out=calf:left
2.4 varicose veins, buttocks | oc-classic-lumbar | varicose-veins@buttocks | varicose veins | changes | stay off | out=buttocks
2.4 injection places | dm-legs-feet | insulin-sites@thigh:right | injection place | changes | hand's width | out=thigh:right
2.4 pump | dm-legs-feet | insulin-sites@thigh:left | pump | changes | hand's width | out=thigh:left
2.4 sensor | dm-general-gentle | insulin-sites@low-back | sensor | changes | hand's width | out=low-back
-- 2.4 amber
2.4 numb feet | dm-legs-feet | feet-numb | numb feet | clinician | touch test | light out=foot-point
2.4 feeling of the feet not known | dm2-acupressure | feet-numb | never tested | clinician | another person looks | light out=foot-point
-- corrections 3 and 4
C4 under 18 | oc-cupping-back | under-18 | 18 | not-today | adults |
C4 aneurysm, neck | spine neck: nape | aneurysm | aneurysm | not-today | neck |
C4 aneurysm, collar | spine collar: collar | aneurysm | aneurysm | not-today | neck |
C4 aneurysm, by the ear | oc-ap-ear | aneurysm | aneurysm | not-today | neck |
C4 torn neck vessel | spine collar: collar | neck-vessels | torn | not-today | neck |
C4 narrowed neck vessel, ear | oc-ap-ear | neck-vessels | narrowed | not-today | neck |
C4 bulging neck vessel | oc-cervical-4step | neck-vessels | bulging | not-today | neck |
-- 2.3 and correction 5
C5 hypo-unaware and alone | dm-legs-feet | hypo-unaware | without warning, and nobody else | not-today | someone there |
-- 2.2
U-04 insulin, points | dm2-acupressure | glucose-medicine=insulin | medicine | clinician | diabetes team | bolus
U-04 not known, points | dm2-acupressure | glucose-medicine=unsure | medicine | clinician | diabetes team | bolus
U-04 insulin, legs by hand | dm-legs-feet | glucose-medicine=insulin | low | clear | | bolus
U-04 tablets, points | dm2-acupressure | glucose-medicine=tablets | low | clear | |
U-04 neither, points | dm2-acupressure | glucose-medicine=none | low | clear | |
U-09 polyneuropathy | dm-general-gentle | feet-numb | numb feet | clinician | foot team | light out=foot-point
U-12 fresh cup marks | oc-cupping-back | cups-marks | not faded | not-today | faded |
U-12 fresh vacuum marks | oc-vacuum | cups-marks | not faded | not-today | 72 hours |
C6 cups within 72 hours | oc-cupping-back | cups-marks | within the last 72 hours | not-today | at least 72 hours |
C6 vacuum within 72 hours | oc-vacuum | cups-marks | within the last 72 hours | not-today | faded |
R29 no patch test | oc-honey-back | honey-patch=no | patch test | not-today | 24 hours |
U-17 neck vessels | oc-classic-collar | neck-vessels | neck vessels | not-today | neck |
U-18 strong pain | oc-ap-distant | flare | strong pain | not-today | doctor first |
U-18 pain that is getting worse | oc-classic-lumbar | flare | growing | not-today | doctor first |
U-21 Thai by untrained hands | oc-thai | trained=no | trained | not-today | trained hands |
U-21 Thai, neck vessels | oc-thai | neck-vessels | neck vessels | not-today | neck |
U-24 recent surgery | oc-thai | surgery | operation | clinician | surgeon |
-- not sure, and the answer of a promise
not sure of a sign of 2.5 | oc-self-nape | neck-sudden=unsure | | help emergency | emergency number |
not sure of a place of insulin | dm-legs-feet | insulin-sites=unsure | | not-today | find out first |
not sure of varicose veins | dm-legs-feet | varicose-veins=unsure | | not-today | find out first |
not sure of training | oc-thai | trained=unsure | | not-today | trained hands |
not sure of a patch test | oc-honey-back | honey-patch=unsure | | not-today | 24 hours |
C22 four steps by untrained hands | oc-cervical-4step | trained=no | trained | not-today | trained hands |
C22 four steps, training not known | oc-cervical-4step | trained=unsure | trained | not-today | trained hands |
trained | oc-thai | trained=yes | | clear | |
trained, four steps | oc-cervical-4step | trained=yes | | clear | |
a patch test | oc-honey-back | honey-patch=yes | | clear | |
-- what other rows of the facts ask for
L200 alcohol | oc-ap-sedating | alcohol | alcohol | not-today | without alcohol |
R40 artificial joint, stretches | oc-thai | joint-replacement | artificial joint | clinician | surgeon |
R41 cold fingers, cool stones | oc-stone | stones-cold | cold | not-today | no cool stones |
-- 2.5 neck, again: what is new and what a doctor has explained
2.5 double vision | oc-self-nape | neck-face | double vision | help emergency | emergency number |
2.5 slurred speech | oc-self-4step | neck-face | slurred speech | help emergency | emergency number |
2.5 trouble swallowing | oc-thai | neck-face | trouble swallowing | help emergency | emergency number |
2.5 drop attack | oc-classic-collar | neck-face | sudden fall | help emergency | emergency number |
2.5 face numb | oc-ap-distant | neck-face | numb or drooping face | help emergency | emergency number |
2.5 face drooping | oc-ap-ear | neck-face=unsure | drooping face | help emergency | emergency number |
2.5 dizziness, new | oc-self-nape | neck-dizzy-since=new | dizziness | help emergency | emergency number |
2.5 nausea, new | oc-ap-distant | neck-dizzy-since=new | nausea | help emergency | emergency number |
2.5 dizziness, not sure | oc-thai | neck-dizzy-since=unsure | dizziness | help emergency | emergency number |
old and explained dizziness | oc-ap-ear | neck-dizzy-since=old | a doctor explained | clinician | doctor who explained |
2.5 clumsy hands | oc-self-nape | neck-limbs-since=new | clumsy hands | help emergency | emergency number |
2.5 weak arm or leg | dm-legs-feet | neck-limbs-since=new | weak arm or leg | help emergency | emergency number |
2.5 unsteady gait | oc-ap-ear | neck-limbs-since=unsure | unsteady walking | help emergency | emergency number |
old and explained weakness | oc-classic-lumbar | neck-limbs-since=old | a doctor explained | clinician | doctor who explained |
-- 2.5 back
2.5 numb saddle area | oc-classic-lumbar | back-signs | numb between the legs | help emergency | hospital today |
2.5 bladder change, neck | oc-self-nape | back-signs | bladder | help emergency | emergency number |
2.5 bowel change, ear | oc-ap-ear | back-signs | bowel | help emergency | emergency number |
2.5 sexual change | oc-classic-full | back-signs=unsure | sexual | help emergency | emergency number |
2.5 pain in both legs, new | oc-thai | legs-both-since=new | pain or weakness in both legs | help emergency | hospital today |
2.5 weakness in both legs, not sure | dm-general-gentle | legs-both-since=unsure | weakness in both legs | help emergency | emergency number |
R57 old and explained pain in both legs | dm-general-gentle | legs-both-since=old | both legs | clinician | doctor who explained |
2.5 after a bad accident, just now | oc-classic-lumbar | accident-after=acute | accident|fall | help emergency | keep still |
2.5 fall, not sure what it did | oc-self-nape | accident-after=unsure | fall, knock or strain | help emergency | emergency number |
R20 knock in the month, neck pain since | oc-ap-ear | accident-after=pain | knock | help same-day | doctor or urgent care today |
R20 strain in the month, no pain, neck | oc-self-nape | accident-after=nothing | strain | clinician | neck first |
R20 strain, points for the neck | oc-ap-distant | accident-after=nothing | last month | clinician | neck first |
R20 fall, stretches | oc-thai | accident-after=nothing | fall | clinician | stretches |
R20 fall without pain, nape | spine neck: alone | accident-after=nothing | fall | clinician | neck first |
R20 fall without pain, collar | spine collar: alone | accident-after=nothing | fall | clinician | neck first |
R20 fall without pain, ear | oc-ap-ear | accident-after=nothing | fall | clinician | neck first |
R20 fall without pain, low back | oc-classic-lumbar | accident-after=nothing | fall | clear | |
R20 fall, pain elsewhere | oc-classic-lumbar | accident-after=elsewhere | fall | clinician | look at it first |
2.5 back pain and fever | oc-classic-lumbar | hidden-illness | fever | help urgent | doctor |
2.5 back pain and weight loss | oc-classic-lumbar | hidden-illness | weight loss | help urgent | doctor |
2.5 back pain at night | oc-classic-thoracic | hidden-illness | wakes you at night | help urgent | doctor |
2.5 back pain and a lump | oc-honey-back | hidden-illness | lump | help urgent | doctor |
-- 2.5 leg, foot, diabetes
2.5 one leg painful | dm-legs-feet | leg-clot-since=new | painful or swollen | help same-day | not rub |
2.5 one leg swollen | oc-self-nape | leg-clot-since=new | swollen | help same-day | doctor or urgent care |
2.5 one leg warm | oc-thai | leg-clot-since=unsure | warm | help same-day | doctor|urgent care |
2.5 one leg discoloured | oc-thai | leg-clot-since=new | colour | help same-day | breathless.*emergency number |
C4 a clot ruled out by a doctor | oc-classic-lumbar | leg-clot-since=old | ruled out a clot | clinician | that doctor |
2.5 foot wound | dm-legs-feet | foot-wound | wound | help same-day | nobody answers |
2.4 ulcer | dm-legs-feet | foot-wound=unsure | ulcer | help same-day | today |
2.4 blister | dm-legs-feet | foot-wound | blister | help same-day | today |
2.4 gangrene | dm-general-gentle | foot-wound | black spot | help same-day | today |
2.5 foot heat | dm-legs-feet | foot-hot | hot or red | help same-day | today |
2.5 foot swelling | dm2-acupressure | foot-hot | swollen | help same-day | urgent care |
2.5 foot smell | oc-thai | foot-hot | smell | help same-day | today |
R56 foot suddenly cold | dm-legs-feet | foot-cold-since=sudden | cold, pale or blue | help emergency | emergency number |
R56 foot cold, not sure | oc-thai | foot-cold-since=unsure | cold, pale or blue | help emergency | not raised |
2.5 foot cold for weeks | dm-legs-feet | foot-cold-since=weeks | cold | help same-day | foot team or doctor today |
old and explained cold feet | dm-legs-feet | foot-cold-since=old | a doctor has|cold | clinician | foot team | light
R58 foot pain at night | dm-legs-feet | foot-rest-pain | at night | help same-day | do not raise |
2.5 low not better after 2 treatments | dm-legs-feet | hypo-severe | two treatments | help emergency | emergency number |
2.5 drowsy | dm-general-gentle | hypo-severe | drowsy | help emergency | swallow |
2.5 vomiting | dm2-acupressure | hypo-severe | vomiting | help emergency | emergency number |
2.5 new tingling | oc-self-nape | new-weakness-since=new | tingling | help same-day | today |
2.4 new numbness | oc-classic-lumbar | new-weakness-since=unsure | numbness | help same-day | sudden, or on one side: call your emergency |
old and explained numbness | dm-legs-feet | new-weakness-since=old | numbness | clinician | doctor who explained |
R59 a changing mole | oc-classic-full | mole-changing | mole that changes, itches or bleeds | help urgent | doctor within days |
-- 2.4 today
2.4 fever | oc-classic-lumbar | fever | fever | not-today | until it is over |
2.4 infection | dm-legs-feet | fever | infection | not-today | doctor | ill
R08 fever with diabetes | dm-general-gentle | fever | fever | not-today | sick-day plan | ill
L404 a cold | oc-self-nape | fever | a cold | not-today | until it is over |
2.4 pain that grows | oc-self-nape | flare | growing | not-today | doctor first |
R54 opioid | oc-cupping-back | drowsy-medicine | opioid | not-today | medicine stays as it is |
R54 sleeping pill | oc-self-nape | drowsy-medicine=unsure | sleeping pill; any other such medicine | not-today | another day |
R54 painkiller | oc-classic-lumbar | pain-medicine | ibuprofen | changes | paracetamol counts too | light
C20 treatment by heat, current, manipulation | oc-classic-lumbar | physiotherapy | heat, current or manipulation used to treat you in the last 24 hours | not-today | full day |
2.4 pregnancy, neck, sitting | oc-self-nape | pregnancy | pregnant, or possibly | clinician | midwife or doctor | out=pregnancy-point
U-16 pregnancy, points | dm2-acupressure | pregnancy | pregnant | clinician | midwife | out=pregnancy-point
pregnancy, face down | oc-classic-lumbar | pregnancy | pregnant | not-today | lying face down | out=pregnancy-point
pregnancy, Thai | oc-thai | pregnancy=unsure | pregnant | not-today | lying face down | out=pregnancy-point
2.3 signs of a low | dm-legs-feet | hypo-now | signs of a low | not-today | 15 to 20 g of fast sugar | wait=15
R02 hungry | dm-legs-feet | hypo-now=unsure | very hungry.*confused | not-today | whatever the meter says | wait=15
R02 shaky | dm-general-gentle | hypo-now | shaky or sweaty | not-today | measure again | wait=15
-- meals
C41 right after a meal | oc-classic-lumbar | last-meal=recent | meal | not-today | hour and a half | wait=90
C41 on an empty stomach | dm-legs-feet | last-meal=empty | meal | not-today | eat something | wait=90
C41 a snack for glucose is no meal | dm-legs-feet | last-meal=recent | a snack or sugar for glucose does not count | not-today | hour and a half | wait=90
C41 last meal not known | oc-self-nape | last-meal=unsure | meal | not-today | hour and a half | wait=90
C41 in between | oc-self-nape | last-meal=good | meal | clear | |
C41 three to four hours | oc-self-nape | last-meal=late | meal | clear | |
over three hours with tablets, no snack | dm-legs-feet | meal-snack=no | snack after that meal, and a reading after | not-today | starts no new wait | wait=15 lows
over three hours with tablets, not sure | dm-general-gentle | meal-snack=unsure | snack | not-today | small snack | wait=15 lows
over three hours with tablets, a snack | dm-legs-feet | meal-snack=yes | snack | clear | | lows
-- diabetes: 2.3, C4, C5, U-04
C4 cups with diabetes | oc-cupping-back | diabetes=yes | diabetes of any type | not-today | no suction |
C4 vacuum with diabetes | oc-vacuum | diabetes=unsure | diabetes of any type | not-today | no suction |
U-13 diabetes, honey | oc-honey-back | diabetes=yes | diabetes of any type | not-today | no honey |
U-22 warm stones with diabetes | spine arms warm | diabetes=yes | diabetes of any type | not-today | no warm or cool stones |
U-22 cool stones with diabetes | spine arms cool | diabetes=yes | diabetes of any type | not-today | no warm or cool stones |
C32 no patting with diabetes | oc-classic-lumbar | diabetes=yes | diabetes | changes | no patting | out=technique:patting
diabetes, self-massage | oc-self-nape | diabetes=yes | diabetes | clear | |
no diabetes | oc-cupping-back | diabetes=no | diabetes | clear | |
1.1 points are for type 2: type 1 | dm2-acupressure | diabetes-type=type-1 | type | not-today | type 2 only | bolus
1.1 points are for type 2: other | dm2-acupressure | diabetes-type=other | type | not-today | type 2 only |
1.1 points are for type 2: not known | dm2-acupressure | diabetes-type=unsure | type | not-today | type 2 only | bolus
1.1 points are for type 2: type 2 | dm2-acupressure | diabetes-type=type-2 | type | clear | |
1.1 legs: type 1 | dm-legs-feet | diabetes-type=type-1 | type | clear | | bolus
1.1 legs: other | dm-legs-feet | diabetes-type=other | type | clear | |
C5 bolus within the hour | dm-legs-feet | last-insulin=within-an-hour | insulin for a meal or a correction in the last hour | not-today | measure again | wait=60 lows
C5 last bolus not known | dm-general-gentle | last-insulin=unsure | insulin | not-today | hour | wait=60 lows
C5 no bolus | dm-legs-feet | last-insulin=over-an-hour | insulin | clear | | lows
R53 an SGLT2 medicine | dm-legs-feet | sglt2=yes | gliflozin | clear | | sglt2
R53 an SGLT2 medicine, not sure | dm-legs-feet | sglt2=unsure | SGLT2 | clear | | sglt2
R53 no SGLT2 medicine | dm-legs-feet | sglt2=no | SGLT2 | clear | |
2.4 unstable diabetes | dm-legs-feet | diabetes-unsteady | swing more than usual | clinician | diabetes team |
-- illness
2.4 known clot, never clearable | dm-legs-feet | clot-known | clot.*in a vein | not-today | known clot |
2.4 clot in the lung | oc-classic-lumbar | clot-known | lung | not-today | known clot |
2.4 anticoagulant | oc-classic-lumbar | blood-thinners | blood thinner, such as warfarin or apixaban | clinician | light massage | light
2.4 bleeding disorder | dm-legs-feet | blood-thinners=unsure | does not clot well | clinician | doctor | light
C4 cups with anticoagulants | oc-cupping-back | blood-thinners | blood thinner | not-today | no suction |
C4 vacuum with anticoagulants | oc-vacuum | blood-thinners | blood thinner | not-today | no suction |
R27 no platelet medicine | oc-cupping-back | platelets=none | aspirin | clear | |
no high blood pressure | oc-cupping-back | blood-pressure=no | pressure | clear | |
no procedure | oc-classic-lumbar | procedure=no | procedure | clear | |
R27 one platelet medicine | oc-classic-thoracic | platelets=one | aspirin; clopidogrel | changes | light pressure | light
R27 one platelet medicine, cups | oc-cupping-back | platelets=one | aspirin | not-today | no suction |
R27 one platelet medicine, vacuum | oc-vacuum | platelets=one | aspirin | not-today | no suction |
R27 two platelet medicines | oc-classic-thoracic | platelets=several | aspirin | clinician | both | light
R27 two platelet medicines, not sure | oc-self-nape | platelets=unsure | clopidogrel | clinician | doctor | light
R27 two platelet medicines, cups | oc-cupping-back | platelets=several | aspirin | not-today | count as a blood thinner |
R27 two platelet medicines, vacuum | oc-vacuum | platelets=several | aspirin | not-today | no suction |
2.4 heart disease | oc-classic-lumbar | heart | heart disease | clinician | doctor |
2.4 heart attack | dm-legs-feet | heart | heart attack | clinician | doctor |
2.4 stroke | oc-ap-sedating | heart | stroke | clinician | doctor |
U-13 heart disease, honey | oc-honey-back | heart | heart | not-today | no honey |
R55 controlled, by hand | oc-self-4step | blood-pressure=controlled | high blood pressure, by the last reading within six months | changes | light pressure and the shortest plan | light shortest
R55 controlled, low back | oc-classic-lumbar | blood-pressure=controlled | pressure | changes | shortest | light shortest
R55 controlled, ear points | oc-ap-ear | blood-pressure=controlled | pressure | changes | shortest | light shortest
2.4 BP high or not known | oc-classic-lumbar | blood-pressure=high | pressure | clinician | doctor |
2.4 BP not sure | oc-self-nape | blood-pressure=unsure | pressure | clinician | doctor |
2.4 arterial disease of the legs | dm-legs-feet | leg-arteries | narrow arteries in the legs | clinician | doctor |
2.4 arterial disease, any | oc-self-nape | leg-arteries | other place | clinician | doctor |
2.4 lymphatic disease | oc-classic-lumbar | lymph | lymph | clinician | doctor |
2.4 respiratory disease | oc-ap-ear | lungs-asthma=other | disease of the lungs | clinician | doctor |
2.4 asthma not sure | oc-self-nape | lungs-asthma=unsure | asthma at any time | clinician | doctor |
R60 mild asthma | oc-self-4step | lungs-asthma=mild | reliever at most twice a week.*no steroid tablets.*not in hospital | changes | light pressure and the shortest plan | light shortest
R60 mild asthma, well | oc-classic-lumbar | lungs-asthma=mild | well today | changes | reliever at hand | light shortest
U-13 asthma, honey | oc-honey-back | lungs-asthma=mild | asthma | not-today | no honey massage with asthma, ever |
U-13 lung disease, honey | oc-honey-back | lungs-asthma=other | lung | not-today | no honey |
U-13 asthma not sure, honey | oc-honey-back | lungs-asthma=unsure | asthma | not-today | no honey |
2.4 cancer, any time | oc-self-nape | tumour | cancer.*in the past | clinician | cancer team or doctor | treated
2.4 any tumour | oc-classic-thoracic | tumour | tumour | clinician | doctor | treated
R27 cups with cancer | oc-cupping-back | tumour | cancer | not-today | no suction | treated
R27 vacuum with cancer | oc-vacuum | tumour | tumour | not-today | no suction | treated
2.4 tuberculosis | oc-classic-thoracic | deep-infection | tuberculosis | clinician | doctor |
2.4 osteomyelitis | dm-legs-feet | deep-infection | infection of bone | clinician | doctor |
2.4 syphilis | oc-self-4step | deep-infection=unsure | syphilis | clinician | doctor |
active tuberculosis | oc-classic-lumbar | tb-active | active tuberculosis, or not treated to the end | not-today | with active tuberculosis | over=deep-infection
2.4 osteoporosis | oc-classic-thoracic | weak-bones | osteoporosis | clinician | doctor | light out=technique:patting
2.4 fracture | dm-legs-feet | weak-bones | broken bone | clinician | doctor | light out=technique:patting
U-24 osteoporosis | oc-thai | weak-bones=unsure | osteoporosis | clinician | doctor | light out=technique:patting
R61 thin bones and a stumble | oc-honey-back | weak-bones-fall | any fall or stumble with new pain | help same-day | doctor today | over=weak-bones light out=technique:patting
2.4 disc hernia | oc-classic-lumbar | disc | slipped disc | clinician | doctor |
2.4 canal stenosis | oc-self-nape | disc | narrow spinal canal | clinician | doctor |
2.4 myelopathy | oc-cervical-4step | disc | squeezed spinal cord | clinician | doctor |
R62 an injection days ago | oc-classic-lumbar | procedure=days | injection or procedure.*last month | clinician | two weeks at least | procedure
R62 an injection, not sure | oc-self-nape | procedure=unsure | injection | clinician | hands stay off | procedure
R62 a procedure two weeks ago | oc-self-nape | procedure=weeks | procedure | clinician | doctor who did it |
R62 where an operation was | oc-ap-distant | procedure-place@hand:left | where the hands | clinician | whole region | surgery own=changes over=surgery out=hand:left,forearm:left
R62 where it was | oc-ap-distant | procedure-place@hand:left | where the hands | clinician | whole region | procedure own=changes over=procedure out=hand:left,forearm:left
2.4 CNS disease | oc-ap-toning | nervous-system | brain or spinal cord | clinician | doctor |
2.4 eye bleeding, prone | dm-general-gentle | eye-bleed | bleeding inside the eye | not-today | not face down |
2.4 eye bleeding, head bent | oc-cervical-4step | eye-bleed | bleeding inside the eye | not-today | head bent |
2.4 eye bleeding, neck | oc-self-nape | eye-bleed=unsure | bleeding inside the eye | clinician | eye |
2.4 eye bleeding, legs | dm-legs-feet | eye-bleed | bleeding inside the eye | clinician | eye |
steroids for months | oc-classic-full | steroids | steroid pills for three months or more | changes | light pressure | light out=technique:patting
steroids, cups | oc-cupping-back | steroids | steroid | not-today | skin can tear |
steroids, vacuum | oc-vacuum | steroids | steroid | not-today | no cups, suction or honey |
steroids, honey | oc-honey-back | steroids | cortisone | not-today | no cups, suction or honey |
R63 touch that hurts | oc-classic-full | touch-pain | touch that hurts with ease.*fibromyalgia | changes | lightest pressure and the shortest plan | light shortest
-- place
2.4 skin damage | oc-self-nape | skin@nape | sore, broken | changes | stay off | out=nape
L155 skin disease | oc-self-4step | skin@nape-shoulders | skin disease | changes | stay off | out=nape-shoulders
2.4 fungal infection | dm-legs-feet | skin@toes:left,toes:right | fungus | changes | stay off | out=toes:left,toes:right
L405 rash | oc-classic-full | skin@whole-back | rash or infection | changes | stay off | out=whole-back
2.4 wound | oc-classic-lumbar | skin@low-back,buttocks | wound | changes | stay off | out=low-back,buttocks
U-13 broken skin, honey | oc-honey-back | skin@whole-back | broken | not-today | no honey |
U-13 broken skin, built honey | spine arms honey | skin@hand | sore, broken | not-today | no honey |
U-13 not sure of broken skin, honey | oc-honey-back | skin=unsure | broken | not-today | find out first |
not sure of a place | oc-classic-lumbar | skin=unsure | | not-today | find out first |
skin that tears | oc-classic-full | fragile-skin | tears or bruises | clinician | doctor | light
skin that tears, cups | oc-cupping-back | fragile-skin | tears | not-today | skin can tear |
skin that tears, vacuum | oc-vacuum | fragile-skin | tears | not-today | skin can tear |
skin that tears, honey | oc-honey-back | fragile-skin | tears | not-today | skin can tear |
R64 a fistula in the arm | oc-ap-distant | fistula@forearm:left | fistula or graft in a limb | changes | whatever a clinician | out=hand:left,forearm:left
R64 a graft in the thigh | dm-legs-feet | fistula@thigh:right | graft | changes | in no step | out=RIGHT-LEG
R64 fistula not sure | oc-self-nape | fistula=unsure | fistula | not-today | find out first |
R64 a port, sitting | oc-self-nape | port | port or catheter under the skin | changes | whatever a clinician |
R64 a port in the arm | oc-ap-distant | port-place@hand:left | where the hands | changes | in no step | over=port out=hand:left,forearm:left
R64 a catheter in the thigh | dm-legs-feet | port-place@thigh:right | where the hands | changes | in no step | over=port out=RIGHT-LEG
R64 a port, not sure where | oc-self-nape | port-place=unsure | where the hands | not-today | find out first | over=port
R64 a port, face down | oc-classic-lumbar | port | port | not-today | press on it |
R41 numbness, warm stones | spine arms warm | numb-place | numb skin | not-today | by hand |
R41 numbness, cool stones | spine arms cool | numb-place | warm from cool | not-today | by hand |
R41 numbness, massager | oc-massager | numb-place | does not feel touch | not-today | by hand |
R41 numbness, cups | oc-cupping-back | numb-place | numb skin | not-today | cannot warn you |
R41 numbness, vacuum | oc-vacuum | numb-place | numb skin | not-today | cannot warn you |
R41 numbness, honey | oc-honey-back | numb-place | numb skin | not-today | cannot warn you |
L155 sore ear | oc-ap-ear | ear-sore | sore, infected or freshly pierced | not-today | healed |
L155 ear operation | oc-ap-ear | ear-operation | operation on the ear | not-today | healed |
-- feet
R65 a foot ulcer before | dm-legs-feet | foot-ulcer-before | foot ulcer at any time | clinician | until it agrees, hands stay off | ulcer
R65 which foot | dm-legs-feet | foot-ulcer-place@sole:left | which foot | clinician | until its team agrees | own=changes over=foot-ulcer-before out=LEFT-FOOT
-- methods
L214 moles, cups | oc-cupping-back | cups-moles | moles | not-today | no cups over moles |
L214 birthmarks, vacuum | oc-vacuum | cups-moles | birthmarks or pigment spots | not-today | by hand |
R27 vacuum, organ failure | oc-vacuum | cups-device | failing organ | not-today | no suction |
R27 cups, anaemia | oc-cupping-back | cups-device | anaemia | not-today | no suction |
R27 cups, pacemaker | oc-cupping-back | implant-device | pacemaker | not-today | no suction |
R27 vacuum, implant | oc-vacuum | implant-device | implant that runs on power | not-today | no suction |
L310 implant, massager | oc-massager | implant-device | pacemaker, an implant that runs on power, or fits | clinician | doctor |
U-13 honey allergy | oc-honey-back | honey-allergy | honey or bees | not-today | by hand |
U-13 pollen allergy | oc-honey-back | honey-allergy | pollen | not-today | by hand |
U-13 celery allergy | oc-honey-back | honey-allergy | celery | not-today | by hand |
U-22 stones with nerve damage | spine arms warm | stones-nerves | nerve damage | not-today | no warm or cool stones |
U-22 cool stones with nerve damage | spine arms cool | stones-nerves | nerve damage | not-today | no warm or cool stones |
-- hands
whose hands: a cold | oc-classic-lumbar | hands-well | whoever massages.*cold or another infection | not-today | well again |
whose hands: sore | oc-self-nape | hands-well=unsure | sore or broken skin on the hands | not-today | well again |
"""

# Facts 2.5: the signs that end a session, for whatever touches the region.
FLAGS = """
-- neck, and points on the ear
neck collar ear | emergency | headache;neck pain;dizziness;double vision;slurred speech
neck collar ear | emergency | trouble swallowing;fall;numb or drooping face;nausea;unsteady
neck collar ear | emergency | clumsy hands;weak arm or leg;balance;bladder;bowel
-- back
back buttocks collar | emergency | numb between the legs;bladder;bowel;sexual
back buttocks collar | emergency | pain or weakness in both legs
any | emergency | chest pain
back buttocks collar | urgent | fever;weight loss;night;lump;cancer
-- leg
legs feet | same-day | one leg;throb;swell;warm;colour
any | emergency | breathless
-- foot
diabetes legs feet | same-day | new wound;heat;colour;swelling;smell
diabetes legs feet | emergency | cold, pale or blue
-- diabetes
diabetes | emergency | two treatments;drowsy;ketones over 3;vomiting
-- honey
honey | emergency | hives;swelling face;wheez;breathless;faint
-- any
any | same-day | sharp;shooting;growing pain;faint;racing heart;new tingling
-- late, up to three weeks: any neck red flag
neck collar | emergency late | three weeks;headache;neck pain;dizziness;double vision
neck collar | emergency late | slurred speech;trouble swallowing;numb or drooping face;weak arm
neck collar | emergency late | unsteady walking
neck collar | emergency late | fall
neck collar | emergency late | nausea
neck collar | emergency late | clumsy hands
neck collar | emergency late | bladder;bowel
"""


@dataclass(frozen=True)
class Item:
    """One row of ``ITEMS``."""

    fact: str
    protocol: str
    question: str
    token: str
    places: tuple[str, ...]
    says: str
    level: Level
    urgency: str
    act: str
    wait: int | None
    light: bool
    shortest: bool
    out: tuple[str, ...]
    over: str
    own: str
    words: tuple[str, ...]

    @property
    def answers(self) -> Answers:
        """The answer of the row, with those that go with it; ketones are fine where they matter."""
        given = dict(before_follow_up(self.question))
        for word in self.words:
            given |= WITH.get(word, {})
        given |= {self.question: self.token}
        measured = "diabetes" in touches(self.protocol) or given.get("diabetes") in UNSAFE
        fine = {"ill", "sglt2"} & {*self.words} and Ketones(mmol_per_l=Decimal("0.2"))
        places = {"procedure-place": ("hand:left",), "foot-ulcer-place": ("sole:left",)}
        return answers_of(
            given,
            {self.question: self.places}
            | {
                key: where for key, where in places.items() if given.get(key) == "yes" != self.token
            },
            USUAL if measured else None,
            fine or None,
        )


# Words of a row for answers that go with it.
WITH = {
    "lows": {"glucose-medicine": "insulin", "last-insulin": "over-an-hour"},
    "bolus": {"last-insulin": "over-an-hour"},
    "treated": {"tumour-treated": "no"},
    "procedure": {"surgery": "no"},
    "surgery": {"procedure": "no"},
}


def before_follow_up(question: str) -> dict[str, str]:
    """The answers after which this follow-up is asked."""
    return {parent: tokens[0] for parent, tokens in FOLLOWS.get(question, {}).items()}


@dataclass(frozen=True)
class Flag:
    """One sign of a row of ``FLAGS``."""

    where: str
    urgency: str
    late: bool
    says: str


def level_of(text: str) -> Level:
    return next(level for level in LEVELS if level == text)


def lines_of(table: str) -> list[str]:
    return [line for line in table.strip().splitlines() if not line.startswith("--")]


def item_of(line: str) -> Item:
    fact, name, answer, *middle, rest = (part.strip() for part in re.split(r" \|(?= |$)", line))
    says, level, act = middle
    question, _, place = answer.partition("@")
    question, _, token = question.partition("=")
    more = dict(part.split("=") for part in rest.split() if "=" in part)
    outcome, _, urgency = level.partition(" ")
    return Item(
        fact=fact,
        protocol=name,
        question=question,
        token=token or "yes",
        places=tuple(place.split(",")) if place else (),
        says=says,
        level=level_of(outcome),
        urgency=urgency,
        act=act,
        wait=int(more["wait"]) if "wait" in more else None,
        light="light" in rest.split(),
        shortest="shortest" in rest.split(),
        out=tuple(more["out"].split(",")) if "out" in more else (),
        over=more.get("over", ""),
        own=more.get("own", outcome),
        words=tuple(rest.split()),
    )


def flags_of(line: str) -> Iterator[Flag]:
    where, urgency, signs = (part.strip() for part in line.split(" | "))
    for sign in signs.split(";"):
        yield Flag(where, urgency.split()[0], urgency.endswith(" late"), sign)


# What asks for light hands asks for a clinician's word where a method cannot be light; but for the
# methods that refuse or are asked about by another row.
NOT_LIGHT = """
blood-pressure=controlled | light shortest |
lungs-asthma=mild | light shortest | honey
pain-medicine | light |
touch-pain | light shortest |
steroids | light out=technique:patting | cups vacuum honey
platelets=one | light | cups vacuum
"""


def not_light(line: str) -> Iterator[str]:
    answer, light, others = (part.strip() for part in f"{line} ".split("|"))
    for method in ("cups", "vacuum", "stretching", "palms", "device", "warm", "cool", "honey"):
        if method not in others.split():
            where = f"spine arms {method}"
            yield f"not light, {answer} | {where} | {answer} | | clinician | cannot be light |"
    for name in ("oc-ap-sedating", "oc-ap-toning"):
        yield f"strong points, {answer} | {name} | {answer} | | clinician | strong points |"
    yield f"points on the hand, {answer} | spine arms points | {answer} | | changes | light | {light}"


ALL_ITEMS = tuple(
    item_of(line)
    for line in (*lines_of(ITEMS)[1:], *chain.from_iterable(map(not_light, lines_of(NOT_LIGHT))))
)
ALL_FLAGS = tuple(chain.from_iterable(map(flags_of, lines_of(FLAGS))))
WHERE = {
    question: set(words.split("|")[1].split())
    for words in lines_of(ASKED)
    for question in words.split("|")[0].split()
}


def answers_of(
    given: Mapping[str, str],
    places: Mapping[str, tuple[str, ...]] | None = None,
    reading: Reading | None = USUAL,
    ketones: Ketones | None = None,
) -> Answers:
    """The safe answer to everything, but for ``given``."""
    safe = {question: SAFE.get(question, "no") for question in WHERE}
    marked = {question: where for question, where in (places or {}).items() if where}
    return Answers(given={**safe, **given}, places=marked, reading=reading, ketones=ketones)


def changed_answers(
    changed: str, reading: Reading | None, ketones: Ketones | None = None
) -> Answers:
    """Safe answers but for ``changed``: words like question=token or question=yes@place."""
    given = dict(part.partition("@")[0].split("=") for part in changed.split())
    marked = [part.partition("@") for part in changed.split()]
    places = {part.partition("=")[0]: (place,) for part, _, place in marked if place}
    return answers_of(given, places, reading, ketones)


# -- what a catalogue does not keep --------------------------------------------------------------


# Every area of a leg and of a foot: what hangs on one place that hands leave out whole.
SETS = {
    "RIGHT-LEG": {f"{area}:right" for area in (*AREAS["legs"], *AREAS["feet"])},
    "LEFT-FOOT": {f"{area}:left" for area in AREAS["feet"]},
}


def unmet_item(catalogue: Catalogue, item: Item) -> Iterator[str]:
    """How the verdict differs from the row."""
    question = catalogue.questions.get(item.question)
    if question is None:
        yield f"{item.fact}: there is no question {item.question}"
        return
    parents = [
        catalogue.questions[p] for p in FOLLOWS.get(item.question, {}) if p in catalogue.questions
    ]
    if not any(re.search(item.says, q.words, re.IGNORECASE) for q in (question, *parents)):
        said = [option.text for option in question.options]
        if not any(re.search(item.says, text, re.IGNORECASE) for text in said):
            yield f"{item.fact}: {item.question} does not say {item.says!r}"
    answers = item.answers
    verdict = screening.screen(catalogue, named(item.protocol), answers)
    told = [f for f in verdict.findings if f.question != GLUCOSE or f.level != "clear"]
    found = [f for f in told if f.question == item.question]
    wanted = {item.question} - {item.question if item.level == "clear" else ""}
    wanted |= {item.over} & {*catalogue.questions}
    if {f.question for f in told} != wanted or len(told) != len(wanted) or verdict.missing:
        yield f"{item.fact}: findings {verdict.findings}, missing {verdict.missing}"
    if (verdict.level, verdict.wait_minutes) != (item.level, item.wait):
        yield f"{item.fact}: {item.level}, {item.wait} min, got {verdict.level}, {verdict.wait_minutes}"
    for finding in found:
        if finding.level != item.own:
            yield f"{item.fact}: {item.own}, got {finding.level}"
        if (finding.urgency or "") != item.urgency:
            yield f"{item.fact}: {item.urgency}, got {finding.urgency}"
        if not re.search(item.act, finding.act, re.IGNORECASE):
            yield f"{item.fact}: {item.act!r} is not in {finding.act!r}"
    yield from unmet_changes(item, verdict)


def unmet_changes(item: Item, verdict: Verdict) -> Iterator[str]:
    """How what the verdict changes in a plan differs from the row."""
    out = {left_out_words(rule) for rule in verdict.changes.leave_out}
    expected = set().union(*(SETS.get(name, {name}) for name in item.out)) if item.out else set()
    changed = (out, bool(verdict.changes.light), bool(verdict.changes.shortest))
    if changed != (expected, item.light, item.shortest):
        yield f"{item.fact}: left out {item.out}, light {item.light}, got {verdict.changes}"
    whole = item.question in WHOLE_PLACES
    if any(rule.whole != whole for rule in verdict.changes.leave_out if rule.area):
        yield f"{item.fact}: {'not ' if whole else ''}left out whole"
    diabetes = item.answers.given["diabetes"] in UNSAFE and "diabetes" not in touches(item.protocol)
    if bool(verdict.changes.glucose) != diabetes:
        yield f"{item.fact}: glucose afterwards is {verdict.changes.glucose}"


PLACES = {
    "skin",
    "varicose-veins",
    "insulin-sites",
    "fistula",
    "port-place",
    "procedure-place",
    "foot-ulcer-place",
}
WHOLE_PLACES = {"fistula", "port-place", "procedure-place", "foot-ulcer-place"}


def left_out_words(rule: LeaveOut) -> str:
    if rule.technique:
        return f"technique:{rule.technique}"
    return rule.tag or f"{rule.area}{':' if rule.side else ''}{rule.side or ''}"


def unmet_question(catalogue: Catalogue, question: str) -> Iterator[str]:
    """Where the question is not asked although it has to be, or the other way round."""
    found = catalogue.questions.get(question)
    if found is None:
        yield f"there is no question {question}"
        return
    family = {question, *FOLLOWS.get(question, {})}
    alone = catalogue.model_copy(
        update={"questions": {key: q for key, q in catalogue.questions.items() if key in family}}
    )
    for name in EVERY_NAME:
        wanted = bool(WHERE[question] & touches(name)) or question in ADDED.get(name, "").split()
        possible = {q.id for q in screening.questions_for(alone, named(name))}
        if (question in possible) != wanted:
            yield f"{question} is {'not ' if wanted else ''}asked for {name}"
        if name in SHIPPED:
            yield from unmet_asked(alone, question, name, wanted)
    if (found.kind == "place") != (question in PLACES) or (found.decided and found.kind != "sign"):
        yield f"{question} is a {found.kind}"
    if question == "tumour-treated" and tokens_of(catalogue, question) != ("no", "yes", UNSURE):
        yield f"{question} has other answers"
    if found.never_cleared != (question in NEVER_CLEARED):
        yield f"{question}: never cleared is {found.never_cleared}"
    if (found.group == screening.SIGNS) != (question in SIGNS):
        yield f"{question} is in the group {found.group}"


def unmet_asked(catalogue: Catalogue, question: str, name: str, possible: bool) -> Iterator[str]:
    """Of whom it is asked: of people with diabetes alone, and after which answers."""
    parents = FOLLOWS.get(question, {})
    for diabetes in ("no", "yes", UNSURE):
        for lows in (False, True) if question == "meal-snack" else (False,):
            base = {"diabetes": diabetes, "glucose-medicine": "tablets" if lows else "none"}
            ways = [{parent: token} for parent in parents for token in tokens_of(catalogue, parent)]
            for given in ways or [{}]:
                has = "diabetes" in touches(name) or diabetes != "no"
                after = any(token in parents[parent] for parent, token in given.items())
                wanted = possible and (has or question not in OF_DIABETES)
                wanted = wanted and (after or not parents)
                if question == "meal-snack":
                    wanted = wanted and lows
                asked = screening.asked_after(catalogue, named(name), answers_of(base | given))
                if (question in {q.id for q in asked}) != wanted:
                    who = f"diabetes {diabetes}, {given}"
                    yield f"{question} is {'not ' if wanted else ''}asked of {who} for {name}"


def tokens_of(catalogue: Catalogue, question: str) -> tuple[str, ...]:
    found = catalogue.questions.get(question)
    options = tuple(option.id for option in found.options) if found else ()
    return (*(options or ("yes", "no")), UNSURE)


def unmet_flag(catalogue: Catalogue, flag: Flag) -> Iterator[str]:
    """Protocols of the region that do not show the sign with its urgency."""
    where = set(flag.where.split())
    for name in EVERY_NAME:
        shown = any(
            re.search(flag.says, found.sign, re.IGNORECASE)
            for found in catalogue.red_flags.values()
            if (found.urgency, found.late) == (flag.urgency, flag.late)
            and catalogue.concerns(found.when, named(name))
        )
        if where & touches(name) and not shown:
            yield f"{name} does not show {flag.says!r} ({flag.urgency}{' late' * flag.late})"


def unmet(catalogue: Catalogue, about: str | None = None) -> Iterator[str]:
    """All that ``catalogue`` does not keep of the rows; with ``about`` of one question alone."""
    for item in ALL_ITEMS:
        if about in (None, item.question, item.over, *FOLLOWS.get(item.question, {})):
            yield from unmet_item(catalogue, item)
    for question in WHERE:
        if about in (None, question, *FOLLOWS.get(question, {})):
            yield from unmet_question(catalogue, question)
    for flag in ALL_FLAGS if about is None else ():
        yield from unmet_flag(catalogue, flag)
    for line in lines_of(GLUCOSE_ROWS) if about is None else ():
        yield from unmet_glucose(catalogue, line)
    for name in SHIPPED if about is None else ():
        yield from unmet_sugar_at_hand(catalogue, name)


def unmet_starts() -> Iterator[str]:
    """What the instants, days and verdicts in the code do not keep of their rows."""
    for change, after, says in STARTS:
        yield from unmet_start(change, after, says)
    for who, on, known, says in WORDS:
        yield from unmet_word(who, on, known, says)
    yield from unmet_word_days()
    for line in lines_of(COMPLETE):
        yield from unmet_complete(line)
    for line in lines_of(ORDER):
        yield from unmet_order(line)
    yield from unmet_keys()
    for item in WORD_ITEMS:
        yield from unmet_clears(
            item.protocol, item.answers, CLEARED_BY.get(item.over or item.question, "")
        )
    for line in lines_of(CLEARS):
        yield from unmet_clears_line(line)


def catalogue() -> Catalogue:
    return shipped().catalogue


def screened(name: str, answers: Answers) -> Verdict:
    return screening.screen(catalogue(), named(name), answers)


# -- the rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ALL_ITEMS, ids=lambda item: f"{item.fact} ({item.protocol})")
def test_an_item_of_the_facts(item: Item) -> None:
    assert [*unmet_item(catalogue(), item)] == []


@pytest.mark.parametrize("question", WHERE)
def test_which_question_is_asked_where(question: str) -> None:
    assert [*unmet_question(catalogue(), question)] == []


@pytest.mark.parametrize("flag", ALL_FLAGS, ids=lambda flag: f"{flag.where}: {flag.says}")
def test_a_red_flag_is_shown_in_its_region(flag: Flag) -> None:
    assert [*unmet_flag(catalogue(), flag)] == []


def test_the_tables_speak_of_every_question_and_protocol() -> None:
    assert set(WHERE) == set(catalogue().questions)
    decided = {key for key, question in catalogue().questions.items() if question.decided}
    spoken_of = {item.question for item in ALL_ITEMS}
    assert spoken_of == set(WHERE) - decided - {"tumour-treated"}  # it only shortens a word
    assert decided <= {parent for parents in FOLLOWS.values() for parent in parents}
    assert set(FOLLOWS) == {key for key, q in catalogue().questions.items() if q.follows}
    assert set(TOUCHES) == set(SHIPPED)
    areas = {area for areas in AREAS.values() for area in areas}
    assert areas == set(catalogue().areas)


def test_the_late_sign_asks_to_mention_the_massage() -> None:
    (late,) = [flag for flag in catalogue().red_flags.values() if flag.late]
    assert "your emergency number" in late.act
    assert "mention the massage" in late.act


@pytest.mark.parametrize("flag", ["neck-stroke", "neck-cord", "back-cauda", "chest", "hypo"])
def test_an_emergency_says_which_number_to_call(flag: str) -> None:
    assert "your emergency number" in catalogue().red_flags[flag].act


@pytest.mark.parametrize("area", AREAS["neck"] + AREAS["collar"])
def test_whatever_touches_the_neck_asks_all_neck_questions(area: str) -> None:
    """Correction 3, with a protocol that lists no question and names no region but the arms."""
    touching = small(area)
    assert touching.screening == ()
    asked = {question.id for question in screening.questions_for(catalogue(), touching)}
    assert asked >= {
        *("neck-sudden", "neck-face", "neck-dizzy", "neck-limbs", "back-signs", "accident"),
        *("neck-vessels", "aneurysm", "blood-pressure", "joint-inflammation", "disc"),
        *("eye-bleed", "spine-injury"),
    }


def test_questions_come_in_the_order_of_their_groups() -> None:
    order = [*catalogue().groups]
    assert order[0] == screening.SIGNS
    for name in SHIPPED:
        places = [order.index(q.group) for q in screening.questions_for(catalogue(), named(name))]
        assert places == sorted(places), name


# -- never cleared, by any word ------------------------------------------------------------------

REFUSING = [item for item in ALL_ITEMS if item.level in ("not-today", "help")]
WORD = Word(who="doctor", on="2026-07-01", at=0)


def kept(verdict: Verdict, answers: Answers, word: Word | None = None) -> Screening:
    return Screening(
        protocol="built",
        protocol_hash="p",
        rules_hash="r",
        seconds=600,
        chosen=(),
        answers=answers,
        verdict=verdict,
        answered_at=0,
        reading_at=0 if answers.reading else None,
        word=word,
    )


def start_fault(verdict: Verdict, answers: Answers, word: Word | None = WORD) -> str:
    """Why a session cannot start at once after this verdict; with a clinician's word given."""
    admission = kept(verdict, answers, word).admission("s")
    return screening.refusal(admission, "p", "r", 0)


@pytest.mark.parametrize("item", REFUSING, ids=lambda item: f"{item.fact} ({item.protocol})")
def test_no_word_clears_what_refuses(item: Item) -> None:
    verdict = screened(item.protocol, item.answers)
    assert verdict.level in ("not-today", "help")
    assert start_fault(verdict, item.answers) == "The answers do not allow this session today."


def test_what_is_never_cleared_never_asks_for_a_word() -> None:
    for question in NEVER_CLEARED:
        outcomes = catalogue().questions[question].every_outcome()
        assert outcomes
        milder = {"changes"} if question == "diabetes" else set()
        assert {o.level for o in outcomes} <= {"not-today", "help"} | milder, question


def test_a_clinicians_word_opens_only_what_asks_for_one() -> None:
    item = next(item for item in ALL_ITEMS if item.fact == "2.4 anticoagulant")
    verdict = screened(item.protocol, item.answers)
    assert start_fault(verdict, item.answers, None) == "A clinician has to agree first."
    assert start_fault(verdict, item.answers) == ""


@pytest.mark.parametrize(
    ("reading_text", "level"),
    [("2.9 mmol/L", "help"), ("3.9 mmol/L", "not-today"), ("5.5 mmol/L", "not-today"),
     ("14.0 mmol/L", "not-today"), ("16.71 mmol/L", "not-today"), ("none", "not-today")],
)  # fmt: skip
def test_no_word_clears_a_glucose_block(reading_text: str, level: Level) -> None:
    answers = answers_of({"glucose-medicine": "insulin"}, reading=reading(reading_text))
    verdict = screened("dm-legs-feet", answers)
    assert verdict.level == level
    assert start_fault(verdict, answers) != ""


# -- glucose in the verdict ----------------------------------------------------------------------

# reading; answers unlike the safe ones; ketones as in the table of glucose | verdict, wait,
# shortest, missing
GLUCOSE_ROWS = """
7.0 mmol/L ; ; - | clear - no -
5.5 mmol/L ; ; - | clear - no -
5.5 mmol/L ; glucose-medicine=tablets ; - | not-today 15 no -
5.5 mmol/L ; glucose-medicine=insulin ; - | not-today 15 no -
5.5 mmol/L ; glucose-medicine=unsure ; - | not-today 15 no -
5.5 mmol/L ; glucose-medicine= ; - | not-today 15 no glucose-medicine
5.5 mmol/L ; diabetes-type=type-1 ; - | not-today 15 no -
5.5 mmol/L ; diabetes-type=unsure ; - | not-today 15 no -
5.5 mmol/L ; diabetes-type= ; - | not-today 15 no diabetes-type
5.5 mmol/L ; diabetes-type=other ; - | clear - no -
5.5 mmol/L ; glucose-medicine=insulin last-insulin= ; - | not-today 15 no last-insulin
5.5 mmol/L ; glucose-medicine=insulin last-insulin=within-an-hour ; - | not-today 60 no -
5.5 mmol/L ; last-insulin=within-an-hour ; - | clear - no -
5.5 mmol/L ; glucose-medicine=tablets unwell=yes ; 0.2 | not-today - no -
99 mg/dL ; glucose-medicine=insulin ; - | not-today 15 no -
99 mg/dL ; ; - | clear - no -
3.9 mmol/L ; ; - | not-today 15 no -
3.9 mmol/L ; last-meal=empty ; - | not-today 90 no -
2.9 mmol/L ; ; - | help 15 no -
LO ; ; - | help 15 no -
6.9 mmol/L falling ; glucose-medicine=tablets ; - | not-today 15 no -
6.9 mmol/L falling ; ; - | clear - no -
6.9 mmol/L noarrow ; glucose-medicine=unsure ; - | not-today 10 no -
6.9 mmol/L fast ; ; - | not-today 10 no -
7.0 mmol/L falling ; glucose-medicine=tablets ; - | changes - yes -
7.0 mmol/L ; glucose-medicine=tablets ; - | clear - no -
14.0 mmol/L ; ; - | not-today - yes ketones
14.0 mmol/L ; ; 0.5 | changes - yes -
14.0 mmol/L ; glucose-medicine=insulin ; ? | not-today - yes -
14.0 mmol/L ; glucose-medicine=insulin ; 0.5 | changes - yes -
14.0 mmol/L ; ; 0.6 | not-today - yes -
14.0 mmol/L ; sglt2=yes ; 0.6 | help - yes -
14.0 mmol/L ; ; 1.6 | help - yes -
14.0 mmol/L ; ; 3.1 | help - yes -
7.0 mmol/L ; sglt2=yes ; - | not-today - no ketones
7.0 mmol/L ; sglt2=unsure ; - | not-today - no ketones
7.0 mmol/L ; sglt2= ; - | not-today - no sglt2,ketones
7.0 mmol/L ; sglt2=yes ; ? | not-today - no -
7.0 mmol/L ; sglt2=yes ; 0.5 | clear - no -
7.0 mmol/L ; sglt2=yes ; 0.6 | help - no -
7.0 mmol/L ; ; 0.6 | not-today - no -
7.0 mmol/L ; unwell=yes ; - | not-today - no ketones
7.0 mmol/L ; fever=unsure ; - | not-today - no ketones
7.0 mmol/L ; unwell=yes ; 0.6 | help - no -
7.0 mmol/L ; fever=yes ; plus-plus | help - no -
HI ; hypo-now=yes ; 0.2 | help - no -
16.71 mmol/L ; hypo-now=unsure ; 0.2 | help - no -
16.7 mmol/L ; hypo-now=yes ; 0.2 | not-today 15 yes -
HI ; ; - | help - no ketones
HI ; ; 0.2 | help - no -
16.71 mmol/L ; ; 0.2 | not-today - no -
16.71 mmol/L ; unwell=yes ; 0.2 | help - no -
none ; ; - | changes - yes -
none ; glucose-medicine=tablets ; - | not-today - no -
7.0 mmol/L ; unwell= ; - | not-today - no unwell,ketones
7.0 mmol/L ; unwell=maybe ; - | not-today - no unwell,ketones
7.0 mmol/L ; last-meal=yes ; - | clear - no last-meal
7.0 mmol/L ; last-meal=late glucose-medicine=tablets meal-snack= ; - | clear - no meal-snack
7.0 mmol/L ; last-meal=late glucose-medicine=tablets meal-snack=no ; - | not-today 15 no -
7.0 mmol/L ; last-meal=late meal-snack=no ; - | clear - no -
7.0 mmol/L ; skin=yes ; - | clear - no skin
5.5 mmol/L ; skin=yes@calf ; - | changes - no -
14.0 mmol/L ; lymph=yes ; 0.2 | clinician - yes -
14.0 mmol/L ; skin=yes@calf ; 0.2 | changes - yes -
7.0 mmol/L ; lymph=yes alcohol=yes ; - | not-today - no -
7.0 mmol/L ; alcohol=yes feet-numb=yes ; - | not-today - no -
7.0 mmol/L ; last-meal=recent glucose-medicine=insulin last-insulin=within-an-hour ; - | not-today 90 no -
7.0 mmol/L ; hypo-now=yes lymph=yes ; - | not-today 15 no -
7.0 mmol/L ; hypo-now=yes leg-clot=yes leg-clot-since=new ; - | help - no -
"""


def unmet_glucose(catalogue: Catalogue, line: str) -> Iterator[str]:
    """How the verdict on a row about glucose differs from it."""
    about, _, wanted = line.partition(" | ")
    shown, changed, ketone = (part.strip() for part in about.split(";"))
    answers = changed_answers(changed, reading(shown), ketones(ketone))
    verdict = screening.screen(catalogue, named("dm-legs-feet"), answers)
    found = " ".join(
        (
            verdict.level,
            str(verdict.wait_minutes or "-"),
            "yes" if verdict.changes.shortest else "no",
            ",".join(verdict.missing) or "-",
        )
    )
    if found != wanted:
        yield f"{about}: {wanted}, got {found}"
    if verdict.low and ("HI" in shown or shown.startswith("16.71")):
        yield f"{about}: sugar is told on top of a very high reading"


@pytest.mark.parametrize("line", lines_of(GLUCOSE_ROWS))
def test_glucose_in_the_verdict(line: str) -> None:
    assert [*unmet_glucose(catalogue(), line)] == []


def test_diabetes_asks_for_glucose_in_every_protocol() -> None:
    for name in EVERY_NAME:
        for diabetes in ("no", "yes", UNSURE):
            has = "diabetes" in touches(name) or diabetes != "no"
            given = {"diabetes": diabetes}
            verdict = screened(name, answers_of(given, reading=None))
            assert verdict.missing == ((GLUCOSE,) if has else ()), name
            low = screened(name, answers_of(given, reading=reading("LO")))
            assert (low.level == "help") == has, name
            without_trend = Reading(shown="number", value=Decimal("7.0"))
            verdict = screened(name, answers_of(given, reading=without_trend))
            assert verdict.missing == ((screening.TREND,) if has else ()), name


def unmet_sugar_at_hand(catalogue: Catalogue, name: str) -> Iterator[str]:
    """R03: in a massage not made for diabetes a steady reading asks for the shortest plan."""
    given = {"diabetes": "yes", "glucose-medicine": "tablets"}
    verdict = screening.screen(catalogue, named(name), answers_of(given))
    made_for = "diabetes" in touches(name)
    found = [f for f in verdict.findings if f.question == GLUCOSE and "sugar at hand" in f.act]
    said = ([f.level for f in found], bool(verdict.changes.shortest), bool(verdict.changes.glucose))
    if said != ((["clear"], False, False) if made_for else (["changes"], True, True)):
        yield f"{name} with tablets and a steady reading: {said}"


@pytest.mark.parametrize("name", SHIPPED)
def test_with_a_medicine_that_causes_lows_every_protocol_changes(name: str) -> None:
    assert [*unmet_sugar_at_hand(catalogue(), name)] == []


def test_an_impossible_reading_is_no_answer() -> None:
    for shown in ("1.0 mmol/L", "33.4 mmol/L", "19 mg/dL", "601 mg/dL"):
        with pytest.raises(ValueError, match="possible number"):
            screened("dm-legs-feet", answers_of({}, reading=reading(shown)))


# -- unsure, unanswered, not understood ----------------------------------------------------------


def unsafe_tokens(question: Question) -> tuple[str, ...]:
    """What can be answered, but for "not sure" and the safe answer."""
    tokens = [option.id for option in question.options] or ["yes", "no"]
    return tuple(token for token in tokens if token != SAFE.get(question.id, "no"))


def asked_of(name: str) -> tuple[Question, ...]:
    return screening.questions_for(catalogue(), named(name))


def asking(name: str, question: str) -> dict[str, str]:
    """The answers that bring a question up in this protocol."""
    given = before_follow_up(question)
    if question in OF_DIABETES and "diabetes" not in touches(name):
        given["diabetes"] = "yes"
    if question == "meal-snack":
        given |= WITH["lows"]
    return given


FINE = Ketones(mmol_per_l=Decimal("0.2"))


def answered(name: str, question: Question, token: str) -> Verdict:
    marked = {"procedure-place": ("calf",), "foot-ulcer-place": ("calf",)}
    if question.kind == "place" and token == "yes":
        marked[question.id] = ("calf",)
    given = asking(name, question.id) | {question.id: token}
    return screened(name, answers_of(given, marked, ketones=FINE))


def badness(verdict: Verdict) -> tuple[int, int]:
    urgency = verdict.worst[0].urgency if verdict.worst else None
    return LEVELS.index(verdict.level), URGENCIES.index(urgency) if urgency else -1


@pytest.mark.parametrize("name", SHIPPED)
def test_everything_safe_is_clear(name: str) -> None:
    verdict = screened(name, answers_of({}))
    assert (verdict.level, verdict.findings, verdict.missing) == ("clear", (), ())
    assert verdict.complete
    assert start_fault(verdict, answers_of({}), None) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_not_sure_is_the_unsafe_answer(name: str) -> None:
    for question in asked_of(name):
        unsure = answered(name, question, UNSURE)
        worst = max(
            (answered(name, question, token) for token in unsafe_tokens(question)), key=badness
        )
        if question.kind == "place":
            assert worst.level in ("changes", "clinician", "not-today"), question.id
            assert (unsure.level, unsure.wait_minutes) == ("not-today", None), question.id
        else:
            assert unsure.level == worst.level, question.id
            assert unsure.wait_minutes == worst.wait_minutes, question.id
            assert unsure.changes == worst.changes, question.id
            acts = [(finding.act, finding.urgency) for finding in unsure.findings]
            assert acts == [(finding.act, finding.urgency) for finding in worst.findings]


def test_not_sure_about_medicine_counts_as_the_risk() -> None:
    """Answers that lead to nothing by themselves, only to what a reading means."""
    for question in ("diabetes-type", "glucose-medicine"):
        answers = answers_of({question: UNSURE}, reading=reading("5.5 mmol/L"))
        assert screened("dm-legs-feet", answers).level == "not-today", question
    assert KETONES in screened("dm-legs-feet", answers_of({"sglt2": UNSURE})).missing


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_every_unanswered_question_keeps_it_shut(name: str) -> None:
    for question in asked_of(name):
        for token in (None, "", "maybe", "YES", "none"):
            if token in [option.id for option in question.options]:
                continue
            before = asking(name, question.id)
            marked: dict[str, tuple[str, ...]] = {"procedure-place": ("calf",)}
            answers = answers_of(before | {question.id: token or ""}, marked, ketones=FINE)
            if token is None:
                given = {key: value for key, value in answers.given.items() if key != question.id}
                answers = answers.model_copy(update={"given": given})
            verdict = screened(name, answers)
            assert question.id in verdict.missing, (question.id, token)
            if question.id != "diabetes":  # without that answer what it brings is open too
                assert verdict.missing == (question.id,), (question.id, token)
            refused = verdict.level == "not-today"
            assert refused or not verdict.complete, (question.id, token)
            assert start_fault(verdict, answers) != "", (question.id, token)
    if "diabetes" in touches(name):
        answers = answers_of({}, reading=None)
        verdict = screened(name, answers)
        assert verdict.missing == (GLUCOSE,)
        assert not verdict.complete
        assert start_fault(verdict, answers) != ""


def test_a_choice_knows_only_its_own_answers() -> None:
    for question in catalogue().questions.values():
        tokens = [option.id for option in question.options]
        for token in ("yes", "no"):
            if question.kind == "choice" and token not in tokens:
                assert not screening.is_answer(question, token, ()), question.id


@pytest.mark.parametrize("question", ["skin", "varicose-veins", "insulin-sites"])
def test_a_place_needs_its_places(question: str) -> None:
    nowhere = screened("dm-legs-feet", answers_of({question: "yes"}))
    assert nowhere.missing == (question,)
    assert nowhere.level == "clear"
    assert not nowhere.complete
    marked = answers_of({question: "yes"}, {question: ("calf:left", "heel")})
    verdict = screened("dm-legs-feet", marked)
    assert verdict.level == "changes"
    left_out = [(rule.area, rule.side, rule.tag) for rule in verdict.changes.leave_out]
    assert left_out == [("calf", "left", None), ("heel", None, None)]
    assert all(rule.why for rule in verdict.changes.leave_out)
    assert screened("dm-legs-feet", answers_of({question: UNSURE})).level == "not-today"


@pytest.mark.parametrize(
    ("question", "name"), [("honey-patch", "oc-honey-back"), ("trained", "oc-thai")]
)
def test_a_promise_that_is_not_given_refuses(question: str, name: str) -> None:
    assert screened(name, answers_of({question: "yes"})).level == "clear"
    for token in ("no", UNSURE):
        verdict = screened(name, answers_of({question: token}))
        assert (verdict.level, verdict.complete) == ("not-today", True)
        (finding,) = verdict.findings
        assert finding.said.startswith("Not so, or not sure")


def test_an_unsafe_answer_that_no_rule_covers_is_refused() -> None:
    lymph = catalogue().questions["lymph"].model_copy(update={"outcomes": ()})
    bare = catalogue().model_copy(update={"questions": {"lymph": lymph}})
    for token in ("yes", UNSURE):
        verdict = screening.screen(bare, named("oc-self-nape"), answers_of({"lymph": token}))
        assert (verdict.level, verdict.wait_minutes) == ("not-today", None)


def test_no_answer_of_a_choice_is_safe_by_its_name() -> None:
    """An option called "no" leads to what its rule says."""
    asked = catalogue().questions["sglt2"]
    refusing = asked.options[0].model_copy(update={"outcomes": (screening.REFUSED,)})
    assert refusing.id == "no"
    changed = asked.model_copy(update={"options": (refusing, *asked.options[1:])})
    only = catalogue().model_copy(update={"questions": {"sglt2": changed}})
    answers = answers_of({"sglt2": "no"})
    assert screening.screen(only, named("dm-legs-feet"), answers).level == "not-today"


def test_only_a_place_question_leaves_places_out() -> None:
    answers = answers_of({"lymph": "yes"}, {"lymph": ("nape",)})
    assert screened("oc-self-nape", answers).changes.leave_out == ()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("oc-self-nape", {"lymph": "yes"}, "Disease of the lymph system"),
        ("oc-self-nape", {"lymph": UNSURE}, "Not sure: Disease of the lymph system"),
        (
            "oc-self-nape",
            {"last-meal": "empty"},
            "The last meal (a snack or sugar for glucose does not count): more than 4",
        ),
        (
            "oc-self-nape",
            {"last-meal": UNSURE},
            "The last meal (a snack or sugar for glucose does not count): not sure",
        ),
        ("oc-thai", {"trained": "no"}, "Not so, or not sure: The one who does it is trained"),
        ("dm-legs-feet", {"glucose": "3.9 mmol/L"}, "Glucose is low (under 4.0 mmol/L, 72 mg/dL)"),
    ],
    ids=str,
)
def test_a_finding_says_what_was_answered(name: str, given: dict[str, str], said: str) -> None:
    shown = reading(given.get("glucose", "7.0 mmol/L"))
    answers = answers_of({k: v for k, v in given.items() if k != "glucose"}, reading=shown)
    (found,) = screened(name, answers).findings
    assert found.said.startswith(said)


# -- the verdict ---------------------------------------------------------------------------------


def finding(level: Level, wait: int | None = None, urgency: Urgency | None = None) -> Finding:
    return Finding(
        question="q", level=level, said="So.", act="Do.", wait_minutes=wait, urgency=urgency
    )


@pytest.mark.parametrize(
    ("level", "findings", "wait"),
    [
        ("clear", [], None),
        ("changes", [("changes", None)], None),
        ("not-today", [("not-today", 15)], 15),
        ("not-today", [("not-today", 15), ("not-today", 90)], 90),
        ("not-today", [("not-today", 90), ("not-today", 60), ("not-today", 15)], 90),
        ("not-today", [("not-today", 15), ("not-today", None)], None),
        ("not-today", [("not-today", None)], None),
        ("not-today", [("not-today", 15), ("clinician", None)], 15),
        ("help", [("help", 15)], 15),
        ("help", [("help", 15), ("not-today", None)], 15),
        ("help", [("help", 15), ("help", None)], None),
        ("help", [("help", None), ("not-today", 60)], None),
    ],
)
def test_how_long_to_wait(
    level: Level, findings: list[tuple[Level, int | None]], wait: int | None
) -> None:
    verdict = Verdict(level=level, findings=tuple(finding(*one) for one in findings))
    assert verdict.wait_minutes == wait


@pytest.mark.parametrize(
    ("level", "wait", "missing", "signs", "complete"),
    [
        ("clear", None, (), False, True),
        ("clear", None, ("a",), False, False),
        ("changes", None, (), False, True),
        ("changes", None, ("a",), False, False),
        ("clinician", None, (), False, True),
        ("clinician", None, ("a",), False, False),
        ("not-today", None, (), False, True),
        ("not-today", None, ("a",), False, True),
        ("not-today", None, ("a",), True, False),
        ("not-today", 15, ("a",), False, False),
        ("not-today", 15, (), False, True),
        ("help", None, ("a",), True, True),
        ("help", 15, ("a",), True, True),
        ("help", None, (), False, True),
    ],
)
def test_when_nothing_more_has_to_be_asked(
    level: Level, wait: int | None, missing: tuple[str, ...], signs: bool, complete: bool
) -> None:
    findings = (finding(level, wait),) if level != "clear" else ()
    verdict = Verdict(level=level, findings=findings, missing=missing, missing_signs=signs)
    assert verdict.complete == complete


def test_a_refusal_waits_for_the_signs() -> None:
    """A sign of 2.5 that is not yet answered could be an emergency: it is asked first."""
    answers = answers_of({"under-18": "yes"})
    for question, complete in (("chest-breath", False), ("lymph", True)):
        given = {key: value for key, value in answers.given.items() if key != question}
        verdict = screened("oc-self-nape", answers.model_copy(update={"given": given}))
        assert (verdict.missing, verdict.complete) == ((question,), complete)
        assert verdict.missing_signs != complete


def test_nothing_more_is_asked_only_when_no_answer_could_open_it() -> None:
    """High glucose with insulin: ketones below 0.6 would open it (2.3), so they are asked for."""
    open_ended = answers_of({"glucose-medicine": "insulin"}, reading=reading("14.0 mmol/L"))
    verdict = screened("dm-legs-feet", open_ended)
    assert verdict.missing == (KETONES,)
    assert not verdict.complete


@pytest.mark.parametrize(
    ("question", "opening", "shown", "ketone"),
    [
        ("glucose-medicine", "none", "5.5 mmol/L", "-"),
        ("diabetes-type", "type-2", "99 mg/dL", "-"),
        ("glucose-medicine", "none", "none", "-"),
    ],
)
def test_a_risk_that_was_not_answered_is_asked_for_before_a_refusal(
    question: str, opening: str, shown: str, ketone: str
) -> None:
    """The refusal would name a medicine or illness that nobody told of."""
    answered = answers_of({question: opening}, None, reading(shown), ketones(ketone))
    assert screened("dm-legs-feet", answered).level in STARTABLE
    left_open = answers_of({question: ""}, None, reading(shown), ketones(ketone))
    verdict = screened("dm-legs-feet", left_open)
    assert verdict.missing == (question,)
    assert not verdict.complete


# What is told at once. protocol ; answers, "question=" is open ; reading, "-" for none | complete,
# whether an open answer could be a sign
COMPLETE = """
-- a low is told at once, whatever is open
dm-legs-feet ; ; 3.9 mmol/L | yes no
dm-legs-feet ; lymph= ; 3.9 mmol/L | yes no
dm-legs-feet ; chest-breath= ; 3.9 mmol/L | yes yes
dm-legs-feet ; chest-breath= lymph= glucose-medicine= ; 3.0 mmol/L | yes yes
dm-general-gentle ; hypo-severe= ; 71.9 mg/dL | yes yes
dm2-acupressure ; last-meal= ; 54 mg/dL | yes no
dm-legs-feet ; chest-breath= unwell=yes ; 3.9 mmol/L | yes yes
dm-legs-feet ; chest-breath= last-meal=empty ; 3.9 mmol/L | yes yes
dm-legs-feet ; lymph= ; 2.9 mmol/L | yes no
dm-legs-feet ; chest-breath= ; LO | yes yes
-- signs of a low too, also without a reading
dm-legs-feet ; hypo-now=yes ; 7.0 mmol/L | yes no
dm-legs-feet ; hypo-now=yes lymph= ; 7.0 mmol/L | yes no
dm-legs-feet ; hypo-now=yes chest-breath= ; 7.0 mmol/L | yes yes
dm-legs-feet ; hypo-now=unsure chest-breath= ; 7.0 mmol/L | yes yes
dm-general-gentle ; hypo-now=yes ; - | yes yes
dm2-acupressure ; hypo-now=yes chest-breath= unwell=yes ; - | yes yes
-- no other wait is a low
dm-legs-feet ; last-meal=recent lymph= ; 7.0 mmol/L | no no
dm-legs-feet ; last-meal=empty chest-breath= ; 7.0 mmol/L | no yes
dm-legs-feet ; glucose-medicine=insulin last-insulin=within-an-hour lymph= ; 7.0 mmol/L | no no
oc-self-nape ; last-meal=recent lymph= ; - | no no
-- nor is near low: a sign of 2.5 comes first
dm-legs-feet ; chest-breath= glucose-medicine=insulin ; 5.5 mmol/L | no yes
dm-legs-feet ; hypo-severe= glucose-medicine=tablets ; 72 mg/dL | no yes
-- any other refusal waits for signs and for the reading, which could be an emergency
dm-legs-feet ; alcohol=yes lymph= ; 7.0 mmol/L | yes no
dm-legs-feet ; alcohol=yes chest-breath= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes ; - | no yes
dm-legs-feet ; alcohol=yes lymph= ; - | no yes
dm-legs-feet ; alcohol=yes unwell= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes fever= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes sglt2= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes hypo-severe= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes glucose-medicine= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes diabetes-type= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes glucose-medicine=insulin last-insulin= ; 7.0 mmol/L | no yes
dm-legs-feet ; alcohol=yes hypo-unaware= ; 7.0 mmol/L | yes no
oc-self-nape ; alcohol=yes diabetes= ; 7.0 mmol/L | no yes
-- ketones could be an emergency
dm-legs-feet ; unwell=yes lymph= ; 7.0 mmol/L | no yes
dm-legs-feet ; lymph= ; 16.71 mmol/L | no yes
dm-legs-feet ; ; HI | yes yes
-- new or old is asked before it is told
dm-legs-feet ; leg-clot=yes leg-clot-since= ; 7.0 mmol/L | no yes
oc-self-nape ; alcohol=yes neck-dizzy=yes neck-dizzy-since= ; - | no yes
oc-self-nape ; chest-breath=yes neck-dizzy=yes neck-dizzy-since= ; - | yes yes
dm-legs-feet ; ; - | no yes
dm-legs-feet ; lymph=yes ; - | no yes
dm-legs-feet ; leg-clot=yes leg-clot-since=new ; - | yes yes
oc-self-nape ; unwell=yes ; - | yes no
oc-self-nape ; unwell=yes lymph= ; - | yes no
oc-self-nape ; unwell=yes neck-dizzy= ; - | no yes
oc-self-nape ; lymph= ; - | no no
oc-self-nape ; lymph=yes skin= ; - | no no
oc-self-nape ; ; - | yes no
"""


def parts_of(line: str) -> tuple[str, Answers, str]:
    """Protocol, answers and what is wanted of a row with three parts before the bar."""
    about, wanted = line.split(" | ")
    name, changed, shown = (part.strip() for part in about.split(";"))
    taken = None if shown == "-" else reading(shown)
    return name, changed_answers(changed, taken), wanted


def unmet_complete(line: str) -> Iterator[str]:
    name, answers, wanted = parts_of(line)
    verdict = screened(name, answers)
    found = " ".join("yes" if yes else "no" for yes in (verdict.complete, verdict.missing_signs))
    if found != wanted:
        yield f"{line}, got {found}"
    if verdict.missing and start_fault(verdict, answers) == "":
        yield f"{line}: starts"


@pytest.mark.parametrize("line", lines_of(COMPLETE))
def test_what_is_told_at_once(line: str) -> None:
    assert [*unmet_complete(line)] == []


# The order in which findings are told: protocol ; answers ; reading | questions
ORDER = """
dm-legs-feet ; leg-clot=yes leg-clot-since=new hypo-severe=yes ; 7.0 mmol/L | hypo-severe leg-clot-since
dm-legs-feet ; foot-wound=yes ; LO | glucose-reading foot-wound
dm-legs-feet ; foot-wound=yes foot-hot=yes ; 2.9 mmol/L | glucose-reading foot-wound foot-hot
dm-general-gentle ; new-weakness=yes new-weakness-since=new hidden-illness=yes ; LO | glucose-reading new-weakness-since hidden-illness
dm-general-gentle ; hidden-illness=yes ; 2.9 mmol/L | glucose-reading hidden-illness
oc-classic-lumbar ; hidden-illness=yes leg-clot=yes leg-clot-since=new back-signs=yes ; - | back-signs leg-clot-since hidden-illness
oc-self-nape ; new-weakness=yes new-weakness-since=new neck-limbs=yes neck-limbs-since=new ; - | neck-limbs-since new-weakness-since
dm-legs-feet ; alcohol=yes pregnancy=yes skin=yes@calf leg-clot=yes leg-clot-since=new ; 3.9 mmol/L | leg-clot-since glucose-reading alcohol pregnancy skin
oc-self-nape ; skin=yes@nape lymph=yes ; - | lymph skin
dm-legs-feet ; feet-numb=yes skin=yes@calf ; none | feet-numb skin glucose-reading
dm-legs-feet ; lymph=yes ; 6.9 mmol/L fast | glucose-reading lymph
"""
# Level and urgency, the more pressing first; the catalogue has not all of them.
PRESSING: tuple[tuple[Level, Urgency | None], ...] = (
    ("help", "emergency"),
    ("help", "same-day"),
    ("help", "urgent"),
    ("help", None),
    ("not-today", "emergency"),
    ("not-today", "same-day"),
    ("not-today", "urgent"),
    ("not-today", None),
    ("clinician", "urgent"),
    ("clinician", None),
    ("changes", "emergency"),
    ("changes", None),
    ("clear", None),
)


def unmet_order(line: str) -> Iterator[str]:
    name, answers, wanted = parts_of(line)
    found = " ".join(finding.question for finding in screened(name, answers).findings)
    if found != wanted:
        yield f"{line}, got {found}"


def unmet_keys() -> Iterator[str]:
    keys = [
        screening.most_pressing_first(finding(level, urgency=urgency))
        for level, urgency in PRESSING
    ]
    for earlier, later, what in zip(keys, keys[1:], PRESSING, strict=False):
        if not earlier < later:
            yield f"{what} does not stand before the next"


@pytest.mark.parametrize("line", lines_of(ORDER))
def test_the_most_pressing_finding_stands_first(line: str) -> None:
    assert [*unmet_order(line)] == []


def test_level_comes_before_urgency_and_urgency_before_none() -> None:
    assert [*unmet_keys()] == []


def test_the_worst_finding_stands_first() -> None:
    given = {"skin": "yes", "lymph": "yes", "unwell": "yes", "leg-clot": "yes"}
    answers = answers_of(given | {"leg-clot-since": "new"}, {"skin": ("nape",)})
    verdict = screened("oc-self-nape", answers)
    assert [f.level for f in verdict.findings] == ["help", "not-today", "clinician", "changes"]
    assert [f.question for f in verdict.worst] == ["leg-clot-since"]


@pytest.mark.parametrize(
    "given",
    [
        {"leg-clot": "yes", "leg-clot-since": "new", "hypo-severe": "yes"},
        {"foot-wound": "yes", "glucose": "LO"},
        {"new-weakness": "yes", "new-weakness-since": "new", "glucose": "2.9 mmol/L"},
    ],
    ids=str,
)
def test_an_emergency_stands_before_help_that_can_wait(given: dict[str, str]) -> None:
    """The heading and the number to call are those of the first finding."""
    shown = {"reading": reading(given["glucose"])} if "glucose" in given else {}
    signs = {key: token for key, token in given.items() if key != "glucose"}
    verdict = screened("dm-legs-feet", answers_of(signs, **shown))  # type: ignore[arg-type]
    assert {f.urgency for f in verdict.worst} == {"same-day", "emergency"}
    assert verdict.worst[0].urgency == "emergency"


@pytest.mark.parametrize(
    ("fact", "gone"),
    [
        ("U-16 pregnancy, points", {"sp6-left", "sp6-right"}),
        (
            "2.4 feeling of the feet not known",
            {"ki3-left", "ki3-right", "lr3-left", "lr3-right"},
        ),
    ],
)
def test_the_points_that_are_left_out_are_not_in_the_plan(fact: str, gone: set[str]) -> None:
    """U-16 and the amber row of 2.4, with every point chosen that can be."""
    item = next(item for item in ALL_ITEMS if item.fact == fact)
    points = named(item.protocol)
    chosen = frozenset(phase.id for phase in points.all_phases() if phase.optional)
    changes = screened(item.protocol, item.answers).changes
    whole = shipped().plan(points, 1800, chosen)
    plan = shipped().plan(points, 1800, chosen, changes)
    planned = {step.id for step in plan.steps}
    missing = {step.id for step in whole.steps} - planned
    assert {name for name in missing if not name.startswith("to-")} == gone
    assert {name.removeprefix("to-") for name in missing} == gone
    assert all(step.pressure is None or step.pressure <= 2 for step in plan.steps) or not item.light


# -- whether answers still count -----------------------------------------------------------------

ANSWERED_AT = 10 * HOUR
# what is unlike a good admission; minutes and ms after the answers; the words of the refusal
STARTS: tuple[tuple[dict[str, object], int, str], ...] = (
    ({}, 0, ""),
    ({}, 60 * MINUTE - 1, ""),
    ({}, 60 * MINUTE, ""),
    ({}, 60 * MINUTE + 1, "more than an hour"),
    ({}, -1, "more than an hour"),
    ({}, -60 * MINUTE, "more than an hour"),
    ({"level": "changes"}, 0, ""),
    ({"level": "changes"}, 60 * MINUTE + 1, "more than an hour"),
    ({"level": "clinician"}, 0, "clinician has to agree"),
    ({"level": "clinician", "word": WORD}, 0, ""),
    ({"level": "clinician", "word": WORD}, 60 * MINUTE, ""),
    ({"level": "clinician", "word": WORD}, 60 * MINUTE + 1, "more than an hour"),
    ({"level": "not-today"}, 0, "do not allow"),
    ({"level": "not-today", "word": WORD}, 0, "do not allow"),
    ({"level": "help"}, 0, "do not allow"),
    ({"level": "help", "word": WORD}, 0, "do not allow"),
    ({"protocol_hash": "another"}, 0, "have changed"),
    ({"rules_hash": "another"}, 0, "have changed"),
    ({"protocol_hash": "another", "level": "clinician", "word": WORD}, 0, "have changed"),
    ({"needs_reading": True}, 0, "no glucose reading"),
    ({"needs_reading": True, "reading_at": ANSWERED_AT}, 0, ""),
    ({"needs_reading": True, "reading_at": ANSWERED_AT}, 15 * MINUTE, ""),
    ({"needs_reading": True, "reading_at": ANSWERED_AT}, 15 * MINUTE + 1, "Measure again"),
    ({"needs_reading": True, "reading_at": ANSWERED_AT}, 60 * MINUTE, "Measure again"),
    ({"needs_reading": True, "reading_at": ANSWERED_AT - 15 * MINUTE}, 0, ""),
    ({"needs_reading": True, "reading_at": ANSWERED_AT - 15 * MINUTE}, 1, "Measure again"),
    ({"needs_reading": True, "reading_at": ANSWERED_AT - 15 * MINUTE - 1}, 0, "Measure again"),
    ({"needs_reading": True, "reading_at": ANSWERED_AT + 1}, 0, "Measure again"),
    ({"reading_at": ANSWERED_AT}, 30 * MINUTE, ""),
)


def unmet_start(change: dict[str, object], after: int, says: str) -> Iterator[str]:
    """How the refusal differs from the row."""
    good = Admission(
        screening="s",
        protocol="built",
        protocol_hash="p",
        rules_hash="r",
        level="clear",
        answered_at=ANSWERED_AT,
    )
    found = screening.refusal(good.model_copy(update=change), "p", "r", ANSWERED_AT + after)
    if bool(found) != bool(says) or says not in found:
        yield f"{change}, {after} ms later: {says!r}, got {found!r}"


@pytest.mark.parametrize(("change", "after", "says"), STARTS, ids=str)
def test_whether_a_session_may_start(change: dict[str, object], after: int, says: str) -> None:
    assert [*unmet_start(change, after, says)] == []


def test_without_answers_or_protocol_nothing_starts() -> None:
    assert "not been answered" in screening.refusal(None, "p", "r", 0)
    good = kept(Verdict(level="clear"), answers_of({}, reading=None)).admission("s")
    assert screening.refusal(good, "p", "r", 0) == ""
    assert "have changed" in screening.refusal(good, None, "r", 0)


def test_what_a_session_keeps_of_its_screening() -> None:
    answers = answers_of({})
    whole = kept(Verdict(level="clear"), answers).admission("s")
    assert (whole.level, whole.needs_reading, whole.reading_at) == ("clear", True, 0)
    open_ended = kept(Verdict(level="clear", missing=("skin",)), answers).admission("s")
    assert open_ended.level == "not-today"
    no_meter = kept(Verdict(level="changes"), answers_of({}, reading=reading("none")))
    assert not no_meter.admission("s").needs_reading
    assert kept(Verdict(level="clinician"), answers, WORD).admission("s").word == WORD


TODAY = date(2026, 7, 15)
DOCTORS: tuple[Clinician, ...] = ("doctor", "specialist")
# who, on which day, whose word counts here, what is wrong with it
WORDS: tuple[tuple[str, str, tuple[Clinician, ...], str], ...] = (
    ("doctor", "2026-07-15", DOCTORS, ""),
    ("specialist", "2026-06-01", DOCTORS, ""),
    ("diabetes-team", "2026-07-14", (*DOCTORS, "diabetes-team"), ""),
    ("midwife", "2026-03-01", (*DOCTORS, "midwife"), ""),
    ("doctor", "2026-01-13", DOCTORS, ""),  # 183 days ago
    ("doctor", "2026-01-12", DOCTORS, "half a year"),  # 184 days ago
    ("doctor", "2025-07-15", DOCTORS, "half a year"),
    ("doctor", "2026-07-16", DOCTORS, "not come yet"),
    ("doctor", "2027-07-15", DOCTORS, "not come yet"),
    ("doctor", "", DOCTORS, "the day"),
    ("doctor", "15.07.2026", DOCTORS, "the day"),
    ("doctor", "2026-02-30", DOCTORS, "the day"),
    ("doctor", "yesterday", DOCTORS, "the day"),
    # days that Python reads, but that are not YYYY-MM-DD
    ("doctor", "20260715", DOCTORS, "the day"),
    ("doctor", "2026-W29-3", DOCTORS, "the day"),
    ("doctor", "2026W293", DOCTORS, "the day"),
    ("doctor", "2026-W29", DOCTORS, "the day"),
    ("doctor", "2026-7-15", DOCTORS, "the day"),
    ("doctor", " 2026-07-15", DOCTORS, "the day"),
    ("doctor", "2026-07-15\n", DOCTORS, "the day"),
    ("doctor", "2026-07-15T10:00", DOCTORS, "the day"),
    ("doctor", "２０２６-07-15", DOCTORS, "the day"),
    ("", "2026-07-15", DOCTORS, "who said so"),
    ("friend", "2026-07-15", DOCTORS, "who said so"),
    ("Doctor", "2026-07-15", DOCTORS, "who said so"),
    ("physiotherapist", "2026-07-15", ("doctor", "specialist", "diabetes-team", "midwife"),
     "who said so"),
    # whose word does not count here
    ("diabetes-team", "2026-07-14", DOCTORS, "who said so"),
    ("diabetes-team", "2026-07-14", (*DOCTORS, "midwife"), "who said so"),
    ("midwife", "2026-07-14", DOCTORS, "who said so"),
    ("midwife", "2026-07-14", (*DOCTORS, "diabetes-team"), "who said so"),
    ("doctor", "2026-07-14", (), "who said so"),
    ("specialist", "2026-07-14", ("doctor",), "who said so"),
)  # fmt: skip


def unmet_word(who: str, on: str, known: tuple[Clinician, ...], says: str) -> Iterator[str]:
    found = screening.word_fault(who, on, TODAY, known, 183)
    if bool(found) != bool(says) or says not in found:
        yield f"{who} on {on!r}, of {known}: {says!r}, got {found!r}"


@pytest.mark.parametrize(("who", "on", "known", "says"), WORDS, ids=str)
def test_a_clinicians_word(who: str, on: str, known: tuple[Clinician, ...], says: str) -> None:
    assert [*unmet_word(who, on, known, says)] == []


# How long a word counts: three months with diabetes, in pregnancy and while cancer is treated.
WORD_DAYS = """
oc-self-nape ; heart=yes | 183
oc-self-nape ; surgery=yes | 31
oc-self-nape ; heart=yes procedure=weeks | 31
oc-self-nape ; accident-after=elsewhere | 31
oc-self-nape ; eye-bleed=yes | 31
oc-self-nape ; mental-flare=yes | 31
dm-legs-feet ; diabetes-unsteady=yes | 31
oc-self-nape ; tumour=yes tumour-treated=no | 183
oc-self-nape ; tumour-treated=yes | 183
oc-self-nape ; tumour=yes tumour-treated=yes | 92
oc-self-nape ; tumour=unsure tumour-treated=unsure | 92
oc-self-nape ; pregnancy=yes | 92
oc-self-nape ; pregnancy=unsure | 92
oc-self-nape ; diabetes=yes heart=yes | 92
oc-self-nape ; diabetes=unsure heart=yes | 92
dm-legs-feet ; heart=yes | 92
"""
# A day before the end and after it, for both.
WORD_ENDS = (
    (92, "2026-04-14", ""),
    (92, "2026-04-13", "three months"),
    (183, "2026-04-13", ""),
    (31, "2026-06-14", ""),
    (31, "2026-06-13", "than a month"),
)


def unmet_word_days() -> Iterator[str]:
    for line in lines_of(WORD_DAYS):
        about, wanted = line.split(" | ")
        name, changed = (part.strip() for part in about.split(";"))
        asked = {part.partition("=")[0] for part in changed.split()}
        found = screening.word_counts_days(named(name), changed_answers(changed, None), asked)
        if str(found) != wanted:
            yield f"{line}, got {found}"
    for days, on, says in WORD_ENDS:
        fault = screening.word_fault("doctor", on, TODAY, DOCTORS, days)
        if bool(fault) != bool(says) or says not in fault:
            yield f"{on}, {days} days: {says!r}, got {fault!r}"


def test_how_long_a_word_counts() -> None:
    assert [*unmet_word_days()] == []


# Whose word counts: a doctor's and a specialist's always. For what else, by hand; nobody else's for
# a question that does not stand here.
CLEARED_BY = {
    "glucose-medicine": "diabetes-team",
    "foot-cold-since": "diabetes-team",
    "foot-ulcer-before": "diabetes-team",
    "diabetes-unsteady": "diabetes-team",
    "feet-numb": "diabetes-team",
    "foot-shape": "diabetes-team",
    "pregnancy": "midwife",
}
WORD_ITEMS = tuple(item for item in ALL_ITEMS if item.level == "clinician")

# answers together: protocol ; unsafe answers | who besides the doctors
CLEARS = """
dm2-acupressure ; glucose-medicine=insulin | diabetes-team
dm2-acupressure ; glucose-medicine=insulin feet-numb=yes foot-shape=yes | diabetes-team
dm-legs-feet ; feet-numb=unsure diabetes-unsteady=unsure | diabetes-team
dm-legs-feet ; diabetes-unsteady=yes skin=yes@calf | diabetes-team
dm2-acupressure ; glucose-medicine=insulin lymph=yes | -
dm2-acupressure ; glucose-medicine=insulin kidney-failure=yes | -
dm-legs-feet ; feet-numb=yes leg-arteries=yes | -
dm-legs-feet ; foot-shape=yes eye-bleed=yes | -
dm-legs-feet ; diabetes-unsteady=yes surgery=yes | -
dm-legs-feet ; feet-numb=yes blood-thinners=unsure | -
oc-self-nape ; pregnancy=unsure | midwife
oc-self-nape ; pregnancy=yes skin=yes@nape | midwife
oc-self-nape ; pregnancy=yes blood-pressure=high | -
oc-self-4step ; pregnancy=yes blood-pressure=unsure | -
dm2-acupressure ; pregnancy=yes glucose-medicine=insulin | -
dm-legs-feet ; pregnancy=yes diabetes-unsteady=yes | -
dm-legs-feet ; pregnancy=yes feet-numb=yes | -
oc-classic-lumbar ; lymph=yes heart=yes | -
"""


def unmet_clears(name: str, answers: Answers, more: str) -> Iterator[str]:
    wanted = {"doctor", "specialist", *({more} - {""})}
    verdict = screened(name, answers)
    found = screening.who_may_clear(verdict)
    if verdict.level != "clinician" or len(found) != len({*found}) or {*found} != wanted:
        asked = [finding.question for finding in verdict.findings]
        yield f"{name} {asked}: {verdict.level} of {sorted(wanted)}, got {found}"


def unmet_clears_line(line: str) -> Iterator[str]:
    about, wanted = line.split(" | ")
    name, changed = (part.strip() for part in about.split(";"))
    usual = USUAL if "diabetes" in touches(name) else None
    more = "" if wanted == "-" else wanted
    yield from unmet_clears(name, changed_answers(changed, usual), more)


@pytest.mark.parametrize("item", WORD_ITEMS, ids=lambda item: f"{item.fact} ({item.protocol})")
def test_whose_word_counts_for_an_item(item: Item) -> None:
    assert [
        *unmet_clears(item.protocol, item.answers, CLEARED_BY.get(item.over or item.question, ""))
    ] == []


@pytest.mark.parametrize("line", lines_of(CLEARS))
def test_whose_word_counts_for_answers_together(line: str) -> None:
    assert [*unmet_clears_line(line)] == []


def test_whose_word_counts_is_said_of_every_question_that_asks_for_one() -> None:
    """And of no question that never does."""
    asking = {
        question.id
        for question in catalogue().questions.values()
        if any(outcome.level == "clinician" for outcome in question.every_outcome())
    }
    assert asking == {item.over or item.question for item in WORD_ITEMS}
    assert asking >= set(CLEARED_BY)


# -- ten thousand sets of answers ----------------------------------------------------------------

RANDOM_SETS = 10_000
# from safe to unsafe; answers of the same rank differ in what they say, not in how bad they are
SINCE = {"old": 0, "new": 1, UNSURE: 1}
NO_YES = {"no": 0, "yes": 1, UNSURE: 1}
RANKS: dict[str, dict[str, int]] = {
    "last-meal": {"good": 0, "late": 1, "recent": 2, "empty": 2, UNSURE: 2},
    "meal-snack": {"yes": 0, "no": 1, UNSURE: 1},
    "diabetes": NO_YES,
    "diabetes-type": {"type-2": 0, "other": 1, "type-1": 2, UNSURE: 2},
    "glucose-medicine": {"none": 0, "tablets": 1, "insulin": 2, UNSURE: 2},
    "last-insulin": {"over-an-hour": 0, "within-an-hour": 1, UNSURE: 1},
    "sglt2": NO_YES,
    "platelets": {"none": 0, "one": 1, "several": 2, UNSURE: 2},
    "blood-pressure": {"no": 0, "controlled": 1, "high": 2, UNSURE: 2},
    "lungs-asthma": {"mild": 0, "other": 1, UNSURE: 1},
    "tumour-treated": NO_YES,
    "procedure": {"no": 0, "weeks": 1, "days": 2, UNSURE: 2},
    "accident-after": {"nothing": 0, "elsewhere": 1, "pain": 2, "acute": 3, UNSURE: 3},
    "foot-cold-since": {"old": 0, "weeks": 1, "sudden": 2, UNSURE: 2},
    **dict.fromkeys(("neck-dizzy-since", "neck-limbs-since", "legs-both-since"), SINCE),
    **dict.fromkeys(("leg-clot-since", "new-weakness-since"), SINCE),
    "honey-patch": {"yes": 0, "no": 1, UNSURE: 1},
    "trained": {"yes": 0, "no": 1, UNSURE: 1},
}
SIGN_RANKS = {"no": 0, "yes": 1, UNSURE: 1}
PLACE_RANKS = {"no": 0, "yes": 1, UNSURE: 2}
# each worse than the one before it, in both directions from the usual range
FALLING = ("7.0 mmol/L", "5.5 mmol/L", "3.9 mmol/L", "2.9 mmol/L", "LO")
RISING = ("7.0 mmol/L", "14.0 mmol/L", "16.71 mmol/L", "HI")
NO_METER = ("7.0 mmol/L", "none")
TREND_STEPS = tuple(
    (f"{number} mmol/L", f"{number} mmol/L {then}", f"{number} mmol/L fast")
    for number in ("7.0", "6.0", "5.0", "14.0")
    for then in ("falling", "noarrow")
)
KETONE_STEPS = ("0.3", "0.6", "1.6", "3.1")
STRIP_STEPS = ("negative", "trace", "plus", "plus-plus", "plus-plus-plus")
READING_STEPS = (FALLING, RISING, NO_METER, *TREND_STEPS)
READINGS = {
    text: reading(text)
    for text in (*(text for steps in READING_STEPS for text in steps), "100 mg/dL", "99 mg/dL")
}


def ranks_of(question: Question) -> dict[str, int]:
    usual = PLACE_RANKS if question.kind == "place" else SIGN_RANKS
    return RANKS.get(question.id, usual)


@dataclass(frozen=True)
class Drawn:
    """A set of answers, with the texts that its reading and ketones come from."""

    given: dict[str, str]
    shown: str
    ketone: str

    def answers(self, where: str) -> Answers:
        places: dict[str, tuple[str, ...]] = {
            key: (where,) for key, token in self.given.items() if token == "yes"
        }
        return Answers.model_construct(
            given=self.given,
            places=places,
            reading=READINGS.get(self.shown),
            ketones=ketones(self.ketone),
        )


def drawn(chance: random.Random, questions: tuple[Question, ...]) -> Drawn:
    """Mostly safe answers, so that each of the others is seen alone too."""
    given = {question.id: SAFE.get(question.id, "no") for question in questions}
    for question in questions:
        if question.id in FOLLOWS and question.id not in OF_DIABETES:
            given[question.id] = chance.choice([*ranks_of(question)])
    for question in chance.sample(questions, chance.choice((0, 1, 1, 2, 3))):
        given[question.id] = chance.choice([*ranks_of(question)])
    if chance.random() < 0.1:
        given["skin"] = "yes"
    if chance.random() < 0.6:
        for question_id in (
            "diabetes",
            "diabetes-type",
            "glucose-medicine",
            "last-insulin",
            "sglt2",
        ):
            if question_id in given:
                given[question_id] = chance.choice([*RANKS[question_id]])
    usual = chance.random() < 0.5
    return Drawn(
        given,
        "7.0 mmol/L" if usual else chance.choice([*READINGS]),
        chance.choice(("-", "-", "-", "?", *KETONE_STEPS, *STRIP_STEPS)),
    )


def worse_texts(text: str, steps: tuple[str, ...]) -> tuple[str, ...]:
    return steps[steps.index(text) + 1 :] if text in steps else ()


def worsened(chance: random.Random, old: Drawn, questions: tuple[Question, ...]) -> Drawn:
    """One answer made worse, or as bad in another way."""
    readings = [t for steps in READING_STEPS for t in worse_texts(old.shown, steps)]
    acids = [t for steps in (KETONE_STEPS, STRIP_STEPS) for t in worse_texts(old.ketone, steps)]
    acids += ["?"] if old.ketone in ("0.3", "negative") else []
    of_glucose = [("shown", text) for text in readings] + [("ketone", text) for text in acids]
    if of_glucose and chance.random() < 0.5:
        field, text = chance.choice(of_glucose)
        return Drawn(old.given, **{"shown": old.shown, "ketone": old.ketone, field: text})
    for question in chance.sample(questions, len(questions)):
        ranks = ranks_of(question)
        token = old.given[question.id]
        others = [t for t in ranks if t != token and ranks[t] >= ranks[token]]
        if others:
            given = {**old.given, question.id: chance.choice(others)}
            return Drawn(given, old.shown, old.ketone)
    return old


def removed(chance: random.Random, old: Drawn) -> tuple[str, Drawn]:
    """One answer taken away, with its name."""
    names = [*old.given]
    if old.shown != "-":
        names += ["reading"] * 5
    if old.ketone != "-":
        names += ["ketones"] * 5
    name = chance.choice(names)
    given = {key: token for key, token in old.given.items() if key != name}
    shown = "-" if name == "reading" else old.shown
    return name, Drawn(given, shown, "-" if name == "ketones" else old.ketone)


def asks_for_ketones(answers: Drawn) -> bool:
    """Above 13.9 mmol/L, when ill, and with an SGLT2 medicine; not known counts as yes."""
    high = answers.shown.startswith(("14", "16.71", "HI"))
    return high or any(answers.given[key] != "no" for key in ("sglt2", "unwell", "fever"))


def matters(name: str, gone: str, answers: Drawn, verdict_of: Answers) -> bool:
    """True when the answer that is gone was asked for."""
    has = "diabetes" in touches(name) or answers.given.get("diabetes") != "no"
    if gone == "reading":
        return has
    if gone == "ketones":
        return has and asks_for_ketones(answers)
    asked = screening.asked_after(catalogue(), named(name), verdict_of)
    return gone in {question.id for question in asked}


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which questions are asked does not depend on the answers: found once for each protocol."""
    known = {name: asked_of(name) for name in SHIPPED}
    monkeypatch.setattr(screening, "questions_for", lambda _, protocol: known[protocol.id])


@pytest.mark.slow
@pytest.mark.usefixtures("asked_once")
def test_ten_thousand_sets_of_answers() -> None:
    chance = random.Random(20_260_715)
    milder: list[str] = []
    seen: dict[Level, int] = dict.fromkeys(LEVELS, 0)
    for number in range(RANDOM_SETS):
        name = SHIPPED[number % len(SHIPPED)]
        questions = screening.questions_for(catalogue(), named(name))
        where = next(named(name).all_phases()).area
        answers = drawn(chance, questions)
        verdict = screened(name, answers.answers(where))
        seen[verdict.level] += 1

        levels = [LEVELS.index(f.level) for f in verdict.findings]
        assert LEVELS.index(verdict.level) == max(levels, default=0), answers
        pressing = [PRESSING.index((f.level, f.urgency)) for f in verdict.findings]
        assert pressing == sorted(pressing), answers

        worse = worsened(chance, answers, questions)
        after = screened(name, worse.answers(where))
        if badness(after) < badness(verdict):
            changed = {k: t for k, t in worse.given.items() if t != answers.given[k]}
            before = f"{answers.shown}, ketones {answers.ketone}: {verdict.level}"
            then = f"{worse.shown}, ketones {worse.ketone}, {changed}: {after.level}"
            milder.append(f"{name}: {before}; then {then}")

        gone, fewer = removed(chance, answers)
        left = screened(name, fewer.answers(where))
        startable = left.complete and left.level in STARTABLE
        if matters(name, gone, answers, answers.answers(where)):
            assert not startable, (gone, fewer)
            assert start_fault(left, fewer.answers(where)) != "", (gone, fewer)
    assert min(seen.values()) > 100, seen
    if milder:
        pytest.fail("\n".join([f"{len(milder)} of {RANDOM_SETS} became milder:", *milder[:20]]))
