"""Page of this device's settings: theme, sound and touch, stored in its cookie."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.domain.emergency_number import (
    EmergencyNumber,
    emergency_number,
    is_number,
    region_of,
)
from webapp.domain.signs import typed_text
from webapp.presentation.errors import error_response
from webapp.presentation.preferences import (
    COOKIE,
    KEPT_SECONDS,
    Preferences,
    preferences_of,
    read_preferences,
)
from webapp.routes import name_in, request_clock, site
from webapp.settings import is_loopback

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


def this_device() -> Preferences:
    """The settings of the device that asks."""
    return read_preferences(request.cookies.get(site().settings.cookie(COOKIE), ""))


def local_number() -> EmergencyNumber:
    """The emergency number for the device that asks."""
    preferences = this_device()
    languages = (tag for tag in request.accept_languages.values() if region_of(tag))
    return emergency_number(
        preferences.emergency, preferences.zone, request_clock().zone_name, next(languages, "")
    )


@blueprint.get("")
def show() -> str:
    settings = site().settings
    plain = not settings.secure and not is_loopback(name_in(request.host))
    refused = "kept" in request.args and settings.cookie(COOKIE) not in request.cookies
    return render_template(
        "settings/settings.html", plain=plain, own_authority=settings.tls, refused=refused
    )


@blueprint.post("")
def store() -> Response:
    """Keep the form's settings on this device; the next page says it where the browser refused.

    Script does the same at once, by the same cookie.
    """
    before = this_device()
    chosen = preferences_of(request.form.to_dict())
    return redirect_with_cookie(
        replace(chosen, zone=before.zone, emergency=before.emergency),
        url_for("settings.show", kept="yes"),
    )


@blueprint.post("/emergency-number")
def store_number() -> Response:
    """Keep the emergency number that was chosen or typed, and show the page it came from."""
    number = request.form.get("chosen") or typed_text(request.form.get("typed", ""))
    if not is_number(number):
        return error_response(
            422,
            "Not a number to call",
            "An emergency number has two to six digits, like 112. Go back and type it again.",
        )
    return redirect_with_cookie(replace(this_device(), emergency=number), came_from())


def came_from() -> str:
    """The path of our page that sent this form; the first page if the browser does not tell."""
    path = urlsplit(request.headers.get("Referer", "")).path
    return path if re.match(r"/(?![/\\])", path) else "/"


def redirect_with_cookie(preferences: Preferences, then: str) -> Response:
    """An answer that keeps the settings in the cookie and leads on."""
    response = redirect(then, 303)
    response.set_cookie(
        site().settings.cookie(COOKIE),
        preferences.cookie(),
        max_age=KEPT_SECONDS,
        samesite="Lax",
        secure=site().settings.secure,
    )
    return response
