"""Admission check: whether the screening answers still allow an act of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.domain.plan import Plan
from webapp.domain.screening import ANSWERS_COUNT_MS, READING_COUNTS_MS, Admission, refusal
from webapp.domain.session import Action, Event, State, hands_on_over

LEADS_ON: tuple[Action, ...] = ("start", "resume", "next", "back", "restart", "release")
START_NEEDS_THE_SERVER = "A session starts only when the server has seen the answers."
TOO_OLD = "The answers or the reading are too old for a first touch."
PAUSED_TOO_LONG = "The pause was long, and much can change. End this session, then answer again."


@dataclass(frozen=True, slots=True)
class AdmissionCheck:
    """A session's plan and admission, with the protocol and the rules as they are now.

    ``protocol_hash`` is None where the protocol is gone. Instants are ms of the server's clock.
    """

    plan: Plan
    admission: Admission | None
    protocol_hash: str | None
    rules_hash: str

    def refusal_of(self, events: Sequence[Event], state: State, action: Action, at: int) -> str:
        """Return why ``action`` may not count in ``state`` after ``events``; empty when it may."""
        if action not in LEADS_ON:
            return ""
        if self.before_first_touch(state):
            why = refusal(self.admission, self.protocol_hash, self.rules_hash, at)
            if why:
                return why
        return PAUSED_TOO_LONG if self.paused_too_long(events, state, at) else ""

    def before_first_touch(self, state: State) -> bool:
        """Return True while no hands have been at work: later the answers have done theirs."""
        at_work = state.status in ("running", "waiting")
        return not any(
            state.done[i] or (i == state.index and at_work)
            for i, step in enumerate(self.plan.steps)
            if step.hands_on
        )

    def paused_too_long(self, events: Sequence[Event], state: State, at: int) -> bool:
        """Return True when hands have been away for longer than :attr:`longest_pause_ms`."""
        if state.status != "paused" or hands_on_over(self.plan, state.index):
            return False
        since = next((e.at for e in reversed(events) if e.kind in ("pause", "doubt")), at)
        return self.longest_pause_ms is not None and at - since > self.longest_pause_ms

    @property
    def longest_pause_ms(self) -> int | None:
        """As long as answers count, with diabetes the reading; None: for ever."""
        if self.admission is None:
            return None
        return READING_COUNTS_MS if self.admission.needs_reading else ANSWERS_COUNT_MS

    def payload(self) -> dict[str, object]:
        """Return what a page must know to keep to the same without the server::

        {"until": ms | null, "pauseMs": ms | null, "words": {"start", "old", "paused"}}
        """
        until = self.admission.counts_until if self.admission else None
        words = {"start": START_NEEDS_THE_SERVER, "old": TOO_OLD, "paused": PAUSED_TOO_LONG}
        return {"until": until, "pauseMs": self.longest_pause_ms, "words": words}
