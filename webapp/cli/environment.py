"""Environment of a command: its standard streams and places, whatever the machine makes of them."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import click

PRIVATE = 0o077  # what is taken from everybody but the owner of a file


class PlainError(click.ClickException):
    """One clear line and exit status 1."""

    def show(self, file: object = None) -> None:
        from webapp.log import escape

        with suppress(OSError):  # nobody reads it
            click.echo(f"steady-hands: {escape(self.message)}", err=True)


def prepare_streams() -> None:
    """Open the standard streams that are closed; make the others able to print every text.

    A file that was opened later would get the number of a closed stream, and what is printed.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdout = able_to_print(sys.stdout)
    sys.stderr = able_to_print(sys.stderr)


def able_to_print(stream: TextIO | None) -> TextIO:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream or Path(os.devnull).open("w", encoding="utf-8")


def drop_output() -> None:
    """Print nothing more: what nobody takes any longer would be tried again at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_output(lines: Iterable[str]) -> None:
    """Print data: in UTF-8 everywhere, as it would stand in a file."""
    for line in lines:
        sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()


def absolute(path: Path, option: str) -> Path:
    """The full path that was meant. Raises PlainError where there can be none."""
    try:
        found = path.expanduser().resolve()
        str(found).encode()
    except UnicodeEncodeError:
        raise PlainError(
            f"{option} {path}: the name holds bytes that are no UTF-8; choose another"
        ) from None
    except RuntimeError as error:
        if "ymlink" in str(error):
            raise PlainError(f"{option} {path}: links that lead in a circle") from None
        raise PlainError(
            f"{option} {path}: the home folder is not known here; name a folder from / on"
        ) from None
    except OSError as error:
        raise PlainError(f"{option} {path}: {error.strerror}; name a folder from / on") from None
    return found


def plain_error(error: OSError) -> PlainError:
    """What the system refused, in a line."""
    why = error.strerror or type(error).__name__
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
        drop_output()
        return PlainError(f"the output cannot be written ({why})")
    return PlainError(
        f"cannot use {os.fsdecode(error.filename)} ({why})" if error.filename else why
    )
