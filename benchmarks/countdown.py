"""The shown seconds against the server's clock: here, over a slow link, throttled, cut off."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from playwright.sync_api import Playwright

from benchmarks import baseline as baseline_app
from benchmarks import browsers, protocol_folder, proxy, recorder, sites
from benchmarks.browsers import Screen
from benchmarks.clocks import boot_ms, server_offset
from benchmarks.options import Options
from benchmarks.recorder import Change, Verdict, judge, seconds_of
from benchmarks.sites import Server
from benchmarks.table import Row, Table, percentile, spread

SECONDS = 300.0
LONG_SECONDS = 1680.0
SPARE_SECONDS = 90.0
SETTLING_MS = 4_000.0
ROUND_TRIP = (0.3, 0.5)
SLOWDOWN = 4.0
OUTAGE_SECONDS = 20.0
OUTAGE_LEAD_MS = 10_000.0
OUTAGE_TAIL_SECONDS = 8.0
MOST_GAP_MS = 1_200.0
PROMISED_P99_MS = {"local": 25.0, "link": 60.0, "throttled": 100.0}
PROMISED_PHASE_MS = 100.0
NAMES = {
    "local": "local machine",
    "link": "300-500 ms round trip",
    "throttled": "CPU throttled 4x",
}

Dues = Callable[[float, float], list[Change]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Our verdict and the baseline's under one condition."""

    ours: Verdict
    baseline: Verdict


@dataclass(frozen=True, slots=True)
class Bench:
    """Both servers, our session, and the browser driver."""

    running: Playwright
    ours: Server
    baseline: Server
    session: str
    due: list[Change]

    def our_due(self, begin: float, end: float) -> list[Change]:
        return self.due

    def baseline_due(self, begin: float, end: float) -> list[Change]:
        """The baseline's phases lie on the boot-time clock itself."""
        each = baseline_app.PHASE_SECONDS * 1000
        first, last = int(begin // each), int(end // each)
        return [
            change
            for step in range(first - 1, last + 1)
            for change in seconds_of(str(step), step * each, (step + 1) * each)
        ]

    def our_page(self, base: str) -> str:
        return f"{base}/sessions/{self.session}"


def measure(options: Options) -> Table:
    """Shown seconds against the server's clock in Chromium, 5 minutes (long: 28)."""
    seconds = options.duration(LONG_SECONDS if options.long else SECONDS)
    throttled = min(seconds, SECONDS)
    folder = protocol_folder.long_enough(options.folder / "protocols", seconds + SPARE_SECONDS)
    with ExitStack() as stack:
        ours = stack.enter_context(sites.ours(options.folder / "data", folder))
        baseline = stack.enter_context(sites.baseline())
        bench = bench_of(stack.enter_context(browsers.playwright()), ours, baseline)
        pairs = side_by_side(bench, seconds)
        bench = bench_of(bench.running, ours, baseline)
        pairs["throttled"] = Pair(
            alone(bench, bench.our_page(ours.address), bench.our_due, throttled),
            alone(bench, baseline.address, bench.baseline_due, throttled),
        )
        outage = cut_off(bench_of(bench.running, ours, baseline))
    return table(seconds, throttled, pairs, outage)


def bench_of(running: Playwright, ours: Server, baseline: Server) -> Bench:
    """A session that has just been started, and every second that it is to show."""
    session = ours.running_session(protocol_folder.PROTOCOL)
    offset = server_offset(lambda: ours.clock(session))
    due = recorder.due_of(ours.version(session), offset)
    return Bench(running, ours, baseline, session, due)


def side_by_side(bench: Bench, seconds: float) -> dict[str, Pair]:
    """Four browsers at a time: ours and the baseline, here and over the slow link."""
    with ExitStack() as stack:
        stack.enter_context(proxy.before(bench.ours, ROUND_TRIP))
        stack.enter_context(proxy.before(bench.baseline, ROUND_TRIP))
        screens = [
            stack.enter_context(browsers.screen(bench.running, recorder.SCRIPT)) for _ in range(4)
        ]
        pages = (
            bench.our_page(bench.ours.address),
            bench.baseline.address,
            bench.our_page(bench.ours.proxied),
            bench.baseline.proxied,
        )
        dues = (bench.our_due, bench.baseline_due) * 2
        for screen, address in zip(screens, pages, strict=True):
            screen.page.goto(address)
        verdicts = watch(screens, dues, seconds)
    return {"local": Pair(*verdicts[:2]), "link": Pair(*verdicts[2:])}


def alone(bench: Bench, address: str, due: Dues, seconds: float) -> Verdict:
    """One throttled browser: throttling itself takes most of a core."""
    with browsers.screen(bench.running, recorder.SCRIPT) as screen:
        screen.page.goto(address)
        screen.throttle(SLOWDOWN)
        return watch([screen], (due,), seconds)[0]


def watch(screens: list[Screen], dues: tuple[Dues, ...], seconds: float) -> list[Verdict]:
    """Let the pages settle, then judge so many seconds of each."""
    begin = boot_ms() + SETTLING_MS
    end = begin + seconds * 1000
    sleep_until(end + 1_500)
    return [
        judge(recorder.read(screen), due(begin, end), begin, end)
        for screen, due in zip(screens, dues, strict=True)
    ]


def cut_off(bench: Bench) -> Pair:
    """Neither server can be reached for 20 s, across a phase end of ours and of the baseline."""
    with ExitStack() as stack:
        lines = [stack.enter_context(proxy.before(s)) for s in (bench.ours, bench.baseline)]
        screens = [
            stack.enter_context(browsers.screen(bench.running, recorder.SCRIPT)) for _ in lines
        ]
        screens[0].page.goto(bench.our_page(bench.ours.proxied))
        screens[1].page.goto(bench.baseline.proxied)
        sleep_until(
            next_phase_end(bench, boot_ms() + SETTLING_MS + OUTAGE_LEAD_MS) - OUTAGE_LEAD_MS
        )
        begin = boot_ms()
        for line in lines:
            line.refuse()
        time.sleep(OUTAGE_SECONDS)
        for line in lines:
            line.accept()
        time.sleep(OUTAGE_TAIL_SECONDS)
        end = boot_ms() - 1_500
        dues = (bench.our_due, bench.baseline_due)
        ours, base = (
            judge(recorder.read(screen), due(begin, end), begin, end)
            for screen, due in zip(screens, dues, strict=True)
        )
    return Pair(ours, base)


def next_phase_end(bench: Bench, after: float) -> float:
    """The first instant behind ``after`` at which our session goes on to its next phase."""
    begins = recorder.first_of_each(bench.due).values()
    return next(at for at in begins if at >= after)


def sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - boot_ms()) / 1000)


