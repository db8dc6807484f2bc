"""A history of ten thousand sessions: each page of it, its filters, a course and today."""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import sites
from benchmarks.load import quick_storage
from benchmarks.options import Options
from benchmarks.sites import Server
from benchmarks.table import Row, Table
from webapp.domain.course import Course, terms_of
from webapp.domain.plan import Plan
from webapp.domain.record import Feedback
from webapp.domain.session import Event
from webapp.protocol_files.loader import load as load_library
from webapp.settings import shipped
from webapp.storage.courses import Courses
from webapp.storage.sessions import Belonging, Storage
from webapp.timekeeping.clock import Clock

SESSIONS = 10_000
CLIENTS = 100
PER_COURSE = 15
ROUNDS = 15
PROMISED_MS = 100.0
DAY_MS = 86_400_000
PROTOCOLS = ("oc-classic-full", "oc-classic-lumbar", "dm-legs-feet", "oc-self-nape")
# What the first page of the history reads, as bare rows without plans and templates.
BARE = (
    "SELECT s.id, s.client, s.course, s.plan_hash, s.begun_at, s.early, m.before, m.after, m.skin "
    "FROM sessions s LEFT JOIN summaries m ON m.session = s.id "
    "WHERE s.begun_at IS NOT NULL ORDER BY s.begun_at DESC, s.id DESC LIMIT 26"
)


def measure(options: Options) -> Table:
    """A page of a history of 10,000 sessions, beside the bare query of its rows."""
    sessions = options.sessions or SESSIONS
    data = options.folder / "data"
    data.mkdir()
    client, course = filled(data / "steady-hands.sqlite3", sessions)
    bare = bare_ms(data / "steady-hands.sqlite3")
    table = Table(f"History: {sessions:,} sessions of {CLIENTS} clients, median of {ROUNDS} (max)")
    with sites.ours(data) as server:
        first = timed(lambda: fetched(server, "/history"), 1)
        older = middle(server)
        for what, path in (
            ("newest page", "/history"),
            ("a page in the middle", older),
            ("of one client", f"/history?client={client}"),
            ("of one protocol", "/history?protocol=oc-self-nape"),
            ("only stopped", "/history?only=stopped"),
            ("only with pain told", "/history?only=scored"),
            (f"a course of {PER_COURSE}", f"/courses/{course}"),
            ("today", "/today"),
            ("courses", "/courses"),
        ):
            table.rows.append(row(what, timed(lambda p=path: fetched(server, p)), bare))  # type: ignore[misc]
    table.notes.append(f"very first request of a new process: {first[0]:.0f} ms")
    table.notes.append(
        "baseline: the rows of the newest page by sqlite3 alone, no plan, no fold, no template"
    )
    return table


def row(what: str, times: list[float], bare: list[float]) -> Row:
    ours = f"{statistics.median(times):.0f} ms ({max(times):.0f})"
    met = statistics.median(times) < PROMISED_MS
    return Row(what, ours, f"{statistics.median(bare):.2f} ms", f"< {PROMISED_MS:.0f} ms", met)


def timed(ask: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Milliseconds of each round."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def fetched(server: Server, path: str) -> str:
    answer = server.ask(path)
    if answer.status != 200:
        raise RuntimeError(f"{path} was answered with {answer.status}")
    return answer.text


def middle(server: Server) -> str:
    """The address of a page far down, by the links that people follow."""
    path = "/history"
    for _ in range(20):
        text = fetched(server, path)
        path = text.rpartition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    return path


def bare_ms(path: Path) -> list[float]:
    connection = sqlite3.connect(path)
    times = timed(lambda: connection.execute(BARE).fetchall())
    connection.close()
    return times


def filled(path: Path, sessions: int) -> tuple[str, str]:
    """So many sessions by the app's own storage; a client and a course of them."""
    library = load_library(shipped("protocols"), shipped("protocols"))
    now = Clock().now()
    dice = random.Random(11)
    with quick_storage(path) as storage:
        courses = Courses(storage)
        clients = [courses.add_client(now) for _ in range(CLIENTS)]
        open_ones: dict[tuple[int, str], tuple[Course, int]] = {}
        longest = (0, "")
        for n in range(sessions):
            who, name = n % CLIENTS, PROTOCOLS[(n // CLIENTS) % len(PROTOCOLS)]
            entry = library.entries[name]
            plan, terms = library.usual_plan(entry), terms_of(entry.protocol)
            assert plan is not None
            assert terms is not None
            course, count = open_ones.get((who, name), (None, PER_COURSE))
            at = now - (sessions - n) * DAY_MS // 50
            if course is None or count == PER_COURSE:
                title = entry.protocol.title
                course, count = courses.add_course(clients[who], name, title, terms, 10, at), 0
            open_ones[who, name] = course, count + 1
            longest = max(longest, (count + 1, course.id))
            belongs = Belonging(clients[who].id, course.id)
            session = storage.create(plan, entry.digest, at, None, belongs)
            happen(storage, session, plan, at, stopped=dice.random() < 0.03)
            if dice.random() < 0.7:
                courses.store_feedback(session, Feedback(dice.randrange(11), dice.randrange(11)))
        return clients[0].id, longest[1]


def happen(storage: Storage, session: str, plan: Plan, at: int, *, stopped: bool) -> None:
    """Begun, through the preparation, worked for ten minutes, and ended."""
    stored = storage.load(session)
    assert stored is not None
    kinds = ["start", *["next"] * sum(step.kind == "prepare" for step in plan.steps)]
    last = "stop" if stopped else "end"
    for seq, kind in enumerate([*kinds, last, *(() if stopped else ("end",))], 1):
        when = at + 1000 * seq + (600_000 if seq > len(kinds) else 0)
        stored = storage.record(stored, Event(seq, f"bench-{seq}", kind, when))
