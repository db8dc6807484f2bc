"""The command ``steady-hands`` as people call it."""

from __future__ import annotations

import subprocess

from tests.faults.server import COMMAND, clean_environment


def told(*arguments: object, **environment: str) -> str:
    """What the command says when all goes well."""
    done = called(*arguments, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def refused(*arguments: object, **environment: str) -> str:
    """The one line with which it says why it cannot."""
    done = called(*arguments, **environment)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("steady-hands: ")
    return line


def called(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), *map(str, arguments)],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
