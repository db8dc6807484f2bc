"""HTTP security: checks Host and Origin, and sets the security headers of every response."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, abort, g, request
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from webapp.network import hosts_of
from webapp.settings import Settings

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

ACT = "sessions.command"
WORKER = "offline.worker"
FILES = ("static", WORKER)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
UPLOAD = "/owner/data/import"

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; "
    "media-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types htmx steady-hands"
)

# Files and heartbeats may load nothing when opened by themselves. The policy is short, since most
# responses carry it, and so are the other headers: what only a page heeds stands on pages.
FILE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# The worker asks for pages and files and does nothing else.
WORKER_POLICY = FILE_POLICY.replace("'none'", "'none'; connect-src 'self'", 1)

ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
ON_PAGES = (
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
PERMISSIONS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), "
    "gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), "
    "usb=(), xr-spatial-tracking=(), autoplay=(self), fullscreen=(self), "
    "screen-wake-lock=(self)"
)


# They answer one word, the same to everyone, and change nothing, so a probe may use any name.
ANY_HOST = {"health.lives", "health.ready"}

BARE_HEADERS = (
    *ALWAYS,
    *ON_PAGES,
    ("Permissions-Policy", PERMISSIONS),
    ("Content-Security-Policy", POLICY.format(scripts="'none'")),
)
THIN_HEADERS = (*ALWAYS, ("Content-Security-Policy", FILE_POLICY))


HSTS = ("Strict-Transport-Security", "max-age=31536000")


def fixed_headers(settings: Settings, *, thin: bool = False) -> list[tuple[str, str]]:
    """On every answer; ``thin`` on one that is no page.

    HSTS only at a public address: a name on a LAN may serve others too.
    """
    hosted = settings.public_url and settings.secure
    return [*(THIN_HEADERS if thin else BARE_HEADERS), *([HSTS] if hosted else [])]


def new_nonce() -> str:
    """The nonce of this answer, made at first use."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def same_origin(scheme: str) -> bool:
    """True unless a browser says that another site sent this request.

    The whole origin counts: scheme, host and port. ``Origin: null`` is foreign. Without an Origin
    (no browser leaves it out of a POST) Sec-Fetch-Site and Referer decide.
    """
    own = f"{scheme}://{request.headers.get('Host', '').lower()}"
    own = own.removesuffix(":443") if scheme == "https" else own.removesuffix(":80")
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin == own
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    referrer = request.headers.get("Referer")
    return referrer is None or referrer.startswith(f"{own}/")


def holds_nul() -> bool:
    """True when an address or a form holds the one character that not every database takes."""
    if "\0" in request.path or b"%00" in request.query_string:
        return True
    if request.method in SAFE_METHODS or request.path == UPLOAD or request.endpoint == ACT:
        return False  # an upload may be long, and a stop always counts
    return any("\0" in value for values in request.form.listvalues() for value in values)


def install(app: Flask, settings: Settings) -> None:
    """Put the checks before and the headers behind every request of ``app``."""
    hosts = hosts_of(settings)
    from flask import render_template

    def check() -> tuple[str, int] | None:
        host = request.headers.get("Host", "").lower()
        if request.endpoint in ANY_HOST:
            return None
        if not hosts.know(host):
            return render_template("errors/wrong_host.html", home=hosts.home), 421
        if request.method not in SAFE_METHODS and not same_origin(hosts.scheme):
            return render_template("errors/foreign.html"), 403
        if holds_nul():
            abort(400)
        return None

    bare, thin = (Headers(fixed_headers(settings, thin=small)) for small in (False, True))

    def headers(response: Response) -> Response:
        """The fixed headers are copied as a whole: each one set by itself costs more."""
        is_file = request.endpoint in FILES and response.status_code in (200, 206)
        into = (thin if is_file or response.status_code == 204 else bare).copy()
        into.extend(response.headers)
        if is_file and request.endpoint == WORKER:
            into["Content-Security-Policy"] = WORKER_POLICY
        if "nonce" in g:
            into["Content-Security-Policy"] = POLICY.format(scripts=f"'nonce-{g.nonce}'")
        into.setdefault("Cache-Control", "no-store")
        response.headers = into
        return response

    app.before_request(check)
    app.after_request(headers)
    app.wsgi_app = with_scheme(app.wsgi_app, hosts.scheme)  # type: ignore[method-assign,assignment]


def with_scheme(app: App, scheme: str) -> App:
    """Behind a reverse proxy the settings, not the connection, say that it is https."""

    def ask(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = scheme
        return app(environ, start_response)

    return ask
