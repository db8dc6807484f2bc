"""A whole course in Chromium on a clock that is put forward: from the first questions to the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.answers import answer_safely
from tests.browser.conftest import Watch
from tests.browser.moved_clock import MovedSite, moved_site

# A Thursday at 10:00 in Berlin; on the Sunday after it summer time begins.
BEGIN = int(datetime(2026, 3, 26, 9, 0, tzinfo=UTC).timestamp() * 1000)
PROTOCOL = "oc-classic-lumbar"
DAY = 86_400.0

Open = Callable[..., Page]


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[MovedSite]:
    with moved_site(tmp_path, BEGIN) as found:
        yield found


@pytest.fixture
def on(browser: Browser, moved: MovedSite, watch: Watch) -> Iterator[Open]:
    """Open a page of the moved site on a device of its own."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **device: Any) -> Page:
        context = browser.new_context(
            base_url=moved.address, **{"timezone_id": "Europe/Berlin", **device}
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = watch.follow(context.new_page())
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def massaged(page: Page, moved: MovedSite, before: int, after: int, seconds: float) -> None:
    """From the questions to the summary: pain told, hands at work for ``seconds``, ended, told again."""
    answer_safely(page)
    page.locator(f'input[name="before"][value="{before}"]').check()
    page.get_by_role("button", name="Prepare this session").click()
    page.get_by_role("button", name="Start", exact=True).click()
    for _ in range(12):
        if page.locator(".stage-running.stage-hands").count():
            break
        page.get_by_role("button", name="Next", exact=True).click()
        page.wait_for_timeout(150)
    moved.clock.forward(seconds)
    page.reload()
    page.get_by_role("button", name="End", exact=True).click()
    page.wait_for_selector(".stage-text")
    page.get_by_role("link", name="Summary is ready").click()
    page.locator(f"#after-{after}").click()
    expect(page.locator(f"#after-{after}")).to_have_attribute("aria-pressed", "true")


def test_three_sessions_from_the_first_questions_to_chart_and_report(
    on: Open, moved: MovedSite, watch: Watch
) -> None:
    page = on(f"/protocols/{PROTOCOL}")
    page.get_by_role("button", name="Continue to the questions").click()
    massaged(page, moved, 7, 5, 300)
    expect(page.locator("#next")).to_contain_text("1 of 10 sessions")
    expect(page.locator("#next")).to_contain_text("Saturday, 28 March, 10:")
    expect(page.locator(".changes")).to_contain_text("short and gentle")

    page.goto("/today")
    expect(page.locator("main")).to_contain_text("Nothing has to be done today.")
    moved.clock.forward(2 * DAY + 1800)
    page.goto("/today")
    page.get_by_role("link", name="To the questions").first.click()
    massaged(page, moved, 6, 4, 400)
    # 48 hours over the change to summer time end an hour later on the wall
    expect(page.locator("#next")).to_contain_text("Monday, 30 March, 11:")

    moved.clock.forward(DAY)
    page.goto(f"/protocols/{PROTOCOL}/screening")
    answer_safely(page)
    expect(page.locator("#early")).to_contain_text("Why earlier?")
    page.get_by_text("Away on the planned day").click()
    page.locator('input[name="before"][value="4"]').check()
    page.get_by_role("button", name="Prepare this session").click()
    page.get_by_role("button", name="Start", exact=True).click()
    for _ in range(12):
        if page.locator(".stage-running.stage-hands").count():
            break
        page.get_by_role("button", name="Next", exact=True).click()
        page.wait_for_timeout(150)
    moved.clock.forward(100)
    page.reload()
    page.get_by_role("button", name="Pain: stop").click()
    page.get_by_role("link", name="Summary").click()
    page.locator("#after-6").click()
    expect(page.locator("#told")).to_contain_text("More pain than before")

    page.goto("/courses")
    page.get_by_role("link", name="Classical massage").click()
    expect(page.locator(".course-lead")).to_contain_text("3 of 10 sessions")
    assert page.locator("circle.chart-before").count() == 3
    assert page.locator("circle.chart-after").count() == 3
    assert page.locator("rect.chart-bar").count() >= 3
    rows = page.locator(".course-table tbody tr").all_inner_texts()
    assert len(rows) == 3
    assert "away on the planned day" in rows[2]
    assert "stopped: pain" in rows[2]
    page.goto("/history")
    assert page.locator(".history li").count() == 3
    assert watch.errors == []


def test_times_are_shown_where_the_viewer_is(on: Open, moved: MovedSite) -> None:
    page = on(f"/protocols/{PROTOCOL}")
    page.get_by_role("button", name="Continue to the questions").click()
    massaged(page, moved, 3, 2, 60)
    address = page.get_by_role("link", name="1 of 10 sessions").get_attribute("href")
    assert address
    page.goto(address)
    here = page.locator("#next local-time").first.inner_text()
    assert here == "Saturday, 28 March, 10:15"
    far = on(address, timezone_id="America/New_York")
    assert far.locator("#next local-time").first.inner_text() == "Saturday, 28 March, 05:15"
