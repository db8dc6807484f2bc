"""A whole session by ear, to the server's plan; sound, voice and screen when the platform fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.answers import answer_safely
from tests.browser.conftest import Visit, Watch, go
from tests.browser.recording import (
    CLOSE_ENOUGH_MS,
    allowed,
    chimes,
    has_status,
    heard,
    hears,
    hears_chime,
    press,
)
from tests.browser.refusing import (
    REFUSE,
    goes_on,
    ours,
    says_what_is_not_kept,
    stops_without_a_link,
)
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.real_server import free_port
from tests.support.threaded_server import serving
from webapp.app import create_app
from webapp.auth.devices import Devices
from webapp.domain.invites import Role
from webapp.settings import Settings

Prepared = Callable[..., Page]
STEP_MS = 5_000


def ends_by_the_server(page: Page) -> dict[str, float]:
    """When each step ahead ends, asked of the server now, in milliseconds of the page.

    The page's own countdown has no part in it.
    """
    found: dict[str, float] = page.evaluate(
        """async () => {
            let best = null;
            for (let i = 0; i < 5; i += 1) {
              const sent = performance.now();
              const answer = await fetch(`${location.pathname}/live`);
              const middle = (sent + performance.now()) / 2;
              const round = performance.now() - sent;
              if (!best || round < best.round) best = { round, middle, answer };
            }
            const behind = Number(best.answer.headers.get("X-Now")) - best.middle;
            const text = await best.answer.text();
            const now = Number(text.match(/data-now="(\\d+)"/)[1]);
            const rows = JSON.parse(text.match(/data-rows='([^']*)'/)[1].replaceAll("&#34;", '"'));
            return Object.fromEntries(rows.filter((row) => row[2] !== null)
                .map((row) => [row[0], now + row[2] - behind]));
        }"""
    )
    return found


def test_every_line_and_chime_of_a_whole_session_in_order_and_to_the_plan_of_the_server(
    recorded: Prepared, watch: Watch
) -> None:
    page = recorded("turning")
    press(page, "Start")
    has_status(page, "waiting")
    page.wait_for_timeout(700)
    press(page, "Next")
    has_status(page, "running")
    first = ends_by_the_server(page)
    expect(page.locator("#session-live")).to_have_attribute(
        "data-step", "change-2-right", timeout=50_000
    )
    page.wait_for_timeout(1_500)
    page.keyboard.press("PageDown")
    has_status(page, "running")
    second = ends_by_the_server(page)
    has_status(page, "finished", 14_000)
    expect(page.locator("#session-status")).to_contain_text("Finished")
    page.wait_for_timeout(300)
    back, left = first["back"], first["calf-left"]
    right, rest = second["calf-right"], second["rest"]
    assert left - back == right - (right - STEP_MS) == STEP_MS
    lines = [(entry["text"], entry["at"]) for entry in heard(page, "say")]
    expected = [
        ("Get ready. Warm hands.", None),  # at the tap
        ("Phase back. Back. Flat, warm hands.", back - 40_000),
        ("Slower now.", back - 35_000),
        ("Ten seconds.", back - 10_000),
        ("Phase calf. Left calf. Flat, warm hands.", back),
        ("Change sides. Turn round.", left),
        ("Phase calf. Right calf. Flat, warm hands.", right - STEP_MS),
        ("Rest. Lie still.", right),
        ("Finished.", rest),
    ]
    assert [text for text, _ in lines] == [text for text, _ in expected]
    for (text, at), (_, due) in zip(lines, expected, strict=True):
        assert due is None or at - due == pytest.approx(0, abs=allowed(page, at)), text
    due_chimes = [
        ("half", back - 20_000),
        ("ten", back - 10_000),
        ("change", back),
        ("change", left),
        ("end", right),
        ("end", rest),
    ]
    found = chimes(page)
    assert [name for name, _ in found] == [name for name, _ in due_chimes]
    for (name, at), (_, due) in zip(found, due_chimes, strict=True):
        assert at - due == pytest.approx(0, abs=allowed(page, at)), name
    assert len(heard(page, "buzz")) == len(due_chimes)
    assert watch.errors == []


def test_a_cue_that_is_due_while_the_stage_goes_on_is_neither_lost_nor_doubled(
    visit: Visit,
) -> None:
    page = visit("/settings", bypass_csp=True)
    source = page.locator('script[src*="device-settings"]').get_attribute("src")
    assert source is not None
    found = page.evaluate(
        """async (module) => {
            const { CuePlayer } = await import(module);
            const heard = [];
            const sound = { chime: (name, wait) => heard.push(["chime", name, wait > 0]),
                            cancel: (soon) => heard.push(["cancel", soon]),
                            vibrate: (name) => heard.push(["buzz", name]) };
            const player = new CuePlayer(sound, () => {});
            player.speech = Object.fromEntries(
                ["a", "b"].map((id) => [id, { cues: [], hands: true }]));
            const now = () => performance.now();
            const [ends, over] = [now() + 30, now() + 5000];
            const rows = [{ id: "a", begins: ends - 5000, ends },
                          { id: "b", begins: ends, ends: over }];
            player.plan({ status: "running", rows, total: 5000, now });
            while (now() < ends + 1); // the stage is first to notice: its rows begin after the cue
            const line = { status: "running", rows: rows.slice(1), total: 5000, now };
            player.plan(line);
            player.plan(line);
            await new Promise((done) => setTimeout(done, 200));
            player.plan({ ...line, status: "paused" });
            return heard.filter(([what]) => what !== "chime");
        }""",
        source.replace("page/device-settings", "audio/session-voice"),
    )
    assert found == [
        ["cancel", 0],
        ["cancel", 60],
        ["buzz", "change"],
        ["cancel", 60],
        ["cancel", 0],
    ]


# -- when the platform fails ---------------------------------------------------------------------


def test_after_a_call_that_left_sound_dead_it_is_made_anew_and_the_next_chime_sounds(
    recorded: Prepared,
) -> None:
    page = recorded("short")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(500)
    page.evaluate(
        """() => { const [context] = window.contexts.slice(-1);
             context.stoppedAt = context.currentTime; context.state = "interrupted"; }"""
    )
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    states = "window.contexts.map((context) => context.state)"
    page.wait_for_function(f"() => {states}.slice(-2).join() === 'closed,running'")
    contexts = page.evaluate(states)
    due = ends_by_the_server(page)["one"]
    has_status(page, "finished", 20_000)
    fresh = [entry for entry in heard(page, "tone") if entry["context"] == len(contexts) - 1]
    assert min(entry["at"] for entry in fresh) == pytest.approx(due, abs=CLOSE_ENOUGH_MS)


def test_sound_that_lives_is_left_alone_after_a_return_from_the_page_cache(
    recorded: Prepared,
) -> None:
    page = recorded("short")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_timeout(300)
    before = page.evaluate("window.contexts.length")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    has_status(page, "finished", 20_000)
    hears_chime(page, "change", "end", "end")
    assert page.evaluate("window.contexts.length") == before


def test_without_a_voice_a_soft_tone_stands_in_unless_a_chime_just_sounded(
    recorded: Prepared,
) -> None:
    page = recorded("sounding", "window.voiceless = true;")
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_function("() => window.heard.some(({ pitch }) => pitch === 587)")
    assert chimes(page)[0][0] == "note"
    due = ends_by_the_server(page)
    has_status(page, "finished", 45_000)
    page.wait_for_timeout(1_300)
    # the first line and "Slower now."; "Ten seconds." and the next step follow a chime of their own
    hears_chime(page, "note", "note", "ten", "change", "end", "end")
    second = chimes(page)[1][1]
    assert second - (due["one"] - 20_000) == pytest.approx(0, abs=allowed(page, second))
    assert heard(page, "say") == []


def test_music_goes_on_beside_it_and_steps_back_for_a_spoken_line(recorded: Prepared) -> None:
    page = recorded("long")
    session = "navigator.audioSession.type"
    press(page, "Start")
    has_status(page, "running")
    hears(page, "^Phase one")
    assert heard(page, "say")[-1]["session"] == "transient"
    page.evaluate("window.spoken.dispatchEvent(new Event('end'))")
    assert page.evaluate(session) == "ambient"
    address = page.url
    page.goto("/settings")
    page.locator('input[name="loud"][value="on"]').check()
    assert page.evaluate(session) == "playback"
    page.goto(address)
    expect(page.locator(":not(:defined):not(count-wedge)")).to_have_count(0)
    page.keyboard.press("s")
    hears(page, "^Phase one")
    assert heard(page, "say")[-1]["session"] == "playback"


@pytest.mark.parametrize(("still", "expected"), [(False, True), (True, False)])
def test_a_flash_is_a_choice_and_never_comes_with_reduced_motion(
    recorded: Prepared, *, still: bool, expected: bool
) -> None:
    page = recorded("short", reduced_motion="reduce" if still else "no-preference")
    watched = """() => { window.flashes = 0; new MutationObserver(() => {
        if (document.body.classList.contains('flash')) window.flashes += 1;
      }).observe(document.body, { attributes: true, attributeFilter: ['class'] }); }"""
    page.evaluate("document.documentElement.dataset.flash = 'on'")
    page.evaluate(watched)
    press(page, "Start")
    has_status(page, "finished", 20_000)
    if expected:
        page.wait_for_function("() => window.flashes >= 3")
    page.wait_for_timeout(200)
    assert page.evaluate("window.flashes") == (3 if expected else 0)


# -- awake ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "back",
    [
        "document.dispatchEvent(new Event('visibilitychange'))",
        "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    ],
)
def test_the_wake_lock_is_taken_again_after_every_return(recorded: Prepared, back: str) -> None:
    page = recorded("long")
    held = "window.locks.filter((lock) => !lock.released).length"
    page.evaluate("window.locks.length = 0")  # the pre-flight has tried one
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_function(f"() => {held} === 1")
    page.context.set_offline(True)  # an answer of the server would take it again as well
    for count in (2, 3):
        page.evaluate("window.locks.at(-1).released = true")  # what browsers do with a hidden page
        page.evaluate(back)
        page.wait_for_function("count => window.locks.length >= count", arg=count)
    page.wait_for_timeout(200)
    assert page.evaluate("[window.locks.length, " + held + "]") == [3, 1]
    assert page.locator("video").count() == 0
    files = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert not [name for name in files if "/media/" in name]


@pytest.fixture
def plain_http(tmp_path: Path, protocol_folder: Path) -> Iterator[tuple[str, str]]:
    """The site under a name, over http: to a browser that is an insecure place. Loopback only.

    Its address, and where a device joins.
    """
    port = free_port()
    (tmp_path / "named").mkdir()
    settings = Settings(tmp_path / "named", "steady.lan", port, protocol_folder)
    app = with_heartbeat(create_app(settings))
    site = app.extensions["site"]
    token = Devices(site.storage).invite(Role.OPERATOR, site.clock.now()).token
    with serving(app, port):
        yield settings.address, f"/join#{token}"


@pytest.fixture
def insecure(browser: Browser, plain_http: tuple[str, str], watch: Watch) -> Iterator[Page]:
    """A page ready to start where the browser has no wake lock."""
    flags = [*chromium.flags(), "--host-resolver-rules=MAP steady.lan 127.0.0.1"]
    other = browser.browser_type.launch(executable_path=chromium.for_tests(), args=flags)
    address, joining = plain_http
    page = watch.follow(other.new_context(base_url=address).new_page())
    page.goto(joining)
    page.wait_for_url(f"{address}/")
    page.goto("/protocols/long/screening")
    answer_safely(page)
    press(page, "Begin")
    expect(page.locator(":not(:defined):not(count-wedge)")).to_have_count(0)
    yield page
    other.close()


VIDEO = """() => { const video = document.querySelector('video');
  if (!video) return null;
  const { x, y, width, height } = video.getBoundingClientRect();
  return { at: video.currentTime, paused: video.paused, muted: video.muted, loop: video.loop,
           inline: video.playsInline, sound: video.webkitAudioDecodedByteCount > 0,
           whole: x === 0 && y === 0 && width >= innerWidth && height >= innerHeight,
           through: document.elementFromPoint(200, 200) !== video }; }"""


PLAYS = """() => { const video = document.querySelector("video");
  return video && !video.paused && video.currentTime > 0
    && video.webkitAudioDecodedByteCount > 0; }"""
PAUSED = "(paused) => document.querySelector('video').paused === paused"


def video(page: Page) -> dict[str, Any]:
    found: dict[str, Any] | None = page.evaluate(VIDEO)
    assert found is not None
    return found


def test_on_plain_http_a_silent_film_keeps_the_screen_on_while_the_session_is_live(
    insecure: Page, watch: Watch
) -> None:
    page = insecure
    assert page.evaluate("[isSecureContext, 'wakeLock' in navigator]") == [False, False]
    expect(page.locator("[data-line=screen]")).to_contain_text("Kept on by a silent video")
    alone = page.locator("[data-line=alone]")
    expect(alone).to_contain_text("no reload and no install: plain http")
    expect(alone.get_by_role("link", name="Why")).to_have_attribute("href", "/trust")
    assert page.locator("video").count() == 0
    press(page, "Start")
    has_status(page, "running")
    page.wait_for_function(PLAYS)
    first = video(page)
    assert (first["whole"], first["through"], first["sound"]) == (True, True, True)
    assert (first["muted"], first["loop"], first["inline"]) == (True, False, True)
    expect(page.locator("screen-awake")).to_be_empty()
    page.evaluate("document.querySelector('video').currentTime = 15.8")
    # it begins again before its end
    page.wait_for_function("() => document.querySelector('video').currentTime < 5")
    hidden = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => {} });"
    for value, paused in [("true", True), ("false", False)]:
        page.evaluate(hidden.replace("{} }", f"{value} }}"))
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_function(PAUSED, arg=paused)
    press(page, "Pause")  # in a pause the screen stays on as well
    has_status(page, "paused")
    page.wait_for_timeout(300)
    assert not video(page)["paused"]
    press(page, "Pain: stop")
    has_status(page, "stopped")
    page.wait_for_function(PAUSED, arg=True)
    # Chromium reports on every page of such a place that it takes no notice of this header
    assert [e for e in watch.errors if "Cross-Origin-Opener-Policy" not in e] == []


def test_on_plain_http_a_device_that_keeps_nothing_goes_on_and_delivers_its_stop(
    insecure: Page, watch: Watch
) -> None:
    insecure.context.add_init_script(REFUSE["read"])
    go(insecure, insecure.url)
    says_what_is_not_kept(insecure)
    goes_on(insecure)
    stops_without_a_link(insecure)
    assert ours(watch.errors) == []


def test_where_neither_works_the_page_says_so(visit: Visit) -> None:
    page = visit("/")
    page.context.add_init_script(
        "delete Navigator.prototype.wakeLock; HTMLMediaElement.prototype.canPlayType = () => '';"
    )
    page.goto("/protocols/long/screening")
    answer_safely(page)
    press(page, "Begin")
    expect(page.locator("[data-line=screen]")).to_contain_text("cannot keep it on")
    press(page, "Start")
    has_status(page, "running")
    expect(page.locator("screen-awake")).to_contain_text("set it to stay on")


# -- before it starts ----------------------------------------------------------------------------

BATTERY = """
window.battery = Object.assign(new EventTarget(), { charging: false, level: 0.19 });
navigator.getBattery = async () => window.battery;
"""


def test_each_line_of_the_pre_flight_is_put_right_in_its_place(recorded: Prepared) -> None:
    page = recorded("long", BATTERY)
    line = {
        name: page.locator(f"[data-line={name}]")
        for name in ("sound", "voice", "vibration", "screen", "link", "battery")
    }
    button = page.locator("session-voice button")
    button.click()
    button.click()
    expect(line["sound"]).to_contain_text("Silent is chosen")
    line["voice"].get_by_role("button", name="Voice on").click()
    expect(button).to_have_text("Voice")
    expect(line["sound"]).to_contain_text("Not heard yet")
    line["sound"].get_by_role("button", name="Play").click()
    expect(line["sound"]).to_contain_text("silent switch off, or:")
    line["sound"].get_by_role("button", name="Sound all the same").click()
    expect(line["sound"]).to_contain_text("Heard it?")
    assert page.evaluate("navigator.audioSession.type") == "playback"
    assert (
        json.loads(page.evaluate("JSON.stringify(document.documentElement.dataset.loud)")) == "on"
    )
    line["voice"].get_by_role("button", name="Speak").click()
    line["voice"].get_by_role("button", name="Heard it").click()
    expect(line["voice"]).to_have_attribute("data-state", "fine")
    page.evaluate(
        """() => { document.documentElement.dataset.vibration = "off";
             const changed = new CustomEvent("device:changed", { detail: "vibration" });
             document.dispatchEvent(changed); }"""
    )
    expect(line["vibration"]).to_contain_text("Off is chosen")
    line["vibration"].get_by_role("button", name="Turn it on").click()
    expect(line["vibration"]).to_contain_text("Not felt yet")
    expect(line["voice"]).to_contain_text("Works.")
    page.evaluate("window.locks.length = 0")
    line["screen"].get_by_role("button", name="Try it").click()
    expect(line["screen"]).to_contain_text("Works.")
    page.wait_for_function("() => window.locks.map((lock) => lock.released).join() === 'true'")
    expect(line["battery"]).to_be_visible()
    expect(line["battery"]).to_contain_text("19 %. Plug it in.")
    page.evaluate(
        "window.battery.charging = true; window.battery.dispatchEvent(new Event('chargingchange'))"
    )
    expect(line["battery"]).to_be_hidden()
    page.context.set_offline(True)
    expect(line["link"]).to_contain_text("No answer from the server")
    page.context.set_offline(False)
    line["link"].get_by_role("button", name="Check again").click()
    expect(line["link"]).to_contain_text("ms.")
    press(page, "Start")
    has_status(page, "running")


def test_a_browser_without_a_voice_is_found_out_before_the_start(recorded: Prepared) -> None:
    page = recorded("long", "window.voiceless = true;")
    page.locator("[data-line=voice]").get_by_role("button", name="Speak").click()
    expect(page.locator("[data-line=voice]")).to_contain_text("No voice here")
    expect(page.locator("[data-line=voice]")).to_have_attribute("data-state", "fine")


# -- settings ------------------------------------------------------------------------------------


def test_settings_count_at_once_also_on_a_page_that_comes_back_from_the_cache(
    recorded: Prepared,
) -> None:
    page = recorded("long")
    expect(page.locator("session-voice button")).to_have_text("Voice")
    other = page.context.new_page()
    other.goto("/settings")
    other.locator('input[name="sound"][value="silent"]').check()
    other.locator('input[name="theme"][value="dim"]').check()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("session-voice button")).to_have_text("Silent")
    expect(page.locator("html")).to_have_attribute("data-theme", "dim")
