"""The two servers under measurement, each in a process of its own on a free port.

They listen on 127.0.0.2, so that a proxy can stand at 127.0.0.1 under the same port: ours answers
only to its own names, and 127.0.0.1 is always one of them.
"""

from __future__ import annotations

import html
import http.client
import json
import re
import secrets
import socket
import ssl
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import processes
from tests.support.safe_answers import SAFE
from webapp.server.run import BACKLOG, BACKPRESSURE

HOST = "127.0.0.2"
PROXY_HOST = "127.0.0.1"
START_SECONDS = 20.0
COMMAND = str(Path(sysconfig.get_path("scripts")) / "steady-hands")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers with small letters, and text of an answer."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """What a page knows of a session: enough for a beat and for an act."""

    seq: int
    until: int
    step: str
    key: str
    now: int
    rows: tuple[tuple[str, int, int | None, bool], ...]


def version_in(text: str) -> Version:
    """Read from a page or fragment."""

    def value(pattern: str) -> str:
        found = re.search(pattern, text)
        if not found:
            raise ValueError(f"no {pattern} in the answer")
        return html.unescape(found[1])

    return Version(
        int(value(r'data-seq="(\d+)"')),
        int(value(r'name="until" value="(\d+)"')),
        value(r'id="session-live"[^>]*data-step="([^"]*)"'),
        value(r'name="key" value="([^"]*)"'),
        int(value(r'data-now="(\d+)"')),
        tuple((i, b, e, w) for i, b, e, w in json.loads(value(r"data-rows='([^']*)'"))),
    )


@dataclass(slots=True)
class Server:
    """A running server; ``scheme`` is how browsers see it, ``tls`` how it is reached."""

    process: subprocess.Popen[str]
    port: int
    host: str = HOST
    scheme: str = "http"
    tls: bool = False
    cookie: str = ""

    @property
    def address(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def proxied(self) -> str:
        return f"http://{PROXY_HOST}:{self.port}"

    def cpu_ms(self) -> float:
        """CPU used so far by the command and its worker."""
        return processes.cpu_ms(processes.family(self.process.pid))

    def ask(self, path: str, fields: dict[str, str] | None = None) -> Answer:
        """GET, or POST when there are fields."""
        connection = connection_to(self.host, self.port, self.tls)
        try:
            headers = {"Origin": self.address} if fields is not None else {}
            headers |= {"Cookie": self.cookie} if self.cookie else {}
            if fields is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields) if fields is not None else None
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)
        finally:
            connection.close()

    # -- ours only ---------------------------------------------------------------------------

    def new_session(self, protocol: str) -> str:
        """The id of a new session of ``protocol`` at its usual length, not started."""
        answer = self.ask(f"/protocols/{protocol}/screening", SAFE)
        screening = answer.headers["location"].rsplit("/", 1)[1]
        answer = self.ask("/sessions", {"screening": screening, "early": "wished"})
        return answer.headers["location"].rsplit("/", 1)[1]

    def act(self, session: str, action: str) -> None:
        seen = self.version(session)
        fields = {"key": secrets.token_urlsafe(12), "seq": str(seen.seq), "step": seen.step}
        answer = self.ask(f"/sessions/{session}/{action}", fields | {"another": "1"})
        if answer.status != 303:
            raise RuntimeError(f"{action} was answered with {answer.status}")

    def running_session(self, protocol: str) -> str:
        session = self.new_session(protocol)
        self.act(session, "start")
        return session

    def version(self, session: str) -> Version:
        return version_in(self.ask(f"/sessions/{session}").text)

    def clock(self, session: str) -> int:
        """What the server's clock says in a beat with nothing new."""
        seen = self.version(session)
        path = f"/sessions/{session}/live?seq={seen.seq}&until={seen.until}"
        return int(self.ask(path).headers["x-now"])


def connection_to(host: str, port: int, tls: bool = False) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=10)
    context = ssl.create_default_context()  # the server is ours, and on this machine
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=10, context=context)


def free_port(host: str = HOST) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def our_command(
    port: int, data: Path, protocols: Path | None = None, host: str = HOST
) -> list[str]:
    command = [COMMAND, "serve", "--host", host, "--port", str(port), "--data", str(data)]
    return command + (["--protocols", str(protocols)] if protocols else [])


def baseline_command(port: int) -> list[str]:
    """The baseline under the same settings of the same server."""
    numbers = map(str, (port, BACKLOG, BACKPRESSURE))
    return [sys.executable, "-m", "benchmarks.baseline", HOST, *numbers]


@contextmanager
def serving(command: list[str], port: int, host: str = HOST) -> Iterator[Server]:
    """Start the server, wait for its first answer, and stop it at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    try:
        wait_for(port, process, host=host)
        yield Server(process, port, host)
    finally:
        processes.stop(process)


@contextmanager
def ours(data: Path, protocols: Path | None = None, host: str = HOST) -> Iterator[Server]:
    port = free_port(host)
    with serving(our_command(port, data, protocols, host), port, host) as server:
        yield server


@contextmanager
def baseline() -> Iterator[Server]:
    port = free_port()
    with serving(baseline_command(port), port) as server:
        yield server


def wait_for(
    port: int,
    process: subprocess.Popen[str],
    path: str = "/",
    host: str = HOST,
    tls: bool = False,
) -> None:
    """Until the first page is answered. Raises RuntimeError when that does not happen."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        connection = connection_to(host, port, tls)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise RuntimeError("the server did not answer in time")
