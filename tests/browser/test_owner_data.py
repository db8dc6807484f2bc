"""The owner's pages for the data in Chromium: backup, export and import, restore, erase."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Watch, session_of, started
from tests.support.real_server import Server as Asking

Visit = Callable[..., Page]
JOB_MS = 30_000


@pytest.fixture
def server(tmp_path: Path, protocol_folder: Path) -> Iterator[Server]:
    """A server of this test's own: backups stay in its folder."""
    running = started(tmp_path, protocol_folder)
    yield running
    running.kill()


def over(server: Server) -> str:
    """A session that was begun and is over."""
    session_id = session_of(server, "short")
    asking = Asking(server.data, port=server.port)
    asking.act(session_id, "start")
    asking.act(session_id, "stop")
    return session_id


def told(page: Page, words: str) -> None:
    """What became of a job; a process of its own does it."""
    expect(page.locator("#job")).to_contain_text(words, timeout=JOB_MS)


def test_data_is_backed_up_taken_along_deleted_brought_back_and_restored(
    visit: Visit, server: Server, watch: Watch, tmp_path: Path
) -> None:
    """A whole round on one real server; the job's page asks by itself how far it is."""
    session_id = over(server)
    page = visit("/")
    page.get_by_role("link", name="Data", exact=True).click()

    page.get_by_role("button", name="Back up now").click()
    told(page, "made and checked")
    assert "/state" in " ".join(watch.requests), "the page asks by itself how far it is"
    page.get_by_role("link", name="To the data").click()

    with page.expect_download() as started:
        page.get_by_role("link", name="Export everything").click()
    file = tmp_path / "all.jsonl.gz"
    started.value.save_as(file)

    page.get_by_role("link", name="Choose what to delete").click()
    page.get_by_role("button", name="Delete this client …").click()
    expect(page.locator("main")).to_contain_text("1 client, 1 session, 2 acts")
    page.get_by_role("button", name="Delete for good").click()
    told(page, "Deleted for good")
    told(page, "still stands in 1 copy")
    assert Asking(server.data, port=server.port).status(f"/sessions/{session_id}") == 404

    page.goto("/owner/data")
    page.get_by_label("Export file").set_input_files(file)
    page.get_by_role("button", name="Look into it").click()
    told(page, "It holds 1 client, 1 session, 2 acts")
    page.get_by_role("button", name="Bring it in").click()
    told(page, "All of it is here now")
    assert Asking(server.data, port=server.port).status(f"/sessions/{session_id}") == 200

    later = over(server)
    page.goto("/owner/data")
    page.get_by_role("link", name=re.compile("^Restore … the copy")).last.click()
    expect(page.locator("main")).to_contain_text("1 session made since then")
    page.get_by_role("button", name="Restore it").click()
    told(page, "is in its place")
    asking = Asking(server.data, port=server.port)
    assert asking.status(f"/sessions/{later}") == 404
    assert asking.status(f"/sessions/{session_id}") == 200
    assert watch.errors == []
