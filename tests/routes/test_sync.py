"""Offline sync over HTTP: acts, reports of screens, and phases that nobody watched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.visitor import Visitor
from webapp.domain.admission import PAUSED_TOO_LONG
from webapp.domain.session import Event
from webapp.routes.sync import DIFFERED, TIME_CONFIRMED, UNREADABLE
from webapp.timekeeping.presence import UNSEEN_MS, Presence


def act(action: str, at: int, step: str = "one", **more: Any) -> dict[str, Any]:
    return {"key": f"device-{action}-{at}", "action": action, "at": at, "step": step, **more}


def tell(visitor: Visitor, session_id: str, *acts: dict[str, Any], **more: Any) -> TestResponse:
    now = visitor.clock.now()
    account = {
        "seq": 1,
        "line": now,
        "alone_since": now,
        "counted": True,
        "status": "running",
        "acts": acts,
    }
    fields = {"account": json.dumps(account | more)}
    return visitor.post(f"/sessions/{session_id}/account", fields, htmx=True)


def kinds(visitor: Visitor, session_id: str) -> list[str]:
    stored = visitor.storage.load(session_id)
    assert stored
    return [event.kind for event in stored.events]


def test_acts_of_a_device_on_its_own_are_taken_over_at_their_instants(visitor: Visitor) -> None:
    session_id = visitor.started("short")
    at = visitor.clock.now()
    visitor.clock.forward(25)
    answer = tell(visitor, session_id, act("pause", at + 4_000), act("resume", at + 9_000))
    assert (answer.status_code, answer.data) == (204, b"")
    live = visitor.live(session_id)
    assert (live["data-step"], live["data-remaining-ms"], live["data-seq"]) == (
        "three",
        "10000",
        "3",
    )


def test_the_same_account_again_changes_nothing(visitor: Visitor) -> None:
    session_id = visitor.started("short")
    pause = act("pause", visitor.clock.now() + 2_000)
    visitor.clock.forward(5)
    for _ in range(3):
        assert tell(visitor, session_id, pause).status_code == 204
    assert kinds(visitor, session_id) == ["start", "pause"]


def test_what_could_not_be_done_is_said_with_its_time_and_reason(visitor: Visitor) -> None:
    session_id = visitor.started("short")
    at = visitor.clock.now()
    visitor.clock.forward(5)
    visitor.done(session_id, "next")
    visitor.clock.forward(5)
    answer = tell(visitor, session_id, act("pause", at + 2_000), status="paused")
    said = f"Not done: Pause at 10:00:02, another screen acted later. {DIFFERED}"
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/plain", said)
    assert visitor.live(session_id)["data-status"] == "paused"


def test_a_start_is_never_taken_over(visitor: Visitor) -> None:
    session_id = visitor.prepare("short")
    start = act("start", visitor.clock.now())
    answer = tell(visitor, session_id, start, seq=0)
    assert "only when the server has seen the answers" in answer.text
    assert kinds(visitor, session_id) == []


def test_a_long_pause_asks_again_also_when_told_afterwards(visitor: Visitor) -> None:
    session_id = visitor.started("short")
    at = visitor.clock.now()
    visitor.clock.forward(3_700)
    acts = act("pause", at + 1_000), act("resume", at + 3_650_000)
    answer = tell(visitor, session_id, *acts, status="running")
    assert PAUSED_TOO_LONG.split(".")[0] in answer.text
    assert visitor.live(session_id)["data-status"] == "paused"


def test_a_doubt_is_settled_by_a_screen_that_went_on_counting(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    stored = visitor.storage.load(session_id)
    assert stored
    visitor.storage.record(stored, Event(2, "doubt-key", "doubt", visitor.clock.now() + 1_000))
    visitor.clock.forward(100)
    answer = tell(visitor, session_id)
    assert answer.text == TIME_CONFIRMED
    live = visitor.live(session_id)
    assert (live["data-status"], live["data-remaining-ms"]) == ("running", "500000")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"seq": 1}',
        '{"seq": 1, "line": NaN, "alone_since": 1, "counted": true, "status": "running"}',
        '{"seq": 1, "seq": 2, "line": 1, "alone_since": 1, "counted": true, "status": "running"}',
        '{"seq": 1, "line": 1, "alone_since": 1, "counted": true, "status": "asleep"}',
        '{"seq": 1, "line": 1, "alone_since": 1, "counted": true, "status": "running", "acts": '
        '[{"key": "x", "action": "pause", "at": 1, "step": "one"}]}',
        "[" * 100_000,
    ],
)
def test_an_account_that_cannot_be_read_changes_nothing(visitor: Visitor, body: str) -> None:
    session_id = visitor.started("short")
    answer = visitor.post(f"/sessions/{session_id}/account", {"account": body}, htmx=True)
    assert answer.status_code in (413, 422)
    assert UNREADABLE in answer.text or answer.status_code == 413
    assert kinds(visitor, session_id) == ["start"]


# --- who watched ---------------------------------------------------------------------------------


def watch(visitor: Visitor) -> Presence:
    found: Presence = visitor.app.extensions["site"].presence
    return found


def beat(visitor: Visitor, session_id: str) -> None:
    live = visitor.live(session_id)
    until = int(live["data-now"]) + int(live["data-remaining-ms"])
    path = f"/sessions/{session_id}/live?seq={live['data-seq']}&until={until}"
    assert visitor.get(path).status_code == 204


def summary(visitor: Visitor, session_id: str) -> str:
    return visitor.get(f"/sessions/{session_id}/summary").text


def test_phases_that_nobody_watched_are_marked_in_the_summary(visitor: Visitor) -> None:
    session_id = visitor.started("short")
    visitor.clock.forward(5)
    beat(visitor, session_id)
    visitor.clock.forward(40)
    watch(visitor).sweep(visitor.clock.now())
    visitor.clock.forward(50)
    text = summary(visitor, session_id)
    assert text.count("unobserved 0:10") == 2
    assert text.count("unobserved 0:05") == 1


def test_a_session_that_is_watched_has_no_gap(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    for _ in range(8):
        visitor.clock.forward(5)
        beat(visitor, session_id)
        watch(visitor).sweep(visitor.clock.now())
    assert watch(visitor).notes_of(session_id).gaps == []


def test_a_screen_that_comes_back_ends_the_gap(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    begun = visitor.clock.now()
    visitor.clock.forward(60)
    watch(visitor).sweep(visitor.clock.now())
    visitor.clock.forward(30)
    beat(visitor, session_id)
    (gap,) = watch(visitor).notes_of(session_id).gaps
    assert (gap.since, gap.until) == (begun, begun + 90_000)


def test_a_gap_shorter_than_the_sweep_is_found_when_the_screen_comes_back(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    begun = visitor.clock.now()
    visitor.clock.forward(UNSEEN_MS / 1000 + 1)
    beat(visitor, session_id)
    (gap,) = watch(visitor).notes_of(session_id).gaps
    assert (gap.since, gap.until) == (begun, begun + UNSEEN_MS + 1_000)


def test_after_a_restart_of_the_server_an_unwatched_session_is_known_again(
    visitor: Visitor,
) -> None:
    session_id = visitor.started("long")
    last = visitor.clock.now()
    visitor.clock.forward(60)
    fresh = Presence(visitor.storage)
    fresh.begin(last)
    fresh.sweep(visitor.clock.now())
    assert [gap.since for gap in fresh.notes_of(session_id).gaps] == [last]
    again = Presence(visitor.storage)
    again.begin(visitor.clock.now())
    again.note(session_id, visitor.clock.now())
    assert [gap.until for gap in again.notes_of(session_id).gaps] == [visitor.clock.now()]


def test_two_processes_that_notice_the_same_gap_write_it_once(visitor: Visitor) -> None:
    """Seen to fail with a plain INSERT: the second one broke, and its signs of life with it."""
    session_id = visitor.started("long")
    last = visitor.clock.now()
    visitor.clock.forward(60)
    processes = [Presence(visitor.storage) for _ in range(2)]
    for process in processes:
        process.begin(last)
    for process in processes:
        process.sweep(visitor.clock.now())
    assert [gap.since for gap in processes[0].notes_of(session_id).gaps] == [last]
    visitor.clock.forward(5)
    for process in processes:
        process.note(session_id, visitor.clock.now())
        assert [gap.until for gap in process.notes_of(session_id).gaps] == [visitor.clock.now()]


def test_a_session_that_is_over_or_not_begun_has_no_gap(visitor: Visitor) -> None:
    over, ready = visitor.started("short", "end"), visitor.prepare("long")
    visitor.clock.forward(600)
    watch(visitor).sweep(visitor.clock.now())
    assert watch(visitor).notes_of(over).gaps == watch(visitor).notes_of(ready).gaps == []


def test_a_screen_that_counted_on_alone_has_watched(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    since = visitor.clock.now()
    visitor.clock.forward(100)
    watch(visitor).sweep(visitor.clock.now())
    tell(visitor, session_id, alone_since=since + 30_000)
    (gap,) = watch(visitor).notes_of(session_id).gaps
    assert (gap.since, gap.until) == (since, since + 30_000)
    tell(visitor, session_id, alone_since=since)
    assert watch(visitor).notes_of(session_id).gaps == []


def test_the_summary_says_how_far_screens_were_ever_apart(visitor: Visitor) -> None:
    session_id = visitor.started("short", "end")
    for name, apart, alone in (
        ("screen-aa", 30, 0),
        ("screen-bb", 120, 65_000),
        ("screen-aa", 40, 0),
    ):
        told = {"account": json.dumps({"screen": name, "apart": apart, "alone": alone})}
        assert visitor.post(f"/sessions/{session_id}/screen", told).status_code == 204
    text = summary(visitor, session_id)
    assert "2 screens, never more than 0.12 s apart from the server; on its own for 1:05" in text


def test_a_beat_stays_one_query(visitor: Visitor) -> None:
    session_id = visitor.started("long")
    visitor.clock.forward(5)
    live = visitor.live(session_id)
    until = int(live["data-now"]) + int(live["data-remaining-ms"])
    with visitor.queries() as statements:
        answer = visitor.get(f"/sessions/{session_id}/live?seq=1&until={until}")
    assert answer.status_code == 204
    assert len(statements) == 1
