"""The owner's data pages on a real server: jobs in processes of their own, large uploads, kills."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.page import Page
from tests.support.real_server import Reply, Server, lower
from webapp.maintenance.worker import INCOMING
from webapp.storage.sessions import SCHEMA

DATA = "/owner/data"
TYPE = "multipart/form-data; boundary=B"
HEAD = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def asked(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, more)
        answer = connection.getresponse()
        content = answer.read()
        return Reply(answer.status, content.decode("latin-1"), lower(answer.getheaders()))
    finally:
        connection.close()


def sent(server: Server, content: bytes, **headers: str) -> Reply:
    body = HEAD + content + b"\r\n--B--\r\n"
    return asked(server, "POST", f"{DATA}/import", body, Content_Type=TYPE, **headers)


def ended(server: Server, reply: Reply) -> str:
    """How the job that an answer leads to ended, in its own words."""
    assert reply.status == 303, reply.text
    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = server.ask("GET", f"{reply.headers['location']}/state").text
        if "every 1s" not in text:
            return Page(text).by_id("job").text
        time.sleep(0.05)
    raise TimeoutError("the job did not end")


def workers_of(server: Server) -> list[int]:
    """The processes that do something for the server's worker."""
    (worker,) = server.workers()
    tasks = Path(f"/proc/{worker}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text("ascii").split()]


def wait_for_worker(server: Server) -> int:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if found := workers_of(server):
            return found[0]
        time.sleep(0.002)
    raise TimeoutError("no process was started")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are read from /proc")
def test_kills_during_a_backup_leave_no_job_running_and_nothing_half_done(
    tmp_path: Path, protocols_folder: Path
) -> None:
    """``exit_when_closed`` ends the worker with its server; ``clear_all`` deletes what it left."""
    with Server(tmp_path, protocols_folder) as server:
        session_id = server.prepare("long")
        server.act(session_id, "start")
        reply = server.ask("POST", f"{DATA}/backup", {})
        worker = wait_for_worker(server)
        assert os.getpriority(os.PRIO_PROCESS, worker) >= 0
        os.kill(worker, signal.SIGKILL)
        assert "It was broken off; nothing was changed" in ended(server, reply)
        assert "made and checked" in ended(server, server.ask("POST", f"{DATA}/backup", {}))

        upload = sent(server, gzip.compress(b"any"))
        wait_for_worker(server)
        server.kill()
        folder = tmp_path / INCOMING
        assert list(folder.iterdir())
        server.start()
        text = server.ask("GET", f"{upload.headers['location']}/state").text
        assert "It was broken off: the server ended" in text
        assert not list(folder.iterdir())
        assert not list((tmp_path / "backups").glob(".partial-*"))
        assert server.look(session_id).live["data-status"] == "running"
        assert "Line 1" in ended(server, sent(server, gzip.compress(b"any")))


def test_uploads_far_above_the_usual_limit_come_in_only_there_and_only_from_our_own_pages(
    tmp_path: Path, protocols_folder: Path
) -> None:
    """``lets_in`` asks the usual checks before anything of it is read."""
    head = json.dumps({"steady-hands": "export", "format": 1, "schema": SCHEMA}).encode()
    large = head + b"\n" + b"[" * 3_000_000
    with Server(tmp_path, protocols_folder) as server:
        session_id = server.prepare("long")
        server.act(session_id, "start")
        assert "Line 2" in ended(server, sent(server, large))
        assert sent(server, large[:100_000], Origin="http://evil.test").status == 403
        foreign = asked(server, "POST", f"{DATA}/retention", bytes(100_000), Content_Type=TYPE)
        assert foreign.status == 413
        export = asked(server, "GET", f"{DATA}/export")
        assert export.status == 200
        lines = gzip.decompress(export.text.encode("latin-1")).splitlines()
        assert json.loads(lines[-1])["end"] is True
        name = "steady-hands-"
        assert "made and checked" in ended(server, server.ask("POST", f"{DATA}/backup", {}))
        (copy,) = (tmp_path / "backups").glob(f"{name}*.sqlite3")
        got = asked(server, "GET", f"{DATA}/copies/{copy.name}")
        assert got.text.encode("latin-1") == copy.read_bytes()
        restore = server.ask("POST", f"{DATA}/copies/{copy.name}/restore", {"anyway": "1"})
        assert "is in its place" in ended(server, restore)
        assert server.look(session_id).live["data-status"] == "paused"
        assert server.act(session_id, "resume").live["data-status"] == "running"
