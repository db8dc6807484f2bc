"""Every page and every state of a session, each by the shortest way to it.

``STATES`` is what axe looks at and what ``make screenshots`` photographs: a new page or state is
added here once. A recipe acts as a person would, through the forms, and tells what to open.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from playwright.sync_api import Page
from werkzeug.test import TestResponse

from tests.browser import course_states as course
from tests.browser import joining_states as joining
from tests.support.safe_answers import SAFE
from tests.support.visitor import Visitor
from webapp.domain.invites import Role
from webapp.domain.protocol import Entry, SideGroup
from webapp.domain.session import Event
from webapp.maintenance.jsonl import write_file
from webapp.maintenance.runner import JobRunner
from webapp.maintenance.worker import INCOMING, run_inline
from webapp.storage.courses import Courses
from webapp.storage.sqlite import Sqlite

BACK, LEGS, NAPE, CUPS = "oc-classic-full", "dm-legs-feet", "oc-self-nape", "oc-cupping-back"

Made = str | TestResponse
Recipe = Callable[[Visitor], Made]
Path = Callable[[Visitor], str]


@dataclass(frozen=True, slots=True)
class State:
    """A page in one state: how to make it, words that prove it, and what the browser does then."""

    name: str
    make: Recipe
    shows: str
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
    fields = {"who": "doctor", "on": on}
    answer = visitor.post(f"{path}/word", fields)
    if not confirmed:
        return answer
    visitor.post(f"{path}/word", fields | {"confirmed": "yes"})
    return path


def with_kept_word(path: str, later_days: int = 0, **fields: str) -> Callable[[Visitor], Made]:
    """``path`` some days after a doctor's word for a client's heart; with ``fields`` a post."""

    def make(visitor: Visitor) -> Made:
        client = Courses(visitor.storage).add_client(visitor.clock.now()).id
        screening = visitor.screened(NAPE, client=client, q_heart="yes")
        said = {"who": "doctor", "on": "2026-02-20", "confirmed": "yes"}
        visitor.post(f"/screenings/{screening}/word", said)
        visitor.clock.forward(later_days * 24 * 3600)
        where = path.format(client=client)
        return visitor.post(where, {"question": "heart"} | fields) if fields else where

    return make


def of_an_ulcer(visitor: Visitor) -> str:
    fields = {"q_foot_ulcer_before": "yes", "q_foot_ulcer_place": "yes"}
    places = {"place_foot_ulcer_place": "sole:left"}
    return f"/screenings/{visitor.screened(LEGS, **fields, **places)}"


# -- sessions ------------------------------------------------------------------------------------


def session(*actions: str, protocol: str = BACK) -> Path:
    """A session after ``actions``."""

    def make(visitor: Visitor) -> str:
        session_id = visitor.prepare(protocol)
        visitor.done(session_id, *actions)
        return f"/sessions/{session_id}"

    return make


def summary(recipe: Path) -> Recipe:
    return lambda visitor: f"{recipe(visitor)}/summary"


def hands_on(forward: float = 40, then: str = "", protocol: str = BACK, skip: int = 0) -> Path:
    """In the first phase with hands on, or some phases later."""

    def make(visitor: Visitor) -> str:
        session_id = visitor.started(protocol)
        kept = visitor.storage.load(session_id)
        assert kept is not None
        phases = [step.id for step in kept.plan.steps if step.hands_on]
        while visitor.live(session_id)["data-step"] != phases[skip]:
            visitor.done(session_id, "next")
        visitor.clock.forward(forward)
        visitor.done(session_id, *then.split())
        return f"/sessions/{session_id}"

    return make


def moving(visitor: Visitor) -> str:
    path = hands_on(0, protocol=LEGS, skip=1)(visitor)
    left_ms = int(visitor.live(path.rsplit("/", 1)[1])["data-remaining-ms"])
    visitor.clock.forward(left_ms / 1000 + 2)
    return path


def in_words(visitor: Visitor) -> str:
    """At a point of a file of format 1, which names no place for it."""
    here = visitor.app.extensions["site"]
    entry = here.library.entries["dm2-acupressure"]
    phases = tuple(without_point(one) for one in entry.protocol.phases)
    theirs = entry.protocol.model_copy(update={"id": "their-points", "format": 1, "phases": phases})
    library = replace(here.library, entries={"their-points": replace(entry, protocol=theirs)})
    visitor.app.extensions["site"] = replace(here, library=library)
    return hands_on(protocol="their-points", skip=3)(visitor)


def without_point(entry: Entry) -> Entry:
    if isinstance(entry, SideGroup):
        phases = tuple(phase.model_copy(update={"point": None}) for phase in entry.phases)
        return entry.model_copy(update={"phases": phases})
    return entry.model_copy(update={"point": None})


def last_seconds(visitor: Visitor) -> str:
    path = hands_on(0)(visitor)
    left_ms = int(visitor.live(path.rsplit("/", 1)[1])["data-remaining-ms"])
    visitor.clock.forward(left_ms / 1000 - 9)
    return path


def change_of_side(visitor: Visitor) -> str:
    path = hands_on(0, protocol=LEGS, skip=1)(visitor)
    while "Change of side" not in visitor.get(f"{path}/live").text:
        visitor.done(path.rsplit("/", 1)[1], "next")
    return path


def cups_on(then: str) -> Path:
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
    event = Event(stored.seq + 1, "doubted-here", "doubt", visitor.clock.now())
    visitor.storage.record(stored, event)
    return path


def finished(protocol: str = BACK) -> Path:
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


def disk(kind: str, then: Recipe) -> Recipe:
    """``then`` on a server whose disk is "full" or "failing"."""

    def make(visitor: Visitor) -> Made:
        database = visitor.storage.database
        assert isinstance(database, Sqlite)
        made = "" if kind == "full" else then(visitor)
        if kind == "full":
            database.disk.reserve = database.path.parent / "missing" / "reserve"
            database.disk.full = True
        else:
            database.disk.failed_at = time.monotonic()
        return made or then(visitor)

    return make


def begun_on_a_full_disk(visitor: Visitor) -> Made:
    path = session()(visitor)
    disk("full", at(path))(visitor)
    return visitor.post(f"{path}/start", visitor.form(path.rsplit("/", 1)[1]))


def nothing_saved(visitor: Visitor) -> Made:
    path = hands_on()(visitor)
    form = visitor.form(path.rsplit("/", 1)[1])
    disk("failing", at(path))(visitor)
    return visitor.post(f"{path}/pause", form)


def two_sessions(visitor: Visitor) -> Made:
    hands_on()(visitor)
    session_id = visitor.prepare(NAPE)
    return visitor.post(f"/sessions/{session_id}/start", visitor.form(session_id))


def noted(protocol: str, second: str = "6.4") -> Recipe:
    """The summary after a reading was sent."""

    def make(visitor: Visitor) -> Made:
        path = hands_on(60, "end", protocol)(visitor)
        for number in ("9.1", second):
            visitor.clock.forward(60)
            answer = visitor.post(
                f"{path}/reading",
                {"glucose": number, "unit": "mmol/L", "glucose-shown": "number"},
            )
        return f"{path}/summary" if answer.status_code == 303 else answer

    return make


# -- the owner's pages for the data --------------------------------------------------------------


def kept_data(visitor: Visitor) -> JobRunner:
    """Two sessions of a client that are over, and jobs that are done at once, here."""
    upkeep: JobRunner = visitor.app.extensions["jobs"]
    upkeep.run_task, upkeep.spawn = run_inline, lambda work: work()
    here = visitor.app.extensions["site"]
    settings = replace(here.settings, data=visitor.storage.database.folder)
    visitor.app.extensions["site"] = replace(here, settings=settings)
    for _ in range(2):
        visitor.done(visitor.started(NAPE), "stop")
        visitor.clock.forward(86_400)
    return upkeep


def data(path: str = "", *, then: str = "", **fields: str) -> Recipe:
    """A page below ``/owner/data``, with a backup there; or where a form leads that is sent."""

    def make(visitor: Visitor) -> Made:
        upkeep = kept_data(visitor)
        upkeep.start("backup")
        visitor.clock.forward(60)
        (client,) = Courses(visitor.storage).clients()
        copy = next((visitor.storage.database.folder / "backups").iterdir()).name
        where = f"/owner/data{path.format(client=client.id, copy=copy)}"
        if then == "stand":
            upkeep.spawn = lambda work: None
        if not fields:
            return where
        sent = {name: value.format(client=client.id) for name, value in fields.items()}
        answer = visitor.post(where, sent)
        if then == "stand":
            (job, *_) = upkeep.jobs.newest()
            upkeep.jobs.store_progress(job.id, 30, 100, "Copying")
        return answer.headers.get("Location") or answer

    return make


def looked_into(visitor: Visitor) -> Made:
    """An export of what was deleted since, after the look into it."""
    upkeep = kept_data(visitor)
    (client,) = Courses(visitor.storage).clients()
    folder = visitor.storage.database.folder
    name = upkeep.new_upload()
    write_file(visitor.storage.database, folder / INCOMING / name / "upload.jsonl", client.code)
    upkeep.start("erase", {"table": "clients", "ids": [client.id]})
    return f"/owner/data/jobs/{upkeep.start('check', upload=name).id}"


def torn(visitor: Visitor) -> Made:
    upkeep = kept_data(visitor)
    name = upkeep.new_upload()
    path = visitor.storage.database.folder / INCOMING / name / "upload.jsonl"
    path.write_text('{"steady-hands": "export", "format": 1, "schema": 3}\n', encoding="utf-8")
    return f"/owner/data/jobs/{upkeep.start('check', upload=name).id}"


def running_too(visitor: Visitor) -> Made:
    made = data("/copies/{copy}/restore")(visitor)
    hands_on()(visitor)
    assert isinstance(made, str)
    return visitor.post(made, {})


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


def said_of_an_act(page: Page) -> None:
    page.evaluate("document.querySelector('#acts [name=seq]').value = '0'")
    press("Next")(page)
    page.locator("#session-said").wait_for()


def at_once(page: Page) -> None:
    """Without the slow change from one colour to the next."""
    page.locator(".calm").evaluate("(calm) => { calm.style.transition = 'none'; }")


def cut_off(page: Page) -> None:
    page.route("**/live*", lambda route: route.abort())
    page.evaluate("document.body.dispatchEvent(new Event('resync'))")
    page.wait_for_function("() => document.querySelector('#session-link').textContent !== ''")


def learned(page: Page) -> None:
    page.get_by_role("button", name="Learn: Next").click()
    page.keyboard.press("F7")


def marked_yes(page: Page) -> None:
    page.locator('input[name="q-insulin-sites"][value="yes"]').check()


HIGH = {"q_glucose_medicine": "insulin", "q_last_insulin": "over-an-hour", "glucose": "14.2"}

STATES = (
    State("catalogue", at("/"), "What are your hands"),
    State("catalogue-empty", at("/?condition=none-of-ours"), "Nothing fits that choice"),
    State("catalogue-running", lambda v: hands_on()(v) and "/", "Back to it"),
    State("protocol", at(f"/protocols/{BACK}"), "What is known", opened),
    State("protocol-clearance", at(f"/protocols/{LEGS}"), "Include, if you like", opened),
    State("protocol-professional", at("/protocols/oc-thai"), "trained"),
    State("protocol-withheld", at("/protocols/honey-neck"), "Explained, never run"),
    State("protocol-nearest", at(f"/protocols/{BACK}?minutes=100"), "nearest"),
    State("protocol-fault", at(f"/protocols/{NAPE}?minutes=0"), "Please give minutes"),
    State("questions", at(f"/protocols/{LEGS}/screening"), "A few questions first", marked_yes),
    State(
        "questions-open",
        lambda v: v.post(f"/protocols/{LEGS}/screening", {"q-fever": "no"}),
        "Still open",
    ),
    State(
        "questions-faults", asked(LEGS, glucose="25", minutes_ago="x"), "Please look at these again"
    ),
    State("questions-ketones", asked(LEGS, **HIGH), "Ketones: they matter now"),
    State("verdict-clear", asked(NAPE), "Clear to start"),
    State("verdict-changes", with_place, "Left out:"),
    State("verdict-clinician-foot", of_an_ulcer, "The foot team agrees"),
    State("verdict-clinician", asked(NAPE, q_surgery="yes"), "Has a clinician agreed"),
    State("verdict-word", with_word, "Is this right?"),
    State("verdict-word-fault", lambda v: with_word(v, on="2031-01-01"), "day"),
    State(
        "verdict-word-told",
        lambda v: with_word(v, confirmed=True),
        "Clear, with a clinician's word",
    ),
    State("verdict-not-today", asked(NAPE, q_fever="yes"), "Not today"),
    State("verdict-help", asked(NAPE, q_neck_dizzy="yes"), "Get help now"),
    State("verdict-wait", asked(LEGS, glucose="3.8"), "Treat the low now"),
    State("verdict-early", course.too_early, "Why earlier?"),
    State("verdict-early-fault", course.no_reason, "Please say why"),
    State("verdict-cups", course.after_cups, "72 hours"),
    State("verdict-review", course.four_weeks("/screenings/{screening}"), "Has it helped?"),
    State("stage-ready", session(), "Before hands get oily"),
    State("stage-ready-diabetes", session(protocol=LEGS), "Before hands get oily"),
    State("stage-ask", two_sessions, "Another session is still running"),
    State("stage-early", course.too_early_by_now, "Why earlier?"),
    State("stage-remote", course.of_a_session("remote"), "Pause"),
    State("stage-calm", course.of_a_session("calm"), "Low back", at_once),
    State("stage-calm-rest", course.of_a_session("calm", "end"), "Rest", at_once),
    State("stage-preparing", session("start"), "Before we begin"),
    State("stage-running", hands_on(), "Stroking"),
    State("stage-move", moving, "Next place"),
    State("stage-kneading", hands_on(skip=3), "Kneading"),
    State("stage-last-seconds", last_seconds, "0:0"),
    State("stage-diabetes", hands_on(protocol=LEGS), "Signs of a low"),
    State("stage-in-words", in_words, "Press in place"),
    State("stage-point", hands_on(protocol="dm2-acupressure", skip=3), "inner side"),
    State("stage-change-of-side", change_of_side, "Change of side"),
    State("stage-cups", cups_on(""), "Cupping"),
    State("stage-paused", hands_on(then="pause"), "paused"),
    State("stage-cups-paused", cups_on("pause"), "Take the cups off now"),
    State("stage-cups-ended", cups_on("end"), "Cups off?"),
    State("stage-doubt", doubted, "The server was away"),
    State("stage-refused", refused, "The pause was long"),
    State("stage-said", hands_on(), "Nothing was changed", said_of_an_act),
    State(
        "stage-more",
        hands_on(),
        "Must end at",
        lambda page: page.locator("#session-more > summary").click(),
    ),
    State("stage-locked", hands_on(), "Hold to open", press("Lock")),
    State("stage-undo", hands_on(), "Undo: go back", taken_back),
    State("stage-offline", hands_on(), "on its own since", cut_off),
    State("stage-rest", hands_on(then="end"), "Summary is ready"),
    State("stage-finished", finished(), "Finished"),
    State("stage-stopped", hands_on(then="stop"), "Stopped. Hands off."),
    State("stage-stopped-cups", cups_on("stop"), "Stopped. Hands off."),
    State("stage-low", hands_on(then="low", protocol=LEGS), "Treat this as a low"),
    State("summary-not-yet", summary(hands_on()), "is ready when the hands-on time is over"),
    State("summary-ended", summary(hands_on(then="end")), "ended early"),
    State("summary-finished", summary(finished(NAPE)), "Planned"),
    State("summary-stopped", summary(hands_on(then="stop")), "Stopped because of pain"),
    State("summary-low", summary(hands_on(then="low", protocol=LEGS)), "signs of a low"),
    State("summary-reading", noted(LEGS), "6.4 mmol/L"),
    State("summary-reading-low", noted(LEGS, "3.4"), "3.4 mmol/L"),
    State("summary-fault", noted(LEGS, "much"), "Please give the reading"),
    State("summary-course", course.told, "1 of 10 sessions"),
    State("today-empty", at("/today"), "No session yet"),
    State("today", course.busy_day, "May be today"),
    State("clients-none", at("/clients"), "code"),
    State("clients", course.several_clients, "code"),
    State("client", course.filled(3, "/clients/{client}", 3), "3 of 15"),
    State("client-word", with_kept_word("/clients/{client}"), "It counts until"),
    State("client-word-ended", with_kept_word("/clients/{client}", 200), "It counted until"),
    State("client-word-open", with_kept_word("/clients/{client}/words", open="1"), "Who said so"),
    State(
        "client-word-sure",
        with_kept_word("/clients/{client}/words", who="doctor", on="2026-03-01"),
        "Is this right?",
    ),
    State(
        "protocol-word",
        with_kept_word(f"/protocols/{NAPE}?client={{client}}", 200),
        "Ask a clinician first",
    ),
    State("client-card", course.filled(1, "/clients/{client}/card"), "course"),
    State("courses-none", at("/courses"), "No course yet"),
    State("courses", lambda v: course.busy_day(v) and "/courses", "3 of 15"),
    State("course-planned", course.planned, "0 of 12"),
    State("course", course.filled(5, "/courses/{course}", 3), "5 of 15", opened),
    State("course-complete", course.filled(15, "/courses/{course}", 3), "15 of 15"),
    State("course-review", course.four_weeks("/courses/{course}"), "Has it helped?"),
    State("course-whose", course.for_whom, "For whom?"),
    State("history-none", at("/history"), "Nothing here yet"),
    State("history", course.filled(12, "/history", 3), "min"),
    State("offline", at("/offline"), "server"),
    State("settings", at("/settings"), "This device"),
    State("settings-learned", at("/settings"), "Forget F7", learned),
    State("trust-plain", at("/trust"), "Plain http, and what it leaves out"),
    State("techniques", at("/techniques"), "Techniques", opened),
    State("sources", at("/sources"), "Where the numbers come from"),
    State("low", at("/low"), "Signs of a low"),
    State("join", joining.seen_by(None, "/"), "Join first"),
    State("join-wrong", joining.code_refused, "No invite has this code"),
    State("join-over", joining.invite_over, "This invite is over"),
    State("owner-nobody-yet", at("/owner"), "None yet"),
    State("owner", joining.owner, "Devices that joined", opened),
    State("owner-invite", joining.invited, "Scan to join as display"),
    State("owner-revoke", joining.revoking, "Revoke Tablet"),
    State("display-first", joining.seen_by(Role.DISPLAY, "/"), "What are your hands"),
    State("display-refused", joining.seen_by(Role.DISPLAY, "/today"), "let in as a display"),
    State("stage-display", joining.seen_by(Role.DISPLAY, hands_on()), "another one controls it"),
    State("stage-shut-out", hands_on(), "no longer joined", joining.shut_out),
    State("data", data(), "The last one was made"),
    State("data-empty", at("/owner/data"), "Back up now"),
    State("data-job", data("/backup", then="stand", go="1"), "Copying, 30 %"),
    State("data-restore", data("/copies/{copy}/restore"), "What would be gone"),
    State("data-restore-refused", running_too, "Nothing was restored"),
    State("data-choose", data("/erase"), "What should go?"),
    State("data-erase", data("/erase?client={client}"), "cannot be taken back"),
    State("data-erased", data("/erase", client="{client}"), "still stands in 1 copy"),
    State("data-preview", looked_into, "Bring it in"),
    State("data-torn", torn, "That did not work"),
    State("data-retention", data("/retention?days=7"), "Every day"),
    State("data-fault", data("/import", go="1"), "Nothing was taken"),
    State("error-404", lambda v: v.get("/nothing-here"), "Not here"),
    State("error-405", lambda v: v.post("/techniques", {}), "Not this way"),
    State("catalogue-disk-full", disk("full", at("/")), "disk is full"),
    State("catalogue-disk-failing", disk("failing", at("/")), "cannot save"),
    State("stage-disk-failing", disk("failing", hands_on()), "cannot save"),
    State("stage-disk-full", begun_on_a_full_disk, "when there is room again"),
    State("error-not-saved", nothing_saved, "Not saved"),
    State("error-disk-full", disk("full", asked(NAPE)), "no room to save"),
    State(
        "error-host",
        lambda v: v.get("/", Host="elsewhere.test:8000"),
        "Please use the other address",
    ),
    State(
        "error-foreign",
        lambda v: v.post("/settings", {}, Origin="http://elsewhere.test"),
        "Not from here",
    ),
)
