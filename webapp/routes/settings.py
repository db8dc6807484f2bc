"""How this device looks, sounds and feels; kept in its cookie, no account."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.presentation.preferences import (
    COOKIE,
    KEPT_SECONDS,
    Preferences,
    preferences_of,
    read_preferences,
)
from webapp.routes import name_in, site
from webapp.settings import is_loopback

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


def this_device() -> Preferences:
    """The settings of the device that asks."""
    return read_preferences(request.cookies.get(site().settings.cookie(COOKIE), ""))


@blueprint.get("")
def show() -> str:
    here = site().settings
    plain = not here.secure and not is_loopback(name_in(request.host))
    refused = "kept" in request.args and here.cookie(COOKIE) not in request.cookies
    return render_template(
        "settings/settings.html", plain=plain, own_authority=here.tls, refused=refused
    )


@blueprint.post("")
def keep() -> Response:
    """Keep the form's settings on this device; the next page says it where the browser refused.

    Script does the same at once, by the same cookie.
    """
    response = redirect(url_for("settings.show", kept="yes"), 303)
    response.set_cookie(
        site().settings.cookie(COOKIE),
        preferences_of(request.form.to_dict()).cookie(),
        max_age=KEPT_SECONDS,
        samesite="Lax",
        secure=site().settings.secure,
    )
    return response
