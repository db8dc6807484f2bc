"""The owner's page: invites, devices, roles, revoking."""

from __future__ import annotations

import re

import pytest

from tests.routes.test_security import check_strict
from tests.support.page import Page
from tests.support.paired_device import LAN_HOST, joined, only_device, stranger
from tests.support.visitor import Visitor
from webapp.auth.devices import Devices
from webapp.domain.invites import Role
from webapp.network import INSIDE, Arrivals, Candidate, machine_name


def test_where_nobody_can_join_it_says_how_to_begin(visitor: Visitor) -> None:
    page = visitor.page("/owner")
    assert "steady-hands serve --lan" in page.source
    assert not page.all("form")
    assert [e.attrs["href"] for e in visitor.page("/").all("a")].count("/owner") == 1


def test_an_invite_is_shown_with_qr_code_typed_code_and_hour(owner: Visitor) -> None:
    answer = owner.post("/owner/invites", {"role": "display"})
    assert answer.status_code == 200
    check_strict("invite", answer)
    page = Page(answer.text)
    (code,) = [e.text for e in page.all("p", class_="invite-code code")]
    assert "10:05" in answer.text
    assert "Scan to join as display" in answer.text
    (qr,) = page.all("svg", class_="qr")
    assert not [e for e in page.elements if "style" in e.attrs], qr
    tablet = stranger(owner)
    assert tablet.post("/join", {"code": code}).status_code == 303
    (device,), _ = Devices(owner.storage).all()
    assert device.role is Role.DISPLAY


def test_the_address_is_one_that_others_can_open(
    owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.network.lan_hosts", lambda: [Candidate("192.168.9.9")])
    page = Page(owner.post("/owner/invites", {"role": "owner"}).text)
    assert page.all("strong", class_="invite-home")[0].text == "http://192.168.9.9:8000/join"
    other = joined(owner, Role.OWNER)
    page = Page(other.post("/owner/invites", {"role": "owner"}).text)
    assert page.all("strong", class_="invite-home")[0].text == f"http://{LAN_HOST}/join"


def test_every_address_is_shown_and_where_a_device_came_in(
    owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [Candidate("192.168.7.7", "wlan0"), Candidate("10.8.0.2", "tun0", INSIDE)]
    monkeypatch.setattr("webapp.network.lan_hosts", lambda: two)
    monkeypatch.setitem(owner.app.extensions, "arrivals", Arrivals())
    before = owner.page("/owner").by_id("addresses").text
    assert before.index("http://192.168.7.7:8000") < before.index("http://10.8.0.2:8000")
    assert "came in" not in before
    tablet = stranger(owner)
    tablet.get("/join", Host="10.8.0.2:8000")
    tablet.get("/join", Host=f"{machine_name()}.local:8000")
    owner.clock.forward(120)
    rows = [" ".join(e.text.split()) for e in owner.page("/owner").all("li", class_="address")]
    assert rows == [
        "http://192.168.7.7:8000 wlan0",
        "http://10.8.0.2:8000 tun0, a device came in here 2 min ago",
        f"http://{machine_name()}.local:8000 a device came in here 2 min ago",
    ]
    page = Page(owner.post("/owner/invites", {"role": "operator"}).text)
    assert page.all("strong", class_="invite-home")[0].text == "http://192.168.7.7:8000/join"


def test_of_two_likely_addresses_the_one_that_was_reached_is_offered(
    owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [Candidate("192.168.7.7", "wlan0"), Candidate("192.168.8.8", "eth0")]
    monkeypatch.setattr("webapp.network.lan_hosts", lambda: two)
    monkeypatch.setitem(owner.app.extensions, "arrivals", Arrivals())
    stranger(owner).get("/join", Host="192.168.8.8:8000")
    page = Page(owner.post("/owner/invites", {"role": "operator"}).text)
    assert page.all("strong", class_="invite-home")[0].text == "http://192.168.8.8:8000/join"


@pytest.mark.parametrize("role", ["", "admin", "OWNER", "3"])
def test_without_a_role_no_invite_is_made(owner: Visitor, role: str) -> None:
    answer = owner.post("/owner/invites", {"role": role})
    assert answer.status_code == 422
    assert "Please choose" in answer.text


def test_the_list_says_what_each_device_is_and_when_it_was_seen(owner: Visitor) -> None:
    tablet = joined(owner, Role.OPERATOR)
    owner.clock.forward(2 * 3600)
    tablet.get("/")
    owner.clock.forward(12 * 60)
    text = " ".join(owner.page("/owner").by_id("devices").text.split())
    assert "Tablet 1" in text
    assert "joined 2 h ago, seen 12 min ago" in text


def test_an_owner_on_a_tablet_sees_which_one_it_is(owner: Visitor) -> None:
    assert "this device" in joined(owner, Role.OWNER).get("/owner").text


def test_revoking_asks_first(owner: Visitor) -> None:
    tablet = joined(owner, Role.OPERATOR)
    path = f"/owner/devices/{only_device(owner)}/revoke"
    asked = owner.post(path, {})
    assert asked.status_code == 200
    assert "Revoke Tablet 1?" in asked.text
    assert tablet.get("/").status_code == 200
    assert owner.post(path, {"sure": "yes"}).status_code == 303
    assert tablet.get("/").status_code == 401
    assert "Shut out" in owner.get("/owner").text
    assert owner.post(path, {"sure": "yes"}).status_code == 404


def test_a_role_is_changed(owner: Visitor) -> None:
    joined(owner, Role.DISPLAY)
    device = only_device(owner)
    path = f"/owner/devices/{device}/role"
    assert owner.post(path, {"role": "operator"}).status_code == 303
    assert Devices(owner.storage).all()[0][0].role is Role.OPERATOR
    assert owner.post(path, {"role": "king"}).status_code == 422
    assert owner.post("/owner/devices/none/role", {"role": "owner"}).status_code == 404


def test_no_page_and_no_address_carries_a_secret_twice(owner: Visitor) -> None:
    answer = owner.post("/owner/invites", {"role": "owner"})
    code = Page(answer.text).all("p", class_="invite-code code")[0].text
    assert code not in owner.get("/owner").text
    assert not re.search(r"join#", answer.text)  # the token is in the picture alone
