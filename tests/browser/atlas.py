"""Every phase with its picture, hands and words, in three themes: ``make atlas``.

Writes ``atlas/atlas.html``, which needs no server, and one picture for each protocol and theme.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium
from tests.browser.site import InProcess, served

THEMES = ("light", "dark", "dim")
FOLDER = Path("atlas")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with served() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=chromium.flags()
        )
        try:
            page = browser.new_page(
                service_workers="block", viewport={"width": 1400, "height": 900}
            )
            site.show(page, "/owner/pictures")
            (FOLDER / "atlas.html").write_text(alone(site, page), encoding="utf-8")
            for theme in THEMES:
                page.evaluate("(name) => { document.documentElement.dataset.theme = name; }", theme)
                for section in page.locator(".pictures").all():
                    name = section.get_attribute("id")
                    section.screenshot(path=FOLDER / f"{name}-{theme}.png")
                print(f"{theme}: {FOLDER}/*-{theme}.png", flush=True)
        finally:
            browser.close()


def alone(site: InProcess, page: Page) -> str:
    """The page as one file: its style inside, no script."""
    address = page.locator("link[rel=stylesheet]").get_attribute("href") or ""
    style = page.request.get(f"{site.address}{address}").text()
    sections = "".join(
        section.evaluate("e => e.outerHTML") for section in page.locator(".pictures").all()
    )
    sections = re.sub(r"<script.*?</script>", "", sections, flags=re.DOTALL)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pictures</title>'
        f"<style>{style}</style><main>{sections}</main></html>"
    )


if __name__ == "__main__":
    main()
