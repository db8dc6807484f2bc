"""The site in this process, on a clock that a test can put forward by days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.real_server import free_port
from tests.support.threaded_server import serving
from webapp.app import create_app
from webapp.settings import Settings
from webapp.site import Site
from webapp.timekeeping.clock import Clock, Moment, wall_ms


class MovedClock(Clock):
    """Runs as the real one does, from ``instant`` on; ``forward`` skips time, the wall with it."""

    def __init__(self, zone: str, instant: int) -> None:
        super().__init__(ZoneInfo(zone))
        self.offset += instant - wall_ms()

    def forward(self, seconds: float) -> None:
        self.offset += round(seconds * 1000)

    def moment(self) -> Moment:
        now = self.now()
        return Moment(now, now, self.zone, self.zone_name)


@dataclass
class MovedSite:
    """Where it listens, and its clock."""

    address: str
    clock: MovedClock
    site: Site


@contextmanager
def moved_site(data: Path, instant: int, zone: str = "Europe/Berlin") -> Iterator[MovedSite]:
    """The shipped protocols on a free port; ends with the block."""
    port = free_port()
    app = with_heartbeat(create_app(Settings(data, port=port, time_zone=zone)))
    clock = MovedClock(zone, instant)
    site = app.extensions["site"] = replace(app.extensions["site"], clock=clock)
    try:
        with serving(app, port):
            yield MovedSite(f"http://127.0.0.1:{port}", clock, site)
    finally:
        site.storage.close()
