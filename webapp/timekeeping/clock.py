"""Clock: the only reader of time, safe against steps of the wall clock.

While the process lives it runs on a steady clock (boot time where the system has it), so a step of
the wall clock changes nothing. Across restarts within one boot it goes on from the last sign of
life at the exact millisecond; after a reboot, or where that cannot be known, it says so.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from webapp.domain.sign_of_life import SignOfLife

SHORT_ABSENCE_MS = 60_000


def steady_ms() -> int:
    """Milliseconds on a clock that never steps; it counts a system's sleep where it can."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return time.monotonic_ns() // 1_000_000


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def boot_id() -> str:
    """What names this boot of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clock, for all that one request says: our time and the wall's, in ms."""

    instant: int
    wall: int
    zone: tzinfo | None
    zone_name: str

    def now(self) -> int:
        return self.instant

    def wall_time(self, ms_from_now: int = 0) -> datetime:
        """Return the clock on the wall in the site's zone, now or in so many ms."""
        shown = datetime.fromtimestamp((self.wall + ms_from_now) / 1000, tz=self.zone)
        return shown.astimezone(self.zone)

    def wall_time_of(self, instant: int) -> datetime:
        """Return the clock on the wall at an instant of our clock."""
        return self.wall_time(instant - self.instant)


class Clock:
    """Milliseconds since the Unix epoch on the server's own steady line."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self.zone = zone
        named = zone.key if isinstance(zone, ZoneInfo) else ""
        self.zone_name = named if zone else machine_zone_name()
        self.boot = boot_id()
        self.offset = wall_ms() - steady_ms()

    def now(self) -> int:
        return steady_ms() + self.offset

    def sign_of_life(self) -> SignOfLife:
        steady = steady_ms()
        return SignOfLife(self.boot, steady, steady + self.offset)

    def follow(self, last: SignOfLife) -> bool:
        """Go on from ``last``. False when the time between is lost (another boot).

        On a system without a boot id a short absence by the wall clock counts as the same boot.
        """
        if last.boot and last.boot == self.boot and steady_ms() >= last.steady:
            self.offset = last.now - last.steady
            return True
        self.offset = max(wall_ms(), last.now) - steady_ms()
        return not last.boot and not self.boot and self.now() - last.now <= SHORT_ABSENCE_MS

    def stand_at(self, instant: int) -> None:
        """Make ``instant`` the present one (ms)."""
        self.offset = instant - steady_ms()

    def moment(self) -> Moment:
        """Read the clock and the wall."""
        return Moment(self.now(), wall_ms(), self.zone, self.zone_name)

    def wall_time(self, ms_from_now: int = 0) -> datetime:
        """Return the clock on the wall in the site's zone, now or in so many ms."""
        return self.moment().wall_time(ms_from_now)


def machine_zone_name() -> str:
    """The machine's own time zone as an IANA name; empty where the system does not tell."""
    if set_by_hand := os.environ.get("TZ", "").removeprefix(":"):
        return set_by_hand
    try:
        return str(Path("/etc/localtime").readlink()).partition("zoneinfo/")[2]
    except OSError:
        return ""


def zone_named(name: str | None) -> ZoneInfo | None:
    """The named time zone; None means the machine's own. Raises ValueError for an unknown name."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(
            f"unknown time zone {name!r}, expected a name like Europe/Berlin"
        ) from error
