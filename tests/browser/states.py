"""Every page and every state of a session, each by the shortest way to it.

``STATES`` is what axe looks at and what ``make screenshots`` photographs: a new page or state is
added here once. A recipe acts as a person would, through the forms, and tells what to open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page
from werkzeug.test import TestResponse

from tests.conftest import Visitor
from tests.screened import SAFE

BACK, LEGS, NAPE, CUPS = "oc-classic-full", "dm-legs-feet", "oc-self-nape", "oc-cupping-back"

Made = str | TestResponse
Recipe = Callable[[Visitor], Made]


@dataclass(frozen=True, slots=True)
class State:
    """A page in one state: how to make it, and what to do in the browser then."""

    name: str
    make: Recipe
    then: Callable[[Page], object] | None = None

    @property
    def stage(self) -> bool:
        return self.name.startswith("stage-")


def at(path: str) -> Recipe:
    return lambda _: path


# -- questions and verdicts ----------------------------------------------------------------------


def asked(protocol: str, **fields: str) -> Recipe:
    """The answer to the questions' form: faults, or the verdict."""

    def make(visitor: Visitor) -> Made:
        answer = visitor.answer(protocol, **fields)
        return answer.headers.get("Location") or answer

    return make


def with_place(visitor: Visitor) -> str:
    fields = SAFE | {"q-insulin-sites": "yes", "place-insulin-sites": "thigh:left"}
    answer = visitor.post(f"/protocols/{LEGS}/screening", fields)
    return answer.headers["Location"]


def with_word(visitor: Visitor, *, confirmed: bool = False, on: str = "2026-02-20") -> Made:
    path = f"/screenings/{visitor.screened(NAPE, q_surgery='yes')}"
    fields = {"who": "physician", "on": on}
    answer = visitor.post(f"{path}/word", fields)
    if not confirmed:
        return answer
    visitor.post(f"{path}/word", fields | {"confirmed": "yes"})
    return path


# -- sessions ------------------------------------------------------------------------------------


def session(
    *actions: str, protocol: str = BACK, forward: float = 0, until: str = "", then: str = ""
) -> Recipe:
    """A session after ``actions``, Next until the step ``until``, some seconds, and one more act."""

    def make(visitor: Visitor) -> str:
        session_id = visitor.prepare(protocol)
        visitor.done(session_id, *actions)
        while until and visitor.live(session_id)["data-step"] != until:
            visitor.done(session_id, "next")
        visitor.clock.forward(forward)
        visitor.done(session_id, *then.split())
        return f"/sessions/{session_id}"

    return make


def summary(recipe: Recipe) -> Recipe:
    return lambda visitor: f"{recipe(visitor)}/summary"


FIRST = {BACK: "stroking-start", LEGS: "lower-leg-strokes-left", CUPS: "cups-one"}


def hands_on(forward: float = 40, then: str = "", protocol: str = BACK, skip: int = 0) -> Recipe:
    """In the first phase with hands on, or some phases later."""

    def make(visitor: Visitor) -> str:
        session_id = visitor.started(protocol)
        while "stage-hands" not in visitor.get(f"/sessions/{session_id}/live").text:
            visitor.done(session_id, "next")
        visitor.done(session_id, *["next"] * skip)
        visitor.clock.forward(forward)
        visitor.done(session_id, *then.split())
        return f"/sessions/{session_id}"

    return make


def last_seconds(visitor: Visitor) -> str:
    path = hands_on(0)(visitor)
    left_ms = int(visitor.live(path.rsplit("/", 1)[1])["data-remaining-ms"])
    visitor.clock.forward(left_ms / 1000 - 9)
    return path


def change_of_side(visitor: Visitor) -> str:
    path = hands_on(0, protocol=LEGS)(visitor)
    session_id = path.rsplit("/", 1)[1]
    while 'data-kind="change"' not in (text := visitor.get(f"{path}/live").text):
        if "Change of side" in text:
            return path
        visitor.done(session_id, "next")
    return path


def cups_on(then: str) -> Recipe:
    """Into the phase in which the cups stand."""

    def make(visitor: Visitor) -> str:
        path = hands_on(0, protocol=CUPS)(visitor)
        session_id = path.rsplit("/", 1)[1]
        plan = visitor.storage.load(session_id)
        assert plan is not None
        cups = next(step.id for step in plan.plan.steps if "cups" in step.tags)
        while visitor.live(session_id)["data-step"] != cups:
            visitor.done(session_id, "next")
        visitor.clock.forward(20)
        visitor.done(session_id, *then.split())
        return path

    return make


def doubted(visitor: Visitor) -> str:
    path = hands_on()(visitor)
    stored = visitor.storage.load(path.rsplit("/", 1)[1])
    assert stored is not None
    from webapp.domain.session import Event

    visitor.storage.record(
        stored, Event(stored.seq + 1, "doubted-here", "doubt", visitor.clock.now())
    )
    return path


def finished(protocol: str = BACK) -> Recipe:
    def make(visitor: Visitor) -> str:
        path = hands_on(60, "end", protocol)(visitor)
        session_id = path.rsplit("/", 1)[1]
        for _ in range(12):
            if visitor.live(session_id)["data-status"] == "finished":
                break
            visitor.done(session_id, "next")
        return path

    return make


def refused(visitor: Visitor) -> Made:
    path = hands_on(then="pause")(visitor)
    visitor.clock.forward(61 * 60)
    form = visitor.form(path.rsplit("/", 1)[1])
    return visitor.post(f"{path}/resume", form)


