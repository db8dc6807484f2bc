"""A real ``steady-hands serve`` in a process group of its own, and a visitor over HTTP."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.page import Page
from tests.support.safe_answers import SAFE

START_SECONDS = 15.0
COMMAND = Path(sys.executable).parent / "steady-hands"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    kept = {
        name: v
        for name, v in os.environ.items()
        if not name.startswith("STEADY_HANDS") and name != "DATABASE_URL"
    }
    return kept | more


def is_taken(port: int) -> bool:
    """True while somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until_free(port: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_taken(port):
            return True
        time.sleep(0.02)
    return not is_taken(port)


def lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


@dataclass
class Reply:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def live(self) -> dict[str, str]:
        return Page(self.text).by_id("session-live").attrs

    @property
    def form(self) -> dict[str, str]:
        return Page(self.text).fields("acts")


@dataclass
class Server:
    """Started by entering it; leaving kills its whole group."""

    data: Path
    protocols: Path | None = None
    port: int = field(default_factory=free_port)
    command: Sequence[str] = (str(COMMAND),)
    cwd: Path | None = None
    environment: dict[str, str] = field(default_factory=clean_environment)
    options: Sequence[str] = ()
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        chosen = ["--protocols", str(self.protocols)] if self.protocols else []
        self.process = subprocess.Popen(
            [*self.command, "serve", *self.where, *chosen, *self.options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.cwd,
            env=self.environment,
            start_new_session=True,
        )
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError("the server did not start")
            time.sleep(0.01)
        self.wait_for_an_answer(end)

    @property
    def where(self) -> tuple[str, ...]:
        return "--port", str(self.port), "--data", str(self.data)

    def invite(self, *options: str) -> str:
        """What ``steady-hands invite`` says, beside the process that serves."""
        command = [*self.command, "invite", *self.where, "--host", "127.0.0.1", *options]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True, timeout=30
        ).stdout

    def wait_for_an_answer(self, end: float) -> None:
        """Whoever listens first may only have tried whether the port is free."""
        while True:
            try:
                self.ask("GET", "/worker.js")
            except (OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def answers(self) -> bool:
        """True once a request is answered: the start listens for a moment to try the port."""
        if not is_taken(self.port):
            return False
        try:
            return self.ask("GET", "/sessions/none/live").status in (401, 404, 421)
        except (OSError, http.client.HTTPException):
            return False

    @property
    def running(self) -> subprocess.Popen[str]:
        assert self.process is not None
        return self.process

    def workers(self) -> list[int]:
        pid = self.running.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()]

    def kill(self) -> None:
        """``kill -9`` for the whole group; waits until the port is free."""
        if self.process is None:
            return
        self.kill_group()
        self.running.wait(10)
        if self.running.stdout:
            self.running.stdout.close()
        self.process = None
        wait_until_free(self.port, 5)

    def kill_group(self) -> None:
        try:
            os.killpg(self.running.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> Reply:
        """One request; raises OSError or HTTPException when the server is not there."""
        body = urllib.parse.urlencode(fields) if fields is not None else None
        headers = {"HX-Request": "true"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read().decode(), lower(answer.getheaders()))
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def status(self, path: str) -> int:
        """Of a file, whatever it holds."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def prepare(self, protocol: str) -> str:
        reply = self.ask("POST", f"/protocols/{protocol}/screening", SAFE)
        assert reply.status == 303, reply.text
        screening = reply.headers["location"].removeprefix("/screenings/")
        reply = self.ask("POST", "/sessions", {"screening": screening, "early": "wished"})
        assert reply.status == 303, reply.text
        return reply.headers["location"].removeprefix("/sessions/")

    def look(self, session_id: str) -> Reply:
        reply = self.ask("GET", f"/sessions/{session_id}/live")
        assert reply.status == 200, reply.text
        return reply

    def act(self, session_id: str, action: str) -> Reply:
        form = self.look(session_id).form | {"another": "1"}
        reply = self.ask("POST", f"/sessions/{session_id}/{action}", form)
        assert reply.status == 200, reply.text
        return reply
