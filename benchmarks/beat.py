"""A beat with nothing new beside an empty Flask route on the same server."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Flask

from benchmarks import baseline as baseline_app
from benchmarks import protocol_folder, sites
from benchmarks.options import Options
from benchmarks.sites import HOST, Server
from benchmarks.table import Row, Table
from webapp.app import create_app
from webapp.auth.devices import Devices, Joined
from webapp.auth.permissions import Caller
from webapp.domain.invites import Role
from webapp.domain.session import Event
from webapp.network import hosts_of
from webapp.server.heartbeat import Heartbeat
from webapp.settings import Settings

ROUNDS = 5
SECONDS = 15.0
CONNECTIONS = 16
CALLS = 500
CALL_ROWS = 10
PROMISE = 3.0
BUFFER = 65_536
OTHER = "192.168.7.7"

Environ = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one request: server CPU, and the time it takes while the server is always busy."""

    cpu_us: float
    time_us: float


def measure(options: Options) -> Table:
    """The cost of a beat with nothing new beside an empty route's."""
    folder = protocol_folder.write(options.folder / "protocols")
    seconds = options.duration(SECONDS) / ROUNDS
    with ExitStack() as stack:
        ours = stack.enter_context(sites.ours(options.folder / "data", folder))
        baseline = stack.enter_context(sites.baseline())
        beats: list[Cost] = []
        empties: list[Cost] = []
        for _ in range(ROUNDS):
            session = ours.running_session(protocol_folder.PROTOCOL)
            beats.append(hammered(ours, beat_path(ours, session), seconds))
            empties.append(hammered(baseline, "/empty", seconds))
    return table(beats, empties, in_process(options))


def beat_path(server: Server, session: str) -> str:
    seen = server.version(session)
    return f"/sessions/{session}/live?seq={seen.seq}&until={seen.until}"


def hammered(server: Server, path: str, seconds: float) -> Cost:
    """Sixteen connections, each with one request under way at all times."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nHX-Request: true\r\n\r\n".encode()
    )
    with opened(server) as lines:
        rounds(lines, request, time.monotonic() + seconds / 5)  # warm
        cpu, begun = server.cpu_ms(), time.monotonic()
        count = rounds(lines, request, begun + seconds)
        lasted = time.monotonic() - begun
        return Cost((server.cpu_ms() - cpu) * 1000 / count, lasted * 1e6 / count)


@contextmanager
def opened(server: Server) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(socket.create_connection((HOST, server.port), 10)))
            for _ in range(CONNECTIONS)
        ]


def rounds(lines: list[socket.socket], request: bytes, end: float) -> int:
    """Ask on every connection again and again; gives how often. Raises for anything but a 204."""
    count = 0
    while time.monotonic() < end:
        for line in lines:
            line.sendall(request)
        for line in lines:
            answer = line.recv(BUFFER)
            while b"\r\n\r\n" not in answer:
                answer += line.recv(BUFFER)
            if not answer.startswith(b"HTTP/1.1 204"):
                raise RuntimeError(answer[:200].decode("latin-1"))
        count += len(lines)
    return count


def in_process(options: Options) -> tuple[float, float, float]:
    """Microseconds of one call without a server: a beat's, an empty route's, a joined device's."""
    empty = statistics.median(
        called(flask_call(baseline_app.create_app(), environ("/empty", f"{HOST}:8000")))
        for _ in range(ROUNDS)
    )
    return beat_in_process(options, joined=False), empty, beat_in_process(options, joined=True)


def beat_in_process(options: Options, *, joined: bool) -> float:
    """``joined`` for a device that was let in, at a site that others have to join."""
    settings = Settings(
        data=options.folder / f"in-process-{joined}",
        protocols=options.folder / "protocols",
        host=HOST,
        lan=joined,
    )
    settings.data.mkdir()
    app = create_app(settings)
    site = app.extensions["site"]
    now = site.clock.now()
    entry = site.library.get(protocol_folder.PROTOCOL)
    plan = site.library.usual_plan(entry)
    session = site.storage.create(plan, entry.digest, site.clock.now())
    event = Event(1, "benchmark-start", "start", site.clock.now())
    until = event.at + plan.steps[0].seconds * 1000
    site.storage.record(site.storage.load(session), event)
    path, query = f"/sessions/{session}/live", f"seq=1&until={until}"
    host = f"{OTHER if joined else HOST}:{settings.port}"
    caller = None
    if joined:
        devices = Devices(site.storage)
        made = devices.join("iPad", now, token=devices.invite(Role.DISPLAY, now).token)
        assert isinstance(made, Joined)
        cookie = f"device=theme%3Ddim; steady-hands-{settings.port}={made.token}"
        caller = Caller("127.0.0.1", host, cookie, False)
    heartbeat = Heartbeat(app, hosts_of(settings))

    def ask() -> int:
        answer = heartbeat.answer(path, query, host, caller)
        return answer[0] if answer else 0

    took = statistics.median(called(ask) for _ in range(ROUNDS))
    site.storage.close()
    return took


def environ(path: str, host: str) -> Environ:
    name, _, port = host.partition(":")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "HTTP_HX_REQUEST": "true",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def flask_call(app: Flask, environ: Environ) -> Callable[[], int]:
    """Ask ``app`` without a server; gives the status."""

    def ask() -> int:
        statuses: list[str] = []

        def start_response(status: str, _headers: Any, _error: Any = None) -> Any:
            statuses.append(status)

        b"".join(app.wsgi_app(dict(environ), start_response))
        return int(statuses[0].split()[0])

    return ask


def called(ask: Callable[[], int]) -> float:
    """The CPU time of a call in microseconds, of the fastest of some short rows of calls."""

    def row() -> float:
        begun = time.thread_time_ns()
        for _ in range(CALLS):
            status = ask()
            if status != 204:
                raise RuntimeError(f"the beat was answered with {status}")
        return (time.thread_time_ns() - begun) / CALLS / 1000

    return min(row() for _ in range(CALL_ROWS))


def table(beats: list[Cost], empties: list[Cost], inside: tuple[float, float, float]) -> Table:
    cpu = [statistics.median(cost.cpu_us for cost in costs) for costs in (beats, empties)]
    took = [statistics.median(cost.time_us for cost in costs) for costs in (beats, empties)]
    return Table(
        f"A beat with nothing new beside an empty route, median of {ROUNDS}",
        [
            ratio_row("server CPU µs a request", cpu[0], cpu[1]),
            ratio_row("µs a request, server busy", took[0], took[1]),
            Row("requests a second", f"{1e6 / took[0]:,.0f}", f"{1e6 / took[1]:,.0f}"),
            Row("CPU µs of the call alone, no server", f"{inside[0]:.0f}", f"{inside[1]:.0f}"),
            ratio_row("the same from a device that joined", inside[2], inside[1]),
        ],
        ["The load generator shares the machine's cores with the server."],
    )


def ratio_row(what: str, ours: float, baseline: float) -> Row:
    ratio = ours / baseline
    return Row(
        what,
        f"{ours:.0f} (x {ratio:.1f})",
        f"{baseline:.0f}",
        f"<= {PROMISE:.0f} x",
        ratio <= PROMISE,
    )
