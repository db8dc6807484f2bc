"""A full session as a person drives it, in this process, on a site that is there already.

What was acknowledged goes to a file at once, one line an act, so that it outlives the process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from tests.support.builders import phase_dict
from tests.support.page import Page
from tests.support.safe_answers import SAFE
from tests.support.visitor import HOST, protocol_file, rest_step, waiting_step
from webapp.app import create_app
from webapp.maintenance.opening import open_sqlite
from webapp.settings import Settings
from webapp.storage.sessions import Storage
from webapp.timekeeping.clock import Clock, steady_ms
from webapp.timekeeping.liveness import wake
from webapp.timekeeping.presence import Presence

PROTOCOL = "whole"
ACTS = (
    "start",
    "next",
    "pause",
    "resume",
    "extend",
    "next",
    "back",
    "restart",
    "pause",
    "resume",
    "end-at",
    "account",
    "extend",
    "pause",
    "next",
    "resume",
    "account",
    "back",
    "end",
    "reading",
)


@dataclass(frozen=True)
class Act:
    """What is sent: ``keys`` are those that stand in the history when it was acknowledged."""

    path: str
    fields: dict[str, str]
    keys: tuple[str, ...]


class Person:
    """Presses one button after the other; sends the same again after a restart."""

    def __init__(self, app: Flask, told: int) -> None:
        """``told`` is the file for what was acknowledged, open for writing."""
        self.client = app.test_client()
        self.told = told
        self.session_id = ""

    def prepare(self) -> None:
        _, headers, _ = self.post(f"/protocols/{PROTOCOL}/screening", SAFE)
        screening = headers["Location"].removeprefix("/screenings/")
        self.note({"screening": screening})
        self.make(screening)

    def make(self, screening: str) -> None:
        _, headers, _ = self.post("/sessions", {"screening": screening})
        self.session_id = headers["Location"].removeprefix("/sessions/")
        self.note({"session": self.session_id})

    def run(self, first: int = 0) -> None:
        for number, name in list(enumerate(ACTS))[first:]:
            self.press(number, name)

    def press(self, number: int, name: str) -> None:
        act = self.act(number, name)
        self.note({"sent": number, "path": act.path, "fields": act.fields, "keys": act.keys})
        self.send(number, act)

    def send(self, number: int, act: Act) -> None:
        status, _, _ = self.post(act.path, act.fields)
        assert status in (200, 204, 303), (number, act.path, status)
        live = self.live()
        self.note(
            {
                "done": number,
                "keys": act.keys,
                "status": live["data-status"],
                "left": int(live["data-remaining-ms"]),
                "steady": steady_ms(),
            }
        )

    def act(self, number: int, name: str) -> Act:
        path = f"/sessions/{self.session_id}/{name}"
        if name == "reading":
            return Act(path, SAFE, ())
        if name == "account":
            return self.account(number, path)
        page = self.get(f"/sessions/{self.session_id}")
        form = Page(page).fields("acts") | {"key": f"key-{number:05}", "another": "1"}
        if name == "end-at":
            form["time"] = soon()
        return Act(path, form, (form["key"],))

    def account(self, number: int, path: str) -> Act:
        """Two acts that a device did on its own, and hands over at once."""
        live = self.live()
        now = int(live["data-now"])
        keys = tuple(f"own-{number:05}-{n}" for n in range(2))
        acts = [
            {"key": key, "action": action, "at": now, "step": live["data-step"]}
            for key, action in zip(keys, ("pause", "resume"), strict=True)
        ]
        account = {
            "seq": int(live["data-seq"]),
            "line": now,
            "alone_since": now,
            "counted": True,
            "status": "running",
            "acts": acts,
        }
        return Act(path, {"account": json.dumps(account)}, keys)

    def live(self) -> dict[str, str]:
        return Page(self.get(f"/sessions/{self.session_id}/live")).by_id("session-live").attrs

    def get(self, path: str) -> str:
        answer = self.client.get(path, headers={"Host": HOST})
        assert answer.status_code == 200, (path, answer.status)
        return answer.text

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, Any, str]:
        answer = self.client.post(path, data=fields, headers={"Host": HOST, "HX-Request": "true"})
        return answer.status_code, answer.headers, answer.text

    def note(self, what: dict[str, Any]) -> None:
        os.write(self.told, (json.dumps(what) + "\n").encode())


def soon() -> str:
    return (datetime.now() + timedelta(minutes=2)).strftime("%H:%M")


def started_on(app: Flask, data: Path) -> Storage:
    """Put the app on the database of a folder, as a start of the server does."""
    site = app.extensions["site"]
    storage = open_sqlite(data / "steady-hands.sqlite3")
    clock = Clock()
    wake(storage, clock)
    app.extensions["site"] = replace(site, storage=storage, clock=clock, presence=Presence(storage))
    return storage


def noted(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="ascii").splitlines():
        yield json.loads(line)


def site_in(folder: Path, **more: Any) -> Flask:
    """An app with one protocol, with ``more`` fields; made once, because that is slow."""
    protocols, unused = folder / "protocols", folder / "unused"
    for made in (protocols, unused):
        made.mkdir(parents=True, exist_ok=True)
    (protocols / f"{PROTOCOL}.json").write_text(json.dumps(whole() | more), encoding="utf-8")
    return create_app(Settings(unused, protocols=protocols))


def whole() -> dict[str, Any]:
    """A protocol in which every act can be done, readings included."""
    return protocol_file(
        PROTOCOL,
        (180, 360, 1_800),
        performer=["self"],
        condition="diabetes-mellitus",
        prepare=[waiting_step("settle")],
        phases=[phase_dict(name, (60, 120, 600)) for name in ("one", "two", "three")],
        aftercare=[rest_step(60)],
    )
