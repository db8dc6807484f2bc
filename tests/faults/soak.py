"""How thorough the fault tests are: quick as a rule, all with ``make faults`` and ``make soak``."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("STEADY_HANDS_SOAK"))
FULL = SOAK or bool(os.environ.get("STEADY_HANDS_FAULTS"))
CALL_STEP = 1 if FULL else 12
STATEMENT_STEP = 1 if SOAK else 39
RESTARTS = 50 if SOAK else 2
KILL_STEP = 1 if FULL else 40
POWER_CUT_STATES = 12_000 if FULL else 400
COMMANDS = int(os.environ.get("STEADY_HANDS_COMMANDS", "500000" if SOAK else "5000"))
FIRST_SEED = int(os.environ.get("STEADY_HANDS_FIRST_SEED", "0"))  # of a run beside another one
