"""Words that are longer than a phone is wide: no page gets wider, on any screen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import phase, protocol
from tests.browser.site import Hand, InProcess, served

COMPOUND = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzesänderungsantrag"
WIDE = "W" * 60
LINE = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NOTE = f"https://massage.example/{'a' * 200} {COMPOUND} {'手' * 60}"
WIDER = """() => [...document.querySelectorAll('body *')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`).slice(0, 6)"""


def wide_protocol() -> dict[str, object]:
    step = {"title": WIDE, "text": COMPOUND, "origin": "inferred"}
    seconds = {"min": 5, "usual": 5, "max": 5}
    words = {"title": WIDE, "instructions": [LINE, LINE], "direction": COMPOUND}
    return protocol(
        "wide",
        phase("one", 120, cues=[{"at": 9, "say": LINE}], **words),
        phase("two", 120, technique="kneading", **words),
        title=WIDE,
        summary=COMPOUND,
        position=COMPOUND,
        evidence={"grade": "low", "note": COMPOUND},
        needs=[LINE],
        stop=[LINE],
        prepare=[{"id": "ready", "wait": True, **step}],
        aftercare=[{"id": "rest", "seconds": seconds, **step}],
        course={"gap_hours": 48, "origin": "inferred"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    folder = tmp_path_factory.mktemp("wide") / "protocols"
    folder.mkdir()
    (folder / "wide.json").write_text(json.dumps(wide_protocol()), encoding="utf-8")
    (folder / f"{'broken' * 20}.json").write_text('{"format": 1, "' + "x" * 60 + '": 2}')
    with served(folder) as here:
        yield here


def paths(hand: Hand) -> list[str]:
    """Every plain page that shows words of a protocol, a person or a file."""
    hand.client.set_cookie("device", "note=on", domain="127.0.0.1")
    screening = hand.screened("wide")
    ready = hand.prepare("wide")
    done = hand.prepare("wide")
    hand.done(done, "start", "next")
    hand.clock.forward(30)
    hand.done(done, "next", "next", "end")
    hand.post(f"/sessions/{done}/told", {"note": NOTE})
    running = hand.prepare("wide")
    hand.done(running, "start", "next")
    stored = hand.storage.load(done)
    assert stored
    session = f"/sessions/{done}"
    return [
        *("/", "/protocols/wide", "/protocols/wide/screening", f"/screenings/{screening}"),
        *(f"/sessions/{ready}", f"/sessions/{running}", session, f"{session}/summary"),
        *("/today", "/courses", f"/courses/{stored.course}", f"/clients/{stored.client}"),
        *("/clients", "/history", "/owner/data", "/owner/pictures", "/settings"),
        *("/owner", f"/nowhere/{'x' * 200}"),
    ]


@pytest.fixture
def device(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    context.add_cookies([{"name": "device", "value": "note=on", "url": "http://127.0.0.1"}])
    yield context.new_page()
    context.close()


def test_no_word_makes_a_page_wider_than_the_screen(site: InProcess, device: Page) -> None:
    with site.visitor() as hand:
        wider = {}
        for path in paths(hand):
            site.show(device, path)
            for width in (320, 768):
                device.set_viewport_size({"width": width, "height": 640})
                over = device.evaluate("document.documentElement.scrollWidth") - width
                if over > 0:
                    wider[f"{path} {width}"] = [over, *device.evaluate(WIDER)]
    assert wider == {}
