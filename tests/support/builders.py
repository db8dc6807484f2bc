"""Small protocols, plans and courses of events, so that a test says only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from webapp.domain.commands import act
from webapp.domain.plan import Plan, fit
from webapp.domain.protocol import Duration, Entry, Phase, Protocol, Rules, SideGroup, Step
from webapp.domain.session import Action, Event, State, fold
from webapp.protocol_files.loader import Library, load

PROTOCOLS = Path(__file__).resolve().parents[2] / "protocols"
WITHHELD = ("honey-neck", "neck-front-self")
SHIPPED = tuple(sorted(path.stem for path in PROTOCOLS.glob("*.json") if path.stem not in WITHHELD))

Seconds = tuple[int, int, int]
Act = tuple[Action | Literal["doubt"], int] | tuple[Literal["end-at"], int, int]


@cache
def shipped() -> Library:
    """The protocols of the repository, loaded once."""
    return load(PROTOCOLS, PROTOCOLS)


def shipped_protocol(protocol_id: str) -> Protocol:
    return shipped().entries[protocol_id].protocol


def phase_dict(phase_id: str, seconds: Seconds = (30, 60, 90), **more: Any) -> dict[str, Any]:
    """A phase as a file has it; ``more`` overrides any field."""
    least, usual, most = seconds
    return {
        "id": phase_id,
        "technique": "stroking",
        "title": phase_id.capitalize(),
        "area": "whole-back",
        "side": "both",
        "pressure": 2,
        "seconds": {"min": least, "usual": usual, "max": most},
        "instructions": ["Quiet strokes."],
        "origin": "inferred",
        **more,
    }


def phase(phase_id: str, seconds: Seconds = (30, 60, 90), **more: Any) -> Phase:
    return Phase.model_validate(phase_dict(phase_id, seconds, **more), strict=False)


def sides(*phases: Phase, change_seconds: int = 0) -> SideGroup:
    """A group for left and right; ``change_seconds`` 0 means that the change only waits."""
    inner = tuple(item.model_copy(update={"side": None}) for item in phases)
    seconds = {"min": 0, "usual": change_seconds, "max": change_seconds} if change_seconds else None
    return SideGroup.model_validate(
        {
            "for_sides": ["left", "right"],
            "change": {"text": "Now the other side.", "seconds": seconds},
            "phases": inner,
        },
        strict=False,
    )


def step(step_id: str, seconds: int = 0, *, wait: bool = False, optional: bool = False) -> Step:
    """A step of preparation or aftercare; 0 seconds means that it waits until told."""
    duration = Duration(min=seconds, usual=seconds, max=seconds) if seconds else None
    return Step(
        id=step_id,
        title=step_id.capitalize(),
        text="Do this.",
        seconds=duration,
        wait=wait,
        optional=optional,
        origin="inferred",
    )


def rules(
    *,
    share: dict[str, float] | None = None,
    cap: dict[str, int] | None = None,
    counting: Sequence[str] = (),
    first: str | None = None,
    last: str | None = None,
) -> Rules:
    """``counting`` names the caps that go on counting in a pause."""
    return Rules.model_validate(
        {
            "share": [{"technique": t, "more_than": f} for t, f in (share or {}).items()],
            "cap": [
                {"tag": tag, "seconds": s, "counts_while_paused": tag in counting}
                for tag, s in (cap or {}).items()
            ],
            "first": first,
            "last": last,
        },
        strict=False,
    )


def numbered(count: int) -> tuple[Phase, ...]:
    """``count`` plain phases of 30 to 90 s."""
    return tuple(phase(f"phase-{number}") for number in range(1, count + 1))


def protocol(
    *entries: Entry,
    session: Seconds | None = None,
    rules: Rules = Rules(),  # noqa: B008 (frozen)
    prepare: Sequence[Step] = (),
    aftercare: Sequence[Step] = (),
    **more: Any,
) -> Protocol:
    """A protocol whose session is the sum of its phases unless told otherwise.

    ``more`` overrides any field; with ``format=2`` there is a move between two places.
    """
    all_of = [
        (p.seconds.min, p.seconds.usual, p.seconds.max)
        for entry in entries
        for p in (entry.phases * 2 if isinstance(entry, SideGroup) else (entry,))
        if not p.optional
    ]
    least, usual, most = session or tuple(map(sum, zip(*all_of, strict=True)))
    return Protocol.model_validate(
        {
            "format": 1,
            "id": "built",
            "title": "Built",
            "summary": "For a test.",
            "condition": "spinal-osteochondrosis",
            "regions": ["back"],
            "performer": ["helper"],
            "position": "Lying.",
            "postures": (),
            "access": "open",
            "evidence": {"grade": "traditional", "note": "None."},
            "session": {"min": least, "usual": usual, "max": most},
            "rules": rules,
            "prepare": tuple(prepare),
            "aftercare": tuple(aftercare),
            "phases": entries,
            **more,
        },
        strict=False,
    )


def usual_plan(protocol: Protocol, chosen: frozenset[str] = frozenset()) -> Plan:
    assert protocol.session is not None
    return fit(protocol, protocol.session.usual, chosen)


def simple_plan(count: int = 3) -> Plan:
    """``ready-1`` (waits), ``count`` phases of 60 s, ``rest`` (120 s)."""
    return usual_plan(
        protocol(*numbered(count), prepare=[step("ready-1")], aftercare=[step("rest", 120)])
    )


def happened(plan: Plan, *acts: Act, before: Sequence[Event] = ()) -> tuple[Event, ...]:
    """The events of a session in which ``acts`` were asked for one after the other."""
    events = tuple(before)
    for action, at, *more in acts:
        key = f"key-{len(events) + 1:04}"
        if action == "doubt":
            events += (Event(len(events) + 1, key, "doubt", at),)
        else:
            events += (act(plan, events, action, at, key, *more),)
    return events


def after(plan: Plan, *acts: Act) -> State:
    return fold(plan, happened(plan, *acts))
