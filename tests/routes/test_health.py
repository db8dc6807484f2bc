"""What probes are told: one word, and never more."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.support.visitor import Visitor, queries_of
from webapp.domain.sign_of_life import SignOfLife
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.disk import Disk
from webapp.storage.sessions import NotSavedError, Storage


@pytest.fixture
def empty(empty: Storage) -> Storage:
    """Written to just now, as each process does when it starts and every 10 s."""
    empty.store_sign_of_life(SignOfLife("boot", 1, 1))
    return empty


def word(visitor: Visitor, path: str) -> tuple[int, str]:
    answer = visitor.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/plain"
    return answer.status_code, answer.text


def test_a_process_that_lives_says_so_without_the_database(visitor: Visitor) -> None:
    with visitor.queries() as statements:
        assert word(visitor, "/healthz") == (200, "ok\n")
    assert statements == []


def test_asking_whether_it_is_ready_reads_once_and_writes_nothing(visitor: Visitor) -> None:
    for _ in range(3):
        with visitor.queries() as statements:
            assert word(visitor, "/readyz") == (200, "ready\n")
        assert [one.split()[0] for one in statements] == ["SELECT"]


def test_it_is_not_ready_when_the_last_write_failed_and_ready_after_the_next(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = SignOfLife("boot", 1, 1)
    with pytest.raises(NotSavedError), visitor.storage.write() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))
    assert word(visitor, "/readyz") == (503, "not ready\n")
    monkeypatch.setattr(Disk, "resting", False)
    visitor.storage.store_sign_of_life(sign)
    assert word(visitor, "/readyz") == (200, "ready\n")


def test_it_is_not_ready_when_nothing_was_written_for_long(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.monotonic() + 31
    monkeypatch.setattr("webapp.storage.database.time.monotonic", lambda: later)
    assert word(visitor, "/readyz") == (503, "not ready\n")


def test_it_is_not_ready_on_a_schema_of_another_version(visitor: Visitor) -> None:
    with visitor.storage.write() as connection:
        connection.execute(sa.text("UPDATE meta SET value = '99' WHERE name = 'schema'"))
    assert word(visitor, "/readyz") == (503, "not ready\n")
    assert word(visitor, "/healthz") == (200, "ok\n")


def test_it_is_not_ready_when_the_database_cannot_be_read(visitor: Visitor) -> None:
    with visitor.storage.write() as connection:
        connection.execute(sa.text("DROP TABLE meta"))
    assert word(visitor, "/readyz") == (503, "not ready\n")


@pytest.mark.parametrize("host", ["evil.test", "", "10.0.0.1:8000"])
def test_a_probe_may_use_any_name_and_learns_nothing_by_it(visitor: Visitor, host: str) -> None:
    for path in ("/healthz", "/readyz"):
        answer = visitor.get(path, Host=host)
        assert answer.status_code == 200
        assert len(answer.data) < 10
        assert "Set-Cookie" not in answer.headers


@pytest.fixture
def shared(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_storage(Settings(tmp_path_factory.mktemp("pg"), database_url=postgresql_url))
    yield opened
    opened.close()


def test_on_postgresql_it_is_the_same(shared: Storage) -> None:
    with queries_of(shared) as statements:
        assert shared.ready()
    assert len(statements) == 1
    with pytest.raises(NotSavedError), shared.write() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (1)"))
    assert not shared.ready()
