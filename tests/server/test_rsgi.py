"""Beats that come together: what each is told, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.heartbeat_wsgi import WithHeartbeat
from tests.support.paired_device import LAN_HOST, joined
from tests.support.visitor import HOST, Visitor
from webapp.auth.devices import Devices, devices_of
from webapp.auth.permissions import Caller
from webapp.domain.invites import Role
from webapp.server.heartbeat import Heartbeat, HeartbeatRequest, HeartbeatResponse
from webapp.server.rsgi import MOST_BEATS, HeartbeatBatcher
from webapp.storage.database import AwayError

ELSEWHERE = "10.0.0.9"


def beat_of(visitor: Visitor) -> Heartbeat:
    assert isinstance(visitor.app.wsgi_app, WithHeartbeat)
    return visitor.app.wsgi_app.beat


def together(visitor: Visitor, asked: list[HeartbeatRequest]) -> list[HeartbeatResponse | None]:
    """What each of ``asked`` is told when all of them arrive at once."""
    beats = HeartbeatBatcher(beat_of(visitor), together=visitor.storage.database.shared)

    async def ask() -> list[HeartbeatResponse | None]:
        return list(await asyncio.gather(*map(beats.answer, asked)))

    return asyncio.run(asyncio.wait_for(ask(), 20))


def from_elsewhere(token: str) -> Caller:
    return Caller(ELSEWHERE, LAN_HOST, f"steady-hands-8000={token}", False)


AT_HOME = Caller("127.0.0.1", HOST, "", False)


def test_each_of_many_beats_is_told_what_it_would_be_told_alone(owner: Visitor) -> None:
    first, second = owner.started(), owner.started("short", "pause")
    here, gone = joined(owner, Role.DISPLAY).token, joined(owner, Role.DISPLAY).token
    found = Devices(owner.app.extensions["site"].storage).find(gone, owner.clock.now())
    assert found is not None
    Devices(owner.app.extensions["site"].storage).revoke(found[0], owner.clock.now())
    now = owner.clock.now()
    asked = [
        HeartbeatRequest(first, 1, 0, from_elsewhere(here)),
        HeartbeatRequest(first, 0, 0, from_elsewhere(here)),
        HeartbeatRequest(second, 2, now + 1, from_elsewhere(here)),
        HeartbeatRequest(second, 2, now, from_elsewhere(here)),
        HeartbeatRequest(first, 1, 0, from_elsewhere(gone)),
        HeartbeatRequest(first, 1, 0, from_elsewhere("nobody")),
        HeartbeatRequest(first, 1, 0, from_elsewhere("")),
        HeartbeatRequest("no-such-session", 1, 0, from_elsewhere(here)),
        HeartbeatRequest(first, 1, 0, AT_HOME),
        HeartbeatRequest(second, 1, 0, AT_HOME),
        HeartbeatRequest(first, 1, 0, None),
    ]
    alone = [beat_of(owner).answers([one])[0] for one in asked]
    assert [told and told[0] for told in alone] == (
        [204, None, 204, None, 401, 401, 401, None, 204, None, 204]
    )
    with owner.queries() as queries:
        assert together(owner, asked) == alone
    assert len(queries) == (1 if owner.storage.database.shared else 10)  # one has no cookie


@pytest.mark.parametrize("count", [1, 2, MOST_BEATS + 1])
def test_any_number_of_beats_is_answered(owner: Visitor, count: int) -> None:
    session_id = owner.started()
    asked = [HeartbeatRequest(session_id, 1 - n % 2, 0, None) for n in range(count)]
    with owner.queries() as queries:
        told = together(owner, asked)
    assert [one and one[0] for one in told] == [None if n % 2 else 204 for n in range(count)]
    shared = owner.storage.database.shared
    assert len(queries) == (-(-count // MOST_BEATS) if shared else count)


def test_a_device_whose_beats_come_together_is_seen(owner: Visitor) -> None:
    session_id, token = owner.started(), joined(owner, Role.DISPLAY).token
    devices = devices_of(owner.app.extensions["site"])
    owner.clock.forward(90)
    together(owner, [HeartbeatRequest(session_id, 1, 0, from_elsewhere(token))] * 2)
    (device,), _ = devices.all()
    assert device.seen_at == owner.clock.now()


def failing(error: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


def test_without_the_database_each_is_told_to_come_again(
    owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = owner.started()
    monkeypatch.setattr(owner.storage, "read", failing(AwayError("away")))
    told = together(owner, [HeartbeatRequest(session_id, 1, 0, None)] * 3)
    assert [one and one[0] for one in told] == [503, 503, 503]
    assert one_header(told[0], "Retry-After") == "2"


def one_header(told: HeartbeatResponse | None, name: str) -> str:
    assert told
    return dict(told[1])[name]


def test_a_fault_of_ours_is_told_to_each_of_them(
    owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None waits for ever, and the next ones are answered."""
    session_id = owner.started()
    beats = HeartbeatBatcher(beat_of(owner), together=True)
    asked = HeartbeatRequest(session_id, 1, 0, None)

    async def ask() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(owner.storage, "read", failing(ZeroDivisionError()))
            results = await asyncio.gather(
                beats.answer(asked), beats.answer(asked), return_exceptions=True
            )
            assert [type(one) for one in results] == [ZeroDivisionError, ZeroDivisionError]
        told = await beats.answer(asked)
        assert told == (204, beats.heartbeat.headers)

    asyncio.run(asyncio.wait_for(ask(), 20))


def test_a_page_that_went_away_keeps_nobody_waiting(owner: Visitor) -> None:
    session_id = owner.started()
    beats = HeartbeatBatcher(beat_of(owner), together=True)
    asked = HeartbeatRequest(session_id, 1, 0, None)

    async def ask() -> None:
        gone, stays = (asyncio.ensure_future(beats.answer(asked)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        if not owner.storage.database.shared:  # one at a time is all that SQLite is asked
            beats.waiting.pop(0)
        told = await stays
        assert told == (204, beats.heartbeat.headers)

    asyncio.run(asyncio.wait_for(ask(), 20))


def test_the_time_is_that_of_the_sending(owner: Visitor) -> None:
    """Pages set their clocks by it; what waited for others is not late."""
    session_id = owner.started()
    (told,) = together(owner, [HeartbeatRequest(session_id, 1, 0, None)])
    assert told
    owner.clock.forward(0.25)
    assert one_header(beat_of(owner).add_time(told), "X-Now") == str(owner.clock.now())
