"""Catalogue models: techniques, areas, points, sources, screening questions and their ids.

Which phases have no true picture stands here too: a protocol file does not know how it is drawn.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from webapp.domain.anatomy import PhasePicture, Scene, View
from webapp.domain.protocol import (
    Access,
    Id,
    Line,
    Model,
    Origin,
    Phase,
    Posture,
    Protocol,
    Text,
    Title,
)

Level = Literal["clear", "changes", "clinician", "not-today", "help"]
LEVELS: tuple[Level, ...] = ("clear", "changes", "clinician", "not-today", "help")

Urgency = Literal["emergency", "same-day", "urgent"]

# How far hands stay off a marked place: it alone, all of its region, or the whole limb.
Reach = Literal["place", "region", "limb"]

UNSURE = "unsure"


class Range(Model):
    """Both ends of a range, in the unit that the field's owner names."""

    min: Annotated[int, Field(ge=1, le=300)]
    max: Annotated[int, Field(ge=1, le=300)]

    @model_validator(mode="after")
    def ordered(self) -> Range:
        """Raise ValueError unless the bounds rise."""
        if self.min > self.max:
            raise ValueError(f"found min {self.min} and max {self.max}, expected min <= max")
        return self

    def holds(self, value: int) -> bool:
        """Return True for a value within the bounds."""
        return self.min <= value <= self.max


class Technique(Model):
    """A technique: everyday and textbook name, what the hands do, and its limits.

    ``pressure`` on the scale of 1 to 5, ``tempo`` in strokes a minute; ``never`` says in words
    where the technique has no place, ``never_areas`` names the areas the loader refuses.
    """

    id: Id
    name: Title
    textbook: Title
    hands: Text
    hue: Id
    pressure: Range | None = None
    tempo: Range | None = None
    never: tuple[Line, ...] = ()
    never_areas: tuple[Id, ...] = ()


class Area(Model):
    """A place on the body; ``figure`` names the drawing it is lit in.

    ``within`` names the larger areas that hold this one whole.
    """

    id: Id
    name: Title
    figure: Id
    region: Id
    within: tuple[Id, ...] = ()


class WrongPicture(Model):
    """Phases whose body figure would not show what their words say; every given list must match."""

    techniques: tuple[Id, ...] = ()
    areas: tuple[Id, ...] = ()
    other_areas_than: tuple[Id, ...] = ()
    why: Text

    def holds(self, technique: str, area: str) -> bool:
        """Return True when the rule covers a technique in an area."""
        return (
            (not self.techniques or technique in self.techniques)
            and (not self.areas or area in self.areas)
            and area not in self.other_areas_than
        )


class PlaceWords(Model):
    """The place in words, for phases of a plan that have no true picture.

    ``phases`` are ids in a plan, so with their side. ``side`` only where the usual word for it
    would not be right.
    """

    protocols: Annotated[tuple[Id, ...], Field(min_length=1)]
    phases: Annotated[tuple[Id, ...], Field(min_length=1)]
    area: Id
    place: Line
    side: Line | None = None


Fraction = Annotated[float, Field(ge=-1, le=2, strict=False)]
Confidence = Literal["high", "medium", "low"]


class Hand(Model):
    """A way to hold the hands, as it is drawn; ``count`` says how many hands it takes."""

    id: Id
    text: Line
    count: Literal[1, 2]


class Spot(Model):
    """A place in a view: fractions along and, from the middle or inner side, across its ``frame``.

    Frames: ``y`` back, low back, nape and ear from top to bottom; ``u`` shoulder outward from the
    neck; ``t`` thigh and ``s`` lower leg downward; ``w`` top of the foot from the ankle to the
    toes; ``u`` sole from heel to toes; ``f`` forearm from the elbow, ``m`` hand from the wrist.
    """

    view: Id
    frame: Literal["f", "m", "s", "t", "u", "w", "y"]
    along: Fraction
    across: Fraction | None = None


class Band(Model):
    """Where in a view a point may be chosen; least and most along and across its frame."""

    view: Id
    frame: Literal["f", "m", "s", "t", "u", "w", "y"]
    along: Annotated[tuple[Fraction, ...], Field(min_length=2, max_length=2)]
    across: Annotated[tuple[Fraction, ...], Field(min_length=2, max_length=2)]


