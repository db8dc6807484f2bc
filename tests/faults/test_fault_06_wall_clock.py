"""Fault 6: the wall clock of a server that runs is set, summer time begins, NTP corrects it.

Seen to fail with the mechanism removed: with ``Clock.now`` reading the wall clock (``wall_ms()`` in
place of ``steady_ms() + self.offset``) the number on the page jumps with every step.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.clock_server import MachineClocks
from tests.support.real_server import Server
from webapp.timekeeping.clock import wall_ms

pytestmark = pytest.mark.fault(6)

HOUR = 3_600_000
STEPS = (HOUR, -HOUR, 0, 24 * HOUR, -24 * HOUR, 150, -150)


class Expected:
    """What must be left of the phase, by the steady clock of the test."""

    def __init__(self, server: Server, session_id: str) -> None:
        self.server, self.session_id = server, session_id
        self.left, self.at = self.told(), time.monotonic()

    def told(self) -> int:
        live = self.server.look(self.session_id).live
        assert (live["data-status"], live["data-step"]) == ("running", "only")
        return int(live["data-remaining-ms"])

    def check(self) -> None:
        told = self.told()
        passed = (time.monotonic() - self.at) * 1000
        assert told >= 0
        assert abs(self.left - passed - told) < 1_000


def test_steps_of_the_wall_clock_change_no_number(tmp_path: Path, protocols_folder: Path) -> None:
    machine = MachineClocks(tmp_path / "machine.json")
    with machine.server(tmp_path / "data", protocols_folder) as server:
        session_id = server.prepare("long")
        server.act(session_id, "start")
        expected = Expected(server, session_id)
        for step in STEPS:
            machine.set(wall_ms=step)
            time.sleep(0.1)
            expected.check()
        machine.set(wall_ms=-HOUR)
        server.kill()
        server.start()
        expected.check()


def test_when_summer_time_begins_only_the_time_of_the_end_is_another(
    tmp_path: Path, protocols_folder: Path
) -> None:
    """Two seconds before 2:00 in Berlin, when it becomes 3:00: ten minutes later it is 3:09."""
    change = int(datetime(2026, 3, 29, 1, 0, tzinfo=UTC).timestamp() * 1000)
    machine = MachineClocks(tmp_path / "machine.json", wall_ms=change - 4_000 - wall_ms())
    zone = {"STEADY_HANDS_TIME_ZONE": "Europe/Berlin"}
    with machine.server(tmp_path / "data", protocols_folder, **zone) as server:
        machine.set(wall_ms=change - 2_000 - wall_ms())
        session_id = server.prepare("long")
        server.act(session_id, "start")
        expected = Expected(server, session_id)
        assert end_shown(server, session_id) in ("03:09", "03:10")
        time.sleep(2.2)
        expected.check()
        assert end_shown(server, session_id) in ("03:09", "03:10")


def end_shown(server: Server, session_id: str) -> str:
    found = re.search(r"hands off</small> <strong[^>]*>(\d\d:\d\d)", server.look(session_id).text)
    assert found
    return found[1]
