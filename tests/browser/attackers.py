"""Other sites on this machine, under any name and port: their pages attack ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Attacker:
    """A server of theirs; ``pages`` are bodies by path."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)

    def page(self, body: str) -> str:
        """The path of a new page."""
        path = f"/{len(self.pages)}"
        self.pages[path] = f"<!doctype html><title>theirs</title>{body}"
        return path

    def posting(self, action: str, fields: dict[str, str]) -> str:
        """A page whose form sends itself."""
        inputs = "".join(
            f'<input name="{escape(name)}" value="{escape(value)}">'
            for name, value in fields.items()
        )
        form = f'<form id="f" method="post" action="{escape(action)}">{inputs}</form>'
        return self.page(f"{form}<script>document.getElementById('f').submit()</script>")


@contextmanager
def attacker() -> Iterator[Attacker]:
    site = Attacker(0)

    class Theirs(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = site.pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Theirs)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
