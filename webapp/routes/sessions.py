"""Pages of a session: the stage, its live fragment, and its commands."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import AnyConverter, Map
from werkzeug.wrappers import Response

from webapp.auth.middleware import may
from webapp.domain.admission import AdmissionCheck
from webapp.domain.assignment import REASONS, early_reason
from webapp.domain.calendar_dates import HOUR_MS, instant, next_time
from webapp.domain.commands import decide, told
from webapp.domain.glucose import RECHECK_MINUTES, after_session
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.protocol import FirstSide
from webapp.domain.session import (
    ANY_STATUS,
    STOPS,
    TRANSITIONS,
    Action,
    RefusedError,
    State,
    Status,
)
from webapp.domain.signs import typed_text
from webapp.domain.snapshot import Snapshot, view
from webapp.domain.unobserved import unobserved_ms
from webapp.presentation.filters import hue, side_and_area, to_json
from webapp.presentation.htmx import fragment_or_redirect, is_htmx
from webapp.routes import (
    assignments,
    protocols,
    request_clock,
    request_time,
    screenings,
    site,
    stored_or_404,
    summaries,
)
from webapp.routes.catalogue import running_now
from webapp.routes.screening_form import UNITS, reading_now
from webapp.storage.sessions import ConflictError, Stored

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")


class Act(AnyConverter):
    """One of the acts by name, to tell a wrong method from an address that is not there."""

    def __init__(self, rules: Map) -> None:
        super().__init__(rules, *ANY_STATUS)


@blueprint.record
def register_act_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["act"] = Act


@blueprint.app_template_filter("permitted")
def permitted(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return those of ``actions`` that the device which asks may do."""
    return tuple(action for action in actions if may("sessions.command", action))


KEY = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
TIME = re.compile(r"^([01]?\d|2[0-3])[:.]([0-5]\d)$")
FARTHEST_END_MS = 12 * HOUR_MS  # a time that is farther away has passed
PASSED_MS = FARTHEST_END_MS + HOUR_MS  # one day of the year is an hour longer

LEFT_BEHIND_MS = 12 * 3_600_000

ACT_WORDS: dict[Action, str] = {
    "start": "Start",
    "pause": "Pause",
    "resume": "Resume",
    "next": "Next",
    "back": "Back",
    "restart": "Restart",
    "extend": "+30 s",
    "end-at": "Must end at",
    "undo": "Undo",
    "release": "Cups are off",
    "end": "End",
    "low": "Signs of a low",
    "stop": "Pain: stop",
}
SIDES: tuple[FirstSide, ...] = ("left", "right")
SAME = "same"  # hurts as much as the other
WHICH_SIDE = "Please choose: the left side, the right side, or both the same."
NO_ROOM = "The server's disk is full. This session begins when there is room again."
STALE = "The session had moved on meanwhile. Nothing was changed."


@blueprint.post("")
def create() -> Response:
    """A new session, ready to start, from a screening that clears it."""
    screening_id = request.form.get("screening", "")
    screening = screenings.screening_or_404(screening_id)
    entry = protocols.entry_or_404(screening.protocol)
    now = request_time()
    if screening.session:
        return redirect(url_for("sessions.show", session_id=screening.session), 303)
    side = request.form.get("first-side") if entry.protocol.asks_first_side else None
    if side not in (None, SAME, *SIDES):
        return screenings.verdict_page(screening_id, screening, 422, side_fault=WHICH_SIDE)
    first_side = next((known for known in SIDES if known == side), None)
    plan = screenings.plan_of(entry, screening, first_side) or screenings.plan_of(entry, screening)
    if plan is None or screenings.refusal_of(entry, screening_id, screening, now):
        return screenings.verdict_page(screening_id, screening, 409)
    place = assignments.assignment_of(entry, screening.client, now)
    if fault := assignments.fault_of(entry, place, request.form):
        return screenings.verdict_page(screening_id, screening, 409, early_fault=fault)
    admission = screening.admission(screening_id)
    filed = assignments.filing_of(entry, place, request.form, now)
    if screening.word and not screening.client:
        filed = replace(filed, words=screenings.words_told(entry, screening, screening.agreed))
    session_id = site().courses.prepare(plan, entry.digest, now, admission, filed)
    return redirect(url_for("sessions.show", session_id=session_id), 303)


@blueprint.get("/<session_id>")
def show(session_id: str) -> Response:
    stored = stored_or_404(session_id)
    site().presence.note(session_id, request_time())
    return page(stored)


@blueprint.get("/<session_id>/remote")
def remote(session_id: str) -> Response:
    """The same session as large controls, for a second device in the hand."""
    stored = stored_or_404(session_id)
    site().presence.note(session_id, request_time())
    return page(stored, remote=True)


