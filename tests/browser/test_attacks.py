"""What other sites try in a real browser, against a session that runs: all of it is blocked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser import chromium
from tests.browser.attackers import Attacker, attacker
from tests.browser.elsewhere import Elsewhere
from tests.support.real_server import Server

EVIL, REBOUND = "evil.test", "rebound.test"
pytestmark = pytest.mark.promise("browser")
Told = Callable[[str, object], None]
SCRIPT = "<img src=x onerror=window.struck=1><script>window.struck=1</script>"
FEW = 2
PAYLOADS = (
    SCRIPT,
    f'">{SCRIPT}',
    f"'>{SCRIPT}",
    f"</textarea></title></template></script>{SCRIPT}",
    "javascript:window.struck=1",
    '" onfocus=window.struck=1 autofocus x="',
    "{{constructor.constructor('window.struck=1')()}}",
    "\u2028window.struck=1//",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, protocol_folder: Path) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("attacked") / "data", protocol_folder) as running:
        yield running


@pytest.fixture(scope="module")
def theirs() -> Iterator[Attacker]:
    with attacker() as running:
        yield running


@pytest.fixture(scope="module")
def victim(browser: Browser) -> Iterator[Browser]:
    """A browser for which both names of theirs lead to this machine."""
    names = ", ".join(f"MAP {name} 127.0.0.1" for name in (EVIL, REBOUND))
    flags = [*chromium.flags(), f"--host-resolver-rules={names}"]
    opened = browser.browser_type.launch(executable_path=chromium.for_tests(), args=flags)
    yield opened
    opened.close()


@pytest.fixture
def page(victim: Browser, elsewhere: Elsewhere) -> Iterator[Page]:
    elsewhere.known = {EVIL, REBOUND}
    context = victim.new_context(service_workers="block")
    context.set_default_timeout(8_000)
    yield context.new_page()
    context.close()
    elsewhere.known = set()


@pytest.fixture(scope="module")
def session(site: Server) -> str:
    """A session that runs."""
    session_id = site.prepare("long")
    site.act(session_id, "start")
    return session_id


def ours(site: Server) -> str:
    return f"http://127.0.0.1:{site.port}"


def places(theirs: Attacker) -> tuple[str, ...]:
    """A foreign site, and another port of our own host, which our cookies go to as well."""
    return f"http://{EVIL}:{theirs.port}", f"http://127.0.0.1:{theirs.port}"


def test_a_form_of_another_site_or_port_changes_nothing(
    site: Server, theirs: Attacker, session: str, page: Page, record_property: Told
) -> None:
    before = site.look(session).live["data-seq"]
    tried = 0
    for action in ("pause", "stop", "next"):
        form = site.look(session).form
        sent = theirs.posting(f"{ours(site)}/sessions/{session}/{action}", form)
        for place in places(theirs):
            page.goto(f"{place}{sent}")
            page.wait_for_url(f"{ours(site)}/**")
            expect(page.get_by_text("sent from another site")).to_be_visible()
            tried += 1
    assert site.look(session).live["data-seq"] == before
    record_property("attacks", tried)


FETCHES = """async ([ours, path, form]) => {
  const body = new URLSearchParams(form);
  const tries = [
    ["get", { mode: "cors", credentials: "include" }],
    ["post", { method: "POST", mode: "cors", credentials: "include", body }],
    ["put", { method: "PUT", mode: "cors", credentials: "include", body }],
    ["marked", { method: "POST", mode: "cors", headers: { "HX-Request": "true" }, body }],
    ["blind", { method: "POST", mode: "no-cors", credentials: "include", body }],
    ["text", { method: "POST", mode: "no-cors", body: String(body) }],
  ];
  const read = [];
  for (const [name, how] of tries) {
    const answer = await fetch(ours + path, how).catch(() => null);
    const text = answer ? await answer.text() : "";
    if (text || (answer && answer.type !== "opaque")) read.push([name, text.slice(0, 50)]);
  }
  navigator.sendBeacon(ours + path, body);
  const loads = (tag, name, url) => new Promise((end) => {
    const e = document.createElement(tag);
    e.onload = () => end(`${name} loaded`);
    e.onerror = () => end("");
    e[name] = url;
    if (tag === "link") e.rel = "stylesheet";
    document.head.append(e);
  });
  const icon = ours + "/static/" + form.version + "/icons/icon.svg";
  read.push(...[await loads("img", "src", icon), await loads("script", "src", ours + "/worker.js"),
    await loads("link", "href", ours + "/static/" + form.version + "/site.css")].filter(Boolean));
  return read;
}"""


def test_script_of_another_site_or_port_reads_and_changes_nothing(
    site: Server, theirs: Attacker, session: str, page: Page, record_property: Told
) -> None:
    form = site.look(session).form
    page.goto(f"{ours(site)}/sessions/{session}")
    sheet = page.locator("link[rel=stylesheet]").first.get_attribute("href") or ""
    form |= {"version": sheet.split("/")[2]}
    empty = theirs.page("")
    clients = site.ask("GET", "/clients").text.count('href="/clients/')
    for place in places(theirs):
        page.goto(f"{place}{empty}")
        for path in (f"/sessions/{session}/pause", f"/sessions/{session}/stop", "/clients"):
            assert page.evaluate(FETCHES, [ours(site), path, form]) == [], (place, path)
    assert site.look(session).live["data-seq"] == form["seq"]
    assert site.ask("GET", "/clients").text.count('href="/clients/') == clients
    record_property("attacks", 2 * 3 * 10)


def test_nobody_shows_us_in_a_frame(
    site: Server, theirs: Attacker, session: str, page: Page, record_property: Told
) -> None:
    paths = (f"/sessions/{session}", f"/sessions/{session}/live", "/", "/nowhere", "/worker.js")
    tags = ("iframe src", "object data", "embed src")
    for place in places(theirs):
        for path in paths:
            url = f"{ours(site)}{path}"
            body = "".join(f'<{tag}="{url}"></{tag.split()[0]}>' for tag in tags)
            page.goto(f"{place}{theirs.page(body)}")
            page.wait_for_timeout(150)
            shown = [frame for frame in page.frames if frame.url.startswith(ours(site))]
            assert [frame.url for frame in shown if frame.locator("body *").count()] == [], path
    record_property("attacks", 2 * len(paths) * len(tags))


def test_a_name_that_was_rebound_to_us_gets_one_page_and_no_act(
    site: Server, session: str, page: Page, record_property: Told
) -> None:
    rebound = f"http://{REBOUND}:{site.port}"
    before = site.look(session)
    page.goto(f"{rebound}/sessions/{session}")
    expect(page.get_by_role("link", name=f"127.0.0.1:{site.port}")).to_be_visible()
    for path in (f"/sessions/{session}", "/", "/today", "/export"):
        status = page.evaluate("async (path) => (await fetch(path)).status", path)
        assert status == 421, path
    stopped = page.evaluate(
        "async ([path, form]) => (await fetch(path, "
        "{ method: 'POST', body: new URLSearchParams(form) })).status",
        [f"/sessions/{session}/stop", before.form],
    )
    assert stopped == 421
    assert site.look(session).live["data-seq"] == before.live["data-seq"]
    record_property("attacks", 6)


def test_a_page_that_opens_ours_in_a_window_has_no_hand_on_it(
    site: Server, theirs: Attacker, session: str, page: Page, record_property: Told
) -> None:
    body = "<button onclick='window.w = window.open(\"about:blank\")'>open</button>"
    for place in places(theirs):
        page.goto(f"{place}{theirs.page(body)}")
        url = f"{ours(site)}/sessions/{session}"
        with page.context.expect_page() as opened:
            page.get_by_role("button").click()
        window = opened.value
        page.evaluate("url => { w.location = url }", url)
        expect(window.locator("#session-live")).to_be_visible()
        assert window.evaluate("window.opener") is None
        assert page.evaluate("w.closed") is True
        assert page.evaluate("w.length") == 0
        page.evaluate("w.location = 'about:blank'")
        expect(window.locator("#session-live")).to_be_visible()
        window.close()
    record_property("attacks", 4)


SUBMIT = """([action, fields, method]) => {
  const form = document.createElement("form");
  Object.assign(form, { action, method });
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("textarea");
    Object.assign(input, { name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}"""


def fields_of(
    site: Server, session: str, over: str, text: str
) -> list[tuple[str, dict[str, str], str]]:
    """Every address that says again what somebody sent, or keeps it: action, fields, method."""
    live = site.look(session).form
    return [
        (f"/sessions/{session}/end-at", live | {"time": text}, "post"),
        (f"/sessions/{session}/pause", {"key": text, "seq": text, "step": text}, "post"),
        (
            f"/sessions/{over}/reading",
            {"glucose-shown": "number", "glucose": text, "unit": "mmol/L"},
            "post",
        ),
        (
            f"/sessions/{over}/reading",
            {"glucose-shown": text, "glucose": "6", "unit": text},
            "post",
        ),
        (f"/sessions/{over}/told", {"note": text}, "post"),
        (f"/sessions/{over}/told", {"after": text}, "post"),
        (
            "/protocols/feet/screening",
            {"glucose": text, "glucose-shown": "number", "client": text},
            "post",
        ),
        (
            "/protocols/feet/screening",
            {"minutes-ago": text, "ketones": text, "ketones-known": "yes"},
            "post",
        ),
        ("/settings", {"speaker": text, "theme": text, "note": "on"}, "post"),
        ("/join", {"code": text}, "post"),
        ("/courses", {"protocol": "short", "client": text, "sessions": text}, "post"),
        ("/owner/data/retention", {"days": text}, "post"),
        ("/protocols/short", {"minutes": text, "client": text}, "get"),
        ("/owner/data/retention", {"days": text}, "get"),
        ("/history", {"client": text, "protocol": text, "page": text}, "get"),
        ("/", {"who": text, "condition": text, "q": text}, "get"),
    ]


@pytest.fixture(scope="module")
def over(site: Server) -> str:
    """A session with diabetes whose hands-on time is over."""
    session_id = site.prepare("feet")
    for action in ("start", "end"):
        site.act(session_id, action)
    return session_id


def test_no_text_that_people_can_send_becomes_script(
    site: Server, session: str, over: str, page: Page, record_property: Told
) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if re.search("Security Policy|Trusted|sandbox", message.text):
            said.append(f"{page.url} {message.text}")

    page.on("console", note)
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(f"{ours(site)}/settings")
    with page.expect_navigation():
        page.evaluate(SUBMIT, ["/settings", {"note": "on"}, "post"])
    tried = 0
    for text in PAYLOADS if "STEADY_HANDS_SECURITY" in os.environ else PAYLOADS[:FEW]:
        for action, fields, method in fields_of(site, session, over, text):
            page.goto(f"{ours(site)}/offline")
            with page.expect_navigation():
                page.evaluate(SUBMIT, [action, fields, method])
            assert page.evaluate("window.struck") is None, (action, text)
            assert page.locator("[onerror], [onfocus], img[src=x]").count() == 0, (action, text)
            tried += 1
        page.goto(f"{ours(site)}/sessions/{over}/summary")
        assert page.evaluate("window.struck") is None, text
        expect(page.locator("textarea[name=note]")).to_have_value(text.strip("\u2028"))
    assert said == []
    record_property("attacks", tried)


def test_script_that_got_in_after_all_would_not_run(
    site: Server, session: str, page: Page, record_property: Told
) -> None:
    """The second wall: markup put into our page by force stays markup."""
    page.goto(f"{ours(site)}/sessions/{session}")
    refused = page.evaluate(
        """(markup) => new Promise((told) => setTimeout(() => {
          const tries = [
            () => { document.body.innerHTML = markup; },
            () => { document.body.insertAdjacentHTML("beforeend", markup); },
            () => { document.write(markup); },
            () => eval("window.struck = 1"),
            () => new Function("window.struck = 1")(),
            () => setTimeout("window.struck = 1"),
            () => { document.createElement("script").src = "/worker.js"; },
            () => trustedTypes.createPolicy("theirs", {}),
            () => document.createElement("img").setAttribute("onerror", "window.struck = 1"),
            () => { document.body.appendChild(scripted()); },
          ];
          function scripted() {
            const script = document.createElement("script");
            script.append("window.struck = 1");
            return script;
          }
          const throws = (one) => { try { one(); return false; } catch { return true; } };
          const thrown = tries.map(throws);
          const link = document.createElement("a");
          link.href = "javascript:window.struck=1";
          document.body.append(link);
          link.click();
          told(thrown);
        }))""",
        SCRIPT,
    )
    page.wait_for_timeout(200)
    assert refused[:9] == [True] * 9
    assert page.evaluate("window.struck") is None
    record_property("attacks", len(refused) + 1)
