"""Pictures of every page and state, on three screens, light and dark: ``make screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.browser.answers import answer_safely
from tests.browser.conftest import Server, free_port
from webapp.settings import shipped

SCREENS = {"tablet": (1280, 800), "phone": (390, 844), "desktop": (1920, 1080)}
FOLDER = Path("screenshots")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data), shipped("protocols"), free_port())
        server.start()
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=chromium.flags()
        )
        try:
            for screen in SCREENS:
                for scheme in ("light", "dark"):
                    Walk(browser, server.address, screen, scheme).go()
        finally:
            browser.close()
            server.kill()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}/")


class Walk:
    """One device going through the app, with a picture at every stop."""

    def __init__(self, browser: Browser, address: str, screen: str, scheme: str) -> None:
        width, height = SCREENS[screen]
        self.name = f"{screen}-{scheme}"
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            base_url=address,
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = self.context.new_page()

    def shoot(self, what: str, *, whole: bool = False) -> None:
        self.page.wait_for_timeout(250)
        self.page.screenshot(path=FOLDER / f"{what}-{self.name}.png", full_page=whole)

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()
        self.page.wait_for_timeout(200)

    def go(self) -> None:
        self.plain_pages()
        self.session()
        self.context.close()

    def plain_pages(self) -> None:
        for what, path in (
            ("catalogue", "/"),
            ("catalogue-empty", "/?who=self&condition=diabetes-mellitus"),
            ("protocol", "/protocols/oc-classic-full"),
            ("protocol-locked", "/protocols/oc-cupping-back"),
            ("protocol-fault", "/protocols/oc-self-nape?minutes=0"),
            ("missing", "/nothing-here"),
        ):
            self.page.goto(path)
            self.shoot(what, whole=True)

    def session(self) -> None:
        self.page.goto("/protocols/oc-classic-full")
        self.press("Continue to the questions")
        answer_safely(self.page)
        self.shoot("verdict", whole=True)
        if self.page.locator("#early").count():
            self.page.get_by_text("Wished for, and all is well").click()
        self.press("Prepare this session")
        self.shoot("ready")
        self.press("Start")
        if self.page.get_by_text("Another session is still running").count():
            self.shoot("ask")
            self.press("Start this one as well")
        self.shoot("waiting")
        while not self.page.locator(".stage-running.stage-hands").count():
            self.press("Next")
        self.shoot("running")
        for _ in range(3):
            self.press("Next")
        self.shoot("kneading")
        self.page.locator("summary", has_text="More").click()
        self.shoot("more")
        self.page.locator("summary", has_text="More").click()
        self.press("Pause")
        self.shoot("paused")
        self.page.goto("/")
        self.shoot("catalogue-running")
        self.page.go_back()
        self.press("End")
        self.shoot("rest")
        session = self.page.url
        self.page.goto(f"{session}/summary")
        self.page.locator("#before-6").click()
        self.page.locator("#after-4").click()
        self.shoot("summary", whole=True)
        for what, path in (
            ("today", "/today"),
            ("courses", "/courses"),
            ("history", "/history"),
            ("clients", "/clients"),
        ):
            self.page.goto(path)
            self.shoot(what, whole=True)
        self.page.goto("/courses")
        self.page.locator(".course-title").first.click()
        self.shoot("course", whole=True)
        self.page.get_by_role("link", name="Card with code").click()
        self.shoot("card")
        self.page.goto(session)
        self.press("Pain: stop")
        self.shoot("stopped")


if __name__ == "__main__":
    main()
