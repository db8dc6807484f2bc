"""Who may come in, and what every answer carries."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.visitor import HOST, Visitor, visit
from webapp.app import create_app
from webapp.assets.files import SHEETS, Assets, read_assets
from webapp.maintenance import backups
from webapp.maintenance.runner import JobRunner
from webapp.network import machine_name
from webapp.settings import Settings, shipped
from webapp.storage.courses import Courses
from webapp.storage.sessions import NotSavedError

DIRECTIVES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "htmx steady-hands",
}
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ON_PAGES = {"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
KEY = {"key": "12345678", "seq": "0", "step": "one"}
VERSION = read_assets(shipped("static")).version
STYLE = f"/static/{VERSION}/site.css"


def directives(answer: TestResponse) -> dict[str, str]:
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    pairs = [part.strip().partition(" ") for part in policy.split(";")]
    assert len({name for name, _, _ in pairs}) == len(pairs)
    return {name: value for name, _, value in pairs}


def check_headers(answer: TestResponse, *, static: bool = False) -> None:
    found = directives(answer)
    worker = answer.request.path == "/worker.js" and answer.status_code == 200
    bare = not answer.data and "script-src" not in found  # nothing to be shown, as for a beat
    thin = static or worker or bare
    if thin:
        if worker:
            assert found.pop("connect-src") == "'self'"
        names = ("default-src", "base-uri", "form-action", "frame-ancestors")
        assert found == dict.fromkeys(names, "'none'")
    else:
        scripts = found.pop("script-src")
        assert found == DIRECTIVES
        assert re.fullmatch(r"'nonce-[A-Za-z0-9_-]{20,}'|'none'", scripts)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    for name, value in (FIXED if thin else FIXED | ON_PAGES).items():
        assert answer.headers.getlist(name) == [value]
    if not thin:
        check_permissions(answer)
    if answer.data:
        kind = answer.headers["Content-Type"]
        assert "; charset=utf-8" in kind or not kind.startswith(("text/", "application/json")), kind
    expected = "max-age=31536000, immutable" if static else "no-store"
    assert answer.headers.getlist("Cache-Control") == [expected]


def check_permissions(answer: TestResponse) -> None:
    allowed = dict(
        part.strip().split("=", 1) for part in answer.headers["Permissions-Policy"].split(",")
    )
    for name in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert allowed[name] == "()"
    for name in ("screen-wake-lock", "fullscreen", "autoplay"):
        assert allowed[name] == "(self)"


def fail(visitor: Visitor, patch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise error

    patch.setattr(visitor.storage, name, broken)


Ask = Callable[[Visitor, pytest.MonkeyPatch], TestResponse]


def not_saved(visitor: Visitor, patch: pytest.MonkeyPatch) -> TestResponse:
    screening = visitor.screened()
    fail(visitor, patch, "create", NotSavedError())
    return visitor.post("/sessions", {"screening": screening})


def broken(visitor: Visitor, patch: pytest.MonkeyPatch) -> TestResponse:
    fail(visitor, patch, "load", RuntimeError("for a test"))
    return visitor.get("/sessions/any")


def beat(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    return visitor.get(f"/sessions/{visitor.prepare()}/live?seq=0&until=0")


def session(path: str) -> Ask:
    return lambda visitor, _: visitor.get(f"/sessions/{visitor.prepare()}{path}")


def screening(path: str) -> Ask:
    return lambda visitor, _: visitor.get(f"/screenings/{visitor.screened()}{path}")


def answered(**fields: str) -> Ask:
    return lambda visitor, _: visitor.answer(**fields)


def create(**headers: str) -> Ask:
    def made(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        fields = {"screening": visitor.screened()}
        return visitor.post("/sessions", fields, htmx=False, **headers)

    return made


def refused(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    return visitor.post("/sessions", {"screening": visitor.screened(q_fever="yes")})


def word(**fields: str) -> Ask:
    def told(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        needed = visitor.screened(q_surgery="yes")
        return visitor.post(f"/screenings/{needed}/word", fields)

    return told


def kept_word(path: str, **fields: str) -> Ask:
    """A post about the word that is kept for a client."""

    def told(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        client = Courses(visitor.storage).add_client(visitor.clock.now()).id
        needed = visitor.screened(client=client, q_heart="yes")
        said = {"who": "doctor", "on": "2026-03-01", "confirmed": "yes"}
        assert visitor.post(f"/screenings/{needed}/word", said).status_code == 303
        return visitor.post(f"/clients/{client}/{path}", {"question": "heart"} | fields)

    return told


def wordless(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    return visitor.post(f"/screenings/{visitor.screened()}/word", {})


def account(path: str, body: str) -> Ask:
    def asked(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        return visitor.post(f"/sessions/{visitor.started()}/{path}", {"account": body}, htmx=True)

    return asked


ALONE = '{"seq": 1, "line": 1, "alone_since": 1, "counted": true, "status": "running"}'
SCREEN = '{"screen": "screen-01", "apart": 30, "alone": 0}'


def reading(typed: str) -> Ask:
    def noted(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        session_id = visitor.started("sided", "next", "end")
        fields = {"glucose-shown": "number", "glucose": typed, "unit": "mmol/L"}
        return visitor.post(f"/sessions/{session_id}/reading", fields)

    return noted


def act(action: str, *, htmx: bool = False, **fields: str) -> Ask:
    return lambda visitor, _: visitor.act(visitor.prepare(), action, htmx=htmx, **fields)


@pytest.fixture
def visitor(small_app: Flask, tmp_path: Path) -> Iterator[Visitor]:
    """On the embedded database alone: copies are made of the one that the app's settings name."""
    yield from visit(small_app, tmp_path)


