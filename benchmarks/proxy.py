"""A TCP proxy on loopback that counts what passes, delays it, and can refuse for a while."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from benchmarks.sites import HOST, PROXY_HOST, Server

REQUEST = re.compile(rb"^(GET|POST|HEAD) (\S+) HTTP/1\.1\r\n")
STATUS = re.compile(rb"^HTTP/1\.1 (\d{3})")
CHUNK = 65_536


@dataclass(slots=True)
class Exchange:
    """One request and its answer as they went over the wire."""

    method: str
    path: str
    up: int = 0
    down: int = 0
    status: int = 0


@dataclass(slots=True)
class Line:
    """One connection: when the next chunk may arrive at each end, and the exchange under way."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    free: list[float] = field(default_factory=lambda: [0.0, 0.0])
    exchange: Exchange | None = None


class Proxy:
    """``round_trip`` are the bounds in seconds between which each round trip is drawn."""

    def __init__(self, port: int, round_trip: tuple[float, float] = (0.0, 0.0)) -> None:
        self.port = port
        self.half = (round_trip[0] / 2, round_trip[1] / 2)
        self.exchanges: list[Exchange] = []
        self.up = self.down = self.connections = 0
        self.refusing = False
        self.open: dict[int, Line] = {}
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, name="proxy", daemon=True)

    # -- from the thread of the benchmark ------------------------------------------------------

    def start(self) -> None:
        self.thread.start()
        if not self.ready.wait(5):
            raise RuntimeError("the proxy did not start")

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def refuse(self) -> None:
        """Cut every connection and take no new one."""
        self.refusing = True
        self.loop.call_soon_threadsafe(self.cut)

    def accept(self) -> None:
        self.refusing = False

    def forget(self) -> None:
        """Count from here."""
        self.exchanges, self.up, self.down = [], 0, 0

    # -- in the thread of the proxy --------------------------------------------------------------

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.connected, PROXY_HOST, self.port, limit=CHUNK)
        )
        self.ready.set()
        self.loop.run_forever()
        server.close()
        self.cut()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    def cut(self) -> None:
        for line in self.open.values():
            for writer in line.writers:
                abort(writer)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            abort(writer)
            return
        self.connections += 1
        await asyncio.sleep(2 * self.delay())  # the handshake of a distant line
        there, to_server = await asyncio.open_connection(HOST, self.port, limit=CHUNK)
        line = Line((writer, to_server))
        self.open[id(line)] = line
        try:
            await asyncio.gather(
                self.pump(reader, to_server, line, 0), self.pump(there, writer, line, 1)
            )
        except asyncio.CancelledError:
            pass  # stopped while a stream was open
        finally:
            del self.open[id(line)]

    def delay(self) -> float:
        return random.uniform(*self.half)

    async def pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: Line,
        way: int,
    ) -> None:
        """Pass chunks on in order, each after its own delay."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while chunk := await reader.read(CHUNK):
                self.count(chunk, line, way)
                line.free[way] = max(line.free[way], self.loop.time() + self.delay())
                self.loop.call_at(line.free[way], self.send, writer, chunk)
        self.loop.call_at(max(line.free[way], self.loop.time()), abort_later, writer)

    @staticmethod
    def send(writer: asyncio.StreamWriter, chunk: bytes) -> None:
        if not writer.is_closing():
            writer.write(chunk)

    def count(self, chunk: bytes, line: Line, way: int) -> None:
        if way == 0:
            self.up += len(chunk)
            if found := REQUEST.match(chunk):
                line.exchange = Exchange(found[1].decode(), found[2].decode())
                self.exchanges.append(line.exchange)
            if line.exchange:
                line.exchange.up += len(chunk)
            return
        self.down += len(chunk)
        if line.exchange:
            line.exchange.down += len(chunk)
            if not line.exchange.status and (found := STATUS.match(chunk)):
                line.exchange.status = int(found[1])


def abort(writer: asyncio.StreamWriter) -> None:
    cast(asyncio.Transport, writer.transport).abort()


def abort_later(writer: asyncio.StreamWriter) -> None:
    """Close behind everything that was written."""
    if not writer.is_closing():
        writer.close()


@contextmanager
def before(server: Server, round_trip: tuple[float, float] = (0.0, 0.0)) -> Iterator[Proxy]:
    """A proxy at 127.0.0.1 before ``server``, under the server's port."""
    proxy = Proxy(server.port, round_trip)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