@blueprint.get("/<session_id>/calm")
def calm(session_id: str) -> Response:
    """For the person on the table: no numbers, the area's name on a slow colour."""
    stored = stored_or_404(session_id)
    site().presence.note(session_id, request_time())
    body = render_template("sessions/calm.html", **calm_context(stored))
    return Response(body, mimetype="text/html")


@blueprint.get("/<session_id>/calm/live")
def calm_live(session_id: str) -> Response:
    stored = stored_or_404(session_id)
    site().presence.note(session_id, request_time())
    response = make_response(render_template("sessions/_calm.html", **calm_context(stored)))
    response.headers["X-Now"] = str(site().clock.now())
    return response


def calm_context(stored: Stored) -> dict[str, object]:
    """What the calm view shows; ``turns`` are the steps ahead: words, hue, ms until its end."""
    snapshot = summaries.snapshot_of(stored)
    steps = stored.plan.steps[snapshot.state.index :]
    turns = [
        (calm_words(step, stored.plan), hue(step, stored.plan), None if row.wait else row.ends_in)
        for step, row in zip(steps, snapshot.rows, strict=True)
    ]
    return {
        "session_id": stored.id,
        "snapshot": snapshot,
        "plan": stored.plan,
        "now": snapshot.state.at,
        "until": until(snapshot),
        "turns": json.dumps(turns),
        "words": calm_words(snapshot.step, stored.plan) if snapshot.step else "",
    }


def calm_words(step: PlannedStep, plan: Plan) -> str:
    return side_and_area(step, plan) if step.technique else CALM_WORDS[step.kind]


CALM_WORDS = {"prepare": "We begin soon", "change": "Now the other side", "aftercare": "Rest"}


@blueprint.get("/<session_id>/nudges")
def push_events(session_id: str) -> Response:
    """Answer 204: the server in front of Flask streams push events; without it there are none."""
    stored_or_404(session_id)
    return Response(status=204)


@blueprint.get("/<session_id>/live")
def live(session_id: str) -> Response:
    """Return the live fragment. ``heartbeat.py`` has answered for an unchanged session."""
    stored = stored_or_404(session_id)
    site().presence.note(session_id, request_time())
    return fragment(stored)


@blueprint.get("/<session_id>/summary")
def summary(session_id: str) -> Response:
    """What was planned and what was done; there from the end of the hands-on time."""
    return summary_page(stored_or_404(session_id))


def summary_page(
    stored: Stored, status: int = 200, fault: str = "", *, unsure: bool = False
) -> Response:
    snapshot = summaries.snapshot_of(stored)
    entry = site().library.get(snapshot.plan.protocol)
    gap_hours = entry.protocol.course.gap_hours if entry and entry.protocol.course else None
    notes = site().presence.notes_of(stored.id)
    readings = notes.readings
    body = render_template(
        "sessions/summary.html",
        session_id=stored.id,
        snapshot=snapshot,
        now=snapshot.state.at,
        clock=request_clock(),
        gap_hours=gap_hours,
        next_at=next_at(snapshot, gap_hours),
        readings=readings,
        advice=after_session(readings[-1][1]) if readings else None,
        fault=fault,
        unsure=unsure,
        typed=request.form.get("glucose", "") if fault else "",
        unit=request.form.get("unit") or screenings.remembered_unit(),
        units=UNITS,
        unobserved=unobserved_ms(stored.plan, stored.events, notes.gaps, snapshot.state.at),
        screens=notes.screens,
        **recheck(snapshot),
        **second_reading(snapshot),
        **summaries.context(stored, snapshot),
    )
    return Response(body, status, mimetype="text/html")


@blueprint.post("/<session_id>/reading")
def reading(session_id: str) -> Response:
    """A glucose reading after the hands-on time."""
    stored = stored_or_404(session_id)
    if not stored.plan.diabetes or not summaries.snapshot_of(stored).hands_on_over:
        return summary_page(stored, 409)
    faults: dict[str, str] = {}
    value = reading_now(request.form, faults)
    if value is None:
        why = next(iter(faults.values()), "Please give the reading as a number, like 6.4 or 115.")
        return summary_page(stored, 422, why, unsure="unit-sure" in faults)
    site().storage.store_reading(session_id, request_time(), value)
    response = redirect(url_for("sessions.summary", session_id=session_id) + "#after", 303)
    if value.shown == "number":
        screenings.remember_unit(response, value.unit)
    return response


def recheck(snapshot: Snapshot) -> dict[str, object]:
    """After a stop for a low: when to measure again."""
    ended = snapshot.state.ended_at
    if not snapshot.state.low or ended is None:
        return {"recheck": "", "recheck_ms": None}
    at = ended + RECHECK_MINUTES * 60_000
    return {
        "recheck": hours_minutes(at - snapshot.state.at),
        "recheck_ms": max(0, at - snapshot.state.at),
    }


