"""What an earlier start worked out from the same files by the same code: it need not be worked out again.

It lies in the user's folder for caches as the compiled templates do (``compiled.py``), trusted only
where nobody else can write, and only whole: each file begins with the hash of the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, cast

from webapp.compiled import kept_folder
from webapp.squeezed import keep

T = TypeVar("T")

MOST_KEPT = 12
HASH_BYTES = 32
PACKAGE = Path(__file__).parent


def remembered(
    name: str,
    made_of: Iterable[bytes],
    make: Callable[[], T],
    folder: Path | None = None,
) -> T:
    """``make()``, or what it gave when ``made_of`` was the same.

    ``made_of`` has to name everything that the result depends on, the code included (``code_of``).
    """
    place = kept_folder("start", folder)
    if place is None:
        return make()
    file = place / f"{name}-{hash_of(made_of)}"
    found = read(file)
    if found is not None:
        return cast(T, found)
    made = make()
    body = pickle.dumps(made, pickle.HIGHEST_PROTOCOL)
    forget_oldest(place)
    keep(file, hashlib.sha256(body).digest() + body)
    return made


def hash_of(parts: Iterable[bytes]) -> str:
    """Of all ``parts`` and where each one ends, and of the Python that reads them."""
    digest = hashlib.sha256(sys.version.encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:32]


def code_of(*patterns: str) -> Iterable[bytes]:
    """The text of our own modules that match, like ``domain/*.py``."""
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            yield path.read_bytes()


def read(file: Path) -> object | None:
    """What lies there, whole; None for nothing and for rubbish."""
    try:
        raw = file.read_bytes()
    except OSError:
        return None
    body = raw[HASH_BYTES:]
    if hashlib.sha256(body).digest() != raw[:HASH_BYTES]:
        return None
    with contextlib.suppress(Exception):  # of another version of some library, perhaps
        found: object = pickle.loads(body)
        return found
    return None


def forget_oldest(place: Path) -> None:
    """Leave room for one more of those that were made last."""
    with contextlib.suppress(OSError):
        by_age = sorted(place.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in by_age[MOST_KEPT - 1 :]:
            file.unlink(missing_ok=True)
