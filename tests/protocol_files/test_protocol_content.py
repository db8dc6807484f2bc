"""The shipped protocols against facts typed here by hand.

"facts" is the project's collection of clinical facts, "L" a line of the base text, "R" a source
of ``catalogue/sources.json``; the collection itself is not read. A test named ``test_Cnn_...``
holds the files to that row of the collection's list of conflicts (facts 1.12).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from webapp.domain.glucose import PLAUSIBLE, Band, Reading, Unit, band_of
from webapp.domain.plan import unroll
from webapp.domain.protocol import Phase, Protocol, SideGroup, Step
from webapp.domain.screening import READING_COUNTS_MS, Answers, has_diabetes, questions_for
from webapp.protocol_files.loader import load
from webapp.settings import shipped

SHIPPED = shipped("protocols")
LIBRARY = load(SHIPPED, SHIPPED)
CATALOGUE = LIBRARY.catalogue
PROTOCOLS = {name: entry.protocol for name, entry in LIBRARY.entries.items()}
BACK_REST = (1800, 1800, 1800)  # base L252


@dataclass(frozen=True)
class Row:
    """What the facts say about one protocol.

    ``access``: facts 1.1, GREEN is open, AMBER clearance, PRO and INFO professional, BLOCK
    withheld. ``session`` and ``rest``: part 3, seconds at least, as usual, at most; without
    optional points, and with holds of at most 120 s (corrections 1, 2, 8). ``course``: sessions
    usual and at most, hours between. ``kneading``: more than half (CL-02). ``caps``: seconds by
    tag.
    """

    access: str
    session: tuple[int, int, int] = (0, 0, 0)
    course: tuple[int, int, int] = (0, 0, 0)
    rest: tuple[int, int, int] | None = None
    kneading: bool = False
    caps: tuple[tuple[str, int], ...] = ()
    first: str = "stroking"
    last: str = "stroking"


def each_capped(seconds: int, *tags: str) -> tuple[tuple[str, int], ...]:
    return tuple((tag, seconds) for tag in tags)


def both_sides(*names: str) -> list[str]:
    return [f"{name}-{side}" for name in names for side in ("left", "right")]


SIX_POINTS = [f"point-{n}" for n in range(1, 7)]
LEG_POINTS = both_sides("st36", "sp6", "ki3", "lr3")
DISTANT_POINTS = both_sides("hand", "forearm", "upper-back")

FACTS = {
    "dm-general-gentle": Row("clearance", (540, 825, 1080), (10, 20, 48), (900, 1800, 1800)),
    "dm-legs-feet": Row("clearance", (600, 900, 1200), (10, 20, 48), (900, 1800, 1800)),
    "dm2-acupressure": Row(
        *("clearance", (320, 870, 1230), (10, 20, 48), (600, 900, 1800)),
        caps=each_capped(180, *LEG_POINTS),
        first="settling",
    ),
    "honey-neck": Row("withheld"),
    "neck-front-self": Row("withheld"),
    "oc-ap-distant": Row(
        *("clearance", (180, 360, 660), (10, 45, 48), BACK_REST),
        caps=each_capped(120, *DISTANT_POINTS),
        first="settling",
    ),
    "oc-ap-ear": Row(
        *("clearance", (60, 240, 360), (10, 45, 48)),
        caps=each_capped(180, "left-ear", "right-ear"),
    ),
    "oc-ap-sedating": Row(
        *("clearance", (360, 520, 720), (10, 45, 48), BACK_REST),
        caps=each_capped(120, *SIX_POINTS),
    ),
    "oc-ap-toning": Row(
        *("clearance", (120, 240, 240), (10, 45, 48), BACK_REST),
        caps=each_capped(30, *SIX_POINTS),
    ),
    "oc-cervical-4step": Row("clearance", (520, 780, 1110), (10, 15, 48), BACK_REST, kneading=True),
    "oc-classic-collar": Row("clearance", (420, 900, 1200), (10, 15, 48), BACK_REST, kneading=True),
    "oc-classic-full": Row("open", (1200, 1200, 1800), (10, 15, 48), BACK_REST, kneading=True),
    "oc-classic-lumbar": Row("open", (420, 720, 1200), (10, 15, 48), BACK_REST, kneading=True),
    "oc-classic-thoracic": Row("open", (600, 900, 1200), (10, 15, 48), BACK_REST, kneading=True),
    "oc-cupping-back": Row(
        *("clearance", (360, 480, 720), (5, 5, 72), BACK_REST),
        caps=(("cups", 420),),
        first="preparing",
    ),
    "oc-honey-back": Row(
        *("clearance", (270, 420, 600), (5, 8, 48), (600, 600, 900)),
        caps=(("honey", 600),),
    ),
    "oc-massager": Row("clearance", (300, 600, 900), (10, 10, 48), caps=(("device", 900),)),
    "oc-self-4step": Row("open", (230, 360, 690), (10, 10, 48), kneading=True),
    "oc-self-nape": Row("open", (400, 600, 825), (10, 10, 48)),
    "oc-stone": Row("professional", (600, 900, 1200), (10, 10, 48), BACK_REST),
    "oc-thai": Row("professional", (3600, 3600, 5400), (10, 10, 48), BACK_REST),
    "oc-vacuum": Row("professional", (240, 360, 570), (5, 5, 72), BACK_REST, caps=(("cups", 420),)),
}
# facts correction 3, with 2.4 (neck) and 2.5 (neck red flags)
NECK_QUESTIONS = {
    *("neck-sudden", "neck-face", "neck-dizzy", "neck-limbs", "back-signs", "neck-vessels"),
    *("accident", "blood-pressure", "joint-inflammation"),
}
# facts 2.3, 2.4 and correction 5; the reading itself is asked by the code
DIABETES_QUESTIONS = {
    *("diabetes-type", "glucose-medicine", "last-insulin", "sglt2"),
    *("hypo-now", "hypo-severe", "hypo-unaware", "diabetes-unsteady", "insulin-sites"),
    *("foot-wound", "foot-hot", "foot-cold", "leg-arteries", "feet-numb", "foot-shape"),
    *("leg-clot", "clot-known", "varicose-veins", "eye-bleed", "kidney-failure"),
}
# facts 2.4 and correction 4: asked of everybody
ALL_QUESTIONS = {
    *("chest-breath", "kidney-failure", "alcohol", "last-meal"),
    *("under-18", "unwell", "fever", "flare", "new-weakness", "leg-clot", "clot-known"),
    *(
        "blood-thinners",
        "heart",
        "blood-pressure",
        "platelets",
        "leg-arteries",
        "aneurysm",
        "lymph",
        "lungs",
        "tumour",
        "deep-infection",
    ),
    *("weak-bones", "surgery", "nervous-system", "mental-flare", "pregnancy", "skin"),
}
# facts 1.8 and U-12, correction 6
CUP_QUESTIONS = {"diabetes", "cups-marks", "cups-moles", "cups-device", "blood-thinners"}
# facts U-13, with asthma asked on its own
HONEY_QUESTIONS = {"honey-allergy", "lungs", "diabetes", "honey-patch"}
# facts U-22
STONE_QUESTIONS = {"diabetes", "stones-nerves", "numb-place", "stones-cold"}
NECK_AREAS = {"nape", "nape-shoulders", "nape-side", "collar", "back-of-head"}
LEG_AREAS = {"lower-leg", "calf", "knee", "thigh", "thigh-back", "leg-back", "foot-to-knee"}
FOOT_AREAS = {"toes", "foot-top", "sole", "heel", "inner-ankle"}
CLAIMS = re.compile(
    r"\bcur(e|es|ed|ing)\b|\bheal(s|ed|ing)?\b|regenerat|\breplac(e|es|ing)\b|detox|for ever"
    r"|miracle|no side effects"
    r"|instead of (your )?(medicine|insulin|pills)|addict|immun|toxin|energy flow"
    r"|prevents",
    re.IGNORECASE,
)
FORWARD = re.compile(
    r"throat|front of the neck|in front of the ear|collarbone|jaw ?line|thyroid|carotid|chin\b"
    r"|cheek|sternocleido",
    re.IGNORECASE,
)
BELLY = re.compile(r"abdom|belly|stomach\b|navel", re.IGNORECASE)
NIGHT = re.compile(r"overnight|all night|while (you )?sleep|fall asleep with", re.IGNORECASE)
FIRE = re.compile(r"flame|\bfire\b|lighter fluid|candle|burning cotton", re.IGNORECASE)
OINTMENT = re.compile(r"finalgon|capsicam|viprosal|apizartron|ointment|bee-venom", re.IGNORECASE)
# facts U-16; SP6 is the one point that stays, marked (part 3)
PREGNANCY_POINTS = re.compile(r"\b(LI ?4|GB ?21|BL ?60)\b")

RUN = {name: protocol for name, protocol in PROTOCOLS.items() if protocol.access != "withheld"}
NECKS = {
    *("oc-classic-full", "oc-classic-collar", "oc-cervical-4step"),
    *("oc-self-nape", "oc-self-4step"),
}
DIABETES = {"dm-legs-feet", "dm-general-gentle", "dm2-acupressure"}
SPINE = {name for name in FACTS if name.startswith("oc-")}
CLASSICAL = {f"oc-classic-{zone}" for zone in ("full", "collar", "thoracic", "lumbar")}
SUCTION = {"oc-cupping-back", "oc-vacuum"}
# every phase of these has all its texts
WHOLE = {
    *("dm-legs-feet", "oc-classic-full", "oc-classic-collar"),
    *("oc-self-nape", "oc-self-4step", "oc-cupping-back"),
}
BACK_POINTS = {"oc-ap-sedating", "oc-ap-toning", "oc-ap-distant"}
SPINE_POINTS = {*BACK_POINTS, "oc-ap-ear"}

every_file = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))
each = pytest.mark.parametrize("protocol", RUN.values(), ids=list(RUN))


def of(names: set[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "protocol", [PROTOCOLS[n] for n in sorted(names & set(PROTOCOLS))], ids=str_id
    )


def str_id(protocol: Protocol) -> str:
    return protocol.id


def row(protocol: Protocol) -> Row:
    if protocol.id not in FACTS:
        pytest.fail(f"{protocol.id} has no row in FACTS: add one from part 3 of the facts")
    return FACTS[protocol.id]


def touches_neck(protocol: Protocol) -> bool:
    return any(
        CATALOGUE.areas[phase.area].region in ("neck", "collar-zone")
        for phase in protocol.all_phases()
    )


def in_order(protocol: Protocol) -> Iterator[Phase]:
    """Every phase as often as it is done: a group once for each side."""
    yield from (item for item, _ in unroll(protocol) if isinstance(item, Phase))


def always(protocol: Protocol) -> list[Phase]:
    return [phase for phase in in_order(protocol) if not phase.optional]


def points(protocol: Protocol) -> list[Phase]:
    return [phase for phase in in_order(protocol) if phase.technique == "point-pressure"]


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


def told(phase: Phase) -> list[str]:
    """What a phase tells to do, without what it tells to leave alone."""
    return [
        *(phase.title, phase.direction or "", *phase.instructions),
        *(cue.say for cue in phase.cues),
    ]


def done(protocol: Protocol) -> list[str]:
    """Everything a file tells to do: phases, preparation, aftercare, things to have."""
    steps = [*protocol.prepare, *protocol.aftercare]
    return [
        *(text for phase in protocol.all_phases() for text in told(phase)),
        *(text for step in steps for text in (step.title, step.text)),
        *protocol.needs,
    ]


def step(protocol: Protocol, name: str) -> Step:
    (found,) = [s for s in (*protocol.prepare, *protocol.aftercare) if s.id == name]
    return found


def usual(found: Step) -> int:
    assert found.seconds, found.id
    return found.seconds.usual


def question(name: str) -> str:
    return CATALOGUE.questions[name].text


def asked(protocol: Protocol) -> set[str]:
    """The ids of everything that is asked before a start."""
    return {found.id for found in questions_for(CATALOGUE, protocol)}


def levels(name: str) -> set[str]:
    """What the unsafe answers to a question lead to, in any protocol."""
    return {outcome.level for outcome in CATALOGUE.questions[name].every_outcome()}


def test_every_shipped_file_loads_and_has_its_row_here() -> None:
    assert LIBRARY.bad_files == []
    files = {path.stem for path in SHIPPED.glob("*.json")}
    assert files - set(FACTS) == set(), "add a row to FACTS for these files"
    assert set(FACTS) - files == set(), "these rows have no file"
    assert set(PROTOCOLS) == files
    assert len(RUN) == 20  # facts 1.1: 22 systems, 2 not to ship


@every_file
def test_access_is_as_strict_as_the_facts_say(protocol: Protocol) -> None:
    assert protocol.access == row(protocol).access
    if protocol.access != "clearance":  # there the questions say it; points say more
        assert bool(protocol.reason) == (protocol.access != "open")


@of({"honey-neck", "neck-front-self"})
def test_a_withheld_system_says_why_and_names_what_is_safe_and_has_nothing_to_run(
    protocol: Protocol,
) -> None:
    # facts 1.1 rows 16 and 20, U-01
    assert (protocol.phases, protocol.prepare, protocol.aftercare) == ((), (), ())
    assert protocol.session is None
    assert protocol.course is None
    reason = protocol.reason or ""
    why, found, instead = reason.partition("Do this instead: ")
    assert found
    assert "arter" in why
    named = re.findall(r'"([^"]+)"', instead)
    assert "Self-massage of the nape and shoulders" in named
    assert set(named) <= {other.title for other in RUN.values()}
    assert "emergency number" in protocol.evidence.note


@each
def test_the_session_has_the_bounds_of_the_facts(protocol: Protocol) -> None:
    session = protocol.session
    assert session
    assert (session.min, session.usual, session.max) == row(protocol).session


@each
def test_the_usual_seconds_of_the_phases_add_up_to_the_usual_session(protocol: Protocol) -> None:
    sums = [
        sum(getattr(phase.seconds, bound) for phase in always(protocol))
        for bound in ("min", "usual", "max")
    ]
    spared = {name for entry in protocol.leave_out for name in entry}  # by the shortest plan
    sums[0] -= sum(p.seconds.min for p in always(protocol) if p.id in spared)
    low, middle, high = row(protocol).session
    assert sums[0] <= low
    assert sums[1] == middle
    assert sums[2] >= high


@each
def test_the_course_is_that_of_the_facts(protocol: Protocol) -> None:
    course = protocol.course
    assert course
    assert course.sessions
    found = course.sessions.usual, course.sessions.max, course.gap_hours
    assert found == row(protocol).course


@each
def test_everybody_is_asked_what_speaks_against_any_massage(protocol: Protocol) -> None:
    assert asked(protocol) >= ALL_QUESTIONS
    assert len(asked(protocol)) == len(questions_for(CATALOGUE, protocol))


@each
def test_whatever_touches_the_neck_asks_all_neck_questions(protocol: Protocol) -> None:
    # facts correction 3: by the areas, not by the status word
    assert touches_neck(protocol) == (protocol.id in NECKS)
    if touches_neck(protocol):
        assert asked(protocol) >= NECK_QUESTIONS
        assert "neck" in protocol.regions


def test_the_areas_of_the_neck_are_those_that_the_rules_below_know() -> None:
    regions = {name: area.region for name, area in CATALOGUE.areas.items()}
    assert {n for n, r in regions.items() if r in ("neck", "collar-zone")} == NECK_AREAS
    assert {n for n, r in regions.items() if r in ("legs", "feet")} == LEG_AREAS | FOOT_AREAS


@each
def test_a_spine_is_asked_about_disc_and_physiotherapy(protocol: Protocol) -> None:
    # facts C24, C20 and X-12; 2.4 asks them of everybody
    assert asked(protocol) >= {"disc", "spine-injury", "physiotherapy"}
    if any(CATALOGUE.areas[p.area].region == "back" for p in protocol.all_phases()):
        assert asked(protocol) >= {"back-signs", "hidden-illness", "accident"}


@each
def test_lying_face_down_is_asked_about_bleeding_in_the_eye(protocol: Protocol) -> None:
    # facts 2.4: "retinopathy with recent bleeding (prone)"
    if "face down" in protocol.position.lower():
        assert "eye-bleed" in asked(protocol)


@each
def test_the_regions_are_those_of_the_areas(protocol: Protocol) -> None:
    areas = {CATALOGUE.areas[phase.area].region for phase in protocol.all_phases()}
    assert areas <= set(protocol.regions) <= {a.region for a in CATALOGUE.areas.values()}


def test_the_nape_is_never_pressed_hard_and_its_phases_say_where_to_stop() -> None:
    # facts C22 and U-01; base L285 "minimal force"
    phases = [p for protocol in PROTOCOLS.values() for p in protocol.all_phases()]
    necks = [phase for phase in phases if phase.area in NECK_AREAS]
    assert len(necks) > 25
    for phase in necks:
        assert phase.pressure <= (3 if phase.area == "collar" else 2), phase.id
        assert phase.technique in {"stroking", "trituration", "squeezing", "kneading"}, phase.id
        assert any(FORWARD.search(place) for place in CATALOGUE.kept_off(phase)), phase.id


@every_file
def test_no_claim_that_the_facts_forbid_is_made(protocol: Protocol) -> None:
    # facts 1.12, last paragraph, and U-23
    assert [text for text in words(raw(protocol.id)) if CLAIMS.search(text)] == []
    assert "No clinician has reviewed this page." in protocol.evidence.note
    assert protocol.reviewed is None
    assert protocol.evidence.grade in ("low", "traditional")
    assert set(protocol.evidence.sources) <= set(CATALOGUE.sources)


@every_file
def test_no_belly_no_night_no_flame_no_irritant_ointment(protocol: Protocol) -> None:
    # facts C31, U-15, U-12, U-14
    for phase in protocol.all_phases():
        assert not [text for text in told(phase) if BELLY.search(text)], phase.id
    told_to_do = [*done(protocol), protocol.position, protocol.summary]
    for text in told_to_do:
        assert not NIGHT.search(text), text
        assert not FIRE.search(re.sub(r"no flame", "", text)), text
        assert not OINTMENT.search(re.sub(r"(?i)no (warming or bee-venom )?ointment", "", text)), (
            text
        )
        assert not PREGNANCY_POINTS.search(text), text


def test_no_area_is_the_belly_or_lies_forward() -> None:
    for area in CATALOGUE.areas.values():
        assert not BELLY.search(f"{area.id} {area.name}")
        assert not FORWARD.search(f"{area.id} {area.name}")


@each
def test_instructions_are_short_enough_to_say(protocol: Protocol) -> None:
    lines = [line for phase in protocol.all_phases() for line in phase.instructions]
    assert [line for line in (*lines, *protocol.stop) if len(line) > 60] == []
    assert protocol.stop


@of(WHOLE)
def test_every_phase_has_all_its_texts(protocol: Protocol) -> None:
    for entry in protocol.phases:
        sides = entry.for_sides if isinstance(entry, SideGroup) else ()
        for phase in entry.phases if isinstance(entry, SideGroup) else [entry]:
            assert phase.area in CATALOGUE.areas, phase.id
            assert phase.side or sides == ("left", "right"), phase.id
            assert phase.direction, phase.id
            assert 1 <= phase.pressure <= 5, phase.id
            assert phase.tempo, phase.id
            assert phase.cues, phase.id
            assert phase.origin, phase.id
            assert 1 <= len(phase.instructions) <= 3, phase.id


def test_a_tempo_is_left_out_only_where_the_guide_says_that_nothing_is_counted() -> None:
    guide = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert "left out where nothing is counted: a held point, settling, a trembling hand" in guide
    without = [p for protocol in RUN.values() for p in protocol.all_phases() if p.tempo is None]
    assert without
    for phase in without:
        trembles = phase.technique == "vibration" and "trembles" in phase.instructions[0]
        assert trembles or phase.technique in ("point-pressure", "settling"), phase.id


@each
def test_a_phase_that_does_both_sides_in_turn_says_when_to_change(protocol: Protocol) -> None:
    for phase in protocol.all_phases():
        ways = [phase.cues] + ([phase.light.cues] if phase.light else [])
        for cues in ways if phase.in_turn else ():
            said = [cue.say for cue in cues if cue.at == "half"]
            assert any(re.search(r"(?i)\bother (side|shoulder|leg|arm)\b", s) for s in said), (
                phase.id
            )
        if any(re.search(r"One \w+, then the other|, one \w+, then", s) for s in told(phase)):
            assert phase.in_turn, phase.id


def test_low_back_work_that_spares_the_kidneys_ends_at_the_hip_crests() -> None:
    # the drawn kidneys end at L3: the waist (L2) lies over them, the hip crests (L4) below
    spares = [
        phase
        for protocol in RUN.values()
        for phase in protocol.all_phases()
        if phase.area == "low-back"
        and ("kidneys" in phase.not_here or "Kidneys: only rest or glide" in phase.go_lightly)
    ]
    assert len(spares) == 5
    assert {(phase.from_, phase.to) for phase in spares} == {("dimples", "hip-crests")}


# What the voice needs, a guess on the slow side: 150 words a minute.
WORD_SECONDS = 0.4
TEN_SECONDS = 0.8  # "Ten seconds."


def spoken_seconds(*lines: str) -> float:
    return WORD_SECONDS * sum(len(line.split()) for line in lines)


def spoken(phase: Phase, total: int) -> list[tuple[float, float]]:
    """From when to when the voice speaks in a phase of ``total`` seconds, as in session-voice.js.

    The phase's own lines win over "Ten seconds." where both are due within three seconds.
    """
    technique, area = CATALOGUE.techniques[phase.technique], CATALOGUE.areas[phase.area]
    own = []
    for cue in phase.cues:
        at = total / 2 if cue.at == "half" else cue.at + total * (cue.at < 0)
        own.append((at, spoken_seconds(cue.say)))
    lines = [(0.0, spoken_seconds(technique.name, "left", area.name, phase.instructions[0])), *own]
    ten = total - 10
    if total >= 25 and not any(abs(at - ten) < 3 for at, _ in own):
        lines.append((ten, TEN_SECONDS))
    return sorted((at, at + lasts) for at, lasts in lines)


@each
def test_no_cue_falls_into_another_line_or_the_end_at_any_length(protocol: Protocol) -> None:
    """Each line that the voice begins cuts off the one before; at the end comes the next phase."""
    cut = [
        f"{phase.id} at {total} s: {begins:g} to {ends:g}, then {then:g}"
        for phase in protocol.all_phases()
        for total in range(phase.seconds.min, phase.seconds.max + 1, 5)
        for (begins, ends), (then, _) in pairwise([*spoken(phase, total), (total, total)])
        if ends > then
    ]
    assert cut == []


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
    file = raw(protocol.id)
    del file["course"]
    found = re.findall(r'"(?:min|usual|max|seconds|at)": (-?\d+)', json.dumps(file))
    assert len(found) > 15
    assert [n for n in found if int(n) % 5] == []
    assert min(phase.seconds.min for phase in protocol.all_phases()) >= 15  # correction 1 and 8


@each
def test_rest_follows_as_long_as_the_facts_say(protocol: Protocol) -> None:
    rests = [s for s in protocol.aftercare if s.id == "rest"]
    wanted = row(protocol).rest
    assert bool(rests) == bool(wanted)
    for rest in rests:
        assert rest.seconds
        assert (rest.seconds.min, rest.seconds.usual, rest.seconds.max) == wanted
        assert "base L252" in rest.origin


@each
def test_the_session_starts_and_ends_as_the_facts_say(protocol: Protocol) -> None:
    # facts CL-01 (L177); part 3 for cups (the oil first) and points (settling first)
    techniques = [phase.technique for phase in in_order(protocol)]
    assert techniques[0] == row(protocol).first
    assert techniques[-1] == row(protocol).last
    assert protocol.rules.last == row(protocol).last
    if protocol.id != "oc-cupping-back":
        assert protocol.rules.first == row(protocol).first


@each
def test_kneading_takes_more_than_half_where_the_facts_say(protocol: Protocol) -> None:
    # facts CL-02 (L181), correction 7 for the neck in four steps
    wanted = [("kneading", 0.5)] if row(protocol).kneading else []
    assert [(s.technique, s.more_than) for s in protocol.rules.share] == wanted
    for bound in ("min", "usual", "max") if wanted else ():
        parts = [(p.technique, getattr(p.seconds, bound)) for p in always(protocol)]
        kneading = sum(seconds for technique, seconds in parts if technique == "kneading")
        assert kneading > sum(seconds for _, seconds in parts) / 2, bound


@each
def test_the_caps_of_the_facts_are_rules(protocol: Protocol) -> None:
    # facts part 3, "the app must re-check"; C03, C10, C15, C16, C40
    caps = {cap.tag: cap.seconds for cap in protocol.rules.cap}
    assert dict(row(protocol).caps).items() <= caps.items()
    for cap in protocol.rules.cap:
        assert cap.counts_while_paused == (cap.tag == "cups")  # correction 6


@each
def test_a_cap_covers_every_phase_of_its_technique(protocol: Protocol) -> None:
    tags = {"cupping": "cups", "vacuum": "cups", "honey": "honey", "device": "device"}
    for phase in in_order(protocol):
        if phase.technique in tags:
            assert tags[phase.technique] in phase.tags, phase.id
        if phase.technique == "point-pressure":
            assert set(phase.tags) & {cap.tag for cap in protocol.rules.cap}, phase.id
    if protocol.id == "oc-honey-back":  # hands-on time, spreading and damp strokes included
        assert all(phase.tags == ("honey",) for phase in protocol.all_phases())


@each
def test_only_their_own_files_use_cups_suction_honey_stones_device_and_stretches(
    protocol: Protocol,
) -> None:
    home = {
        "cupping": "oc-cupping-back",
        "vacuum": "oc-vacuum",
        "honey": "oc-honey-back",
        "warm-stones": "oc-stone",
        "cool-stones": "oc-stone",
        "device": "oc-massager",
        "stretching": "oc-thai",
        "palm-pressure": "oc-thai",
    }
    used = {phase.technique for phase in protocol.all_phases()}
    for technique, name in home.items():
        assert (technique in used) == (protocol.id == name), technique


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("oc-cupping-back", CUP_QUESTIONS),
        ("oc-vacuum", CUP_QUESTIONS),
        ("oc-honey-back", {*HONEY_QUESTIONS, "skin", "lungs", "heart"}),
        ("oc-stone", {*STONE_QUESTIONS, "leg-arteries"}),
        ("oc-massager", {"implant-device", "numb-place"}),
        ("oc-ap-ear", {"ear-sore"}),
        ("oc-thai", {"joint-replacement", "leg-arteries", "foot-wound", "varicose-veins"}),
    ],
)
def test_what_is_laid_on_the_skin_brings_its_own_questions(name: str, wanted: set[str]) -> None:
    # facts U-12, U-13, U-22, R40
    assert asked(PROTOCOLS[name]) >= wanted


@each
def test_what_only_therapists_do_asks_whether_the_hands_are_trained(protocol: Protocol) -> None:
    # facts, status words: PRO and INFO run once a trained person has confirmed; CE-01 and C22
    trained_hands = protocol.performer == ("therapist",)
    assert ("trained" in asked(protocol)) == trained_hands
    assert trained_hands or protocol.access != "professional"


def test_every_tag_that_an_answer_leaves_out_is_carried_by_phases() -> None:
    # a tag with a slip of the pen would leave nothing out
    named = {
        tag
        for found in CATALOGUE.questions.values()
        for outcome in found.every_outcome()
        for tag in outcome.leave_out
    }
    carried = {tag for p in RUN.values() for phase in p.all_phases() for tag in phase.tags}
    assert named == {"pregnancy-point", "foot-point"}
    assert named <= carried


def test_what_no_word_of_a_clinician_clears_is_closed() -> None:
    # facts correction 4
    for name in ("under-18", "clot-known", "neck-vessels", "foot-wound", "chest-breath"):
        assert CATALOGUE.questions[name].never_cleared, name
        assert levels(name) <= {"not-today", "help"}, name
    assert CATALOGUE.questions["diabetes"].never_cleared
    assert CATALOGUE.questions["diabetes"].options[1].outcomes[0].level == "not-today"
    for found in CATALOGUE.questions.values():
        if found.group == "signs" and not found.decided:
            old = {"clinician"} if found.follows else set()
            assert levels(found.id) == {"help"} | old, found.id
            assert found.never_cleared != bool(found.follows), found.id
    for name, when in (
        ("aneurysm", {"neck", "collar-zone"}),
        ("blood-thinners", {"cupping", "vacuum"}),
    ):
        first = CATALOGUE.questions[name].outcomes[0]
        assert first.level == "not-today", name
        assert when <= {*first.when.regions, *first.when.techniques}, name


@of(SUCTION)
def test_suction_is_one_side_at_a_time_and_spares_spine_neck_and_moles(protocol: Protocol) -> None:
    # facts CU-09, CU-10, U-12
    cups = [phase for phase in in_order(protocol) if "cups" in phase.tags]
    assert [phase.side for phase in cups] == ["right", "left"]
    for phase in cups:
        assert phase.area == "whole-back"
        for place in ("2-3 cm", "whole neck", "Moles"):
            assert any(place in text for text in CATALOGUE.kept_off(phase)), (phase.id, place)
        assert any("off" in cue.say for cue in phase.cues if cue.at == -10)


@of(DIABETES)
def test_diabetes_is_touched_lightly_and_slowly(protocol: Protocol) -> None:
    # facts DM-16, DM-20, C32, C36
    phases = list(protocol.all_phases())
    assert max(phase.pressure for phase in phases) <= 2
    for phase in phases:  # a hand that rocks goes side to side as slowly as its technique may
        rocks = phase.technique == "vibration"
        slowest = CATALOGUE.techniques["vibration"].tempo
        assert slowest
        assert (phase.tempo or 0) <= (slowest.min if rocks else 30), phase.id
    assert {phase.technique for phase in phases} <= {
        *("stroking", "trituration", "kneading", "vibration", "point-pressure", "settling"),
    }
    for phase in phases:
        if phase.area in ("calf", "leg-back", "thigh-back", "foot-to-knee"):
            assert any("behind the knee" in place for place in CATALOGUE.kept_off(phase)), phase.id
    assert asked(protocol) >= DIABETES_QUESTIONS
    assert has_diabetes(protocol, Answers(given={"diabetes": "no"}))


def test_legs_and_feet_come_in_their_order() -> None:
    phases = PROTOCOLS["dm-legs-feet"].all_phases()  # the order is that of R06
    areas = [phase.area for phase in phases]
    assert [a for a, b in pairwise([*areas, ""]) if a != b] == [
        *("lower-leg", "calf", "knee", "thigh", "toes", "foot-top", "sole", "heel"),
        *("calf", "foot-to-knee"),
    ]


@of(DIABETES)
def test_diabetes_checks_glucose_before_and_after(protocol: Protocol) -> None:
    # facts 2.3, U-05, correction 5
    before, after = step(protocol, "glucose"), step(protocol, "glucose-after")
    assert before.wait
    assert after.wait
    assert "15 minutes" in before.text
    assert "5.6 and 13.9 mmol/L (100 to 250 mg/dL)" in before.text
    assert "4.0 mmol/L (72 mg/dL)" in after.text
    assert "one to two hours and before bed" in step(protocol, "check-again").text
    assert any("Fast sugar" in need for need in protocol.needs)
    assert any("treat it as a low" in line for line in protocol.stop)
    avoided = " ".join(place for p in protocol.all_phases() for place in CATALOGUE.kept_off(p))
    texts = avoided + " ".join(s.text for s in protocol.prepare)
    assert "hand's width" in texts
    assert "injection" in texts or "insulin goes in" in texts


@pytest.mark.parametrize(
    ("band", "mg", "mmol"),
    [
        ("severe-low", ("20", "53"), ("1.1", "2.9")),
        ("low", ("54", "71"), ("3.0", "3.9")),
        ("borderline", ("72", "99"), ("4.0", "5.5")),
        ("go", ("100", "250"), ("5.6", "13.9")),
        ("high", ("251", "300"), ("14.0", "16.7")),
        ("very-high", ("301", "600"), ("16.8", "33.3")),
    ],
)
def test_the_bands_of_glucose_are_those_of_the_facts(
    band: Band, mg: tuple[str, str], mmol: tuple[str, str]
) -> None:
    # facts 2.3: the first and the last reading of each band that a meter can show
    units: dict[Unit, tuple[str, str]] = {"mg/dL": mg, "mmol/L": mmol}
    for unit, (least, most) in units.items():
        for value in (least, most):
            reading = Reading(shown="number", value=Decimal(value), unit=unit)
            assert band_of(reading) == band, (value, unit)
        if band in ("severe-low", "very-high"):
            assert Decimal(least if band == "severe-low" else most) in PLAUSIBLE[unit]


@pytest.mark.parametrize(
    ("value", "unit", "band"),
    [
        ("5.55", "mmol/L", "borderline"),
        ("13.95", "mmol/L", "high"),
        ("3.95", "mmol/L", "low"),
        ("2.95", "mmol/L", "severe-low"),
        ("16.75", "mmol/L", "very-high"),
        ("99.5", "mg/dL", "borderline"),
        ("250.5", "mg/dL", "high"),
    ],
)
def test_between_two_bands_the_stricter_one_holds(value: str, unit: Unit, band: Band) -> None:
    # facts correction 5
    assert band_of(Reading(shown="number", value=Decimal(value), unit=unit)) == band


def test_a_reading_counts_for_fifteen_minutes() -> None:
    # facts correction 5
    assert READING_COUNTS_MS == 15 * 60 * 1000


# --- the conflicts of the base text, facts 1.12 -----------------------------------------------


def test_C01_a_whole_back_takes_twenty_to_thirty_minutes_one_zone_seven_to_twenty() -> None:
    for name in {*CLASSICAL, "oc-cervical-4step"}:
        low, middle, high = row(PROTOCOLS[name]).session
        assert (low, high) == (1200, 1800) if name == "oc-classic-full" else (low >= 420)
        assert name == "oc-classic-full" or (middle <= 900 and high <= 1200)
        assert "first three sessions keep to the shortest time" in PROTOCOLS[name].summary, name


def test_C02_time_rules_and_the_passes_are_shown_and_said() -> None:
    collar = PROTOCOLS["oc-classic-collar"]
    assert collar.rules.share
    for phase in collar.all_phases():
        assert phase.passes, phase.id
        assert (phase.passes.least, phase.passes.most) == (4, 5), phase.id
        assert "base L503" in phase.origin, phase.id


@of(SUCTION)
def test_C03_cups_stay_on_for_seven_minutes_at_most_and_five_as_usual(protocol: Protocol) -> None:
    (cap,) = protocol.rules.cap
    assert (cap.tag, cap.seconds, cap.counts_while_paused) == ("cups", 420, True)
    cups = [phase.seconds for phase in in_order(protocol) if "cups" in phase.tags]
    assert sum(seconds.max for seconds in cups) <= 420
    assert sum(seconds.usual for seconds in cups) <= 300


@of(SUCTION)
def test_C04_cups_wait_three_days_and_for_the_marks(protocol: Protocol) -> None:
    assert protocol.course
    assert protocol.course.gap_hours >= 72
    assert "cups-marks" in asked(protocol)
    assert "faded" in step(protocol, "marks").text


@of(SUCTION)
def test_C05_cups_glide_up_the_back_and_never_on_the_neck(protocol: Protocol) -> None:
    for phase in protocol.all_phases():
        assert phase.area not in NECK_AREAS
        assert phase.arrow == "up", phase.id


@of(SUCTION)
def test_C06_cups_ask_the_full_list(protocol: Protocol) -> None:
    assert asked(protocol) >= ALL_QUESTIONS | CUP_QUESTIONS


@of(SUCTION)
def test_C07_no_cups_in_a_flare(protocol: Protocol) -> None:
    assert "flare" in asked(protocol)


@each
def test_C08_adults_only(protocol: Protocol) -> None:
    assert "under-18" in asked(protocol)
    assert "18" in question("under-18")
    assert levels("under-18") == {"not-today"}
    if protocol.id in SUCTION:
        assert "adults only" in protocol.summary


@of({name for name in SPINE if FACTS[name].rest})
def test_C09_half_an_hour_of_rest_in_all(protocol: Protocol) -> None:
    parts = {s.id: usual(s) for s in protocol.aftercare}
    counted = ("cover", "wash", "moisturise", "rest", "rise")
    rest = parts["rest"] if protocol.id != "oc-honey-back" else sum(parts[n] for n in counted)
    assert rest == 1800


def test_C10_honey_is_worked_for_ten_minutes_at_most() -> None:
    honey = PROTOCOLS["oc-honey-back"]
    assert [(cap.tag, cap.seconds) for cap in honey.rules.cap] == [("honey", 600)]
    assert sum(phase.seconds.max for phase in in_order(honey)) <= 600


def test_C11_a_course_of_honey_is_five_every_other_day() -> None:
    course = PROTOCOLS["oc-honey-back"].course
    assert course
    assert course.sessions
    assert (course.sessions.usual, course.gap_hours) == (5, 48)
    assert course.sessions.max <= 8


def test_C12_honey_is_covered_for_fifteen_minutes() -> None:
    assert usual(step(PROTOCOLS["oc-honey-back"], "cover")) == 900


def test_C13_burning_itch_or_rash_ends_the_honey() -> None:
    honey = PROTOCOLS["oc-honey-back"]
    assert any("Wash the honey off" in line for line in honey.stop)
    assert any(re.match("Burning, itch or rash: it ends", line) for line in honey.stop)
    assert any("emergency number" in line for line in honey.stop)


def test_C14_honey_is_called_traditional_with_low_evidence() -> None:
    evidence = PROTOCOLS["oc-honey-back"].evidence
    assert evidence.grade == "traditional"
    assert "low evidence" in evidence.note


@each
def test_C15_no_point_is_held_longer_than_two_minutes(protocol: Protocol) -> None:
    caps = {cap.tag: cap.seconds for cap in protocol.rules.cap}
    for phase in points(protocol):
        assert phase.seconds.max <= 120, phase.id
        assert min(caps[tag] for tag in phase.tags if tag in caps) <= 180, phase.id
    if protocol.id == "oc-ap-sedating":  # 10 s down, 60 s hold, 20 s circles, 10 s off
        assert {phase.seconds.usual for phase in points(protocol)} == {100}
        assert {phase.seconds.min for phase in points(protocol)} == {60}


def test_C16_a_toning_press_lasts_thirty_seconds_at_most() -> None:
    toning = PROTOCOLS["oc-ap-toning"]
    for phase in points(toning):
        assert phase.seconds.max <= 30, phase.id
        assert any("Ten to twenty seconds" in line for line in phase.instructions), phase.id
    assert {cap.seconds for cap in toning.rules.cap} == {30}


@each
def test_C17_three_out_of_ten_at_most_and_never_sharp(protocol: Protocol) -> None:
    assert max(phase.pressure for phase in protocol.all_phases()) <= 3
    said = " ".join([*done(protocol), protocol.summary])
    assert all(int(n) <= 3 for n in re.findall(r"(\d+) out of 10", said))


def test_C18_points_where_it_hurts_and_away_from_it_are_two_files() -> None:
    here, away = PROTOCOLS["oc-ap-sedating"], PROTOCOLS["oc-ap-distant"]
    assert "tender" in step(here, "find-points").text
    assert {phase.area for phase in points(away)} == {"hand", "forearm", "upper-back"}
    assert not any(p.area in NECK_AREAS for p in (*here.all_phases(), *away.all_phases()))


@of(SPINE_POINTS)
def test_C19_no_points_in_a_flare(protocol: Protocol) -> None:
    assert protocol.access == "clearance"
    assert "flare" in asked(protocol)


@of(SPINE)
def test_C20_a_day_between_physiotherapy_and_massage(protocol: Protocol) -> None:
    assert "physiotherapy" in asked(protocol)
    assert "Heat, current or manipulation used to treat you in the last 24 hours" in question(
        "physiotherapy"
    )
    assert "No heat, current or manipulation as a treatment in the last 24 hours" in (
        step(protocol, "meal").text
    )


@of(SPINE_POINTS)
def test_C21_four_points_six_at_most_one_at_a_time(protocol: Protocol) -> None:
    held = points(protocol)
    kept = [phase for phase in held if not phase.optional]
    assert len(kept) == (2 if protocol.id == "oc-ap-ear" else 4)
    assert len(held) <= 6
    assert all(phase.optional for phase in held[len(kept) :]) or protocol.id == "oc-ap-ear"
    assert not [phase.id for phase in held if re.search(r"\bpoints\b", phase.title)]


def test_C22_strong_hands_on_the_neck_are_trained_hands() -> None:
    assert PROTOCOLS["oc-cervical-4step"].performer == ("therapist",)
    for name in NECKS:
        if "self" in PROTOCOLS[name].performer:
            assert max(phase.pressure for phase in PROTOCOLS[name].all_phases()) <= 2, name
    for protocol in RUN.values():
        if protocol.access == "professional":
            assert protocol.performer == ("therapist",), protocol.id


@each
def test_C23_severe_pain_is_no_reason_for_massage(protocol: Protocol) -> None:
    assert "flare" in asked(protocol)
    assert levels("flare") == {"not-today"}
    assert "Strong pain" in question("flare")


@of(SPINE | {"dm-general-gentle"})
def test_C24_a_slipped_disc_is_asked_about(protocol: Protocol) -> None:
    assert "disc" in asked(protocol)
    assert "slipped disc" in question("disc")


def test_C25_tumours_and_tuberculosis_are_asked_about_in_the_wider_words() -> None:
    assert "Cancer or a tumour" in question("tumour")
    assert "Tuberculosis" in question("deep-infection")
    assert levels("tb-active") == {"not-today"}
    assert "active" not in question("deep-infection")


@each
def test_C26_skin_is_asked_about_wherever_hands_go(protocol: Protocol) -> None:
    assert "skin" in asked(protocol)
    assert CATALOGUE.questions["skin"].kind == "place"
    assert "where hands would go" in question("skin")


@of(NECKS)
def test_C27_neck_vessels_and_high_pressure_are_asked_about(protocol: Protocol) -> None:
    assert {"neck-vessels", "blood-pressure", "aneurysm"} <= asked(protocol)


@each
def test_C28_pregnancy_is_asked_about_and_its_point_is_marked(protocol: Protocol) -> None:
    assert "pregnancy" in asked(protocol)
    outcomes = CATALOGUE.questions["pregnancy"].outcomes
    assert [o.leave_out for o in outcomes] == [("pregnancy-point",)] * 2
    assert (outcomes[0].level, outcomes[0].when.postures) == ("not-today", ("face-down",))
    for phase in protocol.all_phases():
        marked = any("regnant" in place for place in CATALOGUE.kept_off(phase))
        assert marked == ("SP6" in phase.title), phase.id
        assert ("pregnancy-point" in phase.tags) == ("SP6" in phase.title), phase.id


@each
def test_C29_limbs_and_back_upward_the_nape_down_and_out(protocol: Protocol) -> None:
    turns = {"circles", "spirals", "zigzag", "still", "across", "outward", None}
    for phase in protocol.all_phases():
        wrong = "up" if phase.area in {*NECK_AREAS, "sole"} else "down"
        if phase.area == "sole":  # from the ball to the heel
            assert (phase.from_, phase.to) == ("ball-of-foot", "back-of-heel")
            assert phase.direction
            assert phase.direction.startswith("toes t")
        assert phase.arrow in turns | {"up", "down"} - {wrong}, phase.id
        if phase.area not in NECK_AREAS | {"sole"}:
            assert "downward" not in (phase.direction or ""), phase.id
            assert not re.search(
                r"knee (down )?to(wards)? (the )?(ankle|foot)", phase.direction or ""
            )


@of(SPINE | {"dm-general-gentle"})
def test_C30_face_down_or_sitting_with_the_forehead_held(protocol: Protocol) -> None:
    position = protocol.position.lower()
    if protocol.id not in ("oc-thai",):  # legs and stretches lie face up
        assert "on the back" not in position
        assert "face up" not in position
    if "face down" in position or protocol.id == "oc-cervical-4step":
        assert "forehead" in position


@of(DIABETES)
def test_C31_never_the_belly_in_diabetes(protocol: Protocol) -> None:
    assert {CATALOGUE.areas[p.area].region for p in protocol.all_phases()} <= {
        *("back", "legs", "feet"),
    }
    assert not any(BELLY.search(text) for p in protocol.all_phases() for text in told(p))


@each
def test_C32_patting_is_light_and_not_on_neck_spine_kidneys_or_in_diabetes(
    protocol: Protocol,
) -> None:
    for phase in protocol.all_phases():
        if phase.technique in ("patting", "vibration"):
            avoided = " ".join(CATALOGUE.kept_off(phase))
            assert phase.pressure <= 2, phase.id
            assert phase.area not in NECK_AREAS, phase.id
            if CATALOGUE.areas[phase.area].region == "back":
                assert "spine" in avoided, phase.id
                assert re.search("[Kk]idneys|below the ribs", avoided), phase.id
        assert phase.technique != "patting" or protocol.id not in DIABETES, phase.id
        assert phase.technique != "patting" or phase.area != "low-back", phase.id


@each
def test_C33_strokes_glide(protocol: Protocol) -> None:
    assert "without pushing" in CATALOGUE.techniques["stroking"].hands
    assert all(p.pressure <= 2 for p in protocol.all_phases() if p.technique == "stroking")


@of(DIABETES)
def test_C34_massage_comes_on_top_of_the_medicine(protocol: Protocol) -> None:
    note = protocol.evidence.note
    assert "does not treat diabetes" in note
    assert re.search(r"medicine( and foot care)?,? (which )?stays? as (it is|they are)", note)


def test_C35_insulin_is_a_gate_and_a_lock_for_points() -> None:
    for name in DIABETES:
        gates = {"last-insulin", "glucose-medicine", "insulin-sites"}
        assert gates <= asked(PROTOCOLS[name]), name
        assert has_diabetes(PROTOCOLS[name], Answers(given={"diabetes": "no"})), name
        locks = [
            option.id
            for option in CATALOGUE.questions["glucose-medicine"].options
            if any(
                outcome.level == "clinician" and CATALOGUE.matches(outcome.when, PROTOCOLS[name])
                for outcome in option.outcomes
            )
        ]
        assert locks == (["insulin"] if name == "dm2-acupressure" else []), name
    assert "clinician has agreed" in step(PROTOCOLS["dm2-acupressure"], "insulin").text


@of(DIABETES | {"oc-thai"})
def test_C36_poor_leg_arteries_and_numb_feet_are_asked_about(protocol: Protocol) -> None:
    assert {"leg-arteries", "feet-numb"} <= asked(protocol)
    assert levels("leg-arteries") == levels("feet-numb") == {"clinician"}
    (numb,) = CATALOGUE.questions["feet-numb"].outcomes
    assert (numb.light, numb.leave_out) == (True, ("foot-point",))
    assert all(p.pressure <= 2 for p in protocol.all_phases() if p.area in LEG_AREAS | FOOT_AREAS)
    for phase in points(protocol):
        assert ("foot-point" in phase.tags) == (phase.area in FOOT_AREAS), phase.id
        if phase.area in FOOT_AREAS:
            assert any("Numb feet" in place for place in CATALOGUE.kept_off(phase)), phase.id


def test_C37_a_short_lukewarm_wash_by_choice() -> None:
    wash = step(PROTOCOLS["dm-legs-feet"], "wash")  # facts U-07
    assert wash.optional
    assert wash.seconds
    assert wash.seconds.max == 300
    assert "32 to 35" in wash.text
    assert "no soaking" in wash.text


def test_C38_warm_never_hot() -> None:
    assert "not hot" in step(PROTOCOLS["oc-honey-back"], "shower").text
    assert "not hot" in step(PROTOCOLS["oc-stone"], "stones").text
    assert "lukewarm" in step(PROTOCOLS["oc-honey-back"], "warm-honey").text


def test_C39_thai_is_for_therapists_without_neck_thrusts_or_elbows() -> None:
    thai = PROTOCOLS["oc-thai"]
    assert (thai.access, thai.performer) == ("professional", ("therapist",))
    assert thai.course
    assert thai.course.most_in_week == 3
    for phase in thai.all_phases():
        if phase.technique == "stretching":
            assert any("No thrust" in place for place in CATALOGUE.kept_off(phase)), phase.id
            assert any("neck" in place for place in CATALOGUE.kept_off(phase)), phase.id
            assert phase.pressure == 1, phase.id
        if phase.technique == "palm-pressure" and "back" in phase.area:
            assert any("No elbows, knees" in place for place in CATALOGUE.kept_off(phase)), phase.id


def test_C40_a_massager_fifteen_minutes_at_most_and_awake() -> None:
    massager = PROTOCOLS["oc-massager"]
    assert massager.session
    assert massager.session.max <= 900
    assert "awake" in massager.title
    assert "Not in bed" in step(massager, "awake").text
    for phase in massager.all_phases():
        assert phase.pressure == 1, phase.id
        if phase.technique == "device":
            assert any("neck" in place for place in CATALOGUE.kept_off(phase)), phase.id
            assert any("spine" in place for place in CATALOGUE.kept_off(phase)), phase.id


@each
def test_C41_a_light_meal_before_and_never_fasting_in_diabetes(protocol: Protocol) -> None:
    meal = step(protocol, "meal")
    assert "within the last four hours, best one and a half to two hours ago" in meal.text
    assert meal.wait
    assert protocol.id not in DIABETES or "never on an empty stomach" in meal.text


@each
def test_C42_nothing_is_done_forward_of_the_ear_line(protocol: Protocol) -> None:
    # facts U-01
    for phase in protocol.all_phases():
        said = [*told(phase), CATALOGUE.areas[phase.area].name]
        if phase.area.startswith("ear"):  # the ear itself; "fingertip in front, thumb behind"
            assert any("front of the neck" in place for place in CATALOGUE.kept_off(phase)), (
                phase.id
            )
        assert not [text for text in said if FORWARD.search(text)], phase.id


def test_C43_pinches_are_soft() -> None:
    (pinches,) = [p for p in PROTOCOLS["oc-self-nape"].all_phases() if "inch" in p.title]
    assert pinches.title == "Soft pinches"
    assert pinches.pressure == 1
    assert not any("crush" in text.lower() for p in RUN.values() for text in done(p))


@each
def test_C44_every_other_day_at_most_ten_sessions_and_six_months(protocol: Protocol) -> None:
    course = protocol.course
    assert course
    assert course.sessions
    assert course.gap_hours >= 48
    assert course.sessions.usual <= 10
    months = course.repeat_after.months if course.repeat_after else None
    if protocol.id in DIABETES:
        assert months == 3  # R07: three or four courses a year
    elif protocol.id in {*CLASSICAL, *SUCTION, "oc-cervical-4step", "oc-honey-back"}:
        assert months == 6  # base L254
    else:
        assert months in (None, 6)


@of(SPINE_POINTS)
def test_C45_points_are_reviewed_after_four_weeks_and_stop_at_three_months(
    protocol: Protocol,
) -> None:
    assert protocol.course
    pause = protocol.course.break_after
    assert pause
    assert (pause.after.months, pause.after.weeks, pause.after.days) == (3, 0, 0)
    assert pause.pause.weeks >= 1
    review = step(protocol, "review").text
    assert "four weeks" in review
    assert "hree months" in review


@of(CLASSICAL)
def test_C46_kneading_then_light_shaking_then_closing_strokes(protocol: Protocol) -> None:
    # facts CL-01
    order = [phase.technique for phase in in_order(protocol)]
    once = [a for a, b in pairwise([*order, ""]) if a != b]
    shake = "vibration" if protocol.id == "oc-classic-full" else "patting"
    assert once == ["stroking", "trituration", "squeezing", "kneading", shake, "stroking"]


def test_every_conflict_of_the_facts_has_its_test() -> None:
    named = {name[5:8] for name in globals() if re.match(r"test_C\d\d_", name)}
    assert named == {f"C{n:02}" for n in range(1, 47)}


ORDER = re.compile(r"\b(other side|first side|second side|next side|now the (left|right))\b", re.I)
SWAPPED = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}


def on_the_other_side(text: str) -> str:
    return re.sub(r"\b([Ll]eft|[Rr]ight)\b", lambda found: SWAPPED[found[1]], text)


@each
def test_where_the_side_is_asked_no_words_depend_on_which_one_comes_first(
    protocol: Protocol,
) -> None:
    # base L250: the side that hurts less comes first, so it may be either
    if not protocol.asks_first_side:
        return
    sides = {item.id: item for item in protocol.all_phases() if item.side in ("left", "right")}
    for phase in sides.values():
        other = sides[on_the_other_side(phase.id.replace("-", " ")).replace(" ", "-")]
        mirrored = tuple(on_the_other_side(line) for line in other.instructions)
        assert phase.instructions == mirrored, phase.id
        assert (phase.seconds, phase.not_here, phase.go_lightly, phase.pressure) == (
            *(other.seconds, other.not_here, other.go_lightly, other.pressure),
        )
    said = [line for phase in protocol.all_phases() for line in told(phase) if not phase.in_turn]
    assert [line for line in said if ORDER.search(line)] == []
    turns = [phase for phase in protocol.all_phases() if phase.in_turn]
    assert turns or sides or any(isinstance(entry, SideGroup) for entry in protocol.phases)
