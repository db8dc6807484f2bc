"""Pages of courses: progress, dates, charts, and files to download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.domain.course import Course, CourseProgress, Helped, planned, progress, terms_of, within
from webapp.domain.record import SessionRecord, Short, short_sides
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import assignments, protocols, request_clock, request_time, site
from webapp.storage.courses import Readings

blueprint = Blueprint("courses", __name__, url_prefix="/courses")

MOST = 40


@dataclass(frozen=True)
class Standing:
    """A course at one instant: where it stands, dates to come, sessions (oldest first)."""

    progress: CourseProgress
    dates: tuple[int, ...]
    pasts: tuple[SessionRecord, ...]

    @property
    def course(self) -> Course:
        return self.progress.course

    @property
    def counted(self) -> tuple[SessionRecord, ...]:
        return tuple(past for past in self.pasts if past.counts)

    @property
    def short_sides(self) -> tuple[Short, ...]:
        return short_sides(self.pasts)

    @property
    def due_at(self) -> int | None:
        """The date of the next session of this course; None when it is over."""
        return self.dates[0] if self.dates and not self.progress.over else None


def standings(client_id: str = "", *, aside: bool = True) -> list[Standing]:
    """Return the courses of one client or of all as they are now. One or two queries."""
    now = request_time()
    rows = site().courses.courses(MOST, now, client_id, aside=aside)
    return [standing(course, pasts, now) for course, pasts in rows]


def standing(course: Course, pasts: Sequence[SessionRecord], now: int) -> Standing:
    zone = request_clock().zone
    course_progress = progress(course, pasts, now, zone)
    return Standing(course_progress, planned(course_progress, now, zone), tuple(reversed(pasts)))


def course_or_404(course_id: str) -> Course:
    course = site().courses.course(course_id)
    if course is None:
        abort(404)
    return course


def standing_of(course_id: str) -> Standing | None:
    """Return a course as it is now. Two or three queries."""
    now = request_time()
    row = site().courses.with_records(course_id, now)
    return standing(*row, now) if row else None


def standing_or_404(course_id: str) -> Standing:
    return standing_of(course_id) or abort(404)


@blueprint.get("")
def index() -> str:
    return render_template(
        "courses/courses.html",
        standings=standings(),
        clock=request_clock(),
        now=request_time(),
    )


@blueprint.post("")
def add() -> Response:
    """Start a course of a protocol, or go to the one that is under way."""
    entry = protocols.entry_or_404(request.form.get("protocol", ""))
    terms = terms_of(entry.protocol)
    if terms is None or not entry.protocol.startable:
        abort(409)
    chosen, fault = assignments.chosen_client(request.form)
    if fault:
        return ask_client(entry)
    now = request_time()
    place = assignments.assignment_of(entry, assignments.known_client(chosen, now), now)
    if place.course and place.progress and not place.progress.fresh(now):
        course = replace(place.course, aside=False)
        site().courses.update(course)
    else:
        client = place.client or site().courses.add_client(now)
        title, target = (
            entry.protocol.title,
            within(terms, parse_number(request.form.get("sessions"))),
        )
        course = site().courses.add_course(client, entry.protocol.id, title, terms, target, now)
    return redirect(url_for("courses.show", course_id=course.id), 303)


def ask_client(entry: LibraryEntry) -> Response:
    """Ask for whom a course is planned, where there are several clients."""
    clients = site().courses.clients()
    body = render_template(
        "courses/whose.html", protocol=entry.protocol, clients=clients, fields=request.form
    )
    return Response(body, 422, mimetype="text/html")


def parse_number(typed: str | None, otherwise: int = 10) -> int:
    return (
        int(typed)
        if typed and typed.isascii() and typed.isdigit() and len(typed) < 4
        else otherwise
    )


@blueprint.get("/<course_id>")
def show(course_id: str) -> str:
    """Progress, dates, charts and sessions; printed, it is a report on one page."""
    # Charts need a library that no other page needs.
    from webapp.presentation.charts import minutes_chart, scores_chart, techniques_of

    course = standing_or_404(course_id)
    return render_template(
        "courses/course.html",
        standing=course,
        progress=course.progress,
        course=course.course,
        clock=request_clock(),
        now=request_time(),
        scores=scores_chart(course.counted),
        minutes=minutes_chart(course.counted),
        techniques=techniques_of(course.counted),
        readings=readings_of(course_id),
        may_go_on=site().library.get(course.course.protocol) is not None
        and not course.progress.reviews(request_time()),
    )


@blueprint.post("/<course_id>")
def change(course_id: str) -> Response:
    """Change the number of sessions, put a course aside or resume it, or answer the review."""
    course = course_or_404(course_id)
    fields = request.form
    if "sessions" in fields:
        wanted = parse_number(fields["sessions"], 0) or abort(422)
        course = replace(course, target=within(course.terms, wanted))
    if "aside" in fields:
        course = replace(course, aside=yes_or_no(fields["aside"]) == "yes")
    if "helped" in fields:
        course = replace(course, helped=yes_or_no(fields["helped"]))
    site().courses.update(course)
    if back := fields.get("screening"):
        return redirect(url_for("screenings.show", screening_id=back), 303)
    return redirect(url_for("courses.show", course_id=course.id), 303)


def yes_or_no(typed: str) -> Helped:
    """The answer; 422 for anything else."""
    answer: Helped | None = next((known for known in get_args(Helped) if known == typed), None)
    return answer or abort(422)


# -- files ---------------------------------------------------------------------------------------


@blueprint.get("/<course_id>/calendar.ics")
def calendar(course_id: str) -> Response:
    """All dates to come, or the next one alone (``?next=1``)."""
    from webapp.presentation.ical import course_calendar

    course = standing_or_404(course_id)
    entry = site().library.get(course.course.protocol)
    dates = course.dates[:1] if request.args.get("next") else course.dates
    body = course_calendar(
        course.progress, dates, request_time(), entry.protocol if entry else None
    )
    return download(body, "text/calendar", f"course-{course.course.protocol}.ics")


@blueprint.get("/<course_id>/course.csv")
def table(course_id: str) -> Response:
    """One line a session, for a clinician's spreadsheet; with ``separator=semicolon`` so."""
    from webapp.presentation.course_export import SEMICOLONS, Style, course_csv

    course = standing_or_404(course_id)
    style = SEMICOLONS if request.args.get("separator") == "semicolon" else Style()
    readings, zone = readings_of(course_id), request_clock().zone
    body = course_csv(course.progress, course.pasts, readings, zone, style)
    return download(body.encode("utf-8-sig"), "text/csv", f"course-{course.course.protocol}.csv")


@blueprint.get("/<course_id>/course.json")
def data(course_id: str) -> Response:
    from webapp.presentation.course_export import course_json

    course = standing_or_404(course_id)
    body = course_json(course.progress, course.pasts, readings_of(course_id), course.dates)
    return download(body.encode(), "application/json", f"course-{course.course.protocol}.json")


def readings_of(course_id: str) -> Readings:
    return site().courses.readings_of_course(course_id)


def download(body: bytes, kind: str, name: str) -> Response:
    response = Response(body, 200, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
