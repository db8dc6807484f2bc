"""Who may do what: every route, as every role, on a session of one's own and on another's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.routes.test_security import STYLE, check_headers
from tests.support.page import Page
from tests.support.paired_device import Tablet, joined, stranger
from tests.support.visitor import Visitor
from webapp.auth.devices import Devices
from webapp.auth.permissions import REQUIRED_ROLES, Role, required_role
from webapp.auth.rate_limit import CREATING, MOST_A_MINUTE
from webapp.domain.session import ANY_STATUS, STOPS
from webapp.storage.courses import Courses

METHODS = {"GET", "POST"}
SECRETS = re.compile(r"Short protocol|/sessions/[\w-]{16}|[ACDEFGHJKMNPQRTUVWXY]\d-[A-Z]\d[A-Z]")
NONCE = re.compile(r'nonce="[\w-]+"')  # drawn at random, so that it can look like anything


def test_every_endpoint_is_in_the_table_and_nothing_else_is(small_app: Flask) -> None:
    assert set(REQUIRED_ROLES) == {rule.endpoint for rule in small_app.url_map.iter_rules()}


def test_what_is_not_in_the_table_needs_an_owner() -> None:
    assert required_role("something.new") is Role.OWNER


def test_little_is_open_to_all() -> None:
    assert {name for name, role in REQUIRED_ROLES.items() if role is None} == {
        "static",
        "health.lives",
        "health.ready",
        "joining.ask",
        "joining.join",
        "offline.manifest",
        "trust.certificate",
        "trust.certificate_text",
        "trust.show",
    }


@pytest.mark.parametrize("action", ANY_STATUS)
def test_of_all_acts_a_display_has_the_stops(action: str) -> None:
    assert (required_role("sessions.command", action) == Role.DISPLAY) == (action in STOPS)


def asked(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every rule with every method that it takes."""
    for rule in app.url_map.iter_rules():
        yield from ((rule, method) for method in sorted(METHODS & set(rule.methods or ())))


class World:
    """A site with a session of a tablet, one of the owner, and ids for every address."""

    def __init__(self, owner: Visitor, tablet: Tablet) -> None:
        self.owner, self.tablet = owner, tablet
        self.own = owner.started()
        self.foreign = owner.started("sided")
        course = Courses(owner.storage).courses(9, 0)[0][0]
        self.ids = {
            "protocol_id": "short",
            "screening_id": owner.screened(),
            "course_id": course.id,
            "client_id": course.client.id,
            "device_id": "none",
            "job_id": "none",
            "version": STYLE.split("/")[2],
            "name": "site.css",
        }

    def ask(self, rule: Rule, method: str, session_id: str, action: str = "pause") -> TestResponse:
        values = {name: self.ids.get(name, "") for name in rule.arguments}
        values |= {"session_id": session_id} if "session_id" in rule.arguments else {}
        values |= {"action": action} if "action" in rule.arguments else {}
        _, path = rule.build(values, append_unknown=False) or ("", "")
        if method == "GET":
            return self.tablet.get(path)
        return self.tablet.post(path, {})


def tablet_as(owner: Visitor, role: Role | None) -> Tablet:
    return joined(owner, role) if role else stranger(owner)


@pytest.mark.promise("roles")
@pytest.mark.parametrize("role", [None, *Role], ids=["nobody", "display", "operator", "owner"])
def test_every_route_lets_in_exactly_those_who_may(
    owner: Visitor, role: Role | None, record_property: Callable[[str, object], None]
) -> None:
    world = World(owner, tablet_as(owner, role))
    count = 0
    for rule, method in asked(owner.app):
        for session_id in (world.own, world.foreign):
            actions = ANY_STATUS if "action" in rule.arguments else ("pause",)
            for action in actions:
                needed = required_role(rule.endpoint, action)
                before = [owner.seq(one) for one in (world.own, world.foreign)]
                answer = world.ask(rule, method, session_id, action)
                name = (rule.rule, method, action, answer.status_code)
                if needed is None or (role and role >= needed):
                    assert (
                        answer.status_code not in (401, 403) or rule.endpoint == "joining.join"
                    ), name
                else:
                    assert answer.status_code == (403 if role else 401), name
                    assert not SECRETS.search(NONCE.sub("", answer.text)), name
                    assert [owner.seq(one) for one in (world.own, world.foreign)] == before, name
                check_headers(answer, static=rule.endpoint == "static")
                count += 1
    assert count > 120
    record_property("requests", count)


@pytest.mark.promise("roles")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "BREW"])
def test_other_methods_are_no_way_around(owner: Visitor, method: str) -> None:
    headers = {"Host": "192.168.7.7:8000"}
    for path in ("/", "/owner", f"/sessions/{owner.started()}"):
        answer = owner.app.test_client().open(path, method=method, headers=headers)
        assert answer.status_code == 401, path
        assert not SECRETS.search(NONCE.sub("", answer.text))


def test_every_joined_device_may_say_that_it_hurts(owner: Visitor) -> None:
    for role in Role:
        session_id = owner.started()
        tablet = joined(owner, role)
        answer = tablet.act(session_id, "stop")
        assert answer.status_code == 200
        assert owner.live(session_id)["data-status"] == "stopped"


