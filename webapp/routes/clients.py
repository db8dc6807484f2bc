"""Pages of clients and their cards. Clients are codes; no field takes a name."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.domain.clinician_word import AskedWord, KeptWord
from webapp.domain.course import Client
from webapp.domain.screening import word_fault
from webapp.domain.signs import typed_text
from webapp.presentation.verdicts import who_may_renew, words_of_asked
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import assignments, courses, outside, request_clock, request_time, site
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
        **assignments.word_context(client),
    )


@blueprint.post("/<client_id>/words")
def tell_word(client_id: str) -> Response:
    """A word that is asked for: opened, then who and when, then the confirmation of that."""
    client = client_or_404(client_id)
    here = site()
    asked = asked_word_or_404(client)
    who, on = request.form.get("who", ""), typed_text(request.form.get("on", ""))
    today = request_clock().wall_time().date()
    may = who_may_renew(asked.question)
    opened = request.form.get("open") == "1"
    fault = "" if opened else word_fault(who, on, today, may, asked.days)
    if opened or fault or request.form.get("confirmed") != "yes":
        back = protocol_behind()
        page = render_template(
            "clients/word.html",
            word_client=client,
            word=words_of_asked(asked, here.library.catalogue, today),
            word_back=back.protocol.id if back else "",
            confirm=not opened and not fault,
            fault=fault,
            who=who,
            on=on,
            today=today.isoformat(),
        )
        return Response(page, 422 if fault else 200, mimetype="text/html")
    told = KeptWord(
        question=asked.question,
        answer=asked.answer,
        who=next(name for name in may if name == who),
        on=on,
        told_at=request_time(),
        days=asked.days,
    )
    clinician_words.keep_words(here.storage, client.id, [told])
    return back_from_word(client)


@blueprint.post("/<client_id>/words/remove")
def remove_word(client_id: str) -> Response:
    """End a kept word; what it cleared and has not begun is refused."""
    client = client_or_404(client_id)
    asked = asked_word_or_404(client)
    clinician_words.drop_words(site().storage, client.id, {asked.question})
    return back_from_word(client)


def asked_word_or_404(client: Client) -> AskedWord:
    """The word for the question in the form."""
    question = request.form.get("question", "")
    found = [
        word
        for word in assignments.words_asked_of(client, protocol_behind())
        if word.question == question
    ]
    if not found:
        abort(404)
    return found[0]


def protocol_behind() -> LibraryEntry | None:
    """The protocol from which the word is told, None for the client's own page."""
    return site().library.get(request.form.get("back", ""))


def back_from_word(client: Client) -> Response:
    """303 to where the word was told."""
    if back := protocol_behind():
        address = url_for("protocols.show", protocol_id=back.protocol.id, client=client.id)
        return redirect(address, 303)
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
