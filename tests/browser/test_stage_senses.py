"""What a session sounds like, its control without a clean hand, and that the screen stays on.

The platform's own interfaces are replaced by recorders; times are milliseconds of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Watch
from tests.browser.recording import allowed, chimes, has_status, heard, hears, hears_chime, press

Prepared = Callable[..., Page]


def test_a_whole_session_is_spoken_and_chimed_in_order_and_on_time(
    recorded: Prepared, watch: Watch
) -> None:
    page = recorded("sounding")
    press(page, "Start")
    has_status(page, "running")
    began = page.evaluate(  # on the page's clock; server and page share the machine's
        "JSON.parse(document.querySelector('#session-live').dataset.events)[0][1]"
        " - performance.timeOrigin"
    )
    has_status(page, "finished", 50_000)
    expect(page.locator("#session-status")).to_contain_text("Finished")
    page.wait_for_timeout(300)
    spoken = heard(page, "say")
    assert [entry["text"] for entry in spoken] == [
        "Phase one. Back. Flat, warm hands.",
        "Slower now.",
        "Ten seconds.",
        "Phase two. Back. Flat, warm hands.",
        "Rest. Lie still.",
        "Finished.",
    ]
    for entry, due in zip(spoken, (0, 5_000, 15_000, 25_000, 30_000, 35_000), strict=True):
        assert entry["at"] - began == pytest.approx(due, abs=allowed(page, entry["at"]) + 60), entry
    found = chimes(page)
    assert [name for name, _ in found] == ["ten", "change", "end", "end"]
    for (_, at), expected in zip(found, (15_000, 25_000, 30_000, 35_000), strict=True):
        assert at - began == pytest.approx(expected, abs=allowed(page, at))
    assert len(heard(page, "buzz")) == 4
    assert watch.errors == []


@pytest.mark.parametrize(("mode", "taps"), [("Chimes", 1), ("Silent", 2)])
def test_one_tap_changes_between_voice_chimes_and_silence(
    recorded: Prepared, mode: str, taps: int
) -> None:
    page = recorded("short")
    for _ in range(taps):
        page.locator("session-voice button").click()
    expect(page.locator("session-voice button")).to_have_text(mode)
    page.evaluate("window.heard.length = 0")
    press(page, "Start")
    has_status(page, "finished", 25_000)
    page.wait_for_timeout(300)
    assert heard(page, "say") == []
    names = [name for name, _ in chimes(page)]
    assert names == (["change", "end", "end"] if mode == "Chimes" else ["end"])
    page.reload()
    expect(page.locator("session-voice button")).to_have_text(mode)


def test_a_pause_silences_what_was_to_come(recorded: Prepared) -> None:
    page = recorded("short")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(500)
    press(page, "Pause")
    has_status(page, "paused")
    page.wait_for_timeout(300)
    assert chimes(page) == []
    hears(page, r"^Paused\.$")


CASES: list[tuple[dict[str, Any], list[list[Any]]]] = [
    # hands, total, ends, cues -> [at, chime, say]
    (
        {"total": 60_000},
        [[30_000, "half", None], [50_000, "ten", "Ten seconds."], [60_000, "change", None]],
    ),
    ({"total": 39_999}, [[29_999, "ten", "Ten seconds."], [39_999, "change", None]]),
    ({"total": 24_999}, [[24_999, "change", None]]),
    ({"total": 60_000, "hands": False}, [[60_000, "change", None]]),
    ({"total": 20_000, "wait": True}, [[20_000, "end", None]]),
    ({"total": 20_000, "last": True}, [[20_000, "end", None]]),
    ({"total": 20_000, "lastHands": True}, [[20_000, "end", None]]),
    ({"total": 20_000, "ends": None}, []),
    (
        {"total": 20_000, "cues": [[5, "a"], ["half", "b"], [-3, "c"]]},
        [[5_000, None, "a"], [10_000, None, "b"], [17_000, None, "c"], [20_000, "change", None]],
    ),
    (  # a line of the phase's own is never cut off by "Ten seconds.", and comes with its chime
        {"total": 60_000, "cues": [["half", "a"], [-10, "b"]]},
        [
            *([30_000, "half", None], [30_000, None, "a"]),
            *([50_000, "ten", None], [50_000, None, "b"], [60_000, "change", None]),
        ],
    ),
    (
        {"total": 25_000, "cues": [["half", "a"]]},
        [[12_500, None, "a"], [15_000, "ten", None], [25_000, "change", None]],
    ),
    (
        {"total": 26_000, "cues": [["half", "a"]]},
        [[13_000, None, "a"], [16_000, "ten", "Ten seconds."], [26_000, "change", None]],
    ),
]


def test_which_cue_comes_when(visit: Visit) -> None:
    page = visit("/settings", bypass_csp=True)
    source = page.locator('script[src*="device-settings"]').get_attribute("src")
    assert source is not None
    module = source.replace("page/device-settings", "audio/session-voice")
    for given, expected in CASES:
        found = page.evaluate(
            """async ([module, given]) => {
                const { cuesOf } = await import(module);
                const ends = given.ends === null ? null : given.total;
                const speech = { cues: given.cues ?? [], hands: given.hands ?? true,
                                 lastHands: given.lastHands ?? false, rest: false };
                const row = { id: "a", begins: 0, ends, wait: given.wait ?? false };
                return cuesOf(row, speech, given.total, given.last ?? false)
                    .map((cue) => [cue.at, cue.chime ?? null, cue.say ?? null]);
            }""",
            [module, given],
        )
        assert found == expected, given


# -- without a clean hand ------------------------------------------------------------------------


def test_a_knuckle_on_the_stage_pauses_and_goes_on(recorded: Prepared) -> None:
    page = recorded("long", has_touch=True)
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(700)
    page.locator(".digits").tap()
    has_status(page, "paused")
    page.wait_for_timeout(700)
    page.locator(".step-words").tap()
    has_status(page, "running")


@pytest.mark.parametrize(
    ("key", "step"), [("ArrowRight", "two"), ("PageDown", "two"), ("ArrowDown", "two")]
)
def test_keys_of_pedals_and_clickers_go_on_and_back(
    recorded: Prepared, key: str, step: str
) -> None:
    page = recorded("long")
    page.keyboard.press(" ")
    has_status(page, "running")
    live = page.locator("#session-live")
    page.wait_for_timeout(650)
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press(key)
    expect(live).to_have_attribute("data-step", step)
    page.wait_for_timeout(650)
    page.keyboard.press("PageUp")
    expect(live).to_have_attribute("data-step", "one")
    page.wait_for_timeout(650)
    page.keyboard.press("MediaPlayPause")
    has_status(page, "paused")


def test_a_space_after_a_tap_pauses_and_presses_nothing_again(recorded: Prepared) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(450)
    press(page, "Next")
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")
    page.wait_for_timeout(650)
    page.keyboard.press(" ")
    has_status(page, "paused")
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")


def test_after_a_stop_no_key_and_no_voice_goes_on(recorded: Prepared) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.context.set_offline(True)
    press(page, "Pain: stop")
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    expect(page.locator("#session-controls")).to_be_hidden()
    page.evaluate("window.heard.length = 0")
    page.wait_for_timeout(650)
    for key in ("ArrowRight", " ", "t", "s"):
        page.keyboard.press(key)
    expect(page.locator("#session-unsent")).to_contain_text("The stop counts here.")
    assert heard(page, "say") == []
    page.context.set_offline(False)
    expect(page.locator("#session-live")).to_have_attribute("data-seq", "2", timeout=9_000)
    has_status(page, "stopped")


def test_two_presses_within_a_moment_are_one(recorded: Prepared) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(650)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")
    page.wait_for_timeout(800)
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")


def test_the_time_and_the_step_are_told_on_demand(recorded: Prepared) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.keyboard.press("t")
    expect(page.locator("#session-status")).to_have_text(
        re.compile(r"^(2 minutes|1 minute 5\d seconds) left\.$")
    )
    page.keyboard.press("s")
    hears(page, r"^Phase one\. Back\.")
    page.locator("summary", has_text="More").click()
    press(page, "How long?")
    hears(page, r"left\.$")


def test_a_tap_by_mistake_is_taken_back_for_five_seconds(recorded: Prepared) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(500)
    press(page, "Next")
    live = page.locator("#session-live")
    expect(live).to_have_attribute("data-step", "two")
    press(page, "Undo: go back")
    expect(live).to_have_attribute("data-step", "one")
    expect(page.locator("#undo")).to_be_hidden()
    page.wait_for_timeout(450)
    press(page, "Next")
    expect(live).to_have_attribute("data-step", "two")
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator("#undo")).to_be_hidden(timeout=7_000)


def test_the_lock_keeps_taps_out_and_opens_by_a_slow_hold(recorded: Prepared) -> None:
    page = recorded("long", has_touch=True)
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(700)
    press(page, "Lock")
    page.touchscreen.tap(100, 760)  # where Back lies
    page.touchscreen.tap(640, 300)
    page.wait_for_timeout(300)
    has_status(page, "running")
    expect(page.locator("#lock-cover")).to_be_visible()
    page.keyboard.press("PageDown")  # a pedal still works
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")
    page.wait_for_timeout(650)
    page.keyboard.press(" ")
    has_status(page, "paused")
    expect(page.locator("#lock-cover")).to_be_visible()
    page.mouse.move(640, 300)
    page.mouse.down()
    page.wait_for_timeout(1_500)
    page.mouse.up()
    expect(page.locator("#lock-cover")).to_be_hidden()


def test_any_key_can_be_learned_and_forgotten(recorded: Prepared) -> None:
    page = recorded("long")
    session = page.url
    page.goto("/settings")
    press(page, "Learn: Next")
    page.keyboard.press("F9")
    expect(page.locator("#learn-note")).to_have_text("“F9” is Next now.")
    page.goto(session)
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(650)
    page.keyboard.press("F9")
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two")
    page.goto("/settings")
    press(page, "Forget F9")
    expect(page.locator("#learned li")).to_have_count(0)


# -- awake, pre-flight, themes -------------------------------------------------------------------


def locks(page: Page) -> list[bool]:
    found: list[bool] = page.evaluate("window.locks.map((lock) => !lock.released)")
    return found


def test_the_screen_stays_on_while_it_runs_and_is_taken_again_after_a_return(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    assert not any(locks(page))  # the pre-flight has only tried it
    page.evaluate("window.locks.length = 0")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_function("() => window.locks.length === 1")
    page.evaluate("window.locks[0].released = true")  # what browsers do with a hidden page
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => window.locks.length === 2")
    press(page, "Pain: stop")
    page.wait_for_function("() => window.locks.every((lock) => lock.released)")


def test_the_pre_flight_names_what_can_fail_and_blocks_nothing(recorded: Prepared) -> None:
    page = recorded("long")
    lines = page.locator("pre-flight li:visible strong").all_text_contents()
    assert lines[:6] == ["Sound", "Voice", "Vibration", "Screen", "Link", "Offline"]
    press(page, "Play")
    expect(page.locator("[data-line=sound]")).to_contain_text("Heard it?")
    hears_chime(page, "change")
    page.locator('[data-check="heard-sound"]').click()
    expect(page.locator("[data-line=sound]")).to_have_attribute("data-state", "fine")
    expect(page.locator("[data-line=link]")).to_contain_text("ms")
    press(page, "Start")
    expect(page.locator("pre-flight")).to_be_hidden()


def contrast(page: Page, selector: str) -> float:
    ratio: float = page.evaluate(
        """(selector) => {
            const element = document.querySelector(selector);
            const canvas = document.createElement("canvas")
                .getContext("2d", { willReadFrequently: true });
            const luminance = (color) => {
                canvas.clearRect(0, 0, 1, 1);
                canvas.fillStyle = color;
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => {
                    const c = v / 255;
                    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            let ground = element;
            const clear = /rgba\\(0, 0, 0, 0\\)|transparent/;
            while (clear.test(getComputedStyle(ground).backgroundColor)) {
                if (!ground.parentElement) break;
                ground = ground.parentElement;
            }
            const [a, b] = [luminance(getComputedStyle(element).color),
                            luminance(getComputedStyle(ground).backgroundColor)];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }""",
        selector,
    )
    return ratio


@pytest.mark.parametrize("theme", ["light", "dark", "dim"])
def test_each_theme_is_applied_at_once_and_readable(recorded: Prepared, theme: str) -> None:
    page = recorded("long")
    session = page.url
    page.goto("/settings")
    page.locator(f'input[name="theme"][value="{theme}"]').check()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.goto(session)
    press(page, "Start")
    has_status(page, "running")
    for selector in (
        ".digits",
        ".step-name",
        ".step-place",
        ".step-lines li",
        ".step-next strong",
        "#act-toggle",
        "#act-next",
        "#act-stop",
    ):
        assert contrast(page, selector) >= 7, (theme, selector)


def test_nothing_moves_when_phases_change(recorded: Prepared) -> None:
    page = recorded("short")
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries())
                if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: false }); }"""
    )
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(700)
    page.evaluate("window.shift = 0")
    expect(page.locator("#session-live")).to_have_attribute("data-step", "two", timeout=9_000)
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.shift") == 0
