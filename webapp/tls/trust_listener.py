"""A second, plain door beside https: how to trust us, and nothing else.

A device that does not trust our certificate yet cannot fetch it over https without a warning. So
with an authority of our own a port of its own serves that page, the certificate and the page's
files over http; whatever else is asked for is sent on to https, and nothing can be sent in.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from webapp.network import Hosts

OPEN = re.compile(r"^(?:/trust(?:/[a-z.-]+)?|/manifest\.webmanifest|/static/[\w./-]+)$", re.ASCII)
REQUEST = re.compile(rb"^(GET|HEAD) (/[!-~]{0,2000}) HTTP/1\.[01]$")
HEADER = re.compile(rb"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*?)[ \t]*$")
PASSED_ON = ("user-agent", "accept-encoding")
MOST_HEAD_BYTES = 8_192
MOST_AT_ONCE = 64
PATIENCE_SECONDS = 5.0
TAKEN_SECONDS = 10.0
TROUBLE = (OSError, EOFError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)

Headers = list[tuple[str, str]]
Ask = Callable[[dict[str, Any]], tuple[int, Headers, bytes]]

log = logging.getLogger("steady_hands")


@dataclass(frozen=True, slots=True)
class TrustRequest:
    """A request as far as this door understands it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


@dataclass
class TrustListener:
    """Listens on ``port`` and asks the app for what may be seen without https."""

    ask: Ask
    hosts: Hosts
    fixed: Sequence[tuple[str, str]]  # headers on every answer
    host: str
    port: int
    https_port: int
    shared: bool = False
    held: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Listen; a worker that just ends may hold the port for a moment."""
        for _ in range(round(TAKEN_SECONDS / 0.2)):
            try:
                self.server = await asyncio.start_server(
                    self.meet, self.host, self.port, limit=MOST_HEAD_BYTES, **self.options()
                )
                return
            except OSError:
                await asyncio.sleep(0.2)
        log.error("the page on how to trust the certificate has no port; see --trust-port")

    def options(self) -> dict[str, Any]:
        return {"reuse_port": True} if self.shared and sys.platform != "win32" else {}

    def close(self) -> None:
        if server := getattr(self, "server", None):
            server.close()
        for task in self.held:
            task.cancel()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer; who is slow, or one too many, is let go."""
        task = asyncio.current_task()
        assert task is not None
        self.held.add(task)
        try:
            if len(self.held) <= MOST_AT_ONCE:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    method, answer = self.answer(head, writer.get_extra_info("peername"))
                    writer.write(written(method, *answer))
                    await writer.drain()
        except (*TROUBLE, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            self.held.discard(task)
            with suppress(*TROUBLE):
                writer.close()

    def answer(self, head: bytes, peer: Any) -> tuple[str, tuple[int, Headers, bytes]]:
        asked = understood(head)
        if asked is None:
            return "GET", self.told(400, "Only this page can be asked for here.")
        host = asked.headers.get("host", "").lower()
        if not self.hosts.know(host):
            return asked.method, self.told(421, "Steady Hands does not answer under this name.")
        name = host.removesuffix(f":{self.port}")
        path = "/trust" if asked.path == "/" else asked.path
        if not OPEN.match(path):
            query = f"?{asked.query}" if asked.query else ""
            place = f"https://{name}:{self.https_port}{asked.path}{query}"
            return asked.method, self.told(307, f"Please use {place}", ("Location", place))
        return asked.method, self.ask(self.environ(asked, path, name, peer))

    def environ(self, asked: TrustRequest, path: str, name: str, peer: Any) -> dict[str, Any]:
        """For WSGI (PEP 3333); as if it had been asked for over https, without cookies."""
        passed = {
            f"HTTP_{n.upper().replace('-', '_')}": asked.headers.get(n, "") for n in PASSED_ON
        }
        return {
            "REQUEST_METHOD": asked.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": name.strip("[]"),
            "SERVER_PORT": str(self.https_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": str(peer[0]) if peer else "",
            "HTTP_HOST": f"{name}:{self.https_port}",
            **passed,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def told(self, status: int, text: str, *more: tuple[str, str]) -> tuple[int, Headers, bytes]:
        headers = [*self.fixed, ("Cache-Control", "no-store"), *more]
        return status, [*headers, ("Content-Type", "text/plain; charset=utf-8")], text.encode()


def understood(head: bytes) -> TrustRequest | None:
    """A GET or HEAD that keeps to the rules to the letter, with one Host; None for all else."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = REQUEST.match(first)
    found = [HEADER.match(line) for line in lines]
    if not request or not all(found):
        return None
    pairs = [(one[1].decode().lower(), one[2].decode()) for one in found if one]
    if sum(name == "host" for name, _ in pairs) != 1:
        return None
    path, _, query = request[2].decode().partition("?")
    return TrustRequest(request[1].decode(), path, query, dict(pairs))


def written(method: str, status: int, headers: Headers, body: bytes) -> bytes:
    """The answer as it is sent; the connection ends with it."""
    kept = [(n, v) for n, v in headers if n.lower() not in ("content-length", "connection")]
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in kept),
    ]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else body)