def second_reading(snapshot: Snapshot) -> dict[str, str]:
    """The hour in which glucose is looked at again: one to two hours after the hands left (R03)."""
    ended = snapshot.state.hands_on_ended_at
    since = (ended if ended is not None else snapshot.state.at) - snapshot.state.at
    return {
        "again_from": hours_minutes(since + 3_600_000),
        "again_to": hours_minutes(since + 2 * 3_600_000),
    }


def next_at(snapshot: Snapshot, gap_hours: int | None) -> int | None:
    """The earliest instant of the next session; None while this one has not begun."""
    if gap_hours is None or snapshot.state.started_at is None:
        return None
    return snapshot.state.started_at + gap_hours * HOUR_MS


@blueprint.post("/<session_id>/<act:action>")
def command(session_id: str, action: Action) -> Response:
    """One act. The answer is always the true state; it says so when nothing was changed."""
    stored = stored_or_404(session_id)
    key = request.form.get("key", "")
    if action in STOPS:
        return stop(stored, action, key)
    if not KEY.match(key):
        return respond(stored, 422, "That form was incomplete. Please try once more.")
    if stored.has_key(key):
        return respond(stored)
    now = request_time()
    if is_stale(stored, now):
        return respond(stored, 409, STALE)
    try:
        return carry_out(stored, action, key, now)
    except RefusedError as refusal:
        return respond(stored, 409, str(refusal))
    except ConflictError:
        after = stored_or_404(session_id, again=True)
        return respond(after) if after.has_key(key) else respond(after, 409, STALE)


def stop(stored: Stored, action: Action, key: str) -> Response:
    """A stop counts whatever the form carries: stale, without a key, or with a used one."""
    if stored.has_key(key) and stored.folded.status == "stopped":
        return respond(stored)
    if not KEY.match(key) or stored.has_key(key):
        key = secrets.token_urlsafe(12)
    try:
        return carry_out(stored, action, key, request_time())
    except RefusedError as refusal:
        return respond(stored, 409, str(refusal))
    except ConflictError:
        return stop(stored_or_404(stored.id, again=True), action, key)


def is_stale(stored: Stored, now: int) -> bool:
    """True when the form shows another moment of the session than ``now``."""
    snapshot = view(stored.plan, stored.folded, stored.seq, now)
    return (
        request.form.get("seq") != str(stored.seq) or request.form.get("step") != snapshot.step_id
    )


def carry_out(stored: Stored, action: Action, key: str, now: int) -> Response:
    """Record the act, done at ``now``, and answer.

    Raises RefusedError or ConflictError; then nothing changed.
    """
    left_ms = None
    state = view(stored.plan, stored.folded, stored.seq, now).state
    if why := admission_check(stored).refusal_of(stored.events, state, action, now):
        return respond(stored, 409, why, ask_again=questions_address(stored))
    early = None
    starts = action == "start" and state.status == "ready"
    if starts and (held := assignments.held_at_start(stored, now)):
        why, firm = held
        early = early_reason(request.form.get("early"))  # kept only where it was asked for
        if firm:
            return respond(stored, 409, why)
        if not (early or stored.early):
            return respond(stored, 409, "", ask_early=why)
    if action == "start" and not site().storage.database.has_room():
        return respond(stored, 409, NO_ROOM)
    if action == "start" and not request.form.get("another"):
        others = at_work(stored.id, now)
        if others:
            return respond(stored, 409, "", others=others, early=early)
    if action == "end-at":
        typed = typed_text(request.form.get("time", ""))
        until_ms = milliseconds_until(typed)
        if until_ms is None:
            return respond(stored, 422, "Please give a time, like 15:50.", typed=typed)
        left_ms = max(0, until_ms - rest_ms(stored, state))
    event = decide(stored.plan, stored.folded, stored.seq, action, now, key, left_ms)
    after = site().storage.record(stored, event, early=early)
    said = describe_refit(after, action), told(stored.plan, state, event, left_ms)
    return respond(after, said=" ".join(filter(None, said)))


def admission_check(stored: Stored) -> AdmissionCheck:
    """Return the check of the answers against the protocol and the rules as they are now."""
    library = site().library
    entry = library.get(stored.plan.protocol)
    return AdmissionCheck(
        stored.plan,
        stored.admission,
        entry.digest if entry else None,
        library.catalogue.rules_hash,
    )


def questions_address(stored: Stored) -> str:
    """Return where to answer again: with the earlier answers while they are stored."""
    admission = stored.admission
    if admission and site().storage.screening(admission.screening, request_time()):
        return url_for("screenings.again", screening_id=admission.screening)
    return url_for("protocols.show", protocol_id=stored.plan.protocol)


