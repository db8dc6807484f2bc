"""Ten thousand running sessions on one process and SQLite."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import processes, protocol_folder, sites
from benchmarks.clocks import server_offset
from benchmarks.options import Options
from benchmarks.sites import HOST, Server
from benchmarks.swarm import Report, Task
from benchmarks.table import Row, Table, percentile
from webapp.domain.session import Event
from webapp.maintenance.opening import open_sqlite
from webapp.protocol_files.loader import load as load_library
from webapp.settings import shipped
from webapp.storage.sessions import Storage
from webapp.timekeeping.clock import Clock

SESSIONS = 10_000
STEPS = (10_000, 11_500, 13_000, 15_000)
PHASE_SECONDS = 60
RAMP_SECONDS = 8.0
WARM_SECONDS = 60.0
SECONDS = 40.0
BASELINE_WARM_SECONDS = 10.0
BASELINE_SECONDS = 20.0
PROMISED_P99_MS = 50.0
SPREAD_SECONDS = 720
PATIENCE_SECONDS = 120.0

Seen = tuple[str, int, int, str]
Device = tuple[str, int, int, str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: what the swarm saw, and the server's CPU meanwhile as a share of a core."""

    sessions: int
    report: Report
    server_share: float
    swarm_cpu: float

    @property
    def everything(self) -> list[float]:
        return self.report.beats + self.report.phase_ends + self.report.commands

    @property
    def seconds(self) -> float:
        return self.report.ended - self.report.begun

    @property
    def p99(self) -> float:
        return percentile(self.everything, 0.99)

    @property
    def held(self) -> bool:
        return bool(self.everything) and self.p99 < PROMISED_P99_MS and not self.report.errors


def measure(options: Options) -> Table:
    """10,000 running sessions beating every 5 s, commands included (--reach: how far it goes)."""
    processes.allow_many_files()
    found = Table(
        f"Load: one process, SQLite, a beat each 5 s, a phase each {PHASE_SECONDS} s, "
        f"an act each {options.commands_every:g} s in every session"
    )
    for sessions in STEPS if options.reach else (options.sessions or SESSIONS,):
        outcome = run(options, sessions)
        baseline = None if options.reach else run_baseline(options, sessions)
        found.rows += rows(outcome, baseline)
        found.notes += notes(outcome)
        if not outcome.held:
            break
    found.notes.append("The load generator shares the machine's cores with the server.")
    return found


def run(options: Options, sessions: int) -> Outcome:
    """Fill a new database, start the server on it, and let the swarm loose."""
    folder = protocol_folder.write(options.folder / "protocols", PHASE_SECONDS)
    data = options.folder / f"data-{sessions}"
    data.mkdir()
    devices = of_nobody(data, folder, sessions)
    with sites.ours(data, folder) as server:
        offset = server_offset(lambda: server.clock(devices[0][0]))
        task = Task(
            HOST,
            server.port,
            offset,
            RAMP_SECONDS,
            min(WARM_SECONDS, 2 * options.duration(WARM_SECONDS)),
            options.duration(SECONDS),
            options.commands_every,
            devices,
        )
        path = options.folder / f"swarm-{sessions}.json"
        path.write_text(json.dumps(asdict(task)), encoding="utf-8")
        return let_loose(server, path, sessions)


def run_baseline(options: Options, sessions: int) -> Outcome:
    """As many devices of the baseline, which ask for their fragment each second."""
    with sites.baseline() as server:
        task = Task(
            HOST,
            server.port,
            0,
            RAMP_SECONDS,
            min(BASELINE_WARM_SECONDS, options.duration(BASELINE_WARM_SECONDS)),
            min(BASELINE_SECONDS, options.duration(BASELINE_SECONDS)),
            0,
            [("", 0, 0, "", "")] * sessions,
            polls=True,
        )
        path = options.folder / f"swarm-baseline-{sessions}.json"
        path.write_text(json.dumps(asdict(task)), encoding="utf-8")
        return let_loose(server, path, sessions)


def of_nobody(data: Path, folder: Path, sessions: int) -> list[Device]:
    """A new embedded database with running sessions, where nobody has to join."""
    with quick_storage(data / "steady-hands.sqlite3") as storage:
        return [(*seen, "") for seen in filled(storage, folder, sessions)]


