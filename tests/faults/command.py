"""The command ``steady-hands`` as people call it; ``serve`` in a process of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

from click.testing import CliRunner

from tests.support.real_server import COMMAND, clean_environment
from webapp.cli import main


@dataclass(frozen=True)
class Said:
    status: int
    output: str
    errors: str


def told(*arguments: object, **environment: str) -> str:
    """What the command says when all goes well."""
    said = called(*arguments, **environment)
    assert said.status == 0, said
    assert said.errors == ""
    return said.output


def refused(*arguments: object, **environment: str) -> str:
    """The one line with which it says why it cannot."""
    said = called(*arguments, **environment)
    assert said.status == 1, said
    assert "Traceback" not in said.errors
    (line,) = said.errors.splitlines()
    assert line.startswith("steady-hands: ")
    return line


def called(*arguments: object, **environment: str) -> Said:
    words, env = [str(part) for part in arguments], clean_environment(**environment)
    if words[0] == "serve":
        command = [str(COMMAND), *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        return Said(done.returncode, done.stdout, done.stderr)
    missing = {name: None for name in os.environ if name not in env}
    result = CliRunner().invoke(main.main, words, env={**missing, **env})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)
