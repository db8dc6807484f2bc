"""Strict JSON parser for outside input: finds the line of each fault.

``json`` alone takes duplicate keys, NaN, infinities, any depth and half characters; here they are
faults. ``FaultLocator`` reads a text once more only to say where, on which line, its faults stand.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import cast

from webapp.domain.signs import is_odd, sign_name

MOST_BYTES = 256 * 1024
MOST_DEPTH = 32
MOST_DIGITS = 15

Path = tuple[str | int, ...]
Value = object

# Control characters, ends of lines and paragraphs, and what turns the order of signs around.
ODD_IN_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
SURROGATE = re.compile("[\ud800-\udfff]")
# What may be an escaped control character, or half a character.
ESCAPED = re.compile(r"\\[bfnrtu]")
ESCAPED_SURROGATE = re.compile(r"\\u[dD]")
CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
BRACKET = re.compile(r"[\[\]{}]")
SPACE = re.compile(r"[ \t\n\r]*")
TOKEN = re.compile(r"[^\s,:\[\]{}]+|\S")
PLAIN_NAME = re.compile(r"[\w$-]{1,60}", re.ASCII)
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
NOT_A_NUMBER = re.compile(r"-?(NaN|Infinity)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file. ``path`` is the JSON path, ``line`` counts from 1."""

    line: int
    path: Path
    message: str

    def where(self) -> str:
        """Return the JSON path as text."""
        return json_path(self.path)


class NotJsonError(ValueError):
    """The text is no JSON; nothing after this place could be read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass
class Document:
    """A parsed text: the value, and faults that did not stop reading.

    ``lines`` has the line of every value by path; None while nobody has asked for one.
    """

    text: str
    value: Value = None
    lines: dict[Path, int] | None = None
    faults: list[Fault] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """The line of the value at ``path``, or of the nearest thing around it that exists."""
        if self.lines is None:
            self.lines = locate_faults(self.text).lines or {}
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def json_path(path: Path) -> str:
    """``("phases", 2, "area")`` as ``phases[2].area``; the whole file is ``$``.

    A name that could break or blur the line is quoted and cut: ``phases[2]["a.b"]``.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif PLAIN_NAME.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part[:40])}]"
    return text or "$"


