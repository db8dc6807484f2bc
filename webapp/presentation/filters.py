"""Jinja filters for numbers, times and names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from webapp.domain import payload
from webapp.domain.glucose import Reading
from webapp.domain.labels import (
    CONDITIONS,
    GRADES,
    LOCKS,
    breathing,
    by_whom,
    passes,
    place_name,
    span,
)
from webapp.domain.plan import Plan, PlannedStep
from webapp.domain.protocol import Duration, PhaseDuration
from webapp.domain.session import Event
from webapp.presentation.dates import FILTERS as TIME_FILTERS
from webapp.presentation.stage import calls_for_help, session_title, stop_signs


def clock(ms: int) -> str:
    """Milliseconds left as ``m:ss``, rounded up: 0:00 only when nothing is left."""
    seconds = math.ceil(ms / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def counted(ms: int) -> str:
    """Milliseconds gone by as ``m:ss``, rounded down."""
    seconds = ms // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def clock_seconds(seconds: int) -> str:
    return clock(seconds * 1000)


def minutes(seconds: int) -> str:
    """Whole minutes as ``15 min``, others as ``6:40 min``."""
    if seconds % 60 == 0:
        return f"{seconds // 60} min"
    return f"{clock_seconds(seconds)} min"


def minutes_field(seconds: int) -> str:
    """Minutes as a number field takes them: ``15``, ``6.5``, ``6.67``."""
    return f"{seconds / 60:.2f}".rstrip("0").rstrip(".")


def span_of_minutes(duration: Duration | PhaseDuration) -> str:
    """``7 to 20 min``, or one value when both ends agree."""
    if duration.min == duration.max:
        return minutes(duration.usual)
    low, high = minutes(duration.min), minutes(duration.max)
    return f"{low.removesuffix(' min')} to {high}"


def side_and_area(step: PlannedStep, plan: Plan) -> str:
    """Where: ``Left calf``, ``Left: upper back``, ``Back``."""
    return place_name(plan.areas[step.area], step.side) if step.area else ""


def place(step: PlannedStep, plan: Plan) -> str:
    """Where and which way: ``Back, both sides, low back upward``."""
    name = side_and_area(step, plan)
    return f"{name}, {step.direction}" if step.direction else name


def technique_name(step: PlannedStep, plan: Plan) -> str:
    """The everyday name of the technique, or the title of a step without one."""
    return plan.techniques[step.technique].name if step.technique else step.title


def technique_label(step: PlannedStep, plan: Plan) -> str:
    """The technique and its textbook name, where that is another one: ``Rubbing (friction)``."""
    name, other = technique_name(step, plan), textbook(step, plan)
    return name if other.lower() == name.lower() else f"{name} ({other})"


def not_here(step: PlannedStep, plan: Plan) -> list[str]:
    """The places to keep off in short, and those that the person marked."""
    return [*(plan.keep_away[item].short for item in step.not_here), *step.avoid]


def not_here_in_full(step: PlannedStep, plan: Plan) -> list[str]:
    return [*(plan.keep_away[item].name for item in step.not_here), *step.avoid]


def first_not_here(step: PlannedStep, plan: Plan) -> list[str]:
    """In full, what a phase keeps off that no phase before it does; that is said on entering it."""
    if not step.hands or not step.hands_on:
        return []
    before = plan.steps[: plan.steps.index(step)]
    known = {item for one in before if one.hands_on for item in (*one.not_here, *one.avoid)}
    fresh = [plan.keep_away[item].name for item in step.not_here if item not in known]
    return [*fresh, *(line for line in step.avoid if line not in known)]


def keep_off(plan: Plan) -> list[str]:
    """All places of a plan to keep off, in full."""
    return [line for step in plan.steps for line in first_not_here(step, plan)]


def go_lightly(plan: Plan) -> list[str]:
    """All rules of a plan for going lightly."""
    return [*dict.fromkeys(line for step in plan.steps for line in step.go_lightly)]


def rounds(step: PlannedStep, plan: Plan) -> list[str]:
    """Pressure of today, the side to begin with, how often: as far as there is something to say."""
    first = f"{plan.first_side.capitalize()} side first" if plan.first_side else IN_TURN
    times = [passes(step.passes)] if step.passes else []
    return [LIGHT_TODAY] * plan.light + [first] * step.in_turn + times


IN_TURN = "One side, then the other"
LIGHT_TODAY = "Light today"


def textbook(step: PlannedStep, plan: Plan) -> str:
    return plan.techniques[step.technique].textbook if step.technique else ""


def hue(step: PlannedStep, plan: Plan) -> str:
    """The colour's name for a step; steps without a technique are plain."""
    return plan.techniques[step.technique].hue if step.technique else "plain"


