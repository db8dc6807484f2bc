"""Page on which a device joins: by the token of a QR code, or by a typed code."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.devices import devices_of
from webapp.auth.middleware import authenticator, identify, set_device_cookie
from webapp.domain.invites import TOKEN, read_code
from webapp.routes import request_time, site

blueprint = Blueprint("joining", __name__, url_prefix="/join")

WAIT_SECONDS = 60
MOST_AGENT = 400
NOT_A_CODE = "A code has eight letters, like the ones that are shown beside the QR code."
NEW_ONE = "Ask for a new one."
WORDS = {
    "unknown": "No invite has this code. Please compare it; "
    "after five wrong codes a new invite is needed.",
    "used": f"This invite has let a device in already. {NEW_ONE}",
    "expired": f"This invite is over: it holds for five minutes. {NEW_ONE}",
    "burnt": "Too many wrong codes were typed. Scan the QR code, or ask for a new invite.",
    "too-many": "Many codes were tried just now. Please wait a minute, or scan the QR code.",
}
UNKNOWN_LINK = f"This invite is not known here. {NEW_ONE}"


@blueprint.get("")
def ask() -> Response:
    """Show how to join. The token of a scanned code is in the fragment; script sends it.

    After joining a device is redirected from here, when its browser has stored the cookie.
    """
    who = identify()
    if "done" not in request.args:
        return page("", 200)
    return redirect("/", 303) if who else page("", 401, refused=True)


@blueprint.post("")
def join() -> Response:
    """Let the device in and give it its cookie, or say why not."""
    who = identify()
    if not authenticator().joining or (who and not who.device):
        return redirect("/", 303)
    token, typed = request.form.get("token", ""), request.form.get("code", "")
    letters = "" if token else read_code(typed)
    if letters is None:
        return page(NOT_A_CODE, 422)
    if token and not TOKEN.match(token):
        return page(UNKNOWN_LINK, 403)
    now = request_time()
    if letters and devices_of(site()).limit_reached(now):
        return refusal_page("too-many")
    agent = request.headers.get("User-Agent", "")[:MOST_AGENT]
    before = who.device if who else ""
    joined = devices_of(site()).join(agent, now, token=token, letters=letters, before=before)
    if isinstance(joined, str):
        return page(UNKNOWN_LINK, 403) if token and joined == "unknown" else refusal_page(joined)
    response = redirect(url_for("joining.ask", done="yes"), 303)
    set_device_cookie(response, authenticator().cookie, joined.token)
    return response


def refusal_page(why: str) -> Response:
    if why != "too-many":
        return page(WORDS[why], 403)
    response = page(WORDS[why], 429)
    response.headers["Retry-After"] = str(WAIT_SECONDS)
    return response


def page(said: str, status: int, *, refused: bool = False) -> Response:
    typed = request.form.get("code", "")[:20]
    body = render_template("joining/join.html", said=said, typed=typed, refused=refused)
    return Response(body, status, mimetype="text/html")