def table(seconds: float, throttled: float, pairs: dict[str, Pair], outage: Pair) -> Table:
    found = Table(f"Countdown, {seconds:.0f} s (throttled {throttled:.0f} s)")
    for name, pair in pairs.items():
        found.rows += condition_rows(name, pair)
    longest = outage.ours.longest
    found.rows += [
        Row(
            "20 s outage over a phase end: digits stood still",
            f"{longest / 1000:.2f} s",
            f"{outage.baseline.longest / 1000:.2f} s",
            f"<= {MOST_GAP_MS / 1000:.1f} s",
            longest <= MOST_GAP_MS,
        ),
        Row(
            "  skipped, doubled around it",
            f"{outage.ours.skipped}, {outage.ours.doubled}",
            f"{outage.baseline.skipped}, {outage.baseline.doubled}",
            "0, 0",
            not (outage.ours.skipped or outage.ours.doubled),
        ),
    ]
    found.notes = [
        "Digits: moment of the DOM write minus the due instant, sign kept off. Phase: behind the",
        "frame that shows it. Local and link run at the same time, throttled pages one by one.",
    ]
    return found


def condition_rows(name: str, pair: Pair) -> list[Row]:
    ours, base = pair.ours, pair.baseline
    late, base_late = sizes(ours.errors), sizes(base.errors)
    phases, base_phases = sizes(ours.phase_errors), sizes(base.phase_errors)
    p99 = percentile(late, 0.99)
    return [
        Row(
            f"{NAMES[name]}: skipped, doubled of {ours.due}",
            f"{ours.skipped}, {ours.doubled}",
            f"{base.skipped}, {base.doubled}",
            "0, 0",
            not (ours.skipped or ours.doubled) and ours.due > 0,
        ),
        Row(
            "  error of a change, ms p50 / p99 / max",
            spread(late),
            spread(base_late),
            f"p99 <= {PROMISED_P99_MS[name]:.0f}",
            p99 <= PROMISED_P99_MS[name],
        ),
        Row(
            f"  phase on screen, ms p50 / p99 / max of {len(phases)}",
            spread(phases),
            spread(base_phases),
            f"max <= {PROMISED_PHASE_MS:.0f}",
            max(phases) <= PROMISED_PHASE_MS if phases else None,
        ),
    ]


def sizes(errors: list[float]) -> list[float]:
    return [abs(error) for error in errors]
