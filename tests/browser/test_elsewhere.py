"""The watch over all browser tests: a request to another host does not stay unseen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.elsewhere import Elsewhere

ANOTHER = "http://elsewhere.test/"


@pytest.mark.promise("elsewhere")
@pytest.mark.parametrize("by", ["context", "page"])
def test_a_request_to_another_host_is_seen_however_the_page_was_opened(
    browser: Browser, elsewhere: Elsewhere, by: str
) -> None:
    page = browser.new_context().new_page() if by == "context" else browser.new_page()
    page.route(f"{ANOTHER}**", lambda route: route.abort())
    page.evaluate(
        "url => new Promise((end) => { const i = new Image(); i.onerror = end; i.src = url })",
        ANOTHER,
    )
    assert elsewhere.taken() == [ANOTHER]
    page.context.close()
