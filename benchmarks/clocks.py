"""One time line for everything on this machine: milliseconds of the boot-time clock.

The server's clock is an integer number of milliseconds away from it
(``webapp/timekeeping/clock.py``), so the distance can be found exactly from a few answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 100


def boot_ms() -> float:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e6


def boot_of_monotonic(seconds: float) -> float:
    """The instant at which the monotonic clock (the browser's) stood at ``seconds``."""
    return seconds * 1000 + boot_ms() - time.monotonic_ns() / 1e6


def server_offset(ask: Callable[[], int]) -> int:
    """Server milliseconds minus boot milliseconds; ``ask`` gives what the server's clock says.

    Each answer lies between asking and receiving; both bounds close in on the one integer.
    """
    least, most = -(2**62), 2**62
    for _ in range(TRIES):
        sent = int(boot_ms())
        said = ask()
        received = int(boot_ms())
        least, most = max(least, said - received), min(most, said - sent)
        if least == most:
            break
    return (least + most) // 2
