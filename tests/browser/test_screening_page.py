"""The questions as people answer them: by keys alone, by touch on a phone, and without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import answer_safely
from tests.browser.conftest import Visit, Watch

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
GO = "See whether it can start"


def focused(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        """() => {
            const e = document.activeElement;
            const of = (name) => e.getAttribute(name) ?? "";
            return { tag: e.tagName, type: of("type"), name: of("name"), id: e.id,
                     value: e.value ?? "", text: e.textContent.trim() };
        }"""
    )
    return found


def answered_by_keys(page: Page, wanted: dict[str, str], texts: dict[str, str]) -> None:
    """Tab from one control to the next, mark what is wanted with space, and press the button."""
    seen = set[str]()
    for _ in range(200):
        page.keyboard.press("Tab")
        here = focused(page)
        if here["tag"] == "BUTTON" and here["text"] == GO:
            page.keyboard.press("Enter")
            return
        if here["type"] == "checkbox" and here["name"].startswith("none-"):
            page.keyboard.press("Space")
        elif here["type"] == "radio" and here["name"] in wanted and here["name"] not in seen:
            seen.add(here["name"])
            choose_by_arrows(page, wanted[here["name"]])
        elif here["name"] in texts:
            page.keyboard.type(texts[here["name"]])
    raise AssertionError("the button was never reached by keys")


def choose_by_arrows(page: Page, value: str) -> None:
    """Arrows go round the answers of a question; space takes the first when it is the one."""
    if focused(page)["value"] == value:
        page.keyboard.press("Space")
        return
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        if focused(page)["value"] == value:
            return
    raise AssertionError(f"no answer {value}")


def test_by_keys_alone_from_the_protocol_to_the_running_session(visit: Visit) -> None:
    page = visit("/protocols/feet")
    page.get_by_role("button", name="Continue to the questions").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("A few questions first")
    answered_by_keys(
        page,
        {
            "q-last-meal": "good",
            "q-diabetes-type": "type-2",
            "q-glucose-medicine": "none",
            "q-sglt2": "no",
            "q-platelets": "none",
            "q-blood-pressure": "no",
            "q-procedure": "no",
            "trend": "steady",
            "glucose-shown": "number",
            "unit": "mg/dL",
        },
        {"glucose": "118", "minutes-ago": "2"},
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Clear to start")
    page.get_by_role("button", name="Begin").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#session-live")
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#session-live")).to_have_attribute("data-status", "running")


def test_by_touch_on_a_phone_with_changes(visit: Visit, watch: Watch) -> None:
    page = visit("/protocols/feet/screening", **PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390
    for label in page.locator(".ask-none").all():
        label.tap()
    page.locator("#ask-skin .answer-yes").tap()
    expect(page.locator("#group-place .ask-none-rest")).to_be_visible()
    page.get_by_role("group", name="Where?").get_by_label("Left sole").tap()
    for question, token in (
        ("last-meal", "good"),
        ("diabetes-type", "type-2"),
        ("glucose-medicine", "none"),
        ("sglt2", "no"),
        ("platelets", "none"),
        ("blood-pressure", "no"),
        ("procedure", "no"),
    ):
        page.locator(f'#ask-{question} label:has([value="{token}"])').tap()
    page.locator('#ask-glucose label:has([value="number"])').tap()
    page.locator("#glucose").fill("6.4")
    page.locator('#ask-glucose label:has([value="mmol/L"])').tap()
    page.locator('#ask-trend label:has([value="steady"])').tap()
    page.locator("#minutes-ago").fill("0")
    page.get_by_role("button", name=GO).tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clear, with changes")
    expect(page.get_by_text("Left out: Phase sole-left")).to_be_visible()
    page.get_by_role("button", name="Begin").tap()
    page.wait_for_selector("#session-live")
    assert page.locator('template[data-for="sole-left"]').count() == 0
    assert page.locator('template[data-for="sole-right"]').count() == 1
    assert watch.errors == []


def test_every_target_is_big_enough_for_a_finger(visit: Visit) -> None:
    page = visit("/protocols/feet/screening", **PHONE)
    for selector in (".answer", ".ask-none"):
        for box in page.locator(selector).all():
            if box.is_visible():
                size = box.bounding_box()
                assert size is not None
                assert size["height"] >= 48


def test_without_javascript_from_the_questions_to_the_session(visit: Visit) -> None:
    page = visit("/protocols/feet", java_script_enabled=False)
    page.get_by_role("button", name="Continue to the questions").click()
    page.get_by_role("button", name=GO).click()
    expect(page.get_by_role("heading", name="Still open")).to_be_visible()
    answer_safely(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Clear to start")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("timer")).to_have_text("3:00")


def test_open_answers_lead_to_their_place(visit: Visit) -> None:
    page = visit("/protocols/feet/screening")
    page.get_by_role("button", name=GO).click()
    page.get_by_role("link", name=re.compile("The glucose reading")).click()
    expect(page.locator("#ask-glucose")).to_be_in_viewport()


def test_a_low_counts_down_to_the_next_test(visit: Visit) -> None:
    page = visit("/protocols/feet/screening")
    for none in page.locator(".ask-none input").all():
        none.check()
    page.locator('[name="q-last-meal"][value="good"]').check()
    for question, token in (
        ("diabetes-type", "type-1"),
        ("glucose-medicine", "insulin"),
        ("last-insulin", "over-an-hour"),
        ("sglt2", "no"),
        ("platelets", "none"),
        ("blood-pressure", "no"),
        ("procedure", "no"),
    ):
        page.locator(f'[name="q-{question}"][value="{token}"]').check()
    page.locator('[name="glucose-shown"][value="number"]').check()
    page.locator("#glucose").fill("5.5")
    page.locator('[name="unit"][value="mmol/L"]').check()
    page.locator('[name="trend"][value="steady"]').check()
    page.locator("#minutes-ago").fill("0")
    page.get_by_role("button", name=GO).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not yet")
    expect(page.locator("count-down")).to_have_text(re.compile(r"^14:5\d$"))


def test_follow_ups_and_diabetes_come_up_with_the_answer_that_asks_for_them(visit: Visit) -> None:
    page = visit("/protocols/turning/screening")
    expect(page.locator("#ask-leg-clot-since")).to_be_hidden()
    page.locator("#ask-leg-clot .answer-yes").click()
    expect(page.locator("#ask-leg-clot-since")).to_be_visible()
    expect(page.locator("#ask-neck-limbs-since")).to_be_hidden()
    page.locator("#ask-leg-clot .answer-no").click()
    expect(page.locator("#ask-leg-clot-since")).to_be_hidden()
    for place in ("#ask-glucose", "#ask-ketones", "#ask-diabetes-type", "#ask-last-insulin"):
        expect(page.locator(place)).to_be_hidden()
    page.locator("#ask-diabetes .answer-unsure").click()
    for place in ("#ask-glucose", "#ask-ketones", "#ask-diabetes-type", "#ask-insulin-sites"):
        expect(page.locator(place)).to_be_visible()
    expect(page.locator("#ask-last-insulin")).to_be_hidden()
    page.locator("#ask-glucose-medicine .answer-insulin").click()
    expect(page.locator("#ask-last-insulin")).to_be_visible()


@pytest.fixture
def working(prepare: Callable[..., Page]) -> Page:
    page = prepare("feet")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#session-live")).to_have_attribute("data-status", "running")
    return page


def test_signs_of_a_low_stop_at_once_and_count_to_the_next_test(working: Page) -> None:
    working.get_by_role("button", name="Signs of a low").click()
    expect(working.get_by_role("heading", level=1)).to_have_text("Stopped. Treat this as a low.")
    expect(working.locator("#session-live count-down")).to_have_text(re.compile(r"^1(5:00|4:5\d)$"))
    working.reload()
    expect(working.get_by_role("heading", level=1)).to_have_text("Stopped. Treat this as a low.")


def test_a_low_counts_while_the_server_is_away(working: Page, server: Any) -> None:
    server.kill()
    working.get_by_role("button", name="Signs of a low").click()
    expect(working.get_by_role("heading", level=1)).to_have_text("Stopped. Treat this as a low.")
    expect(working.locator("#session-unsent")).to_contain_text("The stop counts here.")
    server.start()
    expect(working.locator("#session-live")).to_have_attribute("data-seq", "2", timeout=15_000)
    expect(working.get_by_role("heading", level=1)).to_have_text("Stopped. Treat this as a low.")
