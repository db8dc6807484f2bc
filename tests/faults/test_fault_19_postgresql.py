"""Fault 19: PostgreSQL is restarted under load, at once and without tidying up.

Two processes serve sessions at the same time; people press buttons in all of them, and whoever
gets no answer, or 503, presses the same button with the same key again. Five restarts in every
run, fifty with ``make soak``; half end the server by SIGQUIT, half kill its first process.

Seen to fail with the mechanism removed:

- with ``synchronous_commit`` off, acknowledged acts are lost in the restarts;
- without the second try in ``carry_out``, an act whose connection breaks is not saved;
- without ``is_recorded`` in the second try, an act that counted is refused.
"""

from __future__ import annotations

import http.client
import json
import random
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.faults.soak import RESTARTS
from tests.support import postgresql
from tests.support.builders import simple_plan
from tests.support.real_server import Reply, Server, clean_environment
from webapp.domain.session import Event, Kind
from webapp.maintenance.opening import open_postgresql
from webapp.storage.sessions import AwayError, Storage

pytestmark = pytest.mark.fault(19)

PEOPLE = 4
PATIENCE_SECONDS = 60.0


@pytest.fixture
def durable() -> Iterator[postgresql.Server]:
    """A server that syncs, because this test crashes it."""
    with postgresql.running() as server:
        yield server


