"""``python -m tests.faults``: the scripted tests of the faults, one line for each fault."""

from __future__ import annotations

import os
import sys

from tests.faults.table import FAULTS
from tests.support.mark_report import MarkReport


def report() -> MarkReport:
    return MarkReport("fault", FAULTS, "passed", "FAILED")


if __name__ == "__main__":
    os.environ.setdefault("STEADY_HANDS_FAULTS", "1")
    sys.exit(report().run())
