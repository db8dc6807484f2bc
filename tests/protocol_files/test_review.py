"""The clinical review: that it is the one of the data, and that nothing is missing from it."""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from tests.support.builders import shipped, shipped_protocol
from webapp.domain.glucose import Band, Reading, Unit, band_of
from webapp.domain.protocol import Review
from webapp.domain.screening import questions_for
from webapp.protocol_files.loader import LibraryEntry
from webapp.protocol_files.review import CONFLICTS, plain, range_text, review_text, sample

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = shipped().catalogue
TEXT = review_text(shipped())
LINES = TEXT.splitlines()
# facts 2.3, typed here by hand
RANGES = {
    "severe-low": ("below 3.0", "below 54"),
    "low": ("3.0 to below 4.0", "54 to below 72"),
    "borderline": ("4.0 to below 5.6", "72 to below 100"),
    "go": ("5.6 to 13.9", "100 to 250"),
    "high": ("above 13.9 to 16.7", "above 250 to 300"),
    "very-high": ("above 16.7", "above 300"),
}


def section(title: str) -> str:
    """From a heading to the next one of its level or above."""
    marks = title.split()[0]
    return re.split(rf"^#{{1,{len(marks)}}} ", TEXT.split(f"\n{title}")[1], flags=re.M)[0]


def version(text: str) -> str:
    return text.split("Version of the content: `")[1].split("`")[0]


def test_the_file_in_docs_is_the_one_of_the_data() -> None:
    on_disk = (ROOT / "docs" / "clinical-review.md").read_text(encoding="utf-8")
    assert on_disk == TEXT, "stale: run make review"


@pytest.mark.parametrize("protocol_id", shipped().entries)
def test_every_protocol_has_a_line_for_each_phase_and_step(protocol_id: str) -> None:
    protocol = shipped_protocol(protocol_id)
    part = section(f"### {plain(protocol.title)} (`{protocol_id}`)")
    for phase in protocol.all_phases():
        times = f"{phase.seconds.min} / {phase.seconds.usual} / {phase.seconds.max} s"
        (line,) = [
            found
            for found in part.splitlines()
            if found.startswith(f"- [ ] Phase: **{plain(phase.title)}.** {times}")
        ]
        assert f"pressure {phase.pressure} of 5" in line
        assert line.endswith(f"Origin: {phase.origin}.")
        assert all(
            plain(text) in line for text in (*phase.instructions, *CATALOGUE.kept_off(phase))
        )
        assert all(plain(cue.say) in line for cue in phase.cues)
    for step in (*protocol.prepare, *protocol.aftercare):
        assert f"**{plain(step.title)}.**" in part
        assert f"{plain(step.text)} Origin: {step.origin}." in part
    for cap in protocol.rules.cap:
        assert f"{cap.seconds} s in all at most" in part
    if protocol.course:
        assert f"at least {protocol.course.gap_hours} hours" in part
        assert f"Origin: {protocol.course.origin}." in part
    if protocol.session:
        assert f"Questions: {len(questions_for(CATALOGUE, protocol))} of" in part
    if protocol.reason:
        assert plain(protocol.reason) in part
    assert plain(protocol.evidence.note) in part


@pytest.mark.parametrize("question_id", CATALOGUE.questions)
def test_every_question_says_who_is_asked_and_what_each_answer_leads_to(question_id: str) -> None:
    question = CATALOGUE.questions[question_id]
    (start,) = [n for n, line in enumerate(LINES) if f"** (`{question_id}`). Asked" in line]
    end = next(n for n in range(start + 1, len(LINES)) if not LINES[n].startswith("  - [ ] "))
    head, below = LINES[start], "\n".join(LINES[start + 1 : end])
    assert head.startswith(f"- [ ] **{plain(question.words)}**")
    assert head.endswith(f"Origin: {question.origin}.")
    assert ("Never cleared" in head) == question.never_cleared
    for outcome in question.every_outcome():
        assert plain(outcome.act) in below
    for option in question.options:
        assert f'"{plain(option.text)}"' in below
    assert "ot sure" in below
    for entry in shipped().entries.values():
        protocol = entry.protocol
        if protocol.startable:
            asked = question in questions_for(CATALOGUE, protocol)
            assert (f"`{protocol.id}`" in head or ": every protocol that" in head) == asked
        else:
            assert f"`{protocol.id}`" not in head