@dataclass
class Person(threading.Thread):
    """Pauses and resumes one session, on one of the servers after the other."""

    servers: list[Server]
    session_id: str
    acknowledged: list[str] = field(default_factory=list)
    repeated: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    failure: str = ""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self.press_once()
        except AssertionError as error:
            self.failure = str(error)

    def press_once(self) -> None:
        server = self.servers[len(self.acknowledged) % len(self.servers)]
        reply = self.answer(server, "GET", f"/sessions/{self.session_id}/live")
        action = "resume" if reply.live["data-status"] == "paused" else "pause"
        form = reply.form | {"key": secrets.token_urlsafe(12)}
        path = f"/sessions/{self.session_id}/{action}"
        done = self.answer(server, "POST", path, form)
        assert done.status == 200, done.text
        self.acknowledged.append(form["key"])

    def answer(
        self, server: Server, method: str, path: str, form: dict[str, str] | None = None
    ) -> Reply:
        """The answer; the same request again while the server cannot."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                reply = server.ask(method, path, form)
            except (OSError, http.client.HTTPException):
                reply = None
            if reply and reply.status != 503:
                return reply
            assert time.monotonic() < end, f"no answer to {method} {path}"
            self.repeated += 1
            time.sleep(0.1)


def test_nothing_is_lost_or_doubled_when_postgresql_is_restarted_under_load(
    tmp_path: Path, protocols_folder: Path, durable: postgresql.Server
) -> None:
    moments = random.Random(19)
    environment = clean_environment(DATABASE_URL=durable.url())
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(tmp_path / name, protocols_folder, environment=environment))
            for name in ("one", "two")
        ]
        people = [Person(servers, prepared(servers[0])) for _ in range(PEOPLE)]
        for person in people:
            person.start()
        for number in range(RESTARTS):
            before = sum(len(person.acknowledged) for person in people)
            time.sleep(moments.uniform(0.2, 0.6))
            durable.stop(signal.SIGKILL if number % 2 else signal.SIGQUIT)
            durable.start()
            wait_for_more(people, before)
        for person in people:
            person.ended.set()
        for person in people:
            person.join(PATIENCE_SECONDS)
            assert not person.is_alive()
            assert person.failure == ""
            stored = stored_keys(durable, person.session_id)
            assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
            assert [key for _, key in stored[1:]] == person.acknowledged
        acts = sum(len(person.acknowledged) for person in people)
        print(f"{RESTARTS} restarts, {acts} acts, {sum(p.repeated for p in people)} repeats")


def prepared(server: Server) -> str:
    session_id = server.prepare("long")
    server.act(session_id, "start")
    return session_id


def wait_for_more(people: list[Person], before: int) -> None:
    """Until acts are acknowledged again, so that every restart hits work in progress."""
    end = time.monotonic() + PATIENCE_SECONDS
    while sum(len(person.acknowledged) for person in people) < before + PEOPLE:
        assert time.monotonic() < end, [person.failure for person in people]
        time.sleep(0.05)


def stored_keys(server: postgresql.Server, session_id: str) -> list[tuple[int, str]]:
    query = f"SELECT seq, key FROM events WHERE session = '{session_id}' ORDER BY seq"
    return server.execute(query)


@pytest.mark.parametrize(
    ("kind", "statements"),
    [("start", 5), ("end-at", 1)],  # BEGIN, three changes, COMMIT; all in one
)
def test_an_act_goes_through_when_its_connection_breaks_at_any_statement(
    tmp_path: Path, postgresql: postgresql.Server, kind: Kind, statements: int
) -> None:
    """The backend is killed before and after every statement; the act is there once."""
    storage = open_postgresql(postgresql.emptied(), tmp_path)
    try:
        for number in range(2 * statements + 4):
            stored = storage.load(storage.create(simple_plan(), "hash", 1))
            assert stored
            event = Event(1, f"the-key-{number}", kind, number, ())
            with breaking(storage, postgresql, number // 2, after=bool(number % 2)) as struck:
                after = storage.record(stored, event)
            assert struck.is_set() == (number < 2 * statements), number
            assert stored_keys(postgresql, stored.id) == [(1, event.key)]
            storage.forget()
            assert storage.load(stored.id) == after
            assert after.seq == 1
    finally:
        storage.close()


class breaking:  # noqa: N801
    """Ends our backend at the n-th statement, before it or after it."""

    def __init__(
        self, storage: Storage, server: postgresql.Server, number: int, *, after: bool
    ) -> None:
        self.storage, self.server, self.left = storage, server, number
        self.moment = "after_cursor_execute" if after else "before_cursor_execute"
        self.struck = threading.Event()

    def __enter__(self) -> threading.Event:
        import sqlalchemy as sa

        sa.event.listen(self.storage.engine, self.moment, self)
        return self.struck

    def __exit__(self, *_error: object) -> None:
        import sqlalchemy as sa

        sa.event.remove(self.storage.engine, self.moment, self)

    def __call__(self, connection: object, *_more: object) -> None:
        self.left -= 1
        if self.left == -1:
            pid = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[attr-defined]
            self.server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
            self.struck.set()
            if self.moment.startswith("after"):  # done, but nobody hears of it
                connection.connection.dbapi_connection.close()  # type: ignore[attr-defined]
                raise psycopg.OperationalError("the answer was lost")


def test_a_session_is_made_once_when_its_connection_breaks_at_any_statement(
    tmp_path: Path, postgresql: postgresql.Server
) -> None:
    storage = open_postgresql(postgresql.emptied(), tmp_path)
    try:
        for number in range(8):
            with breaking(storage, postgresql, number // 2, after=bool(number % 2)):
                session_id = storage.create(simple_plan(), "hash", number)
            assert storage.load(session_id)
            assert postgresql.execute("SELECT count(*) FROM sessions") == [(number + 1,)]
    finally:
        storage.close()


def test_a_database_that_stays_away_is_503_and_never_an_acknowledgement(
    tmp_path: Path, durable: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.storage.postgresql.PATIENCE_SECONDS", 0.2)
    storage = open_postgresql(durable.url(), tmp_path)
    stored = storage.load(storage.create(simple_plan(), "hash", 1))
    assert stored
    event = Event(1, "start-key", "start", 5)
    durable.stop(signal.SIGQUIT)
    with pytest.raises(AwayError):
        storage.record(stored, event)
    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(AwayError):
            storage.last_seq(stored.id)
    assert time.monotonic() - begun < 2, "known to be away: nobody waits again"
    durable.start()
    assert storage.last_seq(stored.id) == 0
    assert storage.record(stored, event) == storage.load(stored.id)
    storage.close()


def test_two_servers_agree_on_a_session_within_a_second(
    tmp_path: Path, protocols_folder: Path, postgresql_url: str
) -> None:
    environment = clean_environment(DATABASE_URL=postgresql_url)
    one = Server(tmp_path / "one", protocols_folder, environment=environment)
    two = Server(tmp_path / "two", protocols_folder, environment=environment)
    with one, two:
        session_id = prepared(one)
        for server, other in ((two, one), (one, two)):
            action = (
                "resume" if server.look(session_id).live["data-status"] == "paused" else "pause"
            )
            mine = server.act(session_id, action).live
            theirs = other.look(session_id).live
            assert theirs["data-seq"] == mine["data-seq"]
            assert theirs["data-status"] == mine["data-status"]
            assert abs(int(theirs["data-now"]) - int(mine["data-now"])) < 1_000
        assert json.loads(mine["data-rows"])
        one.kill()
        one.start()
        assert one.look(session_id).live["data-seq"] == mine["data-seq"]
        assert one.look(session_id).live["data-status"] == "running"
