"""The parts of one running site: settings, storage, library, clock, presence."""

from __future__ import annotations

from dataclasses import dataclass, field

from webapp.protocol_files.loader import Library
from webapp.settings import Settings
from webapp.storage.courses import Courses
from webapp.storage.sessions import Storage
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.presence import DevicePresence, Presence


@dataclass(frozen=True)
class Site:
    """What the routes work with."""

    settings: Settings
    storage: Storage
    library: Library
    clock: Clock
    presence: Presence
    device_presence: DevicePresence = field(default_factory=DevicePresence)

    @property
    def courses(self) -> Courses:
        return Courses(self.storage)
