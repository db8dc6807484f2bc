"""Fault 14: an upgrade with old data, also in the middle of a session, and killed at any point.

Seen to fail with the mechanism removed:

- without ``BEGIN`` and ``COMMIT`` in ``write`` the sweeps find half-migrated databases: 13 of 53
  points on SQLite, 3 of 20 on PostgreSQL;
- with the copy written under its own name at once, the start after the kill stumbles over it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.soak import CALL_STEP, STATEMENT_STEP
from tests.storage import golden
from tests.support.real_server import Server, clean_environment
from webapp.settings import Settings
from webapp.storage.sessions import SCHEMA
from webapp.timekeeping.clock import boot_id, steady_ms

pytestmark = [pytest.mark.fault(14), pytest.mark.computes]

ROOT = Path(__file__).parent.parent.parent


def swept(kind: str, folder: Path, url: str = "", step: int = 1) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.sweep", kind, str(folder), url, str(step)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_file_is_old_or_new_and_never_half_wherever_the_migration_is_killed(
    tmp_path: Path,
) -> None:
    """Before every write, sync, cut and rename; by statements where there is no strace."""
    kind = "files" if shutil.which("strace") else "statements"
    result = swept(kind, tmp_path, step=CALL_STEP)
    assert result["faults"] == []
    assert result["old"] > 8
    assert result["new"] >= 1
    assert result["points"] == result["old"] + result["new"]


@pytest.mark.parametrize("kind", ["statements", "server"])
def test_a_postgresql_database_is_old_or_new_wherever_the_migration_is_killed(
    tmp_path: Path, postgresql_url: str, kind: str
) -> None:
    """Once the process that migrates is killed, once its backend, and the server recovers."""
    result = swept(kind, tmp_path, postgresql_url, STATEMENT_STEP)
    assert result["faults"] == []
    assert result["points"] == result["old"] + result["new"]
    assert result["points"] >= 2


def test_a_session_runs_on_at_the_right_second_through_the_upgrade(tmp_path: Path) -> None:
    database = golden.write_sqlite(Settings(tmp_path).database, 1)
    at, told = steady_ms(), golden.RESUMED_AT + 3_000
    execute_sqlite(database, golden.life(boot_id(), at, told))
    with Server(tmp_path) as server:
        assert_runs_on(server, at)
        session_id = server.prepare("oc-self-4step")
        assert server.act(session_id, "start").live["data-seq"] == "1"
        assert server.act(golden.RUNNING, "pause").live["data-seq"] == "7"


def test_old_sessions_are_served_after_the_upgrade_of_postgresql(
    tmp_path: Path, postgresql_url: str
) -> None:
    golden.write_postgresql(postgresql_url, 1)
    environment = clean_environment(DATABASE_URL=postgresql_url)
    with Server(tmp_path, environment=environment) as server:
        live = server.look(golden.RUNNING).live
        assert (live["data-status"], live["data-seq"]) == ("finished", "6")
        with psycopg.connect(postgresql_url) as connection:
            found = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        assert found == (str(SCHEMA),)


def execute_sqlite(path: Path, statement: str) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def assert_runs_on(server: Server, at: int) -> None:
    """The phase that was resumed 3 s before ``at`` has run 1.5 s + 3 s + the time since."""
    time.sleep(0.3)
    live = server.look(golden.RUNNING).live
    elapsed = steady_ms() - at
    assert (live["data-status"], live["data-seq"]) == ("running", "6")
    rows = json.loads(live["data-rows"])
    begun = 1_500 + 3_000 + elapsed
    planned = golden.first_phase_ms(golden.RUNNING)
    assert rows
    assert abs(int(live["data-remaining-ms"]) - (planned - begun)) < 1_000
