"""Screens around sessions, as the page behaves: a stream of nudges, a beat each 5 s, fragments.

``polling`` is the baseline: the whole fragment each second, no stream and no beat.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from benchmarks.clocks import boot_ms
from benchmarks.sites import Server, Version, version_in

BEAT_SECONDS = 5.0
POLL_SECONDS = 1.0
LATEST_SECONDS = 8.0


@dataclass(slots=True)
class Connection:
    """One kept connection, one request at a time."""

    host: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, method: str, path: str, body: str = "", more: str = "") -> None:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        own = f"http://{self.host}:{self.port}"
        form = (
            f"Origin: {own}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n"
        )
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nHX-Request: true\r\n"
        self.writer.write(f"{head}{more}{form if method == 'POST' else ''}\r\n{body}".encode())
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        assert self.reader
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), dict(pairs)

    async def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Status and text."""
        async with self.turn:
            await self.send(method, path, body)
            status, headers = await self.head()
            length = int(headers.get("content-length", "0"))
            assert self.reader
            return status, (await self.reader.readexactly(length)).decode() if length else ""

    def close(self) -> None:
        if self.writer:
            self.writer.close()


@dataclass(frozen=True, slots=True)
class Play:
    """``each`` screens on every session, ``acts`` taps a second in all, for ``seconds``."""

    server: Server
    sessions: list[str]
    each: int
    seconds: float
    acts: float = 0.0
    polling: bool = False


class Device:
    """One screen of one session; ``seen`` is the instant (boot ms) at which it had each seq."""

    def __init__(self, play: Play, session: str) -> None:
        self.session, self.polling = session, play.polling
        self.line, self.stream = (Connection(play.server.host, play.server.port) for _ in range(2))
        self.version: Version | None = None
        self.paused = False
        self.seen: dict[int, float] = {}
        self.errors: list[str] = []

    async def live(self) -> None:
        await self.look(0.0)
        kept = (self.poll(),) if self.polling else (self.listen(), self.beat())
        await asyncio.gather(*kept)

    async def poll(self) -> None:
        await asyncio.sleep(random.uniform(0, POLL_SECONDS))
        while True:
            asyncio.get_running_loop().create_task(self.look(0.0))
            await asyncio.sleep(POLL_SECONDS)

    async def beat(self) -> None:
        await asyncio.sleep(random.uniform(0, BEAT_SECONDS))
        while True:
            await self.look(boot_ms())
            await asyncio.sleep(BEAT_SECONDS)

    async def listen(self) -> None:
        await self.stream.send("GET", f"/sessions/{self.session}/nudges")
        assert self.stream.reader
        status, _ = await self.stream.head()
        if status != 200:
            self.errors.append(f"nudges answered with {status}")
            return
        while True:
            if b"ask" in await self.stream.reader.readline():
                await self.look(boot_ms())

    async def look(self, known: float) -> None:
        """Ask what is so; with ``known`` only for what is newer than the page."""
        query = ""
        if known and self.version:
            query = f"?seq={self.version.seq}&until={self.version.until}"
        status, text = await self.line.ask("GET", f"/sessions/{self.session}/live{query}")
        if status == 200:
            self.adopt(text)
        elif status != 204:
            self.errors.append(f"look answered with {status}")

    async def act(self) -> tuple[int, float]:
        """Pause or resume: the seq that comes of it, and the instant of the tap."""
        assert self.version
        fields = {
            "key": secrets.token_urlsafe(12),
            "seq": self.version.seq,
            "step": self.version.step,
        }
        path = f"/sessions/{self.session}/{'resume' if self.paused else 'pause'}"
        tapped = boot_ms()
        status, text = await self.line.ask("POST", path, urlencode(fields))
        if status != 200:
            self.errors.append(f"act answered with {status}")
        self.adopt(text)
        return self.version.seq, tapped

    def adopt(self, text: str) -> None:
        self.version = version_in(text)
        self.paused = 'data-status="paused"' in text
        self.seen.setdefault(self.version.seq, boot_ms())

    def close(self) -> None:
        self.line.close()
        self.stream.close()


@dataclass(slots=True)
class Room:
    """What was seen: delays in ms from the tap to every other screen of the session."""

    delays: list[float] = field(default_factory=list)
    taps: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    server_cpu_ms: float = 0.0


async def gathered(devices: list[Device]) -> list[asyncio.Task[None]]:
    """All devices begin, some at a time."""
    tasks = []
    for device in devices:
        tasks.append(asyncio.create_task(device.live()))
        await asyncio.sleep(0.01)
    await asyncio.sleep(BEAT_SECONDS)
    return tasks


async def played(play: Play) -> Room:
    """The server's CPU is that of the time in which all screens are there."""
    rooms = [[Device(play, session) for _ in range(play.each)] for session in play.sessions]
    devices = [device for room in rooms for device in room]
    tasks, found = await gathered(devices), Room()
    before = play.server.cpu_ms()
    await (taps(play, rooms, found) if play.acts else asyncio.sleep(play.seconds))
    found.server_cpu_ms = play.server.cpu_ms() - before
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [repr(one) for one in ended if isinstance(one, Exception)]
    found.errors = [*broken, *(error for device in devices for error in device.errors)]
    for device in devices:
        device.close()
    return found


async def taps(play: Play, rooms: list[list[Device]], found: Room) -> None:
    begun, number = boot_ms(), 0
    acting: list[asyncio.Task[None]] = []
    while boot_ms() - begun < play.seconds * 1000:
        acting.append(asyncio.create_task(tap(rooms[number % len(rooms)], found)))
        number += 1
        await asyncio.sleep(max(0.0, (begun + number * 1000 / play.acts - boot_ms()) / 1000))
    await asyncio.gather(*acting)


async def tap(room: list[Device], found: Room) -> None:
    """One screen acts; wait until every other one shows it."""
    actor, *others = random.sample(room, len(room))
    seq, tapped = await actor.act()
    found.taps.append(tapped)
    end = tapped + LATEST_SECONDS * 1000
    while boot_ms() < end and not all(seq in device.seen for device in others):
        await asyncio.sleep(0.02)
    found.delays += [device.seen.get(seq, end) - tapped for device in others]
