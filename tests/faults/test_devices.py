"""Thousands of commands by several devices: 5,000 in the normal run, 500,000 with ``make soak``."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Visitor
from tests.faults.devices import KINDS, Devices
from tests.faults.soak import COMMANDS

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
    visitor: Visitor,
) -> None:
    """Seen to fail with the mechanism removed, one at a time: ``is_stale`` always False, ``has_key`` always
    False, ``known`` in ``take_up`` empty, caps not checked, a stop taken for any other act, and
    ``record`` keeping an event in memory alone."""
    Devices.visitor, Devices.commands, Devices.kinds = visitor, 0, set()
    begun, rounds = time.monotonic(), itertools.count()
    wanted = {*KINDS, *(f"{kind} alone" for kind in KINDS), "account"}
    while Devices.commands < COMMANDS or not (
        wanted <= Devices.kinds or Devices.commands > 2 * COMMANDS
    ):
        # A seed for each round: the same commands on every machine, and never the same ones again.
        run_state_machine_as_test(seed(next(rounds))(Devices), settings=RUN)
    print(f"{Devices.commands} commands in {time.monotonic() - begun:.0f} s")
    assert Devices.commands >= COMMANDS
    assert wanted <= Devices.kinds
