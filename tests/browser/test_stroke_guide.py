"""The hand moves in short bursts and rests; pulse, breathing pacer and wedge keep the true time."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answers import answer_safely
from tests.browser.conftest import Server, Visit, Watch, phase, protocol
from tests.browser.recording import press
from tests.support.builders import shipped
from tests.support.real_server import free_port
from webapp.settings import shipped as shipped_folder

BURST_MS = 6_000  # at most
ENOUGH_MS = 4_000
FIRST = 10  # seconds
LIVE = "#session-live"
MOVING = "document.getAnimations().length"
STILL = {"reduced_motion": "reduce"}
BREATHING = {"in_seconds": 2, "out_seconds": 4}
PROTOCOLS = [
    protocol(
        "hands",
        phase("one", FIRST, tempo=20),
        phase("two", 40, technique="kneading", tempo=12),
        phase("three", 40, technique="vibration", tempo=60, area="upper-back"),
    ),
    protocol(
        "breath",
        phase("calm", 60, technique="settling", tempo=None, breathing=BREATHING, pressure=1),
    ),
]


@pytest.fixture(scope="module")
def protocol_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guided")
    for item in PROTOCOLS:
        (folder / f"{item['id']}.json").write_text(json.dumps(item), encoding="utf-8")
    return folder


Started = Callable[..., Page]


@pytest.fixture
def started(visit: Visit) -> Started:
    """A device on a session that has just begun."""

    def start(name: str, countdown: str = "digits", **device: Any) -> Page:
        page = visit("/settings", **device)
        page.locator(f'input[name="countdown"][value="{countdown}"]').check()
        page.goto(f"/protocols/{name}/screening")
        answer_safely(page)
        page.get_by_role("button", name="Begin").click()
        page.wait_for_selector(LIVE)
        page.wait_for_function("() => Boolean(customElements.get('stroke-guide'))")
        press(page, "Start")
        expect(page.locator(LIVE)).to_have_attribute("data-status", "running")
        return page

    return start


def moving(page: Page) -> list[str]:
    names: list[str] = page.evaluate("document.getAnimations().map((a) => a.animationName)")
    return names


def rests(page: Page, within: int = BURST_MS + 2_000) -> None:
    page.wait_for_function(f"() => {MOVING} === 0", timeout=within, polling=100)


def style(page: Page, selector: str, name: str) -> str:
    found: str = page.locator(selector).first.evaluate(
        "(element, name) => getComputedStyle(element)[name]", name
    )
    return found


# -- the burst -----------------------------------------------------------------------------------


def test_the_hand_moves_when_a_phase_begins_and_when_the_stage_is_touched_then_rests(
    started: Started, watch: Watch
) -> None:
    page = started("hands")
    page.wait_for_function(f"() => {MOVING} > 0")
    assert set(moving(page)) == {"move-stroking", "pulse"}
    rests(page)
    expect(page.locator(f"{LIVE}[data-step=two]")).to_be_attached(timeout=12_000)
    page.wait_for_function(f"() => {MOVING} > 0")
    assert set(moving(page)) == {"move-kneading", "give-kneading", "pulse"}
    rests(page)
    page.locator(".step-lines").dispatch_event("pointerdown")
    page.wait_for_function(f"() => {MOVING} > 0")
    rests(page)
    page.wait_for_timeout(1_000)
    assert moving(page) == []
    assert watch.errors == []


POSES = """async (seconds) => {
  const poses = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    const hand = document.querySelector("#session-live .hand-moves");
    const pose = getComputedStyle(hand).transform;
    if (pose !== poses.at(-1)) poses.push(pose);
  }
  return poses;
}"""


def test_a_burst_is_drawn_in_six_pictures_a_second(started: Started) -> None:
    """Each costs a device power. Seen to fail without ``#move``, and with a picture each frame."""
    page = started("hands")
    page.wait_for_function(f"() => {MOVING} > 0")
    poses = page.evaluate(POSES, 2)
    assert 10 <= len(poses) <= 24  # an answer poses the hand, too; one each frame gives far more
    rests(page)
    assert page.evaluate(POSES, 0.5) == ["none"]


