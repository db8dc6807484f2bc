"""``python -m tests.faults.kill_sweep FOLDER FIRST STEP [early]``: kill at every STEP-th write.

Before every write, sync, cut and deletion of a file, by strace. After each kill the site is started
again on what is left, looked at, and the session is driven on to its end. Prints what was found.
``early`` is the control: acts are acknowledged before they are written.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask

from tests.faults.recorded import ACTS, Act, Person, noted, site_in, started_on
from tests.faults.sweep import killed_at
from webapp.domain.record import Early
from webapp.domain.session import Event
from webapp.storage.sessions import Storage, Stored
from webapp.timekeeping.clock import steady_ms

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
NEAR_MS = 1_000
COURSE = {"gap_hours": 48, "origin": "inferred"}
MADE = ("clients", "courses", "sessions")


class Site:
    """One app and one folder; each time begun anew on a new database."""

    def __init__(self, folder: Path, early: bool = False) -> None:
        self.app: Flask = site_in(folder / "site", course=COURSE)
        self.data, self.told = folder / "data", folder / "told"
        self.early = early

    def empty(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        self.told.unlink(missing_ok=True)

    def person(self) -> Person:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return Person(self.app, os.open(self.told, flags))

    def session(self) -> None:
        storage, person = started_on(self.app, self.data), self.person()
        if self.early:
            acknowledge_early(person)
        person.prepare()
        person.run()
        storage.close()

    def history(self) -> list[tuple[int, str, str]]:
        """Seq, key and kind of every event, by the file alone."""
        with closing(sqlite3.connect(self.data / "steady-hands.sqlite3")) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'events'")
            if found.fetchone() == (0,):
                return []
            counts = [file.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in MADE]
            assert counts in ([0, 0, 0], [1, 1, 1]), counts  # prepared whole, or not at all
            return file.execute("SELECT seq, key, kind FROM events ORDER BY seq").fetchall()


def acknowledge_early(person: Person) -> None:
    record = Storage.record

    def told_first(
        self: Storage, stored: Stored, *new: Event, early: Early | None = None
    ) -> Stored:
        person.note({"done": -1, "keys": [event.key for event in new]})
        return record(self, stored, *new, early=early)

    Storage.record = told_first  # type: ignore[method-assign]


def examine(site: Site, whole: list[str]) -> dict[str, int]:
    """What the kill lost or doubled, and whether the session goes on to the same end."""
    notes = list(noted(site.told)) if site.told.exists() else []
    told = [key for note in notes if "done" in note for key in note["keys"]]
    under_way = next((n for n in notes[-1:] if "sent" in n), None)
    history = site.history()
    keys = [key for _, key, _ in history]
    lost = [key for key in told if key not in keys]
    may_be = [told, told + under_way["keys"]] if under_way else [told]
    storage = started_on(site.app, site.data)
    try:
        off = is_off(site, notes) if keys == told else False
        go_on(site, notes, under_way)
    finally:
        storage.close()
    return {
        "lost": len(lost),
        "other": int(not lost and keys not in may_be),
        "gaps": int([seq for seq, _, _ in history] != list(range(1, len(history) + 1))),
        "off": int(off),
        "doubled": int([kind for _, _, kind in site.history()] != whole),
    }


def is_off(site: Site, notes: list[dict[str, Any]]) -> bool:
    """True when the number on the page is not what it must be by what was shown last."""
    last = next((n for n in reversed(notes) if "left" in n), None)
    if last is None or last["status"] not in ("running", "paused"):
        return False
    person = site.person()
    person.session_id = next(n["session"] for n in notes if "session" in n)
    live = person.live()
    passed = steady_ms() - last["steady"] if last["status"] == "running" else 0
    left = int(live["data-remaining-ms"])
    return bool(
        live["data-status"] != last["status"] or abs(last["left"] - passed - left) > NEAR_MS
    )


def go_on(site: Site, notes: list[dict[str, Any]], under_way: dict[str, Any] | None) -> None:
    """Send again what was under way, with its key, and do the rest of the session."""
    person = site.person()
    made = [note for note in notes if "session" in note]
    screened = [note for note in notes if "screening" in note]
    if made:
        person.session_id = made[0]["session"]
    elif screened:
        person.make(screened[0]["screening"])
    else:
        person.prepare()
    first = max((note["done"] + 1 for note in notes if "done" in note), default=0)
    if under_way:
        first = under_way["sent"]
        sent = Act(under_way["path"], under_way["fields"], tuple(under_way["keys"]))
        person.send(first, sent)
        first += 1
    person.run(first)


def sweep(folder: Path, first: int, step: int, early: bool) -> dict[str, int]:
    site = Site(folder, early)
    site.early = False
    site.empty()
    site.session()
    whole = [kind for _, _, kind in site.history()]
    assert len(whole) == len(ACTS) + 1  # two accounts of two acts, one reading
    site.early = early
    found = dict.fromkeys(("points", "lost", "other", "gaps", "off", "doubled"), 0)
    for call in CALLS:
        for number in range(first, 10_000, step):
            site.empty()
            if not killed_at(site.session, call, number):
                break
            found["points"] += 1
            for name, count in examine(site, whole).items():
                found[name] += count
    return found


def timed(work: Callable[[], dict[str, int]]) -> dict[str, float]:
    begun = time.monotonic()
    return {**work(), "seconds": round(time.monotonic() - begun, 1)}


def main() -> None:
    folder, first, step, *more = sys.argv[1:]
    early = "early" in more
    print(json.dumps(timed(lambda: sweep(Path(folder), int(first), int(step), early))))


if __name__ == "__main__":
    main()
