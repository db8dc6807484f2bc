"""A course as CSV and JSON, for a clinician."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from webapp.domain.course import CourseProgress
from webapp.domain.record import SessionRecord
from webapp.presentation.filters import glucose
from webapp.storage.courses import Readings

FORMAT = "steady-hands-course"
VERSION = 1
# What a spreadsheet takes for a formula, where a cell begins: at the start of the text, or behind
# any sign that one or the other splits lines at, with quotes and what is not seen between.
FORMULA = re.compile(
    r"(^|[;,|\t\r\n])([\"'\s\u00ad\u200b-\u200f\u2060\ufeff]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
LIST = " | "  # between the items of a cell: no spreadsheet splits lines there

HEAD = (
    *("client", "session", "begun", "begun (UTC)", "planned min", "done min", "how it ended"),
    *(
        "skipped",
        "begun early because",
        "pain before",
        "pain after",
        "skin",
        "glucose after",
        "note",
    ),
)


@dataclass(frozen=True, slots=True)
class Style:
    """How tables are written: what stands between cells, and in decimal numbers."""

    separator: str = ","
    point: str = "."


SEMICOLONS = Style(";", ",")  # where a comma stands in numbers, as in most of Europe


def safe_cell(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula, whichever sign it splits lines at.

    What would be one gets an apostrophe in front.
    """
    text = "" if cell is None else str(cell)
    return FORMULA.sub(r"\1\2'", text)


def minutes(ms: int, style: Style = Style()) -> str:
    return f"{ms / 60_000:.2f}".rstrip("0").rstrip(".").replace(".", style.point)


def iso(at: int, zone: tzinfo | None) -> str:
    """Date and time with its distance from UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")


def readings_text(readings: Readings, past: SessionRecord, zone: tzinfo | None) -> str:
    of_session = readings.get(past.id, [])
    return LIST.join(f"{iso(at, zone)} {glucose(reading)}" for at, reading in of_session)


def course_csv(
    progress: CourseProgress,
    pasts: Sequence[SessionRecord],
    readings: Readings,
    zone: tzinfo | None,
    style: Style = Style(),
) -> str:
    """One line a session, oldest first; then a column of minutes for each technique."""
    techniques = list(dict.fromkeys(t for past in pasts for t in past.by_technique()))
    text = io.StringIO(newline="")
    out = csv.writer(text, delimiter=style.separator, lineterminator="\r\n")
    out.writerow([safe_cell(name) for name in (*HEAD, *(f"{t} min" for t in techniques))])
    for number, past in enumerate(pasts, 1):
        feedback, done = past.feedback, past.by_technique()
        row = (
            *(
                progress.course.client.code,
                number,
                iso(past.begun_at, zone),
                iso(past.begun_at, UTC),
            ),
            *(minutes(past.planned_ms, style), minutes(past.done_ms, style), past.outcome),
            *(LIST.join(past.skipped), past.early, feedback.before, feedback.after, feedback.skin),
            *(readings_text(readings, past, zone), feedback.note),
            *(minutes(done.get(technique, 0), style) for technique in techniques),
        )
        out.writerow([safe_cell(cell) for cell in row])
    return text.getvalue()


def course_json(
    progress: CourseProgress,
    pasts: Sequence[SessionRecord],
    readings: Readings,
    dates: Sequence[int],
) -> str:
    """The same with its format and version; instants as UTC, durations in seconds."""
    course = progress.course
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "client": course.client.code,
        "protocol": course.protocol,
        "title": course.title,
        "terms": course.terms.model_dump(exclude_none=True),
        "wanted": course.target,
        "done": progress.done,
        "stage": progress.stage,
        "helped": course.helped,
        "next_dates": [iso(at, UTC) for at in dates],
        "sessions": [session_data(past, readings) for past in pasts],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def session_data(past: SessionRecord, readings: Readings) -> dict[str, object]:
    feedback = past.feedback
    return {
        "begun": iso(past.begun_at, UTC),
        "ended": past.outcome,
        "begun_early_because": past.early,
        "pain_before": feedback.before,
        "pain_after": feedback.after,
        "skin": feedback.skin,
        "note": feedback.note,
        "glucose_after": [
            {"at": iso(at, UTC), "shown": glucose(reading)}
            for at, reading in readings.get(past.id, [])
        ],
        "phases": [
            {
                "title": phase.title,
                "technique": phase.technique,
                "area": phase.area,
                "side": phase.side,
                "planned_seconds": phase.planned_ms / 1000,
                "done_seconds": phase.done_ms / 1000,
            }
            for phase in past.phases
        ],
    }
