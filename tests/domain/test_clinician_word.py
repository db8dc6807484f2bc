"""What a kept word covers, and when it ends."""

from __future__ import annotations

from datetime import date

import pytest

from tests.domain.test_screening import answers_of, catalogue, named
from webapp.domain import clinician_word, screening
from webapp.domain.clinician_word import KeptWord
from webapp.domain.screening import Answers, Clinician, Verdict, Word

TODAY = date(2026, 7, 15)
NAPE, FEET, BACK = "oc-self-nape", "dm-legs-feet", "oc-classic-lumbar"


def kept(
    question: str,
    answer: str = "yes",
    on: str = "2026-07-01",
    who: Clinician = "doctor",
    days: int = 183,
) -> KeptWord:
    return KeptWord(question=question, answer=answer, who=who, on=on, told_at=7, days=days)


def judged(name: str, **given: str) -> tuple[Answers, Verdict]:
    answers = answers_of({question.replace("_", "-"): token for question, token in given.items()})
    return answers, screening.screen(catalogue(), named(name), answers)


def word_for(words: list[KeptWord], name: str, **given: str) -> Word | None:
    answers, verdict = judged(name, **given)
    return clinician_word.word_of(words, named(name), answers, verdict, TODAY)


def test_a_kept_word_covers_its_question_in_every_protocol() -> None:
    for name in (NAPE, BACK, FEET):
        assert word_for([kept("heart")], name, heart="yes") == Word(
            who="doctor", on="2026-07-01", at=7
        )


def test_a_word_for_one_question_covers_no_other() -> None:
    assert word_for([kept("heart")], NAPE, lymph="yes") is None
    assert word_for([kept("heart")], NAPE, heart="yes", lymph="yes") is None
    both = [kept("heart"), kept("lymph", on="2026-06-01")]
    first = word_for(both, NAPE, heart="yes", lymph="yes")
    assert first is not None
    assert first.on == "2026-06-01"  # the one that ends first


def test_a_word_for_another_answer_covers_nothing() -> None:
    high = [kept("blood-pressure", "high")]
    assert word_for(high, NAPE, blood_pressure="high")
    assert word_for(high, NAPE, blood_pressure="unsure") is None
    assert word_for([kept("heart", "unsure")], NAPE, heart="yes") is None


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("oc-honey-back", {"heart": "yes"}),  # a method
        (BACK, {"heart": "yes", "pregnancy": "yes"}),  # a position
        (NAPE, {"heart": "yes", "aneurysm": "yes"}),  # an area
        (NAPE, {"heart": "yes", "unwell": "yes"}),
        (NAPE, {"heart": "yes", "chest_breath": "yes"}),
    ],
)
def test_no_kept_word_covers_what_refuses(name: str, given: dict[str, str]) -> None:
    every = [kept(question.replace("_", "-")) for question in given]
    assert word_for(every, name, **given) is None


@pytest.mark.parametrize(
    ("on", "given", "counts"),
    [
        ("2026-01-13", {"heart": "yes"}, True),
        ("2026-01-12", {"heart": "yes"}, False),
        ("2026-04-14", {"heart": "yes", "diabetes": "yes"}, True),
        ("2026-04-13", {"heart": "yes", "diabetes": "yes"}, False),
        ("2026-07-16", {"heart": "yes"}, False),  # the clock was put back
        ("2026-06-14", {"surgery": "yes", "procedure_place": "no"}, True),
        ("2026-06-13", {"surgery": "yes", "procedure_place": "no"}, False),
    ],
)
def test_a_kept_word_ends_by_itself(on: str, given: dict[str, str], *, counts: bool) -> None:
    (question, *_) = given
    assert (word_for([kept(question, on=on)], NAPE, **given) is not None) == counts


def test_a_word_that_was_kept_for_less_ends_sooner() -> None:
    """It was told in pregnancy; the pregnancy is over, and the word still counts three months."""
    assert word_for([kept("heart", on="2026-04-14", days=92)], NAPE, heart="yes")
    assert word_for([kept("heart", on="2026-04-13", days=92)], NAPE, heart="yes") is None
    assert kept("heart", on="2026-04-14", days=92).ends_on == TODAY


def test_a_kept_word_counts_only_in_its_own_field() -> None:
    midwife = [kept("pregnancy", who="midwife")]
    assert word_for(midwife, NAPE, pregnancy="yes")
    assert word_for([*midwife, kept("heart", who="midwife")], NAPE, heart="yes") is None


def test_what_is_kept_of_a_word_is_each_answer_that_asks_for_one() -> None:
    answers, verdict = judged(NAPE, heart="yes", lymph="unsure", platelets="one", surgery="yes")
    word = Word(who="doctor", on="2026-07-01", at=7)
    told = clinician_word.words_to_keep(named(NAPE), answers, verdict, word, {})
    assert {(w.question, w.answer, w.days) for w in told} == {
        ("heart", "yes", 183),
        ("lymph", "unsure", 183),
        ("surgery", "yes", 31),
    }


