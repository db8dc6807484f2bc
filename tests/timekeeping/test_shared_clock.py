"""Several processes on PostgreSQL, on machines with clocks of their own: one line of time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.builders import happened, phase, protocol, usual_plan
from tests.support.visitor import MORNING, visit
from webapp.maintenance.opening import open_postgresql
from webapp.storage.sessions import Storage
from webapp.timekeeping import clock as clock_module
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.liveness import LOST_MS
from webapp.timekeeping.presence import Presence
from webapp.timekeeping.shared_clock import SLEW_MS, SharedClock, View


class World:
    """True time, the database server's clock, and machines with a steady clock and a boot."""

    def __init__(self, patch: pytest.MonkeyPatch, storage: Storage) -> None:
        self.patch = patch
        self.storage = storage
        self.now = 0
        self.database_is_ahead = 0
        self.database_started = MORNING - 86_400_000
        patch.setattr(
            "webapp.timekeeping.shared_clock.sleep",
            lambda seconds: self.pass_ms(int(seconds * 1000)),
        )

    def pass_ms(self, ms: int) -> None:
        self.now += ms

    def database_ms(self) -> int:
        return MORNING + self.now + self.database_is_ahead


class Machine:
    """Its steady clock began anew at its boot; ``wall_is_off`` is how wrong its wall clock is."""

    def __init__(self, world: World, name: str, boot_at: int = 0, wall_is_off: int = 0) -> None:
        self.world, self.name, self.wall_is_off = world, name, wall_is_off
        self.boot_at, self.boots, self.asleep = boot_at, 0, 0

    def steady(self) -> int:
        return self.world.now - self.boot_at + 1_000 - self.asleep

    def start(self) -> tuple[Process, int]:
        """A new process on this machine, and how many sessions its start paused."""
        process = Process(self)
        return process, process.on(process.shared_clock.wake)

    def reboot(self) -> None:
        self.boots += 1
        self.boot_at = self.world.now


class Process:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.on_machine()
        self.clock = Clock()
        self.storage = machine.world.storage
        self.shared_clock = FakedReading(self.storage, self.clock, machine.world)
        self.last = 0

    def on_machine(self) -> None:
        machine, patch = self.machine, self.machine.world.patch
        patch.setattr(clock_module, "steady_ms", machine.steady)
        patch.setattr(
            clock_module, "wall_ms", lambda: MORNING + machine.world.now + machine.wall_is_off
        )
        patch.setattr(clock_module, "boot_id", lambda: f"{machine.name}-{machine.boots}")

    def on(self, act: object, *arguments: object) -> int:
        self.on_machine()
        value = act(*arguments)  # type: ignore[operator]
        self.last = self.clock.now()
        return int(value)

    def beat(self) -> None:
        self.on(self.shared_clock.renew_sign, self.last)

    def now(self) -> int:
        self.on_machine()
        return self.clock.now()


class FakedReading(SharedClock):
    """Reads the true rows; the clock of the database's server is the world's."""

    def __init__(self, storage: Storage, clock: Clock, world: World) -> None:
        super().__init__(storage, clock)
        self.world = world

    def read(self) -> View:
        seen = super().read()
        now, started = self.world.database_ms(), self.world.database_started
        return View(self.clock.now(), 0, now, started, seen.correction, seen.signs)


