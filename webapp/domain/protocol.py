"""The protocol format: these models are its only definition.

The JSON Schema in ``protocols/schema/`` is generated from them. All times are whole seconds.
Files of format 1 and of format 2 have the same models; which field belongs to which format is
checked in ``webapp/protocol_files/consistency.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

FORMATS = (1, 2)
FORMAT = FORMATS[-1]
MOVE_SECONDS = 5

ORIGIN_PART = r"(base L\d+(-L?\d+)?|source R\d+b?|inferred)"

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=90)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Origin = Annotated[str, StringConstraints(pattern=rf"^{ORIGIN_PART}(; {ORIGIN_PART})*$")]
SecondsCount = Annotated[int, Field(ge=0, le=7200)]

Side = Literal["left", "right", "both", "middle"]
Performer = Literal["therapist", "helper", "self"]
Access = Literal["open", "clearance", "professional", "withheld"]
# How the client has to lie or sit for a protocol at some time.
Posture = Literal["face-down", "face-up", "head-forward"]
# On which of two sides a session begins.
FirstSide = Literal["left", "right"]
Arrow = Literal[
    "up", "down", "outward", "inward", "across", "circles", "spirals", "zigzag", "still"
]


class Model(BaseModel):
    """Frozen and strict: an unknown field or a wrong type is a fault, never a guess."""

    # Built at first use: a start that reads nothing need not wait for the checks of every model.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


def falling(least: int, usual: int, most: int) -> str:
    """What is wrong with bounds that fall."""
    return f"found {least}, {usual}, {most}, expected min <= usual <= max"


class Duration(Model):
    """How long a step may take, in seconds: ``min`` <= ``usual`` <= ``max``."""

    min: SecondsCount
    usual: SecondsCount
    max: Annotated[int, Field(ge=1, le=7200)]

    @model_validator(mode="after")
    def ordered(self) -> Duration:
        """Check that the values rise. Raises ValueError."""
        if not self.min <= self.usual <= self.max:
            raise ValueError(falling(self.min, self.usual, self.max))
        return self


class PhaseDuration(Model):
    """Like :class:`Duration`, but ``usual`` 0 is allowed below ``min`` for an optional phase."""

    min: SecondsCount
    usual: SecondsCount
    max: Annotated[int, Field(ge=5, le=7200)]

    @model_validator(mode="after")
    def ordered(self) -> PhaseDuration:
        """Check that the values rise. Raises ValueError."""
        if self.usual == 0 and self.min > self.max:
            raise ValueError(f"found min {self.min} and max {self.max}, expected min <= max")
        if self.usual and not self.min <= self.usual <= self.max:
            raise ValueError(falling(self.min, self.usual, self.max))
        return self


class Count(Model):
    """How many sessions a course has."""

    min: Annotated[int, Field(ge=1, le=100)]
    usual: Annotated[int, Field(ge=1, le=100)]
    max: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def ordered(self) -> Count:
        """Check that the values rise. Raises ValueError."""
        if not self.min <= self.usual <= self.max:
            raise ValueError(falling(self.min, self.usual, self.max))
        return self


class Span(Model):
    """A calendar span; the parts add up."""

    months: Annotated[int, Field(ge=0, le=24)] = 0
    weeks: Annotated[int, Field(ge=0, le=52)] = 0
    days: Annotated[int, Field(ge=0, le=366)] = 0


class Break(Model):
    """A pause in a long course: after ``after``, nothing for ``pause``."""

    after: Span
    pause: Span


class CourseRules(Model):
    """How sessions follow one another; ``gap_hours`` is the least time between two starts.

    ``gentle_first``: so many sessions at first are short and light (facts.md C01).
    ``review_after``: after this long somebody asks whether it helps (facts.md C45).
    ``most_in_week``: at most so many sessions in any seven days.
    """

    sessions: Count | None = None
    gap_hours: Annotated[int, Field(ge=1, le=1000)]
    break_after: Break | None = None
    repeat_after: Span | None = None
    gentle_first: Annotated[int, Field(ge=0, le=10)] = 0
    review_after: Span | None = None
    most_in_week: Annotated[int, Field(ge=1, le=7)] | None = None
    origin: Origin


class Evidence(Model):
    """What is known, in plain words; ``sources`` are ids in ``catalogue/sources.json``."""

    grade: Literal["guideline", "moderate", "low", "traditional"]
    note: Text
    sources: tuple[str, ...] = ()


class Review(Model):
    """Who went through the content, and when (ISO date)."""

    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    by: Title


class Share(Model):
    """A technique must have more than this fraction of the hands-on time."""

    technique: Id
    more_than: Annotated[float, Field(ge=0, lt=1, strict=False)]


class Cap(Model):
    """All phases with ``tag`` together take at most ``seconds``.

    ``counts_while_paused``: the cap goes on counting in a pause until the performer confirms
    that what the tag names is off the body (cups; facts.md, correction 6).
    """

    tag: Id
    seconds: Annotated[int, Field(ge=5, le=7200)]
    counts_while_paused: bool = False


class Rules(Model):
    """What every fitted plan must keep."""

    share: tuple[Share, ...] = ()
    cap: tuple[Cap, ...] = ()
    first: Id | None = None
    last: Id | None = None


class Cue(Model):
    """A sentence and its moment: seconds from the start, ``"half"``, or negative from the end."""

    at: int | Literal["half"]
    say: Line


class Passes(Model):
    """How often the hands go over the place."""

    least: Annotated[int, Field(ge=1, le=30)]
    most: Annotated[int, Field(ge=1, le=30)]

    @model_validator(mode="after")
    def ordered(self) -> Passes:
        """Raise ValueError unless the counts rise."""
        if self.least > self.most:
            raise ValueError(f"found {self.least} and {self.most}, expected least <= most")
        return self


class ChosenPoint(Model):
    """The ``number``-th point that is chosen by feel in a band of the catalogue."""

    band: Id
    number: Annotated[int, Field(ge=1, le=12)]


class LightWords(Model):
    """What a session of light pressure says in place of the instructions and cues of a phase."""

    instructions: Annotated[tuple[Line, ...], Field(min_length=1, max_length=3)]
    cues: tuple[Cue, ...] = ()


class Breathing(Model):
    """Slow breathing at this pace; a whole breath takes 6 to 16 s."""

    in_seconds: Annotated[int, Field(ge=2, le=8)]
    out_seconds: Annotated[int, Field(ge=2, le=10)]

    @model_validator(mode="after")
    def calm(self) -> Breathing:
        """Check that one breath takes 6 to 16 s. Raises ValueError."""
        breath = self.in_seconds + self.out_seconds
        if not 6 <= breath <= 16:
            raise ValueError(f"a breath of {breath} s, expected 6 to 16 s in and out together")
        return self


class Step(Model):
    """A step of preparation or aftercare. Without ``seconds`` it waits until told."""

    id: Id
    title: Title
    text: Text
    seconds: Duration | None = None
    breathing: Breathing | None = None
    optional: bool = False
    wait: bool = False
    origin: Origin


class Phase(Model):
    """One technique in one place for a time.

    ``avoid`` stands in format 1 only, ``hands`` and everything named below ``tags`` in format 2
    only. ``move_seconds`` is the time to move there from another place, not the protocol's own.
    ``in_turn``: one side of the body, then the other, within its time.
    """

    id: Id
    technique: Id
    title: Title
    area: Id
    side: Side | None = None
    direction: Line | None = None
    arrow: Arrow | None = None
    pressure: Annotated[int, Field(ge=1, le=5)]
    tempo: Annotated[int, Field(ge=1, le=200)] | None = None
    breathing: Breathing | None = None
    seconds: PhaseDuration
    instructions: Annotated[tuple[Line, ...], Field(min_length=1, max_length=3)]
    cues: tuple[Cue, ...] = ()
    avoid: tuple[Line, ...] = ()
    tags: tuple[Id, ...] = ()
    hands: Id | None = None
    from_: Annotated[Id | None, Field(alias="from")] = None
    to: Id | None = None
    point: Id | ChosenPoint | None = None
    not_here: tuple[Id, ...] = ()
    go_lightly: tuple[Line, ...] = ()
    passes: Passes | None = None
    light: LightWords | None = None
    move_seconds: Annotated[int, Field(ge=0, le=30)] | None = None
    in_turn: bool = False
    wait: bool = False
    optional: bool = False
    origin: Origin


class Change(Model):
    """What is said between two sides; the step waits until told."""

    text: Text
    seconds: Duration | None = None


class SideGroup(Model):
    """Phases that are done once per side, with a change-of-side step between."""

    for_sides: Annotated[tuple[Literal["left", "right"], ...], Field(min_length=2, max_length=2)]
    change: Change
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]


def entry_kind(entry: object) -> str:
    """Which kind of entry in ``phases`` this is, so that faults name the right fields."""
    if isinstance(entry, SideGroup) or (isinstance(entry, dict) and "for_sides" in entry):
        return "group-entry"
    return "phase-entry"


Entry = Annotated[
    Annotated[Phase, Tag("phase-entry")] | Annotated[SideGroup, Tag("group-entry")],
    Discriminator(entry_kind),
]


class Protocol(Model):
    """A whole protocol file.

    ``leave_out``: what a short plan leaves out, the first entry first; the phases of an entry go
    together, those of a group with both sides. ``move_seconds``: the time to move to another place.
    ``asks_first_side``: the preparation asks which side hurts less, and each pair of phases begins
    there. All three stand in format 2 only. ``postures``: those that it cannot do without; None
    when not told.
    """

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    format: Literal[1, 2]
    id: Id
    title: Title
    summary: Text
    condition: Literal["diabetes-mellitus", "spinal-osteochondrosis"]
    regions: Annotated[tuple[Id, ...], Field(min_length=1)]
    performer: Annotated[tuple[Performer, ...], Field(min_length=1)]
    position: Text
    postures: tuple[Posture, ...] | None = None
    access: Access
    reason: Text | None = None
    evidence: Evidence
    session: Duration | None = None
    reviewed: Review | None = None
    rules: Rules = Rules()
    course: CourseRules | None = None
    screening: tuple[Id, ...] = ()
    needs: tuple[Line, ...] = ()
    stop: Annotated[tuple[Line, ...], Field(max_length=3)] = ()
    prepare: tuple[Step, ...] = ()
    aftercare: tuple[Step, ...] = ()
    phases: tuple[Entry, ...] = ()
    leave_out: tuple[Annotated[tuple[Id, ...], Field(min_length=1)], ...] = ()
    move_seconds: Annotated[int, Field(ge=0, le=30)] = MOVE_SECONDS
    asks_first_side: bool = False

    def all_phases(self) -> Iterator[Phase]:
        """Every phase as written, groups opened but not unrolled."""
        for entry in self.phases:
            if isinstance(entry, SideGroup):
                yield from entry.phases
            else:
                yield entry

    @cached_property
    def used(self) -> tuple[frozenset[str], frozenset[str]]:
        """The areas and the techniques of all phases."""
        phases = tuple(self.all_phases())
        return frozenset(p.area for p in phases), frozenset(p.technique for p in phases)

    def optional_steps(self) -> dict[str, str]:
        """Title by id of everything that is off unless chosen, in order."""
        steps: list[Step | Phase] = [*self.prepare, *self.all_phases(), *self.aftercare]
        return {step.id: step.title for step in steps if step.optional}

    @property
    def startable(self) -> bool:
        """True when it can be run at all, once the screening has cleared it."""
        return self.access != "withheld"
