"""Folder lock: one process serves from a data folder, and one writes to its database.

The locks are the system's and end with the process, so a killed one leaves no obstacle.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from webapp.storage.database import StorageError

SERVING, WRITING = "serving.lock", "writing.lock"
WAIT_SECONDS = 1.5  # a worker whose command was killed ends within this time

Lock = IO[str]


def lock_folder(folder: Path, name: str, wait_seconds: float = WAIT_SECONDS) -> Lock:
    """Take a lock of ``folder`` until it is closed or the process ends. Raises StorageError."""
    path = folder / name
    try:
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise StorageError(f"cannot write to {path} ({error.strerror})") from None
    end = time.monotonic() + wait_seconds
    while not taken(file):
        if time.monotonic() > end:
            holder = holder_of(path)
            file.close()
            raise StorageError(
                f"another Steady Hands{holder} works with the folder {folder}; stop it, choose "
                "another folder with --data, or share a PostgreSQL database with --database"
            )
        time.sleep(0.05)
    write_pid(file)
    return file


def write_pid(file: Lock) -> None:
    """Leave the process id behind the byte that is locked, for the message of the next one."""
    file.truncate(0)
    file.write(f" {os.getpid()}")
    file.flush()


def holder_of(path: Path) -> str:
    try:
        pid = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (process {pid})" if pid.isdigit() else ""


if sys.platform == "win32":
    import msvcrt

    def taken(file: Lock) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def taken(file: Lock) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@contextmanager
def lock_out_servers(folder: Path) -> Iterator[None]:
    """While nobody serves from ``folder``. Raises StorageError when somebody does."""
    with lock_folder(folder, SERVING), lock_folder(folder, WRITING):
        yield
