"""Time of a session that no screen watched."""

from __future__ import annotations

from tests.support.builders import happened, simple_plan
from webapp.domain.session import advance, fold
from webapp.domain.unobserved import Gap, Run, runs, unobserved_ms

PLAN = simple_plan()
EVENTS = happened(
    PLAN, ("start", 0), ("next", 1_000), ("pause", 31_000), ("resume", 50_000), ("back", 90_000)
)


def test_every_stretch_in_which_a_step_ran_is_found() -> None:
    assert runs(PLAN, EVENTS, 100_000) == (
        Run(1, 1_000, 31_000),
        Run(1, 50_000, 80_000),
        Run(2, 80_000, 90_000),
        Run(1, 90_000, 100_000),
    )


def test_stretches_add_up_to_what_the_session_counts_as_done() -> None:
    now = 400_000
    done = [0] * len(PLAN.steps)
    for run in runs(PLAN, EVENTS, now):
        done[run.index] += run.until - run.since
    counted = advance(PLAN, fold(PLAN, EVENTS), now).done
    assert done[1:] == list(counted)[1:], "the first step only waits"


def test_only_what_ran_inside_a_gap_is_unobserved() -> None:
    gaps = [Gap(21_000, 55_000), Gap(85_000, None)]
    assert unobserved_ms(PLAN, EVENTS, gaps, 95_000) == (0, 10_000 + 5_000 + 5_000, 5_000, 0, 0)


def test_without_gaps_everything_was_observed() -> None:
    assert sum(unobserved_ms(PLAN, EVENTS, [], 95_000)) == 0
