"""Thousands of commands by several devices: 5,000 in the normal run, 500,000 with ``make soak``."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import visit
from tests.faults.devices import KINDS, Devices
from tests.faults.soak import COMMANDS, FIRST_SEED, SOAK

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


@pytest.mark.fault(11)
def test_however_devices_act_alone_and_together_there_is_one_true_history(
    small_app: Flask, tmp_path: Path
) -> None:
    """Seen to fail with the mechanism removed, one at a time: ``is_stale`` always False, ``has_key`` always
    False, ``known`` in ``take_up`` empty, caps not checked, a stop taken for any other act, and
    ``record`` keeping an event in memory alone."""
    Devices.commands, Devices.kinds = 0, set()
    begun, rounds = time.monotonic(), itertools.count(FIRST_SEED)
    wanted = {*KINDS, *(f"{kind} alone" for kind in KINDS), "account"}

    def wanting() -> bool:
        seen = wanted <= Devices.kinds or Devices.commands > 2 * COMMANDS
        return Devices.commands < COMMANDS or not seen

    while wanting():
        enough = Devices.commands + COMMANDS_OF_A_DATABASE
        folder = tmp_path / str(Devices.commands)
        folder.mkdir()
        for visitor in visit(small_app, folder):
            Devices.visitor = visitor
            while wanting() and Devices.commands < enough:
                # A seed for each round: the same commands on every machine, and never the same ones again.
                run_state_machine_as_test(seed(next(rounds))(Devices), settings=RUN)
            if SOAK:
                print(
                    f"{Devices.commands} commands in {time.monotonic() - begun:.0f} s", flush=True
                )
    print(f"{Devices.commands} commands in {time.monotonic() - begun:.0f} s")
    assert Devices.commands >= COMMANDS
    assert wanted <= Devices.kinds