@pytest.fixture
def world(tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    storage = open_postgresql(postgresql_url, tmp_path)
    yield World(monkeypatch, storage)
    storage.close()


def running(world: World, at: int) -> str:
    """A session that runs for an hour from ``at``."""
    plan = usual_plan(protocol(phase("long", (3_000, 3_600, 3_600))))
    stored = world.storage.load(world.storage.create(plan, "hash", at))
    assert stored
    for event in happened(plan, ("start", at)):
        stored = world.storage.record(stored, event)
    assert stored.folded.status == "running"
    return stored.id


def status(world: World, session_id: str) -> str:
    stored = world.storage.load(session_id)
    assert stored
    return stored.folded.status


def test_machines_with_wrong_clocks_share_one_line(world: World) -> None:
    one, _ = Machine(world, "a", wall_is_off=3_600_000).start()
    two, _ = Machine(world, "b", boot_at=-777_000, wall_is_off=-99_000).start()
    assert one.now() == two.now() == world.database_ms()
    world.pass_ms(123_456)
    assert one.now() == two.now() == world.database_ms()


def test_a_restart_of_one_process_pauses_nothing_while_another_lives(world: World) -> None:
    a, b = Machine(world, "a"), Machine(world, "b")
    a.start()
    two, _ = b.start()
    session_id = running(world, two.now())
    for _ in range(12):
        world.pass_ms(10_000)
        two.beat()
    a.reboot()
    again, paused = a.start()
    assert paused == 0
    assert status(world, session_id) == "running"
    assert again.now() == two.now()


def test_alone_a_restart_in_the_same_boot_goes_on_at_the_exact_millisecond(world: World) -> None:
    a = Machine(world, "a")
    one, _ = a.start()
    session_id = running(world, one.now())
    world.pass_ms(20_000)
    then = one.now()
    world.pass_ms(3_000_000)
    world.database_is_ahead = 3_600_000  # somebody set the clock of the database's server
    again, paused = a.start()
    assert paused == 0
    assert again.now() == then + 3_000_000
    assert status(world, session_id) == "running"
    other, _ = Machine(world, "b").start()
    assert other.now() == again.now()


def test_when_nobody_lived_through_a_reboot_what_ran_is_paused_at_the_last_sign(
    world: World,
) -> None:
    a = Machine(world, "a")
    one, _ = a.start()
    session_id = running(world, one.now())
    world.pass_ms(10_000)
    one.beat()
    told = one.last
    world.pass_ms(90_000)
    a.reboot()
    _, paused = a.start()
    assert paused == 1
    stored = world.storage.load(session_id)
    assert stored
    assert (stored.folded.status, stored.folded.time_lost, stored.events[-1].at) == (
        "paused",
        True,
        told,
    )


@pytest.mark.parametrize(
    ("away_ms", "server_restarted", "paused"),
    [(40_000, False, 0), (40_000, True, 1), (61_000, False, 1)],
)
def test_a_short_absence_is_measured_by_a_database_that_was_there_all_the_time(
    world: World, away_ms: int, server_restarted: bool, paused: int
) -> None:
    one, _ = Machine(world, "a").start()
    session_id = running(world, one.now())
    before = one.now()
    world.pass_ms(away_ms)
    if server_restarted:
        world.database_started = world.database_ms() - 1_000
    two, found = Machine(world, "b").start()
    assert found == paused
    if not paused:
        assert two.now() == before + away_ms
    assert status(world, session_id) == ("paused" if paused else "running")


def test_a_start_in_doubt_first_listens_for_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away: the signs of those who live are old, and new in a moment."""
    one, _ = Machine(world, "a").start()
    session_id = running(world, one.now())
    world.pass_ms(120_000)
    one.last = one.now()  # it lived, but could not tell
    world.database_started = world.database_ms()

    def sleep(seconds: float) -> None:
        world.pass_ms(int(seconds * 1000))
        here = two.machine
        one.beat()
        Process.on_machine(two)
        assert here.name == "b"

    monkeypatch.setattr("webapp.timekeeping.shared_clock.sleep", sleep)
    b = Machine(world, "b")
    two = Process(b)
    assert two.on(two.shared_clock.wake) == 0
    assert status(world, session_id) == "running"
    assert two.now() == one.now()


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000, 5_000])
def test_a_step_of_the_databases_clock_moves_no_process_and_newcomers_join_them(
    world: World, step_ms: int
) -> None:
    one, _ = Machine(world, "a").start()
    two, _ = Machine(world, "b").start()
    world.pass_ms(10_000)
    one.beat()
    two.beat()
    true = world.database_ms()
    world.database_is_ahead += step_ms
    world.pass_ms(10_000)
    one.beat()
    two.beat()
    three, paused = Machine(world, "c").start()
    assert paused == 0
    assert one.now() == two.now() == three.now() == true + 10_000


def test_a_machine_that_was_stopped_joins_the_line_again(world: World) -> None:
    a, b = Machine(world, "a"), Machine(world, "b")
    one, _ = a.start()
    two, _ = b.start()
    session_id = running(world, one.now())
    for _ in range(7):
        world.pass_ms(10_000)
        two.beat()
    one.beat()  # its clock counts the time in which it was stopped
    assert status(world, session_id) == "running"
    assert one.now() == two.now()


def test_when_all_were_stopped_what_ran_is_paused(world: World) -> None:
    one, _ = Machine(world, "a").start()
    two, _ = Machine(world, "b").start()
    session_id = running(world, one.now())
    last = one.last
    world.pass_ms(LOST_MS + 1_000)
    one.beat()
    two.beat()
    stored = world.storage.load(session_id)
    assert stored
    assert [event.kind for event in stored.events] == ["start", "doubt"]
    assert stored.events[-1].at == last


def test_drift_is_taken_back_a_little_at_a_time(world: World) -> None:
    one, _ = Machine(world, "a").start()
    world.database_is_ahead += 12
    offs = []
    for _ in range(4):
        world.pass_ms(10_000)
        one.beat()
        offs.append(world.database_ms() - one.now())
    assert offs == [12 - SLEW_MS, 12 - 2 * SLEW_MS, 0, 0]


def test_signs_of_long_ago_are_forgotten(world: World) -> None:
    Machine(world, "a").start()
    one, _ = Machine(world, "b").start()
    for _ in range(3):
        world.pass_ms(43_200_001)
        one.beat()
    assert [sign.process for sign in one.shared_clock.read().signs] == [one.shared_clock.process]


def test_what_one_process_saw_is_no_gap_for_another(
    small_app: Flask, tmp_path: Path, postgresql_url: str
) -> None:
    """Seen to fail with ``store_sights`` doing nothing: the second process notes a gap."""
    for visitor in visit(small_app, tmp_path, postgresql_url):
        watched, left = visitor.started("long"), visitor.started("long")
        begun = visitor.clock.now()
        here, there = Presence(visitor.storage), Presence(visitor.storage)
        for process in (here, there):
            process.begin(begun)
        for _ in range(6):
            visitor.clock.forward(5)
            here.note(watched, visitor.clock.now())
            here.sweep(visitor.clock.now())
        there.sweep(visitor.clock.now())
        assert here.notes_of(watched).gaps == []
        assert [gap.since for gap in there.notes_of(left).gaps] == [begun]
