"""States of joining: what strangers, displays and owners see. Another device asks by 127.0.0.2."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page
from werkzeug.test import TestResponse

from tests.browser.site import Hand
from tests.support.visitor import Visitor
from webapp.auth.devices import Devices
from webapp.domain.invites import Role

Asked = Callable[[Visitor], TestResponse]


def other_device(visitor: Visitor, role: Role | None = None) -> Hand:
    """A browser on another device, joined when a role is given."""
    host = visitor.seen["host"].replace("127.0.0.1", "127.0.0.2")
    hand = Hand(
        visitor.app, visitor.app.test_client(), visitor.clock, visitor.storage, {"host": host}
    )
    if role:
        made = Devices(visitor.storage).invite(role, visitor.clock.now())
        answer = hand.post("/join", {"token": made.token}, User_Agent="iPad")
        assert answer.status_code == 303, answer.text
    return hand


def seen_by(role: Role | None, path: str | Callable[[Visitor], str]) -> Asked:
    def asked(visitor: Visitor) -> TestResponse:
        where = path if isinstance(path, str) else path(visitor)
        return other_device(visitor, role).get(where)

    return asked


def code_refused(visitor: Visitor) -> TestResponse:
    return other_device(visitor).post("/join", {"code": "BCDF GHJK"})


def invite_over(visitor: Visitor) -> TestResponse:
    made = Devices(visitor.storage).invite(Role.OPERATOR, visitor.clock.now())
    visitor.clock.forward(301)
    return other_device(visitor).post("/join", {"token": made.token})


def some_devices(visitor: Visitor) -> None:
    for role in (Role.DISPLAY, Role.OPERATOR, Role.OWNER):
        other_device(visitor, role)
        visitor.clock.forward(700)
    *_, first = Devices(visitor.storage).all()[0]
    other_device(visitor, Role.DISPLAY)
    Devices(visitor.storage).revoke(first.id, visitor.clock.now())


def owner(visitor: Visitor) -> str:
    some_devices(visitor)
    return "/owner"


def invited(visitor: Visitor) -> TestResponse:
    some_devices(visitor)
    return visitor.post("/owner/invites", {"role": "display"})


def revoking(visitor: Visitor) -> TestResponse:
    some_devices(visitor)
    device = Devices(visitor.storage).all()[0][0]
    return visitor.post(f"/owner/devices/{device.id}/revoke", {})


def shut_out(page: Page) -> None:
    """The server says that this device is no longer joined."""
    page.route("**/live*", lambda route: route.fulfill(status=401))
    page.evaluate("document.body.dispatchEvent(new Event('resync'))")
    page.locator("#session-unsent").wait_for()
