"""Offline sync endpoints: what a device did on its own, and how well it kept time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from flask import Blueprint, abort, request
from pydantic import Field, ValidationError
from werkzeug.wrappers import Response

from webapp.auth import middleware
from webapp.domain.admission import START_NEEDS_THE_SERVER
from webapp.domain.protocol import Model
from webapp.domain.session import STOPS, Action, Event, State
from webapp.domain.sync import Key, MergeResult, OfflineLog, merge
from webapp.presentation.errors import error_response
from webapp.protocol_files import json_reader
from webapp.protocol_files.validation import ModelT
from webapp.routes import request_clock, request_time, site, stored_or_404
from webapp.routes.sessions import ACT_WORDS, admission_check
from webapp.storage.sessions import ConflictError, Stored
from webapp.timekeeping.presence import Screen

blueprint = Blueprint("sync", __name__, url_prefix="/sessions")

MOST_TRIES = 5
UNREADABLE = "That could not be read, and nothing was changed."
DIFFERED = "The screens disagreed, so the session is paused here."
TIME_CONFIRMED = (
    "Time was lost on the server, but a screen went on counting: the session goes on by it."
)


class ScreenReport(Model):
    """The largest difference of a screen's clock from the server's, and its time offline, in ms."""

    screen: Key
    apart: Annotated[int, Field(ge=0, le=10**9)]
    alone: Annotated[int, Field(ge=0, le=10**9)]


def read_message(model: type[ModelT]) -> ModelT | None:
    """Return the form field ``account`` as ``model``; None when it is invalid."""
    try:
        document = json_reader.parse(request.form.get("account", ""))
        return None if document.faults else model.model_validate(document.value, strict=False)
    except (json_reader.NotJsonError, ValidationError):
        return None


@blueprint.post("/<session_id>/account")
def merge_offline(session_id: str) -> Response:
    """Merge the offline log of a device into the session.

    The answer is empty, or a text for the person that says which acts were not done.
    """
    stored = stored_or_404(session_id)
    log = read_message(OfflineLog)
    if log is None:
        return Response(UNREADABLE, 422, mimetype="text/plain")
    if not middleware.may("sessions.command"):
        if any(command.action not in STOPS for command in log.acts):
            return error_response(403, "Not from this device", middleware.DISPLAY_ONLY)
        log = log.model_copy(update={"counted": False})  # it confirms no time either
    now = request_time()
    for _ in range(MOST_TRIES):
        try:
            result = merge_log(stored, log, now)
            site().storage.record(stored, *result.events)
            break
        except ConflictError:
            stored = stored_or_404(session_id, again=True)
    else:
        abort(503)
    if log.counted:
        site().presence.remove_gaps(session_id, log.alone_since)
    text = describe_result(result, log.line)
    return Response(text, 200 if text else 204, mimetype="text/plain")


def merge_log(stored: Stored, log: OfflineLog, now: int) -> MergeResult:
    refusal_of = admission_check(stored).refusal_of

    def check(events: Sequence[Event], state: State, action: Action, at: int) -> str:
        if action == "start":
            return START_NEEDS_THE_SERVER
        return refusal_of(events, state, action, at)

    return merge(stored.plan, stored.events, stored.folded, log, now, check)


def describe_result(result: MergeResult, line: int) -> str:
    """Return the result of a merge in sentences; empty when it is what the screen shows."""
    clock = request_clock()
    lines = [TIME_CONFIRMED] if result.time_confirmed else []
    for rejected in result.rejected:
        command = rejected.command
        when = clock.wall_time(command.at - line).strftime("%H:%M:%S")
        lines.append(
            f"Not done: {ACT_WORDS[command.action]} at {when}, {rejected.why.rstrip('.')}."
        )
    if result.paused:
        lines.append(DIFFERED)
    return " ".join(lines)


@blueprint.post("/<session_id>/screen")
def report_screen(session_id: str) -> Response:
    """Store how well a screen kept the server's time."""
    stored_or_404(session_id)
    report = read_message(ScreenReport)
    if report is None:
        return Response(UNREADABLE, 422, mimetype="text/plain")
    site().presence.store_screen(session_id, Screen(report.screen, report.apart, report.alone))
    return Response(status=204)
