"""The owner's pages for the data: every act on SQLite, and where it matters on PostgreSQL.

Jobs are done at once and in this process, unless a test says otherwise.
"""

from __future__ import annotations

import gzip
import io
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.page import Page
from tests.support.visitor import HOST, Visitor, visit
from webapp.maintenance import backups, export_stream, inventory, worker
from webapp.maintenance.jobs import BusyError, Job, Jobs
from webapp.maintenance.jsonl import digest
from webapp.maintenance.retention import (
    Retention,
    ended_before,
    read_retention,
    store_retention,
)
from webapp.maintenance.runner import JobRunner, Scheduler, in_thread
from webapp.maintenance.worker import INCOMING, run_in_subprocess, run_inline
from webapp.settings import Settings
from webapp.site import Site
from webapp.storage.courses import Courses
from webapp.storage.disk import free_bytes
from webapp.storage.sessions import NotSavedError, StorageError
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.shared_clock import SharedClock

DATA = "/owner/data"


class Owner(Visitor):
    """A visitor at the owner's pages of a site whose folder is its own."""

    @property
    def runner(self) -> JobRunner:
        found: JobRunner = self.app.extensions["jobs"]
        return found

    @property
    def data(self) -> Path:
        site: Site = self.app.extensions["site"]
        return site.settings.data

    def outcome(self, answer: TestResponse) -> str:
        """The words of the job that an answer leads to; no place of this machine is among them."""
        assert answer.status_code == 303, answer.text
        self.seen["job"] = answer.headers["Location"]
        text = self.page(self.seen["job"]).by_id("job").text
        assert str(self.data) not in text
        return text

    def backup(self) -> str:
        """Make one; gives its name."""
        assert "made and checked" in self.outcome(self.post(f"{DATA}/backup", {}))
        return inventory.copies(self.settings)[0].file

    @property
    def settings(self) -> Settings:
        site: Site = self.app.extensions["site"]
        return site.settings

    def send(self, content: bytes, name: str = "all.jsonl.gz") -> TestResponse:
        file = (io.BytesIO(content), name)
        return self.client.post(f"{DATA}/import", data={"file": file}, headers={"Host": HOST})

    def over(self) -> str:
        """A session that was begun and is over; gives its id."""
        session_id = self.started()
        self.done(session_id, "stop")
        return session_id

    def only_client(self) -> tuple[str, str]:
        (client,) = Courses(self.storage).clients()
        return client.id, client.code

    def digest(self) -> str:
        return digest(self.storage.database)


def outgoing_here(settings: Settings, code: str = "") -> Iterator[bytes]:
    """The export without a process of its own."""
    written = io.BytesIO()
    assert export_stream.write(settings, code, written) == 0
    head, _, content = written.getvalue().partition(b"\n")
    assert head == b"{}"
    yield content


def owned(app: Flask, folder: Path, url: str | None) -> Iterator[Owner]:
    for visitor in visit(app, folder, url):
        site: Site = app.extensions["site"]
        settings = replace(site.settings, data=folder, database_url=url)
        app.extensions["site"] = replace(site, settings=settings)
        runner: JobRunner = app.extensions["jobs"]
        runner.run_task, runner.spawn = run_inline, lambda work: work()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("webapp.routes.owner_exchange.stream_export", outgoing_here)
            yield Owner(app, visitor.client, visitor.clock, visitor.storage)
        runner.run_task, runner.spawn = run_in_subprocess, in_thread


@pytest.fixture
def owner(small_app: Flask, tmp_path: Path) -> Iterator[Owner]:
    yield from owned(small_app, tmp_path, None)


@pytest.fixture
def either(small_app: Flask, tmp_path: Path, database_url: str | None) -> Iterator[Owner]:
    """On each database in turn."""
    yield from owned(small_app, tmp_path, database_url)


def test_a_backup_is_made_listed_and_downloaded_as_it_lies(either: Owner) -> None:
    either.started()
    page = either.get(DATA).text
    assert "There is none yet" in page
    assert "1 client, 1 course, 1 session" in page
    name = either.backup()
    got = either.get(f"{DATA}/copies/{name}")
    assert got.data == (either.data / backups.FOLDER / name).read_bytes()
    assert got.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    page = either.get(DATA).text
    assert "checked when it was made" in page
    assert str(either.data) not in page


