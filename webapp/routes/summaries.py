"""Scores and notes after a session, and what its summary shows of the course."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.domain.aftercare import advice, reminders
from webapp.domain.assignment import score_of
from webapp.domain.record import SCORES, SKIN, Feedback, skin_asked
from webapp.domain.signs import kept
from webapp.domain.snapshot import Snapshot, view
from webapp.presentation.htmx import fragment_or_redirect, is_htmx
from webapp.routes import courses, request_time, site, stored_or_404
from webapp.routes.settings import this_device
from webapp.storage.sessions import Stored

blueprint = Blueprint("summaries", __name__, url_prefix="/sessions")

MOST_NOTE = 500
KNOWN: dict[str, list[str]] = {
    "before": [*map(str, SCORES)],
    "after": [*map(str, SCORES)],
    "skin": [*SKIN],
}


def snapshot_of(stored: Stored) -> Snapshot:
    return view(stored.plan, stored.folded, stored.seq, request_time())


@blueprint.post("/<session_id>/told")
def store(session_id: str) -> Response:
    """Pain before or after, the skin, a note: what the form has replaces what was there."""
    stored = stored_or_404(session_id)
    before = site().courses.feedback(stored.id)
    feedback = with_fields(before, snapshot_of(stored).hands_on_over)
    if feedback != before:
        site().courses.store_feedback(stored.id, feedback)
    fragment = ""
    if is_htmx():
        fragment = render_template(
            "sessions/_told.html", session_id=stored.id, **feedback_context(stored, feedback)
        )
    address = url_for("sessions.summary", session_id=stored.id) + "#told"
    return fragment_or_redirect(fragment, address)


def with_fields(feedback: Feedback, over: bool) -> Feedback:
    """What was told with the form's fields; an empty score takes it back. 422 for what is none."""
    fields = request.form
    if any(fields.get(name) and fields[name] not in known for name, known in KNOWN.items()):
        abort(422)
    if "before" in fields:
        feedback = replace(feedback, before=score_of(fields["before"]))
    if over and "after" in fields:
        feedback = replace(feedback, after=score_of(fields["after"]))
    if over and "skin" in fields:
        feedback = replace(feedback, skin=next((s for s in SKIN if s == fields["skin"]), None))
    if over and "note" in fields and this_device().note == "on":
        feedback = replace(feedback, note=kept(fields["note"], MOST_NOTE))
    return feedback


def feedback_context(stored: Stored, feedback: Feedback) -> dict[str, object]:
    return {
        "told": feedback,
        "advice_told": advice(feedback, stored.plan),
        "skin_asked": skin_asked(stored.plan),
    }


def context(stored: Stored, snapshot: Snapshot) -> dict[str, object]:
    """What the summary shows besides planned and done."""
    now = snapshot.state.at
    standing = courses.standing_of(stored.course) if stored.course else None
    records = [past for past in standing.pasts if past.id == stored.id] if standing else []
    feedback = records[0].feedback if records else site().courses.feedback(stored.id)
    ahead = [reminder for reminder in reminders(stored.plan, snapshot.state) if reminder.at > now]
    return {
        **feedback_context(stored, feedback),
        "standing": standing,
        "reminders": ahead,
    }


@blueprint.get("/<session_id>/after.ics")
def after(session_id: str) -> Response:
    """What is to be done after this session, for a calendar."""
    from webapp.presentation.ical import reminder_calendar

    stored = stored_or_404(session_id)
    state = snapshot_of(stored).state
    due = reminders(stored.plan, state)
    if not due:
        abort(404)
    body = reminder_calendar(stored.id, due, state.at)
    return courses.download(body, "text/calendar", "after-the-session.ics")
