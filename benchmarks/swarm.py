"""Thousands of devices in one process: ``python -m benchmarks.swarm TASK.json`` prints a report.

Each device keeps one connection open, beats every 5 s, asks again at the end of each phase as the
page does, and acts now and then with the key, seq and step that its page would send.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import secrets
import ssl
import sys
import time
import zlib
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import brotli  # type: ignore[import-untyped]

from benchmarks.clocks import boot_ms
from benchmarks.sites import version_in

BEAT_SECONDS = 5.0
POLL_SECONDS = 1.0
PHASE_END_DELAY_SECONDS = 0.03
PAUSE_SECONDS = 5.0
LOST_SECONDS = 10.0
GZIP = 31
ACTS = ("pause", "next")
REFUSED = 409


@dataclass(frozen=True, slots=True)
class Task:
    """What to do; ``devices`` are session id, seq, until, step and the Cookie header ("" for none).

    ``scheme`` is how browsers see the site, ``tls`` how it is reached.
    """

    host: str
    port: int
    offset: int
    ramp_seconds: float
    warm_seconds: float
    seconds: float
    commands_every: float
    devices: list[tuple[str, int, int, str, str]]
    scheme: str = "http"
    tls: bool = False
    polls: bool = False  # devices of the baseline: the whole fragment each second, and no acts


@dataclass(slots=True)
class Report:
    """Latencies in ms of everything answered inside the measured time."""

    beats: list[float] = field(default_factory=list)
    phase_ends: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    lag: list[float] = field(default_factory=list)
    begun: float = 0.0
    ended: float = 0.0


@dataclass(slots=True)
class Ask:
    """One request, and when it was wanted."""

    kind: str
    wanted: float
    action: str = ""


def unpacked(head: bytes, body: bytes) -> bytes:
    """The text of an answer, as a browser gets it."""
    if b"content-encoding: br" in head:
        return bytes(brotli.decompress(body))
    return zlib.decompress(body, GZIP) if b"content-encoding" in head else body


class Swarm:
    """All devices, and what they have seen."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.loop = asyncio.get_running_loop()
        self.report = Report()
        self.statuses: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.measuring = False
        self.over = False
        self.devices: list[Device] = []
        origin = f"{task.scheme}://{task.host}:{task.port}"
        self.head = (
            f"Host: {task.host}:{task.port}\r\nConnection: keep-alive\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/156.0.0.0 Safari/537.36\r\nAccept: text/html\r\n"
            "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
            "Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n"
            f"Referer: {origin}/sessions/x\r\nHX-Request: true\r\nHX-Source: div#session-beat\r\n"
            f"HX-Target: section#session-live\r\nHX-Current-URL: {origin}/sessions/x\r\n"
        )
        self.form = f"Origin: {origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n"

    def took(self, kind: str, wanted: float, status: int) -> None:
        if not self.measuring:
            return
        lists = {
            "beat": self.report.beats,
            "phase": self.report.phase_ends,
            "command": self.report.commands,
        }
        lists[kind].append((self.loop.time() - wanted) * 1000)
        self.statuses[f"{kind} {status}"] += 1

    def failed(self, why: str) -> None:
        if not self.over:
            self.errors[why] += 1

    async def run(self) -> Report:
        task = self.task
        pause = task.ramp_seconds / max(1, len(task.devices))
        begun = self.loop.time()
        context = any_certificate() if task.tls else None
        for number, (session, seq, until, step, cookie) in enumerate(task.devices):
            device = Device(self, session, seq, until, step, cookie)
            self.devices.append(device)
            await self.loop.create_connection(
                lambda d=device: d,
                task.host,
                task.port,
                ssl=context,
            )
            await asyncio.sleep(max(0.0, begun + number * pause - self.loop.time()))
        gc.collect()
        gc.freeze()
        gc.disable()
        await asyncio.sleep(task.warm_seconds)
        self.statuses.clear()
        self.measuring, self.report.begun = True, self.loop.time()
        print("measuring", flush=True)
        await self.watch_lag(task.seconds)
        self.report.ended = self.loop.time()
        print("measured", flush=True)
        await asyncio.sleep(1.0)
        self.measuring, self.over = False, True
        for device in self.devices:
            if device.ask and self.loop.time() - device.ask.wanted > LOST_SECONDS:
                self.errors[f"no answer for {LOST_SECONDS:.0f} s"] += 1
        self.report.statuses, self.report.errors = dict(self.statuses), dict(self.errors)
        return self.report

    async def watch_lag(self, seconds: float) -> None:
        """Note how late this process itself is, 20 times a second."""
        end = self.loop.time() + seconds
        while (due := self.loop.time() + 0.05) < end:
            await asyncio.sleep(0.05)
            self.report.lag.append((self.loop.time() - due) * 1000)


