"""Observer interface: whom :class:`~webapp.storage.sessions.Storage` tells of recorded events."""

from __future__ import annotations

from collections.abc import Callable


class StorageObserver:
    """An observer for a process without open pages: it has nobody to tell."""

    def recorded(self, session_id: str) -> None:
        """Called after events of the session were committed, from any thread."""

    def run_between_requests(self, work: Callable[[], None]) -> None:
        """Run ``work`` while no request is under way, and return when it is done."""
        work()
