"""Plain-http listener beside https: explains how to trust the authority, and nothing else.

A device that does not trust our certificate yet cannot fetch it over https without a warning. So
with an authority of our own a second port serves that page, the certificate and the page's files
over http. Every other address is redirected to https, and nothing can be sent in.
"""

from __future__ import annotations

import io
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from webapp.network import Hosts

OPEN = re.compile(r"^(?:/trust(?:/[a-z.-]+)?|/manifest\.webmanifest|/static/[\w./-]+)$", re.ASCII)
# Stricter than http.server: printable characters only, and no header that goes on in a second line.
REQUEST = re.compile(rb"(?:GET|HEAD) /[!-~]{0,2000} HTTP/1\.[01]\r\n(?:[!-~][\t -~]*\r\n)*\r\n")
PASSED_ON = ("user-agent", "accept-encoding")
MOST_HEAD_BYTES = 8_192
MOST_AT_ONCE = 64
PATIENCE_SECONDS = 5.0
BIND_SECONDS = 10.0

Headers = list[tuple[str, str]]
Ask = Callable[[dict[str, Any]], tuple[int, Headers, bytes]]

log = logging.getLogger("steady_hands")


class TrustServer(ThreadingTCPServer):
    """Closes connections that are late, or more than ``MOST_AT_ONCE``."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, listener: TrustListener) -> None:
        self.listener = listener
        self.deadlines: dict[Any, float] = {}
        self.address_family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
        self.allow_reuse_port = listener.shared and sys.platform != "win32"
        super().__init__((listener.host, listener.port), TrustHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self.deadlines) >= MOST_AT_ONCE:
            self.shutdown_request(request)
            return
        self.deadlines[request] = time.monotonic() + PATIENCE_SECONDS
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.deadlines.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close what has had its time; ``serve_forever`` calls this twice a second."""
        for request, deadline in list(self.deadlines.items()):
            if time.monotonic() > deadline:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log errors of ours; a broken connection is none."""
        if not isinstance(sys.exception(), OSError):
            log.exception("the page on how to trust the certificate failed")


class TrustHandler(BaseHTTPRequestHandler):
    """Answers one request; the connection ends with it."""

    server: TrustServer
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_SECONDS
    command = ""

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.connection.recv(65_536)
            head += part
            if not part or len(head) > MOST_HEAD_BYTES:
                return
        self.raw_requestline, _, fields = head.partition(b"\r\n")
        self.rfile = io.BytesIO(fields)
        known = REQUEST.match(head) and self.parse_request() and not self.headers.defects
        if known and len(self.headers.get_all("host", [])) == 1:
            self.send(*self.response())
        else:
            self.send(*self.text(400, "Only this page can be asked for here."))

    def response(self) -> tuple[int, Headers, bytes]:
        listener = self.server.listener
        host = self.headers["host"].lower()
        if not listener.hosts.know(host):
            return self.text(421, "Steady Hands does not answer under this name.")
        name = host.removesuffix(f":{listener.port}")
        target = self.requestline.split(" ")[1]  # self.path has lost a second slash at its start
        path = target.partition("?")[0]
        path = "/trust" if path == "/" else path
        if not OPEN.match(path):
            address = f"https://{name}:{listener.https_port}{target}"
            return self.text(307, f"Please use {address}", ("Location", address))
        return listener.ask(self.environ(path, name))

    def environ(self, path: str, name: str) -> dict[str, Any]:
        """For WSGI (PEP 3333); as if it had been asked for over https, without cookies."""
        https_port = self.server.listener.https_port
        passed = {
            f"HTTP_{name.upper().replace('-', '_')}": self.headers.get(name, "")
            for name in PASSED_ON
        }
        return {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": name.strip("[]"),
            "SERVER_PORT": str(https_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": str(self.client_address[0]),
            "HTTP_HOST": f"{name}:{https_port}",
            **passed,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def text(self, status: int, text: str, *more: tuple[str, str]) -> tuple[int, Headers, bytes]:
        headers = [*self.server.listener.fixed, ("Cache-Control", "no-store"), *more]
        return status, [*headers, ("Content-Type", "text/plain; charset=utf-8")], text.encode()

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self.request_version = "HTTP/1.1"
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, *_args: object) -> None:
        """Send nothing: the caller of ``parse_request`` answers."""


@dataclass
class TrustListener:
    """Listens on ``port`` in a thread, and asks the app for what may be seen without https."""

    ask: Ask
    hosts: Hosts
    fixed: Sequence[tuple[str, str]]  # headers on every response
    host: str
    port: int
    https_port: int
    shared: bool = False  # True where several processes listen
    server: TrustServer | None = None

    def start(self) -> None:
        threading.Thread(target=self.serve, name="trust-page", daemon=True).start()

    def serve(self) -> None:
        """Serve; a worker that just ends may hold the port for a moment."""
        for _ in range(round(BIND_SECONDS / 0.2)):
            try:
                self.server = TrustServer(self)
            except OSError:
                time.sleep(0.2)
            else:
                self.server.serve_forever()
                self.server.server_close()
                return
        log.error("the page on how to trust the certificate has no port; see --trust-port")

    def close(self) -> None:
        """Stop listening soon, without waiting for it."""
        if self.server:
            threading.Thread(target=self.server.shutdown, daemon=True).start()
