"""Job runner: backups, imports, restores and deletions while the site serves.

Tasks that only read run in a backup worker (``worker.py``). On PostgreSQL all tasks do. An
embedded database is written by the serving process alone, so that process finishes the work there.
Meanwhile commands are asked to try again, and heartbeats are answered.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.maintenance import backups, restore
from webapp.maintenance.inventory import running_sessions
from webapp.maintenance.jobs import BusyError, Job, Jobs
from webapp.maintenance.retention import read_retention, store_retention
from webapp.maintenance.worker import (
    INCOMING,
    PREPARED,
    STAGED,
    RunTask,
    TaskArguments,
    erase_and_purge,
    run_in_subprocess,
)
from webapp.site import Site
from webapp.storage.sessions import FullError, NotSavedError, StorageError
from webapp.storage.sqlite import Sqlite

LOOK_SECONDS = 600.0
TELL_MS = 1_000
END_TRIES, END_SECONDS = 5, 3.0
FAULT = "the fault is on our side, and the log has more; running sessions are not affected"
FULL = "the disk is full; nothing was changed"

log = logging.getLogger("steady_hands")


class JobRunner:
    """Runs the jobs of this process. ``process`` is its name among those that share a database."""

    def __init__(self, site: Callable[[], Site]) -> None:
        self.get_site = site
        self.process = ""
        self.alive: set[str] = set()
        self.run_task: RunTask = run_in_subprocess
        self.spawn: Callable[[Callable[[], None]], None] = in_thread

    @property
    def site(self) -> Site:
        return self.get_site()

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.site.storage, self.site.clock, self.alive)

    def start(self, kind: str, arguments: TaskArguments | None = None, **shown: Any) -> Job:
        """Begin a job. Only ``shown`` is stored with it. Raises BusyError, NotSavedError."""
        job = self.jobs.begin(kind, shown)
        self.spawn(lambda: self.carry_out(job, (arguments or {}) | shown))
        return job

    def carry_out(self, job: Job, arguments: TaskArguments) -> None:
        outcome, detail = "bad", dict[str, Any]()
        try:
            detail = METHODS[job.kind](self, job, arguments)
            outcome, said = "good", ""
        except FullError:
            said = FULL
        except StorageError as error:
            said = self.plain(str(error))
        except OSError as error:
            said = self.plain(f"{error.strerror or error}; nothing was changed")
        except Exception:
            log.exception("failed: %s", job.kind)
            said = FAULT
        if outcome == "bad":
            log.error("no %s: %s", job.kind, said)
        self.end(job, outcome, said, detail)

    def end(self, job: Job, outcome: str, said: str, detail: dict[str, Any]) -> None:
        """Store the outcome. It tries several times, since the disk may be full."""
        try:
            for _ in range(END_TRIES):
                try:
                    self.jobs.end(job, outcome, said, detail)
                except NotSavedError:
                    time.sleep(END_SECONDS)
                else:
                    return
            log.error("the end of a job could not be saved: %s, %s", job.kind, outcome)
        finally:
            self.alive.discard(job.id)

    def plain(self, text: str) -> str:
        """Return a message for a page: paths are relative to the data folder."""
        data = str(self.site.settings.data)
        return text.replace(data + os.sep, "").replace(data, "the data folder")

    def run_in_worker(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        """Run the task in the backup worker, and store its progress about once a second."""
        jobs, last = self.jobs, [job.begun_at]

        def stage(done: int, total: int, words: str) -> None:
            now = self.site.clock.now()
            if now - last[0] >= TELL_MS:
                last[0] = now
                self.store_progress(jobs, job, done, total, words)

        return self.run_task(self.site.settings, job.kind, arguments, stage)

    def store_progress(self, jobs: Jobs, job: Job, done: int, total: int, words: str) -> None:
        try:
            jobs.store_progress(job.id, done, total, words)
        except NotSavedError as error:
            log.warning("where a job stands could not be saved: %s", error)

    # -- the jobs --------------------------------------------------------------------------

    @property
    def embedded(self) -> bool:
        return isinstance(self.site.storage.database, Sqlite)

    def run_plain(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        return self.run_in_worker(job, arguments)

    def check(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        try:
            return self.run_in_worker(job, arguments)
        except StorageError:
            self.clear(arguments["upload"])
            raise

    def import_upload(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        if not self.embedded:
            result = self.run_in_worker(job, arguments)
        else:
            staged = self.site.settings.data / INCOMING / arguments["upload"] / STAGED
            result = {"rows": restore.merge(self.site.storage, staged)}
        self.clear(arguments["upload"])
        return result

    def restore(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        arguments = arguments | {"process": self.process, "work": job.id}
        try:
            result = self.run_in_worker(job, arguments)
            if self.embedded:
                result = {"kept": self.replace_database(job, arguments)}
            self.site.storage.forget()
            self.site.presence.begin(self.site.clock.now())
            return result
        finally:
            self.clear(job.id)

    def replace_database(self, job: Job, arguments: TaskArguments) -> str:
        """Replace the database between two requests. Return the file name of the old one."""
        site = self.site
        prepared = site.settings.data / INCOMING / job.id / PREPARED
        kept: list[str] = []

        def swap() -> None:
            if not arguments.get("anyway") and running_sessions(site.storage, site.clock.now()):
                raise StorageError("a session has begun meanwhile; nothing was changed")
            kept.append(restore.replace_live(site.storage, prepared).name)
            site.storage.store_sign_of_life(site.clock.sign_of_life())

        site.storage.observer.run_between_requests(swap)
        return kept[0]

    def erase(self, job: Job, arguments: TaskArguments) -> TaskArguments:
        arguments = arguments | {"now": self.site.clock.wall_time().timestamp()}
        if not self.embedded:
            result = self.run_in_worker(job, arguments)
        else:
            self.store_progress(self.jobs, job, 0, 0, "Deleting")
            result = erase_and_purge(self.site.storage.database, self.site.settings, arguments)
        self.site.storage.forget()
        if "days" in arguments:
            chosen = read_retention(self.site.storage)
            done = replace(chosen, last=self.site.clock.now())
            store_retention(self.site.storage, done)
        return result

    # -- uploads ---------------------------------------------------------------------------

    def new_upload(self) -> str:
        """Create a folder for an upload and return its name."""
        name = secrets.token_urlsafe(12)
        (self.site.settings.data / INCOMING / name).mkdir(mode=0o700, parents=True)
        return name

    def clear(self, name: str) -> None:
        shutil.rmtree(self.site.settings.data / INCOMING / name, ignore_errors=True)

    def clear_all(self, seconds: float = 86_400) -> None:
        """Delete uploads that are older than ``seconds``."""
        folder = self.site.settings.data / INCOMING
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.stat().st_mtime <= time.time() - seconds:
                self.clear(path.name)


METHODS: dict[str, Callable[[JobRunner, Job, TaskArguments], TaskArguments]] = {
    "backup": JobRunner.run_plain,
    "check": JobRunner.check,
    "import": JobRunner.import_upload,
    "restore": JobRunner.restore,
    "erase": JobRunner.erase,
    "retention": JobRunner.erase,
}


def in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="job", daemon=True).start()


class Scheduler(threading.Thread):
    """Starts daily jobs while the site serves: a backup of SQLite, and retention if it is on."""

    def __init__(self, runner: JobRunner) -> None:
        super().__init__(name="daily", daemon=True)
        self.runner = runner
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            try:
                self.start_due(datetime.now(UTC))
            except StorageError as error:
                log.error("the daily look at the data failed: %s", error)

    def start_due(self, now: datetime) -> Job | None:
        """Start the job that is due and return it; None when none is."""
        site = self.runner.site
        if site.storage.trouble:
            return None
        self.runner.clear_all()
        try:
            if self.runner.embedded and backups.is_due(site.settings.data / backups.FOLDER, now):
                return self.runner.start("backup")
            chosen = read_retention(site.storage)
            day_ago = int((now - timedelta(days=1)).timestamp() * 1000)
            if chosen.on and chosen.days and chosen.last <= day_ago:
                return self.runner.start("retention", days=chosen.days)
        except BusyError:
            return None
        return None
