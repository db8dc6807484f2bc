"""A room of screens: from a tap on one to every other, and what a screen costs that only shows."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from benchmarks import browsers, processes, protocol_folder, sites
from benchmarks.options import Options
from benchmarks.room_devices import Play, Room, played
from benchmarks.sites import Server
from benchmarks.table import Row, Table, percentile

SCREENS = 50
PAIRS = 200
SECONDS = 30.0
IDLE_SECONDS = 40.0
PROMISED_P95_MS = 500.0
SEEN_MS = 3_000.0

# Notes the instant at which the page shows another status.
WATCH = """() => {
    window.changes = [];
    let before = document.querySelector("#session-live").dataset.status;
    new MutationObserver(() => {
        const { status } = document.querySelector("#session-live").dataset;
        if (status !== before) window.changes.push(performance.now());
        before = status;
    }).observe(document.querySelector("session-stage"),
        { subtree: true, childList: true, attributeFilter: ["data-status"] });
}"""


def measure(options: Options) -> Table:
    """From a tap to other screens: 50 on one session, 200 sessions of 2; an idle screen's cost."""
    processes.allow_many_files()
    seconds = options.duration(SECONDS)
    folder = protocol_folder.write(options.folder / "protocols", each=900, count=4)
    found = Table(f"A room of screens, {seconds:.0f} s each (ms from the tap: p50 / p95 / max)")
    with sites.ours(options.folder / "data", folder) as server:
        one = [server.running_session(protocol_folder.PROTOCOL)]
        pushed, shown = with_chromium(server, one[0], seconds)
        polled = asyncio.run(played(Play(server, one, SCREENS, seconds, 1.0, polling=True)))
        found.rows.append(row(f"{SCREENS} screens on one session", pushed.delays, polled.delays))
        found.rows.append(row("the same, on screen in Chromium", shown, []))
        pairs = [server.running_session(protocol_folder.PROTOCOL) for _ in range(PAIRS)]
        play = Play(server, pairs, 2, seconds, PAIRS / 10)
        both, asked = asyncio.run(played(play)), asyncio.run(played(replace(play, polling=True)))
        found.rows.append(row(f"{PAIRS} sessions of 2 screens", both.delays, asked.delays))
        found.rows.append(idle(server, pairs, options.duration(IDLE_SECONDS)))
        for name, seen in (
            ("pushed", pushed),
            ("polled", polled),
            ("both", both),
            ("asked", asked),
        ):
            if seen.errors:
                found.notes.append(f"{name}: {len(seen.errors)} errors, first {seen.errors[0]}")
    found.notes += [
        "Baseline: the same screens on the same server ask for the whole fragment each second.",
        f"One tap a second in the first room, {PAIRS / 10:.0f} a second in the other.",
        "The screens run on the server's cores. A screen that shows a tap after 8 s counts as 8 s.",
    ]
    return found


def with_chromium(server: Server, session: str, seconds: float) -> tuple[Room, list[float]]:
    """One of the screens is a real page; the delay until it shows each tap, in ms."""
    with browsers.playwright() as running, browsers.screen(running) as screen:
        screen.page.goto(f"{server.address}/sessions/{session}")
        screen.page.evaluate(WATCH)
        with ThreadPoolExecutor(1) as pool:
            play = Play(server, [session], SCREENS - 1, seconds, 1.0)
            work = pool.submit(lambda: asyncio.run(played(play)))
            while not work.done():
                screen.page.wait_for_timeout(100)
        seen = work.result()
        begun = screen.navigation_start()
        changes = [begun + at for at in screen.page.evaluate("window.changes")]
    return seen, [until_next(tapped, changes) for tapped in seen.taps]


def until_next(tapped: float, changes: list[float]) -> float:
    """Taps are a second apart and change the status every time."""
    return min((at - tapped for at in changes if at >= tapped), default=SEEN_MS)


def row(what: str, ours: list[float], baseline: list[float]) -> Row:
    return Row(
        what,
        told(ours),
        told(baseline) if baseline else "",
        f"p95 <= {PROMISED_P95_MS:.0f}",
        percentile(ours, 0.95) <= PROMISED_P95_MS,
    )


def told(delays: list[float]) -> str:
    return " / ".join(f"{percentile(delays, share):.0f}" for share in (0.5, 0.95, 1.0))


def idle(server: Server, sessions: list[str], seconds: float) -> Row:
    """CPU of the server for each screen that only shows, less what it takes with nobody there."""
    before = server.cpu_ms()
    time.sleep(seconds)
    nobody = server.cpu_ms() - before
    play = Play(server, sessions, 2, seconds)
    plays = (play, replace(play, polling=True))
    costs = [
        (asyncio.run(played(one)).server_cpu_ms - nobody) * 60 / seconds / (2 * len(sessions))
        for one in plays
    ]
    return Row(
        "server CPU a minute and idle screen (ms)",
        f"{costs[0]:.1f} (x {costs[0] / costs[1]:.2f})",
        f"{costs[1]:.1f}",
    )
