"""The page of one protocol and its plan fragment."""

from __future__ import annotations

import pytest

from tests.support.builders import SHIPPED, shipped_protocol
from tests.support.page import Page
from tests.support.visitor import Visitor, queries_of

IMPOSSIBLE = ("0", "-3", "241", "abc", "1e999", "nan", "inf", "９９９", '"><b>x', "1" * 400)


def minutes_field(page: Page) -> str:
    return page.by_id("minutes").attrs["value"]


@pytest.mark.parametrize("protocol", [p for p in SHIPPED if shipped_protocol(p).phases])
def test_every_shipped_protocol_has_a_page_with_its_phases(
    shipped_visitor: Visitor, protocol: str
) -> None:
    page = shipped_visitor.page(f"/protocols/{protocol}")
    steps = page.all("li")
    assert page.by_id("plan").tag == "section"
    assert len([e for e in steps if "phase-phase" in e.attrs.get("class", "")]) >= 1
    assert len([e for e in page.all("svg") if e.attrs["class"] == "bar"]) == 1


def test_the_usual_minutes_are_in_the_field(visitor: Visitor) -> None:
    page = visitor.page("/protocols/long")
    assert minutes_field(page) == "10"
    assert "10 min hands-on" in page.by_id("plan").text


@pytest.mark.parametrize("typed", ["20", "20.0", "20,0", " 20 "])
def test_minutes_fit_the_plan(shipped_visitor: Visitor, typed: str) -> None:
    answer = shipped_visitor.get(f"/protocols/oc-classic-full?minutes={typed}")
    assert answer.status_code == 200
    assert "20 min hands-on" in Page(answer.text).by_id("plan").text


def test_a_wish_out_of_reach_gives_the_nearest_and_says_so(visitor: Visitor) -> None:
    text = visitor.page("/protocols/short?minutes=100").by_id("plan").text
    assert "1 min hands-on" in text
    assert "takes 0:15 min to 1 min; this is the nearest" in text


def test_the_plan_fragment_is_the_plan_and_no_page(visitor: Visitor) -> None:
    answer = visitor.get("/protocols/short/plan?minutes=1", htmx=True)
    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.elements[0].attrs["id"] == "plan"
    assert not page.all("html")
    assert "1 min hands-on" in page.by_id("plan").text


@pytest.mark.parametrize("typed", IMPOSSIBLE)
def test_impossible_minutes_are_422_with_what_was_typed(visitor: Visitor, typed: str) -> None:
    page_answer = visitor.client.get(
        "/protocols/short", query_string={"minutes": typed}, headers={"Host": "127.0.0.1:8000"}
    )
    page = Page(page_answer.text)
    assert page_answer.status_code == 422
    assert minutes_field(page) == typed
    assert page.by_id("minutes").attrs["aria-invalid"] == "true"
    assert "Please give minutes up to 240" in page.all("p", class_="fault")[0].text
    fragment = visitor.client.get(
        "/protocols/short/plan", query_string={"minutes": typed}, headers={"Host": "127.0.0.1:8000"}
    )
    assert fragment.status_code == 422
    assert "Please give minutes" in Page(fragment.text).by_id("plan").text


@pytest.mark.parametrize("typed", ["0", "abc"])
def test_no_questions_are_asked_for_impossible_minutes(visitor: Visitor, typed: str) -> None:
    with visitor.queries() as statements:
        asked = visitor.get(f"/protocols/short/screening?minutes={typed}")
        answered = visitor.answer("short", minutes=typed)
    for answer in (asked, answered):
        assert answer.status_code == 422
        assert minutes_field(Page(answer.text)) == typed
    assert len(statements) == 2
    assert all("FROM clients" in one for one in statements)  # whose words are to be asked for


@pytest.mark.parametrize(
    "path", ["/protocols/none", "/protocols/none/plan", "/protocols/withheld/plan", "/nowhere"]
)
def test_unknown_addresses_are_a_404_page(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert Page(answer.text).all("h1")[0].text == "Not here"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/protocols/short"),
        ("DELETE", "/protocols/short"),
        ("PUT", "/protocols/short/plan"),
        ("GET", "/sessions"),
        ("GET", "/sessions/any/pause"),
        ("POST", "/sessions/any"),
    ],
)
def test_wrong_methods_are_405_and_say_what_is_allowed(
    visitor: Visitor, method: str, path: str
) -> None:
    answer = visitor.client.open(path, method=method, headers={"Host": "127.0.0.1:8000"})
    assert answer.status_code == 405
    assert Page(answer.text).all("h1")[0].text == "Not this way"
    assert method not in answer.headers["Allow"]


def test_a_withheld_protocol_shows_why_and_asks_nothing(visitor: Visitor) -> None:
    page = visitor.page("/protocols/withheld")
    assert "Too risky." in page.all("p", class_="locked")[0].text
    assert page.buttons() == []
    assert visitor.get("/protocols/withheld/screening").status_code == 404
    assert visitor.answer("withheld").status_code == 404


def test_a_protocol_with_conditions_says_them_and_leads_to_the_questions(visitor: Visitor) -> None:
    page = visitor.page("/protocols/locked")
    assert "First some questions." in page.all("p", class_="locked")[0].text
    assert "Continue to the questions" in page.buttons()


@pytest.mark.parametrize("protocol", SHIPPED)
def test_no_shipped_protocol_starts_without_its_questions(
    shipped_visitor: Visitor, protocol: str
) -> None:
    answer = shipped_visitor.post("/sessions", {"protocol": protocol})
    assert answer.status_code == 404
    assert shipped_visitor.storage.live_ids(0) == []


def test_a_session_of_an_unknown_screening_is_404(visitor: Visitor) -> None:
    assert visitor.post("/sessions", {"screening": "none"}).status_code == 404
    assert visitor.post("/sessions", {}).status_code == 404


def test_preparing_a_session_leads_to_its_page(visitor: Visitor) -> None:
    page = visitor.page(f"/sessions/{visitor.prepare('short', minutes='1')}")
    assert page.by_id("session-live").attrs["data-remaining-ms"] == "60000"


@pytest.mark.parametrize(
    ("path", "queries"),
    [("/protocols/oc-self-nape", 1), ("/protocols/oc-self-nape/plan", 0)],
)
def test_protocol_pages_ask_for_the_clients_alone(
    shipped_visitor: Visitor, path: str, queries: int
) -> None:
    with queries_of(shipped_visitor.storage) as statements:
        shipped_visitor.page(path)
    assert len(statements) == queries
    assert all("FROM clients" in one for one in statements)
