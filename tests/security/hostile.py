"""Requests that nobody should send, drawn from a seed: each has a fault and may change nothing.

A stop counts whatever its form carries, and a button without fields has no wrong fields; so those
are only sent by somebody who may not, or from a foreign page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote_from_bytes

from tests.support.safe_answers import SAFE

METHODS = ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "P" * 300)
ODD_TYPES = (
    "application/json",
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 300,
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=\x00",
    "text/xml",
    ";;;=,",
    "",
)
FORM = "application/x-www-form-urlencoded"
TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "٣",
    "½",
    "9" * 400,
    "null",
    "\x00",
    "a\x00b",
    "\r\nSet-Cookie: a=b",
    "../../etc/passwd",
    "..\\..\\windows",
    "%2e%2e%2f",
    "' OR 1=1 --",
    '"; DROP TABLE sessions; --',
    "{{7*7}}",
    "${7*7}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "=cmd|'/c calc'!A1",
    "$(id)",
    "`id`",
    "\ud800",
    "\U0001f926\u200d\u2642\ufe0f" * 20,
    "\u202egnp.exe",
    "a" * 5_000,
    "A" * 70_000,
    "%",
    "%zz",
    "&&==&",
    "[]",
    "{}",
    "true",
)
BYTES = (b"\xff\xfe", b"\x80\x81", b"\xc0\xaf", b"\xed\xa0\x80", b"+ADw-script+AD4-", b"\x00" * 9)
BROKEN_JSON = (
    "",
    "{",
    "[" * 60_000,
    "[" * 100_000,
    '{"a":' * 12_000,
    "NaN",
    "Infinity",
    "1e999",
    "null",
    "[]",
    '"text"',
    "{'seq': 1}",
    '{"seq": 1, "seq": 2}',
    '{"seq": NaN}',
    '{"__proto__": {"a": 1}}',
    '{"seq": 1}garbage',
    "\ufeff{}",
    "\x00",
)
WRONG = ("null", "[]", "{}", "-1", "1e999", "NaN", '"\\ud800"', '"x"', "9" * 400, "1.5", "[[1]]")
ACCOUNT = ("seq", "line", "alone_since", "counted", "status", "acts")
SCREEN = ("screen", "apart", "alone")
Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Bad:
    """One request. ``target`` is path and query as sent; ``by`` is who sends it."""

    by: str
    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes = b""

    def __str__(self) -> str:
        target, body = self.target[:200], self.body[:200]
        return f"{self.by} {self.method[:20]} {target!r} {self.headers} {body!r}"[:900]


@dataclass(frozen=True)
class Ids:
    """What is there to be asked for; ``asked`` are the answers that a screening needs."""

    session: str
    other: str
    screening: str
    course: str
    client: str
    asked: tuple[str, ...]
    job: str = "none"


class Drawer:
    """Draws requests; the same seed draws the same."""

    def __init__(self, seed: int, ids: Ids, people: tuple[str, ...]) -> None:
        self.draw = Random(seed)
        self.ids = ids
        self.people = people
        self.kinds: tuple[Callable[[], Bad], ...] = (
            self.path,
            self.query,
            self.method,
            self.form,
            self.form,
            self.form,
            self.account,
            self.account,
            self.upload,
            self.head,
            self.stranger,
            self.stranger,
        )

    def next(self) -> Bad:
        return self.draw.choice(self.kinds)()

    def text(self) -> str:
        if self.draw.random() < 0.7:
            return self.draw.choice(TEXTS)
        size = self.draw.choice((1, 3, 40, 300))
        return "".join(chr(self.draw.randrange(0xD7FF)) for _ in range(size))

    def piece(self) -> bytes:
        """A piece of an address, sometimes no text at all."""
        if self.draw.random() < 0.3:
            raw = self.draw.choice(BYTES)
        else:
            raw = self.text()[:2_000].encode("utf-8", "surrogatepass")
        return quote_from_bytes(raw, safe=self.draw.choice(("", "/", "/%.;"))).encode()

    def pages(self) -> list[str]:
        ids = self.ids
        session = f"/sessions/{ids.session}"
        return [
            *("/", "/today", "/history", "/settings", "/trust", "/techniques", "/owner", "/join"),
            *("/protocols/short", "/protocols/short/plan", "/protocols/short/screening"),
            *(session, f"{session}/live", f"{session}/summary", f"{session}/calm/live"),
            *(f"{session}/nudges", f"{session}/after.ics", "/offline", "/healthz", "/readyz"),
            *("/courses", f"/courses/{ids.course}", f"/courses/{ids.course}/course.csv"),
            *("/clients", f"/clients/{ids.client}", f"/screenings/{ids.screening}"),
            *("/owner/data", "/owner/data/erase", "/owner/data/retention", "/owner/data/export"),
            *("/static/x/site.css", "/manifest.webmanifest"),
        ]

    def sent(
        self, method: str, target: bytes, body: bytes = b"", *more: tuple[str, bytes], by: str = ""
    ) -> Bad:
        return Bad(by or self.draw.choice(self.people), method, target, more, body)

    def path(self) -> Bad:
        parts = self.draw.choice(self.pages()).encode().split(b"/")
        at = self.draw.randrange(len(parts))
        parts[at] = self.piece()
        if self.draw.random() < 0.2:
            parts *= self.draw.choice((2, 50))
        return self.sent("GET", (b"/" + b"/".join(parts).lstrip(b"/"))[:8_000])

    def query(self) -> Bad:
        names: tuple[str, ...] = (
            "minutes",
            "optional",
            "seq",
            "until",
            "days",
            "client",
            "session",
            "of",
            "who",
        )
        names += ("page", "next", "protocol", "from", "to", "condition", "region", "x")
        pairs = [
            f"{self.draw.choice(names)}=".encode() + self.piece()
            for _ in range(self.draw.choice((1, 2, 5, 60)))
        ]
        page = self.draw.choice(self.pages()).encode()
        return self.sent("GET", page + b"?" + b"&".join(pairs)[:8_000])

    def method(self) -> Bad:
        page = self.draw.choice([*self.pages(), *self.posts()])
        return self.sent(self.draw.choice(METHODS), page.encode())

    def posts(self) -> dict[str, tuple[str, ...]]:
        """Addresses that take a form, with fields of which one at least has to be right."""
        session = f"/sessions/{self.ids.session}"
        act = ("key", "seq", "step", "time", "another")
        acts = ("start", "pause", "resume", "next", "back", "restart", "extend", "end-at", "end")
        return {
            **{f"{session}/{action}": act for action in acts},
            f"{session}/reading": ("glucose", "glucose-shown", "unit"),
            f"{session}/told": ("before", "after", "skin"),
            "/sessions": ("screening", "early", "before"),
            "/protocols/short/screening": ("minutes", "q-fever", "client"),
            f"/screenings/{self.ids.screening}/word": ("who", "on", "confirmed"),
            "/courses": ("protocol", "client", "sessions"),
            f"/courses/{self.ids.course}": ("sessions", "helped"),
            "/owner/invites": ("role",),
            "/owner/devices/none/role": ("role",),
            "/owner/devices/none/revoke": ("sure",),
            "/owner/data/erase": ("client", "session"),
            "/owner/data/retention": ("days", "on"),
            "/owner/data/copies/delete": ("name",),
            "/owner/data/copies/none/restore": ("anyway",),
            f"/owner/data/import/{self.ids.job}": ("act",),
            "/join": ("code", "token"),
        }

    def buttons(self) -> tuple[str, ...]:
        """What counts without any field."""
        session = f"/sessions/{self.ids.other}"
        more = ("/clients", "/owner/data/backup", f"/courses/{self.ids.course}")
        return (f"{session}/stop", f"{session}/low", *more)

    def form(self) -> Bad:
        target, names = self.draw.choice(list(self.posts().items()))
        fields: Fields = [(name, self.junk()) for name in names if self.draw.random() < 0.9]
        if target.endswith("/screening") and self.draw.random() < 0.5:
            spoilt = self.draw.choice(self.ids.asked)
            fields = [(k, self.junk() if k == spoilt else v) for k, v in SAFE.items()]
        if self.draw.random() < 0.3:
            fields += [
                (self.text()[:50], self.text()) for _ in range(self.draw.choice((1, 30, 300)))
            ]
        kind = FORM if self.draw.random() < 0.85 else self.draw.choice(ODD_TYPES)
        return self.sent("POST", target.encode(), encoded(fields), ("Content-Type", kind.encode()))

    def junk(self) -> str:
        """A value that no field takes: no number in bounds, no word that is known, not empty."""
        while not (text := self.text()).strip(" \x00") or text in ("0", "true"):
            pass
        return text

    def account(self) -> Bad:
        """An account, or what a screen tells, with something wrong in it."""
        which, names = self.draw.choice((("account", ACCOUNT), ("screen", SCREEN)))
        told = self.draw.choice(BROKEN_JSON) if self.draw.random() < 0.4 else self.spoilt(names)
        body = encoded([("account", told)])
        target = f"/sessions/{self.ids.session}/{which}".encode()
        return self.sent("POST", target, body, ("Content-Type", FORM.encode()))

    def spoilt(self, names: tuple[str, ...]) -> str:
        good = {"seq": "1", "line": "1", "alone_since": "1", "counted": "false"}
        good |= {"status": '"running"', "acts": "[]"}
        good |= {"screen": '"screen-01"', "apart": "1", "alone": "1"}
        wrong = self.draw.choice(names)
        bad = {"counted": ('"perhaps"', "7", "null"), "acts": ("7", "[7]", '[{"key": "x"}]')}
        bad |= {"screen": ("7", '"x"', "null")}
        value = self.draw.choice(bad.get(wrong, WRONG))
        pairs = [f'"{name}": {value if name == wrong else good[name]}' for name in names]
        if self.draw.random() < 0.3:
            pairs = [*pairs[:-1], pairs[0], pairs[-1]]  # twice
        if self.draw.random() < 0.2:
            pairs.append(f"{json.dumps(self.text()[:99])}: 1")
        self.draw.shuffle(pairs)
        return "{" + ", ".join(pairs) + "}"

    def upload(self) -> Bad:
        """A form of parts that is broken somewhere: no file comes out of it."""
        name = self.text()[:300].replace('"', "").encode("utf-8", "replace")
        disposition = b'Content-Disposition: form-data; name="other"; filename="' + name + b'"'
        parts = self.draw.choice(
            (
                b"",
                b"--mark--\r\n",
                b"--mark\r\n\r\nno head\r\n--mark--\r\n",
                b"--mark\r\n" + disposition + b"\r\n\r\ntext\r\n--mark--\r\n",
                b"--mark\r\n" + disposition + b"\r\n\r\ncut",
                b"--mark\r\nContent-Disposition: form-data\r\n\r\nx\r\n--mark--\r\n",
                b'--mark\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--mark--\r\n',
                (b"--mark\r\n" + disposition + b"\r\n\r\nx\r\n") * 60 + b"--mark--\r\n",
                b"--mark\r\n" + b"X-Long: " + b"y" * 30_000 + b"\r\n\r\nx\r\n--mark--\r\n",
                self.draw.choice(BYTES) * 200,
            )
        )
        kind = self.draw.choice(
            (b"multipart/form-data; boundary=mark", b"multipart/form-data", b"text/plain")
        )
        return self.sent("POST", b"/owner/data/import", parts, ("Content-Type", kind))

    def head(self) -> Bad:
        """A page asked for with odd headers."""
        names: tuple[str, ...] = (
            "Accept-Encoding",
            "Range",
            "If-None-Match",
            "If-Modified-Since",
            "Cookie",
        )
        names += ("User-Agent", "Referer", "Accept-Language", "HX-Request", "X-Forwarded-For")
        names += ("Forwarded", "X-Http-Method-Override", "X-Original-URL", "Authorization")
        many = [
            (self.draw.choice(names), self.value()) for _ in range(self.draw.choice((1, 3, 12)))
        ]
        return self.sent("GET", self.draw.choice(self.pages()).encode(), b"", *many)

    def value(self) -> bytes:
        """Of a header: no control characters, which no client can send."""
        raw = self.text()[:3_000].encode("utf-8", "replace")
        if self.draw.random() < 0.2:
            raw = self.draw.choice(
                (b"device=%ff%fe; glucose-unit=%00", b"\xff\xfe\x80", b"bytes=-")
            )
        return bytes(byte for byte in raw if byte >= 32 and byte != 127).strip()

    def stranger(self) -> Bad:
        """What would count, from a foreign page or for a foreign name."""
        target = self.draw.choice([*self.posts(), *self.buttons()])
        foreign = self.draw.choice(
            (
                ("Origin", b"http://evil.test"),
                ("Origin", b"null"),
                ("Origin", b""),
                ("Sec-Fetch-Site", b"cross-site"),
                ("Referer", b"http://evil.test/"),
                ("Host", b"evil.test"),
                ("Host", b""),
                ("Host", b"[::1"),
                ("Host", b"\xff\xfe"),
                ("Host", b"a" * 3_000),
            )
        )
        body = encoded([("key", "12345678"), ("sure", "yes"), ("on", "1")])
        return self.sent("POST", target.encode(), body, ("Content-Type", FORM.encode()), foreign)


def encoded(fields: Fields) -> bytes:
    """A form as bytes; half a surrogate pair goes as it is."""
    parts = []
    for name, value in fields:
        pair = (name, value)
        raw = [quote_from_bytes(text.encode("utf-8", "surrogatepass")) for text in pair]
        parts.append("=".join(raw))
    return "&".join(parts).encode()