def test_a_stop_that_a_display_did_alone_is_taken_over_and_nothing_else(owner: Visitor) -> None:
    session_id = owner.started()
    display = joined(owner, Role.DISPLAY)
    now = owner.clock.now()

    def account(action: str) -> int:
        act = f'{{"key": "own-{action}-1", "action": "{action}", "at": {now}, "step": "one"}}'
        told = f'{{"seq": 1, "line": {now}, "alone_since": {now}, "counted": true, '
        told += f'"status": "running", "acts": [{act}]}}'
        path = f"/sessions/{session_id}/account"
        return display.post(path, {"account": told}, htmx=True).status_code

    assert account("pause") == 403
    assert owner.seq(session_id) == 1
    assert account("stop") == 204
    assert owner.live(session_id)["data-status"] == "stopped"


def test_a_display_shows_no_button_but_the_stop(owner: Visitor) -> None:
    session_id = owner.started("sided")
    for path in ("", "/live"):
        page = Page(joined(owner, Role.DISPLAY).get(f"/sessions/{session_id}{path}").text)
        assert page.buttons() == ["Signs of a low", "Pain: stop"], path
        assert page.has_id("session-beat"), path
    operator = Page(joined(owner, Role.OPERATOR).get(f"/sessions/{session_id}").text)
    assert "Next" in operator.buttons()


def test_a_display_is_not_told_to_press_what_it_has_not(owner: Visitor) -> None:
    session_id = owner.started("sided")
    while owner.live(session_id)["data-status"] != "waiting":
        owner.done(session_id, "next")
    for path in ("", "/live"):
        seen = joined(owner, Role.DISPLAY).get(f"/sessions/{session_id}{path}").text
        assert "waiting for whoever treats" in seen, path
        assert "Next goes on" not in seen, path
        assert "Next goes on" in joined(owner, Role.OPERATOR).get(f"/sessions/{session_id}").text


def test_a_page_says_why_a_display_may_not(owner: Visitor) -> None:
    display = joined(owner, Role.DISPLAY)
    answer = display.post("/clients", {})
    assert answer.status_code == 403
    assert "let in as a display" in answer.text
    fragment = display.post("/clients", {}, htmx=True)
    assert fragment.status_code == 403
    assert "<html" not in fragment.text


def test_the_pages_link_only_to_where_one_may_go(owner: Visitor) -> None:
    owner.started()
    for role in Role:
        tablet = joined(owner, role)
        for path in ("/", "/techniques", "/settings", "/protocols/short"):
            for link in Page(tablet.get(path).text).all("a"):
                href = link.attrs["href"]
                if href.startswith("/") and "screening" not in href:
                    assert tablet.get(href).status_code == 200, (role, path, href)


def test_a_changed_role_counts_at_once(owner: Visitor) -> None:
    tablet = joined(owner, Role.DISPLAY)
    assert tablet.get("/today").status_code == 403
    (device,), _ = Devices(owner.storage).all()
    Devices(owner.storage).change_role(device.id, Role.OPERATOR)
    assert tablet.get("/today").status_code == 200


def test_a_device_that_begins_too_much_is_asked_to_wait(owner: Visitor) -> None:
    tablet, other = (joined(owner, Role.OPERATOR) for _ in range(2))
    for _ in range(MOST_A_MINUTE):
        assert tablet.post("/clients", {}).status_code == 303
    answer = tablet.post("/clients", {})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "wait" in answer.text
    check_headers(answer)
    assert other.post("/clients", {}).status_code == 303
    assert owner.post("/clients", {}).status_code == 303
    owner.clock.forward(60)
    assert tablet.post("/clients", {}).status_code == 303


def test_no_limit_ever_stands_before_a_running_session(owner: Visitor) -> None:
    tablet = joined(owner, Role.OPERATOR)
    session_id = tablet.started()
    while tablet.post("/clients", {}).status_code == 303:
        pass
    path = f"/sessions/{session_id}"
    for n in range(2 * MOST_A_MINUTE):
        act = tablet.act(session_id, "resume" if n % 2 else "pause")
        assert act.status_code == 200
        seq = owner.seq(session_id)
        for fragment in (f"/live?seq={seq}&until=0", "/live", "/calm/live", "/nudges"):
            assert tablet.get(path + fragment).status_code in (200, 204)
        told = {
            "account": '{"seq": 1, "line": 1, "alone_since": 1, '
            '"counted": true, "status": "running"}'
        }
        assert tablet.post(f"{path}/account", told, htmx=True).status_code == 204
        screen = {"account": '{"screen": "screen-01", "apart": 30, "alone": 0}'}
        assert tablet.post(f"{path}/screen", screen).status_code == 204


def test_limits_stand_before_nothing_of_a_session_that_is_there() -> None:
    assert set(REQUIRED_ROLES) >= CREATING
    assert not CREATING & {
        "sessions.command",
        "sync.merge_offline",
        "sync.report_screen",
        "sessions.live",
    }
    assert not CREATING & {"sessions.reading", "summaries.store", "joining.join"}
