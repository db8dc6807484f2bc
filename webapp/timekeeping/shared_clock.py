"""Shared clock: one time for all processes that use one PostgreSQL database.

It is the clock of the database server plus a correction stored in the database. Each process reads
it at the start and then runs on its own steady clock. Every 10 s it compares the two:

- A drift between machines is corrected by a few ms at a time.
- When the clock of the database server was stepped, the steady clocks are right, and the correction
  takes up the step.
- When this process is off because its machine was stopped, it reads the shared clock again.

Time is lost only when no process stored a sign of life and no steady clock of one boot covers the
gap. Then running sessions are paused at the last sign of life (``liveness.py``).
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from time import sleep

import sqlalchemy as sa

from webapp.domain.sign_of_life import SignOfLife
from webapp.storage.database import NotSavedError
from webapp.storage.sessions import Storage, meta, set_meta
from webapp.timekeeping.clock import SHORT_ABSENCE_MS, Clock
from webapp.timekeeping.liveness import BEAT_SECONDS, LOST_MS, pause_for_lost_time

STEP_MS = 1_000
SLEW_MS = 5
SLOW_MS = 500
FORGOTTEN_MS = 86_400_000
LISTEN_SECONDS = BEAT_SECONDS + 2
OURS = "name = 'line' OR name LIKE 'life-%'"
STATE = sa.text(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,"
    " (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint AS started, name, value"
    f" FROM (SELECT 1) AS one LEFT JOIN meta ON {OURS}"
)

log = logging.getLogger("steady_hands")


@dataclass(frozen=True, slots=True)
class Sign:
    """A process's sign of life, and when it was stored, by the database's clock (ms)."""

    process: str
    life: SignOfLife
    stored_at: int


@dataclass(frozen=True, slots=True)
class View:
    """What one query reads: the database's clock, the correction (None at first), signs of life."""

    at: int
    took: int
    now: int
    started: int
    correction: int | None
    signs: tuple[Sign, ...]

    @property
    def shared_now(self) -> int:
        return self.now + (self.correction or 0)

    @property
    def newest(self) -> Sign | None:
        return max(self.signs, key=lambda sign: sign.stored_at, default=None)

    def lives(self, sign: Sign) -> bool:
        return 0 <= self.now - sign.stored_at <= LOST_MS


class SharedClock:
    """Keeps the clock of this process at the shared time."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.clock = clock
        self.process = secrets.token_hex(8)
        self.seen: tuple[int, int] | None = None  # our clock and the database's, last time

    def wake(self) -> int:
        """Start: join running processes, continue alone, or pause sessions when time was lost.

        Return the number of paused sessions."""
        with self.storage.write() as connection:
            self.storage.database.alone(connection)  # two that start at once decide in turn
            view = self.read()
            if self.time_is_lost(view):
                sleep(LISTEN_SECONDS)  # perhaps the database alone was away
                view = self.read()
            paused = self.join(view)
            self.store_sign()
        return paused

    def join(self, view: View) -> int:
        own = self.same_boot(view)
        newest = view.newest
        if own and not self.others(view):
            self.clock.follow(own.life)
            self.correct(view.correction)
        elif newest and not self.others(view) and self.time_is_lost(view):
            self.clock.stand_at(max(view.shared_now, newest.life.now))
            self.correct(view.correction)
            return pause_for_lost_time(self.storage, newest.life.now)
        else:
            self.clock.stand_at(view.shared_now + view.took // 2)
        return 0

    def time_is_lost(self, view: View) -> bool:
        """Return True when the time since the newest sign of life is unknown."""
        newest = view.newest
        if newest is None or self.others(view) or self.same_boot(view):
            return False
        away = view.now - newest.stored_at
        return not (0 <= away <= SHORT_ABSENCE_MS and view.started < newest.stored_at)

    def others(self, view: View) -> bool:
        return any(sign.process != self.process and view.lives(sign) for sign in view.signs)

    def same_boot(self, view: View) -> Sign | None:
        """Return the newest sign of life of this machine's present boot."""
        boot = self.clock.boot
        own = [sign for sign in view.signs if boot and sign.life.boot == boot]
        return max(own, key=lambda sign: sign.stored_at, default=None)

    def renew_sign(self, last: int) -> int:
        """Store a sign of life after the one of ``last``. Return the time of this one."""
        try:
            view = self.read()
            if self.clock.now() - last > LOST_MS and not self.others(view):
                count = pause_for_lost_time(self.storage, last)
                log.warning("time was lost; sessions paused: %d", count)
            self.follow_shared_time(view)
            self.store_sign()
        except NotSavedError:
            log.exception("the sign of life could not be saved")
        return self.clock.now()

    def follow_shared_time(self, view: View) -> None:
        own, off = view.at, view.at - view.shared_now
        stepped = self.seen and abs((own - self.seen[0]) - (view.now - self.seen[1])) > STEP_MS
        if view.took > SLOW_MS:
            return
        if abs(off) <= STEP_MS:
            self.clock.offset -= max(-SLEW_MS, min(SLEW_MS, off))
        elif stepped:
            log.warning("the clock of the database's server was stepped; time here goes on")
            self.correct(view.correction)
        else:
            log.warning("this process was %d ms off the shared time", off)
            self.clock.stand_at(view.shared_now)
        self.seen = self.clock.now(), view.now

    def correct(self, old: int | None) -> None:
        """Set the shared time to our clock, unless another process has done so meanwhile."""
        now = self.read().now
        value = str(self.clock.now() - now)
        with self.storage.write() as connection:
            if old is None:
                set_meta(connection, "line", value)
            else:
                unchanged = (meta.c.name == "line") & (meta.c.value == str(old))
                connection.execute(sa.update(meta).where(unchanged).values(value=value))

    def read(self) -> View:
        """Read the database's clock, the correction and the signs of life. One query."""
        begun = self.clock.now()
        with self.storage.engine.connect() as connection:
            rows = connection.execute(STATE).all()
        took = self.clock.now() - begun
        values = {row.name: row.value for row in rows if row.name}
        stored = values.pop("line", None)
        signs = tuple(sign_of(name, value) for name, value in values.items())
        correction = int(stored) if stored is not None else None
        return View(begun + took // 2, took, rows[0].now, rows[0].started, correction, signs)

    def store_sign(self) -> None:
        """Store our sign of life and delete old ones. Raises NotSavedError."""
        view = self.read()
        sign = self.clock.sign_of_life()
        value = {"boot": sign.boot, "steady": sign.steady, "now": sign.now, "told": view.now}
        old = [f"life-{s.process}" for s in view.signs if view.now - s.stored_at > FORGOTTEN_MS]
        with self.storage.write() as connection:
            set_meta(connection, f"life-{self.process}", json.dumps(value))
            if view.correction is None:
                set_meta(connection, "line", str(sign.now - view.now))
            if old:
                connection.execute(sa.delete(meta).where(meta.c.name.in_(old)))


def sign_of(name: str, value: str) -> Sign:
    values = json.loads(value)
    when = values.pop("told")
    return Sign(name.removeprefix("life-"), SignOfLife(**values), when)
