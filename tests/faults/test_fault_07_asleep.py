"""Fault 7: the server sleeps (its lid is closed) or is booted again while a session runs.

Seen to fail with the mechanism removed:

- with ``LOST_MS`` of ``liveness.py`` out of reach a sleep pauses nothing and asks nobody;
- with ``Clock.follow`` always True a reboot goes on as if nothing had been, at a wrong second;
- with ``time_confirmed`` in ``merge`` always False a device that counted on confirms no time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock_server import MachineClocks
from tests.support.real_server import Reply, Server

pytestmark = pytest.mark.fault(7)

AWAY_MS = 45_000
WHOLE_MS = 600_000


class Device:
    """A screen that has shown the session since its start and went on counting alone."""

    def __init__(self, server: Server, session_id: str) -> None:
        self.server, self.session_id = server, session_id
        live = server.look(session_id).live
        self.line, self.at = int(live["data-now"]), time.monotonic()
        self.seq = int(live["data-seq"])
        self.left = int(live["data-remaining-ms"])

    def passed(self) -> int:
        return int((time.monotonic() - self.at) * 1000)

    def tell(self, away_ms: int, *acts: dict[str, object]) -> Reply:
        """Its account; ``away_ms`` are those that passed at once for the server's machine."""
        account = {
            "seq": self.seq,
            "line": self.line + self.passed() + away_ms,
            "alone_since": self.line,
            "counted": True,
            "status": "running",
            "acts": acts,
        }
        path = f"/sessions/{self.session_id}/account"
        return self.server.ask("POST", path, {"account": json.dumps(account)})


def sleep(machine: MachineClocks, server: Server) -> None:
    """The machine stands still; the process lives on afterwards."""
    machine.set(steady_ms=AWAY_MS, wall_ms=AWAY_MS)
    time.sleep(0.7)  # the next sign of life is due


def reboot(machine: MachineClocks, server: Server) -> None:
    time.sleep(0.7)  # one more sign of life
    server.kill()
    machine.set(steady_ms=-1_000_000, wall_ms=AWAY_MS, boot="boot-2")
    server.start()


@pytest.mark.parametrize("happens", [sleep, reboot])
def test_it_goes_on_with_the_account_of_a_device_or_asks(
    tmp_path: Path, protocols_folder: Path, happens: Callable[[MachineClocks, Server], None]
) -> None:
    machine = MachineClocks(tmp_path / "machine.json")
    with machine.server(tmp_path / "data", protocols_folder) as server:
        watched, alone = server.prepare("long"), server.prepare("long")
        server.act(watched, "start")
        server.act(alone, "start")
        device = Device(server, watched)
        time.sleep(0.5)
        happens(machine, server)
        for session_id in (watched, alone):
            reply = server.look(session_id)
            assert reply.live["data-status"] == "paused"
            assert "time was lost" in reply.text
            assert WHOLE_MS - 4_000 < int(reply.live["data-remaining-ms"]) <= WHOLE_MS
        at = device.line + device.passed() + AWAY_MS
        pause = {"key": "device-pause", "action": "pause", "step": "only", "at": at}
        assert "went on counting" in device.tell(AWAY_MS).text
        live = server.look(watched).live
        assert live["data-status"] == "running"
        counted = device.left - device.passed() - AWAY_MS
        assert abs(int(live["data-remaining-ms"]) - counted) < 1_500
        assert device.tell(AWAY_MS, pause).status == 204
        assert server.look(watched).live["data-status"] == "paused"
        assert server.look(alone).live["data-status"] == "paused"
        assert server.act(alone, "resume").live["data-status"] == "running"
