"""Where a file names no point or hold, letters read from the couch say place, side and way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import AWAKE
from tests.browser.recording import RECORDERS, heard
from tests.browser.site import Hand, InProcess, served
from tests.support.builders import PROTOCOLS

LIVE = "#session-live"
DRAWN = f"{LIVE} :is(.figure-lit, .figure-arrow, .figure-dot, .figure-avoid, .hand-arrow, .figure)"
SIZES = {
    "tablet": (1280, 800),
    "phone": (390, 844),
    "upright": (768, 1024),
    "on its side": (844, 390),
}
AFTER_THE_FIRST_POINT = [
    *("sp6-left", "ki3-left", "lr3-left", "change", "st36-right", "sp6-right", "ki3-right"),
    *("lr3-right", "closing-strokes"),
]
LEAST = {"tablet": 34, "phone": 20, "upright": 34, "on its side": 20}
# What is written, in letters of which size, where it ends and whether anything lies on it.
SEEN = """() => ['.place-words', '.step-side', '.step-way'].map((name) => {
  const e = document.querySelector(`#session-live ${name}`);
  const text = document.createRange();
  text.selectNodeContents(e);
  const { left, right, top, bottom } = text.getBoundingClientRect();
  const boxes = [...text.getClientRects()];
  const covered = boxes.some((box) => {
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    // the box of the digits is higher than they are
    return !at || !(e.contains(at) || at.contains(e) || at.matches('.digits'));
  });
  return [e.textContent.trim(), parseFloat(getComputedStyle(e).fontSize),
    !covered && left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight];
})"""


OF_FORMAT_2 = {
    *("hands", "from", "to", "point", "passes", "not_here", "go_lightly", "light"),
    *("leave_out", "move_seconds", "in_turn", "asks_first_side"),
}


def without_places(value: object) -> object:
    """What format 1 has no word for is left out, at any depth."""
    if isinstance(value, dict):
        return {k: without_places(v) for k, v in value.items() if k not in OF_FORMAT_2}
    return [without_places(one) for one in value] if isinstance(value, list) else value


def theirs(folder: Path) -> Path:
    """Our files in format 1 under names of their own: nobody has listed their pictures."""
    for path in PROTOCOLS.glob("*.json"):
        raw = without_places(json.loads(path.read_text(encoding="utf-8")))
        assert isinstance(raw, dict)
        raw |= {"id": f"their-{raw['id']}", "format": 1}
        if "session" in raw:  # without leaving steps out the least is longer
            raw["session"]["min"] = raw["session"]["usual"]
        (folder / f"{raw['id']}.json").write_text(json.dumps(raw), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with served(theirs(tmp_path_factory.mktemp("theirs"))) as running:
        yield running


def reach(visitor: Hand, protocol: str, step: str) -> str:
    """A session in this step; gives its id."""
    session = visitor.started(protocol)
    while visitor.live(session)["data-step"] != step:
        visitor.done(session, "next")
    return session


def opened(browser: Browser, size: str) -> Page:
    width, height = SIZES[size]
    return browser.new_page(
        service_workers="block",
        permissions=[AWAKE],
        viewport={"width": width, "height": height},
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("protocol", "step", "told"),
    [
        (
            "their-dm2-acupressure",
            "sp6-left",
            ["Lower leg", "Left leg Press in place"],
        ),
        ("their-oc-ap-sedating", "point-2", ["Back", "Both sides Press in place"]),
        (
            "their-oc-thai",
            "straight-leg-right",
            ["Calf", "Right leg Leg up, knee soft"],
        ),
    ],
    ids=["inner side", "chosen point", "stretch"],
)
def test_place_side_and_way_are_read_from_afar(
    site: InProcess, browser: Browser, protocol: str, step: str, told: list[str], size: str
) -> None:
    page = opened(browser, size)
    with site.visitor() as visitor:
        site.show(page, f"/sessions/{reach(visitor, protocol, step)}")
        expect(page.locator(f"{LIVE}[data-step={step}]")).to_be_visible()
        page.wait_for_function("() => Boolean(customElements.get('session-stage'))")
        page.wait_for_timeout(300)  # the words of the step are fitted
        assert page.locator(DRAWN).count() == 0
        seen = page.evaluate(SEEN)
        assert [seen[0][0], f"{seen[1][0]} {seen[2][0]}"] == told
        assert min(letters for _, letters, _ in seen) >= LEAST[size]
        assert [text for text, _, whole in seen if not whole] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_the_page_alone_goes_on_to_words_and_back_to_a_picture(
    site: InProcess, browser: Browser, size: str
) -> None:
    page = opened(browser, size)
    with site.visitor() as visitor:
        session = reach(visitor, "their-dm2-acupressure", "leg-strokes")
        visitor.clock.forward(int(visitor.live(session)["data-remaining-ms"]) / 1000 - 4)
        site.show(page, f"/sessions/{session}")
        expect(page.locator(f"{LIVE} .figure-lit").first).to_be_visible()
        page.wait_for_function("() => Boolean(customElements.get('session-stage'))")
        page.context.set_offline(True)
        expect(page.locator(f"{LIVE}[data-step=st36-left]")).to_be_visible(timeout=12_000)
        assert page.locator(DRAWN).count() == 0
        seen = page.evaluate(SEEN)
        assert seen[0][0] == "Lower leg"
        assert [text for text, _, _ in seen[1:]] == ["Left leg", "Press in place"]
        assert min(letters for _, letters, _ in seen) >= LEAST[size]
        assert all(whole for _, _, whole in seen)
        page.locator(".step-lines").dispatch_event("pointerdown")
        page.wait_for_timeout(500)
        assert page.evaluate("document.getAnimations().length") == 0  # no hand moves there
        for step in AFTER_THE_FIRST_POINT:
            page.get_by_role("button", name="Next", exact=True).click()
            expect(page.locator(f"{LIVE}[data-step^={step}]")).to_be_visible()
        expect(page.locator(f"{LIVE} .figure-lit").first).to_be_visible()
        assert page.locator(f"{LIVE} .place-words").count() == 0
        expect(page.locator(f"{LIVE}.stage-told")).to_have_count(0)
        page.context.set_offline(False)
        page.close()


def test_the_voice_says_the_side_and_the_place(site: InProcess, browser: Browser) -> None:
    page = opened(browser, "tablet")
    page.add_init_script(RECORDERS)
    with site.visitor() as visitor:
        site.show(page, f"/sessions/{reach(visitor, 'their-oc-thai', 'arm-stretch-left')}")
        page.wait_for_function("() => Boolean(customElements.get('session-voice'))")
        page.keyboard.press("s")
        page.wait_for_function("() => window.heard.some(({ what }) => what === 'say')")
        assert heard(page, "say")[-1]["text"] == (
            "Long arm. Left side. Upper back. "
            "Hold the wrist; lean back, arm long. Below shoulder height; head stays still."
        )
        page.close()


@pytest.fixture(scope="module")
def ours() -> Iterator[InProcess]:
    with served() as running:
        yield running


def test_the_voice_says_in_full_where_hands_stay_off_once(
    ours: InProcess, browser: Browser
) -> None:
    page = opened(browser, "tablet")
    page.add_init_script(RECORDERS)
    with ours.visitor() as visitor:
        ours.show(page, f"/sessions/{reach(visitor, 'oc-classic-collar', 'oil')}")
        page.wait_for_function("() => Boolean(customElements.get('session-voice'))")
        for step in ("opening-strokes", "to-rubbing-nape", "rubbing-nape"):
            page.get_by_role("button", name="Next", exact=True).click()
            expect(page.locator(f"{LIVE}[data-step={step}]")).to_be_visible()
        page.wait_for_function("() => window.heard.filter(({ what }) => what === 'say').length > 2")
        said = [line["text"] for line in heard(page, "say")]
        assert said[-3].endswith("4 to 5 times. Not here: The spine bones themselves")
        assert "Not here" not in said[-2]
        assert said[-1].endswith(
            "4 to 5 times. Not here: The front of the neck and the throat, "
            "Anything in front of the ears, The hollows under the skull"
        )
        page.close()
