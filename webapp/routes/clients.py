"""Pages of clients and their cards. Clients are codes; no field takes a name."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.domain.course import Client
from webapp.routes import courses, outside, request_clock, request_time, site
from webapp.settings import is_loopback

blueprint = Blueprint("clients", __name__, url_prefix="/clients")

MOST = 200


def client_or_404(client_id: str) -> Client:
    client = site().courses.client(client_id)
    if client is None:
        abort(404)
    return client


@blueprint.get("")
def index() -> str:
    return render_template("clients/clients.html", clients=site().courses.clients()[:MOST])


@blueprint.post("")
def add() -> Response:
    """A new code."""
    here = site()
    client = here.courses.add_client(request_time())
    return redirect(url_for("clients.show", client_id=client.id), 303)


@blueprint.get("/<client_id>")
def show(client_id: str) -> str:
    """A client's courses; the code on the card leads here."""
    client = client_or_404(client_id)
    return render_template(
        "clients/client.html",
        client=client,
        standings=courses.standings(client.id),
        clock=request_clock(),
    )


@blueprint.get("/<client_id>/card")
def card(client_id: str) -> str:
    """The printable card: the code, and a QR code that opens the client's courses."""
    # Drawing takes a library that no other page needs.
    from webapp.presentation.qr import qr_code

    client = client_or_404(client_id)
    home = outside()
    return render_template(
        "clients/card.html",
        client=client,
        qr=qr_code(home + url_for("clients.show", client_id=client.id)),
        only_here=is_loopback(urlsplit(home).hostname or ""),
    )
