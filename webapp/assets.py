"""Static files under a name that changes with their content, read and compressed once at start.

One hash names the whole set, so that modules can import each other by relative address. The
stylesheets of a page are served as one, in the order of ``SHEETS``; there is no build step.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Flask, abort, request
from werkzeug.wrappers import Response

from webapp.bundles import bundle, tight

FIRST = ("tokens", "base", "catalogue", "figure")
REST = (
    "protocol",
    "screening",
    "session",
    "hands",
    "guide",
    "movement",
    "screens",
    "course",
    "chart",
    "trust",
    "owner",
    "data",
)
STAGE = ("tokens", "base", "figure", "session", "hands", "guide", "movement")
# The first page and the stage have sheets of their own: fewer bytes before anything can be seen.
SHEETS = {"first.css": FIRST, "site.css": (*FIRST, *REST), "stage.css": STAGE}
# The stage has many modules; each request costs more than most of them.
SCRIPTS = {
    "stage.js": (
        "session-stage",
        "session-hands",
        "screen-awake",
        "session-voice",
        "stroke-guide",
        "count-down",
        "keep-offline",
    ),
    "ready.js": ("pre-flight",),
    "alone.js": ("alone",),
    "kept.js": ("kept-list",),
}
# The vendored files as one module: nothing can begin between them.
HTMX = ("vendor/htmx-4.0.1.min.js", "vendor/hx-csp-4.0.1.min.js")
GLOBAL = b"globalThis.htmx = htmx;"
# Loaded into a page that has the other one.
ON = {"ready.js": "stage.js", "alone.js": "stage.js"}
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
TEXT_TYPES = ("text/css", "text/javascript", "image/svg+xml", "application/json")
WORTH_COMPRESSING = 600
LARGE_PAGE = 32_000
GZIP = 16


@dataclass(frozen=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    kind: str

    @property
    def content_type(self) -> str:
        return f"{self.kind}; charset=utf-8" if self.kind in TEXT_TYPES else self.kind

    @cached_property
    def zipped(self) -> bytes | None:
        """Made when somebody asks: most modules are only ever sent inside a bundle."""
        return gzip.compress(self.body, 9, mtime=0) if self.kind in TEXT_TYPES else None


@dataclass(frozen=True)
class Assets:
    """All static files by address below the version."""

    version: str
    files: dict[str, Asset]

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError for one that is not there."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"


def read_assets(folder: Path) -> Assets:
    """Everything below ``folder``, and the stylesheets."""
    raw = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    for sheet, parts in SHEETS.items():
        joined = "\n".join(raw[f"css/{name}.css"].decode() for name in parts)
        raw[sheet] = tight(CSS_COMMENT.sub("", joined)).encode()
    htmx, *extensions = (raw[name] for name in HTMX)
    raw["htmx.js"] = b"\n".join([htmx, GLOBAL, *extensions])
    modules = {
        name.removeprefix("js/").removesuffix(".js"): body.decode()
        for name, body in raw.items()
        if name.startswith("js/")
    }
    for script, entries in SCRIPTS.items():
        on = ON.get(script, "")
        raw[script] = bundle(modules, entries, on, SCRIPTS.get(on, ())).encode()
    digest = hashlib.sha256()
    for name, body in raw.items():
        digest.update(name.encode() + b"\0" + body)
    return Assets(digest.hexdigest()[:12], {name: asset(name, body) for name, body in raw.items()})


def asset(name: str, body: bytes) -> Asset:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name.endswith(".js"):
        kind = "text/javascript"
    return Asset(body, kind)


def quickly_zipped(fragment: bytes) -> bytes:
    """For what is made with each act: setting up the usual tables takes longer than filling them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP + 13, 6)
    return packer.compress(fragment) + packer.flush()


def accepts_gzip() -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def install(app: Flask, assets: Assets) -> None:
    """Serve the files, offer ``asset_url`` to templates, and compress pages."""

    def send(version: str, name: str) -> Response:
        found = assets.files.get(name)
        if found is None or version != assets.version:
            abort(404)
        use_zip = found.zipped is not None and accepts_gzip()
        response = Response(found.zipped if use_zip else found.body)
        response.headers["Content-Type"] = found.content_type
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        if use_zip:
            response.headers["Content-Encoding"] = "gzip"
        if found.content_type.startswith("video/"):
            response.make_conditional(request, accept_ranges=True, complete_length=len(found.body))
        return response

    def compress(response: Response) -> Response:
        small = response.status_code == 204 or (response.content_length or 0) < WORTH_COMPRESSING
        if small or response.mimetype != "text/html" or not accepts_gzip():
            return response
        page = response.get_data()
        large = len(page) > LARGE_PAGE
        response.set_data(gzip.compress(page, 6) if large else quickly_zipped(page))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        return response

    app.add_url_rule("/static/<version>/<path:name>", "static", send)
    app.after_request(compress)
    app.extensions["assets"] = assets
    app.jinja_env.globals["asset_url"] = assets.url
    app.jinja_env.globals["version"] = assets.version
