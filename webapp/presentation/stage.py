"""Titles and warning signs of session pages: decided here, shown by templates."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.domain.glucose import Advice
from webapp.domain.plan import Plan
from webapp.domain.snapshot import Snapshot

CALL = "Call your emergency number"
NUMBER = "your emergency number"


@dataclass(frozen=True, slots=True)
class StopSigns:
    """Signs to look for after a stop, each with what to do: ``call`` at once, and ``others``."""

    call: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]


def stop_signs(plan: Plan) -> StopSigns:
    """Return the red flags of a stop. Those to call for have only what else is to be done."""
    flags = [flag for flag in plan.red_flags if not flag.late]
    return StopSigns(
        tuple((flag.sign, besides_call(flag.act)) for flag in flags if flag.urgency == "emergency"),
        tuple((flag.sign, flag.act) for flag in flags if flag.urgency != "emergency"),
    )


def besides_call(act: str) -> str:
    """Return what ``act`` says besides the call, as a sentence; empty when that is all."""
    more = act.replace(CALL, "").strip(". ,")
    return f"{more}." if more else ""


def calls_for_help(advice: Advice) -> bool:
    """Return whether a reading needs the number to call: an emergency, or one it tells of."""
    return advice.urgency == "emergency" or NUMBER in advice.act


def session_title(snapshot: Snapshot) -> str:
    """Return the title of a session's page: its step, or how it ended."""
    if snapshot.status == "stopped":
        return "Stopped"
    return snapshot.step.title if snapshot.step else "Finished"
