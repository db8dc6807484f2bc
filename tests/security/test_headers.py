"""The header set whatever becomes of a request: every route, each way to be refused or fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import TestResponse

from tests.routes.test_access import METHODS, World, asked
from tests.routes.test_security import check_headers
from tests.support.paired_device import Tablet, joined, stranger
from tests.support.visitor import Visitor
from webapp.auth.http_security import ANY_HOST
from webapp.auth.permissions import Role, required_role
from webapp.auth.rate_limit import CREATING, RateLimit
from webapp.storage.database import AwayError
from webapp.storage.sessions import FullError, NotSavedError

EVIL = {"Origin": "http://evil.test"}
TOO_MUCH = {"key": "x" * 70_000}
FAILURES: dict[int, list[Exception]] = {
    500: [RuntimeError("for a test")],
    503: [NotSavedError(), FullError("for a test"), AwayError("for a test")],
}
Told = Callable[[str, object], None]


class Everything:
    """Every route with every method, and an address for each."""

    def __init__(self, owner: Visitor) -> None:
        self.owner = owner
        self.nobody = stranger(owner)
        self.display = joined(owner, Role.DISPLAY)
        self.operator = joined(owner, Role.OPERATOR)
        self.world = World(owner, self.nobody)

    def routes(self) -> Iterator[tuple[str, str, str]]:
        """Endpoint, method and address."""
        for rule, method in asked(self.owner.app):
            given = {name: self.world.ids.get(name, "none") for name in rule.arguments}
            given |= {"session_id": self.world.own, "action": "pause"}
            given = {name: given[name] for name in rule.arguments}
            _, path = rule.build(given, append_unknown=False) or ("", "")
            yield rule.endpoint, method, path


@pytest.fixture
def everything(owner: Visitor) -> Everything:
    return Everything(owner)


def send(by: Visitor, method: str, path: str, **headers: str) -> TestResponse:
    if method == "GET":
        return by.get(path, htmx=False, **headers)
    return by.post(path, {}, htmx=False, **headers)


def statuses_of(answers: list[tuple[str, TestResponse]]) -> Counter[int]:
    """After a look at the headers of each."""
    for endpoint, answer in answers:
        try:
            check_headers(answer, static=endpoint == "static" and answer.status_code == 200)
        except AssertionError as fault:
            raise AssertionError(f"{endpoint} {answer.status_code}: {fault}") from fault
    return Counter(answer.status_code for _, answer in answers)


@pytest.mark.promise("headers")
def test_whoever_is_turned_away_gets_them(everything: Everything, record_property: Told) -> None:
    answers = []
    for endpoint, method, path in everything.routes():
        known = endpoint in ANY_HOST
        for by, headers, expected in (
            (everything.owner, {"Host": "evil.test"}, {200} if known else {421}),
            (everything.owner, EVIL, {403} if method == "POST" else None),
            (everything.nobody, {}, None if required_role(endpoint) is None else {401}),
        ):
            answer = send(by, method, path, **headers)
            assert expected is None or answer.status_code in expected, (endpoint, headers)
            answers.append((endpoint, answer))
        if (required_role(endpoint) or 0) > Role.DISPLAY:
            answer = send(everything.display, method, path)
            assert answer.status_code == 403, endpoint
            answers.append((endpoint, answer))
    found = statuses_of(answers)
    assert {401, 403, 421} <= set(found)
    record_property("answers", found.total())


@pytest.mark.promise("headers")
def test_methods_bodies_and_rates_that_are_refused_get_them(
    everything: Everything, record_property: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    client = everything.owner.client
    for endpoint, method, path in everything.routes():
        headers = {"Host": "127.0.0.1:8000"}
        answers.append((endpoint, client.open(path, method="PATCH", headers=headers)))
        assert answers[-1][1].status_code == 405, endpoint
        answers.append((endpoint, client.open(path, method="OPTIONS", headers=headers)))
        answers.append((endpoint, client.open(path, method="HEAD", headers=headers)))
        if method == "POST":
            answers.append((endpoint, everything.owner.post(path, TOO_MUCH)))
        if endpoint in CREATING:
            with monkeypatch.context() as patch:
                patch.setattr(RateLimit, "wait", lambda *_arguments: 7)
                by = (
                    everything.operator
                    if (required_role(endpoint) or 0) < Role.OWNER
                    else owning(everything)
                )
                answers.append((endpoint, by.post(path, {})))
                assert answers[-1][1].status_code == 429, endpoint
    found = statuses_of([(name, one) for name, one in answers if name != "static"])
    assert {405, 413, 429} <= set(found)
    record_property("answers", found.total())


def owning(everything: Everything) -> Tablet:
    return joined(everything.owner, Role.OWNER)


@pytest.mark.promise("headers")
@pytest.mark.parametrize("status", FAILURES)
def test_whatever_fails_inside_gets_them(
    everything: Everything, record_property: Told, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answers = []
    for endpoint, method, path in everything.routes():
        for error in FAILURES[status]:

            def fail(error: Exception = error, **_values: str) -> None:
                raise error

            monkeypatch.setitem(everything.owner.app.view_functions, endpoint, fail)
            answer = send(everything.owner, method, path)
            assert answer.status_code == status, endpoint
            assert "for a test" not in answer.text
            answers.append((endpoint, answer))
    record_property("answers", statuses_of(answers).total())


@pytest.mark.promise("headers")
def test_beats_get_them_whatever_they_are_told(
    everything: Everything, record_property: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    beats = [
        f"/sessions/{everything.world.own}{path}?seq=1&until=0" for path in ("/live", "/calm/live")
    ]
    for path in beats:
        answers += [("beat", by.get(path)) for by in (everything.owner, everything.nobody)]

    def away(*_arguments: object) -> None:
        raise AwayError("for a test")

    monkeypatch.setattr(everything.owner.storage, "last_seq", away)
    answers += [("beat", everything.owner.get(path)) for path in beats]
    found = statuses_of(answers)
    assert set(found) == {204, 401, 503}
    record_property("answers", found.total())


def test_every_route_is_tried_with_its_methods(everything: Everything) -> None:
    tried = {(endpoint, method) for endpoint, method, _ in everything.routes()}
    rules = everything.owner.app.url_map.iter_rules()
    assert tried == {(r.endpoint, m) for r in rules for m in METHODS & set(r.methods or ())}
