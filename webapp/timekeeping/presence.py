"""Presence: which screens watched a session, and which stretches no screen saw.

A page asks every few seconds. The time of the last question is memory of this process. A stretch in
which no page asked is stored, so that the summary can name it. All times are ms of the clock.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.domain.glucose import Reading
from webapp.domain.unobserved import Gap
from webapp.storage.postgresql import ADD_SIGHTS
from webapp.storage.sessions import (
    NotSavedError,
    Storage,
    gaps,
    readings,
    screens,
    sessions,
    sights,
)

log = logging.getLogger("steady_hands")

UNSEEN_MS = 20_000
AT_ONCE = 500


# Processes that share a database may notice the same gap at once.
ADD_GAP = sa.text(
    "INSERT INTO gaps (session, since, until) VALUES (:session, :since, :until) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen's report: how far its clock is off (``apart``), time offline (``alone``), in ms."""

    name: str
    apart: int
    alone: int


NOTED_GAP, NOTED_SCREEN, NOTED_READING = "gap", "screen", "reading"


@dataclass(frozen=True, slots=True)
class SessionNotes:
    """Unobserved gaps, reports of screens, and readings with their times (ms), in order of time."""

    gaps: list[Gap]
    screens: list[Screen]
    readings: list[tuple[int, Reading]]


