"""Start ``steady-hands`` from a process that has imported it: browser tests start it often.

A child is forked, so it is a start of its own in all but the imports. Where Python has no fork
server, as on Windows, a new interpreter starts.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

IMPORTED = ["webapp.cli.main", "webapp.server.run", "sqlalchemy.dialects.sqlite"]
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
CONTEXT = (
    multiprocessing.get_context("forkserver") if CAN_FORK else multiprocessing.get_context("spawn")
)
CONTEXT.set_forkserver_preload(IMPORTED)


def run(arguments: list[str]) -> None:
    """Become the command, in a process group of its own."""
    if CAN_FORK:
        os.setsid()
        multiprocessing.set_start_method("fork", force=True)  # workers stay in the group
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    sys.argv = ["steady-hands", *arguments]
    from webapp.auth import rate_limit
    from webapp.cli.main import main

    rate_limit.MOST_A_MINUTE = 10_000  # many tests share one server
    main()


def start(arguments: Sequence[str]) -> BaseProcess:
    """Start ``steady-hands`` with these arguments."""
    process = CONTEXT.Process(target=run, args=(list(arguments),))
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """Kill the process and its workers at once, as a power switch would."""
    if CAN_FORK:
        assert process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.join(10)
