"""Databases as earlier releases left them: ``golden/schema-N.sql``, made by that schema's code.

Each holds sessions that are over, that run, that are paused and that nobody has started; from
schema 4 on devices that joined, from schema 6 on a clinician's word.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

FOLDER = Path(__file__).parent / "golden"
SCHEMAS = tuple(sorted(int(path.stem.removeprefix("schema-")) for path in FOLDER.glob("*.sql")))
RUNNING = "golden-running"
STARTED_AT = 1_772_445_700_000  # when golden-running was started, by its events (ms)
RESUMED_AT = STARTED_AT + 5_000


def script(schema: int) -> str:
    return (FOLDER / f"schema-{schema}.sql").read_text(encoding="utf-8")


def write_sqlite(path: Path, schema: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(script(schema))
    return path


def write_postgresql(url: str, schema: int) -> str:
    with psycopg.connect(url) as connection:
        connection.execute(script(schema).encode())
    return url


def life(boot: str, steady: int, now: int) -> str:
    """A statement that sets the sign of life."""
    value = json.dumps({"boot": boot, "steady": steady, "now": now})
    return f"UPDATE meta SET value = '{value}' WHERE name = 'life'"


def first_phase_ms(session_id: str) -> int:
    """How long the first phase of a session was planned."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script(1))
        query = "SELECT plan FROM sessions WHERE id = ?"
        (plan,) = connection.execute(query, (session_id,)).fetchone()
    steps = json.loads(plan)["steps"]
    return next(int(step["seconds"]) for step in steps if not step.get("wait")) * 1000
