"""Static files: bundled, named by a content hash, and compressed once at the start.

One hash names the whole set, so that modules can import each other by relative address. The
stylesheets of a page are served as one, in the order of ``SHEETS``; there is no build step. Scripts
and styles are served without comments and indentation.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from posixpath import dirname, join, normpath

import brotli  # type: ignore[import-untyped]
from flask import Flask, abort, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

FIRST = ("tokens", "base", "layout", "components/catalogue", "components/figure")
STAGE_ALONE = (
    "stage/layout",
    "stage/step",
    "stage/foot",
    "stage/stop",
    "stage/controls",
    "stage/checks",
    "stage/lock",
    "stage/notes",
    "stage/sizes",
    "stage/places",
    "stage/hands",
    "stage/guide",
    "stage/movement",
)
REST = (
    "components/protocol",
    "components/questions",
    "components/fields",
    "components/follow-ups",
    "components/verdict",
    *STAGE_ALONE,
    "stage/screens",
    "components/courses",
    "components/scores",
    "components/chart",
    "components/trust",
    "components/owner",
    "components/data",
)
STAGE = ("tokens", "base", "components/figure", *STAGE_ALONE)
# The first page and the stage have sheets of their own: fewer bytes before anything can be seen.
SHEETS = {"first.css": FIRST, "site.css": (*FIRST, *REST), "stage.css": STAGE}
# The vendored files are one module, so that nothing runs between them.
HTMX = ("vendor/htmx-4.0.1.min.js", "vendor/hx-csp-4.0.1.min.js")
GLOBAL = b"globalThis.htmx = htmx;"
IMPORT = re.compile(r'^(?:import|export)\b[^;"]* from "(\.[^"]+)";$', re.MULTILINE)
JS_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)$\n?", re.MULTILINE | re.DOTALL)
END_COMMENT = re.compile(r"[ \t]+// [^\n\"'`]*$", re.MULTILINE)  # a quote might end a text
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CSS_AROUND = re.compile(r"\s*([{};])\s*")
CSS_AFTER = re.compile(r"(?<=[:,])\s+")
TEXT_TYPES = ("text/css", "text/javascript", "image/svg+xml", "application/json")
WORTH_COMPRESSING = 600
FILE_QUALITY = 11
LARGE_PAGE = 32_000
GZIP = 16


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    kind: str

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def content_type(self) -> str:
        return f"{self.kind}; charset=utf-8" if self.kind in TEXT_TYPES else self.kind

    # Compressed at the first request: most files are sent in only one of the two encodings.

    @cached_property
    def brotli(self) -> bytes | None:
        is_text = self.kind in TEXT_TYPES
        return brotli.compress(self.body, quality=FILE_QUALITY) if is_text else None

    @cached_property
    def zipped(self) -> bytes | None:
        return gzip.compress(self.body, 9, mtime=0) if self.kind in TEXT_TYPES else None


@dataclass(frozen=True)
class Assets:
    """All static files, by address below the version."""

    version: str
    files: dict[str, Asset]

    def url(self, name: str) -> str:
        """Return the address of a file. Raises KeyError for an unknown one."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def modules(self, entries: Iterable[str]) -> list[str]:
        """The addresses of modules, ``js/<entry>.js``, and of all that they import.

        Raises KeyError for a module that is not there.
        """
        names = [f"js/{entry}.js" for entry in entries]
        for name in names:  # grows on the way
            names += [other for other in self.imports[name] if other not in names]
        return [self.url(name) for name in names]

    @cached_property
    def imports(self) -> dict[str, list[str]]:
        """What each module imports, by name below the version."""
        return {
            name: [normpath(join(dirname(name), path)) for path in IMPORT.findall(file.text)]
            for name, file in self.files.items()
            if name.startswith("js/")
        }

    def packed(self, name: str) -> tuple[bytes, str]:
        """Return the file compressed for this request's browser, and the encoding or ""."""
        file = self.files[name]
        if accepts("br") and file.brotli:
            return file.brotli, "br"
        return (file.zipped, "gzip") if file.zipped and accepts("gzip") else (file.body, "")


