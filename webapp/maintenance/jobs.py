"""Jobs: long tasks and their progress in the database. One runs at a time.

A job lives while its process reports it. With an embedded database that is this process. With a
shared one, a job that was not reported for 30 s is lost, as after a kill.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from webapp.storage.sessions import Storage
from webapp.storage.tables import jobs
from webapp.timekeeping.clock import Clock

SILENT_MS = 30_000
KEPT = 50
NEWEST = sa.select(jobs).order_by(jobs.c.begun_at.desc(), jobs.c.id)


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Times are ms; ``outcome`` is empty while it runs, then good, bad or lost."""

    id: str
    kind: str
    begun_at: int
    told_at: int
    done: int
    total: int
    stage: str
    ended_at: int | None
    outcome: str
    said: str
    detail: dict[str, Any]

    @property
    def runs(self) -> bool:
        return not self.outcome

    @property
    def percent(self) -> int | None:
        """Progress in percent; None when the total is unknown."""
        return min(100, 100 * self.done // self.total) if self.total else None


class BusyError(Exception):
    """Another job runs."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.kind)
        self.job = job


class Jobs:
    """The jobs of a site; ``alive`` holds the ids of those that this process runs."""

    def __init__(self, storage: Storage, clock: Clock, alive: set[str]) -> None:
        self.storage = storage
        self.clock = clock
        self.alive = alive

    def begin(self, kind: str, detail: dict[str, Any]) -> Job:
        """Store a new job. Raises BusyError while another one runs, NotSavedError."""
        now = self.clock.now()
        row = {
            "id": secrets.token_urlsafe(12),
            "kind": kind,
            "begun_at": now,
            "told_at": now,
            "done": 0,
            "total": 0,
            "stage": "",
            "said": "",
            "detail": json.dumps(detail),
        }
        with self.storage.write() as connection:
            self.storage.database.alone(connection)
            alive = {*self.alive}
            known = [self.seen(job_row, alive) for job_row in connection.execute(NEWEST)]
            if running := next((job for job in known if job.runs), None):
                raise BusyError(running)
            lost = jobs.c.outcome.is_(None)
            end = {"outcome": "lost", "ended_at": jobs.c.told_at}
            connection.execute(sa.update(jobs).where(lost).values(end))
            old = [job.id for job in known[KEPT:]]
            connection.execute(sa.delete(jobs).where(jobs.c.id.in_(old)))
            self.alive.add(str(row["id"]))  # before anybody can read of it
            connection.execute(sa.insert(jobs), row)
        return Job(**(row | {"detail": detail, "ended_at": None, "outcome": ""}))  # type: ignore[arg-type]

    def seen(self, row: sa.Row[Any], alive: Collection[str]) -> Job:
        """Return a row as a job. ``alive`` is read before it, since a job may end meanwhile."""
        values = dict(row._mapping) | {"detail": json.loads(row.detail)}
        values["outcome"] = row.outcome or ("" if self.lives(row, alive) else "lost")
        return Job(**values)

    def lives(self, row: sa.Row[Any], alive: Collection[str]) -> bool:
        if row.id in alive:
            return True
        silent = self.clock.now() - row.told_at
        return self.storage.database.shared and silent < SILENT_MS

    def store_progress(self, job_id: str, done: int, total: int, stage: str) -> None:
        """Store the progress of a job. Raises NotSavedError."""
        values = {"done": done, "total": total, "stage": stage, "told_at": self.clock.now()}
        self.change(job_id, values)

    def end(self, job: Job, outcome: str, said: str, detail: dict[str, Any]) -> None:
        """Store how a job ended."""
        now = self.clock.now()
        values = {"outcome": outcome, "said": said, "ended_at": now, "told_at": now}
        self.change(job.id, values | {"detail": json.dumps(job.detail | detail)})

    def change(self, job_id: str, values: dict[str, Any]) -> None:
        with self.storage.write() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(values))

    def get(self, job_id: str) -> Job | None:
        matches = self.rows(sa.select(jobs).where(jobs.c.id == job_id))
        return matches[0] if matches else None

    def newest(self, most: int = 5) -> list[Job]:
        return self.rows(NEWEST.limit(most))

    def running(self) -> Job | None:
        return next((job for job in self.newest(KEPT) if job.runs), None)

    def rows(self, query: sa.Select[Any]) -> list[Job]:
        alive = {*self.alive}
        with self.storage.engine.connect() as connection:
            return [self.seen(row, alive) for row in connection.execute(query)]