def filled(storage: Storage, folder: Path, sessions: int) -> list[Seen]:
    """Sessions started at random moments of the last 12 minutes, by the app's own storage."""
    library = load_library(folder, shipped("protocols"))
    entry = library.entries[protocol_folder.PROTOCOL]
    plan = library.usual_plan(entry)
    assert plan is not None
    now = Clock().now()
    found: list[Seen] = []
    for _ in range(sessions):
        at = now - random.randrange(SPREAD_SECONDS * 1000)
        session = storage.create(plan, entry.digest, at)
        stored = storage.load(session)
        assert stored is not None
        storage.record(stored, Event(1, "benchmark-start", "start", at))
        row = (now - at) // (PHASE_SECONDS * 1000)
        until = at + (row + 1) * PHASE_SECONDS * 1000
        found.append((session, 1, until, plan.steps[row].id))
    return found


@contextmanager
def quick_storage(path: Path) -> Iterator[Storage]:
    """The database before the server starts: nothing is lost if this process dies, so no syncs."""
    storage = open_sqlite(path)
    try:
        with storage.write() as connection:
            pass
        connection.exec_driver_sql("PRAGMA synchronous=OFF")
        yield storage
    finally:
        storage.close()


def let_loose(server: Server, path: Path, sessions: int) -> Outcome:
    """Run the swarm to its end; the server's CPU is taken over its measured time."""
    command = [sys.executable, "-m", "benchmarks.swarm", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        expect(process.stdout.readline(), "measuring")
        before = server.cpu_ms()
        expect(process.stdout.readline(), "measured")
        spent = server.cpu_ms() - before
        raw: dict[str, Any] = json.loads(process.stdout.readline())
        process.wait(PATIENCE_SECONDS)
    finally:
        if process.poll() is None:
            processes.stop(process)
    swarm_cpu = float(raw.pop("cpu"))
    report = Report(**raw)
    return Outcome(sessions, report, spent / 1000 / (report.ended - report.begun), swarm_cpu)


def expect(line: str, word: str) -> None:
    if line.strip() != word:
        raise RuntimeError(f"the swarm said {line.strip()!r} instead of {word!r}")


def rows(outcome: Outcome, baseline: Outcome | None = None) -> list[Row]:
    report, seconds = outcome.report, outcome.seconds
    found = [
        Row(
            f"{outcome.sessions:,} sessions: p99 of everything, ms",
            f"{outcome.p99:.1f}",
            f"{baseline.p99:.1f}" if baseline else "",
            f"< {PROMISED_P99_MS:.0f}",
            outcome.p99 < PROMISED_P99_MS,
        ),
        Row(
            "  errors",
            str(sum(report.errors.values())),
            str(sum(baseline.report.errors.values())) if baseline else "",
            "0",
            not report.errors,
        ),
    ]
    for name, times in (
        ("beats", report.beats),
        ("phase ends", report.phase_ends),
        ("commands", report.commands),
    ):
        what = f"  {name}, {len(times) / seconds:,.0f}/s: ms p50 / p99 / p99.9 / max"
        polled = four(baseline.report.beats) if baseline and name == "beats" else ""
        found.append(Row(what, four(times), polled))
    share = f"{baseline.server_share:.2f}" if baseline else ""
    found.append(Row("  server CPU, share of one core", f"{outcome.server_share:.2f}", share))
    return found


def four(times: list[float]) -> str:
    return " / ".join(f"{percentile(times, share):.1f}" for share in (0.5, 0.99, 0.999, 1.0))


def notes(outcome: Outcome) -> list[str]:
    report = outcome.report
    lag = four(report.lag)
    statuses = ", ".join(f"{name}: {count}" for name, count in sorted(report.statuses.items()))
    errors = ", ".join(f"{why} ({count})" for why, count in report.errors.items())
    said = [
        f"{outcome.sessions:,}: {statuses} (409: the phase ended meanwhile)",
        f"the generator's own lateness, ms p50 / p99 / p99.9 / max: {lag}",
    ]
    return said + ([f"errors: {errors}"] if errors else [])
