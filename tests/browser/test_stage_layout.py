"""The stage on every screen: reflow at 200 % zoom, turned while it runs, notches, digits, no shift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import AWAKE
from tests.browser.site import InProcess, served
from tests.browser.states import BACK, CUPS, LEGS, STATES, hands_on

TABLET, PHONE = (1280, 800), (390, 844)
# The last two with the bars of a browser, which take part of the height.
SCREENS = {"tablet": TABLET, "phone": PHONE, "old tablet": (1024, 690), "short phone": (412, 690)}
# A device's screen at 200 % zoom: half as many CSS pixels, each twice as large.
ZOOMED = {"tablet": (640, 400), "phone": (195, 422)}
PLAIN = [
    state
    for state in STATES
    if state.name
    in {
        "catalogue",
        "protocol",
        "questions",
        "verdict-changes",
        "stage-ready",
        "stage-running",
        "stage-diabetes",
        "stage-cups-paused",
        "stage-more",
        "stage-stopped",
        "summary-reading",
        "settings",
        "techniques",
        "error-404",
    }
]

CUT_OFF = """() => [...document.querySelectorAll('h1, h2, p, li, a, button, input, td, th, summary, dd, legend')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.visually-hidden, .skip, svg'))
  .filter((e) => {
    const { left, right } = e.getBoundingClientRect();
    return right > innerWidth + 1 || left < -1
      || (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden' && e.clientWidth > 1);
  }).map((e) => `${e.tagName} ${e.className} "${e.textContent.trim().slice(0, 40)}"`)"""
LINES_OF_DIGITS = """() => {
  const text = document.createRange();
  text.selectNodeContents(document.querySelector('.digits'));
  return text.getClientRects().length;
}"""
WIDE = "document.documentElement.scrollWidth - innerWidth"
UNREACHABLE = """() => {
  const missed = [];
  const among = document.querySelector('.more[open]') ?? document; // an open menu may cover what is under it
  for (const e of among.querySelectorAll('button, a[href], summary, input:not([type=hidden])')) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('.skip, .visually-hidden')) continue;
    e.scrollIntoView({ block: 'center' });
    const box = e.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const label = e.closest('label');
    if (!at || !(e.contains(at) || label?.contains(at) || at.contains(e)))
      missed.push(`${e.tagName} "${e.textContent.trim()}" is under ${at?.tagName} ${at?.className}`);
  }
  return missed;
}"""
WATCH_SHIFTS = """() => {
  window.shifts = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shifts += e.value; })
    .observe({ type: 'layout-shift' });
}"""
PLACES = """() => Object.fromEntries(['.step-name', '.step-place', '.digits', '.stage-foot', '.bar', '.controls']
  .map((name) => [name, Math.round(document.querySelector(name).getBoundingClientRect().top)]))"""
IN_VIEW = """() => ['.step-name', '.digits', '.step-next', '.stage-end', '.controls']
  .filter((name) => {
    const { top, bottom, left, right } = document.querySelector(name).getBoundingClientRect();
    return top < 0 || left < 0 || bottom > innerHeight + 1 || right > innerWidth + 1;
  })"""


@pytest.fixture(scope="module")
def site() -> Iterator[InProcess]:
    with served() as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(service_workers="block", permissions=[AWAKE])
    opened.set_default_timeout(8_000)
    yield opened
    opened.close()


def size(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})


@pytest.mark.parametrize("device", ZOOMED)
def test_at_200_percent_everything_reflows_and_is_reachable(
    site: InProcess, browser: Browser, device: str
) -> None:
    width, height = ZOOMED[device]
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=2, service_workers="block"
    )
    page = context.new_page()
    found: list[str] = []
    for state in PLAIN:
        with site.visitor() as visitor:
            site.show(page, state.make(visitor))
            if state.then:
                state.then(page)
            found += [f"{state.name}: {line}" for line in page.evaluate(CUT_OFF)]
            found += [f"{state.name}: {line}" for line in page.evaluate(UNREACHABLE)]
            if page.evaluate(WIDE) > 0:
                found.append(f"{state.name}: {page.evaluate(WIDE)} px to the right of the screen")
            page.goto("about:blank")
    context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("protocol", [BACK, LEGS])
def test_turned_while_it_runs_the_same_second_goes_on_and_nothing_is_cut(
    site: InProcess, context: BrowserContext, protocol: str
) -> None:
    page = context.new_page()
    loads: list[str] = []
    with site.visitor() as visitor:
        size(page, *TABLET)
        site.show(page, hands_on(20, protocol=protocol)(visitor))
        expect(page.locator("#session-live")).to_have_attribute("data-status", "running")
        page.on("load", lambda shown: loads.append(shown.url))
        seconds: list[int] = []
        for width, height in (TABLET, TABLET[::-1], PHONE, PHONE[::-1], TABLET):
            size(page, width, height)
            minutes, rest = page.locator(".digits").inner_text().split(":")
            seconds.append(int(minutes) * 60 + int(rest))
            assert page.evaluate(WIDE) <= 0, (width, height)
            assert page.evaluate(CUT_OFF) == [], (width, height)
            assert page.evaluate(LINES_OF_DIGITS) == 1, (width, height)
            if height > 560:
                assert page.evaluate(IN_VIEW) == [], (width, height)
        assert loads == []
        assert seconds == sorted(seconds, reverse=True)
        assert seconds[0] - seconds[-1] <= 4


@pytest.mark.parametrize(
    "name", ["stage-running", "stage-kneading", "stage-cups", "stage-diabetes"]
)
def test_on_a_tablet_the_digits_fill_a_fifth_of_the_height(
    site: InProcess, context: BrowserContext, name: str
) -> None:
    page = context.new_page()
    size(page, *TABLET)
    with site.visitor() as visitor:
        site.show(page, next(s for s in STATES if s.name == name).make(visitor))
        measured: dict[str, Any] = page.evaluate(
            """() => {
            const digits = document.querySelector('.digits');
            const canvas = document.createElement('canvas').getContext('2d');
            const style = getComputedStyle(digits);
            canvas.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
            const of = canvas.measureText('0123456789');
            const px = (name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize);
            return { ink: of.actualBoundingBoxAscent + of.actualBoundingBoxDescent, box: parseFloat(style.fontSize),
                     far: Math.min(...['.step-name', '.step-place', '.step-next', '.stage-end'].map(px)) };
        }"""
        )
        assert measured["box"] >= 0.22 * TABLET[1]
        assert measured["far"] >= 40
        assert page.evaluate(IN_VIEW) == []


@pytest.mark.parametrize("protocol", [BACK, CUPS])
@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_nothing_moves_from_phase_to_phase(
    site: InProcess, context: BrowserContext, screen: tuple[int, int], protocol: str
) -> None:
    """The browser's own sum of shifts leaves out what a swap replaced, so places count too."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, hands_on(5, protocol=protocol)(visitor))
        page.evaluate(WATCH_SHIFTS)
        before: dict[str, object] = page.evaluate(PLACES)
        steps = set()
        live = page.locator("#session-live")
        while "stage-hands" in (live.get_attribute("class") or ""):
            steps.add(step := live.get_attribute("data-step") or "")
            assert page.evaluate(PLACES) == before, step
            page.evaluate("document.querySelector('#act-next').click()")
            expect(live).not_to_have_attribute("data-step", step)
        assert len(steps) >= 5
        assert page.evaluate("window.shifts") == 0


def test_notches_push_the_stage_and_the_pages_inwards(
    site: InProcess, context: BrowserContext
) -> None:
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    insets = {"top": 40, "bottom": 34, "left": 44, "right": 44}
    cdp.send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    size(page, *PHONE[::-1])
    with site.visitor() as visitor:
        for state in STATES:
            if state.name not in ("stage-running", "stage-locked", "stage-undo", "catalogue"):
                continue
            site.show(page, state.make(visitor))
            if state.then:
                state.then(page)
            inside = page.evaluate(
                """([left, right]) => [...document.querySelectorAll('button, a[href]:not(.skip), h1')]
                .filter((e) => e.checkVisibility({ visibilityProperty: true }))
                .filter((e) => { const b = e.getBoundingClientRect(); return b.left < left || b.right > innerWidth - right; })
                .map((e) => e.textContent)""",
                [insets["left"], insets["right"]],
            )
            assert inside == [], state.name
