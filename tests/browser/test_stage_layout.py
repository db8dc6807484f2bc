"""The stage on every screen: reflow at 200 % zoom, turned as it runs, notches, digits, no shift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import AWAKE
from tests.browser.joining_states import shut_out
from tests.browser.screenshots import TWO_FRAMES as FRAME
from tests.browser.site import InProcess, served
from tests.browser.states import (
    BACK,
    CUPS,
    LEGS,
    STATES,
    at,
    cups_on,
    cut_off,
    disk,
    doubted,
    hands_on,
    press,
    session,
    taken_back,
)
from tests.support.visitor import Visitor

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

CUT_OFF = """() => [...document.querySelectorAll(
    'h1, h2, p, li, a, button, input, td, th, summary, dd, legend')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => !e.closest('.visually-hidden, .skip, svg'))
  .filter((e) => {
    const { left, right } = e.getBoundingClientRect();
    return right > innerWidth + 1 || left < -1
      || (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden'
        && e.clientWidth > 1);
  }).map((e) => `${e.tagName} ${e.className} "${e.textContent.trim().slice(0, 40)}"`)"""
LINES_OF_DIGITS = """() => {
  const text = document.createRange();
  text.selectNodeContents(document.querySelector('.digits'));
  return text.getClientRects().length;
}"""
WIDE = "document.documentElement.scrollWidth - innerWidth"
UNREACHABLE = """() => {
  const missed = [];
  // an open menu may cover what is under it
  const among = document.querySelector('.more[open]') ?? document;
  for (const e of among.querySelectorAll('button, a[href], summary, input:not([type=hidden])')) {
    if (!e.checkVisibility({ visibilityProperty: true })) continue;
    if (e.closest('.skip, .visually-hidden')) continue;
    e.scrollIntoView({ block: 'center' });
    const box = e.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const label = e.closest('label');
    if (!at || !(e.contains(at) || label?.contains(at) || at.contains(e)))
      missed.push(`${e.tagName} "${e.textContent.trim()}"`
        + ` is under ${at?.tagName} ${at?.className}`);
  }
  return missed;
}"""
WATCH_SHIFTS = """() => {
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) window.shifts += e.value;
  }).observe({ type: 'layout-shift' });
}"""
PLACES = """() => Object.fromEntries(
    ['.step-name', '.step-place', '.digits', '.stage-foot', '.bar', '.controls']
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
            const px = (name) =>
                parseFloat(getComputedStyle(document.querySelector(name)).fontSize);
            const far = ['.step-name', '.step-place', '.stage-end strong'];
            return { ink: of.actualBoundingBoxAscent + of.actualBoundingBoxDescent,
                     box: parseFloat(style.fontSize), far: Math.min(...far.map(px)),
                     next: px('.step-next') };
        }"""
        )
        assert measured["box"] >= 0.22 * TABLET[1]
        assert measured["far"] >= 40
        assert measured["next"] >= 34
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
                """([left, right]) =>
                [...document.querySelectorAll('button, a[href]:not(.skip), h1')]
                .filter((e) => e.checkVisibility({ visibilityProperty: true }))
                .filter((e) => {
                    const b = e.getBoundingClientRect();
                    return b.left < left || b.right > innerWidth - right;
                })
                .map((e) => e.textContent)""",
                [insets["left"], insets["right"]],
            )
            assert inside == [], state.name


# -- what comes and goes while it runs -------------------------------------------------------------

PROMISED_PX = 26  # lines of a step, on a tablet
ASIDE = SCREENS | {"turned phone": PHONE[::-1], "small phone": (360, 640), "desk": (1920, 1080)}
# As a device whose battery is low, once it is told to.
REFUSING = """navigator.wakeLock.request = () => new Promise((_, refuse) => {
  window.refuse = () => refuse(new DOMException('', 'NotAllowedError'));
});"""
BOXES = """(names) => Object.fromEntries(names.map((name) => [name, document.querySelector(name)])
  .filter(([, e]) => e?.checkVisibility({ visibilityProperty: true }))
  .map(([name, e]) => [name, e.getBoundingClientRect()])
  .map(([name, { left, top, right, bottom }]) =>
    [name, [left, top, right, bottom].map(Math.round)]))"""
STAGE = (
    *(".step-name", ".step-place", ".digits", ".step-figure .figure", ".step-hand"),
    *(".step-lines", ".stage-foot", "#act-toggle", "#act-back", "#act-next", "#act-stop"),
)
Box = list[int]


def boxes(page: Page, *names: str) -> dict[str, Box]:
    """Left, top, right and bottom of those that can be seen."""
    found: dict[str, Box] = page.evaluate(BOXES, list(names))
    return found


def meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def at_step(protocol: str, step: str) -> Callable[[Visitor], str]:
    def make(visitor: Visitor) -> str:
        path = hands_on(0, protocol=protocol)(visitor)
        while visitor.live(path.rsplit("/", 1)[1])["data-step"] != step:
            visitor.done(path.rsplit("/", 1)[1], "next")
        return path

    return make


@pytest.mark.parametrize("screen", ASIDE.values(), ids=ASIDE)
def test_what_is_said_of_the_screen_takes_nothing_from_the_stage(
    site: InProcess, context: BrowserContext, screen: tuple[int, int]
) -> None:
    """Seen to fail with a line of its own below the controls."""
    page = context.new_page()
    page.add_init_script(REFUSING)
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, at_step("oc-self-4step", "kneading-left")(visitor))
        page.wait_for_function("() => window.refuse")
        before = boxes(page, *STAGE)
        height = page.evaluate("document.documentElement.scrollHeight")
        page.evaluate("window.refuse()")
        expect(page.locator("screen-awake")).to_contain_text("battery low?")
        page.evaluate("window.dispatchEvent(new Event('resize'))")  # the words are fitted again
        page.evaluate(FRAME)
        assert boxes(page, *STAGE) == before
        assert page.evaluate("document.documentElement.scrollHeight") == height
        (said,) = boxes(page, "screen-awake").values()
        assert said[3] <= screen[1]
        around = boxes(page, *STAGE, ".stage-home", "session-voice button", "#lock", ".more")
        assert [name for name, box in around.items() if meet(box, said)] == []
        lines = page.evaluate("parseFloat(getComputedStyle(document.querySelector('li')).fontSize)")
        assert lines >= (PROMISED_PX if screen == TABLET else 13)


# What a message or *Undo* may never cover.
NEEDED = (
    *(".step-name", ".step-place", ".digits", ".step-lines", ".bar", ".step-next", ".stage-end"),
    *("session-voice button", "#lock", ".more", "#acts"),
)


def around(page: Page) -> dict[str, Box]:
    found = boxes(page, *NEEDED)
    assert {"#acts", "#lock", ".more", ".step-name", ".bar", ".stage-end"} <= found.keys()
    return found


@pytest.mark.parametrize("screen", ASIDE.values(), ids=ASIDE)
def test_undo_covers_and_moves_nothing(
    site: InProcess, context: BrowserContext, screen: tuple[int, int]
) -> None:
    """Seen to fail with Undo over the top of the page."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, hands_on()(visitor))
        taken_back(page)
        place = boxes(page, "#undo")["#undo"]
        before = around(page)
        assert [name for name, box in before.items() if meet(box, place)] == []
        assert place[2] - place[0] >= 44
        assert place[3] - place[1] == 56
        assert page.evaluate("document.querySelector('#undo').scrollWidth") <= place[2] - place[0]
        page.evaluate("document.querySelector('#undo').hidden = true")
        page.evaluate(FRAME)
        assert around(page) == before


