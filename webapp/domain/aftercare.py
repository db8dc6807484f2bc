"""Aftercare: checks that follow a session, such as a second reading or a look at the skin."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.glucose import RECHECK_MINUTES
from webapp.domain.plan import Plan
from webapp.domain.record import Feedback, skin_asked
from webapp.domain.session import State

MINUTE_MS = 60_000
FIRST_MINUTES = 10  # "within 15 minutes", with time to fetch the meter
AGAIN_MINUTES = 60
REST_MS = 5 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something to do at an instant (ms UTC); ``lasts_ms`` is how long it may take."""

    id: str
    at: int
    text: str
    lasts_ms: int = 15 * MINUTE_MS


def reminders(plan: Plan, state: State) -> tuple[Reminder, ...]:
    """After the hands-on time, in order. Sources: facts.md 2.3, R02, R03; skin R09, R14, R26."""
    ended = state.hands_on_ended_at
    if ended is None:
        return ()
    due = []
    if state.low:
        due.append(
            Reminder(
                "low",
                ended + RECHECK_MINUTES * MINUTE_MS,
                "Measure glucose again: "
                "treat the low once more if it is under 4.0 mmol/L (72 mg/dL).",
            )
        )
    elif plan.diabetes:
        due.append(
            Reminder(
                "first", ended + FIRST_MINUTES * MINUTE_MS, "Measure glucose now, if you have not."
            )
        )
    if plan.diabetes:
        due.append(
            Reminder(
                "again",
                ended + AGAIN_MINUTES * MINUTE_MS,
                "Measure glucose again. It may fall for hours: once more before bed.",
                60 * MINUTE_MS,
            )
        )
    if rest := rest_of(plan, state):
        due.append(rest)
    if skin_asked(plan):
        due.append(
            Reminder(
                "skin",
                ended + DAY_MS,
                "Look at the skin: blisters, wounds, heat or swelling are for a doctor.",
            )
        )
    return tuple(sorted(due, key=lambda reminder: reminder.at))


def rest_of(plan: Plan, state: State) -> Reminder | None:
    """The end of a rest under way that goes on by itself for minutes, and what comes next."""
    if state.status != "running":
        return None
    step, *after = plan.steps[state.index :]
    if step.kind != "aftercare" or step.wait or step.seconds * 1000 < REST_MS:
        return None
    then = f" Next: {after[0].title}." if after else ""
    return Reminder("rest", state.at + state.left[state.index], f"{step.title} is over.{then}")


def advice(feedback: Feedback, plan: Plan) -> tuple[str, ...]:
    """What the answers about a session lead to, in words (facts.md G-08, R14, HO-09, R26)."""
    said = []
    if (
        feedback.before is not None
        and feedback.after is not None
        and feedback.after > feedback.before
    ):
        said.append(
            "More pain than before: rest. "
            "If it grows or stays, see a doctor before the next session."
        )
    if feedback.skin == "sore":
        sooner = (
            "With diabetes show it to somebody the same day."
            if plan.diabetes
            else "A blister, a wound, fever or swelling: see a doctor."
        )
        said.append(f"No massage on sore skin until it is well again. {sooner}")
    return tuple(said)