class DevicePresence:
    """When each joined device last sent a request, here and as stored (ms)."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[int, int]] = {}

    def note(self, device: str, now: int, stored_at: int) -> None:
        self.seen[device] = now, stored_at

    def last_seen(self, device: str, stored_at: int) -> int:
        """Return when the device last asked, here or as it is stored."""
        return max(stored_at, self.seen.get(device, (0, 0))[0])


class Presence:
    """When a screen last asked for each session."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.process = secrets.token_hex(8)
        self.seen: dict[str, int] = {}
        self.unseen: set[str] = set()

    def begin(self, last: int) -> None:
        """Start: count the sessions that ran at ``last`` as seen at that time."""
        query = sa.select(gaps.c.session).where(gaps.c.until.is_(None))
        with self.storage.engine.connect() as connection:
            self.unseen = set(connection.scalars(query))
        self.seen = dict.fromkeys(set(self.storage.live_ids(last)) - self.unseen, last)

    def note(self, session_id: str, now: int) -> None:
        """Note that a screen asked for the session. No query while it keeps asking."""
        before = self.seen.get(session_id)
        self.seen[session_id] = now
        try:
            if session_id in self.unseen:
                self.close_gap(session_id, now)
                self.unseen.discard(session_id)
            elif before is not None and now - before > UNSEEN_MS:
                self.add_gaps([(session_id, before)], now, now)
        except NotSavedError as error:
            log.error("who watched could not be noted: %s", error)

    def sweep(self, now: int) -> None:
        """Store a gap for each running session that no screen asked for lately."""
        if self.storage.database.shared:
            self.store_sights(now)
        silent = [
            (session_id, at) for session_id, at in list(self.seen.items()) if now - at > UNSEEN_MS
        ]
        for session_id, _ in silent:
            self.seen.pop(session_id, None)
        self.unseen.update(self.add_gaps(silent, now, None))

    def add_gaps(self, silent: Iterable[tuple[str, int]], now: int, until: int | None) -> set[str]:
        """Store a gap for each session that was under way. Return their ids."""
        since = dict(silent)
        added: set[str] = set()
        while since:
            part = [since.popitem() for _ in range(min(AT_ONCE, len(since)))]
            added |= self.add_some(dict(part), now, until)
        return added

    def add_some(self, since: dict[str, int], now: int, until: int | None) -> set[str]:
        query = (
            sa.select(
                sessions.c.id, sessions.c.live_until, sa.func.max(sights.c.at).label("elsewhere")
            )
            .outerjoin(sights, sights.c.session == sessions.c.id)
            .where(sessions.c.id.in_(since))
            .group_by(sessions.c.id, sessions.c.live_until)
        )
        with self.storage.engine.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            since[row.id] = max(since[row.id], row.elsewhere or 0)
        rows = [row for row in rows if now - since[row.id] > UNSEEN_MS]
        live = [row.id for row in rows if row.live_until > since[row.id]]
        if live:
            new = [
                {"session": session_id, "since": since[session_id], "until": until}
                for session_id in live
            ]
            try:
                self.insert_gaps(new)
            except IntegrityError:  # one of them was erased meanwhile
                known = self.storage.last_seq
                self.insert_gaps([row for row in new if known(row["session"]) is not None])
        return set(live)

    def insert_gaps(self, new: list[dict[str, Any]]) -> None:
        with self.storage.write() as connection:
            if new:
                connection.execute(ADD_GAP, new)

    def store_sights(self, now: int) -> None:
        """Store which sessions were asked for here lately, for other processes."""
        lately = {
            session_id: at for session_id, at in list(self.seen.items()) if now - at <= UNSEEN_MS
        }
        try:
            self.insert_sights(lately)
        except IntegrityError:  # one of them was erased meanwhile
            known = self.storage.last_seq
            self.insert_sights(
                {
                    session_id: at
                    for session_id, at in lately.items()
                    if known(session_id) is not None
                }
            )

    def insert_sights(self, lately: dict[str, int]) -> None:
        with self.storage.write() as connection:
            connection.execute(sa.delete(sights).where(sights.c.process == self.process))
            values = {"process": self.process, "told": json.dumps(lately)}
            connection.execute(ADD_SIGHTS, values)

    def close_gap(self, session_id: str, now: int) -> None:
        matching = (gaps.c.session == session_id) & gaps.c.until.is_(None)
        with self.storage.write() as connection:
            connection.execute(sa.update(gaps).where(matching).values(until=now))

    def remove_gaps(self, session_id: str, since: int) -> None:
        """Remove the gaps of a session from ``since`` on: a screen has shown it all that time."""
        matching = gaps.c.session == session_id
        with self.storage.write() as connection:
            connection.execute(sa.delete(gaps).where(matching, gaps.c.since >= since))
            cut = sa.or_(gaps.c.until.is_(None), gaps.c.until > since)
            connection.execute(sa.update(gaps).where(matching, cut).values(until=since))
        self.unseen.discard(session_id)

    def store_screen(self, session_id: str, screen: Screen) -> None:
        """Store the report of a screen. A later report of the same screen replaces it."""
        matching = (screens.c.session == session_id) & (screens.c.screen == screen.name)
        row = {
            "session": session_id,
            "screen": screen.name,
            "apart": screen.apart,
            "alone": screen.alone,
        }
        with self.storage.write() as connection:
            connection.execute(sa.delete(screens).where(matching))
            connection.execute(sa.insert(screens), row)

    def notes_of(self, session_id: str) -> SessionNotes:
        """Return the gaps, reports and readings of a session. One query."""
        nothing = sa.null().label("b")
        parts = (
            (NOTED_GAP, gaps.c.since, gaps.c.until, sa.literal(""), gaps),
            (NOTED_SCREEN, screens.c.apart, screens.c.alone, screens.c.screen, screens),
            (
                NOTED_READING,
                readings.c.at,
                sa.cast(nothing, sa.BigInteger),
                readings.c.body,
                readings,
            ),
        )
        query = sa.union_all(
            *(
                sa.select(
                    sa.literal(kind).label("kind"), a.label("a"), b.label("b"), text.label("text")
                )
                .select_from(table)
                .where(table.c.session == session_id)
                for kind, a, b, text, table in parts
            )
        )
        with self.storage.engine.connect() as connection:
            rows = connection.execute(query.order_by("kind", "a")).all()
        return SessionNotes(
            [Gap(row.a, row.b) for row in rows if row.kind == NOTED_GAP],
            [Screen(row.text, row.a, row.b) for row in rows if row.kind == NOTED_SCREEN],
            [
                (row.a, Reading.model_validate_json(row.text))
                for row in rows
                if row.kind == NOTED_READING
            ],
        )