@pytest.mark.parametrize("name", ["none", "..%2Fsteady-hands.sqlite3", "steady-hands.sqlite3"])
def test_nothing_but_copies_can_be_fetched_restored_or_deleted(owner: Owner, name: str) -> None:
    owner.backup()
    for path in (f"{DATA}/copies/{name}", f"{DATA}/copies/{name}/restore"):
        assert owner.get(path).status_code == 404
    assert owner.post(f"{DATA}/copies/{name}/restore", {}).status_code == 404
    assert owner.post(f"{DATA}/copies/delete", {"name": name}).status_code == 404
    assert owner.storage.database.folder.joinpath("steady-hands.sqlite3").exists()


def test_a_restore_says_what_would_go_and_the_site_serves_on_without_a_restart(
    either: Owner,
) -> None:
    before = either.over()
    name, was = either.backup(), either.digest()
    either.clock.instant = inventory.copies(either.settings)[0].made_at + 60_000
    after = either.over()
    then = either.digest()
    asked = either.get(f"{DATA}/copies/{name}/restore").text
    assert "1 session made since then" in asked
    said = either.outcome(either.post(f"{DATA}/copies/{name}/restore", {}))
    assert "is in its place" in said
    assert either.digest() == was
    assert either.get(f"/sessions/{before}/summary").status_code == 200
    assert either.get(f"/sessions/{after}/summary").status_code == 404
    assert either.started()
    link = either.page(either.seen["job"]).elements
    back = next(e.attrs["href"] for e in link if "restore" in e.attrs.get("href", ""))
    assert "is in its place" in either.outcome(either.post(back, {"anyway": "1"}))
    assert either.digest() == then


def test_what_ran_when_the_backup_was_made_is_paused_and_asks(either: Owner) -> None:
    session_id = either.started("long")
    either.storage.store_sign_of_life(either.clock.sign_of_life())
    name = either.backup()
    either.clock.forward(60)
    refused = either.post(f"{DATA}/copies/{name}/restore", {})
    assert refused.status_code == 409
    assert "Nothing was restored" in refused.text
    assert either.live(session_id)["data-status"] == "running"
    either.outcome(either.post(f"{DATA}/copies/{name}/restore", {"anyway": "1"}))
    assert either.live(session_id)["data-status"] == "paused"
    assert "The server was away" in either.get(f"/sessions/{session_id}/live").text
    either.done(session_id, "resume")


def test_a_session_that_begins_during_a_restore_stops_it(owner: Owner) -> None:
    name = owner.backup()

    def begun_meanwhile(*task: object) -> worker.TaskArguments:
        owner.started("long")
        return run_inline(*task)  # type: ignore[arg-type]

    owner.runner.run_task = begun_meanwhile
    said = owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))
    assert "A session has begun meanwhile; nothing was changed" in said
    assert not list(owner.data.glob("*.replaced-*"))
    assert not list((owner.data / INCOMING).iterdir())


def test_a_restore_of_what_several_processes_share_asks_that_only_one_serves(
    small_app: Flask, tmp_path: Path, postgresql_url: str
) -> None:
    for owner in owned(small_app, tmp_path, postgresql_url):
        ours, other = (SharedClock(owner.storage, Clock()) for _ in range(2))
        ours.store_sign()
        owner.runner.process = ours.process
        name = owner.backup()
        assert "is in its place" in owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))
        other.store_sign()
        said = owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))
        assert "stop every other server and wait 30 seconds" in said
        owner.runner.process = ""


def test_a_data_folder_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    """On PostgreSQL nothing lies in it before the first copy. Seen to fail: the page was a 500."""
    assert free_bytes(tmp_path / "not" / "yet") == free_bytes(tmp_path)


def test_a_restore_carries_jobs_and_settings_of_the_site_over(owner: Owner) -> None:
    owner.started()
    name = owner.backup()
    chosen = Retention(400, True, 7)
    store_retention(owner.storage, chosen)
    owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {"anyway": "1"}))
    assert read_retention(owner.storage) == chosen
    kinds = [(job.kind, job.outcome) for job in owner.runner.jobs.newest()]
    assert sorted(kinds) == [("backup", "good"), ("restore", "good")]


