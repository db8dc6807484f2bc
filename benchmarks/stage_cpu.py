"""What the stage costs beside a bare countdown: browser CPU a minute, without and with a change."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack

from playwright.sync_api import Page

from benchmarks import browsers, protocol_folder, sites
from benchmarks.browsers import Screen
from benchmarks.options import Options
from benchmarks.table import Row, Table

WINDOWS = 3
WINDOW_SECONDS = 60.0
SETTLING_SECONDS = 14.0  # past the first burst of 6 s
PROMISED_AT_REST = 1.5
TABLET = {"width": 1280, "height": 800}
WEDGE = {"name": "device", "value": "countdown=wedge"}

# The bare countdown: digits as large as the stage's, written once a second, nothing else on the
# page; with an address it asks the server every 5 s, as the stage has to.
BARE = """(address) => {
    document.documentElement.style.background = "#0b171a";
    document.body.replaceChildren();
    const digits = document.createElement("p");
    digits.style.cssText =
        "font: 250 212px/1 system-ui; color: #f4efe6; font-variant-numeric: tabular-nums";
    document.body.append(digits);
    const end = performance.now() + 1_800_000;
    const paint = () => {
        const left = Math.ceil((end - performance.now()) / 1000);
        digits.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
        setTimeout(paint, 1000 - (performance.now() % 1000) + 1);
    };
    paint();
    if (address) setInterval(() => fetch(address), 5_000);
}"""


def measure(options: Options) -> Table:
    """Browser CPU a minute: a bare countdown, the stage at rest, the stage with a phase change."""
    seconds = options.duration(WINDOW_SECONDS)
    folder = protocol_folder.write(options.folder / "protocols", each=900, count=WINDOWS + 1)
    names = ("bare", "beating", "rest", "wedge", "change")
    windows: list[dict[str, float]] = []
    with ExitStack() as stack:
        ours = stack.enter_context(sites.ours(options.folder / "data", folder))
        bare = stack.enter_context(sites.baseline())
        running = stack.enter_context(browsers.playwright())
        screens = {name: stack.enter_context(browsers.screen(running)) for name in names}
        for screen in screens.values():
            screen.page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        screens["wedge"].page.context.add_cookies([{**WEDGE, "url": ours.address}])  # type: ignore[typeddict-item]
        screens["bare"].page.goto(f"{bare.address}/idle")
        screens["bare"].page.evaluate(BARE, "")
        for name in names[1:]:
            session = ours.running_session(protocol_folder.PROTOCOL)
            if name == "beating":
                seen = ours.version(session)
                screens[name].page.goto(f"{ours.address}/sources")
                live = f"/sessions/{session}/live?seq={seen.seq}&until={seen.until}"
                screens[name].page.evaluate(BARE, live)
                continue
            screens[name].page.goto(f"{ours.address}/sessions/{session}")
        time.sleep(SETTLING_SECONDS)
        for screen in screens.values():
            assert still(screen.page), "something moves at rest"
        for _ in range(WINDOWS):
            windows.append(one_window(screens, seconds))
            time.sleep(SETTLING_SECONDS)
    return table(windows, seconds)


def still(page: Page) -> bool:
    return bool(page.evaluate("document.getAnimations().length === 0"))


def one_window(screens: dict[str, Screen], seconds: float) -> dict[str, float]:
    """CPU in ms of each browser; one of them goes on to its next phase at the beginning."""
    before = {name: screen.cpu_ms() for name, screen in screens.items()}
    screens["change"].page.locator("#act-next").click()
    time.sleep(seconds)
    return {name: screen.cpu_ms() - before[name] for name, screen in screens.items()}


def table(windows: list[dict[str, float]], seconds: float) -> Table:
    """Each figure beside both bare countdowns; the ratio is the median of the windows' own."""
    found = Table(
        f"The stage beside a bare countdown, {len(windows)} windows of {seconds:.0f} s "
        "(browser CPU ms a minute)"
    )
    for name, what in (
        ("rest", "stage at rest"),
        ("wedge", "stage at rest with the wedge"),
        ("change", "stage with a phase change and its burst"),
    ):
        for bare, kind in (("bare", "digits alone"), ("beating", "digits that ask the server")):
            ratio = statistics.median(window[name] / window[bare] for window in windows)
            promised = name != "change"
            found.rows.append(
                Row(
                    f"{what}, beside {kind}",
                    f"{middle(windows, name, seconds):.0f} (x {ratio:.2f})",
                    f"{middle(windows, bare, seconds):.0f}",
                    f"<= {PROMISED_AT_REST:.2f} x" if promised else "",
                    ratio <= PROMISED_AT_REST if promised else None,
                )
            )
    found.notes = [
        "Baseline: a page with nothing but digits of the same size, written once a second;",
        "the second asks the server every 5 s besides, as the stage does.",
        "All pages at once, at 1280 x 800.",
    ]
    return found


def middle(windows: list[dict[str, float]], name: str, seconds: float) -> float:
    return statistics.median(window[name] for window in windows) * 60 / seconds
