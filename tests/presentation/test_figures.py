"""The time bar: what was done is filled, what was skipped is hollow."""

from __future__ import annotations

from tests.support.builders import Act, happened, shipped, simple_plan
from tests.support.page import Page
from webapp.domain.plan import with_names
from webapp.domain.session import advance, fold
from webapp.presentation.figures import bar


def drawn(now: int, *acts: Act) -> list[tuple[bool, float]]:
    """For each phase whether it is hollow, and the share that is filled."""
    plan = with_names(simple_plan(), shipped().catalogue.techniques, shipped().catalogue.areas)
    page = Page(bar(plan, advance(plan, fold(plan, happened(plan, *acts)), now)))
    hollow = ["segment-left" in e.attrs["class"] for e in page.all("g")]
    widths = [float(e.attrs["width"]) for e in page.all("rect")]
    shares = [round(done / of, 2) for of, done in zip(widths[::2], widths[1::2], strict=True)]
    return list(zip(hollow, shares, strict=True))


def test_a_phase_that_was_skipped_is_hollow_and_never_drawn_as_done() -> None:
    """Seen to fail with every phase that was left filled to its end."""
    start: tuple[Act, ...] = (("start", 0), ("next", 0))
    assert drawn(30_000, *start) == [(False, 0.5), (False, 0), (False, 0)]
    assert drawn(60_000, *start) == [(True, 1), (False, 0), (False, 0)]
    skipped = drawn(20_000, *start, ("next", 15_000), ("next", 15_000))
    assert skipped == [(True, 0.25), (True, 0), (False, 0.08)]
