"""One made-up person at the real pages: the form, the verdict, a clinician's word, the plan."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask

from tests.support.page import Page
from tests.support.visitor import HOST, Visitor, app_for, visit_with
from webapp.domain.catalogue import LEVELS, Catalogue, Question
from webapp.domain.plan import Plan
from webapp.domain.protocol import Protocol
from webapp.domain.screening import questions_for
from webapp.maintenance.opening import open_sqlite
from webapp.site import Site

CASES = Path(__file__).parent / "cases.json"
STRIPS = {"negative": "negative", "-": "negative", "trace": "trace", "+": "plus", "++": "plus-plus"}
STRIPS |= {"+++": "plus-plus-plus", "++++": "plus-plus-plus"}
HARMLESS = {"last-meal": "good"}
SAYS_NO = re.compile(r"^(No|None)\b")


@dataclass(frozen=True)
class Result:
    """What the pages made of a person. ``open``: what they asked again, so no verdict."""

    level: str
    urgency: str | None = None
    wait_minutes: int | None = None
    words: str = ""
    plan: Plan | None = None
    open: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def told(self) -> str:
        parts = [self.level]
        parts += [self.urgency] if self.urgency else []
        parts += [f"wait {self.wait_minutes} min"] if self.wait_minutes else []
        parts += [f"{self.plan.hands_on_seconds} s"] if self.plan else []
        parts += [f"asked again: {'; '.join(self.open)}"] if self.open else []
        return ", ".join(parts)


@dataclass
class Clinic:
    """The site with the shipped protocols; every person meets an empty database."""

    app: Flask
    empty: Path
    folder: Path
    count: int = field(default=0)

    @property
    def catalogue(self) -> Catalogue:
        site: Site = self.app.extensions["site"]
        return site.library.catalogue

    def protocol(self, protocol_id: str) -> Protocol:
        site: Site = self.app.extensions["site"]
        return site.library.entries[protocol_id].protocol

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        self.count += 1
        storage = open_sqlite(Path(shutil.copy(self.empty, self.folder / f"{self.count}.sqlite3")))
        yield from visit_with(self.app, storage)
        storage.close()

    def see(self, case: dict[str, Any]) -> Result:
        with self.visitor() as visitor:
            return self.seen_by(visitor, case)

    def seen_by(self, visitor: Visitor, case: dict[str, Any]) -> Result:
        questions = questions_for(self.catalogue, self.protocol(case["protocol"]))
        unknown = tuple(sorted(set(case["answers"]) - set(self.catalogue.questions)))
        answer = visitor.client.post(
            f"/protocols/{case['protocol']}/screening",
            data=fields_of(case, questions),
            headers={"Host": HOST},
        )
        if answer.status_code == 422:
            panel = Page(answer.text).by_id("open-answers")
            return Result("open", open=(panel.text,), unknown=unknown)
        assert answer.status_code == 303, answer.text
        where = answer.headers["Location"]
        screening_id = where.removeprefix("/screenings/")
        kept = visitor.storage.screening(screening_id, visitor.clock.now())
        assert kept is not None
        words = visitor.page(where).source
        if kept.verdict.level == "clinician":
            on = (visitor.clock.wall_time() - timedelta(days=1)).date().isoformat()
            said = {"who": "doctor", "on": on, "confirmed": "yes"}
            assert visitor.post(f"{where}/word", said).status_code == 303
            words += visitor.page(where).source
        made = visitor.post("/sessions", {"screening": screening_id})
        assert (made.status_code == 303) == (kept.verdict.level not in ("not-today", "help"))
        stored = None
        if made.status_code == 303:
            stored = visitor.storage.load(made.headers["Location"].removeprefix("/sessions/"))
        verdict = kept.verdict
        return Result(
            verdict.level,
            verdict.worst[0].urgency if verdict.level == "help" else None,
            verdict.wait_minutes,
            words,
            stored.plan if stored else None,
            unknown=unknown,
        )


@contextmanager
def clinic() -> Iterator[Clinic]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        empty = folder / "empty"
        empty.mkdir()
        (folder / "site").mkdir()
        open_sqlite(empty / "steady-hands.sqlite3").close()
        for app in app_for(folder / "site"):
            yield Clinic(app, empty / "steady-hands.sqlite3", folder)


def cases(file: Path = CASES) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["clients"]
    return found


def fields_of(case: dict[str, Any], questions: tuple[Question, ...]) -> dict[str, Any]:
    """The form as this person sends it; what is not answered in the case is harmless, or open."""
    fields: dict[str, Any] = {"client": ""}
    for question in questions:
        token = case["answers"].get(question.id) or harmless(question, case)
        if token:
            fields[f"q-{question.id}"] = token
        marked = case.get("places", {}).get(question.id)
        if marked:
            fields[f"place-{question.id}"] = list(marked)
    return fields | reading_fields(case)


def harmless(question: Question, case: dict[str, Any]) -> str:
    """What stands for no answer in a case; empty where nothing can be taken for granted."""
    if question.id == "diabetes":
        return "yes" if case.get("reading") else "no"
    if question.kind in ("sign", "place"):
        return "no"
    if question.kind == "promise":
        return "" if question.follows else "yes"
    no = next((option.id for option in question.options if SAYS_NO.match(option.text)), "")
    return HARMLESS.get(question.id, no)


def reading_fields(case: dict[str, Any]) -> dict[str, str]:
    reading, ketones = case.get("reading"), case.get("ketones")
    fields = {"ketones-known": "no"}
    if ketones is not None:
        strip = STRIPS.get(str(ketones))
        fields = (
            {"ketones-known": strip} if strip else {"ketones-known": "yes", "ketones": str(ketones)}
        )
    if not reading:
        return fields | {"glucose-shown": "none"}
    fields |= {"glucose-shown": reading["shown"], "minutes-ago": "0"}
    if reading["shown"] == "number":
        unit = reading.get("unit", "mmol/L")
        fields |= {"glucose": str(reading["value"]), "unit": unit, "unit-sure": unit}
        fields |= {"trend": reading.get("trend", "unknown")}
        fields |= {"glucose-before": str(reading.get("before", ""))}
    return fields


def faults(case: dict[str, Any], result: Result) -> list[str]:
    """How the result differs from what is expected."""
    expect = case["expect"]
    must = expect.get("must") or {}
    if result.level == "open":
        return [result.told()]
    found = []
    low, high = LEVELS.index(expect["at_least"]), LEVELS.index(expect["at_most"])
    if not low <= LEVELS.index(result.level) <= high:
        found.append(f"expected {expect['at_least']} to {expect['at_most']}")
    if result.level == "help" and expect.get("urgency") not in (None, result.urgency):
        found.append(f"expected {expect['urgency']}")
    if result.urgency and result.urgency == must.get("urgency_not"):
        found.append(f"never {result.urgency}")
    if (result.wait_minutes or 0) < must.get("wait_minutes_at_least", 0):
        found.append(f"a wait of at least {must['wait_minutes_at_least']} min")
    found += [f"says no {p!r}" for p in must.get("says", ()) if not re.search(p, result.words)]
    if result.plan is None:
        return found + (["no plan"] if must.get("plan") else [])
    plan = result.plan
    phases = {step.id for step in plan.steps if step.hands_on}
    found += [f"{phase} is in the plan" for phase in must.get("left_out", ()) if phase in phases]
    for place in must.get("untouched", ()):
        area, _, side = place.partition(":")
        for step in plan.steps:
            other = {"left": "right", "right": "left"}.get(side)
            if step.area == area and (step.side != other or other is None):
                found.append(f"{step.id} touches {place}")
    most = must.get("hands_on_seconds_at_most")
    if most is not None and plan.hands_on_seconds > most:
        found.append(f"{plan.hands_on_seconds} s, at most {most}")
    return found
