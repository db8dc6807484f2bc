"""Several devices around one session, as a machine of states that Hypothesis drives.

They act with fresh and stale forms, lose answers and send again, go offline, act alone and hand
over (twice, when the answer was lost); the server restarts, time passes, time is doubted. After
every step the history must hold what was acknowledged once and in order, and the rules of time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from werkzeug.test import TestResponse

from tests.support.visitor import Visitor
from webapp.domain.commands import decide
from webapp.domain.session import (
    STOPS,
    TRANSITIONS,
    Action,
    Event,
    RefusedError,
    State,
    advance,
    fold,
    tagged,
)
from webapp.domain.sync import OfflineCommand, step_id
from webapp.maintenance.opening import open_sqlite
from webapp.storage.sessions import Stored
from webapp.timekeeping.liveness import pause_one

LIVE = re.compile(r'data-status="(\w+)" data-step="([\w-]*)" data-seq="(\d+)"')
LEFT = re.compile(r'data-remaining-ms="(\d+)"')
KINDS: tuple[Action, ...] = (*TRANSITIONS["paused"], "pause")
USUAL = st.sampled_from([kind for kind in KINDS if kind not in ("end", *STOPS)])
ENDING: st.SearchStrategy[Action] = st.sampled_from(["end", "low", "stop"])
DEVICES = st.integers(0, 2)
PROTOCOLS = st.sampled_from(["short", "sided", "cups", "long"])
TAPS = st.lists(
    st.tuples(DEVICES, USUAL, st.booleans(), st.integers(0, 800)), min_size=6, max_size=16
)
PASSING = st.sampled_from([0, 500, 5_000, 10_000, 10_001, 60_000, 3_700_000])


@dataclass
class Device:
    """What one screen knows: the server's events of its last answer, and what it did since."""

    known: tuple[Event, ...] = ()
    step: str = ""
    alone: bool = False
    queue: list[OfflineCommand] = field(default_factory=list)
    own: list[Event] = field(default_factory=list)
    unheard: tuple[Action, dict[str, str]] | None = None


