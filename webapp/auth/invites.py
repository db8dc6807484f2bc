"""Invite secrets: made, shown once, and stored as hashes.

A command in the shell may not write to an embedded database beside the process that serves it, so
it leaves the hashes in the data folder; who may write there may do anything with the site anyway.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from webapp.domain.invites import CODE_LETTERS, LETTERS, TOKEN_BYTES, VALID_MS, Role, shown_code
from webapp.protocol_files import json_reader

FOLDER = "invites"
HASH = re.compile(r"^[0-9a-f]{64}$", re.ASCII)
MOST_BYTES = 1_000

log = logging.getLogger("steady_hands")


def hash_secret(secret: str) -> str:
    """Return the hash of a secret. It is random and long, so it needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class InviteRow:
    """A row of ``invites``, without those columns that have a default."""

    id: str
    token_hash: str
    code_hash: str
    role: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class NewInvite:
    """An invite at the one moment at which its secrets are known."""

    token: str
    letters: str
    role: Role
    expires_at: int

    @property
    def code(self) -> str:
        return shown_code(self.letters)

    def address(self, home: str) -> str:
        """What the QR code says. A fragment is sent to no server and stands in no log."""
        return f"{home}/join#{self.token}"

    def row(self) -> InviteRow:
        hashes = hash_secret(self.token), hash_secret(self.letters)
        return InviteRow(secrets.token_urlsafe(12), *hashes, int(self.role), self.expires_at)


def new_invite(role: Role, now: int) -> NewInvite:
    """A new invite, from now on."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
    return NewInvite(secrets.token_urlsafe(TOKEN_BYTES), letters, role, now + VALID_MS)


def write_invite(data: Path, row: InviteRow) -> None:
    """Put the hashes where the process that serves finds them. Raises OSError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f".partial-{row.id}"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(row), file)
    partial.replace(folder / f"{row.id}.json")


def read_invites(data: Path, now: int) -> Iterator[tuple[Path, InviteRow]]:
    """The invites that were left there; what is no invite, or too old, is thrown away."""
    for path in (data / FOLDER).glob("*.json"):
        row = read_row(path)
        if row and now < row.expires_at <= now + VALID_MS:
            yield path, row
        else:
            path.unlink(missing_ok=True)


def read_row(path: Path) -> InviteRow | None:
    """The invite in a file; None when it holds none."""
    try:
        document = json_reader.parse(path.read_text(encoding="utf-8")[:MOST_BYTES])
        row = InviteRow(**document.value) if isinstance(document.value, dict) else None
    except (OSError, ValueError, TypeError, json_reader.NotJsonError):
        row = None
    if row is None or document.faults or not is_valid(row):
        log.warning("a file among the invites was thrown away")
        return None
    return row


def is_valid(row: InviteRow) -> bool:
    texts = [row.id, row.token_hash, row.code_hash]
    numbers = [row.role, row.expires_at]
    return (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and len(row.id) <= 32
        and bool(HASH.match(row.token_hash) and HASH.match(row.code_hash))
        and row.role in {int(role) for role in Role}
    )
