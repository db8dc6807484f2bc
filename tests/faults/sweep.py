"""``python -m tests.faults.sweep KIND FOLDER [URL [STEP]]``: kill a migration at every point of it.

KIND is ``files`` (SQLite: before every write, sync, cut and rename of the process, by strace),
``statements`` (before and after every statement the process sends) or ``server`` (kill the
backend of PostgreSQL before every STEP-th statement). Prints how many points there were, and what
was half-migrated. A process of its own, because it forks for every point.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 so that no fork has to import it
import psycopg
import sqlalchemy as sa

from tests.storage import golden
from webapp.maintenance.backups import FOLDER, find_damage
from webapp.maintenance.jsonl import digest
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.sessions import SCHEMA

CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir")
OLD, NEW = "old", "new"


def kill_at_every_call(folder: Path, step: int) -> Iterator[tuple[str, Path]]:
    """Kill before every ``step``-th call of each kind; gives the point and the folder it left."""
    for call in CALLS:
        for number in range(1, 10_000, step):
            data = fresh(folder)
            if not traced(Settings(data), call, number):
                break
            yield f"{call} {number}", data


def traced(settings: Settings, call: str, number: int) -> bool:
    """True when the migration was killed."""
    return killed_at(lambda: open_storage(settings).close(), call, number)


def killed_at(work: Callable[[], None], call: str, number: int) -> bool:
    """Do ``work`` in a process that is killed before its ``number``-th system call of this name.

    False when it came to its end. Raises RuntimeError when it failed, or cannot be followed.
    """
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    inject = f"inject={call}:signal=KILL:when={number}"
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", inject, "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while "TracerPid:\t0" in Path(f"/proc/{child}/status").read_text(encoding="ascii"):
        if tracer.poll() is not None:
            raise RuntimeError("strace cannot follow a process here")
        time.sleep(0.002)
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    tracer.wait()
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("what was to be killed failed by itself")
    return os.WIFSIGNALED(status)


def kill_at_every_statement(
    settings: Callable[[], Settings], moment: str, die: Callable[[Any], None], step: int = 1
) -> Iterator[tuple[str, Settings]]:
    """Kill at every ``step``-th statement that the migration sends."""
    for number in range(1, 10_000, step):
        chosen = settings()
        child = os.fork()
        if child == 0:
            countdown = Countdown(number, die)
            sa.event.listen(sa.Engine, moment, countdown)
            try:
                open_storage(chosen).close()
            except BaseException:
                os._exit(1)
            os._exit(0 if countdown.left > 0 else 1)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
        yield f"{moment} {number}", chosen


class Countdown:
    """An event of the database that strikes at the n-th call."""

    def __init__(self, number: int, strike: Callable[[Any], None]) -> None:
        self.left = number
        self.strike = strike

    def __call__(self, connection: Any, *_more: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.strike(connection)


def die(_connection: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_backend(connection: Any) -> None:
    os.kill(connection.connection.dbapi_connection.info.backend_pid, signal.SIGKILL)
    time.sleep(0.05)


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    golden.write_sqlite(folder / "steady-hands.sqlite3", 1)
    return folder


def fresh_postgresql(folder: Path, url: str) -> Settings:
    shutil.rmtree(folder, ignore_errors=True)
    with patiently(url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    golden.write_postgresql(url, 1)
    return Settings(folder, database_url=url)


def patiently(url: str) -> psycopg.Connection[Any]:
    """A connection to a server that may be recovering."""
    end = time.monotonic() + 20
    while True:
        try:
            return psycopg.connect(url, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def columns(settings: Settings) -> tuple[set[str], str]:
    """All columns as table.column, and the schema that the database says it has."""
    if settings.database_url:
        query = "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE "
        with patiently(settings.database_url) as connection:
            rows = connection.execute(query + "table_schema = 'public'").fetchall()
            (schema,) = connection.execute(golden_schema()).fetchone() or ("",)
    else:
        query = "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        with closing(sqlite3.connect(settings.database)) as file:
            rows = file.execute(query + " WHERE m.type = 'table'").fetchall()
            (schema,) = file.execute(golden_schema()).fetchone()
    return {name for (name,) in rows if not name.startswith("alembic_version.")}, schema


def golden_schema() -> str:
    return "SELECT value FROM meta WHERE name = 'schema'"


def state(settings: Settings, old: set[str], new: set[str]) -> str:
    found, schema = columns(settings)
    if (found, schema) == (old, "1"):
        return OLD
    return NEW if (found, schema) == (new, str(SCHEMA)) else f"half: {schema} {sorted(found ^ new)}"


def opened_well(settings: Settings, wanted: str) -> str | None:
    """What is wrong after the next start; None when all is there and up to date."""
    storage = open_storage(settings)
    try:
        if digest(storage.database) != wanted:
            return "rows are missing or changed"
    finally:
        storage.close()
    copies = [
        path for path in (settings.data / FOLDER).glob("before-*.sqlite3") if find_damage(path)
    ]
    return f"damaged copies: {copies}" if copies else None


def sweep(kind: str, folder: Path, url: str | None, step: int) -> dict[str, Any]:
    data = folder / "data"

    def begin() -> Settings:
        return fresh_postgresql(data, url) if url else Settings(fresh(data))

    settings = begin()
    old, _ = columns(settings)
    storage = open_storage(settings)
    wanted = digest(storage.database)
    storage.close()
    new, _ = columns(settings)
    result: dict[str, Any] = {"points": 0, OLD: 0, NEW: 0, "faults": []}
    for point, left in walk(kind, begin, data, step):
        found = state(left, old, new)
        fault = found if found not in (OLD, NEW) else opened_well(left, wanted)
        result["points"] += 1
        if found in (OLD, NEW):
            result[found] += 1
        if fault:
            result["faults"].append(f"{point}: {fault}")
    return result


def walk(
    kind: str, begin: Callable[[], Settings], data: Path, step: int
) -> Iterator[tuple[str, Settings]]:
    """Every point of this kind, and what the kill left."""
    if kind == "files":
        yield from ((point, Settings(left)) for point, left in kill_at_every_call(data, step))
    elif kind == "statements":
        for moment in ("before_cursor_execute", "after_cursor_execute"):
            yield from kill_at_every_statement(begin, moment, die, step)
    else:
        yield from kill_at_every_statement(begin, "before_cursor_execute", kill_backend, step)


def main() -> None:
    kind, folder, *more = sys.argv[1:]
    url, step = [*more, None, None][:2]
    print(json.dumps(sweep(kind, Path(folder), url or None, int(step or 1))))


if __name__ == "__main__":
    main()
