"""A connection that loses a fifth of what is sent: a proxy on loopback in a thread of its own."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress


class Lossy:
    """Listens on ``port``. Of all requests and of all answers this share is lost.

    Half of what is lost is lost silently, so that the other side waits; half with the connection.
    """

    def __init__(self, server: int, share: float = 0.2) -> None:
        self.server, self.share = server, share
        self.dice = random.Random(9)
        self.lost = 0
        self.port = 0
        self.opened, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)

    def __enter__(self) -> Lossy:
        self.thread.start()
        assert self.opened.wait(5)
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.thread.join(5)

    async def run(self) -> None:
        async with await asyncio.start_server(self.carry, "127.0.0.1", 0) as listening:
            self.port = listening.sockets[0].getsockname()[1]
            self.opened.set()
            while not self.ended.is_set():
                await asyncio.sleep(0.05)

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One request and its answer; either may be lost on its way."""
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await whole(client)
            if self.loses():
                await self.lose(client, back)
                return
            server, forth = await asyncio.open_connection("127.0.0.1", self.server)
            forth.write(request)
            answer = await whole(server)
            forth.close()
            if self.loses():
                await self.lose(client, back)
                return
            back.write(answer)
            await back.drain()
        back.close()

    def loses(self) -> bool:
        return self.dice.random() < self.share

    async def lose(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.lost += 1
        if self.dice.random() < 0.5:
            await client.read()  # silent until the other side gives up
        back.close()


async def whole(stream: asyncio.StreamReader) -> bytes:
    """A message with its body."""
    head = await stream.readuntil(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    return head + await stream.readexactly(lengths[0] if lengths else 0)