@pytest.mark.parametrize(
    ("name", "given", "ended"),
    [
        (NAPE, {"heart": "yes"}, {"neck-dizzy-since"}),
        (NAPE, {"heart": "no"}, {"heart", "neck-dizzy-since"}),
        (NAPE, {"heart": "unsure"}, {"heart", "neck-dizzy-since"}),
        (NAPE, {"heart": "yes", "neck_dizzy": "yes", "neck_dizzy_since": "old"}, set()),
        (
            NAPE,
            {"heart": "yes", "neck_dizzy": "no", "neck_dizzy_since": "old"},
            {"neck-dizzy-since"},
        ),
        (BACK, {"heart": "yes"}, set()),  # does not ask of dizziness: nothing is known
        (BACK, {"heart": "no"}, {"heart"}),
    ],
)
def test_a_word_ends_with_the_answer_it_was_for(
    name: str, given: dict[str, str], ended: set[str]
) -> None:
    answers, _ = judged(name, **given)
    words = [kept("heart"), kept("neck-dizzy-since", "old"), kept("feet-numb")]
    assert clinician_word.ended_by(words, catalogue(), named(name), answers) == ended


def ulcer(*places: str) -> Answers:
    given = {"foot-ulcer-before": "yes", "foot-ulcer-place": "yes"}
    return answers_of(given, {"foot-ulcer-place": places})


@pytest.mark.parametrize(
    ("places", "agreed", "who", "out"),
    [
        (("sole:left",), "", "diabetes-team", {"left"}),
        (("sole:left",), "left", "diabetes-team", set()),
        (("sole:left",), "left", "specialist", set()),
        (("sole:left",), "left", "doctor", {"left"}),
        (("sole:left",), "right", "diabetes-team", {"left"}),
        (("sole:left", "heel:right"), "left", "diabetes-team", {"right"}),
        (("sole:left", "heel:right"), "both", "diabetes-team", set()),
    ],
)
def test_a_foot_comes_back_when_its_own_team_agrees(
    places: tuple[str, ...], agreed: str, who: Clinician, out: set[str]
) -> None:
    answers, protocol = ulcer(*places), named(FEET)
    words = [kept("foot-ulcer-place", agreed, who=who)] if agreed else []
    sides = clinician_word.agreed_sides(words, protocol, answers, TODAY)
    verdict = screening.screen(catalogue(), protocol, answers, sides)
    assert {rule.side for rule in verdict.changes.leave_out} == out
    assert verdict.level == "clinician"  # the ulcer itself still asks for a word


def test_an_agreement_ends_as_every_word_does() -> None:
    answers, protocol = ulcer("sole:left"), named(FEET)
    old = [kept("foot-ulcer-place", "left", on="2026-04-13", who="diabetes-team", days=92)]
    assert clinician_word.agreed_sides(old, protocol, answers, TODAY) == {}
    gone = answers_of({"foot-ulcer-before": "no"})
    assert clinician_word.ended_by(old, catalogue(), protocol, gone) == {"foot-ulcer-place"}
    assert clinician_word.ended_by(old, catalogue(), protocol, answers) == set()


def test_nothing_but_the_foot_of_an_ulcer_is_given_back() -> None:
    """A fistula stays untouched, whatever a team has said."""
    fistula = answers_of({"fistula": "yes"}, {"fistula": ("thigh:left",)})
    words = [kept("fistula", "left", who="diabetes-team")]
    sides = clinician_word.agreed_sides(words, named(FEET), fistula, TODAY)
    assert sides == {}
    assert screening.screen(catalogue(), named(FEET), fistula, sides).changes.leave_out


def test_known_answers_say_what_a_protocol_needs() -> None:
    known = answers_of({"heart": "yes", "blood-pressure": "controlled", "lungs": "yes",
                        "lungs-asthma": "other"})  # fmt: skip
    need = clinician_word.needed
    assert need(catalogue(), named(NAPE), known) == {"heart": "yes", "lungs-asthma": "other"}
    assert "blood-pressure" in need(catalogue(), named("oc-thai"), known)
    assert need(catalogue(), named("oc-honey-back"), known) == {"blood-pressure": "controlled"}
    assert need(catalogue(), named(NAPE), Answers(given={})) == {}


def test_what_is_asked_for_is_what_is_needed_or_has_ended() -> None:
    words = [kept("heart", on="2026-01-01"), kept("lymph"), kept("feet-numb"), kept("disc", "no")]
    known = answers_of({"lymph": "yes", "disc": "yes"})
    asked = clinician_word.asked_words(words, catalogue(), named(NAPE), known)
    assert {word.question: word.ended(TODAY) for word in asked} == {
        "heart": True,  # it has run out
        "lymph": False,
        "disc": True,  # the kept word is for another answer
    }
    everything = clinician_word.asked_words(words, catalogue())
    assert {word.question for word in everything} == {"heart", "lymph", "feet-numb", "disc"}


@pytest.mark.parametrize(
    ("places", "side"),
    [
        (("sole:left",), "left"),
        (("sole:left", "heel:left"), "left"),
        (("sole:left", "heel:right"), "both"),
        (("foot-top",), "both"),
    ],
)
def test_which_sides_a_team_is_asked_about(places: tuple[str, ...], side: str) -> None:
    answers = ulcer(*places)
    verdict = screening.screen(catalogue(), named(FEET), answers)
    sides = clinician_word.sides_to_agree(answers, verdict)
    assert sides == {"foot-ulcer-place": side}
    word = Word(who="diabetes-team", on="2026-07-01", at=7)
    told = clinician_word.words_to_keep(named(FEET), answers, verdict, word, sides)
    assert {(w.question, w.answer) for w in told} == {
        ("foot-ulcer-before", "yes"),
        ("foot-ulcer-place", side),
    }
    given = screening.screen(catalogue(), named(FEET), answers, sides)
    assert clinician_word.sides_to_agree(answers, given) == {}
