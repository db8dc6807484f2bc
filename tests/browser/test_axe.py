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

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TABLET: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
OFF_BY_DEFAULT = ("target-size", "label-content-name-mismatch")
COLOURS = ("color-contrast", "color-contrast-enhanced")
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
    yield context.new_page()
    context.close()


def options(*only: str, aaa: bool) -> dict[str, Any]:
    """For axe.run: only the rules that are named, else all but colours, which every theme has to pass."""
    if only:
        left_out = "color-contrast" if aaa else "color-contrast-enhanced"  # the stricter is enough
        named = [rule for rule in only if rule != left_out]
        return {"runOnly": named, "resultTypes": ["violations"]}
    on = {rule: {"enabled": True} for rule in OFF_BY_DEFAULT}
    later = {rule: {"enabled": False} for rule in COLOURS}
    return {"rules": on | later, "resultTypes": ["violations"]}


def axe(page: Page, *only: str, aaa: bool) -> list[str]:
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


def contrast(page: Page, theme: str, *, stage: bool) -> list[str]:
    """By our own rule in every theme; by axe, which takes long, in the first."""
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    found = look.ask(page, look.POOR_CONTRAST, STAGE_CONTRAST if stage else CONTRAST)
    return found + (axe(page, *COLOURS, aaa=stage) if theme == THEMES[0] else [])


HUES = ("teal", "ochre", "violet", "clay", "green", "blue", "rose", "plain")


def test_the_calm_view_can_be_read_on_each_of_its_colours(site: InProcess, page: Page) -> None:
    state = next(state for state in STATES if state.name == "stage-calm")
    found: list[str] = []
    with site.visitor() as visitor:
        site.show(page, state.make(visitor))
        at_once(page)
        for theme in THEMES:
            page.evaluate("(name) => { document.documentElement.dataset.theme = name; }", theme)
            for hue in HUES:
                page.locator(".calm").evaluate(
                    "(e, hue) => { e.className = `calm hue-${hue}`; }", hue
                )
                poor = look.ask(page, look.POOR_CONTRAST, STAGE_CONTRAST)
                found.extend(f"{theme} {hue}: {line}" for line in poor)
        page.goto("about:blank")
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
    for words in (f'<p style="{style}">Words</p>', f'<input value="Words" style="{style}">'):
        page.set_content(f'<body style="background: #fff">{words}')
        poor = look.ask(page, look.POOR_CONTRAST, CONTRAST)
        assert [line.rpartition(" ")[2] for line in poor] == found
    page.goto("about:blank")


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_and_our_own_rules_find_nothing(state: State, site: InProcess, page: Page) -> None:
    page.set_viewport_size(TABLET)
    found: list[str] = []

    def note(where: str, lines: list[str]) -> None:
        found.extend(f"{where}: {line}" for line in lines)

    with site.visitor() as visitor:
        site.show(page, state.make(visitor))
        if state.then:
            state.then(page)
        assert state.shows in page.locator("body").inner_text()
        page.evaluate(AXE)
        note("tablet", axe(page, aaa=False) + own_rules(page, stage=state.stage))
        for theme in THEMES:
            note(theme, contrast(page, theme, stage=state.stage))
        page.set_viewport_size(PHONE)
        note("phone", axe(page, *BY_LAYOUT, aaa=False) + own_rules(page, stage=state.stage))
        page.unroute_all()
        page.goto("about:blank")
    assert not found, "\n".join(found)
