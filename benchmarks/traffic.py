"""What one device with a running session costs: requests, bytes, browser CPU, server CPU."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks import browsers, protocol_folder, proxy, sites
from benchmarks.browsers import Screen
from benchmarks.options import Options
from benchmarks.proxy import Proxy
from benchmarks.sites import Server
from benchmarks.table import Row, Table

WINDOWS = 5
WINDOW_SECONDS = 60.0
SETTLING_SECONDS = 6.0
BEAT_SECONDS = 5.0
PROMISED_BROWSER = 0.7
PROMISED_SERVER = 1 / 6


@dataclass(frozen=True, slots=True)
class Window:
    """CPU in ms of each page and each server over one window."""

    idle: float
    ours: float
    baseline: float
    our_server: float
    our_idle_server: float
    baseline_server: float
    baseline_idle_server: float


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
    folder = protocol_folder.write(options.folder / "protocols")
    with ExitStack() as stack:
        ours = stack.enter_context(sites.ours(options.folder / "data", folder))
        our_idle = stack.enter_context(sites.ours(options.folder / "idle", folder))
        baseline = stack.enter_context(sites.baseline())
        baseline_idle = stack.enter_context(sites.baseline())
        lines = [stack.enter_context(proxy.before(server)) for server in (ours, baseline)]
        running = stack.enter_context(browsers.playwright())
        screens = [stack.enter_context(browsers.screen(running)) for _ in range(3)]
        session = ours.running_session(protocol_folder.PROTOCOL)
        screens[0].page.goto(f"{baseline_idle.address}/idle")
        screens[1].page.goto(f"{ours.proxied}/sessions/{session}")
        screens[2].page.goto(baseline.proxied)
        time.sleep(SETTLING_SECONDS)
        for line in lines:
            line.forget()
        servers = [ours, our_idle, baseline, baseline_idle]
        begun = time.monotonic()
        windows = [one_window(screens, servers, seconds) for _ in range(WINDOWS)]
        lasted = time.monotonic() - begun
        counted = [count(line) for line in lines]
    return table(windows, counted, lasted)


def one_window(screens: list[Screen], servers: list[Server], seconds: float) -> Window:
    things: list[Screen | Server] = [*screens, *servers]
    before = [thing.cpu_ms() for thing in things]
    time.sleep(seconds)
    return Window(*(t.cpu_ms() - b for t, b in zip(things, before, strict=True)))


def count(line: Proxy) -> Counted:
    statuses = [exchange.status for exchange in line.exchanges]
    fragments, empty = statuses.count(200), statuses.count(204)
    return Counted(fragments, empty, len(statuses) - fragments - empty, line.up + line.down)


def table(windows: list[Window], counted: list[Counted], lasted: float) -> Table:
    ours, base = counted
    ends = lasted / protocol_folder.PHASE_SECONDS
    beats = lasted / BEAT_SECONDS
    minute = 60 / lasted
    found = Table(
        f"One device, {WINDOWS} windows of {lasted / WINDOWS:.0f} s, a phase is "
        f"{protocol_folder.PHASE_SECONDS} s (figures for a minute)"
    )
    found.rows = [
        Row("requests", f"{ours.requests * minute:.1f}", f"{base.requests * minute:.1f}"),
        Row(
            "  with a fragment",
            f"{ours.fragments * minute:.1f}",
            f"{base.fragments * minute:.1f}",
            "1 a phase",
            ours.fragments <= ends + 1,
        ),
        Row(
            "  204",
            f"{ours.empty * minute:.1f}",
            f"{base.empty * minute:.1f}",
            "<= 1 in 5 s",
            ours.empty <= beats + 1 and not ours.other,
        ),
        Row(
            "kB, both ways", f"{ours.data * minute / 1000:.1f}", f"{base.data * minute / 1000:.1f}"
        ),
        *cpu_rows(windows, 60 * WINDOWS / lasted),
    ]
    return found


def cpu_rows(windows: list[Window], per_minute: float) -> list[Row]:
    """Medians over the windows; ``per_minute`` turns a window's figure into a minute's."""
    return [
        cpu_row(
            f"browser CPU ms above an idle page's ({middle([w.idle for w in windows], per_minute)})",
            [w.ours - w.idle for w in windows],
            [w.baseline - w.idle for w in windows],
            PROMISED_BROWSER,
            per_minute,
        ),
        cpu_row(
            "server CPU ms above an idle server's",
            [w.our_server - w.our_idle_server for w in windows],
            [w.baseline_server - w.baseline_idle_server for w in windows],
            PROMISED_SERVER,
            per_minute,
        ),
        Row(
            "server CPU ms in all",
            middle([w.our_server for w in windows], per_minute),
            middle([w.baseline_server for w in windows], per_minute),
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
