"""A course: sessions of one protocol with one client, and when the next one may be.

Rules that stand here and nowhere else:
- The gap between two starts is never planned shorter; an earlier start asks and records why.
- What marks or irritates the skin (cups, vacuum, honey) does not start earlier for any reason.
- A course ends with its number of sessions, or when its time is over; a new one waits.
- Nothing is lost by a missed day: dates are planned anew from today.

Instants are integer ms UTC; ``zone`` is where spans of the calendar are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from webapp.domain import calendar_dates
from webapp.domain.calendar_dates import HOUR_MS, add_span
from webapp.domain.plan import Changes
from webapp.domain.protocol import Break, Count, Model, Protocol, Span
from webapp.domain.record import SUCTION, SessionRecord

# facts.md C04 (cups: 72 h and marks faded), HO-07, C11 (honey: every other day, 8 at most)
STRICT = SUCTION | {"honey"}
SUCTION_GAP_HOURS = 72
LAPSE = Span(months=3)

CourseStage = Literal["new", "going", "complete", "resting"]
Rule = Literal["gap", "week", "repeat", "break", "review", "suction"]
Helped = Literal["yes", "no"]


class Terms(Model):
    """A protocol's own numbers, as they were when the course began."""

    sessions: Count | None = None
    gap_hours: int
    break_after: Break | None = None
    repeat_after: Span | None = None
    gentle_first: int = 0
    review_after: Span | None = None
    most_in_week: int | None = None
    techniques: tuple[str, ...] = ()

    @property
    def strict(self) -> bool:
        """True when a technique of the course needs its gaps kept strictly."""
        return bool(STRICT.intersection(self.techniques))

    @property
    def gap_ms(self) -> int:
        """Least time between two starts, in ms."""
        return self.gap_hours * HOUR_MS

    @property
    def rest(self) -> Span | None:
        """What lies between the end of a course and the next one."""
        return self.repeat_after or (self.break_after.pause if self.break_after else None)


def terms_of(protocol: Protocol) -> Terms | None:
    """The terms of a protocol; None when it has no course."""
    course = protocol.course
    if course is None:
        return None
    return Terms(
        sessions=course.sessions,
        gap_hours=course.gap_hours,
        break_after=course.break_after,
        repeat_after=course.repeat_after,
        gentle_first=course.gentle_first,
        review_after=course.review_after,
        most_in_week=course.most_in_week,
        techniques=tuple(sorted({phase.technique for phase in protocol.all_phases()})),
    )


@dataclass(frozen=True, slots=True)
class Client:
    """A person, known by a code that the app made."""

    id: str
    code: str


@dataclass(frozen=True, slots=True)
class Course:
    """A course of one client. ``target``: how many sessions are wanted, None without a number.

    ``aside``: put aside until the next session takes it up. ``helped``: the review's answer.
    """

    id: str
    client: Client
    protocol: str
    title: str
    terms: Terms
    target: int | None
    created_at: int
    aside: bool = False
    helped: Helped | None = None


@dataclass(frozen=True, slots=True)
class CourseProgress:
    """Where a course stands. ``next_at``: the earliest instant of the next start, None before any.

    ``ends_at``: when its time is over, whatever was done. ``review_at``: when to ask if it helps.
    """

    course: Course
    stage: CourseStage
    done: int
    first_at: int | None = None
    last_at: int | None = None
    next_at: int | None = None
    ends_at: int | None = None
    review_at: int | None = None
    lapsed_at: int | None = None

    @property
    def over(self) -> bool:
        """True when no session of the course is left."""
        return self.stage in ("complete", "resting")

    @property
    def left(self) -> int | None:
        """Sessions still to come; None without a number."""
        return None if self.course.target is None else max(0, self.course.target - self.done)

    @property
    def gentle(self) -> bool:
        """True while the next session is one of the first, gentle ones."""
        return self.done < self.course.terms.gentle_first

    def reviews(self, now: int) -> bool:
        """True when it is time to ask whether it helps, and nobody has answered."""
        due = self.review_at is not None and now >= self.review_at
        return due and self.course.helped is None

    def fresh(self, now: int) -> bool:
        """True when a session at ``now`` begins a new course."""
        rested = self.over and self.next_at is not None and now >= self.next_at
        return rested or (self.lapsed_at is not None and now >= self.lapsed_at)