def get(path: str, **headers: str) -> Ask:
    return lambda visitor, _: visitor.get(path, htmx="HX_Request" in headers, **headers)


def post(path: str, fields: dict[str, str], **headers: str) -> Ask:
    return lambda visitor, _: visitor.post(path, fields, htmx=False, **headers)


def told(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    session_id = visitor.started()
    visitor.clock.forward(40)
    return visitor.post(f"/sessions/{session_id}/told", {"after": "3"})


def followed(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    """The calendar of what follows a session with diabetes."""
    return visitor.get(f"/sessions/{visitor.started('sided', 'next', 'end')}/after.ics")


def course(path: str, **fields: str) -> Ask:
    """Ask for a page of a course with one session, or send to it."""

    def asked(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
        visitor.started()
        visitor.clock.forward(40)
        ((found, _),) = Courses(visitor.storage).courses(9, 0)
        where = path.format(course=found.id, client=found.client.id)
        return visitor.post(where, fields) if fields else visitor.get(where)

    return asked


def for_whom(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    for n in (1, 2):
        Courses(visitor.storage).add_client(n)
    return visitor.post("/courses", {"protocol": "short"})


def too_early(visitor: Visitor, _patch: pytest.MonkeyPatch) -> TestResponse:
    visitor.started()
    visitor.clock.forward(40)
    return visitor.post("/sessions", {"screening": visitor.screened()})


def data_page(path: str, **fields: str) -> Ask:
    """Ask the owner's pages about a client, a session, a copy and a job; jobs do nothing."""

    def asked(visitor: Visitor, patch: pytest.MonkeyPatch) -> TestResponse:
        found: JobRunner = visitor.app.extensions["jobs"]
        patch.setattr(found, "spawn", lambda work: None)
        here = visitor.app.extensions["site"]
        data = visitor.storage.database.folder
        settings = replace(here.settings, data=data)
        visitor.app.extensions["site"] = replace(here, settings=settings)
        session = visitor.started()
        visitor.done(session, "stop")
        (client,) = Courses(visitor.storage).clients()
        copy = backups.make(visitor.storage.database, data / backups.FOLDER).name
        job = found.start("check", upload="none", counts={}).id if "{job}" in path else ""
        if job and fields:
            found.end(found.jobs.newest()[0], "good", "", {})
        names = {"client": client.id, "session": session, "copy": copy, "job": job}
        where = f"/owner/data{path.format(**names)}"
        sent = {name: value.format(**names) for name, value in fields.items()}
        return visitor.post(where, sent) if fields else visitor.get(where)

    return asked


ANSWERS: list[tuple[int, str, Ask]] = [
    (200, "owner_data.show", data_page("")),
    (200, "owner_data.job", data_page("/jobs/{job}")),
    (200, "owner_data.state", data_page("/jobs/{job}/state")),
    (200, "owner_data.download", data_page("/copies/{copy}")),
    (200, "owner_data.ask_restore", data_page("/copies/{copy}/restore")),
    (200, "owner_data.export", data_page("/export?client={client}")),
    (200, "owner_data.ask_erase", data_page("/erase")),
    (200, "owner_data.ask_erase", data_page("/erase?client={client}")),
    (200, "owner_data.ask_erase", data_page("/erase?session={session}")),
    (200, "owner_data.ask_retention", data_page("/retention?days=30")),
    (303, "owner_data.backup", data_page("/backup", go="1")),
    (303, "owner_data.restore", data_page("/copies/{copy}/restore", anyway="1")),
    (303, "owner_data.delete", data_page("/copies/delete", name="{copy}")),
    (303, "owner_data.import_upload", data_page("/import/{job}", act="drop")),
    (303, "owner_data.erase", data_page("/erase", client="{client}")),
    (303, "owner_data.change_retention", data_page("/retention", days="30", on="1")),
    (404, "owner_data.job", get("/owner/data/jobs/none")),
    (404, "owner_data.download", get("/owner/data/copies/none")),
    (409, "owner_data.import_upload", data_page("/import/{job}", act="bring")),
    (422, "owner_data.upload", data_page("/import", go="1")),
    (422, "owner_data.ask_retention", data_page("/retention?days=none")),
    (200, "catalogue.show", get("/")),
    (200, "protocols.show", get("/protocols/short")),
    (200, "protocols.plan", get("/protocols/short/plan")),
    (200, "reference.techniques", get("/techniques")),
    (200, "reference.sources", get("/sources")),
    (200, "reference.low", get("/low")),
    (200, "settings.show", get("/settings")),
    (200, "sessions.remote", session("/remote")),
    (204, "sessions.push_events", session("/nudges")),
    (200, "sessions.calm", session("/calm")),
    (200, "sessions.calm_live", session("/calm/live")),
    (200, "offline.offline", get("/offline")),
    (200, "offline.manifest", get("/manifest.webmanifest")),
    (200, "offline.worker", get("/worker.js")),
    (303, "settings.store", post("/settings", {"theme": "dim"})),
    (303, "settings.store_number", post("/settings/emergency-number", {"chosen": "112"})),
    (422, "settings.store_number", post("/settings/emergency-number", {"typed": "one"})),
    (200, "today.show", get("/today")),
    (200, "trust.show", get("/trust")),
    (404, "trust.certificate", get("/trust/steady-hands.crt")),
    (404, "trust.certificate_text", get("/trust/steady-hands.pem")),
    (200, "health.lives", get("/healthz")),
    (200, "health.ready", get("/readyz")),
    (200, "health.lives", get("/healthz", Host="evil.test")),
    (200, "history.show", get("/history")),
    (200, "clients.index", get("/clients")),
    (200, "clients.show", course("/clients/{client}")),
    (200, "clients.card", course("/clients/{client}/card")),
    (200, "courses.index", course("/courses")),
    (200, "courses.show", course("/courses/{course}")),
    (200, "courses.calendar", course("/courses/{course}/calendar.ics")),
    (200, "courses.table", course("/courses/{course}/course.csv")),
    (200, "courses.data", course("/courses/{course}/course.json")),
    (200, "summaries.after", followed),
    (303, "summaries.store", told),
    (303, "clients.add", post("/clients", {})),
    (200, "clients.tell_word", kept_word("words", open="1")),
    (303, "clients.tell_word", kept_word("words", who="doctor", on="2026-03-02", confirmed="yes")),
    (404, "clients.tell_word", kept_word("words", question="lymph")),
    (422, "clients.tell_word", kept_word("words", who="", on="")),
    (303, "clients.remove_word", kept_word("words/remove")),
    (303, "courses.add", post("/courses", {"protocol": "short"})),
    (303, "courses.change", course("/courses/{course}", aside="yes")),
    (200, "joining.ask", get("/join")),
    (303, "joining.join", post("/join", {"code": "BCDF GHJK"})),
    (200, "owner.show", get("/owner")),
    (200, "owner.pictures", get("/owner/pictures")),
    (409, "owner.invite", post("/owner/invites", {"role": "operator"})),
    (409, "owner.change_role", post("/owner/devices/any/role", {"role": "owner"})),
    (409, "owner.revoke", post("/owner/devices/any/revoke", {"sure": "yes"})),
    (404, "courses.show", get("/courses/none")),
    (404, "clients.card", get("/clients/none/card")),
    (409, "courses.add", post("/courses", {"protocol": "withheld"})),
    (409, "sessions.create", too_early),
    (422, "courses.add", for_whom),
    (200, "screenings.ask", get("/protocols/short/screening")),
    (200, "screenings.show", screening("")),
    (200, "screenings.again", screening("/again")),
    (200, "screenings.tell_word", word(who="doctor", on="2026-03-01")),
    (200, "sessions.show", session("")),
    (200, "sessions.live", session("/live")),
    (200, "sessions.summary", session("/summary")),
    (200, "sessions.command", act("start", htmx=True)),
    (200, "static", get(STYLE)),
    (204, "sessions.live", beat),
    (303, "screenings.answer", answered()),
    (303, "screenings.tell_word", word(who="doctor", on="2026-03-01", confirmed="yes")),
    (303, "sessions.create", create()),
    (204, "sync.merge_offline", account("account", ALONE)),
    (204, "sync.report_screen", account("screen", SCREEN)),
    (303, "sessions.reading", reading("6.1")),
    (303, "sessions.command", act("start")),
    (308, "", get("/protocols//short")),
    (403, "sessions.create", create(Origin="http://evil.test")),
    (404, "", get("/nowhere")),
    (404, "static", get("/static/wrong/site.css")),
    (404, "sessions.show", get("/sessions/none")),
    (404, "sessions.live", get("/sessions/none/live", HX_Request="true")),
    (404, "protocols.show", get("/protocols/none")),
    (404, "screenings.ask", get("/protocols/withheld/screening")),
    (400, "sessions.show", get("/sessions/a%00b")),
    (400, "history.show", get("/history?client=%00")),
    (400, "sessions.create", post("/sessions", {"screening": "a\0"})),
    (404, "screenings.show", get("/screenings/none")),
    (405, "", post("/", {})),
    (405, "", get("/sessions")),
    (409, "screenings.tell_word", wordless),
    (409, "sessions.create", refused),
    (409, "sessions.command", act("pause", htmx=True)),
    (409, "sessions.command", act("pause")),
    (413, "sessions.create", post("/sessions", {"screening": "x" * 70_000})),
    (413, "sessions.command", act("start", time="x" * 70_000)),
    (421, "catalogue.show", get("/", Host="evil.test")),
    (422, "protocols.show", get("/protocols/short?minutes=x")),
    (422, "protocols.plan", get("/protocols/short/plan?minutes=x")),
    (422, "screenings.answer", answered(none_signs="")),
    (422, "screenings.tell_word", word(who="", on="")),
    (422, "sessions.reading", reading("many")),
    (422, "sync.merge_offline", account("account", "{")),
    (422, "sync.report_screen", account("screen", "[1]")),
    (422, "sessions.command", act("start", key="")),
    (422, "sessions.command", act("end-at", time="never", htmx=True)),
    (500, "sessions.show", broken),
    (503, "sessions.create", not_saved),
]


def endpoint_of(app: Flask, answer: TestResponse) -> str:
    found, _ = app.url_map.bind("").match(answer.request.path, answer.request.method)
    return str(found)


@pytest.mark.promise("headers")
@pytest.mark.parametrize(
    ("status", "endpoint", "ask"),
    ANSWERS,
    ids=[f"{s} {e} {n}" for n, (s, e, _) in enumerate(ANSWERS)],
)
def test_every_answer_carries_all_headers(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, status: int, endpoint: str, ask: Ask
) -> None:
    answer = ask(visitor, monkeypatch)
    assert answer.status_code == status, answer.text
    if endpoint:
        assert endpoint_of(visitor.app, answer) == endpoint
    check_headers(answer, static=endpoint == "static" and status == 200)


def test_the_table_of_answers_covers_every_route_and_status(small_app: Flask) -> None:
    endpoints = {rule.endpoint for rule in small_app.url_map.iter_rules()}
    assert endpoints == {endpoint for _, endpoint, _ in ANSWERS} - {""}
    statuses = {200, 204, 303, 400, 403, 404, 405, 409, 413, 421, 422, 500, 503}
    assert statuses <= {status for status, _, _ in ANSWERS}


def test_a_failed_write_says_so_and_when_to_try_again(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = not_saved(visitor, monkeypatch)
    assert "nothing has changed" in answer.text
    assert answer.headers["Retry-After"] == "2"


def test_a_fault_of_ours_shows_nothing_of_its_inside(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = broken(visitor, monkeypatch)
    assert "The fault is on our side" in answer.text
    assert "for a test" not in answer.text
    assert "Traceback" not in answer.text


def every_page(visitor: Visitor) -> list[tuple[str, TestResponse]]:
    """Every page and fragment in every state."""
    acts: list[tuple[str, tuple[str, ...], float]] = [
        ("short", (), 0),
        ("short", ("start", "next"), 4),
        ("short", ("start",), 40),
        ("sided", ("start",), 4),
        ("cups", ("start", "pause"), 4),
        ("short", ("start",), 99),
        ("short", ("start", "stop"), 4),
    ]
    asked = [
        "/",
        "/offline",
        "/?who=self",
        "/trust",
        "/nowhere",
        "/protocols/short/plan",
        "/protocols/short?minutes=x",
    ]
    asked += [f"/protocols/{name}" for name in ("short", "sided", "cups", "locked", "withheld")]
    answers = []
    for protocol, before, seconds in acts:
        session_id = visitor.prepare(protocol)
        visitor.done(session_id, *before)
        visitor.clock.forward(seconds)
        shown = ("", "/live", "/summary", "/remote", "/calm", "/calm/live")
        paths = [f"/sessions/{session_id}{path}" for path in shown]
        answers += [(path, visitor.get(path)) for path in paths]
    client, found = (f"/{name}" for name in ("clients", "courses"))
    course = Courses(visitor.storage).courses(9, 0)[0][0]
    asked += ["/today", "/history", client, found, f"{found}/{course.id}"]
    asked += [f"{client}/{course.client.id}", f"{client}/{course.client.id}/card"]
    answers.append(("early", visitor.get(f"/screenings/{visitor.screened()}")))
    second = visitor.prepare()
    for htmx in (True, False):
        for action, fields in (("start", {}), ("end-at", {"time": "x"}), ("pause", {})):
            answers.append((action, visitor.act(second, action, htmx=htmx, **fields)))
    answers += [(path, visitor.get(path)) for path in asked]
    data = "/owner/data"
    asked += [data, f"{data}/erase", f"{data}/erase?client={course.client.id}"]
    asked += [f"{data}/retention?days=30", f"{data}/retention?days=x", f"{data}/jobs/none"]
    answers.append(("foreign", visitor.post("/sessions", {}, Origin="null")))
    answers.append(("host", visitor.get("/", Host="evil.test")))
    return answers


def check_strict(name: str, answer: TestResponse) -> None:
    page = Page(answer.text)
    nonce = directives(answer)["script-src"].removeprefix("'nonce-").removesuffix("'")
    for e in page.elements:
        assert e.tag not in ("style", "iframe", "object", "embed", "base"), (name, e.tag)
        assert not [a for a in e.attrs if a.startswith("on") or a == "style"], (name, e.attrs)
        assert not [a for a in e.attrs if a.startswith("hx-on")], (name, e.attrs)
        assert "javascript:" not in " ".join(e.attrs.values()), (name, e.attrs)
        if any(a.startswith("hx-") and a != "hx-nonce" for a in e.attrs):
            assert e.attrs.get("hx-nonce") == nonce, (name, e.tag, e.attrs)
            assert "js:" not in e.attrs.get("hx-vals", ""), (name, e.attrs)
            assert "[" not in e.attrs.get("hx-trigger", ""), (name, e.attrs)
        if e.tag == "script":
            assert e.attrs["nonce"] == nonce, (name, e.attrs)
            assert e.attrs["src"].startswith(f"/static/{VERSION}/"), (name, e.attrs)
            assert not e.text, (name, e.text)
        if e.tag == "link" and e.attrs["rel"] != "manifest":
            assert e.attrs["href"].startswith(f"/static/{VERSION}/"), (name, e.attrs)


def test_no_page_has_anything_inline_and_every_htmx_element_has_the_nonce(
    visitor: Visitor,
) -> None:
    answers = every_page(visitor)
    assert {answer.status_code for _, answer in answers} == {200, 403, 404, 409, 421, 422}
    for name, answer in answers:
        check_strict(name, answer)


def test_no_shipped_protocol_page_has_anything_inline(shipped_visitor: Visitor) -> None:
    site = shipped_visitor.app.extensions["site"]
    for name in ["/", *(f"/protocols/{entry}" for entry in site.library.entries)]:
        check_strict(name, shipped_visitor.get(name))


def test_every_answer_has_a_nonce_of_its_own(visitor: Visitor) -> None:
    nonces = {directives(visitor.get("/protocols/short"))["script-src"] for _ in range(3)}
    assert len(nonces) == 3


def test_ids_are_unique_on_every_page(visitor: Visitor) -> None:
    for name, answer in every_page(visitor):
        ids = [e.attrs["id"] for e in Page(answer.text).shown if "id" in e.attrs]
        assert len(ids) == len(set(ids)), (name, ids)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("LOCALHOST:8000", 200),
        ("[::1]:8000", 200),
        ("127.0.0.1", 421),
        ("localhost", 421),
        ("127.0.0.1:8001", 421),
        ("127.0.0.1:80000", 421),
        ("evil.test:8000", 421),
        ("localhost.evil.test:8000", 421),
        ("127.0.0.1.evil.test:8000", 421),
        ("evil.test", 421),
        ("0.0.0.0:8000", 421),
        ("192.168.1.5:8000", 421),
        ("user@127.0.0.1:8000", 421),
        ("", 421),
    ],
)
def test_only_our_own_names_are_answered(visitor: Visitor, host: str, status: int) -> None:
    answer = visitor.get("/", Host=host)
    assert answer.status_code == status
    if status == 421:
        assert 'href="http://127.0.0.1:8000/"' in answer.text
        assert visitor.get(STYLE, Host=host).status_code == 421
        assert visitor.post("/sessions", {"screening": "any"}, Host=host).status_code == 421


def test_listening_on_one_address_of_a_network_this_machines_names_are_ours_too(
    tmp_path: Path, protocols_folder: Path
) -> None:
    """They stand in the certificate that ``--tls`` makes."""
    app = with_heartbeat(
        create_app(Settings(tmp_path, host="192.0.2.7", protocols=protocols_folder))
    )
    hosts = ("192.0.2.7", f"{machine_name()}.local", "evil.test", "192.0.2.8")
    asked = [app.test_client().get("/", headers={"Host": f"{host}:8000"}) for host in hosts]
    assert [answer.status_code for answer in asked] == [401, 401, 421, 421]
    app.extensions["site"].storage.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.5:8000", 401),  # ours, but to be joined
        ("[fe80::1]:8000", 401),
        ("192.168.1.5:8001", 421),
        ("192.168.1.5", 421),
        ("evil.test:8000", 421),
        ("localhost:8000", 200),
    ],
)
def test_listening_everywhere_any_literal_address_is_ours_but_no_foreign_name(
    tmp_path: Path, protocols_folder: Path, host: str, status: int
) -> None:
    app = with_heartbeat(create_app(Settings(tmp_path, host="0.0.0.0", protocols=protocols_folder)))
    assert app.test_client().get("/", headers={"Host": host}).status_code == status
    app.extensions["site"].storage.close()


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": f"http://{HOST}"}, True),
        ({"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": f"https://{HOST}"}, False),
        ({"Origin": "http://127.0.0.1:8001"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": "http://localhost:8000"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": f"http://{HOST}.evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Referer": f"http://{HOST}/protocols/short"}, True),
        ({"Referer": "http://evil.test/"}, False),
        ({"Referer": "http://127.0.0.1:8001/"}, False),
        ({"Referer": f"http://{HOST}.evil.test/"}, False),
        ({"Referer": f"http://evil.test/?http://{HOST}/"}, False),
    ],
    ids=json.dumps,
)
def test_only_our_own_pages_may_post(
    visitor: Visitor, headers: dict[str, str], allowed: bool
) -> None:
    session_id = visitor.prepare()
    form = visitor.form(session_id)
    answer = visitor.post(f"/sessions/{session_id}/start", form, htmx=False, **headers)
    made = visitor.post("/sessions", {"screening": visitor.screened()}, htmx=False, **headers)
    assert answer.status_code == made.status_code == (303 if allowed else 403)
    assert visitor.seq(session_id) == allowed
    assert allowed or "sent from another site" in answer.text


def test_looking_is_allowed_from_anywhere(visitor: Visitor) -> None:
    assert visitor.get("/", Origin="http://evil.test").status_code == 200


def test_a_body_at_the_limit_passes_and_one_above_is_413(visitor: Visitor) -> None:
    form = visitor.form(session_id := visitor.prepare()) | {"time": ""}
    path = f"/sessions/{session_id}/end-at"
    size = len("&".join(f"{name}={value}" for name, value in form.items()))
    fits = form | {"time": "x" * (64 * 1024 - size)}
    assert visitor.post(path, fits).status_code == 422
    assert visitor.post(path, {**fits, "time": fits["time"] + "x"}).status_code == 413
    assert visitor.seq(session_id) == 0


@pytest.mark.parametrize(
    ("name", "kind"), [("silence.mp4", "video/mp4"), ("silence.webm", "video/webm")]
)
def test_the_silent_film_is_small_and_sent_in_the_parts_that_are_asked_for(
    visitor: Visitor, name: str, kind: str
) -> None:
    path = f"/static/{VERSION}/media/{name}"
    whole = visitor.get(path, Accept_Encoding="gzip")
    check_headers(whole, static=True)
    assert whole.headers["Content-Type"] == kind
    assert len(whole.data) < 20_000
    part = visitor.get(path, Range="bytes=2-11")  # Safari plays nothing without this
    check_headers(part, static=True)
    assert (part.status_code, part.data) == (206, whole.data[2:12])
    assert part.headers["Content-Range"] == f"bytes 2-11/{len(whole.data)}"
    assert visitor.get(path, Range=f"bytes={len(whole.data)}-").status_code == 416


def asset_names() -> list[str]:
    folder = shipped("static")
    found = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    return [*sorted(n for n in found if n.endswith((".js", ".css", ".svg"))), *SHEETS]


@pytest.mark.parametrize("name", asset_names())
def test_every_script_and_style_is_immutable_and_gzipped(visitor: Visitor, name: str) -> None:
    path = f"/static/{VERSION}/{name}"
    zipped = visitor.get(path, Accept_Encoding="gzip")
    plain = visitor.get(path)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.data) == plain.data
    kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert plain.headers["Content-Type"] == f"{kind[name.rpartition('.')[2]]}; charset=utf-8"
    for answer in (zipped, plain):
        assert answer.status_code == 200
        assert answer.headers["Vary"] == "Accept-Encoding"
        check_headers(answer, static=True)


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/site.css",
        f"/static/{VERSION}/none.css",
        f"/static/{VERSION}/../../pyproject.toml",
        f"/static/{VERSION}/%2e%2e/%2e%2e/pyproject.toml",
        f"/static/{VERSION}/..%2f..%2fpyproject.toml",
        f"/static/{VERSION}/js/../site.css",
        f"/static/{VERSION}//etc/passwd",
        f"/static/{VERSION}/",
        "/static/",
        "/static/site.css",
    ],
)
def test_wrong_versions_and_paths_out_of_the_folder_are_not_served(
    visitor: Visitor, path: str
) -> None:
    answer = visitor.get(path)
    assert answer.status_code in (404, 308)
    assert "steady-hands" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_pages_are_gzipped_for_those_who_take_it(visitor: Visitor) -> None:
    zipped = visitor.get("/protocols/short", Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert int(zipped.headers["Content-Length"]) == len(zipped.data)
    assert "Short protocol" in gzip.decompress(zipped.data).decode()
    assert "Content-Encoding" not in visitor.get("/protocols/short").headers


@pytest.mark.parametrize("name", ["stage.css", "js/stage/session-stage.js", "htmx.js", "worker.js"])
def test_what_pages_load_is_smaller_still_for_those_who_take_brotli(
    visitor: Visitor, name: str
) -> None:
    """Seen to fail with gzip first."""
    files: Assets = visitor.app.extensions["assets"]
    path = f"/static/{VERSION}/{name}"
    both = "gzip, deflate, br, zstd"
    zipped = visitor.get(path, Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    squeezed = visitor.get(path, Accept_Encoding=both)
    check_headers(squeezed, static=True)
    assert squeezed.headers["Content-Encoding"] == "br"
    assert brotli.decompress(squeezed.data) == files.files[name].body
    assert len(squeezed.data) < 0.97 * len(zipped.data)
    for others in ("gzip", "gzip, br;q=0"):
        assert visitor.get(path, Accept_Encoding=others).headers["Content-Encoding"] == "gzip"


def test_a_page_is_smaller_still_for_those_who_take_brotli(visitor: Visitor) -> None:
    session_id = visitor.prepare("long")
    path = f"/sessions/{session_id}"
    squeezed = visitor.get(path, Accept_Encoding="gzip, br")
    assert squeezed.headers["Content-Encoding"] == "br"
    assert squeezed.headers["Vary"] == "Accept-Encoding"
    page = brotli.decompress(squeezed.data)
    assert b"session-stage" in page
    zipped = visitor.get(path, Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(squeezed.data) < len(zipped.data)


def test_the_worker_knows_its_version_and_comes_packed(visitor: Visitor) -> None:
    zipped = visitor.get("/worker.js", Accept_Encoding="gzip")
    assert zipped.headers["Content-Encoding"] == "gzip"
    text = gzip.decompress(zipped.data).decode()
    assert re.match(rf'(const|let) \w+ ?= ?"{VERSION}";', text)
    assert visitor.get("/worker.js").text == text
