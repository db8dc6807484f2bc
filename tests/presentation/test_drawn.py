"""What is made of a plan once and kept."""

from __future__ import annotations

from tests.support.builders import simple_plan
from webapp.domain.plan import Plan
from webapp.presentation.drawn import Drawn


def test_it_is_made_once_for_a_plan_and_a_key() -> None:
    made: list[tuple[Plan, int]] = []

    def make(plan: Plan, key: int) -> str:
        made.append((plan, key))
        return f"{plan.protocol} {key}"

    drawn, plan = Drawn(make, 10), simple_plan()
    found = [drawn.of(plan, key) for key in (1, 1, 2, 1)]
    assert found == [f"{plan.protocol} {key}" for key in (1, 1, 2, 1)]
    assert made == [(plan, 1), (plan, 2)]


def test_an_equal_plan_has_its_own() -> None:
    plan = simple_plan()
    other = plan.model_copy()
    drawn: Drawn[int, int] = Drawn(lambda plan, _key: id(plan), 10)
    assert plan == other
    assert [drawn.of(plan, 0), drawn.of(other, 0)] == [id(plan), id(other)]


def test_what_is_kept_does_not_grow_without_end() -> None:
    drawn: Drawn[int, int] = Drawn(lambda _plan, key: key, 3)
    plan = simple_plan()
    assert [drawn.of(plan, key) for key in range(8)] == list(range(8))
    assert 1 <= len(drawn.kept) <= 3
