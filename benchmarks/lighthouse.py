"""``make lighthouse``: Lighthouse's own marks for the catalogue, a protocol and a running session.

Lighthouse is a Node program. Its version and everything it needs are pinned, with hashes, in
``lighthouse/package-lock.json``; it is installed once outside the repository.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import sites
from benchmarks.browsers import FLAGS
from benchmarks.node_programs import NoToolError, installed
from benchmarks.sites import Server
from tests.browser.chromium import for_measurements

ROUNDS = 5
RUN_SECONDS = 120
PINNED = Path(__file__).with_name("lighthouse")
PROTOCOL = "oc-classic-full"
PRESETS = ("mobile", "desktop")
PROMISED = {"accessibility": 100, "best-practices": 100, "performance": 98}
TIMES = {
    "largest-contentful-paint": ("LCP s", 1000, 2),
    "total-blocking-time": ("TBT ms", 1, 0),
    "cumulative-layout-shift": ("CLS", 1, 3),
}
WIDTHS = (11, 9, 15, 16, 13, 8, 8, 8, 5)
NO_NODE = (
    "Lighthouse needs Node 22 or newer with npm (Debian: apt-get install nodejs npm), and npm "
    "has to reach its registry once. It could not be installed here: {why}"
)

Report = dict[str, Any]


class NoReportError(Exception):
    """Lighthouse gave up on a page; the text is its own."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What Lighthouse says of one page under one preset: medians, and what it found wrong."""

    page: str
    preset: str
    scores: dict[str, float]
    times: dict[str, float]
    faults: tuple[str, ...]


def tool() -> list[str]:
    """The command, installed once outside the repository as pinned. Raises NoToolError."""
    try:
        folder = installed(PINNED, "lighthouse")
    except NoToolError as error:
        raise NoToolError(NO_NODE.format(why=error)) from None
    return [str(folder / "node_modules" / ".bin" / "lighthouse")]


def report(command: list[str], address: str, preset: str, *categories: str) -> Report:
    """One run of Lighthouse on a page."""
    with tempfile.TemporaryDirectory(prefix="steady-hands-report-") as folder:
        path = Path(folder) / "report.json"
        given = [
            *command,
            address,
            "--output=json",
            "--quiet",
            "--no-enable-error-reporting",
            f"--only-categories={','.join(categories)}",
            f"--output-path={path}",
            f"--chrome-flags={' '.join(['--headless=new', *FLAGS])}",
            *(["--preset=desktop"] if preset == "desktop" else []),
        ]
        environment = {**os.environ, "CHROME_PATH": for_measurements()}
        run = subprocess.run(
            given, cwd=folder, env=environment, timeout=RUN_SECONDS, capture_output=True, text=True
        )
        if run.returncode or not path.exists():
            raise NoReportError(run.stderr.strip()[-600:])
        found: Report = json.loads(path.read_text(encoding="utf-8"))
        return found


def hands_on_session(server: Server) -> str:
    """The address of a session whose first phase runs."""
    session = server.running_session(PROTOCOL)
    while "stage-hands" not in server.ask(f"/sessions/{session}/live").text:
        server.act(session, "next")
    return f"{server.address}/sessions/{session}"


def pages(server: Server) -> dict[str, Callable[[], str]]:
    """Name and address of each page; every run gets a session of its own."""
    return {
        "catalogue": lambda: f"{server.address}/",
        "protocol": lambda: f"{server.address}/protocols/{PROTOCOL}",
        "session": lambda: hands_on_session(server),
    }


def marks(page: str, preset: str, reports: list[Report]) -> Marks:
    scores = {
        name: statistics.median(one["categories"][name]["score"] * 100 for one in reports)
        for name in PROMISED
    }
    times = {
        name: statistics.median(one["audits"][name]["numericValue"] / scale for one in reports)
        for name, (_, scale, _) in TIMES.items()
    }
    return Marks(page, preset, scores, times, tuple(sorted(faults(reports))))


def faults(reports: list[Report]) -> set[str]:
    """Every audit of accessibility and best practices that did not pass in some run."""
    found = set()
    for one in reports:
        for name in ("accessibility", "best-practices"):
            for reference in one["categories"][name]["auditRefs"]:
                score = one["audits"][reference["id"]]["score"]
                if reference["weight"] and score is not None and score < 1:
                    found.add(reference["id"])
    return found


def line(page: str, preset: str, reports: list[Report]) -> str:
    if not reports:
        return row([page, preset, *(["-"] * (len(PROMISED) + len(TIMES))), "not measured"])
    found = marks(page, preset, reports)
    scores = [f"{found.scores[name]:.0f}" for name in PROMISED]
    times = [f"{found.times[name]:.{digits}f}" for name, (_, _, digits) in TIMES.items()]
    met = all(found.scores[name] >= least for name, least in PROMISED.items())
    cells = [page, preset, *scores, *times, "yes" if met else "NO"]
    return " ".join([row(cells), *found.faults])


def row(cells: list[str]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def main() -> None:
    try:
        command = tool()
    except NoToolError as error:
        sys.exit(str(error))
    heads = ["page", "preset", *PROMISED, *(head for head, _, _ in TIMES.values()), "met"]
    print(f"Lighthouse, median of {ROUNDS}; promised: {PROMISED}")
    print(row(heads), flush=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="steady-hands-marks-"))
        server = stack.enter_context(sites.ours(Path(folder), host=sites.PROXY_HOST))
        for name, address in pages(server).items():
            for preset in PRESETS:
                runs = [report_or_none(command, address(), preset) for _ in range(ROUNDS)]
                print(line(name, preset, [run for run in runs if run]), flush=True)


def report_or_none(
    command: list[str], address: str, preset: str, *categories: str
) -> Report | None:
    """A report; None when Lighthouse gave up twice, as it may on a busy machine."""
    for _ in range(2):
        try:
            return report(command, address, preset, *(categories or PROMISED))
        except (NoReportError, subprocess.TimeoutExpired) as trouble:
            print(f"  no report: {trouble}", file=sys.stderr)
    return None


if __name__ == "__main__":
    main()
