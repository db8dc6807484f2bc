"""Fault 2: the power is cut at any moment of two sessions; what a disk may have kept is opened.

Some 1,500 states in the normal run, over 10,000 with ``make faults``.

Seen to fail with the mechanism removed: with ``synchronous=NORMAL`` in ``durable`` acknowledged
acts are lost. The control does the same in every run; with OFF files are damaged, too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.soak import FULL, POWER_CUT_STATES
from tests.support.clock_server import ROOT

pytestmark = [
    pytest.mark.fault(2),
    pytest.mark.skipif(not shutil.which("strace"), reason="needs strace"),
]


def replayed(folder: Path, states: int, mode: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.faults.power", str(folder), str(states), mode]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    print(mode, found)
    return found


def test_after_a_power_cut_nothing_acknowledged_is_lost_and_the_file_opens(tmp_path: Path) -> None:
    found = replayed(tmp_path, POWER_CUT_STATES, "own")
    assert (found["lost"], found["corrupt"]) == (0, 0)
    assert found["states"] >= (10_000 if FULL else 300)


def test_the_replay_finds_what_is_lost_when_sqlite_syncs_less(tmp_path: Path) -> None:
    found = replayed(tmp_path, 300, "NORMAL")
    assert found["lost"] > 0
    assert found["states"] > 100
