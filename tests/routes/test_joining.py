"""Joining: by a scanned token, by a typed code, and how everyone else is turned away."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.routes.test_security import check_headers, check_strict
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.paired_device import (
    LAN_HOST,
    PIXEL,
    Tablet,
    invited,
    joined,
    only_device,
    stranger,
)
from tests.support.visitor import HOST, Visitor
from webapp.app import create_app
from webapp.auth.devices import Devices
from webapp.auth.invites import hash_secret
from webapp.domain.invites import LETTERS, Role
from webapp.domain.session import Event
from webapp.settings import Settings

NEVER = ("protocol", "session", "/today", "/courses", "Short", "0.1.0")


@pytest.mark.parametrize(
    "path",
    ["/", "/protocols/short", "/nowhere", "/owner", "/today", "/offline", "/protocols//short"],
)
def test_everyone_else_is_told_how_to_join_and_nothing_more(owner: Visitor, path: str) -> None:
    session_id = owner.started()
    answer = stranger(owner).get(path)
    assert answer.status_code == 401
    check_headers(answer)
    check_strict(path, answer)
    page = Page(answer.text)
    assert page.by_id("join-code").tag == "input"
    main = re.sub(r"<script.*?</script>", "", answer.text)
    for word in (*NEVER, session_id):
        assert word not in main, word
    links = {e.attrs["href"] for e in page.all("a")}
    assert links == {"#main", "/"}


def test_a_fragment_is_asked_for_by_htmx_and_a_bare_word_by_beats(owner: Visitor) -> None:
    session_id = owner.started()
    tablet = stranger(owner)
    fragment = tablet.get("/protocols/short/plan", htmx=True)
    assert fragment.status_code == 401
    assert "<html" not in fragment.text
    assert "join-code" in fragment.text
    for path in ("/live?seq=1&until=0", "/live", "/calm/live", "/nudges"):
        answer = tablet.get(f"/sessions/{session_id}{path}", htmx=True)
        assert (answer.status_code, answer.data) == (401, b""), path
        check_headers(answer)


def test_a_browser_without_cookies_is_told_what_to_do_and_not_sent_in_circles(
    owner: Visitor,
) -> None:
    client = owner.app.test_client(use_cookies=False)
    begin = {"Host": LAN_HOST}
    landed = client.post("/join", data={"token": invited(owner).token}, headers=begin)
    answer = client.get(landed.headers["Location"], headers=begin)
    assert answer.status_code == 401
    assert "Allow cookies for this site, then ask for a new invite" in answer.text
    assert 'aria-describedby="join-fault"' not in answer.text, "the code was not at fault"


def test_what_is_open_says_nothing_of_the_site(owner: Visitor) -> None:
    tablet = stranger(owner)
    for path in ("/join", "/manifest.webmanifest"):
        answer = tablet.get(path)
        assert answer.status_code == 200
        assert not re.search("Short|sessions/|0\\.1\\.0", answer.text)


def test_a_scanned_token_lets_a_device_in_with_a_cookie_of_its_own(owner: Visitor) -> None:
    tablet = stranger(owner)
    answer = tablet.join(invited(owner))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/join?done=yes"
    assert tablet.get("/join?done=yes").headers["Location"] == "/"
    (cookie,) = answer.headers.getlist("Set-Cookie")
    name, _, rest = cookie.partition("=")
    parts = {part.strip() for part in rest.split(";")}
    assert name == "steady-hands-8000"
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert "Secure" not in parts  # plain http
    assert not any(part.startswith("Domain") for part in parts)
    assert len(rest.split(";")[0]) == 43  # 256 bits in base64url
    assert tablet.get("/").status_code == 200


def test_a_typed_code_does_the_same_however_it_is_typed(owner: Visitor) -> None:
    code = invited(owner).code
    assert re.fullmatch(f"[{LETTERS}]{{4}} [{LETTERS}]{{4}}", code)
    tablet = stranger(owner)
    assert tablet.post("/join", {"code": f" {code.lower().replace(' ', '-')}"}).status_code == 303
    assert tablet.get("/").status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({}, 422, "eight letters"),
        ({"code": "BCDF"}, 422, "eight letters"),
        ({"code": "12345678"}, 422, "eight letters"),
        ({"code": "BCDF GHJK"}, 403, "No invite has this code"),
        ({"token": "x" * 22}, 403, "not known here"),
        ({"token": "short"}, 403, "not known here"),
        ({"token": "x" * 5000}, 403, "not known here"),
    ],
)
def test_what_lets_nobody_in_is_said(
    owner: Visitor, fields: dict[str, str], status: int, words: str
) -> None:
    tablet = stranger(owner)
    answer = tablet.post("/join", fields)
    assert answer.status_code == status
    assert words in answer.text
    assert "Set-Cookie" not in answer.headers
    assert tablet.get("/").status_code == 401
    check_headers(answer)
    check_strict(str(fields)[:60], answer)


def test_a_used_an_old_and_a_burnt_invite_say_what_they_are(owner: Visitor) -> None:
    tablet, used, burnt, old = stranger(owner), *(invited(owner) for _ in range(3))
    joined_one = stranger(owner)
    joined_one.join(used)
    assert "let a device in already" in tablet.join(used).text
    for _ in range(5):
        tablet.post("/join", {"code": "ZZZZ ZZZZ"})
    assert "Too many wrong codes" in tablet.post("/join", {"code": burnt.code}).text
    assert stranger(owner).join(burnt).status_code == 303  # scanning still works
    owner.clock.forward(5 * 60)
    assert "holds for five minutes" in tablet.join(old).text


@pytest.mark.promise("joining")
def test_ten_thousand_guesses_let_nobody_in(
    owner: Visitor, record_property: Callable[[str, object], None]
) -> None:
    """One invite after the other is open all the time; a guess a tenth of a second, for 17 minutes.

    A quarter of that in every run, all with ``make security``.
    """
    tablet, draw = stranger(owner), random.Random(7)
    guesses = 10_000 if os.environ.get("STEADY_HANDS_SECURITY") else 2_500
    statuses: dict[int, int] = {}
    for n in range(guesses):
        if n % 2_000 == 0:
            invited(owner)
        guess = "".join(draw.choices(LETTERS, k=8))
        status = tablet.post("/join", {"code": guess}).status_code
        statuses[status] = statuses.get(status, 0) + 1
        owner.clock.forward(0.1)
    assert set(statuses) == {403, 429}
    assert statuses[403] <= 20 * (guesses // 600 + 1)  # all others were not even compared
    assert Devices(owner.storage).all() == ([], [])
    assert tablet.get("/").status_code == 401
    record_property("guesses", sum(statuses.values()))


def test_after_twenty_tries_a_minute_is_to_be_waited_and_scanning_goes_on(owner: Visitor) -> None:
    tablet = stranger(owner)
    for _ in range(20):
        assert tablet.post("/join", {"code": "ZZZZ ZZZZ"}).status_code == 403
    made = invited(owner)
    with owner.queries() as queries:
        answer = tablet.post("/join", {"code": made.code})
    assert answer.status_code == 429
    assert [query for query in queries if not query.startswith("SELECT")] == []  # it costs no write
    assert answer.headers["Retry-After"] == "60"
    check_headers(answer)
    assert tablet.join(made).status_code == 303


def test_joining_again_replaces_the_device(owner: Visitor) -> None:
    tablet = joined(owner, Role.DISPLAY)
    assert "This device is in already" in tablet.get("/join").text
    tablet.join(invited(owner, Role.OPERATOR))
    (device,), _ = Devices(owner.storage).all()
    assert (device.label, device.role) == ("Tablet 2", Role.OPERATOR)


def test_devices_are_told_apart_by_what_they_are(owner: Visitor) -> None:
    joined(owner, Role.OPERATOR)
    phone = stranger(owner)
    phone.post("/join", {"token": invited(owner).token}, User_Agent=PIXEL)
    labels = {device.label for device in Devices(owner.storage).all()[0]}
    assert labels == {"Tablet 1", "Phone 1"}


def test_revoked_the_next_request_gets_the_join_page(owner: Visitor) -> None:
    tablet = joined(owner, Role.OWNER)
    session_id = owner.started()
    beat = f"/sessions/{session_id}/live?seq=1&until=0"
    assert tablet.get("/").status_code == 200
    assert tablet.get(beat).status_code == 204
    Devices(owner.storage).revoke(only_device(owner), owner.clock.now())
    assert tablet.get("/").status_code == 401
    assert tablet.get(beat).status_code == 401
    form = owner.form(session_id)
    assert tablet.post(f"/sessions/{session_id}/pause", form).status_code == 401
    assert owner.seq(session_id) == 1


@pytest.mark.parametrize(
    "cookie",
    [
        "steady-hands-8000=",
        "steady-hands-8000=wrong",
        "steady-hands-8001={token}",
        "Steady-Hands-8000={token}",
        "steady-hands-8000={token}x",
        "steady-hands-8000=wrong; steady-hands-8000={token}",
        "steady-hands-8000={token}; steady-hands-8000=wrong",
        "steady-hands-8000={hash}",
        "__Host-steady-hands-8000={token}",
    ],
)
def test_a_cookie_that_is_not_exactly_the_right_one_is_nobody(owner: Visitor, cookie: str) -> None:
    token = joined(owner, Role.OWNER).token
    told = cookie.format(token=token, hash=hash_secret(token))
    client = owner.app.test_client(use_cookies=False)
    for sent, status in ((told, 401), (f"a=b; steady-hands-8000={token}", 200)):
        answer = client.get("/", headers={"Host": LAN_HOST, "Cookie": sent})
        assert answer.status_code == status, sent


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {"Host": HOST}, 200),
        ("127.0.0.1", {"Host": "localhost:8000"}, 200),
        ("::1", {"Host": "[::1]:8000"}, 200),
        ("::ffff:127.0.0.1", {"Host": HOST}, 200),
        ("127.0.0.1", {"Host": LAN_HOST}, 401),
        ("127.0.0.1", {"Host": "127.0.0.2:8000"}, 401),
        ("192.168.7.9", {"Host": HOST}, 401),
        ("192.168.7.9", {"Host": LAN_HOST}, 401),
        ("127.0.0.2", {"Host": HOST}, 401),
        ("", {"Host": HOST}, 401),
        ("127.0.0.1", {"Host": HOST, "X-Forwarded-For": "203.0.113.9"}, 401),
        ("127.0.0.1", {"Host": HOST, "Forwarded": "for=203.0.113.9"}, 401),
    ],
)
def test_only_the_machine_itself_is_the_owner_without_joining(
    owner: Visitor, peer: str, headers: dict[str, str], status: int
) -> None:
    client = owner.app.test_client()
    answer = client.get("/owner", headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("settings", "joining"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "127.0.0.2"}, False),
        ({"lan": True}, True),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "192.168.7.7"}, True),
        ({"host": "massage.lan"}, True),
        ({"public_url": "https://massage.example"}, True),
    ],
)
def test_whoever_is_reached_by_others_lets_them_join(
    tmp_path: Path, settings: dict[str, object], joining: bool
) -> None:
    assert Settings(tmp_path, **settings).joining is joining  # type: ignore[arg-type]


def test_without_joining_there_is_no_cookie_and_no_query_for_it(visitor: Visitor) -> None:
    session_id = visitor.started()
    with visitor.queries() as queries:
        answer = visitor.get(f"/sessions/{session_id}/live?seq=1&until=0")
        visitor.get("/techniques")
    assert answer.status_code == 204
    assert len(queries) == 1
    assert not [query for query in queries if "devices" in query]
    assert visitor.post("/join", {"token": "x" * 22}).headers["Location"] == "/"


def test_a_beat_of_a_joined_device_is_one_query(owner: Visitor) -> None:
    session_id = owner.started()
    tablet = joined(owner, Role.DISPLAY)
    path = f"/sessions/{session_id}/live?seq=1&until=0"
    with owner.queries() as queries:
        assert tablet.get(path).status_code == 204
    assert len(queries) == 1
    owner.clock.forward(3_000)
    with owner.queries() as queries:
        tablet.get(path)
    assert not [query for query in queries if "UPDATE devices" in query]


def test_what_a_joined_device_asks_of_a_session_costs_one_query_to_know_both(
    owner: Visitor,
) -> None:
    """Who asks and how far the session is come together; an act adds its write alone."""
    session_id = owner.started()
    tablet = joined(owner, Role.OPERATOR)
    tablet.get(f"/sessions/{session_id}/live")
    with owner.queries() as queries:
        assert tablet.get(f"/sessions/{session_id}/live").status_code == 200
    assert len(queries) == 1, queries
    form = tablet.form(session_id)
    with owner.queries() as queries:
        assert tablet.post(f"/sessions/{session_id}/pause", form, htmx=True).status_code == 200
    wanted = 2 if owner.storage.database.shared else 5  # BEGIN, two rows, COMMIT
    assert len(queries) == wanted, queries


def test_what_another_process_did_meanwhile_is_seen_after_all(owner: Visitor) -> None:
    """The seq that came with the cookie is used once: after a conflict it is asked for anew."""
    session_id = owner.started()
    tablet = joined(owner, Role.OPERATOR)
    form = tablet.form(session_id)
    before = owner.storage.load(session_id)
    assert before is not None
    record = owner.storage.record

    def beaten(*arguments: Any, **more: Any) -> Any:
        owner.storage.record = record  # type: ignore[method-assign]
        record(before, Event(before.seq + 1, "theirs", "pause", before.folded.at + 1))
        owner.storage.put_in_cache(before)  # as in a process that has not heard of it
        return record(*arguments, **more)

    owner.storage.record = beaten  # type: ignore[method-assign]
    answer = tablet.post(f"/sessions/{session_id}/pause", form, htmx=True)
    assert 'data-status="paused"' in answer.text
    assert owner.seq(session_id) == before.seq + 1


def test_a_visit_of_the_first_page_renews_the_cookie(owner: Visitor) -> None:
    tablet = joined(owner, Role.DISPLAY)
    (cookie,) = tablet.get("/").headers.getlist("Set-Cookie")
    assert cookie.startswith(f"steady-hands-8000={tablet.token};")
    assert "Set-Cookie" not in tablet.get("/techniques").headers


@pytest.fixture(scope="module")
def public_app(protocols_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("public")
    url = "https://massage.example"
    app = with_heartbeat(create_app(Settings(folder, protocols=protocols_folder, public_url=url)))
    yield app
    app.extensions["site"].storage.close()


PUBLIC = {"Host": "massage.example", "X-Forwarded-For": "203.0.113.9"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("massage.example", 401),
        ("MASSAGE.example", 401),
        ("massage.example:443", 401),
        ("massage.example:8000", 421),
        ("127.0.0.1:8000", 421),
        ("192.168.7.7:8000", 421),
        ("evil.example", 421),
    ],
)
def test_behind_a_public_address_that_one_is_known_and_nobody_is_the_machine(
    public_app: Flask, host: str, status: int
) -> None:
    assert public_app.test_client().get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://massage.example", 303),
        ("http://massage.example", 403),
        ("https://massage.example:8443", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_behind_a_public_address_the_origin_is_that_one(
    public_app: Flask, origin: str, status: int
) -> None:
    site = public_app.extensions["site"]
    made = Devices(site.storage).invite(Role.OWNER, site.clock.now())
    answer = public_app.test_client().post(
        "/join", data={"token": made.token}, headers=PUBLIC | {"Origin": origin}
    )
    assert answer.status_code == status
    if status == 303:
        (cookie,) = answer.headers.getlist("Set-Cookie")
        assert cookie.startswith("__Host-steady-hands-443=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        again = public_app.test_client(use_cookies=False).get(
            "/owner", headers=PUBLIC | {"Cookie": cookie.split(";")[0]}
        )
        assert again.status_code == 200


def test_the_join_page_works_without_script(owner: Visitor) -> None:
    page = Page(stranger(owner).get("/join").text)
    (form,) = page.all("form")
    assert (form.attrs["method"], form.attrs["action"]) == ("post", "/join")
    assert page.by_id("join-code").attrs["name"] == "code"


def test_a_tablet_that_joined_runs_a_session(owner: Visitor) -> None:
    tablet: Tablet = joined(owner, Role.OPERATOR)
    session_id = tablet.started("short", "next")
    assert owner.seq(session_id) == 2
