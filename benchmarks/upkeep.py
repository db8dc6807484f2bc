"""Beats and acts of ten thousand running sessions while the owner backs up and exports."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import asdict
from email.message import Message

from benchmarks import load, processes, protocol_folder, sites
from benchmarks.clocks import server_offset
from benchmarks.load import Outcome
from benchmarks.options import Options
from benchmarks.sites import HOST, Server
from benchmarks.swarm import Task
from benchmarks.table import Row, Table, percentile

SESSIONS = 10_000
SECONDS = 20.0
WARM_SECONDS = 30.0
PROMISED_P99_MS = 50.0


class Owner(threading.Thread):
    """Backs up and exports in turn until told to stop; notes how long each took (s)."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.over = threading.Event()
        self.backups: list[float] = []
        self.exports: list[float] = []
        self.bytes = 0

    def run(self) -> None:
        while not self.over.is_set():
            self.backups.append(self.timed_backup())
            if not self.over.is_set():
                self.exports.append(self.timed_export())

    def timed_backup(self) -> float:
        begun = time.monotonic()
        headers, _ = self.asked("POST", "/owner/data/backup")
        state = headers["Location"] + "/state"
        while b"every 1s" in (body := self.asked("GET", state)[1]):
            time.sleep(1)
        if b"made and checked" not in body:
            raise RuntimeError(body.decode())
        return time.monotonic() - begun

    def timed_export(self) -> float:
        begun = time.monotonic()
        self.bytes = len(self.asked("GET", "/owner/data/export")[1])
        return time.monotonic() - begun

    def asked(self, method: str, path: str) -> tuple[Message, bytes]:
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=300)
        try:
            headers = {"Origin": self.server.address} if method == "POST" else {}
            connection.request(method, path, None, headers)
            answer = connection.getresponse()
            return answer.headers, answer.read()
        finally:
            connection.close()


def measure(options: Options) -> Table:
    """p99 of beats and acts of 10,000 sessions, at rest and during backups and exports."""
    processes.allow_many_files()
    sessions = options.sessions or SESSIONS
    rest, size, _ = run(options, "rest", sessions)
    busy, _, owner = run(options, "busy", sessions, upkeep=True)
    assert owner
    title = f"Upkeep: {sessions:,} running sessions in {size / 1e6:.0f} MB, SQLite, one process"
    return Table(title, [*rows("at rest", rest), *rows("during", busy)], notes(owner))


def run(
    options: Options, name: str, sessions: int, *, upkeep: bool = False
) -> tuple[Outcome, int, Owner | None]:
    """A new database, a server and the swarm; with ``upkeep`` the owner is at work meanwhile."""
    folder = protocol_folder.write(options.folder / "protocols", load.PHASE_SECONDS)
    data = options.folder / name
    data.mkdir()
    devices = load.of_nobody(data, folder, sessions)
    size = (data / "steady-hands.sqlite3").stat().st_size
    with sites.ours(data, folder) as server:
        task = Task(
            HOST,
            server.port,
            server_offset(lambda: server.clock(devices[0][0])),
            load.RAMP_SECONDS,
            min(WARM_SECONDS, 2 * options.duration(WARM_SECONDS)),
            options.duration(SECONDS),
            options.commands_every,
            devices,
        )
        path = options.folder / f"swarm-{name}.json"
        path.write_text(json.dumps(asdict(task)), encoding="utf-8")
        owner = Owner(server) if upkeep else None
        if owner:
            owner.start()
        outcome = load.let_loose(server, path, sessions)
        if owner:
            owner.over.set()
            owner.join(300)
        return outcome, size, owner


def rows(when: str, outcome: Outcome) -> list[Row]:
    report = outcome.report
    p99 = percentile(report.beats, 0.99)
    return [
        Row(
            f"beats {when}: p99, ms",
            f"{p99:.1f}",
            "",
            f"< {PROMISED_P99_MS:.0f}",
            p99 < PROMISED_P99_MS,
        ),
        Row(f"  beats {when}: ms p50 / p99 / p99.9 / max", load.four(report.beats)),
        Row(f"  acts {when}: ms p50 / p99 / p99.9 / max", load.four(report.commands)),
        Row(f"  errors {when}", str(sum(report.errors.values())), "", "0", not report.errors),
    ]


def notes(owner: Owner) -> list[str]:
    def told(times: list[float]) -> str:
        return ", ".join(f"{seconds:.1f} s" for seconds in times)

    return [
        f"backups took {told(owner.backups)}; "
        f"exports {told(owner.exports)} ({owner.bytes / 1e6:.1f} MB packed)",
        "The load generator shares the machine's cores with the server and its processes.",
    ]
