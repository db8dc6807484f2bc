"""Every control of the stage by touch, keyboard alone, pedals and media keys; and taking back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit, Watch
from tests.browser.recording import has_status, hears, press
from webapp.domain.session import ANY_STATUS

Prepared = Callable[..., Page]
BETWEEN_MS = 650  # two acts within 600 ms count as one


@dataclass
class Hand:
    """Somebody who has nothing but a fingertip, or nothing but a keyboard."""

    page: Page
    way: str

    def use(self, control: Locator) -> None:
        expect(control).to_be_visible()
        if self.way == "touch":
            control.tap()
            return
        for _ in range(80):
            if control.evaluate("(element) => element === document.activeElement"):
                break
            self.page.keyboard.press("Tab")
        else:
            raise AssertionError(f"not reached by the tab key: {control}")
        self.page.keyboard.press("Enter")

    def press(self, name: str) -> None:
        self.page.wait_for_timeout(450)
        self.use(self.page.get_by_role("button", name=name, exact=True))

    def has(self, **data: str) -> None:
        live = self.page.locator("#session-live")
        for name, value in data.items():
            expect(live).to_have_attribute(f"data-{name}", value)


def acts(watch: Watch) -> set[str]:
    posts = [line for line in watch.requests if line.startswith("POST ")]
    found = {re.search(r"/sessions/[^/]+/([\w-]+)$", line) for line in posts}
    return {match[1] for match in found if match}


@pytest.mark.parametrize("way", ["touch", "keyboard"])
def test_every_control_answers_to_a_fingertip_and_to_a_keyboard_alone(
    recorded: Prepared, watch: Watch, way: str
) -> None:
    device = {"has_touch": True} if way == "touch" else {}
    page = recorded("long", **device)
    hand = Hand(page, way)
    hand.press("Start")
    hand.has(status="running", step="one")
    hand.press("Pause")
    hand.has(status="paused")
    hand.press("Resume")
    hand.has(status="running")
    hand.press("Next")
    hand.has(step="two")
    hand.press("Back")
    hand.has(step="one", seq="5")
    hand.press("+30 s")
    hand.has(seq="6", **{"planned-ms": "150000"})
    hand.use(page.locator("summary", has_text="More"))
    hand.press("Restart this phase")
    hand.has(seq="7", **{"planned-ms": "150000"})
    page.get_by_label("Must end at").fill(clock_in(5 * 60 + 30))
    hand.press("Fit to that")
    hand.has(seq="8")
    hand.press("Undo the new end")
    hand.has(seq="9")
    hand.press("Say it again")
    hears(page, r"^Phase one\. Back")
    hand.press("How long?")
    hears(page, r"left\.$")
    hand.use(page.locator("summary", has_text="More"))
    for before, after in [("Voice", "Chimes"), ("Chimes", "Silent"), ("Silent", "Voice")]:
        hand.press(before)
        expect(page.locator("session-voice button")).to_have_text(after)
    hand.press("Lock")
    open_lock(hand)
    hand.press("End")
    hand.has(status="running", step="rest")
    hand.press("Undo: go on")
    hand.has(status="running", step="one")
    hand.press("Pain: stop")
    hand.has(status="stopped")

    page = hand.page = recorded_again(page, "cups")
    hand.press("Start")
    hand.has(status="running")
    hand.press("Pause")
    hand.press("Cups are off")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    first = page.url

    page = hand.page = recorded_again(page, "feet")
    hand.press("Start")
    expect(page.locator("#session-others")).to_contain_text("Another session is still running")
    hand.press("Start this one as well")
    hand.has(status="running")
    hand.press("Signs of a low")
    hand.has(status="stopped")
    assert page.url != first
    assert acts(watch) == set(ANY_STATUS)
    expected = "409"  # the question whether a second session is meant is the only refusal
    assert [e for e in watch.errors if expected not in e] == []
    assert len(watch.errors) == 1


def clock_in(seconds: int) -> str:
    return time.strftime("%H:%M", time.localtime(time.time() + seconds))


def open_lock(hand: Hand) -> None:
    cover = hand.page.locator("#lock-cover")
    expect(cover).to_be_visible()
    if hand.way == "keyboard":
        hand.press("Hold to open")
    else:
        cover.tap(position={"x": 300, "y": 300})
        hand.page.wait_for_timeout(300)
        expect(cover).to_be_visible()
        hand.page.mouse.move(300, 300)
        hand.page.mouse.down()
        hand.page.wait_for_timeout(1_400)
        hand.page.mouse.up()
    expect(cover).to_be_hidden()


def recorded_again(page: Page, name: str) -> Page:
    """Another session on the same device."""
    from tests.browser.answers import answer_safely

    page.goto(f"/protocols/{name}/screening")
    answer_safely(page)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#session-live")
    expect(page.locator(":not(:defined):not(count-wedge)")).to_have_count(0)
    return page


KEYS: list[tuple[str, dict[str, str]]] = [
    (" ", {"status": "running"}),
    ("Enter", {"status": "paused"}),
    ("MediaPlayPause", {"status": "running"}),
    ("ArrowRight", {"step": "two"}),
    ("ArrowLeft", {"step": "one"}),
    ("ArrowDown", {"step": "two"}),
    ("ArrowUp", {"step": "one"}),
    ("PageDown", {"step": "two"}),
    ("PageUp", {"step": "one"}),
    ("MediaTrackNext", {"step": "two"}),
    ("MediaTrackPrevious", {"step": "one"}),
    ("PageDown", {"step": "two"}),
    ("u", {"step": "one"}),
    ("PageDown", {"step": "two"}),
    ("U", {"step": "one"}),
]


def test_every_usual_key_of_keyboards_pedals_and_clickers_does_its_act(recorded: Prepared) -> None:
    page = recorded("long")
    hand = Hand(page, "keyboard")
    page.locator("body").focus()
    for key, expected in KEYS:
        if key.lower() == "u":
            expect(page.locator("#undo")).to_be_visible()
        else:
            page.wait_for_timeout(BETWEEN_MS)
        page.keyboard.press(key)
        hand.has(**expected)
    for key, words in [("s", r"^Phase one\."), ("S", r"^Phase one\."), ("t", "^1 minute")]:
        page.evaluate("window.heard.length = 0")
        page.keyboard.press(key)
        hears(page, words)


def test_a_pedal_works_while_the_menu_is_open_and_a_field_keeps_its_keys(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    hand = Hand(page, "keyboard")
    press(page, "Start")
    hand.has(status="running")
    page.locator("summary", has_text="More").click()
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press("PageDown")
    hand.has(step="two", seq="2")
    page.get_by_label("Must end at").focus()
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("s")
    page.wait_for_timeout(300)
    hand.has(step="two", seq="2")


def test_a_key_that_was_learned_takes_back(recorded: Prepared) -> None:
    page = recorded("long")
    session = page.url
    page.goto("/settings")
    press(page, "Learn: Undo")
    page.keyboard.press("F8")
    expect(page.locator("#learn-note")).to_have_text("“F8” is Undo now.")
    page.goto(session)
    press(page, "Start")
    hand = Hand(page, "keyboard")
    hand.has(status="running")
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press("PageDown")
    hand.has(step="two")
    expect(page.locator("#undo")).to_be_visible()
    page.keyboard.press("F8")
    hand.has(step="one")


# -- the focus after a touch --------------------------------------------------------------------


def stands(page: Page, **expected: str) -> None:
    """On the page, and on the server."""
    Hand(page, "").has(**expected)
    answer = page.request.get(f"{page.url}/live").text()
    for name, value in expected.items():
        assert f'data-{name}="{value}"' in answer, name


def touch(control: Locator, way: str) -> None:
    if way == "tap":
        control.tap()
    elif way == "double tap":
        box = control.bounding_box()
        assert box
        for _ in range(2):
            control.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    elif way == "click":
        control.click()
    else:
        control.dblclick()


def touch_long(page: Page, control: Locator) -> None:
    box = control.bounding_box()
    assert box
    fingers = page.context.new_cdp_session(page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    page.wait_for_timeout(800)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


TOUCHED: list[tuple[str, str, dict[str, str], str, dict[str, str]]] = [
    # what is touched, how, what that does, the key after it, and what that does
    ("#act-next", "double tap", {"step": "two"}, " ", {"status": "paused", "step": "two"}),
    ("#act-extend", "double tap", {"planned-ms": "150000"}, "Enter", {"status": "running"}),
    ("#act-extend", "dblclick", {"planned-ms": "180000"}, " ", {"status": "paused"}),
    ("#act-back", "dblclick", {"step": "one"}, "Enter", {"status": "running", "step": "one"}),
    ("#act-next", "click", {"step": "two"}, " ", {"status": "paused", "step": "two"}),
    ("session-voice button", "tap", {}, "Enter", {"status": "running"}),
    ("summary", "tap", {}, " ", {"status": "paused"}),
    ("[data-ask=step]", "double tap", {}, "Enter", {"status": "running"}),
    ("#end-time", "tap", {}, "Tab", {"status": "running"}),  # a field keeps what it gets
    ("#act-toggle", "double tap", {"status": "paused"}, "PageDown", {"step": "three"}),
    ("[data-ask=time]", "dblclick", {}, " ", {"status": "running", "step": "three"}),
]


def test_after_a_touch_of_any_control_keys_do_what_the_settings_say(recorded: Prepared) -> None:
    page = recorded("long", has_touch=True)
    page.locator("#act-toggle").tap()
    stands(page, status="running", step="one")
    pressed = time.monotonic()
    page.wait_for_timeout(BETWEEN_MS)
    for target, way, done, key, expected in TOUCHED:
        control = page.locator(target)
        touch(control, way)
        Hand(page, "").has(**done)
        page.wait_for_timeout(max(0, BETWEEN_MS - 1_000 * (time.monotonic() - pressed)))
        seen = page.evaluate(SEEN)
        page.keyboard.press(key)
        pressed = time.monotonic()
        stands(page, **{**seen["data"], **expected})
        assert page.evaluate(SEEN)["others"] == seen["others"], (target, key)


# what an act by a key leaves of the session, and whatever else a control may do
SEEN = """() => { const { status, step } = document.querySelector("#session-live").dataset;
  return { data: { status, step }, others: [document.querySelector("session-voice").textContent,
    document.querySelector("#session-more")?.open,
    window.heard.filter(({ text }) => /left\\.$|^Phase one/.test(text)).length] }; }"""


def test_no_key_presses_what_a_finger_or_a_request_has_left_the_focus_on(
    recorded: Prepared,
) -> None:
    page = recorded("long", has_touch=True)
    page.keyboard.press(" ")
    stands(page, status="running", step="one")
    held: list[Route] = []
    page.route("**/next", lambda route: held.append(route))
    touch(page.locator("#act-next"), "double tap")
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press("Enter")  # while the answer is on its way
    assert held
    held[0].continue_()
    stands(page, status="running", step="two", seq="2")
    page.unroute("**/next")
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press(" ")
    stands(page, status="paused", step="two", seq="3")
    page.locator("#act-next").focus()
    page.keyboard.press("Shift")
    touch_long(page, page.locator(".step-name"))  # leaves the focus where it was
    page.keyboard.press("Enter")
    stands(page, status="running", step="two", seq="4")
    page.locator("#lock").tap()
    page.get_by_role("button", name="Hold to open").tap()
    page.wait_for_timeout(BETWEEN_MS)
    page.keyboard.press(" ")
    stands(page, status="paused", step="two", seq="5")
    expect(page.locator("#lock-cover")).to_be_visible()


def test_a_pedal_does_not_confirm_that_cups_are_off(recorded: Prepared) -> None:
    page = recorded("cups")
    for key, expected in [
        (" ", {"status": "running", "seq": "1"}),
        (" ", {"status": "paused", "seq": "2"}),
        ("PageDown", {"status": "paused", "step": "two", "seq": "3"}),
        (" ", {"status": "paused", "step": "two", "seq": "3"}),  # nothing to resume here yet
    ]:
        page.keyboard.press(key)
        page.wait_for_timeout(BETWEEN_MS)
        stands(page, **expected)
    expect(page.get_by_role("button", name="Cups are off")).to_be_visible()


def test_a_control_reached_by_tab_is_pressed_and_keeps_the_focus(recorded: Prepared) -> None:
    page = recorded("long", has_touch=True)
    page.locator("#act-toggle").tap()
    stands(page, status="running", step="one")
    page.wait_for_timeout(BETWEEN_MS)
    touch(page.locator("#act-next"), "double tap")
    stands(page, step="two")
    hand = Hand(page, "keyboard")
    extend = page.locator("#act-extend")
    hand.use(extend)
    stands(page, status="running", **{"planned-ms": "150000"})
    expect(extend).to_be_focused()
    page.keyboard.press(" ")
    stands(page, status="running", **{"planned-ms": "180000"})
    expect(extend).to_be_focused()
    page.keyboard.press("PageDown")
    stands(page, status="running", step="three")
    expect(extend).to_be_focused()
    hand.use(page.locator("#act-toggle"))
    stands(page, status="paused", step="three")
    expect(page.locator("#act-toggle")).to_be_focused()
    summary = page.locator("summary", has_text="More")
    hand.use(summary)
    expect(page.locator("#session-more")).to_have_attribute("open", "")
    expect(summary).to_be_focused()
    hand.use(page.locator("#lock"))
    hand.use(page.get_by_role("button", name="Hold to open"))
    expect(page.locator("#lock")).to_be_focused()


# -- media keys ----------------------------------------------------------------------------------


def headset(page: Page, name: str) -> None:
    """What the browser calls when a headset sends ``name``."""
    page.wait_for_timeout(BETWEEN_MS)
    page.evaluate("(name) => window.media.handlers[name]()", name)


SILENT_FILES = (
    "performance.getEntriesByType('resource').map((e) => e.name)"
    ".filter((name) => name.includes('/media/'))"
)


def silent_files(page: Page) -> list[str]:
    found: list[str] = page.evaluate(SILENT_FILES)
    return found


def choose(page: Page, name: str, value: str) -> None:
    """Set this device before the session's page is opened again."""
    session = page.url
    page.goto("/settings")
    page.locator(f'input[name="{name}"][value="{value}"]').check()
    page.goto(session)
    expect(page.locator(":not(:defined):not(count-wedge)")).to_have_count(0)


