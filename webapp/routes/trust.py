"""Pages on how to trust this site's certificate authority; open to everyone, also over http."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request
from werkzeug.wrappers import Response

from webapp.routes import site

if TYPE_CHECKING:
    from webapp.tls.authority import AuthorityInfo

blueprint = Blueprint("trust", __name__, url_prefix="/trust")

KINDS = ("ios", "android", "windows", "macos", "linux")
# In this order: an Android browser also says Linux. An iPad says that it is a Mac.
SIGNS = {
    "iPhone": ("ios",),
    "iPad": ("ios",),
    "Android": ("android",),
    "Windows": ("windows",),
    "Macintosh": ("ios", "macos"),
    "Linux": ("linux",),
    "CrOS": ("linux",),
}


def likely_kinds(user_agent: str) -> tuple[str, ...]:
    """What a device may be, as far as it says so."""
    return next((kinds for sign, kinds in SIGNS.items() if sign in user_agent), ())


@blueprint.get("")
def show() -> str:
    """The steps, those for the device that asks first."""
    likely = likely_kinds(request.headers.get("User-Agent", ""))
    return render_template(
        "trust/trust.html",
        authority=authority_info(),
        settings=site().settings,
        address=f"{site().settings.scheme}://{request.host}/",
        likely=likely,
        kinds=[*likely, *(kind for kind in KINDS if kind not in likely)],
    )


def authority_info() -> AuthorityInfo | None:
    """None where this site has no authority of its own."""
    if not site().settings.tls:
        return None
    from webapp.tls.authority import Authority

    return Authority(site().settings.authority).shown()


@blueprint.get("/steady-hands.crt")
def certificate() -> Response:
    """In the form that phones, Windows and macOS open by themselves."""
    return Response(own_authority().der, mimetype="application/x-x509-ca-cert")


@blueprint.get("/steady-hands.pem")
def certificate_text() -> Response:
    return Response(own_authority().pem, mimetype="application/x-pem-file")


def own_authority() -> AuthorityInfo:
    return authority_info() or abort(404)
