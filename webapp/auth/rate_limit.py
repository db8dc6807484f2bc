"""Rate limit: how many things one device may create in a minute.

It is generous and never applies to the controls of a running session. It is memory of this process,
so with several processes the limit is several times higher. Spans are ms.
"""

from __future__ import annotations

from collections import defaultdict, deque

MOST_A_MINUTE = 60
MINUTE_MS = 60_000
CREATING = frozenset(
    {"clients.add", "courses.add", "owner.invite", "screenings.answer", "sessions.create"}
)


class RateLimit:
    """What each device has begun in the last minute."""

    def __init__(self) -> None:
        self.begun: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=MOST_A_MINUTE))

    def wait(self, device: str, now: int) -> int:
        """Count one more. Return 0 when it is allowed, otherwise the seconds until it is."""
        times = self.begun[device]
        if len(times) == MOST_A_MINUTE and 0 <= now - times[0] < MINUTE_MS:
            return (MINUTE_MS - (now - times[0]) + 999) // 1000
        times.append(now)
        return 0