@pytest.mark.parametrize("damage", ["torn", "newer", "letter"])
def test_a_damaged_or_newer_copy_is_never_restored(owner: Owner, damage: str) -> None:
    import sqlite3

    owner.over()
    name = owner.backup()
    path = owner.data / backups.FOLDER / name
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-4096] + bytes(4096))
    elif damage == "newer":
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
        connection.close()
    else:
        path.write_text("a letter")
    was = owner.digest()
    answer = owner.post(f"{DATA}/copies/{name}/restore", {})
    if damage == "torn":
        assert "is damaged" in owner.outcome(answer)
    else:
        assert answer.status_code == 409
        words = {"newer": "made by a newer Steady Hands", "letter": "cannot be read"}
        assert words[damage] in answer.text
        assert words[damage].split()[0] in owner.get(DATA).text
    assert owner.digest() == was


def test_a_program_that_reads_the_database_makes_a_restore_wait(owner: Owner) -> None:
    import sqlite3

    owner.over()
    name, was = owner.backup(), owner.digest()
    other = sqlite3.connect(owner.data / "steady-hands.sqlite3", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM sessions").fetchone()
    said = owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))
    assert "nothing was changed" in said or "cannot be exchanged now" in said
    other.close()
    assert owner.digest() == was
    assert "is in its place" in owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))


def test_an_export_comes_back_exactly_through_the_pages(either: Owner) -> None:
    either.over()
    was = either.digest()
    everything = either.get(f"{DATA}/export")
    assert everything.headers["Content-Disposition"].endswith('.jsonl.gz"')
    client, code = either.only_client()
    one = either.get(f"{DATA}/export?client={client}")
    assert f'"client": "{code}"' in gzip.decompress(one.data).decode().splitlines()[0]
    said = either.outcome(either.send(everything.data))
    assert "are here already" in said
    assert "Deleted for good" in either.outcome(either.post(f"{DATA}/erase", {"client": client}))
    empty = either.digest()
    for content in (one.data, gzip.decompress(one.data)):
        said = either.outcome(either.send(content))
        assert "It holds 1 client, 1 course, 1 session, 2 acts" in said
        assert either.digest() == empty, "nothing comes in before somebody says so"
        job = either.seen["job"].rpartition("/")[2]
        said = either.outcome(either.post(f"{DATA}/import/{job}", {"act": "bring"}))
        assert "All of it is here now" in said
        rows = gzip.decompress(either.get(f"{DATA}/export?client={client}").data)
        assert rows == gzip.decompress(one.data)
        again = either.post(f"{DATA}/import/{job}", {"act": "bring"})
        assert again.status_code == 409
        either.outcome(either.post(f"{DATA}/erase", {"client": client}))
    assert either.digest() == empty != was
    assert either.get(f"{DATA}/export?client=none").status_code == 404


def test_what_was_looked_at_can_be_left(owner: Owner) -> None:
    owner.over()
    content = owner.get(f"{DATA}/export").data
    owner.outcome(owner.send(content))
    assert list((owner.data / INCOMING).iterdir())
    job = owner.seen["job"].rpartition("/")[2]
    assert owner.post(f"{DATA}/import/{job}", {"act": "drop"}).status_code == 303
    assert not list((owner.data / INCOMING).iterdir())
    answer = owner.post(f"{DATA}/import/{job}", {"act": "bring"})
    assert answer.status_code == 409
    assert "send it again" in answer.text


