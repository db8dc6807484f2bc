"""Liveness: stores a sign of life every 10 s, and pauses sessions when time was lost.

When time was lost between two signs, running sessions are paused at the last sign of life and ask
where to resume. Lost time never advances a session.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable

from webapp.domain.session import Event
from webapp.domain.snapshot import view
from webapp.storage.sessions import ConflictError, NotSavedError, Storage, Stored
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.presence import Presence

BEAT_SECONDS = 10.0
LOST_MS = 30_000

log = logging.getLogger("steady_hands")


def wake(storage: Storage, clock: Clock) -> int:
    """Go on from the last sign of life, or pause what ran while time was lost. Return how many."""
    last = storage.last_sign_of_life()
    paused = 0
    if last is not None and not clock.follow(last):
        paused = pause_for_lost_time(storage, last.now)
    storage.store_sign_of_life(clock.sign_of_life())
    return paused


def pause_for_lost_time(storage: Storage, since: int) -> int:
    """Pause every session that ran at ``since`` at that instant. Return how many."""
    count = 0
    for session_id in storage.live_ids(since):
        stored = storage.load(session_id)
        if stored and pause_one(storage, stored, since):
            count += 1
    return count


def pause_one(storage: Storage, stored: Stored, since: int) -> bool:
    at = max(since, stored.folded.at)
    if view(stored.plan, stored.folded, stored.seq, at).status != "running":
        return False
    event = Event(stored.seq + 1, f"doubt-{secrets.token_hex(8)}", "doubt", at)
    try:
        storage.record(stored, event)
    except ConflictError:
        return False
    return True


class LifeSigns(threading.Thread):
    """Tells every 10 s that the process lives, and notices when the machine slept."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        renew: Callable[[int], int] | None = None,
        presence: Presence | None = None,
        seen: Callable[[int], None] = lambda now: None,
    ) -> None:
        """``renew`` in place of our own is for processes that share a database.

        ``seen`` writes down which devices were there.
        """
        super().__init__(name="life", daemon=True)
        self.storage = storage
        self.clock = clock
        self.renew = renew or self.renew_sign
        self.presence = presence
        self.seen = seen
        self.ended = threading.Event()

    def run(self) -> None:
        last = self.clock.now()
        while not self.ended.wait(BEAT_SECONDS):
            last = self.once(last)

    def once(self, last: int) -> int:
        """One round. Whatever goes wrong, the next one comes: silence would pause sessions."""
        try:
            last = self.renew(last)
            self.sweep()
        except Exception:
            log.exception("a round of the signs of life failed")
        return last

    def sweep(self) -> None:
        """Write down which sessions nobody watches, and when devices were last seen."""
        self.seen(self.clock.now())
        if self.presence is None:
            return
        try:
            self.presence.sweep(self.clock.now())
        except NotSavedError:
            log.exception("unwatched sessions could not be noted")

    def renew_sign(self, last: int) -> int:
        """One sign; ``last`` is the instant of the one before. Gives the instant of this one."""
        now = self.clock.now()
        try:
            if now - last > LOST_MS:
                count = pause_for_lost_time(self.storage, last)
                log.warning("%d s were lost; sessions paused: %d", (now - last) // 1000, count)
            self.storage.store_sign_of_life(self.clock.sign_of_life())
        except NotSavedError:
            log.exception("the sign of life could not be saved")
        return now

    def end(self) -> None:
        self.ended.set()
