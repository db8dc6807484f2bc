"""The first visit to a session page: bytes, requests, other hosts, Largest Contentful Paint."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Playwright, Request

from benchmarks import browsers, lighthouse, proxy, sites
from benchmarks.node_programs import NoToolError
from benchmarks.options import Options
from benchmarks.proxy import Exchange
from benchmarks.sites import Server
from benchmarks.table import Row, Table
from webapp.protocol_files.loader import load
from webapp.settings import shipped

ROUNDS = 5
PROMISED_BYTES = 80_000
PROMISED_SECONDS = 1.3
FOR_LATER = ("/worker.js", "/offline")
QUIET_MS = 1_500

# Where Lighthouse cannot be had: its mobile preset's link and processor, applied for real.
LINK = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWDOWN = 4.0
PAINT = """
new PerformanceObserver((list) => { window.benchmarkPaint = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""


@dataclass(slots=True)
class Visit:
    """One visit with an empty cache."""

    page: str
    kept: int = 0
    data: int = 0
    requests: int = 0
    hosts: set[str] = field(default_factory=set)


def measure(options: Options) -> Table:
    """Bytes, requests and Largest Contentful Paint of a first visit to a session page."""
    with ExitStack() as stack:
        ours = stack.enter_context(sites.ours(options.folder / "data"))
        baseline = stack.enter_context(sites.baseline())
        sessions = {name: ours.running_session(name) for name in startable()}
        with browsers.playwright() as running:
            visits = [
                visit(running, ours, f"/sessions/{session}", name)
                for name, session in sessions.items()
            ]
            base = visit(running, baseline, "/", "")
        largest = max(visits, key=lambda found: found.data)
        page = f"{ours.address}/sessions/{sessions[largest.page]}"
        tool = lighthouse_or_none()
        how = "Lighthouse's mobile preset" if tool else "throttled in Chromium (no Lighthouse here)"
        paints = [paint_times(tool, address) for address in (page, baseline.address)]
    return table(largest, base, paints, how)


def startable() -> list[str]:
    """The shipped protocols that can be started from the pages."""
    folder = shipped("protocols")
    entries = load(folder, folder).entries
    return [name for name, entry in entries.items() if entry.protocol.startable]


def visit(running: Playwright, server: Server, path: str, name: str) -> Visit:
    """Load the page in a fresh browser through a counting proxy."""
    found = Visit(name)

    def seen(request: Request) -> None:
        found.hosts.add(urlsplit(request.url).netloc)

    with proxy.before(server) as line, browsers.screen(running) as screen:
        screen.page.on("request", seen)
        screen.page.goto(f"{server.proxied}{path}", wait_until="load")
        screen.page.wait_for_timeout(QUIET_MS)
        found.data, found.requests = line.down, len(line.exchanges)
        found.kept = sum(one.down for one in kept_for_later(line.exchanges, path))
        found.hosts -= {urlsplit(server.proxied).netloc, ""}
    return found


def kept_for_later(exchanges: Sequence[Exchange], path: str) -> list[Exchange]:
    """What only serves going on without the server: by name, and the page's second coming."""
    again = [one for one in exchanges if one.path == path][1:]
    named = [one for one in exchanges if one.path.endswith(FOR_LATER)]
    return [*named, *again]


def lighthouse_or_none() -> list[str] | None:
    """The pinned Lighthouse; None when it cannot be had."""
    try:
        return lighthouse.tool()
    except NoToolError:
        return None


def paint_times(tool: list[str] | None, address: str) -> list[float]:
    """Largest Contentful Paint in seconds: five times, less those that Lighthouse did not get."""
    if tool:
        found = [lighthouse_paint(tool, address) for _ in range(ROUNDS)]
        return [seconds for seconds in found if seconds is not None]
    with browsers.playwright() as running:
        return [throttled_paint(running, address) for _ in range(ROUNDS)]


def lighthouse_paint(tool: list[str], address: str) -> float | None:
    found = lighthouse.report_or_none(tool, address, "mobile", "performance")
    if found is None:
        return None
    return float(found["audits"]["largest-contentful-paint"]["numericValue"]) / 1000


def throttled_paint(running: Playwright, address: str) -> float:
    with browsers.screen(running, PAINT) as screen:
        screen.cdp.send("Network.enable")
        screen.cdp.send("Network.emulateNetworkConditions", LINK)
        screen.throttle(SLOWDOWN)
        screen.page.goto(address, wait_until="load")
        screen.page.wait_for_timeout(QUIET_MS)
        return float(screen.page.evaluate("window.benchmarkPaint")) / 1000


def table(largest: Visit, base: Visit, paints: list[list[float]], how: str) -> Table:
    ours, baseline = paints
    return Table(
        f"First visit to a running session's page, the largest one ({largest.page})",
        [
            Row(
                "kB over the wire",
                f"{largest.data / 1000:.1f}",
                f"{base.data / 1000:.1f}",
                f"<= {PROMISED_BYTES / 1000:.0f}",
                largest.data <= PROMISED_BYTES,
            ),
            Row(
                "of these for going on without the server",
                f"{largest.kept / 1000:.1f}",
                f"{base.kept / 1000:.1f}",
            ),
            Row("requests", str(largest.requests), str(base.requests)),
            Row(
                "other hosts", str(len(largest.hosts)), str(len(base.hosts)), "0", not largest.hosts
            ),
            Row(
                f"Largest Contentful Paint, median of {len(ours)}",
                median_of(ours),
                median_of(baseline),
                f"<= {PROMISED_SECONDS} s",
                statistics.median(ours) <= PROMISED_SECONDS if ours else None,
            ),
        ],
        [f"{how}; ours {min(ours):.2f}-{max(ours):.2f} s" if ours else how],
    )


def median_of(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s" if seconds else "not measured"
