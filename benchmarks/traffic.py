"""What one device with a running session costs: requests, bytes, browser CPU, server CPU."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from playwright.sync_api import Playwright

from benchmarks import baseline, browsers, protocol_folder, proxy, sites
from benchmarks.browsers import Screen
from benchmarks.options import Options
from benchmarks.proxy import Proxy
from benchmarks.sites import Server
from benchmarks.table import Row, Table
from webapp.protocol_files.loader import load
from webapp.settings import shipped

WINDOWS = 5
WINDOW_SECONDS = 60.0
SETTLING_SECONDS = 10.0
BEAT_SECONDS = 5.0
PROMISED_BROWSER = 0.7
PROMISED_SERVER = 1 / 6


@dataclass(slots=True)
class Device:
    """A page, its server and the line between; ours goes on by itself each ``phase_seconds``."""

    name: str
    phase_seconds: int
    server: Server
    line: Proxy
    screen: Screen

    def cpu_ms(self) -> tuple[float, float]:
        """Of the browser and of the server, so far."""
        return self.screen.cpu_ms(), self.server.cpu_ms()


@dataclass(frozen=True, slots=True)
class Window:
    """CPU in ms over one window: browser and server of each device, and of idle ones."""

    used: tuple[tuple[float, float], ...]
    idle_page: float
    our_idle_server: float
    idle_baseline: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What went over the wire in all windows."""

    fragments: int
    empty: int
    other: int
    data: int

    @property
    def requests(self) -> int:
        return self.fragments + self.empty + self.other


def measure(options: Options) -> Table:
    """Requests, bytes, browser and server CPU of one device in a running minute."""
    seconds = options.duration(WINDOW_SECONDS)
    usual = usual_phase_seconds()
    with ExitStack() as stack:
        running = stack.enter_context(browsers.playwright())
        idle = stack.enter_context(sites.ours(options.folder / "idle"))
        idle_baseline = stack.enter_context(sites.baseline())
        page = stack.enter_context(browsers.screen(running))
        page.page.goto(f"{idle_baseline.address}/idle")
        devices = [
            our_device(stack, options, page_of(stack, running), usual),
            our_device(stack, options, page_of(stack, running), protocol_folder.PHASE_SECONDS),
            our_device(
                stack, options, page_of(stack, running), protocol_folder.PHASE_SECONDS, still=True
            ),
            baseline_device(stack, page_of(stack, running)),
        ]
        time.sleep(SETTLING_SECONDS)
        for device in devices:
            device.line.forget()
        begun = time.monotonic()
        windows = [one_window(devices, page, idle, idle_baseline, seconds) for _ in range(WINDOWS)]
        lasted = time.monotonic() - begun
        counted = [count(device.line) for device in devices]
    return table(devices, windows, counted, lasted)


def usual_phase_seconds() -> int:
    """The median phase of the protocols that pages can start, in steps of 5 s as in files."""
    folder = shipped("protocols")
    library = load(folder, folder)
    entries = [entry for entry in library.entries.values() if entry.protocol.startable]
    plans = [plan for entry in entries if (plan := library.usual_plan(entry))]
    phases = [step.seconds for plan in plans for step in plan.steps if step.hands_on]
    return 5 * round(statistics.median(phases) / 5)


def page_of(stack: ExitStack, running: Playwright) -> Screen:
    return stack.enter_context(browsers.screen(running))


def our_device(
    stack: ExitStack, options: Options, screen: Screen, each: int, *, still: bool = False
) -> Device:
    """Ours on a running session; ``still`` for somebody who asked for reduced motion."""
    name = f"phases of {each} s{', reduced motion' if still else ''}"
    place = options.folder / name.replace(" ", "-")
    folder = protocol_folder.write(place / "protocols", each)
    server = stack.enter_context(sites.ours(place / "data", folder))
    line = stack.enter_context(proxy.before(server))
    if still:
        screen.page.emulate_media(reduced_motion="reduce")
    session = server.running_session(protocol_folder.PROTOCOL)
    screen.page.goto(f"{server.proxied}/sessions/{session}")
    return Device(name, each, server, line, screen)


