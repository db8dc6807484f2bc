"""Cache of compiled templates between starts: compiling takes half the time of the first page.

The compiled templates lie in the user's folder for caches,
as Python's own compiled modules lie beside their sources,
and are used only where nobody else can write. Each carries the hash of its source.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from platformdirs import user_cache_path

OTHERS_MAY_WRITE = 0o022


class Compiled(FileSystemBytecodeCache):
    """A cache that may be missing or full: then templates are compiled as if there were none."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def cached_templates(folder: Path | None = None) -> Compiled | None:
    """Return the cache of earlier starts; None where it cannot be trusted or written."""
    place = cache_folder("templates", folder)
    return Compiled(str(place)) if place else None


def cache_folder(name: str, place: Path | None = None) -> Path | None:
    """Return the cache folder; None where it cannot be trusted or written."""
    try:
        place = place or user_cache_path("steady-hands", appauthor=False) / name
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place if is_own(place) else None
    except (OSError, RuntimeError):  # no room, no rights, no home
        return None


def is_own(place: Path) -> bool:
    if not os.access(place, os.W_OK):
        return False
    if not hasattr(os, "getuid"):
        return True  # Windows keeps it below the user's own profile
    state = place.stat()
    return state.st_uid == os.getuid() and not state.st_mode & OTHERS_MAY_WRITE
