"""Files as small as they can be sent: scripts with short names, and everything by Brotli.

Both take a while, so they are done once and lie in the user's folder for caches, under the hash of
what they were made of; where that cannot be, they are done again at each start.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]

from webapp.presentation.template_cache import kept_folder

# What each is meant for tells little: the one for fonts packs the largest script best.
MODES = (brotli.MODE_GENERIC, brotli.MODE_TEXT, brotli.MODE_FONT)


@dataclass(frozen=True, slots=True)
class Squeezer:
    """What earlier starts have left lies in ``folder``; None where there is none."""

    folder: Path | None

    def squeeze(self, body: bytes, *, script: bool) -> tuple[bytes, bytes]:
        """The file made smaller, and that by Brotli; scripts of ours only are written with short names."""
        place = self.folder and self.folder / f"{digest(body, script)}.br"
        if place and (found := read(place)):
            return found
        small = shortened(body) if script else body
        packed = min((brotli.compress(small, mode=mode) for mode in MODES), key=len)
        if place:
            keep(place, packed)
        return small, packed


def squeezer() -> Squeezer:
    return Squeezer(kept_folder("static"))


def shortened(body: bytes) -> bytes:
    # It loads a grammar, which the first page need not wait for.
    from webapp.assets.short_names import shorten

    return shorten(body.decode()).encode()


def digest(body: bytes, script: bool) -> str:
    return hashlib.sha256(b"smallest" + (rules() if script else b"") + body).hexdigest()[:32]


@cache
def rules() -> bytes:
    """Of the module that gives the short names: other rules, other files."""
    return hashlib.sha256(Path(__file__).with_name("short_names.py").read_bytes()).digest()


def read(place: Path) -> tuple[bytes, bytes] | None:
    """What lies there, whole; None for nothing and for rubbish."""
    with contextlib.suppress(OSError, brotli.error):
        packed = place.read_bytes()
        return brotli.decompress(packed), packed
    return None


def keep(place: Path, packed: bytes) -> None:
    """Under its name only when it is whole; a full disk is no reason to stop."""
    draft = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        try:
            draft.write_bytes(packed)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
