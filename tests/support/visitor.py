"""A site in a temporary folder, a clock that stands until told, and a visitor."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.builders import phase_dict
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.postgresql import Server, running
from tests.support.safe_answers import SAFE
from webapp.app import create_app
from webapp.domain.sign_of_life import SignOfLife
from webapp.maintenance.opening import open_sqlite, open_storage
from webapp.settings import Settings
from webapp.site import Site
from webapp.storage.sessions import Storage
from webapp.timekeeping.clock import Clock, Moment
from webapp.timekeeping.presence import Presence

ACTS = re.compile(r'<form id="acts".*?</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
HOST = "127.0.0.1:8000"
MORNING = int(datetime(2026, 3, 2, 10, 0, tzinfo=UTC).timestamp() * 1000)


class StandingClock(Clock):
    """Stands at an instant until a test moves it; the wall shows the same, in ``zone``."""

    def __init__(self, instant: int = MORNING, zone: tzinfo | None = UTC) -> None:
        super().__init__(zone)
        self.instant = instant

    def now(self) -> int:
        return self.instant

    def forward(self, seconds: float) -> None:
        self.instant += round(seconds * 1000)

    def sign_of_life(self) -> SignOfLife:
        return SignOfLife(self.boot, self.instant, self.instant)

    def moment(self) -> Moment:
        return Moment(self.instant, self.instant, self.zone, self.zone_name)


@dataclass
class Visitor:
    """A browser at a site: asks, reads the form in the answer, and presses buttons."""

    app: Flask
    client: FlaskClient
    clock: StandingClock
    storage: Storage
    seen: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        return self.client.get(path, headers=asked_by(htmx, headers))

    def post(
        self, path: str, fields: dict[str, str], *, htmx: bool = False, **headers: str
    ) -> TestResponse:
        return self.client.post(path, data=fields, headers=asked_by(htmx, headers))

    def page(self, path: str) -> Page:
        answer = self.get(path)
        assert answer.status_code == 200, answer.status
        return Page(answer.text)

    def answer(self, protocol: str = "short", **fields: str) -> TestResponse:
        """Send the questions' form; what ``fields`` do not say is safe (``q_fever`` is q-fever)."""
        more = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.post(f"/protocols/{protocol}/screening", SAFE | more)

    def screened(self, protocol: str = "short", **fields: str) -> str:
        """A screening that led to a verdict; gives its id."""
        answer = self.answer(protocol, **fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix("/screenings/")

    def prepare(self, protocol: str = "short", **fields: str) -> str:
        """A new session, ready to start; gives its id. Asked why so early, it says a reason."""
        screening = self.screened(protocol, **fields)
        answer = self.post("/sessions", {"screening": screening, "early": "wished"})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix("/sessions/")

    def form(self, session_id: str) -> dict[str, str]:
        """What the page would send with a button: key, seq, step; from its fragment, for speed."""
        answer = self.get(f"/sessions/{session_id}/live")
        assert answer.status_code == 200, answer.status
        form = ACTS.search(answer.text)
        assert form, "there are no buttons"
        return dict(HIDDEN.findall(form[0]))

    def act(
        self, session_id: str, action: str, *, htmx: bool = True, **fields: str
    ) -> TestResponse:
        """Press a button of the page as it is now; ``fields`` override what the form has."""
        form = self.form(session_id) | fields
        return self.post(f"/sessions/{session_id}/{action}", form, htmx=htmx)

    def done(self, session_id: str, *actions: str) -> None:
        """Acts that have to succeed, one after the other."""
        for action in actions:
            answer = self.act(session_id, action, another="1")
            assert answer.status_code == 200, (action, answer.text)

    def started(self, protocol: str = "short", *actions: str) -> str:
        """A session that was started, and the acts after that."""
        session_id = self.prepare(protocol)
        self.done(session_id, "start", *actions)
        return session_id

    def live(self, session_id: str) -> dict[str, str]:
        """The attributes of #session-live as the fragment has them now."""
        return self.page(f"/sessions/{session_id}/live").by_id("session-live").attrs

    def seq(self, session_id: str) -> int | None:
        return self.storage.last_seq(session_id)

    @contextmanager
    def queries(self) -> Iterator[list[str]]:
        """The SQL statements that are sent while the block runs."""
        with queries_of(self.storage) as statements:
            yield statements


def asked_by(htmx: bool, headers: dict[str, str]) -> dict[str, str]:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Host": HOST, **({"HX-Request": "true"} if htmx else {}), **more}


@contextmanager
def queries_of(storage: Storage) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    read = storage.database.value

    def value(connection: sa.Connection, query: sa.TextClause, **named: str) -> Any:
        """What goes past SQLAlchemy counts too."""
        before = len(statements)
        found = read(connection, query, **named)
        if len(statements) == before:
            statements.append(str(query))
        return found

    storage.database.value = value  # type: ignore[method-assign]
    sa.event.listen(storage.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        storage.database.value = read  # type: ignore[method-assign]
        sa.event.remove(storage.engine, "before_cursor_execute", note)


def waiting_step(step_id: str) -> dict[str, Any]:
    return {
        "id": step_id,
        "title": step_id.capitalize(),
        "text": "Do this.",
        "wait": True,
        "origin": "inferred",
    }


def rest_step(seconds: int) -> dict[str, Any]:
    bounds = {"min": seconds, "usual": seconds, "max": seconds}
    return {
        "id": "rest",
        "title": "Rest",
        "text": "Rest now.",
        "seconds": bounds,
        "origin": "inferred",
    }


def protocol_file(protocol_id: str, session: tuple[int, int, int], **more: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": protocol_id,
        "title": f"{protocol_id.capitalize()} protocol",
        "summary": "For a test.",
        "condition": "spinal-osteochondrosis",
        "regions": ["back"],
        "performer": ["helper"],
        "position": "Lying.",
        "access": "open",
        "evidence": {"grade": "traditional", "note": "None."},
        "session": dict(zip(("min", "usual", "max"), session, strict=True)),
        **more,
    }


def small_protocols() -> dict[str, dict[str, Any]]:
    """Short ones of every shape, by id."""
    bare = phase_dict("stroke", (5, 10, 20))
    del bare["side"]
    cups = [phase_dict(f"cup-{n}", (5, 10, 20), tags=["cups"]) for n in (1, 2)]
    files = (
        protocol_file(
            "short",
            (15, 30, 60),
            phases=[phase_dict(name, (5, 10, 20)) for name in ("one", "two", "three")],
            aftercare=[rest_step(60)],
            course={"gap_hours": 48, "origin": "inferred"},
        ),
        protocol_file(
            "sided",
            (10, 20, 40),
            performer=["self"],
            condition="diabetes-mellitus",
            prepare=[waiting_step("settle")],
            phases=[
                {
                    "for_sides": ["left", "right"],
                    "change": {"text": "The other side."},
                    "phases": [bare],
                }
            ],
        ),
        protocol_file(
            "cups",
            (15, 30, 40),
            rules={"cap": [{"tag": "cups", "seconds": 20, "counts_while_paused": True}]},
            phases=[*cups, phase_dict("calm", (5, 10, 20))],
        ),
        protocol_file(
            "locked",
            (10, 10, 20),
            access="clearance",
            reason="First some questions.",
            phases=[phase_dict("one", (10, 10, 20))],
        ),
        protocol_file("withheld", (1, 1, 1), access="withheld", reason="Too risky."),
        protocol_file("long", (600, 600, 900), phases=[phase_dict("only", (10, 600, 900))]),
        protocol_file(
            "rested",
            (10, 600, 900),
            phases=[phase_dict("only", (10, 600, 900))],
            aftercare=[rest_step(1_800)],
        ),
    )
    del files[4]["session"]
    return {str(file["id"]): file for file in files}


def write_protocols(folder: Path) -> Path:
    """The small protocols as files, and one that is broken."""
    folder.mkdir(parents=True)
    for name, content in small_protocols().items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    (folder / "broken.json").write_text('{"format": 1,\n "id": 7}', encoding="utf-8")
    return folder


def visit(app: Flask, folder: Path, database_url: str | None = None) -> Iterator[Visitor]:
    """A visitor of ``app`` with an empty database and a clock of its own."""
    storage = open_storage(Settings(folder, database_url=database_url))
    yield from visit_with(app, storage)
    storage.close()


def visit_with(app: Flask, storage: Storage) -> Iterator[Visitor]:
    site: Site = app.extensions["site"]
    clock = StandingClock()
    app.extensions["site"] = replace(site, storage=storage, clock=clock, presence=Presence(storage))
    yield Visitor(app, app.test_client(), clock, storage)
    app.extensions["site"] = site


def app_for(folder: Path, protocols: Path | None = None) -> Iterator[Flask]:
    settings = Settings(folder, protocols=protocols) if protocols else Settings(folder)
    app = with_heartbeat(create_app(settings))
    yield app
    app.extensions["site"].storage.close()


@pytest.fixture(scope="session")
def protocols_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_protocols(tmp_path_factory.mktemp("small") / "protocols")


@pytest.fixture(scope="session")
def small_app(protocols_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from app_for(tmp_path_factory.mktemp("small-site"), protocols_folder)


@pytest.fixture(scope="session")
def shipped_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from app_for(tmp_path_factory.mktemp("shipped-site"))


@pytest.fixture
def empty(sqlite_storage: Storage) -> Storage:
    """The database of a visitor; routes are asked on each kind in turn."""
    return sqlite_storage


@pytest.fixture
def visitor(small_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """A visitor of a site with the small protocols."""
    yield from visit_with(small_app, empty)


@pytest.fixture(scope="session")
def lan_app(protocols_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("lan-site")
    app = with_heartbeat(
        create_app(Settings(folder, "0.0.0.0", protocols=protocols_folder, lan=True))
    )
    yield app
    app.extensions["site"].storage.close()


@pytest.fixture
def owner(lan_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """The machine itself, of a site that others have to join."""
    yield from visit_with(lan_app, empty)


@pytest.fixture
def shipped_visitor(shipped_app: Flask, empty: Storage) -> Iterator[Visitor]:
    """A visitor of a site with the protocols of the repository."""
    yield from visit_with(shipped_app, empty)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL of our own; nothing is lost by a kill, so it need not sync."""
    with running(fsync="off") as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Server) -> str:
    """The address of an empty database."""
    return postgresql.emptied()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Of an empty database of each kind; None is the embedded one."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def storage(tmp_path: Path, database_url: str | None) -> Iterator[Storage]:
    """An empty database, of each kind in turn."""
    opened = open_storage(Settings(tmp_path, database_url=database_url))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty embedded database: to copy one takes less than to make its tables."""
    path = tmp_path_factory.mktemp("new") / "steady-hands.sqlite3"
    open_sqlite(path).close()
    return path


@pytest.fixture
def sqlite_storage(new_sqlite: Path, tmp_path: Path) -> Iterator[Storage]:
    opened = open_sqlite(Path(shutil.copy(new_sqlite, tmp_path)))
    yield opened
    opened.close()
