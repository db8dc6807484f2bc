"""Owner's pages: invites, joined devices, and all pictures."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.devices import Device, devices_of
from webapp.auth.invites import NewInvite
from webapp.auth.middleware import authenticator, current_identity
from webapp.domain.invites import NAMES, role_named
from webapp.routes import addresses, outside, request_clock, request_time, site

blueprint = Blueprint("owner", __name__, url_prefix="/owner")

NOW_MS = 90_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NO_ROLE = "Please choose what the device may do."


@blueprint.get("")
def show() -> Response:
    return page()


@blueprint.get("/pictures")
def pictures() -> Response:
    """Show every phase with picture and words, for the reviewer of the content."""
    library = site().library
    plans = [plan for entry in library.entries.values() if (plan := library.whole_plan(entry))]
    return Response(render_template("owner/pictures.html", plans=plans), mimetype="text/html")


@blueprint.post("/invites")
def invite() -> Response:
    """Create an invite. Only this answer shows it, because only hashes are stored."""
    check_joining()
    role = role_named(request.form.get("role", ""))
    if role is None:
        return page(422, fault=NO_ROLE)
    return page(new_invite=devices_of(site()).invite(role, request_time()))


@blueprint.post("/devices/<device_id>/role")
def change_role(device_id: str) -> Response:
    device = device_or_404(device_id)
    role = role_named(request.form.get("role", ""))
    if role is None:
        return page(422, fault=NO_ROLE)
    devices_of(site()).change_role(device.id, role)
    return redirect(url_for("owner.show") + "#devices", 303)


@blueprint.post("/devices/<device_id>/revoke")
def revoke(device_id: str) -> Response:
    """Ask first; then revoke the device from its next request on."""
    device = device_or_404(device_id)
    if request.form.get("sure") != "yes":
        return page(revoking=device)
    devices_of(site()).revoke(device.id, request_time())
    return redirect(url_for("owner.show") + "#devices", 303)


def check_joining() -> None:
    if not authenticator().joining:
        abort(409)


def device_or_404(device_id: str) -> Device:
    check_joining()
    return devices_of(site()).get(device_id) or abort(404)


def page(
    status: int = 200,
    *,
    new_invite: NewInvite | None = None,
    revoking: Device | None = None,
    fault: str = "",
) -> Response:
    joined, gone = devices_of(site()).all() if authenticator().joining else ([], [])
    who = current_identity()
    body = render_template(
        "owner/owner.html",
        home=outside(),
        addresses=addresses(),
        new_invite=new_invite,
        revoking=revoking,
        fault=fault,
        devices=joined,
        gone=gone,
        this=who.device if who else "",
        roles=list(NAMES),
        chosen=request.form.get("role") or "operator",
        when=time_ago,
        hour=hour,
        qr=invite_qr(new_invite) if new_invite else "",
    )
    return Response(body, status, mimetype="text/html")


def invite_qr(new_invite: NewInvite) -> str:
    # QR codes need a library that few pages need.
    from webapp.presentation.qr import qr_code

    return qr_code(new_invite.address(outside()))


def hour(at: int) -> str:
    return request_clock().wall_time_of(at).strftime("%H:%M")


def time_ago(at: int) -> str:
    """Return how long ago, in words."""
    ago = request_time() - at
    if ago < NOW_MS:
        return "just now"
    if ago < HOUR_MS:
        return f"{ago // 60_000} min ago"
    if ago < DAY_MS:
        return f"{ago // HOUR_MS} h ago"
    return request_clock().wall_time_of(at).strftime("%d %B %Y")