def decode(raw: bytes) -> str:
    """Return UTF-8 text of at most 256 KiB. Raises NotJsonError."""
    if len(raw) > MOST_BYTES:
        raise NotJsonError(
            Fault(1, (), f"the file is too big, expected at most {MOST_BYTES:,} bytes")
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text, at = error.object, error.start  # without the byte order mark
        line = text.count(b"\n", 0, at) + 1
        raise NotJsonError(
            Fault(line, (), f"byte 0x{text[at]:02x} is not UTF-8, expected a file saved as UTF-8")
        ) from None


def parse(text: str, *, stored: bool = False) -> Document:
    """Read ``text``. Raises NotJsonError where it cannot be read on; lesser faults are collected.

    What was ``stored`` in a database may have whole numbers of 64 bits, and escaped control
    characters in its texts, like the end of a line.
    """
    try:
        return Document(text, strict_value(text, stored))
    except (ValueError, RecursionError):
        return locate_faults(text, stored=stored)


def strict_value(text: str, stored: bool = False) -> Value:
    """Return the value of ``text``. Raises ValueError or RecursionError if it may have a fault."""
    escaped = ESCAPED_SURROGATE if stored else ESCAPED
    if escaped.search(text) or SURROGATE.search(text) or CONTROL_IN_TEXT.search(text):
        raise ValueError("perhaps a control character or half a character")
    depth = 0
    for bracket in BRACKET.findall(STRING.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        if depth > MOST_DEPTH:
            raise ValueError("nested too deep")
    return cast("Value", DECODER.decode(text))


def unique_members(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    """Return the members of an object. Raises ValueError when a name comes twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a field stands twice")
    return members


def no_number(text: str) -> Value:
    """Raise ValueError: ``NaN`` and ``Infinity`` are not JSON."""
    raise ValueError(f"{text} is no JSON number")


def short_number(text: str) -> int | float:
    """Return the number. Raises ValueError when it has too many digits."""
    if len(text) >= MOST_DIGITS or "e" in text.lower():
        raise ValueError("perhaps out of range")
    return float(text) if "." in text else int(text)


DECODER = JSONDecoder(
    object_pairs_hook=unique_members,
    parse_int=short_number,
    parse_float=short_number,
    parse_constant=no_number,
)


def locate_faults(text: str, *, stored: bool = False) -> Document:
    """Read ``text`` with its faults and the line of every value. Raises NotJsonError."""
    locator = FaultLocator(text, stored)
    locator.document.value = locator.value((), 0)
    locator.skip()
    if locator.at < len(text):
        token = locator.token()
        raise locator.stop((), f"found {token} after the end of the JSON value, expected nothing")
    return locator.document


class FaultLocator:
    """A cursor over the text. One use."""

    def __init__(self, text: str, stored: bool = False) -> None:
        self.text = text
        self.stored = stored
        self.most_digits, self.most = (19, 2.0**63) if stored else (MOST_DIGITS, 1e15)
        self.at = 0
        self.counted = (0, 1)  # so far: characters seen, and the line they lead to
        self.lines: dict[Path, int] = {}
        self.document = Document(text, lines=self.lines)

    def line(self) -> int:
        """Return the line of the present place."""
        seen, line = self.counted
        self.counted = self.at, line + self.text.count("\n", seen, self.at)
        return self.counted[1]

    def token(self) -> str:
        """Return what stands here, short enough for a message; what cannot be seen by its name."""
        if self.at < len(self.text) and is_odd(self.text[self.at]):
            return sign_name(self.text[self.at])
        match = TOKEN.match(self.text, self.at)
        return repr(match[0][:20]) if match else "the end of the file"

    def stop(self, path: Path, message: str) -> NotJsonError:
        """Return the error that ends reading."""
        return NotJsonError(Fault(self.line(), path, message))

    def complain(self, path: Path, message: str) -> None:
        """Add a fault and go on reading."""
        self.document.faults.append(Fault(self.line(), path, message))

    def skip(self) -> str:
        """Pass white space; the next character, or nothing at the end."""
        match = SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def value(self, path: Path, depth: int) -> Value:
        """Read the value at the present place."""
        first = self.skip()
        if depth == MOST_DEPTH and first in ("{", "["):
            raise self.stop(path, f"nested too deep, expected at most {MOST_DEPTH} levels")
        self.lines[path] = self.line()
        if first == "{":
            return self.object(path, depth)
        if first == "[":
            return self.array(path, depth)
        if first == '"':
            return self.string(path)
        return self.word(path)

    def object(self, path: Path, depth: int) -> dict[str, Value]:
        """Read an object after its brace."""
        members: dict[str, Value] = {}
        self.at += 1
        if self.skip() == "}":
            self.at += 1
            return members
        while True:
            if self.skip() != '"':
                expected = 'expected a field name in double quotes, like "title"'
                raise self.stop(path, f"found {self.token()}, {expected}")
            name = self.string(path)
            inner = (*path, name)
            if name in members:
                self.complain(inner, "this field stands twice, expected once")
            if self.skip() != ":":
                raise self.stop(inner, f"found {self.token()}, expected ':' after the field name")
            self.at += 1
            members[name] = self.value(inner, depth + 1)
            if self.ends(path, "}"):
                return members

    def array(self, path: Path, depth: int) -> list[Value]:
        """Read an array after its bracket."""
        items: list[Value] = []
        self.at += 1
        if self.skip() == "]":
            self.at += 1
            return items
        while True:
            items.append(self.value((*path, len(items)), depth + 1))
            if self.ends(path, "]"):
                return items

    def ends(self, path: Path, bracket: str) -> bool:
        """Return True at the closing bracket, which is then read."""
        mark = self.skip()
        if mark not in (",", bracket) or not mark:
            raise self.stop(path, f"found {self.token()}, expected ',' or '{bracket}'")
        self.at += 1
        return mark == bracket

    def string(self, path: Path) -> str:
        """Read a text in quotes."""
        try:
            text, end = scanstring(self.text, self.at + 1, True)
        except JSONDecodeError as error:
            self.at = max(self.at, min(error.pos, len(self.text)))
            raise self.stop(path, self.broken_text(error)) from None
        if not self.stored and (odd := ODD_IN_TEXT.search(text)):
            self.complain(path, f"{sign_name(odd[0])} in a text, expected plain characters")
        if SURROGATE.search(text):
            self.complain(path, "half a surrogate pair in a text, expected whole characters")
            text = text.encode("utf-8", "replace").decode("utf-8")
        self.at = end
        return str(text)

    def broken_text(self, error: JSONDecodeError) -> str:
        """Return what is wrong with a text, in words."""
        if "Unterminated" in error.msg or self.text.startswith(("\n", "\r"), self.at):
            return "a text has no end on its line, expected a closing double quote"
        if "control" in error.msg:
            return f"{sign_name(self.text[self.at])} in a text, expected plain characters"
        return r"an unknown escape in a text, expected \\, \" or \u and four hex digits"

    def word(self, path: Path) -> Value:
        """Read a number, ``true``, ``false`` or ``null``."""
        for word, meaning in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return meaning
        if match := NOT_A_NUMBER.match(self.text, self.at):
            self.complain(path, f"{match[0]} is no JSON number, expected a finite number")
            self.at = match.end()
            return 0
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise self.stop(path, f"found {self.token()}, expected a value")
        self.at = match.end()
        return self.number(path, match)

    def number(self, path: Path, match: re.Match[str]) -> int | float:
        """Return the matched number; one out of range is a fault."""
        whole = match[1] is None and match[2] is None
        digits = sum(c.isdigit() for c in match[0])
        if digits > self.most_digits or abs(float(match[0])) > self.most:
            expected = f"expected at most {self.most_digits} digits"
            self.complain(path, f"{match[0][:20]} is out of range, {expected}")
            return 0
        return int(match[0]) if whole else float(match[0])