def baseline_device(stack: ExitStack, screen: Screen) -> Device:
    server = stack.enter_context(sites.baseline())
    line = stack.enter_context(proxy.before(server))
    screen.page.goto(server.proxied)
    return Device("baseline", baseline.PHASE_SECONDS, server, line, screen)


def one_window(
    devices: list[Device], page: Screen, idle: Server, idle_baseline: Server, seconds: float
) -> Window:
    def spent() -> list[float]:
        each = [cpu for device in devices for cpu in device.cpu_ms()]
        return [*each, page.cpu_ms(), idle.cpu_ms(), idle_baseline.cpu_ms()]

    before = spent()
    time.sleep(seconds)
    *each, idle_page, our_idle, base_idle = (b - a for a, b in zip(before, spent(), strict=True))
    return Window(tuple(zip(each[::2], each[1::2], strict=True)), idle_page, our_idle, base_idle)


def count(line: Proxy) -> Counted:
    statuses = [exchange.status for exchange in line.exchanges if exchange.status]
    fragments, empty = statuses.count(200), statuses.count(204)
    return Counted(fragments, empty, len(statuses) - fragments - empty, line.up + line.down)


def table(
    devices: list[Device], windows: list[Window], counted: list[Counted], lasted: float
) -> Table:
    """Our devices one after the other, each beside the baseline."""
    found = Table(
        f"One device, {WINDOWS} windows of {lasted / WINDOWS:.0f} s (figures for a minute)"
    )
    *ours, _ = devices
    for place, device in enumerate(ours):
        found.rows.append(Row(device.name, ""))
        found.rows += traffic_rows(device, counted[place], counted[-1], lasted)
        found.rows += cpu_rows(windows, place, 60 * WINDOWS / lasted)
    idle = middle([w.idle_page for w in windows], 60 * WINDOWS / lasted)
    found.notes = [
        f"Browser CPU is above an idle page's ({idle} ms), "
        "server CPU above that of a server with nobody there."
    ]
    return found


def traffic_rows(device: Device, ours: Counted, base: Counted, lasted: float) -> list[Row]:
    ends, beats, minute = lasted / device.phase_seconds, lasted / BEAT_SECONDS, 60 / lasted
    return [
        Row("  requests", f"{ours.requests * minute:.1f}", f"{base.requests * minute:.1f}"),
        Row(
            "    with a fragment",
            f"{ours.fragments * minute:.1f}",
            f"{base.fragments * minute:.1f}",
            "1 a phase",
            ours.fragments <= ends + 1,
        ),
        Row(
            "    204",
            f"{ours.empty * minute:.1f}",
            f"{base.empty * minute:.1f}",
            "<= 1 in 5 s",
            ours.empty <= beats + 1 and not ours.other,
        ),
        Row(
            "  kB, both ways",
            f"{ours.data * minute / 1000:.1f}",
            f"{base.data * minute / 1000:.1f}",
        ),
    ]


def cpu_rows(windows: list[Window], place: int, per_minute: float) -> list[Row]:
    """Medians over the windows; ``per_minute`` turns a window's figure into a minute's."""
    return [
        cpu_row(
            "  browser CPU ms",
            [w.used[place][0] - w.idle_page for w in windows],
            [w.used[-1][0] - w.idle_page for w in windows],
            PROMISED_BROWSER,
            per_minute,
        ),
        cpu_row(
            "  server CPU ms",
            [w.used[place][1] - w.our_idle_server for w in windows],
            [w.used[-1][1] - w.idle_baseline for w in windows],
            PROMISED_SERVER,
            per_minute,
        ),
    ]


def cpu_row(
    what: str, ours: list[float], baseline: list[float], promise: float, scale: float
) -> Row:
    """The ratio is the median of the windows' own ratios."""
    ratios = [a / b for a, b in zip(ours, baseline, strict=True) if b > 0]
    ratio = statistics.median(ratios) if ratios else float("inf")
    return Row(
        what,
        f"{middle(ours, scale)} (x {ratio:.2f})",
        middle(baseline, scale),
        f"<= {promise:.2f} x",
        ratio <= promise,
    )


def middle(values: list[float], scale: float) -> str:
    return f"{statistics.median(values) * scale:.0f}"