def test_rows_that_came_in_meanwhile_are_not_doubled(owner: Owner) -> None:
    owner.over()
    client, _ = owner.only_client()
    content = owner.get(f"{DATA}/export?client={client}").data
    owner.outcome(owner.post(f"{DATA}/erase", {"client": client}))
    owner.outcome(owner.send(content))
    first = owner.seen["job"].rpartition("/")[2]
    owner.outcome(owner.send(content))
    second = owner.seen["job"].rpartition("/")[2]
    owner.outcome(owner.post(f"{DATA}/import/{first}", {"act": "bring"}))
    was = owner.digest()
    said = owner.outcome(owner.post(f"{DATA}/import/{second}", {"act": "bring"}))
    assert "is here already" in said
    assert owner.digest() == was


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected a value"),
        (b"a letter", "Line 1"),
        (b"\x1f\x8bnonsense", "The file is damaged|cannot be read"),
        (b'{"steady-hands": "export", "format": 9, "schema": 1}\n', "Line 1: format 9, expected 1"),
        (b'{"steady-hands": "export", "format": 1, "schema": 99}\n', "newer Steady Hands"),
        (b'{"steady-hands": "export", "format": 1, "schema": 3}\n', "has no end"),
    ],
)
def test_a_broken_upload_is_told_with_its_place_and_leaves_nothing(
    owner: Owner, content: bytes, words: str
) -> None:
    was = owner.digest()
    said = owner.outcome(owner.send(content))
    assert re.search(words, said), said
    assert owner.digest() == was
    assert not list((owner.data / INCOMING).iterdir())


def test_an_upload_that_is_no_file_cut_or_too_large_is_refused(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(answer: TestResponse, words: str) -> None:
        assert answer.status_code == 422
        assert words in answer.text
        assert not list((owner.data / INCOMING).iterdir())

    refused(owner.post(f"{DATA}/import", {}), "choose the file")
    cut = {"Host": HOST, "Content-Type": "multipart/form-data; boundary=B"}
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    refused(owner.client.post(f"{DATA}/import", data=body, headers=cut), "did not arrive whole")
    monkeypatch.setattr("webapp.routes.owner_exchange.MOST_UPLOAD_BYTES", 1024**2)
    large = owner.client.post(f"{DATA}/import", data=body + bytes(1024**2), headers=cut)
    refused(large, "larger than the 1 MiB")


def nearly_full(patch: pytest.MonkeyPatch) -> None:
    real = shutil.disk_usage
    patch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=1_000_000))


