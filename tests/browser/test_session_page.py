"""The session page in a real Chromium: few tests, broad ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import ALIVE, Server, Visit, Watch
from tests.browser.recording import press

Prepare = Callable[..., Page]
COUNT = re.compile(r"^\d+:\d\d$")


def live(page: Page) -> Any:
    return page.locator("#session-live")


def has(page: Page, **data: str) -> None:
    """Wait until the live fragment shows these data attributes."""
    for name, value in data.items():
        expect(live(page)).to_have_attribute(f"data-{name}", value, timeout=9_000)


def record_digits(page: Page) -> None:
    """Note every text the countdown shows, with the step it belongs to."""
    page.evaluate(
        """() => {
        window.seen = [];
        const note = () => {
          const live = document.querySelector('#session-live');
          const text = live.querySelector('[role=timer]').textContent;
          const last = window.seen.at(-1);
          if (!last || last[1] !== text || last[0] !== live.dataset.step)
            window.seen.push([live.dataset.step, text, performance.now()]);
        };
        new MutationObserver(note).observe(document.querySelector('#session'),
          {subtree: true, childList: true, characterData: true, attributes: true});
        note();
      }"""
    )


def test_a_session_runs_to_its_end_by_itself(prepare: Prepare, watch: Watch) -> None:
    page = prepare("short")
    has(page, status="ready", step="one", seq="0")
    expect(page.get_by_role("timer")).to_have_text(COUNT)
    press(page, "Start")
    has(page, status="running", step="one", seq="1")
    record_digits(page)
    loads = len(watch.loads)
    has(page, step="two")
    has(page, step="rest")
    expect(page.get_by_role("link", name="Summary is ready")).to_be_visible()
    has(page, status="finished")
    seen = [(step, text) for step, text, _ in page.evaluate("window.seen")]
    for step in ("one", "two", "rest"):
        shown = [text for name, text in seen if name == step]
        expected = ["0:05", "0:04", "0:03", "0:02", "0:01"]
        start = expected.index(shown[0])
        assert shown[: 5 - start] == expected[start:], seen
    assert len(watch.loads) == loads
    assert watch.errors == []
    page.get_by_role("link", name="Summary").click()
    expect(page.get_by_role("row", name="Hands-on time")).to_contain_text("0:10")


def test_one_request_a_phase_and_a_beat_every_five_seconds_at_most(
    prepare: Prepare, watch: Watch
) -> None:
    page = prepare("short")
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(300)
    watch.requests.clear()
    expect(live(page)).to_have_attribute("data-status", "finished", timeout=20_000)
    page.wait_for_timeout(6_000)
    beats = [r for r in watch.requests if "until=" in r]
    phase_ends = [r for r in watch.requests if r.endswith("/live")]
    assert len(phase_ends) == 3
    assert len(beats) <= 4
    icon = [r for r in watch.requests if r.endswith("/icon.svg")]  # whenever the browser likes
    told = [r for r in watch.requests if r.endswith(("/screen", "/nudges"))]
    assert len(told) <= 2, "its report at the end, and the stream of nudges"
    others = [r for r in watch.requests if r not in (*beats, *phase_ends, *icon, *told)]
    assert others == []


def test_the_answer_at_a_phase_end_is_taken_into_what_the_page_has_drawn_by_itself(
    prepare: Prepare, watch: Watch
) -> None:
    """Seen to fail with the stage exchanged each time. The next phase end is asked for as ever."""
    page = prepare("short")
    press(page, "Start")
    page.evaluate(
        """() => { window.drawn = new Promise((done) => new MutationObserver((list, watch) => {
            const live = document.querySelector("#session-live");
            if (live.dataset.step !== "two") return;
            watch.disconnect();
            window.picture = live.querySelector(".step-figure");
            done(live.dataset.now);
        }).observe(document,
            { subtree: true, childList: true, attributes: true, attributeFilter: ["data-step"] }));
        }"""
    )
    before = page.evaluate("window.drawn")
    page.wait_for_function(
        "(before) => document.querySelector('#session-live').dataset.now !== before", arg=before
    )
    assert page.evaluate(
        "window.picture === document.querySelector('#session-live .step-figure')"
    ), "the picture was drawn once more"
    asked = len([r for r in watch.requests if r.endswith("/live")])
    has(page, step="rest")
    expect(page.get_by_role("link", name="Summary is ready")).to_be_visible()
    assert len([r for r in watch.requests if r.endswith("/live")]) == asked + 1
    assert watch.errors == []


def test_an_answer_that_names_the_same_delay_is_asked_for_again_as_well(prepare: Prepare) -> None:
    """Seen to fail without taking ``hx-trigger`` away: a rest as long as the last never ended."""
    page = prepare("long")
    asked: list[str] = []

    def same_delay(route: Route) -> None:
        answer = route.fetch()
        if answer.status != 200:
            route.fulfill(response=answer)
            return
        asked.append(route.request.url)
        headers = {k: v for k, v in answer.headers.items() if k != "content-encoding"}
        body = re.sub(r"load delay:\d+ms", "load delay:700ms", answer.text())
        route.fulfill(status=200, headers=headers, body=body)

    page.route(re.compile(r"/(start|live)(\?.*)?$"), same_delay)
    press(page, "Start")
    end = time.monotonic() + 10
    while len(asked) < 5:
        assert time.monotonic() < end, asked
        page.wait_for_timeout(100)


def test_a_page_that_the_server_tells_by_itself_leaves_out_every_second_beat(
    prepare: Prepare,
) -> None:
    """And none where that is blocked, or stands but the beats find nobody.

    Seen to fail without ``every``'s listener, and with ``#isPushed`` always true.
    """
    told, blocked, unheard = (prepare("long") for _ in range(3))
    beats: dict[Page, int] = {}
    for page in (told, blocked, unheard):
        beats[page] = 0
        page.on("request", partial(count, beats, page))
    blocked.route("**/nudges", lambda route: route.abort())
    blocked.reload()
    blocked.wait_for_function(ALIVE)
    unheard.wait_for_timeout(500)
    unheard.route("**/live?*", lambda route: route.abort())
    for page in beats:
        beats[page] = 0
    unheard.wait_for_timeout(16_000)
    assert 1 <= beats[told] <= 2
    assert 3 <= beats[blocked] <= 4
    assert 2 <= beats[unheard] <= 4


def count(beats: dict[Page, int], page: Page, request: Request) -> None:
    beats[page] += "until=" in request.url


def test_pause_resume_next_back_and_more_time(prepare: Prepare, watch: Watch) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running", step="one")
    press(page, "+30 s")
    expect(page.get_by_role("timer")).to_have_text(re.compile("^2:(2[89]|30)$"))
    press(page, "Pause")
    has(page, status="paused", seq="3")
    held = page.get_by_role("timer").text_content()
    page.wait_for_timeout(1_300)
    assert page.get_by_role("timer").text_content() == held
    press(page, "Next")
    has(page, status="paused", step="two")
    press(page, "Resume")
    has(page, status="running", step="two")
    press(page, "Back")
    has(page, step="one", status="running")
    press(page, "End")
    has(page, step="rest")
    assert watch.errors == []


def test_focus_stays_on_the_pause_button_when_it_becomes_resume(prepare: Prepare) -> None:
    page = prepare("long")
    page.get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    has(page, status="running")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    has(page, status="paused", seq="2")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    has(page, status="running", seq="3")


def test_four_quick_taps_are_one_act(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running", seq="1")
    page.evaluate(
        """() => { const b = document.querySelector('#act-next');
                   for (let i = 0; i < 4; i++) b.click(); }"""
    )
    has(page, step="two", seq="2")
    page.wait_for_timeout(700)
    has(page, step="two", seq="2")


def test_a_pause_on_one_screen_reaches_the_other(prepare: Prepare, visit: Visit) -> None:
    tablet = prepare("long")
    press(tablet, "Start")
    has(tablet, status="running")
    phone = visit("/", viewport={"width": 390, "height": 844})
    phone.get_by_role("link", name="Back to it").click()
    has(phone, status="running", step="one")
    press(phone, "Pause")
    expect(live(tablet)).to_have_attribute("data-status", "paused", timeout=6_000)
    has(phone, status="paused")
    shown = phone.get_by_role("timer").text_content() or ""
    expect(tablet.get_by_role("timer")).to_have_text(shown)


def test_without_the_server_the_page_goes_on_and_agrees_afterwards(
    prepare: Prepare, server: Server, watch: Watch
) -> None:
    page = prepare("short")
    press(page, "Start")
    has(page, status="running", step="one")
    record_digits(page)
    server.kill()
    has(page, step="two")
    expect(page.locator("#session-link")).to_contain_text("on its own since")
    expect(page.locator(".step-name")).to_contain_text("Kneading")
    has(page, step="rest")
    times = [at for _, _, at in page.evaluate("window.seen")]
    assert max(b - a for a, b in pairwise(times)) < 1_300
    server.start()
    expect(live(page)).to_have_attribute("data-status", "finished", timeout=12_000)
    expect(page.locator("#session-link")).to_be_empty()
    assert [e for e in watch.errors if "Failed to" not in e and "ERR_" not in e] == []


def test_pain_stop_says_what_to_do_even_without_the_server(
    prepare: Prepare, server: Server
) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    server.kill()
    press(page, "Pain: stop")
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    has(page, status="stopped")


def test_pain_stop_is_final(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running", seq="1")
    press(page, "Pain: stop")
    has(page, status="stopped", seq="2")
    expect(page.get_by_role("link", name=re.compile(r"Call \d+"))).to_be_visible()
    expect(page.locator("#session-controls").get_by_role("button")).to_have_count(0)
    page.reload()
    has(page, status="stopped")


def test_a_waiting_step_counts_up_until_told(prepare: Prepare) -> None:
    page = prepare("waiting")
    press(page, "Start")
    has(page, status="waiting", step="ready")
    expect(page.get_by_role("timer")).to_have_text("0:02")
    press(page, "Next")
    has(page, status="running", step="one")


def test_starting_a_second_session_asks(prepare: Prepare) -> None:
    first = prepare("long")
    press(first, "Start")
    has(first, status="running")
    second = prepare("short")
    press(second, "Start")
    expect(second.get_by_text("Another session is still running")).to_be_visible()
    has(second, status="ready")
    press(second, "Start this one as well")
    has(second, status="running")


def test_must_end_at_fits_what_remains(prepare: Prepare, watch: Watch) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    at = time.strftime("%H:%M", time.localtime(time.time() + 5 * 60 + 30))
    page.locator("summary", has_text="More").click()
    page.get_by_label("Must end at").fill(at)
    press(page, "Fit to that")
    has(page, seq="2")
    expect(page.locator(".stage-end")).to_contain_text(at)
    assert watch.errors == []


def test_an_impossible_end_keeps_what_was_typed(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    at = "25:61"
    page.locator("summary", has_text="More").click()
    page.evaluate("document.querySelector('#end-time').type = 'text'")  # some know no other
    page.get_by_label("Must end at").fill(at)
    press(page, "Fit to that")
    expect(page.get_by_role("alert")).to_contain_text("Please give a time, like 15:50.")
    expect(page.get_by_label("Must end at")).to_have_value(at)
    has(page, seq="1", status="running")


def test_waking_up_and_coming_back_ask_the_server_at_once(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(400)
    for target, name in (
        ("document", "visibilitychange"),
        ("window", "pageshow"),
        ("window", "online"),
    ):
        with page.expect_request("**/live*", timeout=1_000):  # long before a beat
            page.evaluate(f"{target}.dispatchEvent(new Event('{name}'))")


def test_back_and_forward_show_no_stale_number(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.goto("/")
    page.wait_for_timeout(2_000)
    page.go_back()
    expect(page.get_by_role("timer")).to_have_text(re.compile("^1:5[5-8]$"))


def test_a_device_that_slept_is_right_after_the_first_answer(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(400)
    blocked = True

    def gate(route: Route) -> None:
        if blocked:
            route.abort()
        else:
            route.continue_()

    page.route("**/live**", gate)
    page.evaluate(
        """() => { const real = Date.now; Date.now = () => real() + 40_000;
                   document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    expect(page.get_by_role("timer")).to_have_text(re.compile("^1:1[5-9]$"))
    blocked = False
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("timer")).to_have_text(re.compile("^1:5[0-9]$"))


