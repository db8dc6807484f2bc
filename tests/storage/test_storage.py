"""Rows in, frozen domain objects out; what is acknowledged is durable."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.builders import (
    Act,
    happened,
    protocol,
    shipped,
    sides,
    simple_plan,
    step,
    usual_plan,
)
from tests.support.builders import phase as phase_of
from tests.support.visitor import queries_of
from webapp.domain.glucose import Reading
from webapp.domain.plan import Plan
from webapp.domain.session import Event, fold, live_until
from webapp.domain.sign_of_life import SignOfLife
from webapp.maintenance.opening import open_database, open_sqlite
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import (
    SCHEMA,
    ConflictError,
    NotSavedError,
    Storage,
    StorageError,
    Stored,
    sessions,
)
from webapp.timekeeping.presence import Presence


def made(storage: Storage, plan: Plan, events: Sequence[Event] = (), at: int = 1_000) -> Stored:
    """A stored session in which ``events`` have happened."""
    stored = loaded(storage, storage.create(plan, "hash", at))
    for event in events:
        stored = storage.record(stored, event)
    return stored


def loaded(storage: Storage, session_id: str) -> Stored:
    stored = storage.load(session_id)
    assert stored is not None
    return stored


def path_of(storage: Storage) -> Path:
    return Path(str(storage.engine.url.database))


def reopened(storage: Storage) -> Storage:
    """The same database, as a new process would open it."""
    there = storage.database
    if isinstance(there, Postgresql):
        return open_database(Postgresql(there.parameters, there.folder, there.name))
    return open_sqlite(path_of(storage))


def sided_plan() -> Plan:
    return usual_plan(protocol(sides(phase_of("knead")), prepare=[step("settle", 30, wait=True)]))


@pytest.mark.parametrize(
    "plan",
    [
        simple_plan(),
        sided_plan(),
        *(p for e in shipped().entries.values() if (p := shipped().usual_plan(e))),
    ],
    ids=lambda plan: plan.protocol,
)
def test_a_plan_comes_back_as_it_was_in_another_process(storage: Storage, plan: Plan) -> None:
    session_id = storage.create(plan, "hash", 77)
    other = reopened(storage)
    stored = loaded(other, session_id)
    other.close()
    assert stored.plan == plan
    assert (stored.seq, stored.events, stored.created_at, stored.title) == (0, (), 77, plan.title)


def test_a_plan_from_before_breathing_was_known_still_loads(storage: Storage) -> None:
    plan = simple_plan()
    session_id = storage.create(plan, "hash", 77)
    old = plan.model_dump_json().replace('"breathing":null,', "")
    assert "breathing" not in old
    with storage.write() as connection:
        connection.execute(sa.update(sessions).values(plan=old))
    other = reopened(storage)
    assert loaded(other, session_id).plan == plan
    other.close()


def test_events_come_back_as_they_were_with_the_result_of_a_refit(storage: Storage) -> None:
    plan = simple_plan()
    acts = happened(
        plan,
        ("start", 1_000),
        ("next", 2_000),
        ("end-at", 3_000, 150_000),
        ("pause", 4_000),
        ("doubt", 5_000),
        ("stop", 6_000),
    )
    assert acts[2].left_ms
    before = made(storage, plan, acts)
    other = reopened(storage)
    stored = loaded(other, before.id)
    other.close()
    assert stored.events == acts
    assert stored == before
    assert stored.folded == fold(plan, acts)


def test_an_unknown_session_is_none(storage: Storage) -> None:
    assert storage.load("none") is None
    assert storage.last_seq("none") is None


def test_a_read_that_fails_in_the_driver_fails_as_any_other(tmp_path: Path) -> None:
    storage = open_sqlite(tmp_path / "one.sqlite3")
    session_id = made(storage, simple_plan()).id
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE sessions RENAME TO elsewhere")
    with pytest.raises(sa.exc.OperationalError):
        storage.last_seq(session_id)
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO sessions")
    assert storage.last_seq(session_id) == 0
    storage.close()


def test_a_key_is_known_only_in_its_own_session(storage: Storage) -> None:
    plan = simple_plan()
    one, two = made(storage, plan, happened(plan, ("start", 1))), made(storage, plan)
    assert loaded(storage, one.id).has_key("key-0001")
    assert not loaded(storage, one.id).has_key("key-0002")
    assert not loaded(storage, two.id).has_key("key-0001")


def test_an_act_on_an_old_state_is_refused_and_nothing_is_recorded(storage: Storage) -> None:
    plan = simple_plan()
    old = made(storage, plan)
    new = storage.record(old, Event(1, "first-key", "start", 5))
    with pytest.raises(ConflictError):
        storage.record(old, Event(1, "other-key", "start", 6))
    assert loaded(storage, old.id) == new
    assert not loaded(storage, old.id).has_key("other-key")


def test_a_key_is_recorded_once_and_the_refusal_leaves_nothing(storage: Storage) -> None:
    plan = simple_plan()
    stored = made(storage, plan, [Event(1, "the-key", "start", 5)])
    with pytest.raises(ConflictError):
        storage.record(stored, Event(2, "the-key", "pause", 6))
    assert storage.last_seq(stored.id) == 1
    after = storage.record(stored, Event(2, "new-key", "pause", 7))
    assert loaded(storage, stored.id) == after


def test_of_two_that_act_at_once_exactly_one_wins(storage: Storage) -> None:
    stored = made(storage, simple_plan(), [Event(1, "start-key", "start", 1)])
    for _round in range(20):
        gate = threading.Barrier(2)
        won: list[str] = []
        lost: list[str] = []

        def act(key: str, now: Stored, gate: threading.Barrier, w: list[str], x: list[str]) -> None:
            gate.wait()
            try:
                storage.record(now, Event(now.seq + 1, key, "extend", now.folded.at + 1))
                w.append(key)
            except ConflictError:
                x.append(key)

        keys = [f"round-{_round}-{name}" for name in "ab"]
        threads = [threading.Thread(target=act, args=(k, stored, gate, won, lost)) for k in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert (len(won), len(lost)) == (1, 1)
        assert loaded(storage, stored.id).has_key(won[0])
        assert not loaded(storage, stored.id).has_key(lost[0])
        stored = loaded(storage, stored.id)
        assert stored.seq == _round + 2
        assert [event.seq for event in stored.events] == list(range(1, stored.seq + 1))


def test_two_processes_that_act_on_one_state_make_one_event(storage: Storage) -> None:
    stored = made(storage, simple_plan())
    other = reopened(storage)
    other.record(loaded(other, stored.id), Event(1, "theirs-key", "start", 5))
    with pytest.raises(ConflictError):
        storage.record(stored, Event(1, "ours-key", "start", 6))
    other.close()
    assert [event.key for event in loaded(storage, stored.id).events] == ["theirs-key"]


def test_memory_never_serves_what_another_process_has_changed(storage: Storage) -> None:
    stored = made(storage, simple_plan(), [Event(1, "start-key", "start", 5)])
    assert loaded(storage, stored.id) is loaded(storage, stored.id)
    other = reopened(storage)
    theirs = other.record(loaded(other, stored.id), Event(2, "pause-key", "pause", 9))
    other.close()
    assert loaded(storage, stored.id) == theirs
    assert loaded(storage, stored.id).folded.status == "paused"


def test_memory_keeps_only_so_many_sessions(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.storage.sessions.KEPT_SESSIONS", 3)
    ids = [made(storage, simple_plan()).id for _ in range(5)]
    assert list(storage.cache) == ids[2:]
    assert loaded(storage, ids[0]).id == ids[0]


def test_every_connection_is_durable(sqlite_storage: Storage) -> None:
    storage = sqlite_storage

    def check(connection: sa.Connection) -> None:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000

    with storage.engine.connect() as one, storage.engine.connect() as two:
        check(one)
        check(two)
    with storage.write() as writer:
        check(writer)


def test_writes_go_through_one_connection(sqlite_storage: Storage) -> None:
    storage = sqlite_storage
    with storage.write() as connection:
        first = connection
    made(storage, simple_plan())
    with storage.write() as connection:
        assert connection is first


def test_events_need_their_session(storage: Storage) -> None:
    ghost = Stored("ghost", "", simple_plan(), (), fold(simple_plan(), ()), 0)
    with pytest.raises(ConflictError):
        storage.record(ghost, Event(1, "some-key", "start", 1))
    with pytest.raises(sa.exc.IntegrityError), storage.write() as connection:
        connection.exec_driver_sql("INSERT INTO events VALUES ('ghost', 1, 'k', 'start', 1, '{}')")


def set_schema(path: Path, value: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (value,))
    connection.close()


FIRST_SCHEMA = """
CREATE TABLE meta (name VARCHAR(40) NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE sessions (
    id VARCHAR(32) NOT NULL, protocol VARCHAR(60) NOT NULL, title VARCHAR(60) NOT NULL,
    protocol_hash VARCHAR(64) NOT NULL, plan TEXT NOT NULL, plan_hash VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL, last_seq INTEGER NOT NULL, live_until BIGINT NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX ix_sessions_live_until ON sessions (live_until);
CREATE TABLE events (
    session VARCHAR(32) NOT NULL, seq INTEGER NOT NULL, "key" VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL, at BIGINT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (session, seq), UNIQUE (session, "key"),
    FOREIGN KEY(session) REFERENCES sessions (id));
INSERT INTO meta VALUES ('schema', '1');
"""


def test_a_database_of_the_first_schema_is_taken_over_with_its_sessions(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    plan = simple_plan()
    row = ("old", "built", "Built", "hash", plan.model_dump_json(), "plan-hash", 5, 1, 9)
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_SCHEMA)
    connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute("INSERT INTO events VALUES ('old', 1, 'key-0001', 'start', 7, '{}')")
    connection.commit()
    connection.close()
    for _ in range(2):  # the second time there is nothing left to do
        storage = open_sqlite(path)
        stored = loaded(storage, "old")
        assert (stored.plan, stored.seq, stored.admission) == (plan, 1, None)
        assert storage.screening("none", 0) is None
        assert Presence(storage).notes_of("old").readings == []
        storage.store_reading("old", 8, Reading(shown="lo"))
        assert Presence(storage).notes_of("old").readings == [(8, Reading(shown="lo"))]
        with storage.write() as writer:
            writer.exec_driver_sql("DELETE FROM readings")
        storage.close()


@pytest.mark.parametrize("value", [str(SCHEMA + 1), "99", "x", ""])
def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path, value: str) -> None:
    path = tmp_path / "db.sqlite3"
    open_sqlite(path).close()
    set_schema(path, value)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer Steady Hands"):
        open_sqlite(path)
    assert path.read_bytes() == before


def test_our_own_database_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    first = open_sqlite(path)
    stored = made(first, simple_plan(), [Event(1, "start-key", "start", 5)])
    first.close()
    second = open_sqlite(path)
    assert loaded(second, stored.id) == stored
    second.close()


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    path.write_bytes(b"This is a letter, not a database. " * 50)
    with pytest.raises(StorageError) as caught:
        open_sqlite(path)
    assert "not a database" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_live_gives_what_was_begun_and_is_not_over_the_newest_first(storage: Storage) -> None:
    plan = simple_plan(1)  # ready-1 waits, 60 s, 120 s of rest
    start: Act = ("start", 1_000)
    on: Act = ("next", 1_000)
    pause: Act = ("pause", 2_000)
    ready = made(storage, plan, at=1)
    waiting = made(storage, plan, happened(plan, start), at=2)
    running = made(storage, plan, happened(plan, start, on), at=3)
    paused = made(storage, plan, happened(plan, start, on, pause), at=4)
    stopped = made(storage, plan, happened(plan, start, ("stop", 2_000)), at=5)

    def ids(now: int) -> list[str]:
        return [stored.id for stored in storage.live(now)]

    assert ids(2_000) == ids(180_999) == [paused.id, running.id, waiting.id]
    assert ids(181_000) == [paused.id, waiting.id]
    assert ready.id not in ids(0)
    assert stopped.id not in ids(0)
    assert live_until(plan, running.folded) == 181_000
    assert [stored.id for stored in storage.live(2_000, most=2)] == [paused.id, running.id]
    assert storage.live_ids(2_000) == ids(2_000)


@pytest.mark.parametrize("count", [0, 1, 20, 60])
def test_live_costs_two_queries_however_many_there_are(storage: Storage, count: int) -> None:
    plan = simple_plan()
    for _ in range(count):
        made(storage, plan, happened(plan, ("start", 1_000), ("next", 1_000)))
    with queries_of(storage) as statements:
        live = storage.live(2_000)
    assert len(live) == min(count, 20)
    assert len(statements) == (2 if count else 1)
    assert all(stored.seq == 2 and stored.folded.status == "running" for stored in live)


def test_a_known_session_costs_one_query_and_an_unknown_one_two(storage: Storage) -> None:
    stored = made(storage, simple_plan())
    with queries_of(storage) as known:
        storage.load(stored.id)
    storage.cache.clear()
    with queries_of(storage) as unknown:
        storage.load(stored.id)
    assert (len(known), len(unknown)) == (1, 2)


def lock_out(storage: Storage) -> sqlite3.Connection:
    """Another process holds the write lock; ours gives up soon."""
    with storage.write() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=20")
    other = sqlite3.connect(path_of(storage), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_locked_database_is_not_saved_and_the_next_write_works(sqlite_storage: Storage) -> None:
    storage = sqlite_storage
    stored = made(storage, simple_plan())
    event = Event(1, "start-key", "start", 5)
    other = lock_out(storage)
    with pytest.raises(NotSavedError):
        storage.record(stored, event)
    assert loaded(storage, stored.id) == stored
    assert not loaded(storage, stored.id).has_key("start-key")
    other.execute("ROLLBACK")
    other.close()
    assert storage.record(stored, event) == loaded(storage, stored.id)
    assert storage.last_seq(stored.id) == 1


@pytest.mark.parametrize("statement", ["BEGIN", "UPDATE sessions", "INSERT INTO events", "COMMIT"])
def test_a_write_that_fails_anywhere_is_undone_and_never_acknowledged(
    storage: Storage, statement: str
) -> None:
    stored = made(storage, simple_plan())
    event = Event(1, "start-key", "start", 5)

    def disk_full(_c: object, _cursor: object, text: str, *_more: object) -> None:
        if text.startswith(statement):
            raise storage.engine.dialect.dbapi.OperationalError("database or disk is full")  # type: ignore[union-attr]

    sa.event.listen(storage.engine, "before_cursor_execute", disk_full)
    try:
        with pytest.raises(NotSavedError):
            storage.record(stored, event)
    finally:
        sa.event.remove(storage.engine, "before_cursor_execute", disk_full)
    other = reopened(storage)
    assert loaded(other, stored.id) == loaded(storage, stored.id) == stored
    other.close()
    storage.record(stored, event)
    assert loaded(storage, stored.id).has_key("start-key")


def test_a_full_disk_is_not_saved_and_after_that_writing_works_again(
    sqlite_storage: Storage,
) -> None:
    storage = sqlite_storage
    plan = simple_plan()
    stored = made(storage, plan)
    with storage.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def fill() -> None:
        for _ in range(100):
            storage.create(plan, "hash", 1)

    with pytest.raises(NotSavedError):
        fill()
    assert loaded(storage, stored.id) == stored
    assert loaded(storage, storage.create(plan, "hash", 1)).seq == 0


def test_a_fault_of_our_own_in_a_write_is_undone(storage: Storage) -> None:
    stored = made(storage, simple_plan())

    def fail() -> None:
        with storage.write() as connection:
            connection.exec_driver_sql("DELETE FROM sessions")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert loaded(storage, stored.id) == stored
    storage.record(stored, Event(1, "start-key", "start", 5))


def test_the_last_sign_of_life_is_kept(storage: Storage) -> None:
    assert storage.last_sign_of_life() is None
    for now in (5, 15):
        storage.store_sign_of_life(SignOfLife("boot", now - 1, now))
    other = reopened(storage)
    assert other.last_sign_of_life() == SignOfLife("boot", 14, 15)
    other.close()
