"""A tablet joins by the QR code's address and by a typed code, sees what runs, and is shut out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Watch
from tests.browser.network import Network, network
from webapp.auth.devices import Devices
from webapp.domain.invites import Role
from webapp.presentation import qr

Open = Callable[[], Page]

SHUT_OUT_MS = 9_000  # a beat and something


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with network(tmp_path_factory.mktemp("network")) as running:
        yield running


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the QR codes say, which nothing here can read."""
    said: list[str] = []
    draw = qr.qr_code

    def noted(text: str) -> Markup:
        said.append(text)
        return draw(text)

    monkeypatch.setattr(qr, "qr_code", noted)
    return said


@pytest.fixture
def device(browser: Browser, watch: Watch) -> Iterator[Open]:
    contexts: list[BrowserContext] = []

    def opened() -> Page:
        context = browser.new_context(service_workers="block", reduced_motion="reduce")
        context.set_default_timeout(8_000)
        contexts.append(context)
        return watch.follow(context.new_page())

    yield opened
    for context in contexts:
        context.close()


def invite(owner: Page, site: Network, role: str) -> str:
    """The typed code of a new invite."""
    owner.goto(f"{site.home}/owner")
    owner.get_by_label(role).check()
    owner.get_by_role("button", name="Make an invite").click()
    expect(owner.get_by_role("img", name="QR code that lets one device in")).to_be_visible()
    return owner.locator(".invite-code").inner_text()


def test_a_tablet_joins_sees_the_session_and_is_shut_out(
    site: Network, device: Open, watch: Watch, drawn: list[str]
) -> None:
    owner, tablet, second = device(), device(), device()
    session = f"/sessions/{site.owner.started('oc-classic-full')}"

    tablet.goto(f"{site.elsewhere}{session}")
    expect(tablet.get_by_role("heading", name="Join first")).to_be_visible()
    expect(tablet.get_by_text("Classical massage")).to_have_count(0)

    invite(owner, site, "Operator")
    assert drawn[-1].startswith(f"{site.elsewhere}/join#")
    tablet.goto(drawn[-1])
    tablet.wait_for_url(f"{site.elsewhere}/")
    tablet.get_by_role("link", name="Back to it").click()
    expect(tablet.get_by_role("button", name="Next", exact=True)).to_be_visible()

    code = invite(owner, site, "Display")
    second.goto(f"{site.elsewhere}/join")
    second.get_by_label("Code").fill(f" {code.lower()} ")
    second.get_by_role("button", name="Join").click()
    second.wait_for_url(f"{site.elsewhere}/")
    second.get_by_role("link", name="Back to it").click()
    expect(second.locator("#acts button")).to_have_text(["Pain: stop"])

    tablet.get_by_role("button", name="Next", exact=True).click()
    for screen in (tablet, second):
        expect(screen.locator("#session-live")).to_have_attribute("data-seq", "2", timeout=8_000)

    owner.goto(f"{site.home}/owner")
    owner.get_by_role("button", name="Revoke Computer 1").click()
    owner.get_by_role("button", name="Revoke Computer 1").first.click()
    expect(owner.locator(".devices .device")).to_have_count(1)
    note = tablet.locator("#session-unsent")
    expect(note).to_contain_text("no longer joined", timeout=SHUT_OUT_MS)
    expect(tablet.locator("#session-live")).to_be_visible()
    digits = tablet.get_by_role("timer").inner_text()
    expect(tablet.get_by_role("timer")).not_to_have_text(digits, timeout=3_000)  # it counts on
    expect(second.locator("#session-unsent")).to_be_hidden()
    tablet.goto(f"{site.elsewhere}/")
    expect(tablet.get_by_role("heading", name="Join first")).to_be_visible()
    assert [e for e in watch.errors if "401" not in e] == []


def test_a_link_that_was_used_says_so_and_leaves_no_token_in_the_address(
    site: Network, device: Open, drawn: list[str]
) -> None:
    owner, first, late = device(), device(), device()
    invite(owner, site, "Operator")
    for page in (first, late):
        page.goto(drawn[-1])
    expect(late.get_by_role("alert")).to_contain_text("let a device in already")
    assert late.url == f"{site.elsewhere}/join"
    expect(first.get_by_role("heading", level=1)).not_to_have_text("Join first")


def test_a_browser_that_refuses_cookies_is_told_before_its_invite_is_used_up(
    site: Network, device: Open, drawn: list[str], watch: Watch
) -> None:
    owner, tablet = device(), device()
    invite(owner, site, "Operator")
    tablet.add_init_script(
        "if (!sessionStorage.allowed)"
        " Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set() {} });"
    )
    tablet.goto(drawn[-1])
    expect(tablet.get_by_role("alert")).to_contain_text("Allow cookies for this site")
    assert tablet.url == drawn[-1]
    tablet.evaluate("sessionStorage.allowed = 'yes'")
    tablet.reload()
    tablet.wait_for_url(f"{site.elsewhere}/")
    expect(tablet.get_by_role("heading", level=1)).not_to_have_text("Join first")
    assert watch.errors == []


def test_the_calm_view_of_a_device_that_is_out_says_so_and_goes_on(
    site: Network, device: Open
) -> None:
    page = device()
    devices = Devices(site.owner.storage)
    now = site.app.extensions["site"].clock.now()
    made = devices.invite(Role.DISPLAY, now)
    page.goto(f"{site.elsewhere}/join#{made.token}")
    page.wait_for_url(f"{site.elsewhere}/")
    page.goto(f"{site.elsewhere}/sessions/{site.owner.started('oc-classic-full')}/calm")
    words = page.locator(".calm-words").inner_text()
    expect(page.locator("#calm-link")).to_be_empty()
    for one in devices.all()[0]:
        devices.revoke(one.id, now)
    expect(page.locator("#calm-link")).to_contain_text("no longer joined", timeout=SHUT_OUT_MS)
    expect(page.locator(".calm-words")).to_have_text(words)


KEPT = """async () => {
  const pages = await caches.open("pages");
  return (await pages.keys()).filter(({ url }) => url.includes("/sessions/")).length;
}"""


def test_a_device_that_is_out_keeps_no_session_page(site: Network, browser: Browser) -> None:
    context = browser.new_context(service_workers="allow", reduced_motion="reduce")
    context.set_default_timeout(15_000)
    page = context.new_page()
    devices = Devices(site.owner.storage)
    made = devices.invite(Role.OPERATOR, site.app.extensions["site"].clock.now())
    page.goto(f"{site.elsewhere}/join#{made.token}")
    page.wait_for_url(f"{site.elsewhere}/")
    before = {device.id for device in devices.all()[0]}
    page.goto(f"{site.elsewhere}/sessions/{site.owner.started('oc-classic-full')}")
    page.reload()  # the worker is there now
    end = time.monotonic() + 15
    while not page.evaluate(KEPT):
        assert time.monotonic() < end
        page.wait_for_timeout(100)
    for device in before:
        devices.revoke(device, site.app.extensions["site"].clock.now())
    page.goto(f"{site.elsewhere}/")
    expect(page.get_by_role("heading", name="Join first")).to_be_visible()
    assert page.evaluate(KEPT) == 0
    context.close()
