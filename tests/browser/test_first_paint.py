"""What makes a session page live comes once the page can be seen, and comes in any case."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import ALIVE, Server, Visit, Watch, session_of
from tests.browser.recording import press
from tests.browser.test_session_page import has

TIMES = """() => {
  const got = performance.getEntriesByType("resource");
  const of = (name) => got.find((e) => e.name.endsWith(`/${name}.js`));
  const [stage, ready, htmx] = ["stage/session-stage", "stage/pre-flight", "htmx"].map(of);
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  return {
    after: Math.min(stage.startTime, ready.startTime, htmx.startTime) - paint,
    together: stage.responseEnd - Math.max(ready.startTime, htmx.startTime),
  };
}"""
# As in a browser that paints nothing.
NEVER_PAINTED = """
globalThis.PerformanceObserver = class { observe() {} disconnect() {} };
"""
HIDDEN = "Object.defineProperty(document, 'hidden', { value: true });"
UNASKED = """
globalThis.setTimeout = ((real) =>
  (f, ms, ...a) => ms === 1000 ? 0 : real(f, ms, ...a))(setTimeout);
"""


def test_they_are_asked_for_after_the_first_paint(visit: Visit, server: Server) -> None:
    """All at once. Seen to fail with ``start()`` called at once, and without ``preload``."""
    page = visit(f"/sessions/{session_of(server, 'short')}")
    times = page.evaluate(TIMES)
    assert times["after"] >= 0
    assert times["together"] > 0


@pytest.mark.parametrize("script", [NEVER_PAINTED, NEVER_PAINTED + HIDDEN + UNASKED])
def test_a_page_that_is_never_painted_gets_them_all_the_same(
    visit: Visit, server: Server, watch: Watch, script: str
) -> None:
    """After a second; at once where nobody looks. Seen to fail without the one and the other."""
    page = visit("/settings")
    page.context.add_init_script(script)
    page.goto(f"/sessions/{session_of(server, 'short')}")
    page.wait_for_function(ALIVE, timeout=4_000)
    press(page, "Start")
    has(page, status="running")
    assert len([url for url in watch.loads if "/sessions/" in url]) == 1, "the form was not sent"


def test_the_server_is_asked_once_they_are_there(visit: Visit, server: Server) -> None:
    """What happened while the page came. Seen to fail while the stage waited for ``load``."""
    page = visit(f"/sessions/{session_of(server, 'short')}")
    asked = "() => performance.getEntriesByType('resource').some((e) => /live.seq=0/.test(e.name))"
    page.wait_for_function(asked, timeout=3_000)


def test_what_goes_on_without_the_server_comes_by_itself_before_start(
    visit: Visit, server: Server
) -> None:
    """Seen to fail while the stage waited for ``load``, which is over when it comes."""
    page = visit(f"/sessions/{session_of(server, 'short')}")
    page.wait_for_function("() => navigator.serviceWorker.getRegistration().then(Boolean)")


def test_a_button_that_is_pressed_before_is_pressed_once_they_are_there(
    visit: Visit, server: Server, watch: Watch
) -> None:
    """Twice is once. Seen to fail without ``hold``: the form is sent and the page loads anew."""
    late: list[Route] = []
    page = visit("/settings")
    page.context.route(re.compile(r"/htmx\.js$"), lambda route: late.append(route))
    with page.expect_request(re.compile(r"/htmx\.js$")):
        page.goto(f"/sessions/{session_of(server, 'short')}", wait_until="domcontentloaded")
    press(page, "Start")
    press(page, "Start")
    page.wait_for_timeout(300)
    has(page, status="ready")
    late[0].continue_()
    has(page, status="running", seq="1")
    assert len([url for url in watch.loads if "/sessions/" in url]) == 1


def test_where_they_do_not_come_in_time_a_button_is_one_of_a_form(
    visit: Visit, server: Server
) -> None:
    """Seen to fail without ``PATIENCE_MS``."""
    page = visit("/settings")
    page.context.route(re.compile(r"/htmx\.js$"), lambda route: None)
    page.goto(f"/sessions/{session_of(server, 'short')}", wait_until="domcontentloaded")
    press(page, "Start")
    page.wait_for_timeout(500)
    has(page, status="ready")
    has(page, status="running")


def test_until_they_are_there_a_form_is_a_form(visit: Visit, server: Server) -> None:
    page = visit("/settings")
    page.context.route(
        re.compile(r"/(session-stage|pre-flight|htmx)\.js$"), lambda route: route.abort()
    )
    page.goto(f"/sessions/{session_of(server, 'short')}")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#session-live")).to_have_attribute("data-status", "running")


def test_one_that_fails_keeps_no_other_away(visit: Visit, server: Server, watch: Watch) -> None:
    """Seen to fail without ``catch``: htmx never comes."""

    def lost(route: Route) -> None:
        route.abort()

    page = visit("/settings")
    page.context.route(re.compile(r"/pre-flight\.js$"), lost)
    page.goto(f"/sessions/{session_of(server, 'short')}")
    page.wait_for_function(ALIVE, timeout=4_000)
    press(page, "Start")
    has(page, status="running")
    assert any("pre-flight.js" in error or "Failed to" in error for error in watch.errors)
    watch.errors.clear()