def test_a_headset_controls_the_session_and_never_starts_or_resumes_it_by_being_pulled_out(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    choose(page, "headset", "on")
    hand = Hand(page, "keyboard")
    # The module of the media keys is loaded once the stage has told of its step.
    page.wait_for_function("() => Object.keys(window.media.handlers).length")
    assert set(page.evaluate("Object.keys(window.media.handlers)")) == {
        "play",
        "pause",
        "stop",
        "nexttrack",
        "previoustrack",
    }
    for name in ("play", "pause", "stop", "nexttrack", "previoustrack"):
        headset(page, name)
    hand.has(status="ready", seq="0")
    press(page, "Start")
    hand.has(status="running")
    headset(page, "play")  # it runs already
    headset(page, "nexttrack")
    hand.has(status="running", step="two", seq="2")
    headset(page, "previoustrack")
    hand.has(step="one", seq="3")
    for name in ("pause", "pause", "stop"):  # pulled out, and once more
        headset(page, name)
    page.wait_for_timeout(300)
    hand.has(status="paused", seq="4")
    headset(page, "play")
    hand.has(status="running", seq="5")
    headset(page, "stop")
    hand.has(status="paused", seq="6")
    press(page, "Pain: stop")
    hand.has(status="stopped")
    for name in ("play", "pause", "nexttrack", "previoustrack"):
        headset(page, name)
    hand.has(status="stopped", seq="7")


def told(page: Page, state: str) -> dict[str, Any]:
    """What the headset is told, once that is this state; the rest is told in the same moment."""
    page.wait_for_function("state => navigator.mediaSession.playbackState === state", arg=state)
    found: dict[str, Any] = page.evaluate(
        """() => { const { metadata } = navigator.mediaSession;
             const { title, artist, album } = metadata ?? {};
             return { title, artist, album, position: window.media.position }; }"""
    )
    return found


def test_a_headset_is_told_what_is_on_and_a_silent_file_plays_only_by_choice(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(500)
    assert silent_files(page) == []
    assert page.evaluate("window.media.handlers") == {}
    assert told(page, "none")["title"] is None
    press(page, "Pain: stop")
    page = recorded_again(page, "long")
    choose(page, "headset", "on")
    press(page, "Start")
    has_status(page, "running")
    found = told(page, "playing")
    assert (found["title"], found["artist"]) == ("Phase one", "Back")
    assert found["album"] == "Test long"
    assert found["position"]["duration"] == 120
    assert found["position"]["position"] == pytest.approx(0, abs=1)
    page.wait_for_function(f"() => {SILENT_FILES}.length")
    (file,) = set(silent_files(page))
    assert file.endswith(("/media/silence.mp4", "/media/silence.webm"))
    press(page, "Pause")
    has_status(page, "paused")
    assert told(page, "paused")["position"] is None
    press(page, "Pain: stop")
    has_status(page, "stopped")
    assert told(page, "none")["title"] is None


# -- taking back ---------------------------------------------------------------------------------

UNDOABLE = [
    # before it, the act, what is offered, and where that leads
    ([], "Next", "Undo: go back", {"status": "running", "step": "one"}),
    (["Next"], "Back", "Undo: forward again", {"status": "running", "step": "two"}),
    (["Pause"], "Next", "Undo: go back", {"status": "paused", "step": "one"}),
    ([], "End", "Undo: go on", {"status": "running", "step": "one"}),
]


@pytest.mark.parametrize(("before", "act", "offer", "expected"), UNDOABLE)
def test_a_tap_by_mistake_is_taken_back(
    recorded: Prepared, before: list[str], act: str, offer: str, expected: dict[str, str]
) -> None:
    page = recorded("long")
    hand = Hand(page, "keyboard")
    for number, name in enumerate(["Start", *before, act], start=1):
        page.wait_for_timeout(450)
        press(page, name)
        hand.has(seq=str(number))
    undo = page.locator("#undo")
    expect(undo).to_have_accessible_name(offer)
    expect(undo).to_have_text(offer)
    expect(page.locator("#undo-status")).to_contain_text("U takes it back")
    box = undo.bounding_box()
    assert box
    assert box["height"] >= 56
    page.wait_for_timeout(450)
    undo.click()
    hand.has(**expected)
    expect(undo).to_be_hidden()
    page.wait_for_timeout(400)
    expect(undo).to_be_hidden()  # what takes back is not offered to be taken back


def test_a_pause_offers_no_undo_because_resume_stands_there(recorded: Prepared) -> None:
    """Seen to fail with *Undo: go on* over the top of the page beside Resume."""
    page = recorded("long")
    hand = Hand(page, "keyboard")
    for number, name in enumerate(["Start", "Pause", "Resume"], start=1):
        page.wait_for_timeout(450)
        press(page, name)
        hand.has(seq=str(number))
        page.wait_for_timeout(300)
        assert not page.locator("#undo").is_visible()


def test_undo_comes_with_the_answer_of_the_server_and_lasts_five_seconds(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    hand = Hand(page, "keyboard")
    press(page, "Start")
    hand.has(status="running")
    expect(page.locator("#undo")).to_be_hidden()
    held: list[Route] = []
    page.route("**/next", lambda route: held.append(route))
    page.wait_for_timeout(450)
    press(page, "Next")
    page.wait_for_timeout(1_500)
    assert held
    expect(page.locator("#undo")).to_be_hidden()
    held[0].continue_()
    hand.has(step="two")
    expect(page.locator("#undo")).to_be_visible()
    page.wait_for_timeout(4_300)
    expect(page.locator("#undo")).to_be_visible()
    page.wait_for_timeout(1_000)
    expect(page.locator("#undo")).to_be_hidden()
    page.keyboard.press("u")
    page.wait_for_timeout(300)
    hand.has(step="two", seq="2")


def test_what_the_server_refused_cannot_be_taken_back(recorded: Prepared) -> None:
    page = recorded("long")
    hand = Hand(page, "keyboard")
    press(page, "Start")
    hand.has(status="running")
    page.wait_for_timeout(450)
    page.evaluate("document.querySelector('#acts [name=seq]').value = '99'")
    press(page, "Next")
    expect(page.locator("#session-said")).to_contain_text("Nothing was changed")
    page.wait_for_timeout(300)
    expect(page.locator("#undo")).to_be_hidden()
    hand.has(step="one", seq="1")


def test_what_is_done_without_the_server_can_be_taken_back_as_well(recorded: Prepared) -> None:
    page = recorded("long")
    hand = Hand(page, "touch")
    press(page, "Start")
    hand.has(status="running")
    page.wait_for_timeout(450)
    page.context.set_offline(True)
    press(page, "Next")
    hand.has(step="two")
    expect(page.locator("#undo")).to_be_visible()
    page.locator("#undo").click()
    hand.has(step="one")


def test_undo_goes_when_another_screen_acts_or_the_step_is_over(
    recorded: Prepared, visit: Visit
) -> None:
    page = recorded("short")
    other = visit(page.url)
    hand = Hand(page, "keyboard")
    press(page, "Start")
    hand.has(status="running")
    page.wait_for_timeout(450)
    press(page, "Next")
    expect(page.locator("#undo")).to_be_visible()
    other.reload()
    press(other, "Pause")
    has_status(other, "paused")
    page.evaluate("document.body.dispatchEvent(new Event('resync'))")
    hand.has(status="paused")
    expect(page.locator("#undo")).to_be_hidden(timeout=300)
    page.wait_for_timeout(450)
    press(page, "Resume")
    hand.has(status="running")
    page.wait_for_timeout(1_500)
    press(page, "Back")
    expect(page.locator("#undo")).to_be_visible()
    hand.has(step="two")
    expect(page.locator("#undo")).to_be_hidden(timeout=300)
