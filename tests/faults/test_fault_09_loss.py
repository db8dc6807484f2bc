"""Fault 9: a fifth of all requests and a fifth of all answers are lost on their way.

Devices wait 0.5 s here and not 2 s, so that the test is short, and send the same key again.

Seen to fail with the mechanism removed: with ``has_key`` always False a repeated act is refused as
stale although it counted; without the repeat acts are lost.
"""

from __future__ import annotations

import http.client
import random
import secrets
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

from tests.faults.lossy import Lossy
from tests.faults.soak import FULL
from tests.faults.test_kill import events_in
from tests.support.real_server import Reply, Server, lower

DEVICES = 5
COMMANDS = 100 if FULL else 20  # of each device
PATIENCE_SECONDS = 0.5


class Device(threading.Thread):
    """Pauses and resumes a session of its own over a bad connection."""

    def __init__(self, port: int, session_id: str, number: int) -> None:
        super().__init__(daemon=True)
        self.port, self.session_id, self.dice = port, session_id, random.Random(number)
        self.acknowledged: list[str] = []
        self.repeated = 0
        self.failure = ""

    def run(self) -> None:
        try:
            reply = self.sent("GET", "live")
            for _ in range(COMMANDS):
                action = "resume" if reply.live["data-status"] == "paused" else "pause"
                form = reply.form | {"key": secrets.token_urlsafe(12)}
                reply = self.sent("POST", action, form)
                assert reply.status == 200, reply.text
                self.acknowledged.append(form["key"])
        except Exception as error:
            self.failure = repr(error)

    def sent(self, method: str, last: str, form: dict[str, str] | None = None) -> Reply:
        """The answer; the same again, ever later and not all at once, until there is one."""
        wait = 0.01
        while True:
            try:
                return self.ask(method, f"/sessions/{self.session_id}/{last}", form)
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                time.sleep(wait * (0.75 + self.dice.random() / 2))
                wait = min(0.1, 2 * wait)

    def ask(self, method: str, path: str, form: dict[str, str] | None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"HX-Request": "true", "Connection": "close", "Host": self.host}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read().decode(), lower(answer.getheaders()))
        finally:
            connection.close()

    host = ""


@pytest.mark.fault(9)
def test_of_many_commands_none_is_lost_and_none_doubled(
    tmp_path: Path, protocols_folder: Path
) -> None:
    with Server(tmp_path, protocols_folder) as server, Lossy(server.port) as lossy:
        Device.host = f"127.0.0.1:{server.port}"
        ids = [server.prepare("long") for _ in range(DEVICES)]
        for session_id in ids:
            server.act(session_id, "start")
        devices = [Device(lossy.port, one, number) for number, one in enumerate(ids)]
        for device in devices:
            device.start()
        for device in devices:
            device.join(120)
            assert device.failure == ""
            keys = [key for _, key in events_in(tmp_path, device.session_id)]
            assert keys[1:] == device.acknowledged
            assert len(device.acknowledged) == COMMANDS
        repeated = sum(device.repeated for device in devices)
        print(f"{DEVICES * COMMANDS} commands, {lossy.lost} lost on the way, {repeated} repeats")
        assert lossy.lost > DEVICES * COMMANDS / 5
