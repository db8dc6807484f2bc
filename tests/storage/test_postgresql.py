"""What PostgreSQL alone can do to us."""

from __future__ import annotations

from pathlib import Path

from tests.support.postgresql import Server
from webapp.maintenance.opening import open_postgresql

OTHERS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'broken'"


def test_a_connection_that_broke_while_nobody_used_it_is_replaced(
    postgresql: Server, tmp_path: Path
) -> None:
    url = postgresql.new_database("broken")
    storage = open_postgresql(url, tmp_path)
    try:
        assert storage.last_sign_of_life() is None
        assert postgresql.execute(OTHERS)
        assert storage.last_sign_of_life() is None
    finally:
        storage.close()