def progress(
    course: Course, pasts: Sequence[SessionRecord], now: int, zone: tzinfo | None
) -> CourseProgress:
    """Where the course stands at ``now`` after these sessions (any order)."""
    starts = sorted(past.begun_at for past in pasts if past.counts)
    if not starts:
        return CourseProgress(course, "new", 0)
    terms, first, last = course.terms, starts[0], starts[-1]
    after_gap = last + terms.gap_ms
    after_rest = max(after_gap, add_span(last, terms.rest, zone)) if terms.rest else after_gap
    pause = terms.break_after
    ends_at = add_span(first, pause.after, zone) if pause else None
    stage: CourseStage = "going"
    if (course.target is not None and len(starts) >= course.target) or course.helped == "no":
        stage = "complete"
    elif ends_at is not None and max(now, after_gap) >= ends_at:
        stage = "resting"
    return CourseProgress(
        course,
        stage,
        len(starts),
        first,
        last,
        next_at=after_gap if stage == "going" else after_rest,
        ends_at=ends_at,
        review_at=add_span(first, terms.review_after, zone) if terms.review_after else None,
        lapsed_at=max(after_rest, add_span(last, LAPSE, zone)),
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a session should not begin before ``until`` (None: before somebody has answered).

    ``firm``: no reason shortens it; otherwise the start asks why, and records it.
    """

    rule: Rule
    until: int | None
    firm: bool


def hold(course_progress: CourseProgress, now: int) -> Hold | None:
    """What speaks against a start at ``now``; None when nothing does."""
    terms = course_progress.course.terms
    if course_progress.fresh(now) or course_progress.next_at is None:
        return None
    if course_progress.stage == "resting":
        return Hold("break", course_progress.next_at, firm=True)
    if course_progress.stage == "complete":
        firm = terms.strict or bool(terms.break_after) or course_progress.course.helped == "no"
        return Hold("repeat", course_progress.next_at, firm)
    if now < course_progress.next_at:
        return Hold("gap", course_progress.next_at, firm=terms.strict)
    if course_progress.reviews(now):
        return Hold("review", None, firm=True)
    return None


WEEK_MS = 7 * 24 * HOUR_MS


def gap_hold(
    protocol_id: str, terms: Terms | None, pasts: Sequence[SessionRecord], now: int
) -> Hold | None:
    """The protocol's own gap and its most in seven days, after any session in which hands were on.

    However short it was, of whatever course or of none.
    """
    if terms is None:
        return None
    starts = sorted(p.begun_at for p in pasts if p.plan.protocol == protocol_id and p.counts)
    most = terms.most_in_week
    if most and len(starts) >= most and starts[-most] + WEEK_MS > now:
        return Hold("week", starts[-most] + WEEK_MS, firm=True)
    until = starts[-1] + terms.gap_ms if starts else now
    return Hold("gap", until, firm=terms.strict) if until > now else None


def strictest(holds: Sequence[Hold | None]) -> Hold | None:
    """What holds longest; what no reason shortens comes first."""
    in_force = [held for held in holds if held]
    return max(in_force, key=lambda held: (held.firm, held.until or 0), default=None)


def suction_hold(
    pasts: Sequence[SessionRecord], techniques: Sequence[str], now: int
) -> Hold | None:
    """72 hours between cups, whichever protocol put them on (facts.md C04)."""
    if not SUCTION.intersection(techniques):
        return None
    ends = [past.begun_at + SUCTION_GAP_HOURS * HOUR_MS for past in pasts if past.suction]
    until = max(ends, default=now)
    return Hold("suction", until, firm=True) if until > now else None


def planned(course_progress: CourseProgress, now: int, zone: tzinfo | None) -> tuple[int, ...]:
    """The dates to come, planned anew from ``now``: of this course, or the next one's first."""
    terms = course_progress.course.terms
    week = WEEK_MS // terms.most_in_week if terms.most_in_week else 0
    gap_ms = max(terms.gap_ms, week)  # so that no seven days hold more than the most
    earliest = now if course_progress.next_at is None else max(now, course_progress.next_at)
    usual = now if course_progress.last_at is None else course_progress.last_at
    if course_progress.over or course_progress.fresh(now):
        return calendar_dates.dates(earliest, usual, gap_ms, 1, zone)
    count = course_progress.left if course_progress.left is not None else 1
    return calendar_dates.dates(earliest, usual, gap_ms, count, zone, course_progress.ends_at)


GENTLE = "One of the first {count} sessions of a course: short and gentle."


def gentle_changes(terms: Terms, done: int) -> Changes:
    """The gentlest preset for the first sessions (facts.md C01, CL-06)."""
    if done >= terms.gentle_first:
        return Changes()
    why = GENTLE.format(count=terms.gentle_first)
    return Changes(light=(why,), shortest=(why,))


def within(terms: Terms, wanted: int) -> int | None:
    """A number of sessions inside the protocol's own bounds; None where it has no number."""
    bounds = terms.sessions
    return min(max(wanted, bounds.min), bounds.max) if bounds else None