class Landmark(Model):
    """Something that can be felt or seen, where a stroke begins or ends; one spot for each view."""

    id: Id
    name: Title
    at: Annotated[tuple[Spot, ...], Field(min_length=1)]
    sources: tuple[str, ...]
    confidence: Confidence


class Point(Model):
    """A point to press, in its place (``at``), or the ``bands`` in which it is chosen by feel."""

    id: Id
    name: Title
    at: tuple[Spot, ...] = ()
    bands: tuple[Band, ...] = ()
    rule: Text
    felt_by: Text | None = None
    fingers: Text | None = None
    not_here: tuple[Id, ...] = ()
    sources: tuple[str, ...]
    confidence: Confidence

    @model_validator(mode="after")
    def placed(self) -> Point:
        """Raise ValueError unless the point has either places or bands."""
        if bool(self.at) == bool(self.bands):
            raise ValueError("found both or none of at and bands, expected one of them")
        return self


class KeepAway(Model):
    """A place that hands keep off: ``short`` for the stage, ``name`` in full for page and voice.

    ``where`` gives fractions of the ``views`` in which it can be drawn.
    """

    id: Id
    short: Annotated[str, StringConstraints(min_length=1, max_length=18)]
    name: Line
    views: tuple[Id, ...] = ()
    where: Text | None = None
    why: Text
    draw: Text | None = None
    sources: tuple[str, ...]
    confidence: Confidence


class AnatomySource(Model):
    """Where a landmark, a point or a keep-away item comes from."""

    id: str
    title: Text


class Source(Model):
    """A public source with its grade; ``address`` only where it is the body's own page."""

    id: str
    title: Text
    says: Text
    grade: Literal["A", "B", "C"]
    address: str | None = None


class When(Model):
    """Which protocols this is about: every list that is given has to match; none given, all.

    The condition of diabetes is also that of a person who has it, whatever the protocol is for.
    A protocol that does not say how the client lies may need every posture.
    """

    regions: tuple[Id, ...] = ()
    techniques: tuple[Id, ...] = ()
    conditions: tuple[Id, ...] = ()
    access: tuple[Access, ...] = ()
    postures: tuple[Posture, ...] = ()


EVERY_PROTOCOL = (When(),)
DIABETES = "diabetes-mellitus"


class Outcome(Model):
    """What an unsafe answer leads to; of several that match, the most restrictive.

    ``act`` says what to do, or what to ask a clinician. ``wait_minutes``: asked again after
    that. ``leave_out`` are tags of phases, ``leave_out_techniques`` techniques,
    ``leave_out_marked`` the places the person marked, as far as ``reach`` says.
    """

    when: When = When()
    level: Literal["changes", "clinician", "not-today", "help"]
    act: Text
    urgency: Urgency | None = None
    wait_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    light: bool = False
    shortest: bool = False
    leave_out: tuple[Id, ...] = ()
    leave_out_techniques: tuple[Id, ...] = ()
    leave_out_marked: bool = False
    reach: Reach = "place"

    @model_validator(mode="after")
    def whole(self) -> Outcome:
        """Raise ValueError unless level and urgency agree."""
        if (self.level == "help") != (self.urgency is not None):
            found = f"level '{self.level}' with {'an' if self.urgency else 'no'} urgency"
            raise ValueError(f"{found}, expected one with the level 'help' and only there")
        return self


class Option(Model):
    """One answer of a choice; without outcomes it is fine."""

    id: Id
    text: Title
    outcomes: tuple[Outcome, ...] = ()


class Follows(Model):
    """A follow-up is asked after one of these ``answers`` to another question."""

    question: Id
    answers: Annotated[tuple[Id, ...], Field(min_length=1)]


