"""The emergency number on the pages: chosen by where the device is, put right by a form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.page import Page
from tests.support.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = re.compile(r"\b(112|911|999)\b")


def told(visitor: Visitor, **settings: str) -> None:
    """Give the device a cookie with these settings, as script writes it."""
    value = "&".join(f"{name}={text.replace('/', '%2F')}" for name, text in settings.items())
    visitor.client.set_cookie("device", value, domain="127.0.0.1")


def call_of(page: Page) -> tuple[str, str]:
    """Words and address of the one button that calls."""
    (button,) = page.all("a", class_="button button-call")
    return button.text, button.attrs["href"]


def others_of(page: Page) -> list[str]:
    (line,) = page.all("p", class_="emergency-others")
    return [] if "hidden" in line.attrs else re.findall(r"\d+", line.text)


def emergency(visitor: Visitor) -> str:
    answer = visitor.answer(q_chest_breath="yes")
    assert answer.status_code == 303
    return answer.headers["Location"]


@pytest.mark.parametrize(
    ("zone", "number"),
    [
        *(("Europe/Vienna", "112"), ("America/New_York", "911"), ("Europe/London", "999")),
        *(("Pacific/Auckland", "111"), ("Asia/Tokyo", "119"), ("Australia/Sydney", "000")),
    ],
)
def test_the_button_carries_the_number_of_the_devices_zone(
    visitor: Visitor, zone: str, number: str
) -> None:
    told(visitor, zone=zone)
    for path in (emergency(visitor), "/low"):
        page = visitor.page(path)
        assert call_of(page) == (f"Call {number}", f"tel:{number}")
        assert number not in others_of(page)
        assert others_of(page)


def test_the_settings_show_it_and_call_nobody_at_a_tap(visitor: Visitor) -> None:
    told(visitor, zone="Europe/London")
    page = visitor.page("/settings")
    assert "Shown wherever somebody needs help: 999" in page.by_id("emergency").text
    assert "tel:" not in page.source
    assert page.all("button", name="chosen")


def test_where_device_and_site_disagree_it_is_112_and_both_stand_beside_it(
    visitor: Visitor,
) -> None:
    told(visitor, zone="Asia/Tokyo")
    visitor.clock.zone_name = "Europe/Zurich"
    page = visitor.page(emergency(visitor))
    assert call_of(page)[1] == "tel:112"
    assert others_of(page)[:2] == ["119", "144"]


def test_the_language_says_it_only_where_no_zone_does(visitor: Visitor) -> None:
    def number(languages: str) -> str:
        answer = visitor.get("/low", Accept_Language=languages)
        return call_of(Page(answer.text))[1]

    assert number("de, en-NZ;q=0.8, en-US;q=0.5") == "tel:111"
    assert number("en") == "tel:112"
    visitor.clock.zone_name = "America/Toronto"
    assert number("en-NZ") == "tel:911"


def test_the_number_is_put_right_on_the_page_by_a_form_and_stays(visitor: Visitor) -> None:
    told(visitor, zone="Europe/Vienna", theme="dim")
    path = emergency(visitor)
    chosen = [b.attrs["value"] for b in visitor.page(path).all("button", name="chosen")]
    assert chosen[:3] == ["112", "911", "999"]
    here = f"http://127.0.0.1:8000{path}?x=1"
    answer = visitor.post("/settings/emergency-number", {"chosen": "911"}, Referer=here)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    for shown in (path, "/low"):
        page = visitor.page(shown)
        assert call_of(page) == ("Call 911", "tel:911")
        assert others_of(page) == []
    html = visitor.page("/").all("html")[0].attrs
    assert (html["data-theme"], html["data-zone"]) == ("dim", "Europe/Vienna")
    visitor.post("/settings", {"theme": "light"})
    html = visitor.page("/").all("html")[0].attrs
    assert (html["data-theme"], html["data-emergency"]) == ("light", "911")
    assert html["data-zone"] == "Europe/Vienna"


def test_any_number_can_be_typed(visitor: Visitor) -> None:
    answer = visitor.post("/settings/emergency-number", {"typed": " 144 "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert call_of(visitor.page("/low"))[1] == "tel:144"


@pytest.mark.parametrize("wrong", ["", "1", "1234567", "12a", "+43 144", "<b>", "١١٢"])
def test_what_is_no_number_is_refused_and_changes_nothing(visitor: Visitor, wrong: str) -> None:
    answer = visitor.post("/settings/emergency-number", {"typed": wrong})
    assert answer.status_code == 422
    assert "two to six digits" in answer.text
    assert not answer.headers.getlist("Set-Cookie")
    told(visitor, zone="Europe/London", emergency=wrong)
    assert call_of(visitor.page("/low"))[1] == "tel:999"


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "/\\/evil.example"])
def test_it_leads_back_to_our_own_pages_only(visitor: Visitor, path: str) -> None:
    here = f"http://127.0.0.1:8000{path}"
    answer = visitor.post("/settings/emergency-number", {"chosen": "112"}, Referer=here)
    assert answer.headers["Location"] == "/"


def test_a_zone_that_is_none_is_not_kept(visitor: Visitor) -> None:
    told(visitor, zone="Europe%2FLondon%22%3E%3Cb%3E")
    assert visitor.page("/").all("html")[0].attrs["data-zone"] == ""


def test_wherever_a_text_says_it_the_number_is_at_hand(shipped_visitor: Visitor) -> None:
    told(shipped_visitor, zone="Pacific/Auckland")
    same_day = {"q-leg-clot": "yes", "q-leg-clot-since": "new"}
    answer = shipped_visitor.post("/protocols/dm-legs-feet/screening", same_day)
    page = shipped_visitor.page(answer.headers["Location"])
    assert "call your emergency number" in page.source
    assert call_of(page)[1] == "tel:111"
    session = shipped_visitor.started("oc-self-nape", "end")
    summary = shipped_visitor.page(f"/sessions/{session}/summary")
    assert "your emergency number" in summary.source
    assert call_of(summary)[1] == "tel:111"


def test_no_text_names_a_number_but_the_button_and_the_choice() -> None:
    files = [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "protocols").rglob("*.json"),
        *(ROOT / "static" / "js").glob("*.js"),
        *(ROOT / "webapp").rglob("*.py"),
    ]
    assert len(files) > 200
    # What draws has coordinates, and the one table is where numbers stand.
    drawn = ("figures", "emergency_number.py", "settings.py", "today.py")
    found = {
        f"{path.name}: {line.strip()[:80]}"
        for path in files
        if not any(part in path.parts for part in drawn)
        for line in path.read_text(encoding="utf-8").splitlines()
        if NUMBERS.search(line) and re.search(r"\bcalls?\b|tel:|emergency", line, re.I)
    }
    assert found == set()