def two_sessions(visitor: Visitor) -> Made:
    hands_on()(visitor)
    session_id = visitor.prepare(NAPE)
    return visitor.post(f"/sessions/{session_id}/start", visitor.form(session_id))


def noted(protocol: str, **fields: str) -> Recipe:
    """The summary after a reading was sent."""

    def make(visitor: Visitor) -> Made:
        path = hands_on(60, "end", protocol)(visitor)
        for number in ("9.1", fields.pop("glucose", "6.4")):
            visitor.clock.forward(60)
            answer = visitor.post(
                f"{path}/reading",
                {"glucose": number, "unit": "mmol/L", "glucose-shown": "number"} | fields,
            )
        return f"{path}/summary" if answer.status_code == 303 else answer

    return make


# -- in the browser ------------------------------------------------------------------------------


def press(*labels: str) -> Callable[[Page], object]:
    def then(page: Page) -> None:
        for label in labels:
            page.get_by_role("button", name=label, exact=True).click()

    return then


def opened(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


def taken_back(page: Page) -> None:
    press("Next")(page)
    page.locator("#undo").wait_for()


def cut_off(page: Page) -> None:
    page.route("**/live*", lambda route: route.abort())
    page.evaluate("document.body.dispatchEvent(new Event('resync'))")
    page.wait_for_function("document.querySelector('#session-link').textContent")


def learned(page: Page) -> None:
    page.get_by_role("button", name="Learn: Next").click()
    page.keyboard.press("F7")


def marked_yes(page: Page) -> None:
    page.locator('input[name="q-insulin-sites"][value="yes"]').check()


HIGH = {"q_glucose_medicine": "insulin", "q_last_insulin": "over-an-hour", "glucose": "14.2"}

STATES = (
    State("catalogue", at("/")),
    State("catalogue-empty", at("/?who=self&condition=diabetes-mellitus")),
    State("catalogue-running", lambda v: hands_on()(v) and "/"),
    State("protocol", at(f"/protocols/{BACK}"), opened),
    State("protocol-clearance", at(f"/protocols/{LEGS}"), opened),
    State("protocol-professional", at("/protocols/oc-thai")),
    State("protocol-withheld", at("/protocols/honey-neck")),
    State("protocol-nearest", at(f"/protocols/{BACK}?minutes=100")),
    State("protocol-fault", at(f"/protocols/{NAPE}?minutes=0")),
    State("questions", at(f"/protocols/{LEGS}/screening"), marked_yes),
    State("questions-open", lambda v: v.post(f"/protocols/{LEGS}/screening", {"q-fever": "no"})),
    State("questions-faults", asked(LEGS, glucose="25", minutes_ago="x")),
    State("questions-ketones", asked(LEGS, **HIGH)),
    State("verdict-clear", asked(NAPE)),
    State("verdict-changes", with_place),
    State("verdict-clinician", asked(NAPE, q_surgery="yes")),
    State("verdict-word", with_word),
    State("verdict-word-fault", lambda v: with_word(v, on="2031-01-01")),
    State("verdict-word-told", lambda v: with_word(v, confirmed=True)),
    State("verdict-not-today", asked(NAPE, q_fever="yes")),
    State("verdict-help", asked(NAPE, q_neck_dizzy="yes")),
    State("verdict-wait", asked(LEGS, glucose="3.8")),
    State("stage-ready", session()),
    State("stage-ready-diabetes", session(protocol=LEGS)),
    State("stage-ask", two_sessions),
    State("stage-preparing", session("start")),
    State("stage-running", hands_on()),
    State("stage-kneading", hands_on(skip=3)),
    State("stage-last-seconds", last_seconds),
    State("stage-diabetes", hands_on(protocol=LEGS)),
    State("stage-change-of-side", change_of_side),
    State("stage-cups", cups_on("")),
    State("stage-paused", hands_on(then="pause")),
    State("stage-cups-paused", cups_on("pause")),
    State("stage-cups-ended", cups_on("end")),
    State("stage-doubt", doubted),
    State("stage-refused", refused),
    State("stage-more", hands_on(), lambda page: page.locator("#session-more > summary").click()),
    State("stage-locked", hands_on(), press("Lock")),
    State("stage-undo", hands_on(), taken_back),
    State("stage-offline", hands_on(), cut_off),
    State("stage-rest", hands_on(then="end")),
    State("stage-finished", finished()),
    State("stage-stopped", hands_on(then="stop")),
    State("stage-stopped-cups", cups_on("stop")),
    State("stage-low", hands_on(then="low", protocol=LEGS)),
    State("summary-not-yet", summary(hands_on())),
    State("summary-ended", summary(hands_on(then="end"))),
    State("summary-finished", summary(finished(NAPE))),
    State("summary-stopped", summary(hands_on(then="stop"))),
    State("summary-low", summary(hands_on(then="low", protocol=LEGS))),
    State("summary-reading", noted(LEGS)),
    State("summary-reading-low", noted(LEGS, glucose="3.4")),
    State("summary-fault", noted(LEGS, glucose="much")),
    State("settings", at("/settings")),
    State("settings-learned", at("/settings"), learned),
    State("techniques", at("/techniques"), opened),
    State("sources", at("/sources")),
    State("low", at("/low")),
    State("error-404", lambda v: v.get("/nothing-here")),
    State("error-405", lambda v: v.post("/techniques", {})),
    State("error-host", lambda v: v.get("/", Host="elsewhere.test:8000")),
    State("error-foreign", lambda v: v.post("/settings", {}, Origin="http://elsewhere.test")),
)
