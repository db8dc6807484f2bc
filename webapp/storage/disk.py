"""Disk state of an embedded database: a reserve for when it is full, a pause for when it fails.

The reserve is a file that only takes up space. When a write finds the disk full it is deleted, so
that running sessions reach their end; nothing new begins until there is room for it again.
A disk that fails may take seconds for every try, so after a failure nothing is written for a while.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

NAME = "reserve"
# The log of the database grows to 4 MB before it is used anew; as much again for its tables.
RESERVE_BYTES = 8 * 1024 * 1024
REST_SECONDS = 3.0

FULL = (sqlite3.SQLITE_FULL,)
FULL_EXTENDED = (sqlite3.SQLITE_IOERR_SHMSIZE,)
FAILING = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)

Trouble = Literal["", "full", "failing"]

log = logging.getLogger("steady_hands")


def free_bytes(folder: Path) -> int:
    """What is left where ``folder`` lies, or will lie once something is kept in it."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free


class Disk:
    """What is known of the disk on which ``folder`` lies."""

    def __init__(self, folder: Path) -> None:
        self.reserve = folder / NAME
        self.full = False
        self.lock = threading.Lock()  # makes or takes away the reserve
        self.rooms_made = 0  # how often the reserve was used
        self.failed_at: float | None = None

    @property
    def trouble(self) -> Trouble:
        """What is wrong with the disk: `full`, `failing` or nothing."""
        if self.failed_at is not None:
            return "failing"
        return "full" if self.full else ""

    @property
    def resting(self) -> bool:
        """True shortly after a failure, when nothing is tried."""
        return self.failed_at is not None and time.monotonic() - self.failed_at < REST_SECONDS

    def judge(self, error: BaseException | None) -> Trouble:
        """Learn from a write that failed with ``error`` of the driver; says what is the matter."""
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in FULL or code in FULL_EXTENDED:
            return "full"
        if code & 0xFF in FAILING:
            self.failed_at = time.monotonic()
            return "failing"
        return ""

    def worked(self) -> None:
        """Something was written."""
        self.failed_at = None

    def keep_reserve(self) -> bool:
        """Make sure that the reserve is there. False when the disk is too full for it."""
        with self.lock:
            self.full = not (self.has_reserve() or self.fill_reserve())
            return not self.full

    def has_reserve(self) -> bool:
        """Return True when the reserve lies on the disk in full."""
        try:
            return self.reserve.stat().st_size >= RESERVE_BYTES
        except OSError:
            return False

    def fill_reserve(self) -> bool:
        """Bytes that no file system makes smaller, and only where as much again stays free."""
        try:
            if shutil.disk_usage(self.reserve.parent).free < 2 * RESERVE_BYTES:
                return False
            with self.reserve.open("wb") as file:
                file.write(os.urandom(RESERVE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.warning("no reserve could be kept: %s", error)
            with suppress(OSError):
                self.reserve.unlink()
            return False
        return True

    def give_reserve(self) -> bool:
        """The disk is full: make room. False when there is nothing left to give."""
        with self.lock:
            self.full = True
            try:
                self.reserve.unlink()
            except OSError:
                return False
            self.rooms_made += 1
        log.error("the disk is full: running sessions go on in the reserve, new ones are refused")
        return True
