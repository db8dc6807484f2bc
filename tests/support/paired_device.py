"""Another device at a site of the network: it asks from elsewhere, and has to join."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.test import TestResponse

from tests.support.visitor import Visitor
from webapp.auth.devices import Devices
from webapp.auth.invites import NewInvite
from webapp.domain.invites import Role

LAN_HOST = "192.168.7.7:8000"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile"
PIXEL = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/156.0 Mobile Safari"


@dataclass
class Tablet(Visitor):
    """A browser on another device, with cookies of its own."""

    def get(self, path: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        return super().get(path, htmx=htmx, **self.elsewhere(headers))

    def post(
        self, path: str, fields: dict[str, str], *, htmx: bool = False, **headers: str
    ) -> TestResponse:
        return super().post(path, fields, htmx=htmx, **self.elsewhere(headers))

    def elsewhere(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Host": LAN_HOST, "User_Agent": IPAD, **headers}

    def join(self, made: NewInvite) -> TestResponse:
        return self.post("/join", {"token": made.token})

    @property
    def token(self) -> str:
        cookie = self.client.get_cookie("steady-hands-8000", domain="192.168.7.7")
        return cookie.value if cookie else ""


def stranger(at: Visitor) -> Tablet:
    """A device that has not joined."""
    return Tablet(at.app, at.app.test_client(), at.clock, at.storage)


def joined(at: Visitor, role: Role) -> Tablet:
    """A device that was let in."""
    tablet = stranger(at)
    answer = tablet.join(invited(at, role))
    assert answer.status_code == 303, answer.text
    return tablet


def invited(at: Visitor, role: Role = Role.OPERATOR) -> NewInvite:
    return Devices(at.storage).invite(role, at.clock.now())


def only_device(at: Visitor) -> str:
    """The id of the one device that has joined."""
    (device,) = Devices(at.storage).all()[0]
    return device.id
