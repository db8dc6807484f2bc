"""Thousands of commands by several devices: 5,000 in the normal run, 500,000 with ``make soak``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.devices import KINDS, Devices
from tests.faults.soak import COMMANDS, FIRST_SEED, SOAK
from tests.support.postgresql import Server
from tests.support.visitor import visit

pytestmark = pytest.mark.computes

# What nobody ended gathers, and every start looks at it: then a new database.
COMMANDS_OF_A_DATABASE = 5_000
RUN = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    if request.param == "sqlite":
        return Databases(COMMANDS, True, lambda: None)
    server: Server = request.getfixturevalue("postgresql")
    return Databases(COMMANDS // 10, False, server.emptied)


@dataclass(frozen=True)
class Databases:
    """Addresses of empty databases, how many commands they take, whether all kinds must come."""

    commands: int
    all_kinds: bool
    next: Callable[[], str | None]


@pytest.mark.fault(11)
def test_however_devices_act_alone_and_together_there_is_one_true_history(
    small_app: Flask, tmp_path: Path, databases: Databases
) -> None:
    """Seen to fail with the mechanism removed, one at a time: ``is_stale`` always False,
    ``has_key`` always
    False, ``known`` in ``merge`` empty, caps not checked, a stop taken for any other act, and
    ``record`` keeping an event in memory alone."""
    Devices.commands, Devices.kinds = 0, set()
    begun, rounds = time.monotonic(), itertools.count(FIRST_SEED)
    wanted = {*KINDS, *(f"{kind} alone" for kind in KINDS), "account"}

    def wanting() -> bool:
        seen = not databases.all_kinds or wanted <= Devices.kinds
        enough = Devices.commands >= databases.commands
        return not enough or not (seen or Devices.commands > 2 * databases.commands)

    while wanting():
        enough = Devices.commands + COMMANDS_OF_A_DATABASE
        folder = tmp_path / str(Devices.commands)
        folder.mkdir()
        for visitor in visit(small_app, folder, databases.next()):
            Devices.visitor = visitor
            while wanting() and Devices.commands < enough:
                # A seed for each round: the same commands on every machine, and never twice.
                run_state_machine_as_test(seed(next(rounds))(Devices), settings=RUN)
            if SOAK:
                print(
                    f"{Devices.commands} commands in {time.monotonic() - begun:.0f} s", flush=True
                )
    print(f"{Devices.commands} commands in {time.monotonic() - begun:.0f} s")
    assert Devices.commands >= databases.commands
    assert wanted <= Devices.kinds or not databases.all_kinds
