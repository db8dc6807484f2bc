"""Signs of Unicode in what people type and write: their names, and what is kept of them."""

from __future__ import annotations

import re
import unicodedata

NAMES = {
    "\0": "null",
    "\t": "tab",
    "\n": "line end",
    "\v": "vertical tab",
    "\f": "form feed",
    "\r": "carriage return",
    "\x1b": "escape",
    "\x7f": "delete",
    "\x85": "next line",
    "\ufeff": "byte order mark",
}
# Control characters, halves of characters, ends of lines and paragraphs, what is no character.
LAST_TWO = "".join(
    chr(plane + last) for plane in range(0x10000, 0x120000, 0x10000) for last in (-2, -1)
)
NO_TEXT = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef{LAST_TWO}]")
# At the ends of what is typed: blanks, and marks of direction and breaks that copies bring along.
UNSEEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
AT_THE_ENDS = re.compile(rf"^[\s{UNSEEN}]+|[\s{UNSEEN}]+$")
JOINER = "\u200d"
TONES = "\U0001f3fb-\U0001f3ff"
BELONGS_TO_THE_ONE_BEFORE = re.compile(f"[{JOINER}\u200c{TONES}\U000e0020-\U000e007f]")


def sign_name(sign: str) -> str:
    """``U+00A0 (no-break space)``."""
    name = NAMES.get(sign) or unicodedata.name(sign, "").lower()
    if not name:
        name = "control character" if unicodedata.category(sign) == "Cc" else "no known sign"
    return f"U+{ord(sign):04X} ({name})"


def is_odd(sign: str) -> bool:
    """True for what a page shows as a blank or not at all, but for the plain space."""
    return not sign.isprintable() or sign in "\u2800\u3164\uffa0\u115f\u1160"


def typed_text(text: str) -> str:
    """What was typed, without blanks and unseen signs around it."""
    return AT_THE_ENDS.sub("", text)


def kept(text: str, most: int) -> str:
    """What somebody wrote: control characters alone become blanks. At most ``most`` characters.

    Joiners, soft hyphens and marks stay, and no sign is cut off from what belongs to it.
    """
    found = cut_off(NO_TEXT.sub(" ", text).strip(), most)
    return found if typed_text(found) else ""


def cut_off(text: str, most: int) -> str:
    """The beginning of a text; a sign goes with all that belongs to it."""
    end = min(most, len(text))
    while 0 < end < len(text) and belongs(text, end):
        end -= 1
    return text[: end or most].rstrip()


def belongs(text: str, at: int) -> bool:
    """True where the sign at ``at`` is a part of what stands before it."""
    sign = text[at]
    mark = unicodedata.category(sign).startswith("M") or BELONGS_TO_THE_ONE_BEFORE.match(sign)
    return bool(mark) or text[at - 1] == JOINER