def test_a_disk_that_is_nearly_full_stops_jobs_and_uploads_before_they_begin(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.over()
    name = owner.backup()
    content = owner.get(f"{DATA}/export").data
    nearly_full(monkeypatch)
    owner.clock.forward(1)
    assert "too full for that: 1 MB are left" in owner.outcome(owner.post(f"{DATA}/backup", {}))
    assert "did not succeed" in owner.get(DATA).text
    assert "too full" in owner.outcome(owner.post(f"{DATA}/copies/{name}/restore", {}))
    answer = owner.send(content)
    assert answer.status_code == 422
    assert "too full" in answer.text
    assert [copy.file for copy in inventory.copies(owner.settings)] == [name]


def test_a_client_goes_with_all_that_hangs_on_it_and_the_copies_that_still_hold_it(
    either: Owner,
) -> None:
    gone = either.over()
    client, code = either.only_client()
    either.screened()
    Courses(either.storage).add_client(1)
    either.backup()
    asked = either.get(f"{DATA}/erase?client={client}").text
    assert "1 client, 1 course, 1 session, 2 acts, 2 sets of answers" in asked
    said = either.outcome(either.post(f"{DATA}/erase", {"client": client}))
    assert "Deleted for good: 1 client, 1 course, 1 session, 2 acts" in said
    assert "still stands in 1 copy" in said
    stored = str(either.runner.jobs.newest())
    assert gone not in stored
    assert client not in stored
    form = either.page(either.seen["job"])
    names = [e.attrs["value"] for e in form.elements if e.attrs.get("name") == "name"]
    assert either.post(f"{DATA}/copies/delete", {"name": names[0]}).status_code == 303
    assert not inventory.copies(either.settings)
    assert "still stands" not in either.get(either.seen["job"]).text
    assert code not in either.get("/clients").text
    assert either.get(f"/sessions/{gone}").status_code == 404
    assert either.get(f"{DATA}/erase?client={client}").status_code == 404


def test_a_session_somebody_is_at_is_not_deleted_nor_is_its_client(owner: Owner) -> None:
    session_id = owner.started("long")
    client, _ = owner.only_client()
    for fields in ({"session": session_id}, {"client": client}):
        answer = owner.post(f"{DATA}/erase", fields)
        assert answer.status_code == 409
        assert "End it first" in answer.text
    assert owner.live(session_id)["data-status"] == "running"
    owner.done(session_id, "stop")
    assert "1 session" in owner.outcome(owner.post(f"{DATA}/erase", {"session": session_id}))
    assert owner.get(f"/sessions/{session_id}").status_code == 404
    assert owner.post(f"{DATA}/erase", {}).status_code == 404
    assert owner.post(f"{DATA}/erase", {"session": session_id}).status_code == 404


def test_retention_shows_first_keeps_the_setting_and_leaves_what_runs(either: Owner) -> None:
    old = either.over()
    either.clock.forward(timedelta(days=60).total_seconds())
    young, running = either.over(), either.started("long")
    assert "1 of 3 sessions would be deleted" in either.get(f"{DATA}/retention?days=30").text
    assert "None of 3" in either.get(f"{DATA}/retention?days=90").text
    for days in ("6", "x", "99999", "-1"):
        assert either.get(f"{DATA}/retention?days={days}").status_code == 422
        assert either.post(f"{DATA}/retention", {"days": days}).status_code == 422
    either.post(f"{DATA}/retention", {"days": "30", "on": "1", "act": "keep"})
    assert read_retention(either.storage) == Retention(30, True, 0)
    assert "Sessions are deleted 30 days" in either.get(DATA).text
    assert either.storage.load(old)
    answer = either.post(f"{DATA}/retention", {"days": "30", "act": "now"})
    assert "Deleted for good: 1 session" in either.outcome(answer)
    assert either.storage.load(old) is None
    assert all(either.storage.load(one) for one in (young, running))
    assert read_retention(either.storage).last == either.clock.now()


def test_a_running_session_is_never_old(owner: Owner) -> None:
    """Seen to fail without ``over`` in ``ended_before``."""
    from webapp.domain.session import Event

    session_id = owner.started("long")
    wall = owner.clock.wall_time()
    with owner.storage.write() as connection:  # as if its clock were a month behind
        month = 30 * 86_400_000
        connection.exec_driver_sql(f"UPDATE events SET at = at - {month}")
    assert ended_before(owner.storage.database, 7, wall).ids == ()
    owner.storage.forget()
    stored = owner.storage.load(session_id)
    assert stored
    owner.storage.record(stored, Event(stored.seq + 1, "stop-it-now", "stop", stored.folded.at))
    assert ended_before(owner.storage.database, 7, wall).ids == (session_id,)


def test_every_day_a_backup_and_the_retention_that_was_chosen(owner: Owner) -> None:
    old = owner.over()
    owner.clock.forward(timedelta(days=60).total_seconds())
    daily, now = Scheduler(owner.runner), owner.clock.wall_time()
    first = daily.start_due(now)
    assert first
    assert first.kind == "backup"
    made = inventory.copies(owner.settings)[0].made_at / 1000
    now = now.fromtimestamp(made, now.tzinfo)
    assert daily.start_due(now + timedelta(hours=23)) is None
    store_retention(owner.storage, Retention(30, True))
    second = daily.start_due(now + timedelta(hours=23))
    assert second
    assert second.kind == "retention"
    assert owner.storage.load(old) is None


def test_a_second_job_is_refused_calmly_while_one_runs(either: Owner) -> None:
    either.runner.spawn = lambda work: None
    answer = either.post(f"{DATA}/backup", {})
    page = either.page(answer.headers["Location"])
    attrs = page.by_id("job").attrs
    assert attrs["hx-get"] == answer.headers["Location"] + "/state"
    assert attrs["hx-trigger"] == "every 1s"
    content = gzip.compress(b"any")
    for second in (either.post(f"{DATA}/backup", {}), either.send(content)):
        assert second.status_code == 409
        assert "One thing at a time" in second.text
    assert len(either.runner.jobs.newest()) == 1


def test_a_job_that_ends_while_it_is_looked_at_is_not_called_lost(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with ``seen`` looking at what lives after the row was read."""
    jobs = owner.runner.jobs
    job = jobs.begin("backup", {})
    seen = Jobs.seen

    def late(self: Jobs, *row: Any) -> Job:
        self.alive.discard(job.id)
        return seen(self, *row)

    monkeypatch.setattr(Jobs, "seen", late)
    found = jobs.get(job.id)
    assert found
    assert found.runs
    found = jobs.get(job.id)  # one that nobody is at
    assert found
    assert found.outcome == "lost"


def test_a_killed_process_leaves_no_job_running(either: Owner) -> None:
    either.runner.spawn = lambda work: None
    first = either.post(f"{DATA}/backup", {}).headers["Location"]
    either.runner.alive.clear()  # as after a kill
    if either.storage.database.shared:
        assert "hx-trigger" in either.get(f"{first}/state").text
        either.clock.forward(31)
    text = either.get(f"{first}/state").text
    assert "It was broken off" in text
    assert "hx-trigger" not in text
    either.runner.spawn = lambda work: work()
    either.backup()
    assert {job.outcome for job in either.runner.jobs.newest()} == {"lost", "good"}


def test_a_job_tells_how_far_it_is_and_ends_although_the_disk_was_full_for_a_moment(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("webapp.maintenance.runner.END_SECONDS", 0)
    fails = [True]

    def errand(
        _settings: object, _kind: str, _given: object, stage: worker.ReportStage
    ) -> worker.TaskArguments:
        owner.clock.forward(2)
        stage(30, 120, "Copying")
        job = owner.runner.jobs.running()
        assert job
        seen.append(owner.get(f"{DATA}/jobs/{job.id}/state").text)
        return {"name": "any", "bytes": 5}

    end = owner.runner.jobs.__class__.end

    def full_once(*arguments: object) -> None:
        if fails.pop() if fails else False:
            raise NotSavedError("full")
        end(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("webapp.maintenance.jobs.Jobs.end", full_once)
    owner.runner.run_task = errand
    assert "A backup of 5 bytes" in owner.outcome(owner.post(f"{DATA}/backup", {}))
    assert "Copying, 25 %" in Page(seen[0]).by_id("job").text
    assert Page(seen[0]).by_id("job-progress").attrs["value"] == "25"


def test_a_fault_of_ours_in_a_job_shows_nothing_of_its_inside(owner: Owner) -> None:
    def broken(*_task: object) -> worker.TaskArguments:
        raise RuntimeError("for a test")

    owner.runner.run_task = broken
    said = owner.outcome(owner.post(f"{DATA}/backup", {}))
    assert "The fault is on our side" in said
    assert "for a test" not in said


def test_acts_are_told_to_come_again_while_something_long_is_written_and_beats_go_on(
    owner: Owner,
) -> None:
    session_id = owner.started("long")
    form = owner.form(session_id)
    begun, done = threading.Event(), threading.Event()

    def long_one() -> None:
        with owner.storage.database.writing_long(), owner.storage.write():
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=long_one)
    thread.start()
    begun.wait(10)
    try:
        at = time.monotonic()
        answer = owner.post(f"/sessions/{session_id}/pause", form, htmx=True)
        beat = owner.get(f"/sessions/{session_id}/live?seq=1&until=0")
        took = time.monotonic() - at
    finally:
        done.set()
        thread.join()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert beat.status_code == 204
    assert took < 2
    again = owner.post(f"/sessions/{session_id}/pause", form, htmx=True)
    assert again.status_code == 200
    assert owner.live(session_id)["data-status"] == "paused"


def test_an_erased_session_that_was_just_watched_does_not_end_the_signs_of_life(
    either: Owner,
) -> None:
    site: Site = either.app.extensions["site"]
    session_id = either.over()
    site.presence.note(session_id, either.clock.now())
    either.outcome(either.post(f"{DATA}/erase", {"session": session_id}))
    site.presence.sweep(either.clock.now())


def test_busy_says_which_job(owner: Owner) -> None:
    owner.runner.spawn = lambda work: None
    job = owner.runner.start("backup")
    with pytest.raises(BusyError) as busy:
        owner.runner.start("erase", {"table": "clients", "ids": []})
    assert busy.value.job.id == job.id


def test_two_exports_at_most_are_on_their_way(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.routes.owner_exchange.stream_export", export_stream.stream_export)
    monkeypatch.setattr(export_stream, "one_at_a_time", threading.Semaphore(0))
    answer = owner.get(f"{DATA}/export")
    assert answer.status_code == 503
    assert "two exports" in answer.text
    with pytest.raises(StorageError):
        next(export_stream.stream_export(owner.settings))