@pytest.mark.promise("elsewhere")
def test_nothing_leaves_the_site(prepare: Prepare, watch: Watch, server: Server) -> None:
    page = prepare("short")
    press(page, "Start")
    has(page, step="two")
    assert watch.requests
    assert all(server.address in request for request in watch.requests)


def test_a_stop_without_the_server_is_sent_until_it_is_heard(
    prepare: Prepare, server: Server
) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    server.kill()
    press(page, "Pain: stop")
    expect(page.locator("#session-unsent")).to_contain_text("keeps trying")
    server.start()
    has(page, status="stopped", seq="2")
    expect(page.locator("#session-unsent")).to_be_hidden(timeout=20_000)  # tried ever more rarely
    page.reload()
    has(page, status="stopped")


def test_a_stop_is_no_longer_called_unheard_when_the_beat_came_through_first(
    prepare: Prepare, server: Server
) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.route("**/account", lambda route: route.abort())
    server.kill()
    press(page, "Pain: stop")
    expect(page.locator("#session-unsent")).to_contain_text("keeps trying")
    server.start()
    expect(page.locator("#session-link")).to_be_empty(timeout=20_000)
    page.unroute("**/account")
    expect(page.locator("#session-unsent")).to_be_hidden(timeout=20_000)


def test_a_double_tap_is_one_tap(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running", seq="1")
    page.get_by_role("button", name="Next", exact=True).dblclick(delay=60)
    has(page, step="two", seq="2")
    page.wait_for_timeout(700)
    has(page, step="two", seq="2")


def test_enter_in_the_time_field_fits_and_the_menu_stays_open(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.locator("summary", has_text="More").click()
    field = page.get_by_label("Must end at")
    field.fill(time.strftime("%H:%M", time.localtime(time.time() + 5 * 60 + 30)))
    field.press("Enter")
    has(page, step="one", seq="2", status="running")
    expect(page.locator("#session-more")).to_have_attribute("open", "")


def test_after_end_back_returns_to_the_phase_that_was_left(prepare: Prepare) -> None:
    page = prepare("long")
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(300)
    press(page, "End")
    has(page, step="rest")
    press(page, "Back")
    has(page, step="one", status="running")