@pytest.mark.parametrize("flag_id", CATALOGUE.red_flags)
def test_every_red_flag_is_named_with_what_to_do(flag_id: str) -> None:
    flag = CATALOGUE.red_flags[flag_id]
    (line,) = [line for line in LINES if f"** (`{flag_id}`). Shown" in line]
    assert plain(flag.sign) in line
    assert plain(flag.act) in line
    assert line.endswith(f"Origin: {flag.origin}.")


def test_every_technique_has_its_limits() -> None:
    part = section("## Limits of the techniques")
    for technique in CATALOGUE.techniques.values():
        assert f"- [ ] **{technique.name}** ({technique.textbook})" in part
        assert all(plain(place) in part for place in technique.never)


def test_the_ranges_of_glucose_are_those_of_the_facts_in_both_units() -> None:
    found = {b: (range_text(b, "mmol/L"), range_text(b, "mg/dL")) for b in get_args(Band)}
    assert found == RANGES
    part = section("## Glucose before and after")
    for mmol, mg in RANGES.values():
        assert part.count(f"{mmol} mmol/L, {mg} mg/dL") == 2, "before and after"
    assert band_of(sample("low")) == "low"
    assert "ketones below 0.6 mmol/L" in part
    assert "Ketones above 3.0" in part
    assert "**help first** (emergency). Ketones are very high" in part


@pytest.mark.parametrize("band", RANGES)
def test_each_number_of_a_range_lies_in_its_band(band: str) -> None:
    units: tuple[Unit, Unit] = ("mmol/L", "mg/dL")
    for unit, text in zip(units, RANGES[band], strict=True):
        little = Decimal("0.1") if unit == "mmol/L" else Decimal(1)
        for word, number in re.findall(r"(below |above )?([\d.]+)", text):
            shift = {"below ": -little, "above ": little}.get(word, Decimal(0))
            reading = Reading(shown="number", value=Decimal(number) + shift, unit=unit)
            assert band_of(reading) == band


def test_every_conflict_is_held_by_a_test_of_its_number() -> None:
    tests = (Path(__file__).parent / "test_protocol_content.py").read_text(encoding="utf-8")
    held = sorted(set(re.findall(r"^def test_(C\d\d)_", tests, flags=re.M)))
    assert [conflict.id for conflict in CONFLICTS] == held
    assert all(f"- [ ] **{c.id} {c.topic}.**" in TEXT for c in CONFLICTS)


def test_all_that_is_to_be_judged_can_be_ticked() -> None:
    free = [
        line
        for line in LINES
        if line.startswith(("- ", "  - ")) and not line.lstrip().startswith("- [ ] ")
    ]
    assert [line.split(":")[0] for line in free] == [
        *("- Name", "- Profession, registration", "- Date", "- Version"),
        *("- Protocols this is about", "- Remarks"),
    ]
    assert "No clinician has reviewed this yet." in TEXT
    assert "How to sign" in TEXT


@pytest.mark.slow
def test_the_version_is_that_of_the_content() -> None:
    assert TEXT.count(version(TEXT)) == 2, "at the top and in the sign-off"
    other = copy.copy(shipped())
    entry = other.entries["oc-self-4step"]
    signed = entry.protocol.model_copy(update={"reviewed": Review(date="2026-01-02", by="A. B.")})
    other.entries = {**other.entries, "oc-self-4step": LibraryEntry(signed, entry.digest)}
    changed = review_text(other)
    assert version(changed) != version(TEXT)
    assert "Reviewed 2026-01-02 by A. B." in changed
