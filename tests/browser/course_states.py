"""States of the pages about people and their courses: today, history, clients, courses, dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from werkzeug.test import TestResponse

from tests.support.visitor import Visitor
from webapp.domain.commands import decide
from webapp.domain.course import terms_of
from webapp.domain.record import Feedback
from webapp.domain.session import Action
from webapp.site import Site
from webapp.storage.courses import Courses
from webapp.storage.sessions import Belonging

Made = str | TestResponse
LUMBAR, POINTS, CUPS, NAPE = "oc-classic-lumbar", "oc-ap-toning", "oc-cupping-back", "oc-self-nape"
DAY_MS = 86_400_000


def fill(site: Site, count: int, begin: int, protocol: str = LUMBAR) -> str:
    """A course of a new client with ``count`` sessions, one each second day, each with its scores.

    Gives the course's id.
    """
    entry = site.library.entries[protocol]
    plan, terms = site.library.usual_plan(entry), terms_of(entry.protocol)
    assert plan is not None
    assert terms is not None
    client = site.courses.add_client(begin)
    course = site.courses.add_course(client, protocol, entry.protocol.title, terms, 15, begin)
    for n in range(count):
        at = begin + n * 2 * DAY_MS
        session = site.storage.create(plan, entry.digest, at, None, Belonging(client.id, course.id))
        stored = site.storage.load(session)
        assert stored is not None
        acts = ["start", *["next"] * sum(step.kind == "prepare" for step in plan.steps), "end"]
        for seq, name in enumerate(acts, 1):
            kind = next(action for action in get_args(Action) if action == name)
            when = at + 1000 * seq + (500_000 + 7_000 * n if kind == "end" else 0)
            event = decide(plan, stored.folded, stored.seq, kind, when, f"key-{n}-{seq}")
            stored = site.storage.record(stored, event)
        site.courses.store_feedback(session, Feedback(10 - n // 2, max(0, 8 - n // 2)))
    return course.id


def filled(count: int, path: str, later_days: float = 0) -> Callable[[Visitor], str]:
    """``path`` some days after the last session; ``{course}`` and ``{client}`` are put in."""

    def make(visitor: Visitor) -> str:
        course = fill(visitor.app.extensions["site"], count, visitor.clock.now())
        visitor.clock.forward((max(0, count - 1) * 2 + later_days) * DAY_MS / 1000 + 3600)
        client = Courses(visitor.storage).clients()[0].id
        return path.format(course=course, client=client)

    return make


def busy_day(visitor: Visitor) -> str:
    """Something runs, something may be today, something is for later."""
    filled(3, "", 3)(visitor)
    fill(visitor.app.extensions["site"], 1, visitor.clock.now() - DAY_MS // 2)
    (client, _) = Courses(visitor.storage).clients()
    session = visitor.prepare(NAPE, client=client.id)
    visitor.done(session, "start")
    return "/today"


def several_clients(visitor: Visitor) -> str:
    filled(2, "", 1)(visitor)
    for _ in range(2):
        Courses(visitor.storage).add_client(visitor.clock.now())
    return "/clients"


def for_whom(visitor: Visitor) -> Made:
    several_clients(visitor)
    return visitor.post("/courses", {"protocol": LUMBAR, "sessions": "12"})


def planned(visitor: Visitor) -> Made:
    answer = visitor.post("/courses", {"protocol": LUMBAR, "sessions": "12"})
    return answer.headers["Location"]


def worked(visitor: Visitor, protocol: str, seconds: float = 40) -> str:
    """A session in which hands were at work for so long and that was ended then."""
    session = visitor.started(protocol)
    while "stage-hands" not in visitor.get(f"/sessions/{session}/live").text:
        visitor.done(session, "next")
    visitor.clock.forward(seconds)
    visitor.done(session, "end")
    return session


def too_early(visitor: Visitor) -> str:
    worked(visitor, LUMBAR)
    visitor.clock.forward(3600)
    return f"/screenings/{visitor.screened(LUMBAR)}"


def no_reason(visitor: Visitor) -> Made:
    screening = too_early(visitor).rsplit("/", 1)[1]
    return visitor.post("/sessions", {"screening": screening})


def too_early_by_now(visitor: Visitor) -> Made:
    ready = visitor.prepare(LUMBAR)
    worked(visitor, LUMBAR)
    visitor.clock.forward(120)
    return visitor.post(f"/sessions/{ready}/start", visitor.form(ready))


def after_cups(visitor: Visitor) -> str:
    worked(visitor, CUPS, 200)
    visitor.clock.forward(DAY_MS / 1000)
    return f"/screenings/{visitor.screened(CUPS)}"


def four_weeks(path: str) -> Callable[[Visitor], str]:
    """After four weeks of points, before somebody has said whether they help."""

    def make(visitor: Visitor) -> str:
        session = worked(visitor, POINTS)
        visitor.clock.forward(29 * DAY_MS / 1000)
        stored = visitor.storage.load(session)
        assert stored is not None
        return path.format(course=stored.course, screening=visitor.screened(POINTS))

    return make


def told(visitor: Visitor) -> str:
    """The summary of a course's session, with the pain told before and after."""
    session = worked(visitor, LUMBAR, 300)
    Courses(visitor.storage).store_feedback(session, Feedback(7, 5))
    return f"/sessions/{session}/summary"


def of_a_session(which: str, *actions: str) -> Callable[[Visitor], str]:
    """Another view of a session with hands at work."""

    def make(visitor: Visitor) -> str:
        session = visitor.started(LUMBAR)
        while "stage-hands" not in visitor.get(f"/sessions/{session}/live").text:
            visitor.done(session, "next")
        visitor.clock.forward(40)
        visitor.done(session, *actions)
        return f"/sessions/{session}/{which}"

    return make