def test_a_burst_has_whole_strokes_at_the_tempo_and_the_pulse_the_true_time(
    started: Started,
) -> None:
    page = started("hands")
    for step, tempo, name in (
        ("one", 20, "stroking"),
        ("two", 12, "kneading"),
        ("three", 60, "vibration"),
    ):
        expect(page.locator(f"{LIVE}[data-step={step}]")).to_be_attached()
        page.wait_for_function(f"() => {MOVING} > 0")
        hand = f"{LIVE} .move-{name} .hand-moves"
        assert style(page, f"{LIVE} .pulse", "animationDuration") == f"{60 / tempo:g}s"
        assert style(page, hand, "animationDuration") == f"{60 / tempo:g}s"
        count = int(style(page, hand, "animationIterationCount"))
        assert 3 <= count * 60 / tempo <= 6
        press(page, "Next")


def test_a_slow_stroke_still_ends_with_the_burst(visit: Visit) -> None:
    page = visit("/settings", bypass_csp=True)
    source = page.locator('script[src*="device-settings"]').get_attribute("src")
    assert source is not None
    bursts = page.evaluate(
        """async ([module, tempos]) => {
            customElements.define = () => {};
            const { burstOf } = await import(module);
            return tempos.map((tempo) => burstOf(tempo));
        }""",
        [source.replace("page/device-settings", "stage/stroke-guide"), [*range(1, 201), 0]],
    )
    for tempo, burst in zip([*range(1, 201), 12], bursts, strict=True):
        assert burst["beats"] * burst["beat"] <= (ENOUGH_MS if burst["beats"] > 1 else BURST_MS)
        assert burst["beats"] * burst["beat"] > ENOUGH_MS / 2
        assert burst["pulse"] == pytest.approx(60_000 / tempo)


def test_at_rest_the_mark_beats_slowly_in_time_with_the_strokes(started: Started) -> None:
    page = started("hands")
    press(page, "Next")
    expect(page.locator(f"{LIVE}[data-step=two]")).to_be_attached()
    page.evaluate(
        """() => { window.beats = [];
            new MutationObserver((list) => { for (const { target } of list)
                if (target.matches(".pulse")) window.beats.push(
                    [target.matches(".pulse-on"), performance.now()]);
            }).observe(document.querySelector("session-stage"),
                { subtree: true, attributes: true, attributeFilter: ["class"] }); }"""
    )
    rests(page)
    page.evaluate("window.beats.length = 0")
    page.wait_for_timeout(11_000)
    beats = page.evaluate("window.beats")
    begun = [at for on, at in beats if on]
    assert len(begun) >= 2  # 12 a minute
    for before, after in itertools.pairwise(begun):
        assert after - before == pytest.approx(5_000, abs=250)
    assert [on for on, _ in beats[1:]] == [not on for on, _ in beats[:-1]]
    press(page, "Next")
    expect(page.locator(f"{LIVE}[data-step=three]")).to_be_attached()
    rests(page)
    page.evaluate("window.beats.length = 0")
    page.wait_for_timeout(3_000)
    assert page.evaluate("window.beats") == []  # a quick mark stays still


def test_the_mark_keeps_the_tempo(visit: Visit) -> None:
    page = visit("/settings", bypass_csp=True)
    source = page.locator('script[src*="device-settings"]').get_attribute("src")
    assert source is not None
    for tempo in range(1, 25):
        beats = tempo / 2 if tempo > 12 else tempo
        seconds = page.evaluate(
            """async ([module, tempo]) => {
                customElements.define = () => {};
                const { beatsAt } = await import(module);
                return Array.from({ length: 600 }, (_, n) => n)
                    .filter((n) => beatsAt(n * 1000 + 1, tempo));
            }""",
            [source.replace("page/device-settings", "stage/stroke-guide"), tempo],
        )
        assert len(seconds) == 10 * beats
        for stroke, second in enumerate(seconds):
            assert 0 <= second - stroke * 60 / beats < 1, (tempo, stroke)


