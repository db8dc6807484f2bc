"""From the command to the first page."""

from __future__ import annotations

import statistics
import subprocess
import time
from pathlib import Path

from benchmarks import processes
from benchmarks.options import Options
from benchmarks.sites import baseline_command, free_port, our_command, wait_for
from benchmarks.table import Row, Table

ROUNDS = 7
PROMISE_SECONDS = 1.0


def measure(options: Options) -> Table:
    """Time from the command to its first page answered, median of 7."""
    ours: list[float] = []
    baseline: list[float] = []
    for number in range(ROUNDS):
        port = free_port()
        ours.append(first_page(our_command(port, data_of(options, number)), port))
        port = free_port()
        baseline.append(first_page(baseline_command(port), port))
    middle = statistics.median(ours)
    row = Row(
        "first page after the command",
        f"{middle:.2f} s",
        f"{statistics.median(baseline):.2f} s",
        f"<= {PROMISE_SECONDS:.1f} s",
        middle <= PROMISE_SECONDS,
    )
    span = (
        f"ours {min(ours):.2f}-{max(ours):.2f} s, "
        f"baseline {min(baseline):.2f}-{max(baseline):.2f} s"
    )
    return Table(f"Start, median of {ROUNDS}, each with a new database", [row], [span])


def data_of(options: Options, number: int) -> Path:
    return options.folder / f"data-{number}"


def first_page(command: list[str], port: int) -> float:
    """Seconds until ``/`` is answered."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    try:
        wait_for(port, process)
        return time.monotonic() - begun
    finally:
        processes.stop(process)
