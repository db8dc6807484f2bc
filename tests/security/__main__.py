"""``python -m tests.security``: every promise of security with what was counted, one line each."""

from __future__ import annotations

import os
import sys

from tests.security.promises import PROMISES
from tests.support.mark_report import MarkReport

if __name__ == "__main__":
    os.environ.setdefault("STEADY_HANDS_SECURITY", "1")
    sys.exit(MarkReport("promise", PROMISES, "kept", "NOT SHOWN").run())
