"""The faults that a running session survives. A test says ``@pytest.mark.fault(number)``."""

from __future__ import annotations

FAULTS = {
    1: "kill -9 at any write or fsync",
    2: "power cut",
    3: "disk full",
    4: "I/O error on fsync",
    5: "database locked",
    6: "wall clock an hour off, summer time, NTP",
    7: "server asleep, reboot",
    8: "Wi-Fi gone for 1 s to 10 min",
    9: "a fifth of what is sent is lost",
    10: "device asleep, tab hidden",
    11: "two devices act at once",
    12: "double tap",
    13: "back button, reload, second tab",
    14: "upgrade with old data, also mid-session",
    15: "protocol file broken or changed",
    16: "screening raises",
    17: "database file damaged",
    18: "backup and restore",
    19: "PostgreSQL restarts under load",
}
