"""The time that is typed without the server, in the nights when the device's clock changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from webapp.assets.files import read_assets

STATIC = Path(__file__).resolve().parents[2] / "static"
REFUSED = "Please give a time, like 15:50."
ASK = """async ([module, typed, now]) => {
  const { msUntil } = await import(module);
  try { return msUntil(typed, Date.parse(now)) / 60000; }
  catch (refused) { return refused.message; }
}"""
CASES: dict[str, list[tuple[str, str, object]]] = {
    "Europe/Berlin": [
        ("2026-03-29T00:30Z", "03:30", 60),
        ("2026-03-29T00:30Z", "02:30", REFUSED),
        ("2026-10-25T00:40Z", "02:30", 50),
        ("2026-10-25T01:40Z", "02:30", 0),
        ("2026-10-24T23:50Z", "3.00", 130),
        ("2026-05-01T10:00Z", "18:00", 360),
        ("2026-05-01T10:00Z", "00:00", 720),
        ("2026-05-01T10:00Z", "00:01", 0),
        ("2026-05-01T10:00Z", "11:59", 0),
        ("2026-05-01T10:00Z", "25:00", REFUSED),
        ("2026-05-01T10:00Z", "", REFUSED),
    ],
    "Australia/Lord_Howe": [
        ("2026-04-04T14:50Z", "01:40", 20),
        ("2026-10-03T15:15Z", "02:45", 30),
    ],
}


@pytest.mark.parametrize("zone", CASES)
def test_a_typed_time_is_the_next_one_on_the_devices_clock(
    visit: Callable[..., Page], zone: str
) -> None:
    page = visit("/", bypass_csp=True, timezone_id=zone)
    module = read_assets(STATIC).url("js/offline/offline-session.js")
    for now, typed, expected in CASES[zone]:
        assert page.evaluate(ASK, [module, typed, now]) == expected, (now, typed)
