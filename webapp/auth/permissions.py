"""Permissions: what displays, operators and owners may do, and who sends a request.

A display sees sessions, the catalogue and reference pages, and may stop a session. An operator also
treats. An owner also manages devices and data. ``REQUIRED_ROLES`` has the least role for each
endpoint.

Where nobody has to join, everyone is the owner, and this costs nothing. Otherwise the machine
itself is the owner, and everyone else is the device that its cookie names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from webapp.auth.devices import devices_of
from webapp.domain.invites import Role as Role
from webapp.domain.session import STOPS
from webapp.network import LOOPBACK, USUAL_PORTS, Hosts, without_dot
from webapp.settings import Settings
from webapp.site import Site

DISPLAY, OPERATOR, OWNER = Role.DISPLAY, Role.OPERATOR, Role.OWNER

# None is open to all. An endpoint that is missing needs an owner; a test checks that none is.
REQUIRED_ROLES: dict[str, Role | None] = {
    "static": None,
    "offline.manifest": None,  # browsers ask for it without the cookie; it says no more than a name
    "health.lives": None,
    "health.ready": None,
    "joining.ask": None,
    "joining.join": None,
    "trust.certificate": None,
    "trust.certificate_text": None,
    "trust.show": None,
    # a display sees what runs, and the plain pages
    "catalogue.show": DISPLAY,
    "offline.offline": DISPLAY,
    "offline.worker": DISPLAY,
    "protocols.plan": DISPLAY,
    "protocols.show": DISPLAY,
    "reference.low": DISPLAY,
    "reference.sources": DISPLAY,
    "reference.techniques": DISPLAY,
    "sessions.calm": DISPLAY,
    "sessions.calm_live": DISPLAY,
    "sessions.live": DISPLAY,
    "sessions.push_events": DISPLAY,
    "sessions.show": DISPLAY,
    "settings.show": DISPLAY,
    # a display reports about itself, not about the session
    "sync.merge_offline": DISPLAY,  # the route accepts only stops from a display
    "sync.report_screen": DISPLAY,
    "settings.store": DISPLAY,
    "settings.store_number": DISPLAY,
    # an operator treats
    "clients.add": OPERATOR,
    "clients.card": OPERATOR,
    "clients.index": OPERATOR,
    "clients.remove_word": OPERATOR,
    "clients.show": OPERATOR,
    "clients.tell_word": OPERATOR,
    "courses.add": OPERATOR,
    "courses.calendar": OPERATOR,
    "courses.change": OPERATOR,
    "courses.data": OPERATOR,
    "courses.index": OPERATOR,
    "courses.show": OPERATOR,
    "courses.table": OPERATOR,
    "history.show": OPERATOR,
    "screenings.again": OPERATOR,
    "screenings.answer": OPERATOR,
    "screenings.ask": OPERATOR,
    "screenings.show": OPERATOR,
    "screenings.tell_word": OPERATOR,
    "sessions.command": OPERATOR,  # but a display may stop: see required_role()
    "sessions.create": OPERATOR,
    "sessions.reading": OPERATOR,
    "sessions.remote": OPERATOR,
    "sessions.summary": OPERATOR,
    "summaries.after": OPERATOR,
    "summaries.store": OPERATOR,
    "today.show": OPERATOR,
    # an owner decides who may come in, and looks after the data
    "owner.change_role": OWNER,
    "owner.invite": OWNER,
    "owner.pictures": OWNER,
    "owner.revoke": OWNER,
    "owner.show": OWNER,
    "owner_data.ask_erase": OWNER,
    "owner_data.ask_restore": OWNER,
    "owner_data.ask_retention": OWNER,
    "owner_data.backup": OWNER,
    "owner_data.import_upload": OWNER,
    "owner_data.delete": OWNER,
    "owner_data.download": OWNER,
    "owner_data.erase": OWNER,
    "owner_data.export": OWNER,
    "owner_data.job": OWNER,
    "owner_data.change_retention": OWNER,
    "owner_data.restore": OWNER,
    "owner_data.show": OWNER,
    "owner_data.state": OWNER,
    "owner_data.upload": OWNER,
}
# Asked by script every few seconds: without a page to show, the status alone is the answer.
STATUS_ONLY = frozenset({"sessions.live", "sessions.calm_live", "sessions.push_events"})


def required_role(endpoint: str | None, action: str = "") -> Role | None:
    """Return the least role for an endpoint; ``action`` is the act of a session command.

    Every device that has joined may stop for pain. An unknown address (None) needs a display.
    """
    if endpoint is None or (endpoint == "sessions.command" and action in STOPS):
        return DISPLAY
    return REQUIRED_ROLES.get(endpoint, OWNER)


class Caller(NamedTuple):
    """The sender of a request: peer's address, Host, Cookie, and whether a proxy forwarded it."""

    peer: str
    host: str
    cookie: str
    forwarded: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """A role and a device; ``device`` is empty for the machine itself."""

    role: Role
    device: str = ""