def any_certificate() -> ssl.SSLContext:
    """The server is ours, and on this machine."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Device(asyncio.Protocol):
    """One page of one session."""

    def __init__(
        self, swarm: Swarm, session: str, seq: int, until: int, step: str, cookie: str
    ) -> None:
        self.swarm = swarm
        self.head = f"{swarm.head}Cookie: {cookie}\r\n" if cookie else swarm.head
        self.session, self.seq, self.until, self.step = session, seq, until, step
        self.paused = False
        self.buffer = b""
        self.ask: Ask | None = None
        self.waiting: deque[Ask] = deque()
        self.phase_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        loop = self.swarm.loop
        if self.swarm.task.polls:
            loop.call_later(random.uniform(0, POLL_SECONDS), self.poll)
            return
        loop.call_later(random.uniform(0, BEAT_SECONDS), self.beat)
        if self.swarm.task.commands_every:
            loop.call_later(random.uniform(0, 1.5 * self.swarm.task.commands_every), self.command)
        self.await_phase_end()

    def connection_lost(self, error: Exception | None) -> None:
        self.swarm.failed(f"connection lost: {error}")

    # -- when to ask ---------------------------------------------------------------------------

    def beat(self) -> None:
        if self.swarm.over:
            return
        self.swarm.loop.call_later(BEAT_SECONDS, self.beat)
        self.want(Ask("beat", self.swarm.loop.time()))

    def poll(self) -> None:
        """As ``every 1s`` does: one at a time."""
        if self.swarm.over:
            return
        self.swarm.loop.call_later(POLL_SECONDS, self.poll)
        if not self.ask:
            self.want(Ask("beat", self.swarm.loop.time()))

    def await_phase_end(self) -> None:
        if self.phase_timer:
            self.phase_timer.cancel()
        if not self.until:
            return
        left = (self.until - boot_ms() - self.swarm.task.offset) / 1000
        wait = max(0.0, left) + PHASE_END_DELAY_SECONDS
        self.phase_timer = self.swarm.loop.call_later(wait, self.phase_end)

    def phase_end(self) -> None:
        if not self.swarm.over:
            self.want(Ask("phase", self.swarm.loop.time()))

    def command(self) -> None:
        """Act, and plan the next act: a pause is short, all else about as often as was asked."""
        if self.swarm.over:
            return
        action = "resume" if self.paused else random.choice(ACTS)
        gap = 1.5 * self.swarm.task.commands_every - PAUSE_SECONDS / 2  # three acts in two rounds
        wait = PAUSE_SECONDS if action == "pause" else random.uniform(0.1 * gap, 1.9 * gap)
        self.swarm.loop.call_later(wait, self.command)
        self.want(Ask("command", self.swarm.loop.time(), action))

    # -- asking and hearing --------------------------------------------------------------------

    def want(self, ask: Ask) -> None:
        if self.ask:
            self.waiting.append(ask)
        else:
            self.send(ask)

    def send(self, ask: Ask) -> None:
        self.ask = ask
        swarm = self.swarm
        if ask.kind != "command":
            path = f"/sessions/{self.session}/live?seq={self.seq}&until={self.until}"
            path = "/fragment" if swarm.task.polls else path
            self.transport.write(f"GET {path} HTTP/1.1\r\n{self.head}\r\n".encode())
            return
        fields = {"key": secrets.token_urlsafe(12), "seq": self.seq, "step": self.step}
        body = urlencode(fields)
        self.transport.write(
            f"POST /sessions/{self.session}/{ask.action} HTTP/1.1\r\n{self.head}{swarm.form}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        status = int(head[9:12])
        body = b""
        if status != 204:
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 :]
        self.buffer = b""
        self.heard(status, unpacked(head, body))

    def heard(self, status: int, body: bytes) -> None:
        ask, self.ask = self.ask, None
        if ask is None:
            self.swarm.failed("an answer to nothing")
            return
        self.swarm.took(ask.kind, ask.wanted, status)
        if self.swarm.task.polls and status == 200:
            return
        if status in (200, REFUSED):
            self.adopt(body.decode())
        elif status != 204:
            self.swarm.failed(f"{ask.kind} answered with {status}")
        if self.waiting:
            self.send(self.waiting.popleft())

    def adopt(self, text: str) -> None:
        seen = version_in(text)
        self.seq, self.until, self.step = seen.seq, seen.until, seen.step
        self.paused = 'data-status="paused"' in text
        self.await_phase_end()


async def work(task: Task) -> Report:
    return await Swarm(task).run()


def main() -> None:
    task = Task(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    report = asyncio.run(work(task))
    cpu = time.process_time()
    print(json.dumps(asdict(report) | {"cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
