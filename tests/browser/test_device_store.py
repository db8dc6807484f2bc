"""A device that keeps nothing: the session works, it says what is not kept, and a stop arrives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser import chromium
from tests.browser.answers import answer_safely
from tests.browser.conftest import AWAKE, Server, Visit, Watch, go, session_of
from tests.browser.recording import has_status, press
from tests.browser.refusing import (
    BACK_MS,
    REFUSE,
    block_site_data,
    digits_move,
    goes_on,
    kinds,
    ours,
    says_what_is_not_kept,
    stops_without_a_link,
)

Prepared = Callable[..., Page]


def test_with_site_data_blocked_everything_works_from_the_catalogue_to_the_summary(
    browser: Browser, server: Server, watch: Watch, tmp_path: Path
) -> None:
    context = browser.browser_type.launch_persistent_context(
        block_site_data(tmp_path / "profile"),
        executable_path=chromium.for_measurements(),  # the one without windows has no such setting
        args=chromium.flags(),
        base_url=server.address,
        permissions=[AWAKE],
    )
    context.set_default_timeout(8_000)
    page = watch.follow(context.new_page())
    page.goto("/")
    with pytest.raises(Error, match="Access is denied"):
        page.evaluate("localStorage")
    page.get_by_role("link", name="Test long").first.click()
    page.wait_for_url("**/protocols/long")
    page.goto("/protocols/long/screening")
    answer_safely(page)
    press(page, "Begin")
    says_what_is_not_kept(page)
    expect(page.locator("[data-line=screen]")).to_contain_text("Stays on by itself")
    goes_on(page)
    calm, remote = context.new_page(), context.new_page()
    calm.goto(f"{page.url}/calm")
    expect(calm.locator(".calm-words")).not_to_be_empty()
    go(remote, f"{page.url}/remote")
    context.set_offline(True)
    digits_move(remote)
    expect(calm.locator(".calm-words")).not_to_be_empty()
    stops_without_a_link(page)
    page.goto(f"{page.url}/summary")
    expect(page.get_by_role("heading", name="Test long")).to_be_visible()
    page.goto("/settings")
    expect(page.locator("#not-kept")).to_be_visible()
    page.get_by_role("button", name="Learn: Next").click()
    page.keyboard.press("b")
    expect(page.locator("#learn-note")).to_contain_text("on this page only")
    assert ours(watch.errors) == []
    context.close()


@pytest.mark.parametrize("how", ["read", "absent"])
def test_what_is_refused_or_missing_stops_nothing(
    how: str, recorded: Prepared, watch: Watch
) -> None:
    page = recorded("sounding", REFUSE[how], service_workers="allow")
    says_what_is_not_kept(page)
    press(page, "Play")
    goes_on(page)
    # sounds are put on the clock
    page.wait_for_function("() => window.heard.some(({ what, gone }) => what === 'tone' && !gone)")
    stops_without_a_link(page)
    assert ours(watch.errors) == []


def test_a_device_that_is_full_in_the_middle_says_so_and_delivers_the_stop(
    recorded: Prepared, watch: Watch
) -> None:
    page = recorded("long", REFUSE["full"], service_workers="allow")
    expect(page.locator("[data-line=alone]")).to_contain_text("also after a reload")
    expect(page.locator("[data-line=kept]")).to_be_hidden()
    goes_on(page)
    page.evaluate("window.full = true")
    page.context.set_offline(True)
    press(page, "+30 s")
    expect(page.locator("#session-unsent")).to_contain_text("leave this page open")
    expect(page.locator("#session-link")).to_contain_text("1 not sent")
    press(page, "Pain: stop")
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    note = page.locator("#session-unsent")
    expect(note).to_contain_text("The stop counts here")
    expect(note).to_contain_text("leave this page open")
    page.context.set_offline(False)
    expect(note).to_be_hidden(timeout=BACK_MS)
    assert kinds(page) == ["start", "pause", "resume", "next", "extend", "stop"]
    has_status(page, "stopped")
    assert ours(watch.errors) == []


def test_a_worker_without_room_hands_on_what_the_server_answers(
    visit: Visit, server: Server
) -> None:
    page = visit("/settings", service_workers="allow")
    page.goto(f"/sessions/{session_of(server, 'long')}")
    expect(page.locator("[data-line=alone]")).to_contain_text("also after a reload")
    page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((one) => caches.delete(one))))"
    )
    tools = page.context.new_cdp_session(page)
    tools.send("Storage.overrideQuotaForOrigin", {"origin": server.address, "quotaSize": 1})
    go(page, f"/sessions/{session_of(server, 'long')}")
    page.wait_for_function("() => navigator.serviceWorker.controller")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("The server does not answer")
    expect(page.locator("[data-line=alone]")).to_contain_text("no reload")
    press(page, "Start")
    has_status(page, "running")
