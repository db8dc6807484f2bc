"""Clients, courses and the past in the database."""

from __future__ import annotations

import random
import re
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.storage.test_storage import FIRST_SCHEMA, loaded, reopened
from tests.support.builders import Act, happened, simple_plan
from tests.support.visitor import queries_of
from webapp.domain.assignment import NewCourse
from webapp.domain.course import Client, Course, Terms
from webapp.domain.record import Feedback
from webapp.domain.screening import Admission
from webapp.domain.session import Event
from webapp.maintenance.opening import open_sqlite
from webapp.storage import tables
from webapp.storage.courses import Courses, Filing, Filter, new_code
from webapp.storage.sessions import Belonging, Storage, sessions

PLAN = simple_plan()
TERMS = Terms(gap_hours=48, techniques=("stroking",))
ALL = Filter()
FILED = (tables.clients, tables.courses, sessions, tables.summaries)


@pytest.fixture
def courses(storage: Storage) -> Courses:
    return Courses(storage)


def begun(storage: Storage, at: int, course: Course | None = None, *acts: Act) -> str:
    """A session of this course that was begun at ``at``, and what happened then."""
    belongs = Belonging(course.client.id, course.id) if course else None
    session_id = storage.create(PLAN, "hash", at, None, belongs)
    stored = loaded(storage, session_id)
    for event in happened(PLAN, ("start", at), *acts):
        stored = storage.record(stored, event)
    return session_id


def with_course(courses: Courses, protocol: str = "built") -> Course:
    return courses.add_course(courses.add_client(1), protocol, "Built", TERMS, 10, 1)


def test_codes_have_no_look_alikes_and_no_words() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) > 480
    assert all(
        re.fullmatch(
            r"[ACDEFGHJKMNPQRTUVWXY][234679]-[ACDEFGHJKMNPQRTUVWXY][234679][ACDEFGHJKMNPQRTUVWXY]",
            c,
        )
        for c in codes
    )


def test_a_code_that_is_taken_is_made_anew(
    courses: Courses, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["K7-M4Q", "K7-M4Q", "A2-C3D"])
    monkeypatch.setattr("webapp.storage.courses.new_code", lambda: next(codes))
    assert [courses.add_client(1).code, courses.add_client(2).code] == ["K7-M4Q", "A2-C3D"]


def test_clients_and_courses_come_back_as_they_were(courses: Courses, storage: Storage) -> None:
    made = with_course(courses)
    changed = replace(made, target=12, aside=True, helped="no")
    courses.update(changed)
    other = reopened(storage)
    again = Courses(other)
    assert again.course(made.id) == changed
    assert again.latest(made.client.id, "built", 0, 20) == (changed, [], [])
    assert again.courses(9, 0) == [(changed, [])]
    assert again.client(made.client.id) == made.client
    assert again.client("none") is None
    assert again.course("none") is None
    assert again.with_records("none", 0) is None
    other.close()


def test_who_was_here_last_stands_first(courses: Courses, storage: Storage) -> None:
    first, second = with_course(courses), with_course(courses)
    assert next(c.id for c, _ in courses.courses(9, 0)) in (first.id, second.id)
    begun(storage, 50, second)
    begun(storage, 90, first)
    assert [c.id for c, _ in courses.courses(9, 0)] == [first.id, second.id]
    assert courses.clients() == [first.client, second.client]
    courses.update(replace(first, aside=True))
    assert [c.id for c, _ in courses.courses(9, 0, aside=False)] == [second.id]


def test_what_was_told_replaces_what_was_told_before(courses: Courses, storage: Storage) -> None:
    session = begun(storage, 5)
    assert courses.feedback(session) == Feedback()
    for told in (Feedback(before=4), Feedback(4, 0, "marks", "calm")):
        courses.store_feedback(session, told)
        assert courses.feedback(session) == told
    assert courses.history(ALL, 9, 9)[0].feedback == Feedback(4, 0, "marks", "calm")


def test_only_what_was_begun_is_in_the_past(courses: Courses, storage: Storage) -> None:
    storage.create(PLAN, "hash", 5)
    session = begun(storage, 7)
    assert [past.id for past in courses.history(ALL, 99, 9)] == [session]
    assert courses.history(ALL, 99, 9)[0].begun_at == 7


def test_the_past_is_narrowed_and_paged_without_gap_or_double(
    courses: Courses, storage: Storage
) -> None:
    mine, other = with_course(courses), with_course(courses)
    times = [random.Random(7).randrange(1, 9) for _ in range(40)]  # many at the same instant
    ids = [begun(storage, at, mine if n % 2 else other) for n, at in enumerate(times)]
    stopped = [begun(storage, 20, mine, ("stop", 20)), begun(storage, 21, mine, ("stop", 21))]
    seen: list[str] = []
    wanted = ALL
    while page := courses.history(wanted, 99, 7):
        seen += [past.id for past in page]
        wanted = replace(wanted, before=(page[-1].begun_at, page[-1].id))
    assert sorted(seen) == sorted(ids + stopped)
    assert {p.client for p in courses.history(Filter(client=mine.client.id), 99, 99)} == {
        mine.client.id
    }
    assert {p.id for p in courses.history(Filter(only="stopped"), 99, 99)} == set(stopped)
    assert courses.history(Filter(only="scored"), 99, 99) == []
    assert courses.history(Filter(protocol="none"), 99, 99) == []
    assert len(courses.history(Filter(course=other.id), 99, 99)) == 20


