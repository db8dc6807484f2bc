"""Pictures of every page and state, on three screens, light, dark and dim: ``make screenshots``.

``python -m tests.browser.screenshots WORD...`` takes only those with such a word in their name.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium
from tests.browser.site import InProcess, served
from tests.browser.states import STATES, State

SCREENS = {"tablet": (1280, 800), "phone": (390, 844), "desktop": (1920, 1080)}
THEMES = ("light", "dark", "dim")
FOLDER = Path("screenshots")
SETTLED_MS = 150
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def main(words: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    chosen = [s for s in STATES if not words or any(word in s.name for word in words)]
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=chromium.flags()
        )
        try:
            for screen, (width, height) in SCREENS.items():
                page = browser.new_page(
                    service_workers="block", viewport={"width": width, "height": height}
                )
                taken = sum(photograph(site, page, state, screen) for state in chosen)
                print(f"{screen}: {taken} pictures in {FOLDER}/", flush=True)
        finally:
            browser.close()


def photograph(site: InProcess, page: Page, state: State, screen: str) -> int:
    """One picture for each theme; the stage as it is seen, other pages from top to bottom."""
    with site.visitor() as visitor:
        site.show(page, state.make(visitor))
        if state.then:
            state.then(page)
        page.wait_for_timeout(SETTLED_MS)
        for theme in THEMES:
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
            page.evaluate(TWO_FRAMES)
            path = FOLDER / f"{state.name}-{screen}-{theme}.png"
            page.screenshot(path=path, full_page=not state.stage)
        page.unroute_all()
        page.goto("about:blank")
    return len(THEMES)


if __name__ == "__main__":
    main(sys.argv[1:])
