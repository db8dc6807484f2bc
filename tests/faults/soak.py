"""How thorough the fault tests are: quick in every run, all of it with ``make soak``."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("STEADY_HANDS_SOAK"))
CALL_STEP = 1 if SOAK else 3
STATEMENT_STEP = 1 if SOAK else 13
RESTARTS = 50 if SOAK else 5
