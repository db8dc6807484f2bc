"""Roles and invites: validity, typed codes, and the limit of tries. Times are ms.

A wrong code names no invite, so it counts against every open one: whichever was aimed at, none sees
more than ``MOST_WRONG`` guesses. Only the typed code burns with that, never the token of the same
invite, which nobody can guess: so a neighbour who types nonsense keeps nobody from scanning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from webapp.domain.signs import UNSEEN

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, no words; no letter that looks like another
CODE_LETTERS = 8
GROUP_LETTERS = 4
TOKEN_BYTES = 16
DEVICE_TOKEN_BYTES = 32
VALID_MS = 5 * 60_000
MOST_WRONG = 5
TRIES_A_MINUTE = 20
MINUTE_MS = 60_000
SEEN_EVERY_MS = MINUTE_MS
BETWEEN = re.compile(rf"[\s\-–—_.{UNSEEN}]+")
TOKEN = re.compile(r"^[A-Za-z0-9_-]{22}$", re.ASCII)
KINDS = (
    ("iPad", "Tablet"),
    ("Tablet", "Tablet"),
    ("iPhone", "Phone"),
    ("Mobile", "Phone"),
    ("Android", "Tablet"),
    ("CrOS", "Computer"),
    ("TV", "Television"),
    ("Windows", "Computer"),
    ("Macintosh", "Computer"),
    ("Linux", "Computer"),
)


class Role(IntEnum):
    """What a device may do; each may do what the ones below may."""

    DISPLAY = 1
    OPERATOR = 2
    OWNER = 3


NAMES = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Invite:
    """One device may join with it once. Secrets are kept as hashes only."""

    id: str
    role: Role
    expires_at: int
    wrong: int = 0
    used: bool = False

    def holds(self, now: int) -> bool:
        """True while its token lets a device in."""
        return not self.used and now < self.expires_at

    def code_holds(self, now: int) -> bool:
        """True while its typed code does, too."""
        return self.holds(now) and self.wrong < MOST_WRONG


def role_named(name: str) -> Role | None:
    """Return the role with this name; None when there is none."""
    return NAMES.get(name)


def read_code(typed: str) -> str | None:
    """The eight letters of a code, however they were grouped; None when they cannot be one."""
    letters = BETWEEN.sub("", typed).upper()
    right = len(letters) == CODE_LETTERS and set(letters) <= set(LETTERS)
    return letters if right else None


def shown_code(letters: str) -> str:
    """As it is read aloud: two groups of four."""
    return f"{letters[:GROUP_LETTERS]} {letters[GROUP_LETTERS:]}"


def tries_with(tries: tuple[int, ...], now: int) -> tuple[int, ...] | None:
    """The tries of the last minute and this one; None when there were enough of them."""
    late = tuple(at for at in tries if now - MINUTE_MS < at <= now)
    return None if len(late) >= TRIES_A_MINUTE else (*late, now)


def kind_of(user_agent: str) -> str:
    """What kind of device a browser says that it runs on."""
    return next((kind for word, kind in KINDS if word in user_agent), "Device")
