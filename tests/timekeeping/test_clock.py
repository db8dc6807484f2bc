"""Steps of the wall clock, reboots and sleep: doubt pauses, it never advances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.support.visitor import MORNING, Visitor, visit
from webapp.storage.sessions import Storage
from webapp.timekeeping import clock as clock_module
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.liveness import LOST_MS, LifeSigns, wake


class Machine:
    """The machine that the clock reads."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.boot, self.steady, self.wall = "boot-1", 5_000_000, MORNING
        patch.setattr(clock_module, "steady_ms", lambda: self.steady)
        patch.setattr(clock_module, "wall_ms", lambda: self.wall)
        patch.setattr(clock_module, "boot_id", lambda: self.boot)

    def pass_ms(self, ms: int) -> None:
        self.steady += ms
        self.wall += ms

    def reboot(self, ms: int) -> None:
        """Off for ``ms``; the steady clock begins anew."""
        self.boot, self.steady, self.wall = f"{self.boot}+", 1_000, self.wall + ms


class Place(Visitor):
    """A visitor of a site that runs on the machine's clock."""

    machine: Machine

    def restart(self) -> int:
        """A new process on the same database; how many sessions it paused."""
        self.storage.cache.clear()
        clock = Clock()
        site = self.app.extensions["site"]
        self.app.extensions["site"] = replace(site, clock=clock)
        return wake(self.storage, clock)

    @property
    def site_clock(self) -> Clock:
        clock: Clock = self.app.extensions["site"].clock
        return clock


@pytest.fixture
def place(small_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    machine = Machine(monkeypatch)
    for visitor in visit(small_app, tmp_path):
        here = Place(visitor.app, visitor.client, visitor.clock, visitor.storage)
        here.machine = machine
        here.restart()
        yield here


def test_within_one_boot_a_restart_goes_on_at_the_exact_millisecond(place: Place) -> None:
    session_id = place.started("long")
    place.machine.pass_ms(4_000)
    place.storage.store_sign_of_life(place.site_clock.sign_of_life())
    place.machine.pass_ms(3_210)
    place.machine.wall += 3_600_000
    assert place.restart() == 0
    live = place.live(session_id)
    assert (live["data-status"], live["data-remaining-ms"]) == ("running", str(600_000 - 7_210))


def test_phases_that_ended_while_the_server_was_away_are_over(place: Place) -> None:
    session_id = place.started("short")
    place.machine.pass_ms(21_500)
    assert place.restart() == 0
    live = place.live(session_id)
    assert (live["data-step"], live["data-remaining-ms"]) == ("three", "8500")


@pytest.mark.parametrize("away_ms", [0, 500, 5_000, 3_500_000])
def test_after_another_boot_a_running_session_is_paused_at_the_last_sign_of_life_and_asks(
    place: Place, away_ms: int
) -> None:
    session_id = place.started("long")
    place.machine.pass_ms(4_000)
    place.storage.store_sign_of_life(place.site_clock.sign_of_life())
    place.machine.pass_ms(2_000)
    place.machine.reboot(away_ms)
    assert place.restart() == 1
    live = place.live(session_id)
    assert (live["data-status"], live["data-remaining-ms"]) == ("paused", "596000")
    assert "time was lost" in place.page(f"/sessions/{session_id}").source
    place.machine.pass_ms(60_000)
    place.done(session_id, "resume")
    place.machine.pass_ms(1_000)
    assert place.live(session_id)["data-remaining-ms"] == "595000"
    assert "time was lost" not in place.page(f"/sessions/{session_id}").source


def test_after_more_than_an_hour_away_the_answers_no_longer_count(place: Place) -> None:
    session_id = place.started("long")
    place.machine.pass_ms(4_000)
    place.machine.reboot(3_600_001)
    assert place.restart() == 1
    answer = place.act(session_id, "resume")
    assert answer.status_code == 409
    assert "Answer the questions again" in answer.text
    assert place.live(session_id)["data-status"] == "paused"


def test_a_second_restart_after_the_doubt_pauses_nothing_again(place: Place) -> None:
    session_id = place.started("long")
    place.machine.reboot(5_000)
    assert place.restart() == 1
    place.machine.pass_ms(5_000)
    assert place.restart() == 0
    assert place.seq(session_id) == 2


@pytest.mark.parametrize(
    ("protocol", "acts", "status"),
    [
        ("sided", ("start",), "waiting"),
        ("long", ("start", "pause"), "paused"),
        ("long", (), "ready"),
        ("long", ("start", "stop"), "stopped"),
    ],
)
def test_doubt_does_not_touch_a_session_that_was_not_running(
    place: Place, protocol: str, acts: tuple[str, ...], status: str
) -> None:
    session_id = place.prepare(protocol)
    place.done(session_id, *acts)
    place.machine.reboot(5_000)
    assert place.restart() == 0
    assert place.seq(session_id) == len(acts)
    page = place.page(f"/sessions/{session_id}")
    assert page.by_id("session-live").attrs["data-status"] == status
    assert "time was lost" not in page.source


def test_a_session_that_was_over_before_the_reboot_stays_finished(place: Place) -> None:
    session_id = place.started("short")
    place.machine.pass_ms(90_000)
    place.storage.store_sign_of_life(place.site_clock.sign_of_life())
    place.machine.reboot(5_000)
    assert place.restart() == 0
    assert place.live(session_id)["data-status"] == "finished"


def test_an_act_after_the_last_sign_of_life_is_kept(place: Place) -> None:
    session_id = place.started("long")
    place.machine.pass_ms(4_000)
    place.done(session_id, "pause", "resume")
    place.machine.pass_ms(2_000)
    place.machine.reboot(0)
    assert place.restart() == 1
    live = place.live(session_id)
    assert (live["data-seq"], live["data-remaining-ms"]) == ("4", "596000")


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000, 50, -86_400_000])
def test_a_step_of_the_wall_clock_changes_nothing_while_the_process_lives(
    place: Place, step_ms: int
) -> None:
    session_id = place.started("long")
    place.machine.pass_ms(4_000)
    place.machine.wall += step_ms
    place.machine.pass_ms(1_000)
    live = place.live(session_id)
    assert (live["data-status"], live["data-remaining-ms"]) == ("running", "595000")


