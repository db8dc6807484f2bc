"""Catalogue, protocol and summary in Chromium, and everything without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.answers import answer_safely
from tests.browser.conftest import Visit, Watch

Prepare = Callable[..., Page]


def test_the_minutes_fit_the_plan_without_a_reload(visit: Visit, watch: Watch) -> None:
    page = visit("/protocols/long")
    loads = len(watch.loads)
    page.get_by_label("I have").fill("4")
    expect(page.locator(".plan-total")).to_contain_text("4 min")
    page.get_by_label("I have").fill("100")
    expect(page.locator(".plan-total")).to_contain_text("9 min")
    expect(page.locator(".plan-note")).to_contain_text("nearest")
    page.get_by_label("I have").fill("0")
    expect(page.get_by_role("alert")).to_contain_text("up to 240")
    assert page.get_by_label("I have").input_value() == "0"
    assert len(watch.loads) == loads
    assert [e for e in watch.errors if "422" not in e] == []


def test_no_page_is_wider_than_a_phone(prepare: Prepare, visit: Visit) -> None:
    phone = {"width": 390, "height": 844}
    pages = [visit("/", viewport=phone), visit("/protocols/long", viewport=phone)]
    pages.append(prepare("short", viewport=phone))
    pages.append(visit("/nothing-here", viewport=phone))
    for page in pages:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


def test_without_javascript_a_session_runs_to_its_end(prepare: Prepare) -> None:
    page = prepare("short", java_script_enabled=False)
    page.get_by_role("button", name="Start", exact=True).click()
    live = page.locator("#session-live")
    expect(live).to_have_attribute("data-status", "running")
    expect(live).to_have_attribute("data-step", "two", timeout=9_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(live).to_have_attribute("data-status", "paused")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(live).to_have_attribute("data-status", "finished", timeout=20_000)


def test_without_javascript_the_minutes_are_fitted_by_a_button(visit: Visit) -> None:
    page = visit("/protocols/long", java_script_enabled=False)
    page.get_by_label("I have").fill("4")
    page.get_by_role("button", name="Fit").click()
    expect(page.locator(".plan-total")).to_contain_text("4 min")
    page.get_by_role("button", name="Continue to the questions").click()
    answer_safely(page)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("timer")).to_have_text("4:00")


def test_a_running_session_is_one_tap_away_on_every_device(prepare: Prepare, visit: Visit) -> None:
    first = prepare("long")
    first.get_by_role("button", name="Start", exact=True).click()
    expect(first.locator("#session-live")).to_have_attribute("data-status", "running")
    other = visit("/")
    other.get_by_role("link", name=re.compile("Test long.*Back to it")).click()
    expect(other.locator("#session-live")).to_have_attribute("data-status", "running")