LOCAL_OWNER = Identity(OWNER)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Identifies who sends a request. ``joining`` is False where everyone is the owner."""

    joining: bool
    cookie: str
    secure: bool
    home: frozenset[str]

    def identify(self, site: Site, caller: Caller, now: int) -> Identity | None:
        """Return who sends the request; None for a stranger. At most one query."""
        if self.is_home(caller):
            return LOCAL_OWNER
        token = self.token(caller.cookie)
        device = devices_of(site).find(token, now) if token else None
        return Identity(device[1], device[0]) if device else None

    def identify_with_seq(
        self, site: Site, caller: Caller | None, session_id: str, now: int
    ) -> tuple[Identity | None, int | None]:
        """Return who asks (None for a stranger) and the session's last ``seq``. One query.

        ``caller`` is None where nobody has to join.
        """
        if caller is None or self.is_home(caller):
            return LOCAL_OWNER, site.storage.last_seq(session_id)
        token = self.token(caller.cookie)
        device = devices_of(site).find_with_seq(token, session_id, now) if token else None
        return (Identity(device[1], device[0]), device[2]) if device else (None, None)

    def identify_many(
        self, site: Site, callers: Sequence[tuple[Caller | None, str]], now: int
    ) -> list[tuple[Identity | None, int | None]]:
        """Return :meth:`identify_with_seq` of many callers, in one query, on PostgreSQL."""
        free = [caller is None or self.is_home(caller) for caller, _ in callers]
        tokens = [
            "" if caller is None or home else self.token(caller.cookie)
            for (caller, _), home in zip(callers, free, strict=True)
        ]
        wanted = list(zip(tokens, (session_id for _, session_id in callers), strict=True))
        rows = devices_of(site).find_many_with_seq(wanted, now)
        return [
            (LOCAL_OWNER, seq)
            if home
            else (Identity(device[1], device[0]) if device else None, seq)
            for (device, seq), home in zip(rows, free, strict=True)
        ]

    def is_home(self, caller: Caller) -> bool:
        """Return True for a browser on this machine that uses its loopback name."""
        host = without_dot(caller.host.lower())
        return host in self.home and not caller.forwarded and is_this_machine(caller.peer)

    def token(self, cookies: str) -> str:
        """Return the token in a Cookie header; empty when there is none, or more than one."""
        tokens = [
            pair[len(self.cookie) + 1 :]
            for pair in map(str.strip, cookies.split(";"))
            if pair.startswith(f"{self.cookie}=")
        ]
        return tokens[0] if len(tokens) == 1 else ""


def is_this_machine(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address) in ("127.0.0.1", "::1")


def authenticator_for(settings: Settings, hosts: Hosts) -> Authenticator:
    """Return the authenticator of a site. Behind a public address no request counts as local."""
    home = {f"{name}:{settings.port}" for name in LOOPBACK} if not settings.public_url else set()
    if home and settings.port == USUAL_PORTS[settings.scheme]:
        home.update(LOOPBACK)
    cookie = settings.cookie(f"steady-hands-{hosts.port}")
    return Authenticator(settings.joining, cookie, settings.secure, frozenset(home))