def at_work(besides: str, now: int) -> list[tuple[str, Snapshot]]:
    """Other sessions with hands at work: not resting, and touched within the last 12 hours."""
    return [
        (session_id, snapshot)
        for session_id, snapshot in running_now()
        if session_id != besides
        and not snapshot.hands_on_over
        and now - snapshot.touched_at < LEFT_BEHIND_MS
    ]


def rest_ms(stored: Stored, state: State) -> int:
    """The time after the hands-on work, where the form asks for when the client is up."""
    shown = view(stored.plan, state, stored.seq, state.at)
    if request.form.get("which") != "up" or shown.hands_on_ends_in is None:
        return 0
    return (shown.up_in or 0) - shown.hands_on_ends_in


def describe_refit(after: Stored, action: Action) -> str:
    """What a re-fit left out."""
    titles = summaries.snapshot_of(after).left_out if action == "end-at" else ()
    return f"Left out for the short time: {', '.join(titles)}." if titles else ""


def milliseconds_until(typed: str) -> int | None:
    """From now until the clock on the wall shows ``HH:MM``; 0 where that has passed.

    None where it is no time, or one that never comes.
    """
    match = TIME.match(typed)
    if not match:
        return None
    clock = request_clock()
    now = instant(clock.wall_time())
    hour, minute = int(match[1]), int(match[2])
    at = next_time(now, hour, minute, clock.zone, FARTHEST_END_MS)
    if at is None:
        past = next_time(now - PASSED_MS, hour, minute, clock.zone, PASSED_MS)
        return None if past is None else 0
    return at - now


def context(stored: Stored, **more: object) -> dict[str, object]:
    """What the session's templates show, as of one instant."""
    snapshot = summaries.snapshot_of(stored)
    return {
        "session_id": stored.id,
        "snapshot": snapshot,
        "plan": stored.plan,
        "now": snapshot.state.at,
        "until": 1 if site().storage.trouble else until(snapshot),  # 1: ask for all of it each time
        "planned_ms": snapshot.planned_ms,
        "events": stored.events,
        "rows": to_json([[r.id, r.begins_in, r.ends_in, r.wait] for r in snapshot.rows]),
        "hours_minutes": hours_minutes,
        "wall_ms": wall_ms(),
        "key": secrets.token_urlsafe(12),
        "said": "",
        "others": (),
        "ask_early": "",
        "early": None,
        "reasons": REASONS,
        "ask_again": "",
        **recheck(snapshot),
        "typed": "",
        "which": "up" if request.form.get("which") == "up" else "hands",
        "clock": request_clock(),
        **more,
    }


def until(snapshot: Snapshot) -> int:
    change = snapshot.until_change_ms
    return snapshot.state.at + change if change is not None else 0


def wall_ms() -> int:
    """Milliseconds since midnight on the clock on the wall."""
    now = request_clock().wall_time()
    seconds = (now.hour * 60 + now.minute) * 60 + now.second
    return seconds * 1000 + now.microsecond // 1000


def hours_minutes(ms_from_now: int) -> str:
    """The clock on the wall then, to the nearest second, as ``15:50``."""
    return request_clock().wall_time(ms_from_now + 500).strftime("%H:%M")


@dataclass(frozen=True, slots=True)
class Controls:
    """All buttons of a status, as :class:`Snapshot` names them, for a page without the server."""

    status: Status
    actions: tuple[Action, ...]
    live: bool = True
    seq: int = 0
    step_id: str = ""


def page(stored: Stored, status: int = 200, **more: object) -> Response:
    body = render_template(
        "sessions/session.html",
        **context(stored, **more),
        answers=admission_check(stored).payload(),
        controls=[
            Controls(status, TRANSITIONS[status]) for status in ("running", "waiting", "paused")
        ],
    )
    return Response(body, status, mimetype="text/html")


def fragment(stored: Stored, status: int = 200, **more: object) -> Response:
    shown = context(stored, **more)
    response = make_response(render_template("sessions/_answer.html", **shown), status)
    snapshot = shown["snapshot"]
    assert isinstance(snapshot, Snapshot)
    response.headers["X-Version"] = f"{snapshot.seq}.{snapshot.state.index}"
    response.headers["X-Now"] = str(site().clock.now())
    return response


def respond(stored: Stored, status: int = 200, said: str = "", **more: object) -> Response:
    """After a POST: the fragment for htmx; for everyone else the page when something is said."""
    if is_htmx():
        return fragment(stored, status, said=said, **more)
    if status != 200 or said:
        return page(stored, status, said=said, **more)
    return fragment_or_redirect("", url_for("sessions.show", session_id=stored.id))