def test_the_mark_changes_in_the_task_that_changes_the_digits(started: Started) -> None:
    """So it costs no frame of its own. Seen to fail with a timer of its own, 2 ms later."""
    page = started("hands")
    rests(page)
    tasks = page.evaluate(
        """() => new Promise((done) => {
            const tasks = [];
            const watch = new MutationObserver((list) => tasks.push(
                ["pulse-on", "digits"].filter((what) => list.some(({ target }) => what === "digits"
                    ? target.parentElement?.matches(".digits")
                    : target.matches?.(".pulse")))));
            watch.observe(document.querySelector("#session-live"),
                { subtree: true, characterData: true, attributes: true,
                  attributeFilter: ["class"] });
            setTimeout(() => { watch.disconnect(); done(tasks); }, 4_000);
        })"""
    )
    beating = [what for what in tasks if "pulse-on" in what]
    assert beating  # 20 strokes a minute: every second one
    assert all("digits" in what for what in beating)


def test_an_answer_in_a_burst_leaves_the_hand_in_its_pose(started: Started) -> None:
    """Seen to fail without ``#hold`` at an answer: what comes with it starts from rest."""
    page = started("hands")
    page.wait_for_function(f"() => {MOVING} > 0")
    page.wait_for_timeout(700)
    poses = page.evaluate(
        """() => new Promise((done) => {
            const live = () => document.querySelector("#session-live");
            const pose = () => getComputedStyle(live().querySelector(".hand-moves")).transform;
            const [before, then] = [pose(), live().dataset.now];
            live().querySelector("[name=until]").value = 1; // so that the whole answer comes
            document.addEventListener("htmx:after:swap", () => setTimeout(
                () => done([before, pose(), live().dataset.now !== then])), { once: true });
            document.body.dispatchEvent(new Event("resync"));
        })"""
    )
    before, after, answered = poses
    assert answered
    assert before != "none"
    assert after != "none"


def test_with_reduced_motion_nothing_moves_and_the_picture_stays(started: Started) -> None:
    page = started("hands", **STILL)
    expect(page.locator(f"{LIVE} .hand-picture")).to_be_visible()
    parts = "document.querySelectorAll('#session-live :is(.step-hand, .pulse)')"
    page.evaluate(f"{parts}.forEach((part) => part.classList.add('bursting'))")
    assert moving(page) == []
    page.evaluate(f"{parts}.forEach((part) => part.classList.remove('bursting'))")
    page.locator(".step-lines").dispatch_event("pointerdown")
    for _ in range(10):
        page.wait_for_timeout(400)
        assert moving(page) == []
        assert page.locator(".pulse-on").count() == 0
    assert page.locator(".bursting").count() == 0


