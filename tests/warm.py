"""Starts ``steady-hands`` from a process that has imported everything already, as browser tests need it often.

A child is forked, so it is a start of its own in all but the imports: it reads its arguments, checks,
opens the database and forks its workers. Where processes cannot be forked the command itself starts.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CAN_FORK = hasattr(os, "fork") and sys.platform == "linux"
PR_SET_CHILD_SUBREAPER = 36


class Warm:
    """The process to fork from; started by the first server, ended by ``close``."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def start(self, arguments: Sequence[str]) -> int:
        """Start ``steady-hands`` with these arguments in a process group of its own; gives its id."""
        if not CAN_FORK:
            command = [sys.executable, "-m", "webapp", *arguments]
            return subprocess.Popen(command, cwd=ROOT, start_new_session=True).pid
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self.close)
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(list(arguments)) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        if self.process and self.process.stdin:
            self.process.stdin.close()
            self.process.wait(10)


WARM = Warm()


def end(pid: int, seconds: float = 10.0) -> None:
    """``kill -9`` for the whole group of a process that ``start`` gave; waits until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    until = time.monotonic() + seconds
    while is_there(pid):
        if time.monotonic() > until:
            raise TimeoutError(f"process {pid} did not end")
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    """True while any process of the group lives; a child of ours that ended is taken leave of."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def begin(arguments: list[str]) -> None:
    """In the forked child: become the command."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    sys.argv = ["steady-hands", *arguments]
    from webapp.cli.main import main

    main()


def adopt() -> None:
    """Take leave at once of whatever our children leave behind: the system's first process may take seconds."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def serve() -> None:
    """Fork a child for each line of arguments until nobody can write another."""
    import sqlalchemy.dialects.sqlite

    import webapp.cli.main
    import webapp.server.run

    assert webapp.cli
    assert webapp.server
    assert sqlalchemy.dialects.sqlite
    adopt()
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            begin(json.loads(line))
        print(pid, flush=True)


if __name__ == "__main__":
    serve()
