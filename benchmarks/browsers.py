"""Chromium under control, each page in a browser of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page, Playwright, sync_playwright

from benchmarks import processes
from benchmarks.clocks import boot_of_monotonic
from tests.browser.chromium import for_measurements

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEW = {"width": 412, "height": 823}


@dataclass(slots=True)
class Screen:
    """A browser with one page."""

    browser: Browser
    page: Page
    cdp: CDPSession

    def pids(self) -> list[int]:
        session = self.browser.new_browser_cdp_session()
        try:
            found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        finally:
            session.detach()
        return [int(process["id"]) for process in found]

    def cpu_ms(self) -> float:
        """CPU used so far by all processes of this browser."""
        return processes.cpu_ms(self.pids())

    def throttle(self, rate: float) -> None:
        self.cdp.send("Emulation.setCPUThrottlingRate", {"rate": rate})

    def navigation_start(self) -> float:
        """The instant at which the page's performance.now() was 0."""
        metrics = self.cdp.send("Performance.getMetrics")["metrics"]
        seconds = next(m["value"] for m in metrics if m["name"] == "NavigationStart")
        return boot_of_monotonic(seconds)


@contextmanager
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@contextmanager
def screen(running: Playwright, script: str = "") -> Iterator[Screen]:
    """A fresh browser; ``script`` runs in each page before anything else (no CSP stops it)."""
    browser = running.chromium.launch(executable_path=for_measurements(), args=list(FLAGS))
    try:
        context = browser.new_context(viewport={"width": VIEW["width"], "height": VIEW["height"]})
        if script:
            context.add_init_script(script)
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("Performance.enable")
        yield Screen(browser, page, cdp)
    finally:
        browser.close()
