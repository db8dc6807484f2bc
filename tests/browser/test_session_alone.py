"""The device carries on: every control without the server, handed over once, exactly."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visit, Watch, session_of
from tests.browser.recording import press

Prepare = Callable[..., Page]
BACK_MS = 20_000


def has(page: Page, timeout: int = 8_000, **data: str) -> None:
    live = page.locator("#session-live")
    for name, value in data.items():
        expect(live).to_have_attribute(f"data-{name}", value, timeout=timeout)


def begun(prepare: Prepare, name: str = "long", **device: Any) -> Page:
    page = prepare(name, **device)
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(500)
    return page


def in_touch(page: Page) -> None:
    expect(page.locator("#session-link")).to_be_empty(timeout=BACK_MS)


def kinds(page: Page) -> list[str]:
    """What the server has recorded, as a fresh look at the page shows."""
    page.wait_for_timeout(300)
    text = page.request.get(f"{page.url}/live").text()
    found = re.search(r"data-events='([^']*)'", text)
    assert found
    return [event[0] for event in json.loads(found[1])]


def comes_to(page: Page, *expected: str) -> None:
    """The server has recorded just this, after a time that a busy machine may need."""
    until = time.monotonic() + BACK_MS / 1000
    while kinds(page) != [*expected] and time.monotonic() < until:
        pass
    assert kinds(page) == [*expected]


def seconds(page: Page) -> int:
    minutes, rest = page.locator("[role=timer]").inner_text().split(":")
    return int(minutes) * 60 + int(rest)


def ours(watch: Watch) -> list[str]:
    return [e for e in watch.errors if not re.search("Failed to|ERR_|htmx:error", e)]


def test_every_control_works_without_the_server_and_is_handed_over_once_in_order(
    prepare: Prepare, server: Server, watch: Watch
) -> None:
    page = begun(prepare)
    server.kill()
    press(page, "Pause")
    has(page, status="paused")
    expect(page.locator("#session-link")).to_contain_text("on its own since")
    shown = page.locator("[role=timer]").inner_text()
    page.wait_for_timeout(1_200)
    assert page.locator("[role=timer]").inner_text() == shown
    press(page, "Resume")
    has(page, status="running")
    page.wait_for_timeout(450)
    before, looked = seconds(page), time.monotonic()
    press(page, "+30 s")
    expect(page.locator("[role=timer]")).to_have_text(re.compile(r"2:2\d"))
    assert 29 - int(time.monotonic() - looked) <= seconds(page) - before <= 30
    press(page, "Next")
    has(page, step="two")
    expect(page.locator(".step-name")).to_contain_text("Kneading")
    press(page, "Next")
    has(page, step="three")
    page.wait_for_timeout(450)
    press(page, "Back")
    has(page, step="two")
    page.locator("#session-more summary").click()
    press(page, "Restart this phase")
    expect(page.locator("[role=timer]")).to_have_text(re.compile(r"2:00|1:59"))
    expect(page.locator("#session-link")).to_contain_text("7 kept")
    server.start()
    in_touch(page)
    has(page, status="running", step="two", seq="8")
    expected = ["start", "pause", "resume", "extend", "next", "next", "back", "restart"]
    assert kinds(page) == expected
    page.wait_for_timeout(6_000)
    assert kinds(page) == expected, "nothing is handed over twice"
    assert ours(watch) == []


def test_what_was_shown_alone_is_what_the_server_shows_afterwards(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare)
    server.kill()
    press(page, "Pause")
    has(page, status="paused")
    alone = page.locator("[role=timer]").inner_text()
    page.wait_for_timeout(2_000)
    server.start()
    in_touch(page)
    has(page, status="paused", seq="2")
    expect(page.locator("[role=timer]")).to_have_text(alone)


def test_a_whole_session_ends_without_the_server(prepare: Prepare, server: Server) -> None:
    page = begun(prepare, "short")
    server.kill()
    press(page, "Next")
    has(page, step="two")
    page.wait_for_timeout(500)
    press(page, "End")
    has(page, step="rest")
    has(page, status="finished", timeout=12_000)
    expect(page.locator(".step-name")).to_have_text("Finished")
    server.start()
    comes_to(page, "start", "next", "end")


def test_must_end_at_is_fitted_here_by_the_same_rules(prepare: Prepare, server: Server) -> None:
    page = begun(prepare)
    server.kill()
    at = page.evaluate(
        "() => { const t = new Date(Date.now() + 300_000); "
        "return `${t.getHours()}`.padStart(2, '0') + ':' + `${t.getMinutes()}`.padStart(2, '0') }"
    )
    page.locator("#session-more summary").click()
    page.locator("#end-time").fill(at)
    press(page, "Fit to that")
    expect(page.locator(".end-hands strong")).to_have_text(at)
    server.start()
    in_touch(page)
    has(page, seq="2")
    comes_to(page, "start", "end-at")
    expect(page.locator(".end-hands strong")).to_have_text(at)


def test_thirty_seconds_more_give_what_is_left_to_give(prepare: Prepare, server: Server) -> None:
    """With the server, and without. Seen to fail with a refusal."""
    page = begun(prepare, "nearly")
    press(page, "+30 s")
    expect(page.locator("#session-said")).to_have_text("+25 s, that is the most.")
    has(page, seq="2")
    expect(page.locator("#session-live")).to_have_attribute("data-planned-ms", "145000")
    page.wait_for_timeout(500)
    press(page, "Next")
    has(page, step="two")
    server.kill()
    page.wait_for_timeout(500)
    press(page, "+30 s")
    expect(page.locator("#session-said")).to_have_text("+15 s, that is the most.")
    page.wait_for_timeout(500)
    press(page, "+30 s")
    expect(page.locator("#session-said")).to_have_text("Phase two: at most 2:15 min.")
    server.start()
    comes_to(page, "start", "extend", "next", "extend")
    expect(page.locator("#session-live")).to_have_attribute("data-planned-ms", "135000")


def test_a_phase_that_is_skipped_here_is_hollow_too(prepare: Prepare, server: Server) -> None:
    """Seen to fail with a phase that was left filled to its end."""
    page = begun(prepare)
    server.kill()
    press(page, "Next")
    has(page, step="two")
    first = page.locator(".segment").first
    expect(first).to_have_class(re.compile("segment-left"))
    all_of, done = (float(r.get_attribute("width") or 0) for r in first.locator("rect").all())
    assert done < all_of / 2
    expect(page.locator(".segment-left")).to_have_count(1)


def minutes_of(page: Page, end: str) -> int:
    hours, minutes = page.locator(f".{end} strong").inner_text().split(":")
    return int(hours) * 60 + int(minutes)


@pytest.mark.parametrize("alone", [False, True])
def test_an_end_out_of_reach_becomes_the_nearest_and_is_undone(
    prepare: Prepare, server: Server, alone: bool
) -> None:
    """With the server, and without. Seen to fail without *Undo*."""
    page = begun(prepare)
    before = minutes_of(page, "end-hands")
    if alone:
        server.kill()
    page.locator("#session-more summary").click()
    hour, minute = divmod((before + 60) % (24 * 60), 60)
    page.locator("#end-time").fill(f"{hour:02d}:{minute:02d}")
    page.get_by_text("Up", exact=True).click()
    press(page, "Fit to that")
    expect(page.locator("#session-said")).to_have_text(
        "That is the latest end that the rules allow."
    )
    assert minutes_of(page, "end-hands") == before + 3
    undo = page.locator("#undo")
    expect(undo).to_have_accessible_name("Undo: end as before")
    undo.click()
    has(page, seq="3")
    assert minutes_of(page, "end-hands") == before
    if alone:
        server.start()
        comes_to(page, "start", "end-at", "undo")
        assert minutes_of(page, "end-hands") == before


LATER = """const real = performance.now.bind(performance);
window.later = 0;
performance.now = () => real() + window.later;"""


def test_the_end_moves_on_in_a_pause_also_without_the_server(
    prepare: Prepare, server: Server
) -> None:
    """Seen to fail with an end that stood until Resume."""
    page = prepare("long", script=LATER)
    press(page, "Start")
    has(page, status="running")
    page.wait_for_timeout(500)
    press(page, "Pause")
    has(page, status="paused")
    before = minutes_of(page, "end-hands")
    server.kill()
    page.evaluate("window.later = 300000")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert minutes_of(page, "end-hands") - before in (5, 6)
    assert minutes_of(page, "end-up") - before in (5, 6)


def test_a_start_waits_for_the_server(prepare: Prepare, server: Server) -> None:
    page = prepare("long")
    server.kill()
    press(page, "Start")
    expect(page.locator("#session-unsent")).to_contain_text("only when the server")
    has(page, status="ready")


def test_what_another_screen_did_meanwhile_is_kept_and_said(
    prepare: Prepare, visit: Visit, server: Server
) -> None:
    page = begun(prepare)
    page.context.set_offline(True)
    press(page, "+30 s")
    expect(page.locator("#session-link")).to_contain_text("1 kept", timeout=8_000)
    page.wait_for_timeout(1_500)
    other = visit(page.url.removeprefix(server.address))
    press(other, "Next")
    has(other, step="two")
    page.context.set_offline(False)
    expect(page.locator("#session-unsent")).to_contain_text("Not done: +30 s", timeout=BACK_MS)
    has(page, step="two", seq="2")
    comes_to(page, "start", "next")


def test_a_device_that_paused_alone_pauses_the_session_for_all(
    prepare: Prepare, visit: Visit, server: Server
) -> None:
    page = begun(prepare)
    page.context.set_offline(True)
    press(page, "Pause")
    has(page, status="paused")
    page.wait_for_timeout(1_500)
    other = visit(page.url.removeprefix(server.address))
    press(other, "Next")
    has(other, step="two")
    page.context.set_offline(False)
    expect(page.locator("#session-unsent")).to_contain_text("disagreed", timeout=BACK_MS)
    has(other, status="paused")


def test_a_stop_on_a_screen_that_is_on_its_own_says_what_to_do(
    prepare: Prepare, server: Server, watch: Watch
) -> None:
    page = begun(prepare)
    server.kill()
    expect(page.locator("#session-link")).to_contain_text("on its own", timeout=BACK_MS)
    press(page, "Pain: stop")
    expect(page.get_by_role("heading", name="Stopped. Hands off.")).to_be_visible()
    expect(page.locator("#session-unsent")).to_contain_text("The stop counts here")
    server.start()
    in_touch(page)
    comes_to(page, "start", "stop")
    assert ours(watch) == []


def boot_again(server: Server) -> None:
    """The machine of the server loses time: another boot, and nobody knows how long it took."""
    server.kill()
    with closing(sqlite3.connect(server.data / "steady-hands.sqlite3")) as file, file:
        (told,) = file.execute("SELECT value FROM meta WHERE name = 'life'").fetchone()
        other = json.dumps(json.loads(told) | {"boot": "another"})
        file.execute("UPDATE meta SET value = ? WHERE name = 'life'", [other])
    server.start()


def test_a_device_that_counted_on_settles_the_doubt_of_the_server(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare)
    boot_again(server)
    has(page, BACK_MS, status="running", seq="3")
    comes_to(page, "start", "doubt", "settled")


def test_a_device_that_slept_as_well_settles_nothing_and_asks(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare)
    page.context.set_offline(True)
    boot_again(server)
    page.evaluate("() => { const real = Date.now; Date.now = () => real() + 40_000; }")
    page.context.set_offline(False)
    in_touch(page)
    has(page, status="paused", seq="2")
    expect(page.get_by_text("The server was away")).to_be_visible()
    comes_to(page, "start", "doubt")


def test_a_reload_without_the_server_brings_the_session_and_its_acts_back(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare, service_workers="allow")
    page.wait_for_function("() => caches.keys().then((names) => names.includes('pages'))")
    page.wait_for_timeout(1_500)
    server.kill()
    press(page, "+30 s")
    has(page, seq="2")
    shown, begun_at = seconds(page), time.monotonic()
    page.reload()
    has(page, status="running", seq="2")
    assert abs(shown - seconds(page) - (time.monotonic() - begun_at)) < 2
    press(page, "Pause")
    has(page, status="paused", seq="3")
    session = page.url
    page.goto(server.address)
    expect(page.get_by_role("heading", level=1)).to_have_text("The server does not answer")
    page.get_by_role("link", name="Test long").click()
    has(page, status="paused", seq="3")
    assert page.url == session
    server.start()
    in_touch(page)
    comes_to(page, "start", "extend", "pause")


KEPT = """async () => {
  const kept = await (await caches.open("pages")).match(location.pathname);
  return kept && { text: await kept.text(), headers: Object.fromEntries(kept.headers) };
}"""
SAME = """([one, other]) => {
  const read = (text) => new DOMParser().parseFromString(text, "text/html").documentElement;
  return read(one).isEqualNode(read(other));
}"""


def test_the_kept_page_is_the_one_that_was_served_and_not_sent_again(
    visit: Visit, server: Server
) -> None:
    """Seen to fail with the page as it is kept, without its nonces, and without its policy."""
    reader = visit("/settings", bypass_csp=True)
    page = visit("/settings", service_workers="allow")
    served = page.goto(f"/sessions/{session_of(server, 'long')}")
    assert served is not None
    end = time.monotonic() + 8
    while not (kept := page.evaluate(KEPT)):
        assert time.monotonic() < end, "the page was not kept"
        page.wait_for_timeout(100)
    assert reader.evaluate(SAME, [served.text(), kept["text"]])
    policy = "content-security-policy"
    for name, value in served.all_headers().items():
        if name not in ("date", "content-length", "content-encoding", "vary", "x-version"):
            assert kept["headers"].get(name) == value, name
    assert "nonce-" in kept["headers"][policy]


def test_a_reload_with_the_server_back_hands_over_what_was_kept(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare)
    server.kill()
    press(page, "Pause")
    has(page, status="paused")
    page.goto("about:blank")
    server.start()
    page.go_back()
    has(page, status="paused", seq="2", timeout=BACK_MS)
    comes_to(page, "start", "pause")


def test_a_stop_in_the_middle_of_a_list_of_acts_arrives_in_its_place(
    prepare: Prepare, server: Server
) -> None:
    page = begun(prepare)
    server.kill()
    press(page, "Next")
    has(page, step="two")
    page.wait_for_timeout(500)
    press(page, "Pain: stop")
    has(page, status="stopped")
    server.start()
    comes_to(page, "start", "next", "stop")
    page.reload()
    has(page, status="stopped")


def test_a_pause_shows_on_every_screen_at_once(
    prepare: Prepare, visit: Visit, server: Server
) -> None:
    page = begun(prepare)
    path = page.url.removeprefix(server.address)
    remote, calm = visit(f"{path}/remote"), visit(f"{path}/calm")
    expect(remote.locator("#act-toggle")).to_have_text("Pause")
    remote.wait_for_timeout(1_000)
    press(remote, "Pause")
    has(page, status="paused", timeout=1_500)
    has(calm, status="paused", timeout=1_500)
    expect(calm.locator(".calm-words")).to_have_text("A short pause")
    assert not re.search(r"\d", calm.locator("body").inner_text())


def test_the_calm_view_goes_on_without_the_server(
    prepare: Prepare, visit: Visit, server: Server
) -> None:
    page = begun(prepare, "short")
    calm = visit(f"{page.url.removeprefix(server.address)}/calm")
    expect(calm.locator("calm-view")).to_have_class(re.compile("hue-"))
    server.kill()
    expect(calm.locator(".calm-words")).to_have_text("Rest", timeout=14_000)


def test_the_summary_says_how_well_the_screens_kept_time(prepare: Prepare, server: Server) -> None:
    page = begun(prepare, "short")
    has(page, status="finished", timeout=20_000)
    page.wait_for_timeout(500)
    page.goto(f"{page.url}/summary")
    expect(page.locator("main")).to_contain_text(re.compile(r"1 screen, never more than 0\.\d\d s"))
