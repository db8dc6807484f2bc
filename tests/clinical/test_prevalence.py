"""The shares by protocol: right sums, data that fit the rules, and the table in the docs."""

from __future__ import annotations

import pytest

from tests.clinical.prevalence import (
    DOCS,
    Condition,
    data,
    in_docs,
    level_of,
    shares,
    shares_of,
    table,
    unknown_answers,
    with_table,
)
from tests.support.builders import shipped

LIBRARY = shipped()
CATALOGUE = LIBRARY.catalogue
PROTOCOLS = {
    name: entry.protocol
    for name, entry in LIBRARY.entries.items()
    if entry.protocol.session is not None and entry.protocol.phases
}


def test_the_table_in_the_docs_is_what_the_rules_give() -> None:
    assert in_docs(DOCS.read_text(encoding="utf-8")) == table(), (
        "python -m tests.clinical.prevalence --write"
    )


def test_the_shares_of_two_conditions_are_those_of_a_hand_count() -> None:
    alone, together = shares([("clinician", 0.5), ("not-today", 0.2), ("changes", 0.5)], "clear")
    # Independent: 0.8 are not refused, 0.8 x 0.5 see no clinician, half of these no change.
    assert alone == pytest.approx(
        {"cleared": 0.2, "with changes": 0.2, "a clinician first": 0.4, "refused": 0.2}
    )
    # All in the same people: half have something; of them 0.2 are refused.
    assert together == pytest.approx(
        {"cleared": 0.5, "with changes": 0.0, "a clinician first": 0.3, "refused": 0.2}
    )


def test_what_everybody_gets_is_a_floor() -> None:
    alone, together = shares([("clinician", 0.1)], "changes")
    assert alone == together
    assert alone == pytest.approx(
        {"cleared": 0, "with changes": 0.9, "a clinician first": 0.1, "refused": 0}
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_shares_of_a_protocol_make_a_whole(name: str) -> None:
    for part in shares_of(CATALOGUE, PROTOCOLS[name]):
        assert sum(part.values()) == pytest.approx(1)
        assert min(part.values()) > -1e-9


def test_the_data_name_only_questions_and_answers_that_there_are() -> None:
    assert unknown_answers(CATALOGUE, data()) == []
    wrong = (
        data()
        .conditions[0]
        .model_copy(update={"id": "one", "given": {"no-such": "yes", "diabetes-type": "type-9"}})
    )
    assert unknown_answers(CATALOGUE, data().model_copy(update={"conditions": (wrong,)})) == [
        "one: there is no question no-such",
        "one: diabetes-type has no answer type-9",
    ]


@pytest.mark.parametrize("condition", data().conditions, ids=lambda one: one.id)
def test_each_condition_changes_a_verdict_somewhere(condition: Condition) -> None:
    healthy = data().healthy
    assert any(
        level_of(CATALOGUE, protocol, healthy, condition)
        != level_of(CATALOGUE, protocol, healthy, None)
        for protocol in PROTOCOLS.values()
    )


def test_data_that_leave_a_question_open_are_refused() -> None:
    wrong = data().healthy.model_copy(update={"given": {"last-meal": "never"}})
    with pytest.raises(ValueError, match="oc-self-nape, healthy: no answer to last-meal"):
        level_of(CATALOGUE, PROTOCOLS["oc-self-nape"], wrong, None)


def test_the_table_goes_between_its_markers_and_nowhere_else() -> None:
    old = "a\n<!-- prevalence: begin -->\nold\n<!-- prevalence: end -->\nb\n"
    new = with_table(old, "new")
    assert in_docs(new) == "new"
    assert (new.startswith("a\n"), new.endswith("\nb\n"), "old" in new) == (True, True, False)
