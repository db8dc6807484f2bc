"""Fills in the questions' form as somebody with whom nothing speaks against it."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.safe_answers import CHOICES, READING


def answer_safely(page: Page) -> None:
    """Answer everything that the page asks, and send it."""
    for none in page.locator(".ask-none input").all():
        if none.is_visible():
            none.check()
    for question, token in CHOICES.items():
        answer = page.locator(f'input[name="q-{question}"][value="{token}"]')
        if answer.count() and answer.is_visible():
            answer.check()
    if page.locator("#ask-glucose").is_visible():
        page.locator('input[name="glucose-shown"][value="number"]').check()
        page.locator("#glucose").fill(READING["glucose"])
        page.locator(f'input[name="unit"][value="{READING["unit"]}"]').check()
        page.locator(f'input[name="trend"][value="{READING["trend"]}"]').check()
        page.locator("#minutes-ago").fill(READING["minutes-ago"])
    page.get_by_role("button", name="See whether it can start").click()
