"""The shipped protocols against facts typed here by hand.

"facts" is the project's collection of clinical facts, "L" a line of the base text, "R" a source
of ``catalogue/sources.json``; the collection itself is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from webapp.domain.protocol import Phase, Protocol, SideGroup
from webapp.library import load
from webapp.settings import shipped

SHIPPED = shipped("protocols")
LIBRARY = load(SHIPPED, SHIPPED)
PROTOCOLS = {name: entry.protocol for name, entry in LIBRARY.entries.items()}

# facts 1.1: GREEN is open, AMBER is clearance
ACCESS = {
    "dm-legs-feet": "clearance",
    "oc-classic-full": "open",
    "oc-classic-collar": "clearance",
    "oc-cupping-back": "clearance",
    "oc-self-nape": "open",
    "oc-self-4step": "open",
}
# facts part 3, and correction 1 for the legs: both legs in 15 minutes, 10 to 20
SESSION = {
    "dm-legs-feet": (600, 900, 1200),
    "oc-classic-full": (1200, 1200, 1800),
    "oc-classic-collar": (420, 900, 1200),
    "oc-cupping-back": (360, 480, 720),
    "oc-self-nape": (400, 600, 825),
    "oc-self-4step": (230, 360, 690),
}
# facts part 3, course settings: sessions usual and at most, hours between
COURSE = {
    "dm-legs-feet": (10, 20, 48),
    "oc-classic-full": (10, 15, 48),
    "oc-classic-collar": (10, 15, 48),
    "oc-cupping-back": (5, 5, 72),
    "oc-self-nape": (10, 10, 48),
    "oc-self-4step": (10, 10, 48),
}
# facts part 3, the rows "after: rest" (base L252); the self-massages have none
REST = {"dm-legs-feet", "oc-classic-full", "oc-classic-collar", "oc-cupping-back"}
# facts CL-02 (L181) and part 3: kneading takes more than half
KNEADING = {"oc-classic-full", "oc-classic-collar", "oc-self-4step"}
# facts correction 3, with 2.4 (neck) and 2.5 (neck red flags)
NECK_QUESTIONS = {
    *("neck-sudden", "neck-dizzy", "neck-limbs", "neck-vessels"),
    *("hypertension", "neck-strain", "joint-inflammation"),
}
# facts 2.3, 2.4 and correction 5
DIABETES_QUESTIONS = {
    *("glucose-low", "glucose-borderline", "glucose-high", "glucose-very-high"),
    *("glucose-unknown", "insulin-recent", "hypo-unaware", "diabetes-unsteady"),
    *("foot-wound", "foot-hot", "leg-arteries", "feet-numb", "foot-shape", "insulin-thigh"),
    *("leg-clot", "varicose-veins", "eye-bleed", "kidney-failure"),
}
# facts 2.4 and correction 4: asked of everybody
ALL_QUESTIONS = {
    *("under-18", "unwell", "fever", "flare", "new-weakness", "leg-clot", "blood-thinners"),
    *("heart", "pressure-160", "aneurysm", "lymph", "lungs", "tumour", "deep-infection"),
    *("weak-bones", "surgery", "nervous-system", "mental-flare", "pregnancy", "skin"),
}
# facts 1.8 and U-12, correction 6
CUP_QUESTIONS = {"cups-diabetes", "cups-marks", "cups-moles", "cups-device", "blood-thinners"}
NECK_AREAS = {"nape", "nape-shoulders", "nape-side", "collar"}
CLAIMS = re.compile(
    r"\bcur(e|es|ed|ing)\b|\bheal(s|ed|ing)?\b|regenerat|\breplac(e|es|ing)\b|detox|for ever|miracle"
    r"|no side effects|instead of (your )?(medicine|insulin|pills)",
    re.IGNORECASE,
)
FORWARD = re.compile(
    r"throat|front of the neck|in front of the ear|collarbone|jaw ?line|thyroid|carotid|chin\b|cheek",
    re.IGNORECASE,
)

each = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))


def of(names: set[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "protocol", [PROTOCOLS[n] for n in sorted(names & set(PROTOCOLS))], ids=str_id
    )


def str_id(protocol: Protocol) -> str:
    return protocol.id


def touches_neck(protocol: Protocol) -> bool:
    return any(phase.area in NECK_AREAS for phase in protocol.all_phases())


def in_order(protocol: Protocol) -> Iterator[Phase]:
    """Every phase as often as it is done: a group once for each side."""
    for entry in protocol.phases:
        for _ in entry.for_sides if isinstance(entry, SideGroup) else "1":
            yield from entry.phases if isinstance(entry, SideGroup) else [entry]


def words(value: object) -> Iterator[str]:
    """Every text in a parsed file."""
    if isinstance(value, str):
        yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from words(item)


def raw(name: str) -> Any:
    return json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))


def test_every_shipped_file_loads_and_has_its_facts_here() -> None:
    assert LIBRARY.bad_files == []
    assert set(PROTOCOLS) == set(ACCESS) == set(SESSION) == set(COURSE)


@each
def test_access_is_as_strict_as_the_facts_say(protocol: Protocol) -> None:
    assert protocol.access == ACCESS[protocol.id]
    assert bool(protocol.reason) == (protocol.access != "open")


@each
def test_the_session_has_the_bounds_of_the_facts(protocol: Protocol) -> None:
    session = protocol.session
    assert session
    assert (session.min, session.usual, session.max) == SESSION[protocol.id]


@each
def test_the_usual_seconds_of_the_phases_add_up_to_the_usual_session(protocol: Protocol) -> None:
    sums = [
        sum(getattr(phase.seconds, bound) for phase in in_order(protocol) if not phase.optional)
        for bound in ("min", "usual", "max")
    ]
    low, usual, high = SESSION[protocol.id]
    assert sums[0] <= low
    assert sums[1] == usual
    assert sums[2] >= high


@each
def test_the_course_is_that_of_the_facts(protocol: Protocol) -> None:
    course = protocol.course
    assert course
    assert course.sessions
    found = course.sessions.usual, course.sessions.max, course.gap_hours
    assert found == COURSE[protocol.id]


@each
def test_everybody_is_asked_what_speaks_against_any_massage(protocol: Protocol) -> None:
    assert set(protocol.screening) >= ALL_QUESTIONS


def test_whatever_touches_the_neck_asks_all_neck_questions() -> None:
    necks = {name for name, protocol in PROTOCOLS.items() if touches_neck(protocol)}
    assert necks == {"oc-classic-full", "oc-classic-collar", "oc-self-nape", "oc-self-4step"}
    for name in necks:
        assert set(PROTOCOLS[name].screening) >= NECK_QUESTIONS, name
        assert "neck" in PROTOCOLS[name].regions, name


@each
def test_a_spine_is_asked_about_disc_and_physiotherapy(protocol: Protocol) -> None:
    # facts C24, C20 and X-12
    asked = set(protocol.screening)
    assert ({"disc", "physiotherapy", "spine-injury"} <= asked) == protocol.id.startswith("oc-")


@each
def test_the_regions_are_those_of_the_areas(protocol: Protocol) -> None:
    areas = {LIBRARY.catalogue.areas[phase.area].region for phase in protocol.all_phases()}
    assert areas <= set(protocol.regions) <= {a.region for a in LIBRARY.catalogue.areas.values()}


@each
def test_nothing_is_done_forward_of_the_ear_line(protocol: Protocol) -> None:
    # facts U-01, C42
    for phase in protocol.all_phases():
        said = [
            phase.title,
            phase.direction or "",
            *phase.instructions,
            *(c.say for c in phase.cues),
        ]
        said.append(LIBRARY.catalogue.areas[phase.area].name)
        assert not [text for text in said if FORWARD.search(text)], phase.id


def test_the_nape_is_never_pressed_hard_and_its_phases_say_where_to_stop() -> None:
    # facts C22 and U-01; base L285 "minimal force"
    phases = [p for protocol in PROTOCOLS.values() for p in protocol.all_phases()]
    necks = [phase for phase in phases if phase.area in NECK_AREAS]
    assert len(necks) > 15
    for phase in necks:
        assert phase.pressure <= (3 if phase.area == "collar" else 2), phase.id
        assert phase.technique not in ("patting", "vibration", "cupping"), phase.id  # C32, C05
        assert any(FORWARD.search(place) for place in phase.avoid), phase.id


@each
def test_no_claim_that_the_facts_forbid_is_made(protocol: Protocol) -> None:
    # facts 1.12, last paragraph, and U-23
    assert [text for text in words(raw(protocol.id)) if CLAIMS.search(text)] == []
    assert "No clinician has reviewed this page." in protocol.evidence.note
    assert protocol.reviewed is None


@each
def test_instructions_are_short_enough_to_say(protocol: Protocol) -> None:
    lines = [line for phase in protocol.all_phases() for line in phase.instructions]
    assert [line for line in (*lines, *protocol.stop) if len(line) > 60] == []


@each
def test_every_phase_says_that_its_seconds_are_inferred_or_where_they_stand(
    protocol: Protocol,
) -> None:
    # facts part 3: "all per-step seconds are I unless S is shown"; the base text has 530 lines
    for phase in protocol.all_phases():
        assert "inferred" in phase.origin.split("; "), phase.id
        assert all(0 < int(n) <= 530 for n in re.findall(r"L(\d+)", phase.origin)), phase.id


@each
def test_all_seconds_are_multiples_of_five_and_no_phase_is_under_fifteen(
    protocol: Protocol,
) -> None:
    text = json.dumps(raw(protocol.id))
    numbers = [int(n) for n in re.findall(r'"(?:min|usual|max|seconds|at)": (-?\d+)', text)]
    sessions = raw(protocol.id)["course"]["sessions"].values()
    counts = re.findall(r"\d+", json.dumps(list(sessions)))
    assert len(numbers) - len(counts) > 15
    assert [n for n in numbers if n % 5] == []
    assert min(phase.seconds.min for phase in protocol.all_phases()) >= 15  # correction 1 and 8


@of(REST)
def test_half_an_hour_of_rest_follows(protocol: Protocol) -> None:
    (rest,) = [step for step in protocol.aftercare if step.id == "rest"]
    assert rest.seconds
    assert rest.seconds.usual == rest.seconds.max == 1800
    assert rest.seconds.min == (900 if protocol.id == "dm-legs-feet" else 1800)
    assert "base L252" in rest.origin


@each
def test_the_session_starts_and_ends_with_strokes(protocol: Protocol) -> None:
    # facts CL-01 (L177); cups end so too, after the oil (part 3)
    techniques = [phase.technique for phase in in_order(protocol)]
    assert techniques[0] == ("preparing" if protocol.id == "oc-cupping-back" else "stroking")
    assert techniques[-1] == "stroking"
    assert protocol.rules.last == "stroking"


@of(KNEADING)
def test_kneading_takes_more_than_half(protocol: Protocol) -> None:
    assert [(s.technique, s.more_than) for s in protocol.rules.share] == [("kneading", 0.5)]


@of({"oc-classic-full", "oc-classic-collar"})
def test_the_classical_techniques_come_in_their_order(protocol: Protocol) -> None:
    # facts CL-01 and C46: kneading, then light vibration or patting, then closing strokes
    order = [phase.technique for phase in in_order(protocol)]
    once = [a for a, b in pairwise([*order, ""]) if a != b]
    shake = "vibration" if protocol.id == "oc-classic-full" else "patting"
    assert once == ["stroking", "trituration", "squeezing", "kneading", shake, "stroking"]


def test_cups_stay_within_seven_minutes_and_off_the_neck() -> None:
    # facts C03 (420 s), C05, C06, CU-09, U-12
    protocol = PROTOCOLS["oc-cupping-back"]
    (cap,) = protocol.rules.cap
    assert (cap.tag, cap.seconds, cap.counts_while_paused) == ("cups", 420, True)
    cups = [phase for phase in in_order(protocol) if phase.technique == "cupping"]
    assert [phase.side for phase in cups] == ["right", "left"]
    for phase in cups:
        assert phase.tags == ("cups",)
        assert (phase.area, phase.arrow) == ("whole-back", "up")
        assert any("spine" in place for place in phase.avoid)
        assert any("Neck" in place for place in phase.avoid)
    assert sum(phase.seconds.usual for phase in cups) == 300
    assert sum(phase.seconds.max for phase in cups) == 420
    assert set(protocol.screening) >= CUP_QUESTIONS


@each
def test_only_the_cupping_file_uses_cups(protocol: Protocol) -> None:
    used = {phase.technique for phase in protocol.all_phases()}
    assert ("cupping" in used) == (protocol.id == "oc-cupping-back")


def test_diabetic_legs_are_touched_lightly_slowly_and_in_order() -> None:
    # facts DM-16, DM-20, C32, C36; the order is that of R06
    protocol = PROTOCOLS["dm-legs-feet"]
    phases = list(protocol.all_phases())
    assert max(phase.pressure for phase in phases) <= 2
    assert max(phase.tempo or 0 for phase in phases) <= 30
    assert {phase.technique for phase in phases} <= {
        "stroking",
        "trituration",
        "kneading",
        "vibration",
    }
    areas = [phase.area for phase in phases]
    assert [a for a, b in pairwise([*areas, ""]) if a != b] == [
        *("lower-leg", "calf", "knee", "thigh", "toes", "foot-top", "sole", "heel"),
        *("calf", "foot-to-knee"),
    ]
    calves = [phase for phase in phases if phase.area == "calf"]
    assert all(any("behind the knee" in place for place in phase.avoid) for phase in calves)
    assert set(protocol.screening) >= DIABETES_QUESTIONS


def test_diabetes_checks_glucose_before_and_after_and_washes_only_by_choice() -> None:
    # facts 2.3, U-05, U-07: wash at most 5 minutes, optional
    protocol = PROTOCOLS["dm-legs-feet"]
    before = {step.id: step for step in protocol.prepare}
    after = {step.id: step for step in protocol.aftercare}
    assert before["glucose"].wait
    assert after["glucose-after"].wait
    assert "4.0 mmol/L (72 mg/dL)" in after["glucose-after"].text
    wash = before["wash"]
    assert wash.optional
    assert wash.seconds
    assert wash.seconds.max == 300
    assert "injection" in " ".join(place for p in protocol.all_phases() for place in p.avoid)