def refuse(page: Page) -> None:
    """The server refuses an act: the page shows another moment of the session."""
    page.evaluate("document.querySelector('#acts [name=seq]').value = '0'")
    page.evaluate("document.querySelector('#act-next').click()")
    page.locator("#session-said").wait_for()


def refuse_alone(page: Page) -> None:
    """The server is away, and the page refuses an act by itself."""
    page.route("**/end-at", lambda route: route.abort())
    page.evaluate("document.querySelector('#act-end-at').click()")
    page.locator("#session-said").wait_for()


@pytest.mark.parametrize("way", [refuse, refuse_alone])
@pytest.mark.parametrize("screen", ASIDE.values(), ids=ASIDE)
def test_a_message_covers_and_moves_nothing(
    site: InProcess,
    context: BrowserContext,
    screen: tuple[int, int],
    way: Callable[[Page], None],
) -> None:
    """It lies over the picture. Seen to fail with messages over the foot of the stage."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, hands_on()(visitor))
        if way is refuse_alone:
            cut_off(page)
        before, stage = around(page), boxes(page, *STAGE)
        way(page)
        page.evaluate(FRAME)
        assert boxes(page, *STAGE) == stage
        assert around(page) == before
        said = boxes(page, "#session-said")["#session-said"]
        assert [name for name, box in before.items() if meet(box, said)] == []
        assert page.evaluate(WIDE) <= 0


def test_a_refusal_is_calm_and_goes_by_itself(site: InProcess, context: BrowserContext) -> None:
    """Seen to fail with a message in the colour of danger until the next act."""
    page = context.new_page()
    size(page, *TABLET)
    with site.visitor() as visitor:
        site.show(page, hands_on()(visitor))
        danger = page.evaluate("getComputedStyle(document.querySelector('#act-stop')).color")
        for way in (refuse, refuse_alone):
            if way is refuse_alone:
                cut_off(page)
            way(page)
            said = page.locator("#session-said")
            expect(said).to_have_count(1)
            for part in ("color", "border-top-color"):
                shown = said.evaluate(f"(e) => getComputedStyle(e).getPropertyValue('{part}')")
                assert shown != danger
            page.wait_for_timeout(3_000)
            expect(said).to_have_count(1)
            expect(said).to_have_count(0, timeout=4_000)


@pytest.mark.parametrize("screen", [TABLET, PHONE, PHONE[::-1]])
def test_a_tap_on_the_time_bar_says_what_the_step_is_and_does_not_pause(
    site: InProcess, context: BrowserContext, screen: tuple[int, int]
) -> None:
    """Seen to fail with a tap on the bar that paused."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, hands_on()(visitor))
        step = page.locator(".segment").nth(3)
        box = step.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] - 12)  # a fingertip beside it
        words = step.locator("title").text_content()
        assert words
        expect(page.locator("#session-said")).to_have_text(words)
        page.wait_for_timeout(700)
        expect(page.locator("#session-live")).to_have_attribute("data-status", "running")
        page.locator(".digits").click()
        expect(page.locator("#session-live")).to_have_attribute("data-status", "paused")