class Question(Model):
    """Something to answer before a start.

    ``sign``: yes is unsafe. ``promise``: yes is safe. ``place``: yes and the places where.
    ``choice``: one of ``options``. "Not sure" is always as unsafe as the worst answer.
    ``signs`` stand below ``text``, one a line. ``follows``: asked only after one of these answers.
    ``decided``: what an unsafe answer leads to is said by the follow-up. ``lows_only``: asked only
    with a medicine that can cause lows, or where that is not known.
    """

    id: Id
    group: Id
    text: Text
    signs: tuple[Line, ...] = ()
    kind: Literal["sign", "promise", "place", "choice"] = "sign"
    asked: Annotated[tuple[When, ...], Field(min_length=1)] = EVERY_PROTOCOL
    outcomes: tuple[Outcome, ...] = ()
    options: tuple[Option, ...] = ()
    follows: tuple[Follows, ...] = ()
    decided: bool = False
    lows_only: bool = False
    never_cleared: bool = False
    origin: Origin

    @property
    def words(self) -> str:
        """The text with its signs, in one line."""
        return f"{self.text} {'; '.join(self.signs)}" if self.signs else self.text

    @model_validator(mode="after")
    def whole(self) -> Question:
        """Raise ValueError unless kind, options and outcomes agree."""
        if (self.kind == "choice") != bool(self.options):
            found = f"kind '{self.kind}' with {'' if self.options else 'no '}options"
            raise ValueError(f"{found}, expected some with the kind 'choice' and only there")
        if self.kind != "choice" and bool(self.outcomes) == self.decided:
            raise ValueError(
                f"{'outcomes' if self.outcomes else 'no outcomes'}, expected what an unsafe answer "
                "leads to, or 'decided' where a follow-up says it"
            )
        if self.never_cleared and any(o.level == "clinician" for o in self.every_outcome()):
            raise ValueError(
                "never_cleared, but an outcome asks for a clinician's word, "
                "expected no level 'clinician'"
            )
        return self

    def every_outcome(self) -> tuple[Outcome, ...]:
        """Return the outcomes of the question and of its options."""
        return self.outcomes + tuple(o for option in self.options for o in option.outcomes)


class Group(Model):
    """Questions that stand together; ``title`` above them, ``hint`` where one is needed."""

    id: Id
    title: Title
    hint: Text | None = None


class RedFlag(Model):
    """A sign that ends a session, for the protocols of ``when``; ``late``: up to 3 weeks after."""

    id: Id
    when: tuple[When, ...] = EVERY_PROTOCOL
    sign: Text
    act: Text
    urgency: Urgency
    late: bool = False
    origin: Origin


class Catalogue(Model):
    """All of it, by id."""

    techniques: dict[str, Technique]
    areas: dict[str, Area]
    sources: dict[str, Source]
    groups: dict[str, Group]
    questions: dict[str, Question]
    red_flags: dict[str, RedFlag]
    wrong_pictures: tuple[WrongPicture, ...]
    place_words: dict[tuple[str, str, str], PlaceWords]
    hands: dict[str, Hand]
    points: dict[str, Point]
    keep_away: dict[str, KeepAway]
    landmarks: dict[str, Landmark]
    anatomy: dict[str, AnatomySource]
    views: dict[str, View]
    scenes: dict[str, Scene]
    phase_pictures: dict[tuple[str, str, str], PhasePicture]
    rules_hash: str

    @cached_property
    def places_of(self) -> dict[str, frozenset[str]]:
        """By area: itself and every area that lies within it."""
        return {
            area: frozenset(
                {area} | {inner.id for inner in self.areas.values() if area in inner.within}
            )
            for area in self.areas
        }

    def kept_off(self, phase: Phase) -> tuple[str, ...]:
        """What a phase keeps off: places in their full names, then rules; of format 1 its lines."""
        places = (self.keep_away[item].name for item in phase.not_here)
        return (*phase.avoid, *places, *phase.go_lightly)

    def concerns(
        self, whens: tuple[When, ...], protocol: Protocol, *, diabetes: bool = False
    ) -> bool:
        """True when one of ``whens`` is about ``protocol``, for a person with ``diabetes``."""
        return any(self.matches(when, protocol, diabetes=diabetes) for when in whens)

    def matches(self, when: When, protocol: Protocol, *, diabetes: bool = False) -> bool:
        """Return True when the condition holds for a protocol."""
        conditions = {protocol.condition, *([DIABETES] if diabetes else [])}
        areas, techniques = protocol.used
        regions = {*protocol.regions, *(self.areas[area].region for area in areas)}
        return (
            (not when.regions or not regions.isdisjoint(when.regions))
            and (not when.techniques or not techniques.isdisjoint(when.techniques))
            and (not when.conditions or not conditions.isdisjoint(when.conditions))
            and (not when.access or protocol.access in when.access)
            and (
                not when.postures
                or protocol.postures is None
                or not set(when.postures).isdisjoint(protocol.postures)
            )
        )
