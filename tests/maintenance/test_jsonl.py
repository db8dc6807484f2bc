"""Export, import, erase and retention: exact, all or nothing, and nothing left behind."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.command import refused, told
from tests.storage import golden
from tests.support.builders import simple_plan
from webapp.domain.clinician_word import KeptWord
from webapp.domain.glucose import Reading
from webapp.domain.session import Event
from webapp.maintenance.erase import erase, has_any_id
from webapp.maintenance.jsonl import Digest, digest, line_of
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.clinician_words import keep_words, words_of_client
from webapp.storage.courses import Courses
from webapp.storage.sessions import Storage
from webapp.storage.tables import metadata

SECRET = "erased-secret-key-0001"
ODD = 'line\nbreak "quoted" \\ ünïcödé 手 \u2028 \x7f'


def filled(storage: Storage, count: int = 3, at: int = 1_000) -> list[str]:
    ids = []
    for number in range(count):
        stored = storage.load(storage.create(simple_plan(), "hash", at))
        assert stored
        storage.record(stored, Event(1, f"start-key-{number}", "start", at))
        storage.store_reading(stored.id, at + 5, Reading(shown="lo"))
        ids.append(stored.id)
    return ids


def call(settings: Settings, command: str, *arguments: object) -> str:
    return told(command, "--data", settings.data, *arguments, **environment(settings))


def environment(settings: Settings) -> dict[str, str]:
    return {"DATABASE_URL": settings.database_url} if settings.database_url else {}


@pytest.fixture
def settings(tmp_path: Path, database_url: str | None) -> Settings:
    (tmp_path / "data").mkdir()
    return Settings(tmp_path / "data", database_url=database_url)


def digest_of(settings: Settings) -> str:
    storage = open_storage(settings)
    try:
        return digest(storage.database)
    finally:
        storage.close()


def fill(settings: Settings, count: int = 3, at: int = 1_000) -> list[str]:
    settings.data.mkdir(exist_ok=True)
    storage = open_storage(settings)
    try:
        return filled(storage, count, at)
    finally:
        storage.close()


def put_odd(settings: Settings) -> None:
    """Texts and numbers that are easily changed on the way."""
    storage = open_storage(settings)
    with storage.write() as connection:
        row = {"id": "odd", "body": ODD, "kept_at": 2**62 + 1}
        connection.execute(sa.insert(metadata.tables["screenings"]), row)
    storage.close()


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_an_export_comes_back_exactly_in_either_database(
    tmp_path: Path, settings: Settings, name: str
) -> None:
    fill(settings)
    put_odd(settings)
    call(settings, "export", "--to", tmp_path / name)
    other = Settings(tmp_path / "other")
    told("import", "--data", other.data, tmp_path / name)
    assert digest_of(other) == digest_of(settings)
    told("export", "--data", other.data, "--to", tmp_path / "again.jsonl")
    call(settings, "export", "--to", tmp_path / "plain.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "plain.jsonl").read_bytes()
    storage = open_storage(other)
    with storage.engine.connect() as connection:
        query = sa.text("SELECT body, kept_at FROM screenings WHERE id = 'odd'")
        assert tuple(connection.execute(query).one()) == (ODD, 2**62 + 1)
    storage.close()


def test_an_export_of_sqlite_moves_to_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    small, big = Settings(tmp_path), Settings(tmp_path, database_url=postgresql_url)
    fill(small)
    put_odd(small)
    call(small, "export", "--to", tmp_path / "all.jsonl")
    call(big, "import", tmp_path / "all.jsonl")
    assert digest_of(big) == digest_of(small)


def test_import_adds_to_what_is_there_unless_a_row_is_there_already(
    tmp_path: Path, settings: Settings
) -> None:
    other = Settings(tmp_path / "other")
    theirs, mine = fill(other), fill(settings)
    told("export", "--data", other.data, "--to", tmp_path / "theirs.jsonl")
    call(settings, "import", tmp_path / "theirs.jsonl")
    storage = open_storage(settings)
    assert all(storage.load(session_id) for session_id in (*theirs, *mine))
    storage.close()
    before = digest_of(settings)
    line = refused(
        "import", "--data", settings.data, tmp_path / "theirs.jsonl", **environment(settings)
    )
    assert "some of these rows already" in line
    assert digest_of(settings) == before


def test_an_export_of_an_older_release_is_brought_up_to_date(
    tmp_path: Path, settings: Settings
) -> None:
    from webapp.maintenance.jsonl import write_file
    from webapp.storage.sqlite import Sqlite

    old = Sqlite(golden.write_sqlite(tmp_path / "old.sqlite3", 1))
    write_file(old, tmp_path / "old.jsonl")
    old.close()
    call(settings, "import", tmp_path / "old.jsonl")
    storage = open_storage(settings)
    running = storage.load(golden.RUNNING)
    storage.close()
    assert running
    assert running.folded.status == "running"


def pretty(data: bytes) -> bytes:
    """Each record on many lines, its fields in another order, as ``jq -S .`` writes it."""
    records = [json.loads(line) for line in data.split(b"\n") if line]
    told = (json.dumps(one, indent=2, sort_keys=True, ensure_ascii=False) for one in records)
    return "".join(f"{one}\n" for one in told).encode()


EDITED: dict[str, Callable[[bytes], bytes]] = {
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "a blank line": lambda data: data + b"\n",
    "blank lines": lambda data: b"\n \t\n" + data.replace(b"\n", b"\n\n") + b"  \n\n",
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "no last line end": lambda data: data.rstrip(b"\n"),
    "blanks at the ends": lambda data: data.replace(b"\n", b"  \n   "),
    "other order": lambda data: b"".join(
        json.dumps(json.loads(line), sort_keys=True).encode() + b"\n"
        for line in data.split(b"\n")
        if line
    ),
    "many lines": pretty,
    "many lines, crlf, mark": lambda data: (
        b"\xef\xbb\xbf" + pretty(data).replace(b"\n", b"\r\n") + b"\r\n"
    ),
    "packed": gzip.compress,
}


@pytest.mark.parametrize("name", EDITED)
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_an_export_that_went_through_an_editor_comes_in(
    tmp_path: Path, name: str, suffix: str
) -> None:
    settings, plain = Settings(tmp_path / "data"), tmp_path / "all.jsonl"
    fill(settings)
    put_odd(settings)
    call(settings, "export", "--to", plain)
    file = tmp_path / f"edited{suffix}"
    file.write_bytes(EDITED[name](plain.read_bytes()))
    other = Settings(tmp_path / "other")
    call(other, "import", file)
    assert digest_of(other) == digest_of(settings)


@pytest.mark.parametrize("name", ["many lines", "other order", "blank lines"])
def test_what_was_changed_is_noticed_however_it_is_written(tmp_path: Path, name: str) -> None:
    settings, file = Settings(tmp_path / "data"), tmp_path / "all.jsonl"
    fill(settings)
    call(settings, "export", "--to", file)
    file.write_bytes(EDITED[name](file.read_bytes().replace(b'"start-key-1"', b'"start-key-9"')))
    line = refused("import", "--data", tmp_path / "other", file)
    assert "added, changed or lost" in line


@pytest.mark.parametrize(
    ("column", "value"), [("said_on", "2026-02-30"), ("who", "nobody"), ("days", 400)]
)
def test_a_clinicians_word_that_makes_no_sense_does_not_come_in(
    tmp_path: Path, column: str, value: object
) -> None:
    settings, file = Settings(tmp_path / "data"), tmp_path / "all.jsonl"
    settings.data.mkdir()
    storage = open_storage(settings)
    client = Courses(storage).add_client(1).id
    row = {"id": "w", "client": client, "question": "heart", "answer": "yes", "who": "doctor",
           "said_on": "2026-02-20", "told_at": 1, "days": 183}  # fmt: skip
    with storage.write() as connection:
        connection.execute(sa.insert(metadata.tables["clinician_words"]), row | {column: value})
    storage.close()
    call(settings, "export", "--to", file)
    line = refused("import", "--data", tmp_path / "other", file)
    assert "the clinician's word w cannot be read" in line
    assert "nothing was changed" in line


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    settings, file = Settings(tmp_path / "data"), tmp_path / "all.jsonl"
    fill(settings)
    call(settings, "export", "--to", file)
    file.write_bytes(file.read_bytes().decode().encode("utf-16"))
    line = refused("import", "--data", tmp_path / "other", file)
    assert "saved as UTF-16, expected UTF-8; nothing was changed" in line


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def changed(lines: list[str], number: int, **values: object) -> list[str]:
    told = json.loads(lines[number])
    told.get("row", told).update(values)
    return [*lines[:number], json.dumps(told), *lines[number + 1 :]]


def signed(lines: list[str]) -> list[str]:
    """The same lines with an end that fits them."""
    total = Digest()
    for line in lines[1:-1]:
        told = json.loads(line)
        total.add(line_of(told["table"], told["row"]))
    return changed(lines, len(lines) - 1, rows=total.rows, digest=total.text())


Break = Callable[[list[str]], list[str]]
BREAKS: dict[str, tuple[Break, str]] = {
    "cut": (lambda x: x[:-1], "has no end"),
    "a row less": (lambda x: [*x[:2], *x[3:]], "added, changed or lost"),
    "a value changed": (lambda x: changed(x, 1, title="Other"), "added, changed or lost"),
    "more after the end": (lambda x: [*x, x[1]], "nothing after the end"),
    "not ours": (lambda x: ["{}", *x[1:]], "line 1: this is no export"),
    "empty": (lambda x: [], "line 1"),
    "other format": (lambda x: changed(x, 0, format=2), "format 2, expected 1"),
    "newer": (lambda x: changed(x, 0, schema=99), "newer Steady Hands (schema 99)"),
    "no table": (lambda x: signed([x[0], '{"table":"x","row":{}}', *x[1:]]), "there is no table"),
    "no row": (lambda x: [x[0], '{"table":"x"}', *x[1:]], "expected table and row"),
    "a column less": (
        lambda x: signed([x[0], '{"table":"events","row":{}}', *x[1:]]),
        "expected the columns",
    ),
    "wrong kind": (
        lambda x: signed(changed(x, 1, last_seq="1")),
        "last_seq: the value does not fit",
    ),
    "a boolean": (
        lambda x: signed(changed(x, 1, last_seq=True)),
        "last_seq: the value does not fit",
    ),
    "too long": (lambda x: signed(changed(x, 1, title="x" * 61)), "title: the value does not fit"),
    "twice": (lambda x: [x[0], '{"table":1,"table":2}', *x[1:]], "stands twice"),
    "no JSON": (lambda x: [x[0], "nonsense", *x[1:]], "line 2"),
    "no number": (lambda x: [x[0], '{"table":NaN}', *x[1:]], "expected a finite number"),
    "deep": (lambda x: [x[0], "[" * 99_999, *x[1:]], "nested too deep"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_export_is_refused_with_the_reason_and_nothing_changes(
    tmp_path: Path, name: str
) -> None:
    broken, words = BREAKS[name]
    settings, file = Settings(tmp_path / "data"), tmp_path / "all.jsonl"
    fill(settings)
    call(settings, "export", "--to", file)
    file.write_text("".join(f"{line}\n" for line in broken(lines_of(file))), encoding="utf-8")
    other = Settings(tmp_path / "other")
    before = fill_one(other)
    assert words in refused("import", "--data", other.data, file)
    assert digest_of(other) == before


def fill_one(settings: Settings) -> str:
    fill(settings, 1)
    return digest_of(settings)


@pytest.mark.parametrize("damage", ["plan", "gap"])
def test_rows_that_make_no_sense_together_are_refused(tmp_path: Path, damage: str) -> None:
    settings = Settings(tmp_path)
    ids = fill(settings, 1)
    storage = open_storage(settings)
    change = "plan = '{}'" if damage == "plan" else "last_seq = 2"
    with storage.write() as connection:
        connection.execute(sa.text(f"UPDATE sessions SET {change}"))
    storage.close()
    call(settings, "export", "--to", tmp_path / "all.jsonl")
    line = refused("import", "--data", tmp_path / "other", tmp_path / "all.jsonl")
    assert ids[0] in line


def token(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:30]


def raw_bytes(settings: Settings) -> bytes:
    return b"".join(p.read_bytes() for p in settings.data.glob("steady-hands.sqlite3*"))


def test_what_was_erased_is_nowhere_in_the_files_of_the_database(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    kept = fill(settings)
    storage = open_storage(settings)
    gone = storage.load(storage.create(simple_plan(), "hash", 5))
    assert gone
    for number in range(300):  # enough that rows move between pages, and leave themselves behind
        kind = ("start", "pause", "resume")[0 if not number else 1 + (number + 1) % 2]
        event = Event(number + 1, f"{token(number)}-{SECRET}", kind, 5)  # type: ignore[arg-type]
        gone = storage.record(gone, event)
        other = storage.load(storage.create(simple_plan(), "hash", 5))
        assert other
        storage.record(other, Event(1, token(number), "start", 5))
    assert SECRET.encode() in raw_bytes(settings)
    counts = erase(storage.database, "sessions", [gone.id])
    assert (counts["sessions"], counts["events"]) == (1, 300)
    for needle in (SECRET, gone.id):
        assert needle.encode() not in raw_bytes(settings)
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() == 0
    assert storage.load(gone.id) is None
    assert all(storage.load(session_id) for session_id in kept)
    storage.close()
    assert SECRET.encode() not in raw_bytes(settings)


def test_what_was_erased_is_nowhere_in_the_tables_of_postgresql(
    tmp_path: Path, postgresql_url: str
) -> None:
    from webapp.maintenance.opening import open_postgresql

    storage = open_postgresql(postgresql_url, tmp_path)
    kept = filled(storage)
    stored = storage.load(storage.create(simple_plan(), "hash", 5))
    assert stored
    storage.record(stored, Event(1, SECRET, "start", 5))
    before = table_file(storage, "events")
    erase(storage.database, "sessions", [stored.id])
    assert table_file(storage, "events") != before, "the table was not written anew"
    assert SECRET not in str(rows(storage, "events"))
    assert all(storage.load(session_id) for session_id in kept)
    storage.close()


def table_file(storage: Storage, name: str) -> object:
    with storage.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.pg_relation_filenode(name)))


def rows(storage: Storage, name: str) -> list[object]:
    with storage.engine.connect() as connection:
        return list(connection.execute(sa.select(metadata.tables[name])).all())


def test_erase_says_where_the_session_still_stands_and_purges_when_told(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    first, second, third = fill(settings)
    backup = Path(call(settings, "backup").removeprefix("The backup is ").strip())
    said = call(settings, "erase", "--session", first)
    assert "1 sessions" in said
    assert f"Still in: {backup}" in said
    assert has_any_id(backup, [first])
    said = call(settings, "erase", "--session", second, "--purge")
    assert f"Deleted too: {backup}" in said
    assert not backup.exists()
    assert "no such session" in refused("erase", "--data", tmp_path, "--session", first)
    assert digest_of(settings)
    storage = open_storage(settings)
    assert storage.load(third)
    storage.close()


def test_retention_deletes_what_ended_long_ago_and_the_preview_nothing(settings: Settings) -> None:
    now = datetime.now(UTC)
    old = int((now - timedelta(days=40)).timestamp() * 1000)
    new = int((now - timedelta(days=20)).timestamp() * 1000)
    gone, kept = fill(settings, 2, old), fill(settings, 3, new)
    storage = open_storage(settings)
    client = Courses(storage).add_client(new).id
    for question, told_at in (("heart", old), ("lymph", new)):
        word = KeptWord(question=question, answer="yes", who="doctor", on="2026-01-01",
                        told_at=told_at, days=183)  # fmt: skip
        keep_words(storage, client, [word])
    storage.close()
    before = digest_of(settings)
    said = call(settings, "retention", "--days", 30, "--preview")
    assert "2 of 5 sessions would be deleted" in said
    assert f"{now - timedelta(days=40):%Y-%m-%d}" in said
    assert digest_of(settings) == before
    assert "2 sessions" in call(settings, "retention", "--days", 30)
    storage = open_storage(settings)
    assert not any(storage.load(session_id) for session_id in gone)
    assert all(storage.load(session_id) for session_id in kept)
    assert [word.question for word in words_of_client(storage, client)] == ["lymph"]
    storage.close()
    assert "None of 3" in call(settings, "retention", "--days", 30, "--preview")


def test_exports_and_previews_work_while_a_server_runs(
    tmp_path: Path, protocols_folder: Path
) -> None:
    from tests.support.real_server import Server

    with Server(tmp_path, protocols_folder) as server:
        session_id = server.prepare("long")
        server.act(session_id, "start")
        assert session_id in told("export", "--data", tmp_path)
        assert "None of 1" in told("retention", "--data", tmp_path, "--days", 1, "--preview")
        line = refused("erase", "--data", tmp_path, "--session", session_id)
        assert "another Steady Hands" in line
        assert server.act(session_id, "pause").live["data-seq"] == "2"


def test_one_client_is_exported_erased_and_brought_back_alone(
    tmp_path: Path, settings: Settings
) -> None:
    """Seen to fail with ``of_client`` giving all rows."""
    from webapp.storage.courses import Courses
    from webapp.storage.sessions import Belonging

    fill(settings, 2)
    storage = open_storage(settings)
    mine, other = (Courses(storage).add_client(n) for n in (1, 2))
    for client in (mine, other, mine):
        storage.create(simple_plan(), "hash", 5, None, Belonging(client.id))
    storage.close()
    before = digest_of(settings)
    call(settings, "export", "--client", mine.code, "--to", tmp_path / "one.jsonl")
    lines = lines_of(tmp_path / "one.jsonl")
    assert json.loads(lines[0])["client"] == mine.code
    assert [json.loads(line)["table"] for line in lines[1:-1]] == ["clients", *["sessions"] * 2]
    assert other.id not in (tmp_path / "one.jsonl").read_text(encoding="utf-8")
    assert "2 sessions" in call(settings, "erase", "--client", mine.code)
    assert digest_of(settings) != before
    call(settings, "import", tmp_path / "one.jsonl")
    assert digest_of(settings) == before
    for wrong in (("--client", "none"), (), ("--client", mine.code, "--session", "x")):
        arguments = ("erase", "--data", settings.data, *wrong)
        assert refused(*arguments, **environment(settings))
    line = refused("export", "--data", settings.data, "--client", "none", **environment(settings))
    assert "there is no client none" in line