# -- the picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1280, 800), (1024, 768), (390, 844), (800, 1280)])
def test_the_hand_takes_nothing_from_the_digits_and_nothing_moves_between_phases(
    started: Started, size: tuple[int, int]
) -> None:
    page = started("hands", viewport={"width": size[0], "height": size[1]})
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries())
                if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: false }); }"""
    )
    page.wait_for_timeout(900)
    page.evaluate("window.shift = 0")
    hand = page.locator(f"{LIVE} .hand-picture").bounding_box()
    digits = page.locator(f"{LIVE} .digits").bounding_box()
    assert hand
    assert digits
    assert hand["width"] >= 110
    assert hand["height"] == pytest.approx(hand["width"] * 0.75, abs=1)
    apart = (
        hand["x"] >= digits["x"] + digits["width"] or hand["y"] >= digits["y"] + digits["height"]
    )
    assert apart
    if size[0] > size[1]:
        assert digits["height"] >= 0.22 * size[1]
    expect(page.locator(f"{LIVE}[data-step=two]")).to_be_attached(timeout=14_000)
    page.wait_for_timeout(1_200)
    assert page.evaluate("window.shift") == 0


def test_without_the_server_the_next_phase_has_its_hand_too(
    started: Started, server: Server
) -> None:
    page = started("hands")
    expect(page.locator(f"{LIVE} .move-stroking")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(f"{LIVE}[data-step=two] .move-kneading")).to_be_visible(timeout=14_000)
    expect(page.locator(f"{LIVE} .hand-picture")).to_have_count(1)


# -- the pacer -----------------------------------------------------------------------------------


def test_which_word_and_size_comes_when(visit: Visit) -> None:
    page = visit("/settings", bypass_csp=True)
    source = page.locator('script[src*="device-settings"]').get_attribute("src")
    assert source is not None
    cases = [  # ms, in, out -> word, size, next
        ([0, 2, 4], ["in", 0.5, 1000]),
        ([999, 2, 4], ["in", 0.5, 1]),
        ([1000, 2, 4], ["in", 1, 1000]),
        ([2000, 2, 4], ["out", 0.75, 1000]),
        ([5999, 2, 4], ["out", 0, 1]),
        ([6000, 2, 4], ["in", 0.5, 1000]),
        ([-1, 2, 4], ["out", 0, 1]),
        ([44_000, 4, 6], ["out", 5 / 6, 1000]),
    ]
    for given, expected in cases:
        found = page.evaluate(
            """async ([module, given]) => {
                customElements.define = () => {};
                const { word, size, next } = (await import(module)).breathAt(...given);
                return [word, size, next];
            }""",
            [source.replace("page/device-settings", "stage/breath-pacer"), given],
        )
        assert found == [expected[0], pytest.approx(expected[1]), expected[2]], given


WORDS = """() => {
    window.words = [];
    const word = document.querySelector("#session-live .breath-word");
    new MutationObserver(() => window.words.push([word.textContent, performance.now()]))
        .observe(word, { childList: true, characterData: true, subtree: true });
}"""


@pytest.mark.parametrize("device", [{}, STILL], ids=["moving", "still"])
def test_the_pacer_breathes_at_the_pace_of_the_protocol(
    started: Started, watch: Watch, device: dict[str, str]
) -> None:
    page = started("breath", **device)
    page.wait_for_function("() => Boolean(customElements.get('breath-pacer'))")
    page.wait_for_timeout(500)
    page.evaluate(WORDS)
    radius = page.locator(f"{LIVE} .breath-disc")
    sizes = set()
    for _ in range(26):
        page.wait_for_timeout(500)
        sizes.add(radius.get_attribute("r"))
    words = page.evaluate("window.words")
    assert len(words) >= 4
    for (word, at), (following, then) in itertools.pairwise(words):
        assert {word, following} == {"in", "out"}
        expected = BREATHING["in_seconds" if word == "in" else "out_seconds"] * 1000
        assert then - at == pytest.approx(expected, abs=250)
    assert len(sizes) == (1 if device else 5)
    pacer = page.locator(f"{LIVE} .breath")
    expect(pacer).to_have_attribute("aria-label", "Breathe in 2 s, out 4 s")
    expect(pacer.locator(".breath-word")).to_have_attribute("aria-hidden", "true")
    assert page.locator(f"{LIVE} [aria-live] .breath, {LIVE} [role=status] .breath").count() == 0
    press(page, "Pause")
    expect(page.locator(LIVE)).to_have_attribute("data-status", "paused")
    before = page.locator(f"{LIVE} .breath-word").text_content()
    page.wait_for_timeout(2_500)
    assert page.locator(f"{LIVE} .breath-word").text_content() == before
    assert watch.errors == []


# -- the wedge -----------------------------------------------------------------------------------


def left(page: Page) -> float:
    shown = page.locator(f"{LIVE} .wedge circle").first.get_attribute("stroke-dasharray") or ""
    return float(shown.split()[0])


def test_a_device_that_asked_for_it_sees_a_wedge_that_shrinks_with_the_phase(
    started: Started, watch: Watch
) -> None:
    page = started("hands", countdown="wedge")
    expect(page.locator(f"{LIVE} .wedge")).to_be_visible()
    for _ in range(4):
        page.wait_for_timeout(1_300)
        shown, digits = left(page), page.locator(f"{LIVE} .digits").text_content() or ""
        seconds = int(digits.split(":")[1])
        assert shown == pytest.approx(100 * seconds / FIRST, abs=100 * 1.2 / FIRST)
    digits_box = page.locator(f"{LIVE} .digits").bounding_box()
    wedge_box = page.locator(f"{LIVE} .wedge").bounding_box()
    assert digits_box
    assert wedge_box
    assert digits_box["height"] >= 0.22 * 800
    assert digits_box["x"] <= wedge_box["x"]
    assert wedge_box["x"] + wedge_box["width"] <= digits_box["x"] + digits_box["width"] + 1
    expect(page.locator(f"{LIVE}[data-step=two]")).to_be_attached(timeout=12_000)
    page.wait_for_function(
        f"() => parseFloat(document.querySelector('{LIVE} .wedge circle')"
        ".getAttribute('stroke-dasharray')) > 90"
    )
    assert watch.errors == []


def test_without_that_setting_there_is_no_wedge_and_no_script_for_it(
    started: Started, watch: Watch
) -> None:
    page = started("hands")
    expect(page.locator(f"{LIVE} .wedge")).to_be_hidden()
    assert not [request for request in watch.requests if "count-wedge" in request]
    assert not [request for request in watch.requests if "breath-pacer" in request]


def test_the_settings_show_at_once_what_the_wedge_looks_like(visit: Visit) -> None:
    page = visit("/settings")
    expect(page.locator(".count-sample .wedge")).to_be_hidden()
    page.locator('input[name="countdown"][value="wedge"]').check()
    expect(page.locator(".count-sample .wedge")).to_be_visible()
    page.reload()
    expect(page.locator(".count-sample .wedge")).to_be_visible()


# -- every technique, as shipped -----------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("data"), shipped_folder("protocols"), free_port())
    running.start()
    yield running
    running.kill()


def test_every_hand_moves_at_its_own_and_comes_back_to_where_it_was(
    browser: Any, shipped_server: Server
) -> None:
    page = browser.new_page(base_url=shipped_server.address)
    page.goto("/techniques")
    for technique in shipped().catalogue.techniques:
        boxes = page.evaluate(
            """async (technique) => {
                const picture = document.querySelector(`.move-${technique}`);
                const stage = document.createElement("div");
                const hand = document.createElement("div");
                hand.className = "step-hand";
                stage.append(hand);
                hand.append(picture.cloneNode(true));
                document.body.append(stage);
                const sizes = { "--beat": "1000ms", "--beats": "1", "--digits": "300px" };
                for (const [name, value] of Object.entries(sizes))
                    stage.style.setProperty(name, value);
                const part = hand.querySelector(".hand-moves");
                const place = () => {
                    const r = part.getBoundingClientRect();
                    return [r.x, r.y, r.width, r.height];
                };
                const rest = place();
                hand.classList.add("bursting");
                const run = part.getAnimations();
                const seen = [];
                for (let ms = 0; ms < 1000; ms += 100) {
                    for (const animation of run) { animation.pause(); animation.currentTime = ms; }
                    seen.push(place());
                }
                for (const animation of run) animation.finish();
                const after = place();
                const name = run[0]?.animationName;
                stage.remove();
                return { rest, seen, after, name, count: run.length };
            }""",
            technique,
        )
        assert boxes["name"] == f"move-{technique}"
        assert boxes["count"] == 1
        assert boxes["after"] == pytest.approx(boxes["rest"]), technique
        moved = max(
            abs(a - b) for seen in boxes["seen"] for a, b in zip(seen, boxes["rest"], strict=True)
        )
        assert moved > 1, technique
    page.close()


def test_no_picture_needs_a_style_attribute(shipped_server: Server, browser: Any) -> None:
    page = browser.new_page(base_url=shipped_server.address)
    text = page.goto("/techniques").text()
    assert not re.search(r"<[^>]* style=", text)
    page.close()