class Devices(RuleBasedStateMachine):
    """``visitor`` and ``path`` are set by the test; ``commands`` counts what was sent."""

    visitor: ClassVar[Visitor]
    commands: ClassVar[int] = 0
    kinds: ClassVar[set[str]] = set()
    numbers: ClassVar[int] = 0

    @initialize(protocol=PROTOCOLS)
    def begin(self, protocol: str) -> None:
        self.protocol, self.bursts = protocol, 0
        self.id = self.visitor.prepare(protocol)
        self.visitor.done(self.id, "start")
        Devices.commands += 1
        stored = self.stored()
        self.acknowledged = [event.key for event in stored.events]
        self.history = stored.events
        self.stopped = False
        self.devices = [Device() for _ in range(3)]
        for device in self.devices:
            self.learn(device)

    # -- what happens ------------------------------------------------------------------------

    @rule(taps=TAPS)
    def people_tap(self, taps: list[tuple[int, Action, bool, int]]) -> None:
        if self.bursts > 2 and self.state().status in ("stopped", "finished"):
            self.teardown()
            self.begin(self.protocol)
        self.bursts += 1
        for number, action, lost, ms in taps:
            self.act(self.devices[number], action, lost)
            self.time_passes(ms)

    @precondition(lambda self: self.bursts > 1)
    @rule(number=DEVICES, action=ENDING, lost=st.booleans(), alone=st.booleans())
    def somebody_ends(self, number: int, action: Action, lost: bool, alone: bool) -> None:
        self.devices[number].alone |= alone
        self.act(self.devices[number], action, lost)

    @rule(number=DEVICES)
    def sends_again(self, number: int) -> None:
        device = self.devices[number]
        if device.unheard and not device.alone:
            action, form = device.unheard
            counted = form["key"] in self.acknowledged
            answer = self.send(device, action, form, lost=False)
            assert answer.status_code in (200, 303) or not counted

    @rule(number=DEVICES)
    def looks(self, number: int) -> None:
        device = self.devices[number]
        if not device.alone and not device.queue:
            self.learn(device)

    @rule(number=DEVICES)
    def goes_offline(self, number: int) -> None:
        self.devices[number].alone = True

    @rule(number=DEVICES, lost=st.booleans())
    def comes_back(self, number: int, lost: bool) -> None:
        device = self.devices[number]
        device.alone = False
        if device.queue:
            self.hand_over(device, lost)

    @rule(ms=PASSING)
    def time_passes(self, ms: int) -> None:
        self.visitor.clock.forward(ms / 1000)

    @rule()
    def server_restarts(self) -> None:
        restart(self.visitor)

    @rule(ago=st.integers(0, 20_000))
    def time_is_doubted(self, ago: int) -> None:
        pause_one(self.visitor.storage, self.stored(), self.visitor.clock.now() - ago)

    # -- how -----------------------------------------------------------------------------------

    def act(self, device: Device, action: Action, lost: bool) -> None:
        Devices.commands += 1
        Devices.kinds.add(f"{action}{' alone' if device.alone or device.queue else ''}")
        if device.alone or device.queue:
            self.act_alone(device, action)
            return
        form = {"key": self.key(), "seq": str(len(device.known)), "step": device.step}
        if action == "end-at":
            form["time"] = self.visitor.clock.wall_time(300_000).strftime("%H:%M")
        self.send(device, action, form, lost)

    def send(
        self, device: Device, action: Action, form: dict[str, str], lost: bool
    ) -> TestResponse:
        fresh = form["seq"] == str(self.stored().seq)
        here = step_id(self.stored().plan, self.state()) == form["step"]
        refused = not (fresh and here) and not self.stored().has_key(form["key"])
        path = f"/sessions/{self.id}/{action}"
        answer = self.visitor.post(
            path, form, htmx=not fresh
        )  # without htmx success is a short 303
        done = answer.status_code in (200, 303)
        assert done or answer.status_code in (409, 422), answer.text
        keys = [event.key for event in self.stored().events]
        assert done or form["key"] not in keys
        assert not (done and refused) or action in STOPS, "a stale form acted"
        if done and form["key"] in keys and form["key"] not in self.acknowledged:
            self.acknowledged.append(form["key"])
        if action == "stop" or (action == "low" and self.stored().plan.diabetes):
            assert self.state().status in ("stopped", "finished")
        elif done:
            assert form["key"] in keys, "acknowledged and not there"
        device.unheard = (action, form) if lost else None
        if not lost:
            self.learn(device)
        return answer

    def act_alone(self, device: Device, action: Action) -> None:
        """By the device's own view; what its rules refuse is not done."""
        stored, now = self.stored(), self.visitor.clock.now()
        events = (*device.known, *device.own)
        folded = fold(stored.plan, events)
        wish = 300_000 if action == "end-at" else None
        try:
            event = decide(stored.plan, folded, len(events), action, now, self.key(), wish)
        except RefusedError:
            return
        step = step_id(stored.plan, advance(stored.plan, folded, now))
        device.queue.append(
            OfflineCommand(key=event.key, action=action, at=now, step=step, wish_ms=wish)
        )
        device.own.append(event)

    def hand_over(self, device: Device, lost: bool) -> None:
        Devices.kinds.add("account")
        stored, now = self.stored(), self.visitor.clock.now()
        shown = advance(stored.plan, fold(stored.plan, (*device.known, *device.own)), now)
        acts = [command.model_dump(exclude_none=True) for command in device.queue]
        account = {
            "seq": len(device.known),
            "line": now,
            "alone_since": now,
            "counted": True,
            "status": shown.status,
            "acts": acts,
        }
        fields = {"account": json.dumps(account)}
        answer = self.visitor.post(f"/sessions/{self.id}/account", fields, htmx=True)
        assert answer.status_code in (200, 204), answer.text
        keys = [event.key for event in self.stored().events]
        done = [told.key for told in device.queue if told.key in keys]
        assert answer.text.count("Not done:") == len(device.queue) - len(done), answer.text
        self.acknowledged += [key for key in done if key not in self.acknowledged]
        if any(told.action in STOPS for told in device.queue):
            assert self.state().status in ("stopped", "finished")
        if not lost:
            device.queue, device.own = [], []
            self.learn(device)

    def learn(self, device: Device) -> None:
        """Take the server's word, unless something done here waits to be handed over."""
        if device.queue:
            return
        stored = self.stored()
        device.known, device.step = stored.events, step_id(stored.plan, self.state())

    def look(self) -> tuple[str, ...]:
        """What a page shows now."""
        answer = self.visitor.get(f"/sessions/{self.id}/live", htmx=True)
        assert answer.status_code == 200
        live, left = LIVE.search(answer.text), LEFT.search(answer.text)
        assert live
        assert left
        return (*live.groups(), left[1])

    def key(self) -> str:
        Devices.numbers += 1
        return f"key-{Devices.numbers:08}"

    def stored(self) -> Stored:
        stored = self.visitor.storage.load(self.id)
        assert stored
        return stored

    def state(self) -> State:
        stored = self.stored()
        return advance(stored.plan, stored.folded, self.visitor.clock.now())

    # -- what must hold ------------------------------------------------------------------------

    @invariant()
    def history_holds_what_was_acknowledged(self) -> None:
        events = self.stored().events
        assert events[: len(self.history)] == self.history, "history was rewritten"
        self.history = events
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.key for event in events if event.key in set(self.acknowledged)] == (
            self.acknowledged
        )
        at = [event.at for event in events]
        assert at == sorted(at)

    @invariant()
    def time_keeps_its_rules(self) -> None:
        stored, state = self.stored(), self.state()
        assert state == advance(stored.plan, fold(stored.plan, stored.events), state.at)
        assert state.started_at is not None
        assert sum(state.done) <= self.visitor.clock.now() - state.started_at
        for cap in stored.plan.rules.cap:
            done = sum(state.done[i] for i in tagged(stored.plan, cap.tag))
            assert done <= cap.seconds * 1000
        worked = sum(
            ms for ms, step in zip(state.done, stored.plan.steps, strict=True) if step.hands_on
        )
        assert worked <= stored.plan.session_max_seconds * 1000

    @invariant()
    def what_was_stopped_stays_so(self) -> None:
        assert not self.stopped or self.state().status == "stopped"
        self.stopped = self.state().status == "stopped"

    def teardown(self) -> None:
        if not hasattr(self, "devices"):
            return
        for device in self.devices:
            device.alone = False
            if device.unheard:
                self.send(device, *device.unheard, lost=False)
            if device.queue:
                self.hand_over(device, lost=False)
        status, step, seq, _ = self.look()
        assert (status, int(seq)) == (self.state().status, len(self.stored().events))
        assert status in ("stopped", "finished") or step == step_id(
            self.stored().plan, self.state()
        )
        assert len({self.look() for _ in self.devices}) == 1
        self.history_holds_what_was_acknowledged()
        self.time_keeps_its_rules()


def restart(visitor: Visitor) -> None:
    """A new process: nothing of the old one is left but its database."""
    from dataclasses import replace

    from webapp.maintenance.opening import open_database
    from webapp.storage.postgresql import Postgresql
    from webapp.storage.sqlite import Sqlite
    from webapp.timekeeping.presence import Presence

    database = visitor.storage.database
    visitor.storage.close()
    if isinstance(database, Sqlite):
        visitor.storage = open_sqlite(database.path)
    else:
        again = Postgresql(database.parameters, database.folder, database.name)
        visitor.storage = open_database(again)
    site = visitor.app.extensions["site"]
    visitor.app.extensions["site"] = replace(
        site, storage=visitor.storage, presence=Presence(visitor.storage)
    )
