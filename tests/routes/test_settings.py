"""The settings of a device: one cookie, applied to every page."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.safe_answers import SAFE
from tests.support.visitor import Visitor
from webapp.app import create_app
from webapp.auth.devices import Devices, Joined
from webapp.domain.invites import Role
from webapp.presentation.preferences import Preferences, preferences_of, read_preferences
from webapp.settings import Settings

CHOSEN = {
    "theme": "dim",
    "sound": "chime",
    "rate": "slow",
    "vibration": "off",
    "countdown": "wedge",
    "flash": "on",
    "loud": "on",
    "headset": "on",
    "speaker": "Anna & Ben",
    "note": "on",
}


def html_of(page: Page) -> dict[str, str]:
    return {name.removeprefix("data-"): v for name, v in page.all("html")[0].attrs.items()}


def test_out_of_the_box_it_speaks_and_follows_the_system(visitor: Visitor) -> None:
    found = html_of(visitor.page("/"))
    assert (found["theme"], found["sound"], found["vibration"]) == ("system", "voice", "on")


def test_what_was_chosen_counts_on_every_page(visitor: Visitor) -> None:
    answer = visitor.post("/settings", CHOSEN)
    told = {"zone": "", "emergency": ""}
    assert answer.status_code == 303
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert "SameSite=Lax" in cookie
    session_id = visitor.prepare()
    for path in ("/", "/settings", f"/sessions/{session_id}", f"/sessions/{session_id}/summary"):
        assert html_of(visitor.page(path)) | {"lang": ""} == CHOSEN | told | {"lang": ""}
    page = visitor.page("/settings")
    checked = {e.attrs["name"]: e.attrs["value"] for e in page.all("input") if "checked" in e.attrs}
    assert checked == {name: value for name, value in CHOSEN.items() if name != "speaker"}
    assert page.all("option", value="Anna & Ben")[0].attrs["selected"] == ""


@pytest.mark.parametrize(
    "cookie",
    ["", "theme", "theme=neon&sound=loud", "x" * 3000, "%00%ff", "theme=dim;sound", "=&=&"],
)
def test_a_broken_cookie_counts_as_none(visitor: Visitor, cookie: str) -> None:
    visitor.client.set_cookie("device", cookie, domain="127.0.0.1")
    assert html_of(visitor.page("/"))["sound"] == "voice"


def test_a_name_is_kept_short_and_printable() -> None:
    assert preferences_of({"speaker": "A\n\x00B" + "c" * 200}).speaker == "A  B" + "c" * 76
    persian = "\u0635\u062f\u0627\u06cc \u0645\u06cc\u200c\u0646\u0627"
    assert read_preferences(Preferences(speaker=persian).cookie()).speaker == persian
    assert read_preferences(Preferences(theme="dim", speaker="a=b&c").cookie()) == Preferences(
        "dim", speaker="a=b&c"
    )


def test_a_browser_that_refuses_the_cookie_is_told_so(visitor: Visitor) -> None:
    refusing = visitor.app.test_client(use_cookies=False)
    begin = {"Host": "127.0.0.1:8000"}
    landed = refusing.post("/settings", data=CHOSEN, headers=begin).headers["Location"]
    told = Page(refusing.get(landed, headers=begin).text).by_id("not-kept")
    assert "hidden" not in told.attrs
    visitor.post("/settings", CHOSEN)
    assert "hidden" in visitor.page(landed).by_id("not-kept").attrs


@pytest.mark.parametrize("public", [False, True])
def test_over_https_no_other_host_or_path_can_set_the_cookies(
    tmp_path: Path, protocols_folder: Path, public: bool
) -> None:
    host = "massage.example" if public else "127.0.0.1:8000"
    url = f"https://{host}" if public else None
    app = with_heartbeat(create_app(Settings(tmp_path, protocols=protocols_folder, public_url=url)))
    token = join_first(app) if public else ""
    client = app.test_client(use_cookies=False)
    begin = {"Host": host, "Cookie": token}
    kept = client.post("/settings", data={"theme": "dim"}, headers=begin)
    cookie = kept.headers["Set-Cookie"]
    prefix = "__Host-" if public else ""
    assert cookie.startswith(f"{prefix}device=theme=dim")
    assert ("Secure" in cookie, "Path=/" in cookie) == (public, True)
    chosen = f"{token}; {cookie.split(';')[0]}"
    page = client.get("/settings", headers={"Host": host, "Cookie": chosen}).text
    assert 'data-theme="dim"' in page
    answer = client.post("/protocols/sided/screening", data=SAFE, headers=begin)
    (unit,) = answer.headers.getlist("Set-Cookie")
    assert unit.startswith(f"{prefix}glucose-unit=")
    assert ("Secure" in unit) == public
    app.extensions["site"].storage.close()


def join_first(app: Flask) -> str:
    site = app.extensions["site"]
    made = Devices(site.storage).invite(Role.OWNER, site.clock.now())
    joined = Devices(site.storage).join("iPad", site.clock.now(), token=made.token)
    assert isinstance(joined, Joined)
    return f"__Host-steady-hands-443={joined.token}"
