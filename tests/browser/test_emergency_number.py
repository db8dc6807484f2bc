"""The emergency number in a browser: where the device is, two taps, without server or script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit

Prepare = Callable[..., Page]


def expect_number(page: Page, number: str) -> None:
    link = page.get_by_role("link", name=f"Call {number}")
    expect(link).to_be_visible()
    expect(link).to_have_attribute("href", f"tel:{number}")


def test_the_verdict_knows_the_zone_from_the_page_with_the_questions(visit: Visit) -> None:
    page = visit("/protocols/short/screening", timezone_id="Pacific/Auckland", locale="en-US")
    page.wait_for_function("document.cookie.includes('zone=Pacific')")
    page.locator("#ask-chest-breath").get_by_text("Yes", exact=True).click()
    page.get_by_role("button", name="See whether it can start").click()
    expect_number(page, "111")


def test_two_taps_put_it_right_without_the_server_and_it_stays(
    prepare: Prepare, server: Server
) -> None:
    page = prepare("long", timezone_id="Europe/Vienna")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#session-live")).to_have_attribute("data-status", "running")
    server.kill()
    page.get_by_role("button", name="Pain: stop").click()
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    page.get_by_text("Set the number for this device").click()
    page.get_by_role("button", name="999", exact=True).click()
    expect_number(page, "999")
    expect(page.get_by_text("999 is kept on this device.")).to_be_visible()
    expect(page.get_by_text("Another number where you are?")).to_be_hidden()
    server.start()
    page.goto(f"{server.address}/low")
    expect_number(page, "999")


def test_a_page_older_than_the_choice_shows_the_chosen_number(visit: Visit) -> None:
    page = visit("/low")
    page.evaluate("document.cookie = 'device=emergency=144;path=/'")
    page.evaluate("""() => {
        const old = document.querySelector('emergency-number');
        old.replaceWith(old.cloneNode(true));
    }""")
    expect_number(page, "144")


@pytest.mark.parametrize("typed", [False, True])
def test_without_script_a_form_puts_it_right(visit: Visit, typed: bool) -> None:
    page = visit("/low", java_script_enabled=False)
    page.get_by_text("Set the number for this device").click()
    if typed:
        page.get_by_label("Another").fill("000")
        page.get_by_role("button", name="Keep").click()
    else:
        page.get_by_role("button", name="000", exact=True).click()
    assert page.url.endswith("/low")
    expect_number(page, "000")
    expect(page.get_by_text("Another number where you are?")).to_be_hidden()