def test_a_whole_course_costs_two_queries_and_one_when_nothing_has_happened_since(
    courses: Courses, storage: Storage
) -> None:
    course = with_course(courses)
    for n in range(15):
        begun(storage, n + 1, course)
    storage.plans.clear()
    with queries_of(storage) as cold:
        found = courses.with_records(course.id, 99)
    with queries_of(storage) as warm:
        courses.with_records(course.id, 99)
    assert found is not None
    assert len(found[1]) == 15
    assert (len(cold), len(warm)) == (2, 1)


def test_memory_never_tells_of_a_past_that_has_moved_on(courses: Courses, storage: Storage) -> None:
    session = begun(storage, 5)
    assert courses.history(ALL, 99, 9)[0].outcome == "live"
    other = reopened(storage)
    other.record(loaded(other, session), Event(2, "stop-key", "stop", 9))
    other.close()
    assert courses.history(ALL, 99, 9)[0].outcome == "pain"


def test_erasing_a_client_erases_courses_and_sessions_without_their_events_left(
    courses: Courses, storage: Storage
) -> None:
    course = with_course(courses)
    session = begun(storage, 5, course)
    courses.store_feedback(session, Feedback(before=1))
    with storage.write() as writer:
        writer.exec_driver_sql(f"DELETE FROM events WHERE session = '{session}'")
        writer.exec_driver_sql(f"DELETE FROM clients WHERE id = '{course.client.id}'")
        for table in ("courses", "sessions", "summaries"):
            assert writer.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


SECOND_SCHEMA = (
    FIRST_SCHEMA.replace("('schema', '1')", "('schema', '2')")
    + """
ALTER TABLE sessions ADD COLUMN admission TEXT;
CREATE TABLE screenings (id VARCHAR(32) NOT NULL, body TEXT NOT NULL, kept_at BIGINT NOT NULL,
    PRIMARY KEY (id));
CREATE INDEX ix_screenings_kept_at ON screenings (kept_at);
CREATE TABLE readings (session VARCHAR(32) NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (session, at), FOREIGN KEY(session) REFERENCES sessions (id));
"""
)


@pytest.mark.parametrize("schema", [FIRST_SCHEMA, SECOND_SCHEMA], ids=["1", "2"])
def test_an_older_database_keeps_its_sessions_and_gets_a_history(
    tmp_path: Path, schema: str
) -> None:
    path = tmp_path / "db.sqlite3"
    row = ("old", "built", "Built", "hash", PLAN.model_dump_json(), "plan-hash", 5, 1, 9)
    names = (
        "(id, protocol, title, protocol_hash, plan, plan_hash, created_at, last_seq, live_until)"
    )
    connection = sqlite3.connect(path)
    connection.executescript(schema)
    connection.execute(f"INSERT INTO sessions {names} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute(
        f"INSERT INTO sessions {names} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ("ready", *row[1:7], 0, 0),
    )
    connection.execute("INSERT INTO events VALUES ('old', 1, 'key-0001', 'start', 7, '{}')")
    connection.commit()
    connection.close()
    for _ in range(2):  # the second time there is nothing left to do
        storage = open_sqlite(path)
        courses = Courses(storage)
        (past,) = courses.history(ALL, 99, 9)
        assert (past.id, past.begun_at, past.client, past.course) == ("old", 7, None, None)
        assert loaded(storage, "old").client is None
        assert courses.clients() == []
        storage.close()


def links(storage: Storage, table: str) -> list[tuple[object, ...]]:
    """Column, other table, its column, and what happens on delete."""
    with storage.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})").all()
    return [(row[3], row[2], row[4], row[6]) for row in rows]


def test_an_upgraded_database_has_the_tables_and_indexes_of_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    connection = sqlite3.connect(tmp_path / "old" / "db.sqlite3")
    connection.executescript(SECOND_SCHEMA)
    connection.close()
    shapes = []
    for folder in (tmp_path / "old", tmp_path):
        storage = open_sqlite(folder / "db.sqlite3")
        look = sa.inspect(storage.engine)
        shapes.append(
            {
                table: (
                    {column["name"] for column in look.get_columns(table)},
                    {(i["name"], tuple(i["column_names"])) for i in look.get_indexes(table)},
                    set(links(storage, table)),
                )
                for table in look.get_table_names()
                if table != "alembic_version"
            }
        )
        storage.close()
    assert shapes[0] == shapes[1]


def test_the_client_of_a_course_is_the_one_it_was_made_for(courses: Courses) -> None:
    course = with_course(courses)
    found = courses.course(course.id)
    assert found is not None
    assert found.client == Client(course.client.id, course.client.code)


def test_a_session_is_prepared_with_its_client_and_course_or_not_at_all(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = NewCourse("short", "Built", TERMS, 10)
    filed = Filing(None, new, "wished", Feedback(before=3))
    admission = Admission(
        screening="-",
        protocol="short",
        protocol_hash="hash",
        rules_hash="rules",
        level="clear",
        answered_at=1,
    )
    with monkeypatch.context() as patch:
        patch.setattr("webapp.storage.sessions.feedback_row", broken)
        with pytest.raises(RuntimeError):
            Courses(storage).prepare(PLAN, "hash", 5, admission, filed)
    assert [rows_in(storage, table) for table in FILED] == [[], [], [], []]
    Courses(storage).prepare(PLAN, "hash", 5, admission, filed)
    assert [len(rows_in(storage, table)) for table in FILED] == [1, 1, 1, 1]


def broken(*_: object) -> dict[str, object]:
    raise RuntimeError


def rows_in(storage: Storage, table: sa.Table) -> list[sa.Row[Any]]:
    with storage.engine.connect() as connection:
        return list(connection.execute(sa.select(table)))