@pytest.mark.parametrize("screen", ASIDE.values(), ids=ASIDE)
@pytest.mark.parametrize("asked", ["doubt", "cups"])
def test_the_stop_stays_where_it_is_when_something_is_asked(
    site: InProcess, context: BrowserContext, screen: tuple[int, int], asked: str
) -> None:
    """Seen to fail with a second row of 64 px while asked something, and with scrolled controls."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, (hands_on() if asked == "doubt" else cups_on(""))(visitor))
        before = boxes(page, "#act-stop")["#act-stop"]
        if asked == "doubt":
            site.show(page, doubted(visitor))
        else:
            press("Pause")(page)
        page.locator(".stage-ask").wait_for()
        page.evaluate(FRAME)
        after = boxes(page, "#act-stop", ".stage-ask", ".step-figure .figure")
        assert after["#act-stop"][1::2] == before[1::2]  # beside it another control may come
        assert asked == "cups" or after["#act-stop"] == before
        assert asked == "cups" or after[".step-figure .figure"]
        controls = boxes(page, "#acts")["#acts"]
        assert after[".stage-ask"][3] <= controls[1] + 8


@pytest.mark.parametrize("screen", [TABLET, PHONE])
@pytest.mark.parametrize("theirs", ["cannot save", "no longer joined"])
def test_what_stays_to_be_said_covers_nothing(
    site: InProcess, context: BrowserContext, theirs: str, screen: tuple[int, int]
) -> None:
    """Seen to fail with every message over the foot of the stage."""
    page = context.new_page()
    size(page, *screen)
    with site.visitor() as visitor:
        site.show(page, path := hands_on()(visitor))
        before = boxes(page, "#act-stop")["#act-stop"]
        if theirs == "cannot save":
            disk("failing", at(path))(visitor)
            page.evaluate("document.body.dispatchEvent(new Event('resync'))")
        else:
            shut_out(page)
        note = page.locator(".note", has_text=theirs)
        note.wait_for()
        page.evaluate(FRAME)
        shown = boxes(page, ".note:not([hidden])", ".stage-foot", ".digits", "#act-stop")
        assert shown["#act-stop"] == before
        said = shown.pop(".note:not([hidden])")
        assert [name for name, box in shown.items() if meet(box, said)] == []


@pytest.mark.parametrize("width", [390, 360])
def test_the_minutes_stand_in_one_row_on_a_phone(
    site: InProcess, context: BrowserContext, width: int
) -> None:
    """Seen to fail with a field of one width."""
    page = context.new_page()
    size(page, width, 800)
    with site.visitor() as visitor:
        for state in STATES:
            if state.name not in ("protocol", "protocol-clearance", "protocol-nearest"):
                continue
            site.show(page, state.make(visitor))
            middles = page.evaluate(
                """() => [...document.querySelector('.fit-ask').children]
                .map((e) => e.getBoundingClientRect())
                .map(({ top, bottom }) => Math.round((top + bottom) / 2))"""
            )
            assert len(middles) == 4
            assert max(middles) - min(middles) <= 2, state.name
            assert page.evaluate(WIDE) <= 0
            field = page.locator("#minutes")
            field.fill("22.5")
            assert field.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, state.name


@pytest.mark.parametrize("width", [390, 360, 1280])
def test_the_other_numbers_stand_below_the_button(
    site: InProcess, context: BrowserContext, width: int
) -> None:
    """Seen to fail with the words running on beside the button and below it."""
    page = context.new_page()
    size(page, width, 800)
    with site.visitor() as visitor:
        for make in (session("start", "stop"), session("start", "low", protocol=LEGS)):
            path = make(visitor)
            for shown in (path, f"{path}/summary"):
                site.show(page, shown)
                page.evaluate("document.querySelector('.stop-call .button').id = 'call'")
                words = page.locator(".stop-call p", has_text="Another number").bounding_box()
                button = boxes(page, "#call")["#call"]
                assert words
                assert words["y"] >= button[3] - 1
                assert round(words["x"]) == button[0]


@pytest.mark.parametrize("typed", ["99:99", "abc", '"><b>'])
def test_a_time_that_is_none_is_shown_as_it_was_typed(
    site: InProcess, context: BrowserContext, typed: str
) -> None:
    """Seen to fail with a field for times, which throws it away."""
    page = context.new_page()
    size(page, *PHONE)
    with site.visitor() as visitor:
        session_id = hands_on()(visitor).rsplit("/", 1)[1]
        site.show(page, visitor.act(session_id, "end-at", htmx=False, time=typed))
        field = page.get_by_label("Must end at")
        expect(field).to_be_visible()
        assert field.input_value() == typed
        field.fill("10:05")
        page.get_by_role("button", name="Fit to that").click()
        expect(page.locator("#end-time")).to_have_attribute("type", "time")
        expect(page.locator("#end-time")).to_have_value("")
