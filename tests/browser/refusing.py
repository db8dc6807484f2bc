"""Browsers that keep nothing for a site, and a session that has to go through in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.recording import has_status, press

BACK_MS = 20_000
# Each refuses as browsers do: at reading the property, by its absence, at the call.
REFUSE = {
    "read": """
      const refuse = () => { throw new DOMException("refused", "SecurityError"); };
      const refused = (of, name) =>
        Object.defineProperty(of, name, { configurable: true, get: refuse, set: refuse });
      for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
        refused(window, name);
      refused(Document.prototype, "cookie");
      refused(Navigator.prototype, "serviceWorker");
    """,
    "absent": """
      const gone = (of, name) =>
        Object.defineProperty(of, name, { configurable: true, value: undefined });
      for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
        gone(window, name);
      delete Navigator.prototype.serviceWorker;
      Object.defineProperty(Document.prototype, "cookie", { get: () => "", set() {} });
    """,
    "full": """
      const refuse = () => { throw new DOMException("no room", "QuotaExceededError"); };
      const refused = (of, name) => {
        const real = of[name];
        of[name] = function (...given) { return window.full ? refuse() : real.apply(this, given); };
      };
      refused(Storage.prototype, "setItem");
      refused(IDBObjectStore.prototype, "put");
      if (window.Cache) refused(Cache.prototype, "put");
    """,
}


def block_site_data(profile: Path) -> Path:
    """A folder for a browser in which cookies and site data are blocked by its own setting."""
    (profile / "Default").mkdir(parents=True)
    chosen = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Default" / "Preferences").write_text(json.dumps(chosen), encoding="utf-8")
    return profile


def kinds(page: Page) -> list[str]:
    """What the server has recorded, asked past everything that the page knows."""
    text = page.evaluate("fetch(`${location.pathname}/live`).then((answer) => answer.text())")
    found = re.search(r"data-events='([^']*)'", text)
    assert found
    return [event[0] for event in json.loads(found[1])]


def digits_move(page: Page) -> None:
    timer = page.locator("[role=timer]")
    shown = timer.inner_text()
    expect(timer).not_to_have_text(shown, timeout=4_000)


def goes_on(page: Page) -> None:
    """From the start on digits move and the controls work; the server has heard of each act."""
    press(page, "Start")
    has_status(page, "running")
    digits_move(page)
    press(page, "Pause")
    has_status(page, "paused")
    page.wait_for_timeout(450)  # sooner is a double tap
    press(page, "Resume")
    has_status(page, "running")
    page.wait_for_timeout(450)
    step = page.locator("#session-live").get_attribute("data-step")
    press(page, "Next")
    expect(page.locator("#session-live")).not_to_have_attribute("data-step", str(step))
    assert kinds(page) == ["start", "pause", "resume", "next"]


def stops_without_a_link(page: Page) -> None:
    """The stop counts at once, with what to do, and reaches the server with the link."""
    page.context.set_offline(True)
    press(page, "Pain: stop")
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    expect(page.locator("#session-live")).to_contain_text("112")
    page.wait_for_timeout(500)
    page.context.set_offline(False)
    expect(page.locator("#session-link")).to_be_empty(timeout=BACK_MS)
    expect(page.locator("#session-live")).to_have_attribute("data-seq", "5", timeout=BACK_MS)
    acts = ["start", "pause", "resume", "next", "stop"]
    for _ in range(BACK_MS // 250):  # the page shows the stop before the server has heard of it
        if kinds(page) == acts:
            break
        page.wait_for_timeout(250)
    assert kinds(page) == acts


def says_what_is_not_kept(page: Page) -> None:
    kept = page.locator("[data-line=kept]")
    expect(kept).to_contain_text("do not reload or close this page then")
    expect(kept).to_contain_text("Settings, learned keys")
    alone = page.locator("[data-line=alone]")
    expect(alone).to_contain_text("no reload")


def ours(errors: list[str]) -> list[str]:
    """Without what the browser writes of a lost link, a refused worker and an unsafe place."""
    known = "Failed to|ERR_|htmx:error|Cross-Origin-Opener-Policy"
    return [error for error in errors if not re.search(known, error)]
