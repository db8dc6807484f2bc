"""A device under a name of the network, over https with a certificate that it trusts: all is there.

Chromium is told to trust this one key (``--ignore-certificate-errors-spki-list``), so this does not
show that it takes the chain; ``tests/tls/test_certificates.py`` has strict verifiers for that.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.browser.conftest import AWAKE, Watch
from tests.browser.refusing import (
    block_site_data,
    goes_on,
    ours,
    says_what_is_not_kept,
    stops_without_a_link,
)
from tests.support.real_server import Server, clean_environment
from webapp.tls.authority import Authority, now
from webapp.tls.pem import Names, read_chain

NAME = "clinic.lan"


@dataclass
class Clinic(Server):
    """Served with a certificate from elsewhere for ``NAME``."""

    @property
    def address(self) -> str:
        return f"https://{NAME}:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        unchecked = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=unchecked)


@pytest.fixture
def clinic(tmp_path: Path, protocol_folder: Path) -> Iterator[Clinic]:
    authority = Authority(tmp_path / "authority")
    authority.renew(Names((NAME,), ()), now())
    environment = clean_environment(
        STEADY_HANDS_CERTIFICATE=str(authority.server_file),
        STEADY_HANDS_KEY=str(authority.server_file),
    )
    running = Clinic(tmp_path / "data", protocol_folder, environment=environment)
    with running:
        yield running


def key_hash(file: Path) -> str:
    public = read_chain(file)[0].public_key()
    spki = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


@pytest.fixture(params=["site data allowed"])
def tablet(
    browser: Browser,
    clinic: Clinic,
    tmp_path: Path,
    watch: Watch,
    request: pytest.FixtureRequest,
) -> Iterator[Page]:
    blocked = request.param == "blocked"
    trusted = key_hash(Path(clinic.environment["STEADY_HANDS_KEY"]))
    flags = [
        *chromium.flags(),
        f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={trusted}",
    ]
    context = browser.browser_type.launch_persistent_context(
        block_site_data(tmp_path / "profile") if blocked else tmp_path / "profile",
        executable_path=chromium.for_measurements() if blocked else chromium.for_tests(),
        args=flags,
        base_url=clinic.address,
        permissions=[AWAKE],
        viewport={"width": 1280, "height": 800},
    )
    yield watch.follow(context.new_page())
    context.close()


def test_under_a_name_over_https_a_tablet_has_everything(
    clinic: Clinic, tablet: Page, watch: Watch
) -> None:
    tablet.context.add_cookies([{"name": "another", "value": "one", "url": clinic.address}])
    tablet.goto("/settings")
    tablet.get_by_text("Dark", exact=True).click()
    session_id = clinic.prepare("long")
    tablet.goto(f"/sessions/{session_id}")
    expect(tablet.locator("html")).to_have_attribute("data-theme", "dark")  # of several cookies
    assert tablet.evaluate("[isSecureContext, 'wakeLock' in navigator]") == [True, True]
    how = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    assert tablet.evaluate(how) == "h2"
    expect(tablet.locator("[data-line=alone]")).to_contain_text("also after a reload")
    expect(tablet.locator("[data-line=screen]")).to_contain_text("Stays on by itself")
    tablet.get_by_role("button", name="Start").click()
    expect(tablet.locator("#session-live")).to_have_attribute("data-status", "running")
    assert (
        tablet.evaluate("navigator.wakeLock.request('screen').then((lock) => lock.type)")
        == "screen"
    )
    tablet.wait_for_timeout(500)
    clinic.act(session_id, "pause")  # somewhere else: the nudge comes long before the beat
    live = tablet.locator("#session-live")
    expect(live).to_have_attribute("data-status", "paused", timeout=2_000)
    assert watch.errors == []
    kept = "async () => (await (await caches.open((await caches.keys())[0])).keys()).length"
    tablet.wait_for_function(f"({kept})().then((count) => count > 5)")
    clinic.kill()
    tablet.reload()
    expect(tablet.locator("#session-live")).to_have_attribute("data-status", "paused")


@pytest.mark.parametrize("tablet", ["blocked"], indirect=True)
def test_a_tablet_that_keeps_nothing_goes_on_and_delivers_its_stop(
    clinic: Clinic, tablet: Page, watch: Watch
) -> None:
    tablet.goto(f"/sessions/{clinic.prepare('long')}")
    says_what_is_not_kept(tablet)
    goes_on(tablet)
    stops_without_a_link(tablet)
    assert ours(watch.errors) == []
