"""The catalogue page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.builders import SHIPPED, WITHHELD
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.visitor import Visitor, visit
from webapp.app import create_app
from webapp.assets.files import FIRST, REST, STAGE
from webapp.settings import Settings, shipped


def listed(page: Page) -> list[str]:
    return [e.attrs["href"].removeprefix("/protocols/") for e in page.all("a", class_="card-link")]


def test_all_shipped_protocols_are_listed_the_first_six_among_them(
    shipped_visitor: Visitor,
) -> None:
    found = listed(shipped_visitor.page("/"))
    assert sorted(found) == sorted([*SHIPPED, *WITHHELD])
    assert set(found) >= {
        "dm-legs-feet",
        "oc-classic-collar",
        "oc-classic-full",
        "oc-cupping-back",
        "oc-self-4step",
        "oc-self-nape",
    }


def test_what_can_be_started_comes_first(visitor: Visitor) -> None:
    assert listed(visitor.page("/"))[-2:] == ["locked", "withheld"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("who=self", {"sided"}),
        ("who=table", {"short", "cups", "locked", "withheld", "long", "rested"}),
        ("condition=diabetes-mellitus", {"sided"}),
        ("condition=spinal-osteochondrosis&who=self", set()),
        ("condition=nonsense", set()),
        ("condition=&who=", {"short", "sided", "cups", "locked", "withheld", "long", "rested"}),
    ],
)
def test_the_list_is_narrowed_by_the_query(
    visitor: Visitor, query: str, expected: set[str]
) -> None:
    page = visitor.page(f"/?{query}")
    assert set(listed(page)) == expected
    assert ("Nothing fits that choice." in page.source) == (not expected)


def test_the_chosen_filters_are_marked_and_one_keeps_the_other(visitor: Visitor) -> None:
    page = visitor.page("/?who=self&condition=diabetes-mellitus")
    pressed = [e.text for e in page.all("button", aria_pressed="true")]
    assert pressed == ["For myself", "Diabetes"]
    assert {e.attrs["name"] for e in page.all("input", type="hidden")} == {"who", "condition"}


@pytest.mark.parametrize(
    ("acts", "word"),
    [(("start",), "running"), (("start", "pause"), "paused")],
)
def test_a_live_session_is_shown_on_every_device(
    visitor: Visitor, acts: tuple[str, ...], word: str
) -> None:
    session_id = visitor.prepare()
    visitor.done(session_id, *acts)
    for _device in range(2):
        visitor.client = visitor.app.test_client()
        (card,) = visitor.page("/").all("a", class_="running-card")
        assert card.attrs["href"] == f"/sessions/{session_id}"
        assert "Short protocol" in card.text
        assert f"{word} · One" in card.text


def test_a_waiting_session_is_shown_as_waiting(visitor: Visitor) -> None:
    visitor.started("sided")
    visitor.clock.forward(3600)
    (card,) = visitor.page("/").all("a", class_="running-card")
    assert "waiting for you · Settle" in card.text


def test_sessions_not_begun_or_over_are_not_shown_as_running(visitor: Visitor) -> None:
    visitor.prepare()
    visitor.started("short", "stop")
    visitor.started("short")
    visitor.clock.forward(30 + 60)
    assert visitor.page("/").all("a", class_="running-card") == []


def test_a_running_session_is_shown_to_its_last_millisecond(visitor: Visitor) -> None:
    visitor.started()
    visitor.clock.forward(89.999)
    assert len(visitor.page("/").all("a", class_="running-card")) == 1


def test_the_session_begun_last_is_shown_however_many_were_left_waiting(visitor: Visitor) -> None:
    for _ in range(21):
        visitor.started("sided")
    visitor.clock.forward(1)
    session_id = visitor.started("short")
    cards = visitor.page("/").all("a", class_="running-card")
    assert cards[0].attrs["href"] == f"/sessions/{session_id}"


def test_broken_files_are_listed_with_file_line_path_and_message(visitor: Visitor) -> None:
    page = visitor.page("/")
    lines = [e.text for e in page.all("code")]
    assert any(line.startswith("broken.json:2: id: found 7") for line in lines), lines
    assert "broken.json ·" in page.source


def test_a_site_without_broken_files_does_not_speak_of_them(shipped_visitor: Visitor) -> None:
    assert "put aside" not in shipped_visitor.page("/").source


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    app = with_heartbeat(create_app(Settings(tmp_path, protocols=tmp_path / "none")))
    for visitor in visit(app, tmp_path / "none"):
        page = visitor.page("/")
        assert listed(page) == []
        assert "There is no protocol here yet." in page.source
        assert "--protocols" in page.source
    app.extensions["site"].storage.close()


def test_a_title_with_markup_is_shown_as_text(tmp_path: Path, protocols_folder: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    raw = json.loads((protocols_folder / "short.json").read_text(encoding="utf-8"))
    raw["title"] = "<script>alert(1)</script>"
    (folder / "short.json").write_text(json.dumps(raw), encoding="utf-8")
    app = with_heartbeat(create_app(Settings(tmp_path, protocols=folder)))
    for visitor in visit(app, folder):
        page = visitor.page("/")
        assert page.all("strong", class_="card-title")[0].text == raw["title"]
        assert [e.text for e in page.all("script") if e.text] == []
    app.extensions["site"].storage.close()


def classes_with_rules(sheets: tuple[str, ...]) -> set[str]:
    folder = shipped("static") / "css"
    text = "".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in sheets)
    return set(re.findall(r"\.([a-z][a-z-]+)", text))


def test_the_first_pages_own_sheet_has_all_the_rules_it_needs(visitor: Visitor) -> None:
    """It does without the others: what it shows must not be styled there alone."""
    visitor.started()
    used: set[str] = set()
    for path in ("/", "/?who=self&condition=diabetes-mellitus&x=1"):
        page = visitor.page(path)
        assert "/first.css" in page.all("link", rel="stylesheet")[0].attrs["href"]
        used.update(*(e.attrs.get("class", "").split() for e in page.elements))
    assert {"card", "running-card", "bad-files"} <= used
    assert used & classes_with_rules(REST) <= classes_with_rules(FIRST)


def test_the_stages_own_sheet_has_all_the_rules_it_needs(shipped_visitor: Visitor) -> None:
    """What may be shown later lies in the page's templates, so one page has it all."""
    session_id = shipped_visitor.prepare("dm-legs-feet")
    pages = [shipped_visitor.page(f"/sessions/{session_id}")]
    shipped_visitor.done(session_id, "start")
    pages.append(shipped_visitor.page(f"/sessions/{session_id}"))
    used: set[str] = set()
    for page in pages:
        assert "/stage.css" in page.all("link", rel="stylesheet")[0].attrs["href"]
        used.update(*(e.attrs.get("class", "").split() for e in page.elements))
    assert {"stop-call", "button-call", "count-down", "pre-flight"} <= used
    others = tuple(
        set(FIRST + REST) - {*STAGE, "stage/screens"}
    )  # of the remote and the calm view alone
    assert used & classes_with_rules(others) <= classes_with_rules(STAGE)
