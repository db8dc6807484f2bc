"""Retention: which sessions are old enough to delete, and what an owner has chosen about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from webapp.domain.session import FAR_AWAY
from webapp.maintenance.jsonl import snapshot
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import Storage, events, meta, sessions, set_meta
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import clinician_words


@dataclass(frozen=True, slots=True)
class Old:
    """Sessions that retention would delete, and when the first and the last of them ended (ms)."""

    ids: tuple[str, ...]
    first: int
    last: int
    all: int

    def text(self) -> str:
        if not self.ids:
            return f"None of {self.all} sessions is that old."
        span = " to ".join(
            f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}" for ms in (self.first, self.last)
        )
        return f"{len(self.ids)} of {self.all} sessions would be deleted; they ended {span}."


def ended_before(database: Sqlite | Postgresql, days: int, now: datetime | None = None) -> Old:
    """Sessions in which nothing has happened for so many days; none that still counts time."""
    present = int((now or datetime.now(UTC)).timestamp() * 1000)
    limit = int(((now or datetime.now(UTC)) - timedelta(days=days)).timestamp() * 1000)
    newest = sa.select(sa.func.max(events.c.at)).where(events.c.session == sessions.c.id)
    ended = sa.func.coalesce(newest.scalar_subquery(), sessions.c.created_at)
    until = sessions.c.live_until
    over = (until <= present) | (
        until >= FAR_AWAY
    )  # far away: it has waited for somebody since then
    query = sa.select(sessions.c.id, ended.label("ended")).where(ended < limit, over)
    query = query.order_by(ended, sessions.c.id)
    with snapshot(database) as connection:
        rows = connection.execute(query).all()
        count = connection.scalar(sa.select(sa.func.count()).select_from(sessions)) or 0
    ids = tuple(row.id for row in rows)
    return Old(ids, rows[0].ended if rows else 0, rows[-1].ended if rows else 0, count)


def words_before(
    database: Sqlite | Postgresql, days: int, now: datetime | None = None
) -> tuple[str, ...]:
    """Clinicians' words that were told more than so many days ago."""
    limit = int(((now or datetime.now(UTC)) - timedelta(days=days)).timestamp() * 1000)
    query = sa.select(clinician_words.c.id).where(clinician_words.c.told_at < limit)
    with snapshot(database) as connection:
        return tuple(connection.scalars(query))


@dataclass(frozen=True, slots=True)
class Retention:
    """``days`` is None while nothing is chosen; ``last`` is when it was carried out (ms)."""

    days: int | None = None
    on: bool = False
    last: int = 0


def read_retention(storage: Storage) -> Retention:
    """Return what is chosen; nothing on a new database."""
    query = sa.select(meta.c.value).where(meta.c.name == "retention")
    with storage.engine.connect() as connection:
        value = connection.scalar(query)
    return Retention(**json.loads(value)) if value else Retention()


def store_retention(storage: Storage, chosen: Retention) -> None:
    """Store what is chosen. Raises NotSavedError."""
    value = json.dumps({"days": chosen.days, "on": chosen.on, "last": chosen.last})
    storage.carry_out(lambda connection: set_meta(connection, "retention", value))