def to_json(value: object) -> Markup:
    """JSON for an attribute between single quotes, which leaves its own quotes as they are."""
    return htmlsafe_json_dumps(value, separators=(",", ":"))


def speech(plan: Plan, index: int) -> Markup:
    """What is heard in one step, as JSON; on entering it the voice says what is on the screen.

    ``cues`` as [at, words], ``hands`` for phases, ``lastHands`` for the last of them, ``rest`` for
    aftercare, whose end is always heard. What is empty or false is left out.
    """
    step = plan.steps[index]
    ahead = any(later.hands_on for later in plan.steps[index + 1 :])
    words = {
        "cues": [[cue.at, cue.say] for cue in step.cues],
        "hands": step.hands_on,
        "lastHands": step.hands_on and not ahead,
        "rest": step.kind == "aftercare",
    }
    return to_json({name: value for name, value in words.items() if value})


def plan_payload(plan: Plan) -> Markup:
    """The plan for script as JSON for an attribute; its shape stands in ``domain/payload.py``."""
    return to_json(payload.plan_payload(plan))


def events_payload(events: Iterable[Event]) -> Markup:
    """The events for script as JSON for an attribute; see ``domain/payload.py``."""
    return to_json(payload.events_payload(events))


def origin_parts(origin: str) -> list[tuple[str, str]]:
    """Return each part of an origin with its place on the page of sources."""
    places = {"base": "base-text", "inferred": "inferred"}
    return [(part, places.get(part.split()[0]) or part.split()[1]) for part in origin.split("; ")]


def glucose(reading: Reading) -> str:
    """``6.4 mmol/L``, or what the meter said."""
    if reading.shown == "number":
        return f"{reading.value} {reading.unit}"
    return {"lo": "LO", "hi": "HI", "none": "no meter"}[reading.shown]


CLINICIANS = {
    "doctor": "the doctor",
    "diabetes-team": "the diabetes or foot team",
    "specialist": "a specialist",
    "midwife": "the midwife",
}


def day(iso: str) -> str:
    """An ISO day in words: ``12 November 2026``."""
    value = date.fromisoformat(iso)
    return f"{value.day} {value:%B %Y}"


OUTCOMES = {
    "whole": "whole",
    "part": "in part",
    "early": "ended early",
    "pain": "stopped: pain",
    "low": "stopped: signs of a low",
    "live": "under way",
}
SKIN_WORDS = {"fine": "as before", "marks": "marks or redness", "sore": "sore"}
EARLY_WORDS = {
    "advised": "earlier: a clinician advised it",
    "cut-short": "earlier: the last one was cut short",
    "away": "earlier: away on the planned day",
    "wished": "earlier: wished for",
}


FILTERS = {
    **TIME_FILTERS,
    "outcome": OUTCOMES.__getitem__,
    "skin": SKIN_WORDS.__getitem__,
    "early": EARLY_WORDS.__getitem__,
    "clock": clock,
    "counted": counted,
    "clock_seconds": clock_seconds,
    "minutes": minutes,
    "minutes_field": minutes_field,
    "span_of_minutes": span_of_minutes,
    "span": span,
    "place": place,
    "speech": speech,
    "to_json": to_json,
    "plan_payload": plan_payload,
    "events_payload": events_payload,
    "side_and_area": side_and_area,
    "technique_name": technique_name,
    "textbook": textbook,
    "technique_label": technique_label,
    "not_here": not_here,
    "not_here_in_full": not_here_in_full,
    "first_not_here": first_not_here,
    "keep_off": keep_off,
    "go_lightly": go_lightly,
    "rounds": rounds,
    "breathing": breathing,
    "hue": hue,
    "by_whom": by_whom,
    "origin_parts": origin_parts,
    "day": day,
    "glucose": glucose,
    "clinician": CLINICIANS.__getitem__,
    "lock": LOCKS.get,
    "grade": GRADES.__getitem__,
    "condition": CONDITIONS.__getitem__,
    "calls_for_help": calls_for_help,
    "session_title": session_title,
    "stop_signs": stop_signs,
    "words": lambda value: str(value).replace("-", " "),
}
