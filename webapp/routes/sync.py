"""What a screen tells afterwards: what was done on it alone, and how well it kept time."""

from __future__ import annotations

from typing import Annotated, TypeVar
from urllib.parse import quote

from flask import Blueprint, abort, request
from pydantic import Field, ValidationError
from werkzeug.wrappers import Response

from webapp.auth import middleware
from webapp.domain.protocol import Model
from webapp.domain.session import STOPS, Action, Event, State, Status
from webapp.domain.sync import MergeResult, OfflineCommand, OfflineLog, merge
from webapp.protocol_files import json_reader
from webapp.routes import site, stored_or_404
from webapp.routes.hindrances import START_NEEDS_THE_SERVER, hindrance
from webapp.routes.sessions import ACT_WORDS, answer
from webapp.storage.sessions import ConflictError, Stored
from webapp.timekeeping.presence import Screen

blueprint = Blueprint("accounts", __name__, url_prefix="/sessions")

Ms = Annotated[int, Field(ge=0, le=10**14)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]

Sent = TypeVar("Sent", bound=Model)

MOST_TRIES = 5
UNREADABLE = "That could not be read, and nothing was changed."
DIFFERED = "The screens disagreed, so the session is paused here."
SETTLED = "Time was lost on the server, but a screen went on counting: the session goes on by it."


class OfflineCommandMessage(Model):
    key: Key
    action: Action
    at: Ms
    step: Annotated[str, Field(max_length=80)]
    wish_ms: Ms | None = None


class OfflineLogMessage(Model):
    """``alone_since`` is the instant, on the screen's line of time, of the last answer it had."""

    seq: Annotated[int, Field(ge=0, le=10**6)]
    line: Ms
    alone_since: Ms
    counted: bool
    status: Status
    acts: Annotated[tuple[OfflineCommandMessage, ...], Field(max_length=300)] = ()


class ScreenMessage(Model):
    screen: Key
    apart: Annotated[int, Field(ge=0, le=10**9)]
    alone: Annotated[int, Field(ge=0, le=10**9)]


def sent(model: type[Sent]) -> Sent | None:
    """What was sent as ``account``; None when it is no such thing."""
    try:
        document = json_reader.parse(request.form.get("account", ""))
        return None if document.faults else model.model_validate(document.value, strict=False)
    except (json_reader.NotJsonError, ValidationError):
        return None


@blueprint.post("/<session_id>/account")
def account(session_id: str) -> Response:
    """Acts that were done while the server could not be asked, all at once; the answer is the truth."""
    stored = stored_or_404(session_id)
    told = sent(OfflineLogMessage)
    if told is None:
        return answer(stored, 422, UNREADABLE)
    if not middleware.may("sessions.command"):
        if any(act.action not in STOPS for act in told.acts):
            return middleware.error_response(403, "Not from this device", middleware.DISPLAY_ONLY)
        told = told.model_copy(update={"counted": False})  # it settles nothing either
    now = site().clock.now()
    for _ in range(MOST_TRIES):
        try:
            taken = take(stored, told, now)
            after = site().storage.record(stored, *taken.events)
            break
        except ConflictError:
            stored = stored_or_404(session_id)
    else:
        abort(503)
    if told.counted:
        site().presence.vouch(session_id, told.alone_since)
    said = in_words(taken, told)
    response = answer(after, said=said)
    response.headers["X-Said"] = quote(said)
    return response


def take(stored: Stored, told: OfflineLogMessage, now: int) -> MergeResult:
    acts = tuple(OfflineCommand(a.key, a.action, a.at, a.step, a.wish_ms) for a in told.acts)
    given = OfflineLog(told.seq, told.line, told.counted, told.status, acts)

    def hindered(events: tuple[Event, ...], state: State, action: Action, at: int) -> str:
        if action == "start":
            return START_NEEDS_THE_SERVER
        return hindrance(stored, events, state, action, at)

    return merge(stored.plan, stored.events, stored.folded, given, now, hindered)  # type: ignore[arg-type]


def in_words(taken: MergeResult, told: OfflineLogMessage) -> str:
    """What became of it; nothing where all went as the screen has shown it."""
    clock = site().clock
    lines = [SETTLED] if taken.settled else []
    for missed in taken.missed:
        when = clock.wall_time(missed.told.at - told.line).strftime("%H:%M:%S")
        lines.append(
            f"Not done: {ACT_WORDS[missed.told.action]} at {when}, {missed.why.rstrip('.')}."
        )
    if taken.paused:
        lines.append(DIFFERED)
    return " ".join(lines)


@blueprint.post("/<session_id>/screen")
def screen(session_id: str) -> Response:
    """How far a screen was ever apart from the server, and how long it was on its own."""
    stored = stored_or_404(session_id)
    told = sent(ScreenMessage)
    if told is None:
        return answer(stored, 422, UNREADABLE)
    site().presence.tell_screen(session_id, Screen(told.screen, told.apart, told.alone))
    return Response(status=204)
