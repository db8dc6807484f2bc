"""Host, Origin and cookie in every combination, on each kind of site, against one written rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.heartbeat_wsgi import with_heartbeat
from webapp.app import create_app
from webapp.auth.devices import Devices, Joined
from webapp.domain.invites import Role
from webapp.settings import Settings

HERE, NEAR = "127.0.0.1", "192.168.7.9"
PUBLIC = "massage.example"


@dataclass(frozen=True)
class Kind:
    """A kind of site. ``ours`` are the hosts that it answers to, ``home`` the machine's own."""

    name: str
    scheme: str
    joins: bool
    ours: frozenset[str]
    home: frozenset[str]
    others: frozenset[str]
    cookie: str
    options: dict[str, Any] = field(default_factory=dict)


HOME = frozenset({"127.0.0.1:8000", "localhost:8000", "[::1]:8000"})
LAN = frozenset({"192.168.7.7:8000", "[fd00::7]:8000"})
NEVER = frozenset({"evil.test:8000", "127.0.0.1.evil.test:8000", "127.0.0.1:8001", "127.0.0.1", ""})
KINDS = (
    Kind("plain", "http", False, HOME, HOME, NEVER | LAN, "steady-hands-8000"),
    Kind(
        *("joining", "http", True, HOME | LAN, HOME, NEVER, "steady-hands-8000"),
        {"host": "0.0.0.0", "lan": True},
    ),
    Kind(
        *("https", "https", True, HOME | LAN, HOME, NEVER, "__Host-steady-hands-8000"),
        {"host": "0.0.0.0", "lan": True, "tls": True},
    ),
    Kind(
        *("public", "https", True, frozenset({PUBLIC, f"{PUBLIC}:443"}), frozenset()),
        *(NEVER | LAN | HOME, "__Host-steady-hands-443", {"public_url": f"https://{PUBLIC}"}),
    ),
)
# What a page sends of where it comes from; {own} is scheme and host as a browser writes them.
PLACES: dict[str, dict[str, str]] = {
    "nothing": {},
    "own": {"Origin": "{own}"},
    "own referrer": {"Referer": "{own}/techniques"},
    "same origin by fetch": {"Sec-Fetch-Site": "same-origin"},
    "typed": {"Sec-Fetch-Site": "none"},
    "null": {"Origin": "null"},
    "empty": {"Origin": ""},
    "other port": {"Origin": "{own}1"},
    "other scheme": {"Origin": "{swapped}"},
    "longer name": {"Origin": "{own}.evil.test"},
    "elsewhere": {"Origin": "http://evil.test"},
    "elsewhere, own referrer": {"Origin": "http://evil.test", "Referer": "{own}/"},
    "elsewhere by fetch": {"Sec-Fetch-Site": "cross-site"},
    "same site by fetch": {"Sec-Fetch-Site": "same-site"},
    "elsewhere by referrer": {"Referer": "http://evil.test/?{own}/"},
}
OURS = {"nothing", "own", "own referrer", "same origin by fetch", "typed"}
COOKIES = {
    "none": "",
    "right": "{name}={token}",
    "wrong": "{name}=" + "x" * 43,
    "other port": "steady-hands-8001={token}",
    "doubled": "{name}={token}; {name}=y",
}
PEERS = {"here": HERE, "near": NEAR}


@dataclass(frozen=True)
class Case:
    method: str
    host: str
    place: str
    cookie: str
    peer: str


def expected(kind: Kind, case: Case) -> int:
    """The rule, in its order: our names; our pages, where something may change; then who asks."""
    if case.host.lower() not in kind.ours:
        return 421
    if case.method == "POST" and case.place not in OURS:
        return 403
    home = case.peer == "here" and case.host.lower() in kind.home
    if kind.joins and not home and case.cookie != "right":
        return 401
    return 303 if case.method == "POST" else 200


def cases(kind: Kind) -> Iterator[Case]:
    """All of them for our hosts; of a foreign host the rest may say what it likes, so a few."""
    for host, peer, cookie in product(sorted(kind.ours), PEERS, COOKIES):
        yield from (Case("POST", host, place, cookie, peer) for place in PLACES)
        yield from (Case("GET", host, place, cookie, peer) for place in ("nothing", "elsewhere"))
    for host, method, place in product(sorted(kind.others), ("GET", "POST"), ("nothing", "own")):
        yield from (Case(method, host, place, cookie, "here") for cookie in ("none", "right"))
    loud = next(iter(sorted(kind.ours))).upper()
    yield Case("GET", loud, "nothing", "right", "near")


def headers(kind: Kind, case: Case, token: str) -> dict[str, str]:
    bare = case.host.removesuffix(":443" if kind.scheme == "https" else ":80")
    swapped = "http" if kind.scheme == "https" else "https"
    names = {"own": f"{kind.scheme}://{bare}", "swapped": f"{swapped}://{bare}"}
    found = {name: value.format(**names) for name, value in PLACES[case.place].items()}
    if told := COOKIES[case.cookie].format(name=kind.cookie, token=token):
        found["Cookie"] = told
    return found | {"Host": case.host}


@pytest.fixture(scope="module", params=KINDS, ids=[kind.name for kind in KINDS])
def served(
    request: pytest.FixtureRequest, protocols_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kind, Flask, str]]:
    """Each kind of site, and the token of a device that has joined it."""
    kind: Kind = request.param
    settings = Settings(tmp_path_factory.mktemp(kind.name), protocols=protocols_folder)
    app = with_heartbeat(create_app(replace(settings, **kind.options)))
    site = app.extensions["site"]
    made = Devices(site.storage).invite(Role.DISPLAY, site.clock.now())
    joined = Devices(site.storage).join("iPad", site.clock.now(), token=made.token)
    assert isinstance(joined, Joined)
    yield kind, app, joined.token
    site.storage.close()


@pytest.mark.promise("origins")
def test_every_combination_gets_what_the_rule_says(
    served: tuple[Kind, Flask, str], record_property: Callable[[str, object], None]
) -> None:
    kind, app, token = served
    client = app.test_client(use_cookies=False)
    wrong, tried = [], list(cases(kind))
    for case in tried:
        answer = client.open(
            "/settings",
            method=case.method,
            headers=headers(kind, case, token),
            environ_base={"REMOTE_ADDR": PEERS[case.peer]},
        )
        if answer.status_code != expected(kind, case):
            wrong.append((case, answer.status_code, expected(kind, case)))
    assert wrong == []
    assert len(tried) > 200
    record_property("cases", len(tried))
