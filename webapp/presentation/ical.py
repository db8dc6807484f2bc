"""Calendar files of a course and its reminders. The only module that uses icalendar.

Every time is UTC, which each calendar shows in the zone of its own device; the dates themselves
were planned on the site's wall clock. No client, no code and no condition stands in an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from webapp.domain.aftercare import AGAIN_MINUTES, FIRST_MINUTES, Reminder
from webapp.domain.course import CourseProgress
from webapp.domain.protocol import Protocol, Step

USUAL_SECONDS = 30 * 60
BEFORE = timedelta(hours=-2)
MAKER = "-//Steady Hands//courses 1//EN"


def at_utc(instant: int) -> datetime:
    """Whole seconds: calendars know nothing finer."""
    return datetime.fromtimestamp(instant // 1000, UTC)


def course_calendar(
    progress: CourseProgress, dates: Sequence[int], now: int, protocol: Protocol | None
) -> bytes:
    """An entry for each date, with what to do before and after it."""
    calendar = new_calendar()
    again = progress.over or progress.fresh(now)
    for number, at in enumerate(dates, 1 if again else progress.done + 1):
        calendar.add_component(session_event(progress, number, at, now, protocol, again=again))
    return bytes(calendar.to_ical())


def new_calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    return calendar


def session_event(
    progress: CourseProgress,
    number: int,
    at: int,
    now: int,
    protocol: Protocol | None,
    *,
    again: bool,
) -> Event:
    """One session. The same number keeps its UID, so that a new date moves the entry.

    ``again``: the first one of the next course.
    """
    course = progress.course
    total = f" of {course.target}" if course.target else ""
    event = entry(
        f"{course.id}-{'again' if again else number}",
        at,
        seconds_of(protocol) * 1000,
        f"Massage session {number}{total}",
        description(course.title, protocol),
        now,
    )
    event.add("sequence", max(0, (now - course.created_at) // 60_000))
    event.add_component(alarm(BEFORE, "A light meal now, no alcohol: massage in two hours."))
    if protocol and protocol.condition == "diabetes-mellitus":
        for minutes in (FIRST_MINUTES, AGAIN_MINUTES):
            check = alarm(timedelta(minutes=minutes), "Measure glucose.")
            check["TRIGGER"].params["RELATED"] = "END"
            event.add_component(check)
    return event


def entry(uid: str, at: int, lasts_ms: int, summary: str, description: str, now: int) -> Event:
    event = Event()
    event.add("uid", f"{uid}@steady-hands")
    event.add("dtstamp", at_utc(now))
    event.add("dtstart", at_utc(at))
    event.add("dtend", at_utc(at + lasts_ms))
    event.add("summary", summary)
    event.add("description", description)
    event.add("class", "PRIVATE")
    return event


def alarm(trigger: timedelta, words: str) -> Alarm:
    component = Alarm()
    component.add("action", "DISPLAY")
    component.add("description", words)
    component.add("trigger", trigger)
    return component


def seconds_of(protocol: Protocol | None) -> int:
    """The usual hands-on time."""
    return protocol.session.usual if protocol and protocol.session else USUAL_SECONDS


MEAL = (
    "A light meal one and a half to two hours before, not later. No alcohol that day. "
    "No heat, current or manipulation as a treatment in the 24 hours before."
)
DIABETES = "Never fasting. Meter and sugar within reach."


def description(title: str, protocol: Protocol | None) -> str:
    """Preparation and aftercare in words (facts.md G-05, G-06, C20, C41)."""
    lines = [title, "", "Before:", f"- {MEAL}"]
    if protocol is None:
        return "\n".join(lines)
    if protocol.condition == "diabetes-mellitus":
        lines.append(f"- {DIABETES}")
    lines += [f"- {line}" for line in protocol.needs]
    lines += ["", "After:", *(f"- {step_text(step)}" for step in protocol.aftercare)]
    return "\n".join(lines)


def step_text(step: Step) -> str:
    length = (
        f" ({step.seconds.usual // 60} min)" if step.seconds and step.seconds.usual >= 600 else ""
    )
    return f"{step.title}{length}. {step.text}"


def reminder_calendar(session_id: str, reminders: Sequence[Reminder], now: int) -> bytes:
    """What is to be done after one session, each with an alarm at its time."""
    calendar = new_calendar()
    for reminder in reminders:
        event = entry(
            f"{session_id}-{reminder.id}",
            reminder.at,
            reminder.lasts_ms,
            "After the massage",
            reminder.text,
            now,
        )
        event.add_component(alarm(timedelta(), reminder.text))
        calendar.add_component(event)
    return bytes(calendar.to_ical())
