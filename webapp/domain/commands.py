"""Commands: which acts a session allows now, and the event that each one records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapp.domain.plan import GRID_MS, Plan
from webapp.domain.refit import phases_ahead, refit
from webapp.domain.session import (
    EXTEND_MS,
    LONGEST_REST_MS,
    TRANSITIONS,
    Action,
    Event,
    RefusedError,
    State,
    Status,
    advance,
    apply,
    extension_ms,
    fold,
    hands_on_ms,
    step_on_the_skin,
    tagged,
    used_ms,
    without_fit,
)


def allowed(plan: Plan, state: State) -> tuple[Action, ...]:
    """The acts that the page offers, from the table; what this very state cannot do is left out."""
    return tuple(action for action in TRANSITIONS[state.status] if is_possible(plan, state, action))


def is_possible(plan: Plan, state: State, action: Action) -> bool:
    """Return True when `action` fits the step and the state of this plan."""
    match action:
        case "release":
            return state.holding
        case "undo":
            return without_fit(plan, state) is not None
        case "low":
            return plan.diabetes
        case "resume":
            return not state.holding or step_on_the_skin(plan, state)
        case "back":
            return state.index > 0
        case "extend":
            return state.left[state.index] > 0
        case "restart":
            return state.planned[state.index] > 0
        case "end-at":
            return bool(phases_ahead(plan, state))
        case _:
            return True


def act(
    plan: Plan,
    events: Sequence[Event],
    action: Action,
    now: int,
    key: str,
    hands_on_left_ms: int | None = None,
) -> Event:
    """The event to record for ``action`` at ``now``.

    ``hands_on_left_ms`` goes with ``end-at``: the time until the hands-on work must be over.
    Raises RefusedError with the reason, and then nothing has changed.
    """
    return decide(plan, fold(plan, events), len(events), action, now, key, hands_on_left_ms)


def decide(
    plan: Plan,
    folded: State,
    seq: int,
    action: Action,
    now: int,
    key: str,
    hands_on_left_ms: int | None = None,
) -> Event:
    """Like :func:`act`, from a state that is folded already, after ``seq`` events."""
    state = advance(plan, folded, now)
    if action not in allowed(plan, state):
        raise RefusedError(reason(state, action))
    event = Event(seq + 1, key, action, max(now, state.at))
    if action == "end-at":
        return replace(event, left_ms=refit(plan, state, hands_on_left_ms or 0))
    if action == "extend":
        event = replace(event, left_ms=shorter_extension(plan, state))
    if action in ("back", "restart", "extend"):
        check_caps(plan, state, apply(plan, state, event), action)
    return event


def shorter_extension(plan: Plan, state: State) -> tuple[tuple[str, int], ...]:
    """What is left of the step with all whole seconds that the rules still give.

    Empty where they give the full ``EXTEND_MS``. Where they give nothing it is a second too much,
    so that :func:`check_caps` names the rule that is in the way.
    """
    index = state.index
    step = plan.steps[index]
    rooms = [
        cap.seconds * 1000
        - used_ms(plan, state, number)
        - sum(state.left[i] for i in tagged(plan, cap.tag) if i >= index)
        for number, cap in enumerate(plan.rules.cap)
        if cap.tag in step.tags
    ]
    if step.hands_on:
        rooms.append(plan.session_max_seconds * 1000 - hands_on_ms(plan, state))
        rooms.append(step.max_seconds * 1000 - state.attempt[index] - state.left[index])
    else:
        rooms.append(LONGEST_REST_MS - state.left[index])
    room = max(1, min(rooms) // 1000) * 1000
    return ((step.id, state.left[index] + room),) if room < EXTEND_MS else ()


def told(plan: Plan, state: State, event: Event, hands_on_left_ms: int | None = None) -> str:
    """What the person hears of an event that gave other than was asked; empty when it gave that.

    ``state`` is the one right before the event, ``hands_on_left_ms`` as in :func:`act`.
    """
    if event.kind == "extend" and event.left_ms:
        return f"+{extension_ms(state, event) // 1000} s, that is the most."
    if event.kind != "end-at" or hands_on_left_ms is None:
        return ""
    fitted = apply(plan, state, event)
    last = max(i for i, step in enumerate(plan.steps) if step.hands_on)
    off = sum(fitted.left[fitted.index : last + 1]) - hands_on_left_ms
    if abs(off) < GRID_MS:
        return ""
    return f"That is the {'earliest' if off > 0 else 'latest'} end that the rules allow."


def reason(state: State, action: Action) -> str:
    """Why ``action`` is not possible now, in words for the person."""
    if action == "resume" and state.holding:
        return "Take the cups off and confirm it first."
    return REASONS.get(state.status, "That is not possible at this moment.")


REASONS: dict[Status, str] = {
    "ready": "The session has not begun yet.",
    "paused": "The session is paused. Resume first.",
    "finished": "The session is over.",
    "stopped": "The session was stopped. It cannot go on.",
}


def check_caps(plan: Plan, before: State, after: State, action: Action) -> None:
    """Raise RefusedError when done plus planned time would break a cap or a bound.

    Back to a step before the phases brings their time back too, so there the whole is checked too.
    """
    if after.index >= len(plan.steps):
        return
    for number, cap in enumerate(plan.rules.cap):
        ahead = sum(after.left[i] for i in tagged(plan, cap.tag) if i >= after.index)
        if ahead and used_ms(plan, after, number) + ahead > cap.seconds * 1000:
            raise RefusedError(
                f"{cap.tag.replace('-', ' ').capitalize()}: "
                f"at most {minutes(cap.seconds)} in one session."
            )
    step = plan.steps[after.index]
    most = plan.session_max_seconds * 1000
    if not step.hands_on:
        if after.left[after.index] > LONGEST_REST_MS:
            raise RefusedError("This step is long enough.")
        most = max(most, hands_on_ms(plan, before))
    if hands_on_ms(plan, after) > most:
        raise RefusedError(
            f"This session has at most {minutes(plan.session_max_seconds)} of hands-on time."
        )
    length = after.attempt[after.index] + after.left[after.index]
    if step.hands_on and action == "extend" and length > step.max_seconds * 1000:
        raise RefusedError(f"{step.title}: at most {minutes(step.max_seconds)}.")


def minutes(seconds: int) -> str:
    """Return seconds as minutes and seconds, such as `2:05 min`."""
    return f"{seconds // 60}:{seconds % 60:02d} min"
