"""Push events to open pages by server-sent events, so that they ask at once.

A push event is only a hint. The heartbeat stays the truth, so a page whose events are blocked still
agrees within one heartbeat.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict


class PushEvents:
    """Who listens to which session, on one event loop; ``notify`` may be called from any thread."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.listeners: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def listen(self, session_id: str) -> asyncio.Event:
        """Return an event that is set at every change of the session, until :meth:`leave`."""
        self.loop = asyncio.get_running_loop()
        event = asyncio.Event()
        self.listeners[session_id].add(event)
        return event

    def leave(self, session_id: str, event: asyncio.Event) -> None:
        listeners = self.listeners[session_id]
        listeners.discard(event)
        if not listeners:
            del self.listeners[session_id]

    def notify(self, session_id: str) -> None:
        """Wake those who listen to the session, after its event was committed."""
        if self.loop is not None and session_id in self.listeners:
            self.loop.call_soon_threadsafe(self.wake, session_id)

    def wake(self, session_id: str) -> None:
        for event in self.listeners.get(session_id, ()):
            event.set()
