"""Thread pool for slow owner's pages, so that they do not block the event loop.

Downloads are streamed in parts. One address takes a large upload, after the checks that come before
every request.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from flask import Flask

from webapp.auth.http_security import UPLOAD, Environ
from webapp.maintenance.export_stream import STREAMED

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

SLOW = "/owner/data"
COMING = "steady-hands.coming"
THREADS = 4
PART_SECONDS = 30.0
PART_BYTES = 256 * 1024
DRAINED_BYTES = 1024**3

Wsgi = Callable[[Environ, Any], Iterable[bytes]]
Read = Callable[["HTTPProtocol", Environ], Awaitable[None]]


class ThreadPool:
    """Answers addresses below ``SLOW`` by the WSGI app, in threads."""

    def __init__(self, app: Flask, wsgi: Wsgi, leave: Callable[[], None]) -> None:
        """``leave`` is called at the end of each task in a thread."""
        self.app = app
        self.wsgi = wsgi
        self.leave = leave
        self.threads = concurrent.futures.ThreadPoolExecutor(THREADS, "slow-pages")

    def takes(self, path: str) -> bool:
        return path == SLOW or path.startswith(f"{SLOW}/")

    async def answer(self, environ: Environ, answer: Any, proto: HTTPProtocol, read: Read) -> None:
        """``answer`` is the ``start_response``; ``read`` reads a body of the usual size."""
        loop = asyncio.get_running_loop()
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            large = environ["PATH_INFO"] == UPLOAD
            if large and await loop.run_in_executor(self.threads, self.lets_in, environ):
                environ["wsgi.input"] = environ[COMING] = io.BufferedReader(
                    StreamedBody(proto, loop)
                )
            else:
                await read(proto, environ)
        result = await loop.run_in_executor(self.threads, self.call, environ, answer)
        if isinstance(result, bytes):
            proto.response_bytes(answer.status, answer.headers, result)
        else:
            await self.stream(result, answer, proto)

    def lets_in(self, environ: Environ) -> bool:
        """Return True when the checks before every request pass."""
        try:
            with self.app.request_context(environ):
                return self.app.preprocess_request() is None
        finally:
            self.leave()

    def call(self, environ: Environ, answer: Any) -> bytes | Iterator[bytes]:
        try:
            result = self.wsgi(environ, answer)
            if environ.get(STREAMED) and environ["REQUEST_METHOD"] == "GET":
                return iter(result)
            try:
                return b"".join(result)
            finally:
                close_result(result)
        finally:
            if coming := environ.get(COMING):
                drain(coming)
            self.leave()

    async def stream(self, parts: Iterator[bytes], answer: Any, proto: HTTPProtocol) -> None:
        """Send the parts as fast as the client reads; stop when it is gone."""
        loop = asyncio.get_running_loop()
        transport = proto.response_stream(answer.status, answer.headers)
        try:
            while part := await loop.run_in_executor(self.threads, next, parts, b""):
                await transport.send_bytes(part)
        finally:
            await loop.run_in_executor(self.threads, close_result, parts)


def drain(coming: IO[bytes]) -> None:
    """Read the rest of a refused body: a browser shows the answer only after that."""
    count = 0
    with suppress(OSError):
        while count < DRAINED_BYTES and (part := coming.read(PART_BYTES)):
            count += len(part)


def close_result(result: Any) -> None:
    if close := getattr(result, "close", None):
        close()


class StreamedBody(io.RawIOBase):
    """A body as it comes in, for a thread to read."""

    def __init__(self, proto: HTTPProtocol, loop: asyncio.AbstractEventLoop) -> None:
        self.parts = proto.__aiter__()
        self.loop = loop
        self.left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes. Raises TimeoutError when none arrive."""
        if not self.left:
            coming = asyncio.run_coroutine_threadsafe(self.next_part(), self.loop)
            self.left = memoryview(coming.result(PART_SECONDS))
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count

    async def next_part(self) -> bytes:
        """Return the next part; empty at the end."""
        while True:
            try:  # anext() with a default crashes the interpreter here
                part = await self.parts.__anext__()
            except StopAsyncIteration:
                return b""
            if part:
                return bytes(part)
