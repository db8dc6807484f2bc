"""Why an act may not count although the session's own rules allow it: answers that are too old."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from webapp.domain.screening import ANSWERS_COUNT_MS, READING_COUNTS_MS, refusal
from webapp.domain.session import Action, Event, State, hands_on_over
from webapp.routes import request_time, site
from webapp.storage.sessions import Stored

LEADS_ON: tuple[Action, ...] = ("start", "resume", "next", "back", "restart", "release")
START_NEEDS_THE_SERVER = "A session starts only when the server has seen the answers."
TOO_OLD = "The answers or the reading are too old for a first touch."
PAUSED_TOO_LONG = "The pause was long, and much can change. End this session, then answer again."


def hindrance(
    stored: Stored, events: Sequence[Event], state: State, action: Action, at: int
) -> str:
    """Why ``action`` may not count at ``at``, in ``state`` after ``events``; empty when it may."""
    if action not in LEADS_ON:
        return ""
    if before_first_touch(stored, state) and (why := refusal_at(stored, at)):
        return why
    return PAUSED_TOO_LONG if paused_too_long(stored, events, state, at) else ""


def before_first_touch(stored: Stored, state: State) -> bool:
    """True while no hands have been at work: later the answers have done theirs."""
    at_work = state.status in ("running", "waiting")
    return not any(
        state.done[i] or (i == state.index and at_work)
        for i, step in enumerate(stored.plan.steps)
        if step.hands_on
    )


def paused_too_long(stored: Stored, events: Sequence[Event], state: State, at: int) -> bool:
    """True when hands have been away for as long as answers count (with diabetes, the reading)."""
    if state.status != "paused" or hands_on_over(stored.plan, state.index):
        return False
    most = pause_ms(stored)
    since = next((e.at for e in reversed(events) if e.kind in ("pause", "doubt")), at)
    return most is not None and at - since > most


def pause_ms(stored: Stored) -> int | None:
    """How long a pause may last before the questions are asked again; None: for ever."""
    if stored.admission is None:
        return None
    return READING_COUNTS_MS if stored.admission.needs_reading else ANSWERS_COUNT_MS


def for_script(stored: Stored) -> dict[str, object]:
    """What a page must know to keep to the same without the server::

    {"until": ms | null, "pauseMs": ms | null, "words": {"start", "old", "paused"}}
    """
    until = stored.admission.counts_until if stored.admission else None
    words = {"start": START_NEEDS_THE_SERVER, "old": TOO_OLD, "paused": PAUSED_TOO_LONG}
    return {"until": until, "pauseMs": pause_ms(stored), "words": words}


def refusal_at(stored: Stored, at: int) -> str:
    """Why this session may not begin at ``at``; empty when it may."""
    library = site().library
    entry = library.get(stored.plan.protocol)
    return refusal(
        stored.admission, entry.digest if entry else None, library.catalogue.rules_hash, at
    )


def questions_address(stored: Stored) -> str:
    """Where to answer again: with the earlier answers while they are kept, else from the start."""
    admission = stored.admission
    if admission and site().storage.screening(admission.screening, request_time()):
        return url_for("screenings.again", screening_id=admission.screening)
    return url_for("protocols.show", protocol_id=stored.plan.protocol)
