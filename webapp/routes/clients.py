"""Pages of clients and their cards. Clients are codes; no field takes a name."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.domain.clinician_word import KeptWord
from webapp.domain.course import Client
from webapp.domain.screening import word_fault
from webapp.domain.signs import typed_text
from webapp.presentation.verdicts import kept_word_words, who_may_renew
from webapp.routes import courses, outside, request_clock, request_time, site
from webapp.settings import is_loopback
from webapp.storage import clinician_words

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
        **word_context(client),
    )


def word_context(client: Client) -> dict[str, object]:
    """The clinicians' words that are kept for a client."""
    here = site()
    today = request_clock().wall_time().date()
    kept = clinician_words.words_of_client(here.storage, client.id)
    return {
        "word_client": client,
        "word_back": "",
        "kept_words": kept_word_words(kept, here.library.catalogue, today),
        "today": today.isoformat(),
    }


@blueprint.post("/<client_id>/words")
def renew_word(client_id: str) -> Response:
    """A kept word said anew: opened, then who and when, then the confirmation of exactly that."""
    client = client_or_404(client_id)
    here = site()
    kept = kept_or_404(client)
    who, on = request.form.get("who", ""), typed_text(request.form.get("on", ""))
    today = request_clock().wall_time().date()
    may = who_may_renew(kept)
    opened = request.form.get("open") == "1"
    fault = "" if opened else word_fault(who, on, today, may, kept.days)
    if opened or fault or request.form.get("confirmed") != "yes":
        (shown,) = kept_word_words([kept], here.library.catalogue, today)
        back = request.form.get("back", "")
        page = render_template(
            "clients/word.html",
            word_client=client,
            word=shown,
            word_back=back if here.library.get(back) else "",
            confirm=not opened and not fault,
            fault=fault,
            who=who,
            on=on,
            today=today.isoformat(),
        )
        return Response(page, 422 if fault else 200, mimetype="text/html")
    known = next(name for name in may if name == who)
    told = kept.model_copy(update={"who": known, "on": on, "told_at": request_time()})
    clinician_words.keep_words(here.storage, client.id, [told])
    return back_from_word(client)


@blueprint.post("/<client_id>/words/remove")
def remove_word(client_id: str) -> Response:
    """End a kept word; what it cleared and has not begun is refused."""
    client = client_or_404(client_id)
    clinician_words.drop_words(site().storage, client.id, {kept_or_404(client).question})
    return back_from_word(client)


def kept_or_404(client: Client) -> KeptWord:
    """The kept word for the question in the form."""
    asked = request.form.get("question", "")
    catalogue = site().library.catalogue
    known = clinician_words.words_of_client(site().storage, client.id)
    found = [w for w in known if w.question == asked and asked in catalogue.questions]
    if not found:
        abort(404)
    return found[0]


def back_from_word(client: Client) -> Response:
    """303 to the protocol from which the word was told, or to the client."""
    back = request.form.get("back", "")
    if site().library.get(back):
        return redirect(url_for("protocols.show", protocol_id=back, client=client.id), 303)
    return redirect(url_for("clients.show", client_id=client.id), 303)


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