def read_assets(folder: Path) -> Assets:
    """Read all files below ``folder``, and join the stylesheets."""
    raw = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    for sheet, parts in SHEETS.items():
        joined = "\n".join(raw[f"css/{name}.css"].decode() for name in parts)
        raw[sheet] = tight_css(joined).encode()
    htmx, *extensions = (raw[name] for name in HTMX)
    raw["htmx.js"] = b"\n".join([htmx, GLOBAL, *extensions])
    for name in raw:
        if name.startswith("js/"):
            raw[name] = tight_js(raw[name].decode()).encode()
    digest = hashlib.sha256()
    for name, body in raw.items():
        digest.update(name.encode() + b"\0" + body)
    version = digest.hexdigest()[:12]
    worker = raw["js/offline/service-worker.js"]
    raw["worker.js"] = f'const VERSION = "{version}";\n'.encode() + worker
    return Assets(version, {name: asset(name, body) for name, body in raw.items()})


def tight_css(text: str) -> str:
    """Remove comments and spaces; no text in these files holds such signs."""
    return CSS_AFTER.sub("", CSS_AROUND.sub(r"\1", CSS_COMMENT.sub("", text))).replace(";}", "}")


def tight_js(text: str) -> str:
    """Remove indentation and comments; no text in these files has several lines."""
    return INDENT.sub("", END_COMMENT.sub("", JS_COMMENT.sub("", text)))


def asset(name: str, body: bytes) -> Asset:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if name.endswith(".js"):
        kind = "text/javascript"
    return Asset(body, kind)


def quickly_zipped(fragment: bytes) -> bytes:
    """Compress a fragment with small tables, which are faster to set up."""
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP + 13, 6)
    return packer.compress(fragment) + packer.flush()


def packed_page(page: bytes) -> tuple[bytes, str]:
    """Return the page compressed for this request's browser, and the encoding or "".

    A page with all of its steps is worth some ms; a fragment after each act is not.
    """
    large = len(page) > LARGE_PAGE
    if accepts("br"):
        return brotli.compress(page, quality=8 if large else 2), "br"
    if accepts("gzip"):
        return gzip.compress(page, 6) if large else quickly_zipped(page), "gzip"
    return page, ""


def accepts(encoding: str) -> bool:
    return takes(request.headers.get("Accept-Encoding", ""), encoding)


@lru_cache(maxsize=200)
def takes(accepted: str, encoding: str) -> bool:
    """Whether an Accept-Encoding header has ``encoding`` (RFC 9110, 12.5.3); browsers send few."""
    return parse_accept_header(accepted, Accept).quality(encoding) > 0


def encode(response: Response, body: bytes, encoding: str) -> Response:
    response.set_data(body)
    response.headers["Vary"] = "Accept-Encoding"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def install(app: Flask, assets: Assets) -> None:
    """Serve the files, offer ``asset_url`` to templates, and compress pages."""

    def send(version: str, name: str) -> Response:
        file = assets.files.get(name)
        if file is None or version != assets.version:
            abort(404)
        response = encode(Response(), *assets.packed(name))
        response.headers["Content-Type"] = file.content_type
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
        if file.content_type.startswith("video/"):
            response.make_conditional(request, accept_ranges=True, complete_length=len(file.body))
        return response

    def compress(response: Response) -> Response:
        small = response.status_code == 204 or (response.content_length or 0) < WORTH_COMPRESSING
        if small or response.mimetype != "text/html":
            return response
        return encode(response, *packed_page(response.get_data()))

    app.add_url_rule("/static/<version>/<path:name>", "static", send)
    app.after_request(compress)
    app.extensions["assets"] = assets
    app.jinja_env.globals["asset_url"] = assets.url
    app.jinja_env.globals["module_urls"] = assets.modules
    app.jinja_env.globals["version"] = assets.version
