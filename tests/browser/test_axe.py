"""axe-core on every page and state, in three themes, on a tablet and a phone; and our own rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import look
from tests.browser.site import InProcess, served
from tests.browser.states import STATES, State, at_once

pytestmark = pytest.mark.computes

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LATER = f"globalThis.beginAxe = () => {{ {AXE} }}"  # sent once, not for every page
TABLET: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
OFF_BY_DEFAULT = ("target-size", "label-content-name-mismatch")
BY_LAYOUT = ("target-size", "scrollable-region-focusable", "label-content-name-mismatch")
TARGET, CONTRAST, STAGE_CONTRAST = 48, 4.5, 7
THEMES = ("light", "dark", "dim")


@pytest.fixture(scope="module")
def site() -> Iterator[InProcess]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(8_000)
    context.add_init_script(LATER)
    yield context.new_page()
    context.close()


def options(*only: str, aaa: bool = False) -> dict[str, Any]:
    """For axe.run: only the named rules, else all; of contrast the stricter with ``aaa``."""
    if only:
        return {"runOnly": only, "resultTypes": ["violations"]}
    on = {rule: {"enabled": True} for rule in OFF_BY_DEFAULT}
    colours = {
        "color-contrast": {"enabled": not aaa},
        "color-contrast-enhanced": {"enabled": aaa},
    }
    return {"rules": on | colours, "resultTypes": ["violations"]}


def axe(page: Page, *only: str, aaa: bool = False) -> list[str]:
    """Every violation on the page as it is now, in a line each."""
    found = page.evaluate(f"axe.run({json.dumps(options(*only, aaa=aaa))})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def own_rules(page: Page, *, stage: bool) -> list[str]:
    """Targets, names and the height of controls."""
    return [
        *look.ask(page, look.SMALL_TARGETS, TARGET),
        *look.ask(page, look.LINKS_IN_TEXT_TOO_CLOSE),
        *look.ask(page, look.NAMES_WITHOUT_THEIR_LABEL),
        *(look.ask(page, look.CONTROLS_TOO_LOW) if stage else []),
    ]


def wear(page: Page, theme: str) -> None:
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)


def leave(site: InProcess, page: Page) -> None:
    """To a page without scripts, of the same site: what the browser has compiled stays there."""
    page.unroute_all()
    page.goto(f"{site.address}/healthz")


HUES = ("teal", "ochre", "violet", "clay", "green", "blue", "rose", "plain")


def test_the_calm_view_can_be_read_on_each_of_its_colours(site: InProcess, page: Page) -> None:
    state = next(state for state in STATES if state.name == "stage-calm")
    found: list[str] = []
    with site.visitor() as visitor:
        site.show(page, state.make(visitor))
        at_once(page)
        for theme in THEMES:
            wear(page, theme)
            for hue in HUES:
                page.locator(".calm").evaluate(
                    "(e, hue) => { e.className = `calm hue-${hue}`; }", hue
                )
                poor = look.ask(page, look.POOR_CONTRAST, STAGE_CONTRAST)
                found.extend(f"{theme} {hue}: {line}" for line in poor)
        leave(site, page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("style", "found"),
    [
        ("color: #777; background: #fff", ["4.48"]),
        ("color: #767676; background: #fff", []),
        ("color: #000; background: #fff; opacity: 0.5", ["4.00"]),
        ("color: rgb(0 0 0 / 50%); background: #fff", ["4.00"]),
        ("color: #fff; background: rgb(0 0 0 / 50%)", ["4.00"]),
    ],
)
def test_our_own_rule_measures_contrast(page: Page, style: str, found: list[str]) -> None:
    page.goto("about:blank")
    for words in (f'<p style="{style}">Words</p>', f'<input value="Words" style="{style}">'):
        page.set_content(f'<body style="background: #fff">{words}')
        poor = look.ask(page, look.POOR_CONTRAST, CONTRAST)
        assert [line.rpartition(" ")[2] for line in poor] == found


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_and_our_own_rules_find_nothing(state: State, site: InProcess, page: Page) -> None:
    page.set_viewport_size(TABLET)
    found: list[str] = []
    least = STAGE_CONTRAST if state.stage else CONTRAST

    def note(where: str, lines: list[str]) -> None:
        found.extend(f"{where}: {line}" for line in lines)

    with site.visitor() as visitor:
        site.show(page, state.make(visitor))
        if state.then:
            state.then(page)
        assert state.shows in page.locator("body").inner_text()
        page.evaluate("beginAxe()")
        wear(page, THEMES[0])  # contrast by axe, which takes long, in the first theme only
        note("tablet", axe(page, aaa=state.stage) + own_rules(page, stage=state.stage))
        for theme in THEMES:
            wear(page, theme)
            note(theme, look.ask(page, look.POOR_CONTRAST, least))
        page.set_viewport_size(PHONE)
        note("phone", axe(page, *BY_LAYOUT) + own_rules(page, stage=state.stage))
        leave(site, page)
    assert not found, "\n".join(found)
