"""Nudges: a push to every open page of a session that something happened. Only a hint to ask at once.

The beat stays the truth: a page whose nudges are blocked agrees within its beat.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict


class PushEvents:
    """Who listens to which session, on one event loop; ``tell`` may be called from any thread."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def listen(self, session_id: str) -> asyncio.Event:
        """An event that is set whenever something happens to the session, until :meth:`leave`."""
        self.loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self.listeners[session_id].add(event)
        return event

    def leave(self, session_id: str, event: asyncio.Event) -> None:
        mine = self.listeners[session_id]
        mine.discard(event)
        if not mine:
            del self.listeners[session_id]

    def tell(self, session_id: str) -> None:
        """Something was recorded for the session, durably."""
        if self.loop is not None and session_id in self.listeners:
            self.loop.call_soon_threadsafe(self.wake, session_id)

    def wake(self, session_id: str) -> None:
        for event in self.listeners.get(session_id, ()):
            event.set()
