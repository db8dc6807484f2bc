"""The RSGI application: streams push events, answers heartbeats, and passes the rest to Flask.

One event loop in one thread does all of it. Flask runs on the loop, one request at a time, because
more threads would only wait for one another. A stream of events needs no thread.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from flask import Flask

from webapp.auth.devices import devices_of
from webapp.auth.http_security import BARE_HEADERS
from webapp.auth.permissions import LOCAL_OWNER, Caller, Identity
from webapp.network import Hosts, hosts_of
from webapp.server.heartbeat import Heartbeat, HeartbeatRequest, HeartbeatResponse
from webapp.server.loop_observer import LoopObserver
from webapp.server.thread_pool import ThreadPool
from webapp.site import Site
from webapp.tls.trust_listener import TrustListener

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

STREAM_PATH = re.compile(r"^/sessions/([A-Za-z0-9_-]{1,32})/nudges$", re.ASCII)
EVENT_STREAM = ("Content-Type", "text/event-stream")
ALIVE_SECONDS = 20.0
LOOK_SECONDS = 0.5
LATELY_MS = 60_000
TOGETHER_SECONDS = 0.005
MOST_BEATS = 500
log = logging.getLogger("steady_hands")

PUSH = b"data: ask\n\n"
ALIVE = b": alive\n\n"


class HeartbeatBatcher:
    """Answers heartbeats; on PostgreSQL it answers several with one query.

    A single one is answered at once. When many come, those of a few ms are collected, and so are
    those that came while the loop was busy. So each one costs less the more there are.
    """

    def __init__(self, heartbeat: Heartbeat, *, together: bool) -> None:
        """``together`` is True on PostgreSQL."""
        self.heartbeat = heartbeat
        self.together = together
        self.waiting: list[tuple[HeartbeatRequest, asyncio.Future[HeartbeatResponse | None]]] = []
        self.answered_at = 0.0  # when, by the loop's clock

    async def answer(self, heartbeat: HeartbeatRequest) -> HeartbeatResponse | None:
        """Return status and headers, without the time; None when the session has changed."""
        if not self.together:
            return self.heartbeat.answers([heartbeat])[0]
        loop = asyncio.get_running_loop()
        if not self.waiting:
            loop.call_at(self.answered_at + TOGETHER_SECONDS, self.answer_waiting)
        future: asyncio.Future[HeartbeatResponse | None] = loop.create_future()
        self.waiting.append((heartbeat, future))
        return await future

    def answer_waiting(self) -> None:
        """Answer waiting heartbeats up to a limit; the rest in the next round of the loop."""
        loop = asyncio.get_running_loop()
        now, self.waiting = self.waiting[:MOST_BEATS], self.waiting[MOST_BEATS:]
        if self.waiting:
            loop.call_soon(self.answer_waiting)
        answers: Sequence[HeartbeatResponse | Exception | None]
        try:
            answers = self.heartbeat.answers([heartbeat for heartbeat, _ in now])
        except Exception as error:
            answers = [error] * len(now)
        for (_, future), answer in zip(now, answers, strict=True):
            if future.done():  # its page has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        self.answered_at = loop.time()


class RsgiApp:
    """The RSGI application around a Flask app."""

    def __init__(
        self, app: Flask, hosts: Hosts, most_body_bytes: int, observer: LoopObserver
    ) -> None:
        self.app = app
        self.heartbeat = Heartbeat(app, hosts)
        self.hosts = hosts
        self.most_body_bytes = most_body_bytes
        self.batcher = HeartbeatBatcher(self.heartbeat, together=self.site.storage.database.shared)
        self.observer = observer
        self.push = observer.push
        self.streams: dict[asyncio.Task[None], str] = {}  # with the device of each
        self.revocation_check: asyncio.Task[None] | None = None
        self.trust_listener = self.new_trust_listener()
        self.slow = ThreadPool(app, app.wsgi_app, lambda: self.site.storage.database.leave())

    @property
    def site(self) -> Site:
        site: Site = self.app.extensions["site"]
        return site

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the streams when the server is told to stop: it waits for every open answer."""
        self.observer.start(loop)
        if self.trust_listener:
            self.trust_listener.start()
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)

            def stop(number: int, frame: FrameType | None, before: Any = before) -> None:
                loop.call_soon_threadsafe(self.end_streams)
                if callable(before):
                    before(number, frame)

            signal.signal(number, stop)

    def end_streams(self) -> None:
        for stream in self.streams:
            stream.cancel()
        if self.trust_listener:
            self.trust_listener.close()

    def new_trust_listener(self) -> TrustListener | None:
        """Return the listener that explains how to trust our authority; None without one."""
        settings = self.site.settings
        if settings.plain_port is None:
            return None
        hosts = hosts_of(replace(settings, port=settings.plain_port, tls=False))
        shared = settings.processes > 1
        port, https_port = settings.plain_port, settings.port
        return TrustListener(self.ask, hosts, BARE_HEADERS, settings.host, port, https_port, shared)

    def ask(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return the app's answer."""
        answer = WsgiResponse()
        result = self.app.wsgi_app(environ, answer)
        try:
            content = b"".join(result)
        finally:
            if close := getattr(result, "close", None):
                close()
        return answer.status, answer.headers, content

    async def __rsgi__(self, scope: Scope, proto: HTTPProtocol) -> None:
        if scope.method == "GET":
            host = requested_host(scope)
            if scope.query_string:
                caller = self.caller(scope, host)
                heartbeat = self.heartbeat.parse(scope.path, scope.query_string, host, caller)
                if heartbeat and (response := await self.batcher.answer(heartbeat)):
                    proto.response_empty(*self.heartbeat.add_time(response))
                    return
            elif session_id := self.stream_session(scope.path, host):
                who = self.who(scope, host)
                if who is None:
                    proto.response_empty(401, self.heartbeat.headers)
                    return
                if self.site.storage.last_seq(session_id) is not None:
                    await self.stream(session_id, who.device, proto)
                    return
        environ = wsgi_environ(scope)
        if self.slow.takes(scope.path):
            await self.slow.answer(environ, WsgiResponse(), proto, self.read)
            return
        if scope.method not in ("GET", "HEAD"):
            await self.read(proto, environ)
        proto.response_bytes(*self.ask(environ))

    def caller(self, scope: Scope, host: str) -> Caller | None:
        """Return who sends the request; None where nobody has to join."""
        if not self.heartbeat.authenticator.joining:
            return None
        headers = scope.headers
        peer = scope.client.rpartition(":")[0].strip("[]")
        forwarded = "x-forwarded-for" in headers or "forwarded" in headers
        cookies = headers.get_all("cookie")  # type: ignore[attr-defined]
        return Caller(peer, host, "; ".join(cookies), forwarded)

    def who(self, scope: Scope, host: str) -> Identity | None:
        caller = self.caller(scope, host)
        if caller is None:
            return LOCAL_OWNER
        return self.heartbeat.authenticator.identify(self.site, caller, self.site.clock.now())

    def stream_session(self, path: str, host: str) -> str | None:
        """Return the session whose event stream is requested; None for other requests."""
        match = STREAM_PATH.match(path)
        return match[1] if match and self.hosts.know(host.lower()) else None

    async def stream(self, session_id: str, device: str, proto: HTTPProtocol) -> None:
        """Send push events until the page closes, or its device is revoked."""
        event = self.push.listen(session_id)
        task = asyncio.ensure_future(self.send(proto, event))
        self.streams[task] = device
        if device and not self.revocation_check:
            self.revocation_check = asyncio.ensure_future(self.end_revoked())
        gone = asyncio.ensure_future(proto.client_disconnect())
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.streams.pop(task, None)
            self.push.leave(session_id, event)
            for pending in (task, gone):
                pending.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await pending

    async def end_revoked(self) -> None:
        """End the streams of revoked devices, whichever process revoked them."""
        while any(self.streams.values()):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                gone = devices_of(self.site).revoked(self.site.clock.now() - LATELY_MS)
            except Exception:
                log.exception("who was revoked could not be read")
                continue
            for stream in [task for task, device in self.streams.items() if device in gone]:
                stream.cancel()
        self.revocation_check = None

    async def send(self, proto: HTTPProtocol, event: asyncio.Event) -> None:
        transport = proto.response_stream(200, [*self.heartbeat.headers, EVENT_STREAM])
        await transport.send_bytes(ALIVE)
        while True:
            try:
                await asyncio.wait_for(event.wait(), ALIVE_SECONDS)
            except TimeoutError:
                await transport.send_bytes(ALIVE)
                continue
            event.clear()
            await transport.send_bytes(PUSH)

    async def read(self, proto: HTTPProtocol, environ: dict[str, Any]) -> None:
        """Put the body into ``environ``; one that is too large is dropped, and Flask says so."""
        length = environ.get("CONTENT_LENGTH", "0")
        if length.isdigit() and int(length) > self.most_body_bytes:
            return
        body = b""
        async for part in proto:
            body += part
            if len(body) > self.most_body_bytes:
                environ |= {"CONTENT_LENGTH": str(len(body)), "HTTP_TRANSFER_ENCODING": ""}
                return
        environ["wsgi.input"] = io.BytesIO(body)


class WsgiResponse:
    """The ``start_response`` of WSGI."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
        self.status = int(status.split(" ", 1)[0])
        self.headers = headers


def wsgi_environ(scope: Scope) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) of an RSGI request."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ[key] = value
        elif f"HTTP_{key}" in environ:  # HTTP/2 sends each cookie by itself
            environ[f"HTTP_{key}"] += f"; {value}" if key == "COOKIE" else f",{value}"
        elif "_" not in name:
            environ[f"HTTP_{key}"] = value
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority
    return environ


def requested_host(scope: Scope) -> str:
    """Return the requested host name. HTTP/2 sends it outside the headers, and that one counts."""
    return scope.authority or scope.headers.get("host") or ""