def test_the_clock_never_goes_back_when_the_wall_stands_earlier_after_a_reboot(
    place: Place,
) -> None:
    place.machine.pass_ms(4_000)
    place.storage.store_sign_of_life(place.site_clock.sign_of_life())
    told = place.site_clock.now()
    place.machine.reboot(-3_600_000)
    place.restart()
    assert place.site_clock.now() >= told


@pytest.mark.parametrize(("away_ms", "paused"), [(60_000, 0), (60_001, 1)])
def test_without_a_boot_id_a_short_absence_counts_as_the_same_boot(
    place: Place, away_ms: int, paused: int
) -> None:
    place.machine.boot = ""
    place.storage.store_sign_of_life(Clock().sign_of_life())
    place.restart()
    session_id = place.started("long")
    place.machine.pass_ms(away_ms)
    assert place.restart() == paused
    assert place.live(session_id)["data-remaining-ms"] == str(600_000 - (0 if paused else away_ms))


def tell(storage: Storage, clock: Clock, last: int) -> int:
    return LifeSigns(storage, clock).renew_sign(last)


def test_lost_time_pauses_at_the_last_sign_and_a_late_sign_does_not(place: Place) -> None:
    session_id = place.started("long")
    last = place.site_clock.now()
    place.machine.pass_ms(LOST_MS)
    last = tell(place.storage, place.site_clock, last)
    assert place.live(session_id)["data-status"] == "running"
    place.machine.pass_ms(LOST_MS + 1)
    told = tell(place.storage, place.site_clock, last)
    live = place.live(session_id)
    assert (live["data-status"], live["data-remaining-ms"]) == ("paused", str(600_000 - LOST_MS))
    assert "time was lost" in place.page(f"/sessions/{session_id}").source
    sign = place.storage.last_sign_of_life()
    assert sign is not None
    assert sign.now == told == place.site_clock.now()


def test_whatever_goes_wrong_the_next_sign_of_life_comes(place: Place) -> None:
    """Seen to fail with ``run`` calling both without a net: thread and signs ended."""
    rounds: list[int] = []

    def tell(last: int) -> int:
        rounds.append(last)
        return last + 1

    def broken(_: int) -> None:
        raise RuntimeError("nobody thought of that")

    signs = LifeSigns(place.storage, place.site_clock, tell, seen=broken)
    assert signs.once(7) == 8
    assert signs.once(8) == 9
    assert rounds == [7, 8]


def test_a_sign_of_life_that_cannot_be_saved_ends_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.storage.sessions import NotSavedError

    def full(_sign: object) -> None:
        raise NotSavedError

    last = place.site_clock.now()
    monkeypatch.setattr(place.storage, "store_sign_of_life", full)
    place.machine.pass_ms(10_000)
    assert tell(place.storage, place.site_clock, last) == last + 10_000
