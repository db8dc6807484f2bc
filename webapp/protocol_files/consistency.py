"""Consistency checks of a protocol: across its fields and against the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from webapp.domain.catalogue import Catalogue
from webapp.domain.picture_faults import faults_of
from webapp.domain.pictures import seen_from
from webapp.domain.plan import (
    OPTIONAL_FLOOR_SECONDS,
    UnreachableError,
    check_reachable,
    fit,
    unroll,
)
from webapp.domain.protocol import FORMATS, Phase, Protocol, SideGroup
from webapp.protocol_files import json_reader
from webapp.protocol_files.json_reader import Document
from webapp.protocol_files.validation import FORMS, quote_value, validate

MOST_PHASES = 60
MOST_RULES = 8
SOURCE_IN_ORIGIN = re.compile(r"source (R\d+b?)", re.ASCII)

Complaint = tuple[json_reader.Path, str]


def texts(value: object, pattern: json_reader.Path) -> Iterator[tuple[json_reader.Path, str]]:
    """Every text at a place like ``("phases", "*", "area")``, in a file that may have faults."""
    if not pattern:
        if isinstance(value, str):
            yield (), value
        return
    first, rest = pattern[0], pattern[1:]
    inner: Iterable[tuple[str | int, object]] = ()
    if first == "*" and isinstance(value, list):
        inner = enumerate(value)
    elif isinstance(value, dict) and first in value:
        inner = [(first, value[first])]
    for key, item in inner:
        yield from (((key, *path), text) for path, text in texts(item, rest))


PHASES: tuple[json_reader.Path, ...] = (("phases", "*"), ("phases", "*", "phases", "*"))
STEPS: tuple[json_reader.Path, ...] = (("prepare", "*"), ("aftercare", "*"))


def reference_complaints(value: object, name: str, catalogue: Catalogue) -> Iterator[Complaint]:
    """Ids that name nothing or name it twice, told although other fields have faults."""
    version = value.get("format") if isinstance(value, dict) else None
    if isinstance(version, bool | float) and version in FORMATS:  # a model takes them for whole
        yield (
            ("format",),
            f"found {quote_value(version)}, expected {' or '.join(map(str, FORMATS))}",
        )
    yield from format_complaints(value, version)
    for place, text in texts(value, ("id",)):
        if text != name:
            yield (
                place,
                f"{quote_value(text)} differs from the file name, expected {quote_value(name)}",
            )
    yield from question_complaints(value, catalogue)
    for place, text in texts(value, ("evidence", "sources", "*")):
        yield from unknown_id(place, "source", text, catalogue.sources)
    for phase in PHASES:
        for fields, noun, known in (
            (("technique",), "technique", catalogue.techniques),
            (("area",), "area", catalogue.areas),
            (("hands",), "hand position", catalogue.hands),
            (("from",), "landmark", catalogue.landmarks),
            (("to",), "landmark", catalogue.landmarks),
            (("point",), "point", points(catalogue, chosen=False)),
            (("point", "band"), "band", points(catalogue, chosen=True)),
            (("not_here", "*"), "keep-away item", catalogue.keep_away),
        ):
            for place, text in texts(value, (*phase, *fields)):
                yield from unknown_id(place, noun, text, known)
    for owner in (("course",), *STEPS, *PHASES):
        for place, text in texts(value, (*owner, "origin")):
            for source in SOURCE_IN_ORIGIN.findall(text):
                yield from unknown_id(place, "source", source, catalogue.sources)
    yield from repeated_ids(step_ids(value))


def question_complaints(value: object, catalogue: Catalogue) -> Iterator[Complaint]:
    """Yield the questions that are unknown or asked twice."""
    asked = set[str]()
    for place, text in texts(value, ("screening", "*")):
        yield from unknown_id(place, "screening question", text, catalogue.questions)
        if text in asked:
            yield place, f"{quote_value(text)} is asked twice, expected once"
        asked.add(text)


NEW_IN_PHASES = (
    *("hands", "from", "to", "point", "not_here", "go_lightly", "passes", "light", "move_seconds"),
    "in_turn",
)
NEW_IN_FILES = ("leave_out", "move_seconds", "asks_first_side")


def points(catalogue: Catalogue, *, chosen: bool) -> list[str]:
    """The points in a place of their own, or the bands in which one is chosen."""
    return [point.id for point in catalogue.points.values() if bool(point.bands) == chosen]


def raw_phases(value: object) -> Iterator[tuple[json_reader.Path, dict[str, object]]]:
    """Every phase with its path, in a file that may have faults."""
    entries = value.get("phases") if isinstance(value, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, dict):
            continue
        if "for_sides" not in entry:
            yield ("phases", i), entry
            continue
        inner = entry.get("phases")
        for j, phase in enumerate(inner if isinstance(inner, list) else ()):
            if isinstance(phase, dict):
                yield ("phases", i, "phases", j), phase


def format_complaints(value: object, version: object) -> Iterator[Complaint]:
    """Fields of the other format, and what format 2 asks for."""
    if not isinstance(value, dict) or isinstance(version, bool) or version not in FORMATS:
        return
    if version == 1:
        for field in NEW_IN_FILES:
            if field in value:
                yield (field,), 'a field of format 2, expected "format": 2'
    for place, phase in raw_phases(value):
        if version == 1:
            for field in NEW_IN_PHASES:
                if field in phase:
                    yield (*place, field), 'a field of format 2, expected "format": 2'
            continue
        if "avoid" in phase:
            yield (*place, "avoid"), "a field of format 1, expected not_here and go_lightly"
        if "hands" not in phase:
            yield (*place, "hands"), "this field is missing, expected a hand position"
        if phase.get("technique") == "point-pressure" and "point" not in phase:
            yield (
                (*place, "point"),
                "this field is missing, expected a point, or a band and a number",
            )


# Where catalogue files name things of the catalogue: the place, the noun, the part that knows it.
WHENS: tuple[json_reader.Path, ...] = (
    ("questions", "*", "asked", "*"),
    ("questions", "*", "outcomes", "*", "when"),
    ("questions", "*", "options", "*", "outcomes", "*", "when"),
    ("red_flags", "*", "when", "*"),
)


def catalogue_complaints(value: object, catalogue: Catalogue) -> Iterator[Complaint]:
    """Ids in a catalogue file that name nothing."""
    regions = {area.region for area in catalogue.areas.values()}
    names: list[tuple[json_reader.Path, str, Iterable[str]]] = [
        (("areas", "*", "within", "*"), "area", catalogue.areas),
        (("techniques", "*", "never_areas", "*"), "area", catalogue.areas),
        (("questions", "*", "group"), "group", catalogue.groups),
        (("points", "*", "not_here", "*"), "keep-away item", catalogue.keep_away),
    ]
    for key in ("points", "keep_away", "landmarks"):
        names.append(((key, "*", "sources", "*"), "source", catalogue.anatomy))
    for when in WHENS:
        names.append(((*when, "techniques", "*"), "technique", catalogue.techniques))
        names.append(((*when, "regions", "*"), "region", regions))
    for pattern, noun, known in names:
        for place, text in texts(value, pattern):
            yield from unknown_id(place, noun, text, known)
    for key in ("questions", "red_flags"):
        for place, text in texts(value, (key, "*", "origin")):
            for source in SOURCE_IN_ORIGIN.findall(text):
                yield from unknown_id(place, "source", source, catalogue.sources)


def unknown_id(
    place: json_reader.Path, noun: str, found: str, known: Iterable[str]
) -> Iterator[Complaint]:
    """Yield a complaint when `found` is not among the known names."""
    if found not in known:
        some = sorted(known)
        more = ", …" if len(some) > 12 else ""
        names = ", ".join(some[:12]) + more if some else "none, for none is known"
        yield place, f"unknown {noun} {quote_value(found)}, expected one of: {names}"


def step_ids(value: object) -> Iterator[tuple[json_reader.Path, str]]:
    """Every id a plan would use, with its place; a phase in a group has one for each side too.

    In format 2 the move to a phase has one as well.
    """
    moves = isinstance(value, dict) and value.get("format") == 2
    either_first = isinstance(value, dict) and value.get("asks_first_side") is True
    yield from texts(value, (*STEPS[0], "id"))
    entries = value.get("phases") if isinstance(value, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        place: json_reader.Path = ("phases", i)
        for path, text in texts(entry, ("id",)):
            yield place + path, text
            yield from [(place + path, f"to-{text}")] * moves
        sides = dict.fromkeys(text for _, text in texts(entry, ("for_sides", "*")))
        for path, text in texts(entry, ("phases", "*", "id")):
            yield place + path, text
            for side in sides:
                yield place + path, f"{text}-{side}"
                yield from [(place + path, f"to-{text}-{side}")] * moves
        yield from (
            ((*place, "for_sides"), f"change-{i + 1}-{s}") for s in [*sides][not either_first :]
        )
    yield from texts(value, (*STEPS[1], "id"))


def repeated_ids(ids: Iterable[tuple[json_reader.Path, str]]) -> Iterator[Complaint]:
    """``end`` is taken from the start: it is the place after the last step."""
    seen, told = {"end"}, set[json_reader.Path]()
    for place, text in ids:
        if text in seen and place not in told:
            told.add(place)
            yield place, f"the id {quote_value(text)} is taken, expected another one"
        seen.add(text)


def protocol_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """What is wrong with the whole although each field alone is right."""
    yield from access_complaints(protocol)
    yield from leave_out_complaints(protocol)
    if protocol.reviewed and not is_date(protocol.reviewed.date):
        yield (
            ("reviewed", "date"),
            f"there is no day {quote_value(protocol.reviewed.date)}, expected {FORMS['date']}",
        )
    for i, entry in enumerate(protocol.phases):
        if isinstance(entry, SideGroup) and len(set(entry.for_sides)) < len(entry.for_sides):
            yield ("phases", i, "for_sides"), "the same side twice, expected both sides"


def leave_out_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """Ids in ``leave_out`` that name no phase, one twice, or one that is off unless chosen."""
    phases = {phase.id: phase for phase in protocol.all_phases()}
    named = set[str]()
    for i, entry in enumerate(protocol.leave_out):
        for j, phase_id in enumerate(entry):
            place: json_reader.Path = ("leave_out", i, j)
            if phase_id not in phases:
                yield from unknown_id(place, "phase", phase_id, phases)
            elif phase_id in named:
                yield place, f"{quote_value(phase_id)} stands here twice, expected once"
            elif phases[phase_id].optional:
                yield place, f"{quote_value(phase_id)} is off unless chosen, expected another phase"
            named.add(phase_id)


def is_date(text: str) -> bool:
    """Return True for a date such as 2026-01-31."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def access_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """Yield what does not fit the access of the protocol."""
    if protocol.access == "withheld":
        if not protocol.reason:
            yield ("reason",), "this field is missing, expected why the protocol is withheld"
        if protocol.phases:
            yield ("phases",), "a withheld protocol is never run, expected no phases"
        return
    if protocol.session is None:
        yield ("session",), "this field is missing, expected it here"
    if not protocol.phases:
        yield ("phases",), "no phases, expected at least one"


def phases_with_path(document: Document) -> Iterator[tuple[json_reader.Path, Phase]]:
    """Every phase that is right in itself, with its path in the file."""
    for place, item in raw_phases(document.value):
        phase, _ = validate(document, item, place, Phase)
        if phase:
            yield place, phase


def phase_complaints(place: json_reader.Path, phase: Phase) -> Iterator[Complaint]:
    """Yield what is wrong with one phase by itself."""
    in_group = len(place) > 2
    if in_group and phase.side:
        yield (*place, "side"), "the group gives the side, expected no side here"
    if not in_group and not phase.side:
        yield (
            (*place, "side"),
            "this field is missing, expected 'left', 'right', 'both' or 'middle'",
        )
    if phase.in_turn and phase.side != "both":
        yield (*place, "in_turn"), "one side after the other, expected the side 'both'"
    least, most = phase.seconds.min, phase.seconds.max
    if phase.optional:
        least = max(least, OPTIONAL_FLOOR_SECONDS)
    if phase.seconds.usual == 0 and not phase.optional:
        yield (
            (*place, "seconds", "usual"),
            'usual 0 is for optional phases, expected "optional": true',
        )
    if least > most:
        yield (
            (*place, "seconds", "max"),
            f"{most} is too short for an optional phase, expected at least {least}",
        )
    said = {("cues",): phase.cues, ("light", "cues"): phase.light.cues if phase.light else ()}
    for where, cues in said.items():
        for i, cue in enumerate(cues):
            if cue.at != "half" and abs(cue.at) > least:
                yield (
                    (*place, *where, i, "at"),
                    f"{cue.at} lies outside the phase at its shortest, "
                    f"expected {-least} to {least}",
                )


def technique_complaints(
    place: json_reader.Path, phase: Phase, catalogue: Catalogue
) -> Iterator[Complaint]:
    """A phase outside the limits of its technique."""
    technique = catalogue.techniques.get(phase.technique)
    if technique is None:
        return
    name = technique.name.lower()
    if phase.area in technique.never_areas:
        yield (*place, "area"), f"no {name} in {quote_value(phase.area)}, expected another area"
    for field, limits, value in (
        ("pressure", technique.pressure, phase.pressure),
        ("tempo", technique.tempo, phase.tempo),
    ):
        if limits and value is not None and not limits.holds(value):
            yield (
                (*place, field),
                f"{value} is outside what {name} allows, expected {limits.min} to {limits.max}",
            )


def picture_complaints(
    document: Document, protocol: Protocol, catalogue: Catalogue
) -> Iterator[Complaint]:
    """Pictures that would not show what their words say; asked once everything else is right."""
    if not catalogue.views:
        return
    seen = seen_from(protocol)
    for place, phase in phases_with_path(document):
        for field, text in faults_of(catalogue, protocol.id, phase, seen):
            yield (*place, *field), text


def rule_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """Rules that no plan could keep; asked once everything else is right."""
    aimless = [*aimless_rules(protocol)]
    yield from aimless
    if protocol.access != "withheld" and not aimless:
        yield from reach_complaints(protocol)


def aimless_rules(protocol: Protocol) -> Iterator[Complaint]:
    """Yield the rules that apply to no phase."""
    phases = [item for item, _ in unroll(protocol) if isinstance(item, Phase)]
    used = {phase.technique for phase in phases}
    tags = {tag for phase in phases for tag in phase.tags}
    for i, share in enumerate(protocol.rules.share):
        if share.technique not in used:
            yield (
                ("rules", "share", i, "technique"),
                f"no phase uses {share.technique!r}, expected a technique of the phases",
            )
    for i, cap in enumerate(protocol.rules.cap):
        place: json_reader.Path = ("rules", "cap", i, "tag")
        if cap.tag not in tags:
            yield place, f"no phase has the tag {cap.tag!r}, expected a tag of the phases"
        if any(cap.tag in phase.tags and phase.wait for phase in phases):
            yield (
                place,
                f"a phase tagged {cap.tag!r} waits at its end, which no cap could limit, "
                "expected no wait",
            )
    always = [phase for phase in phases if not phase.optional] or phases
    for rule, phase in (("first", always[:1]), ("last", always[-1:])):
        wanted = getattr(protocol.rules, rule)
        if wanted and phase and phase[0].technique != wanted:
            yield (
                ("rules", rule),
                f"the {rule} phase is {phase[0].technique!r}, expected {wanted!r}",
            )


def reach_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """Totals that cannot be planned, as usual and with each optional phase alone."""
    phases = list(protocol.all_phases())
    rules = protocol.rules
    if len(phases) > MOST_PHASES:
        yield ("phases",), f"{len(phases)} phases, expected at most {MOST_PHASES}"
        return
    if (count := len(rules.share) + len(rules.cap)) > MOST_RULES:
        yield ("rules",), f"{count} rules, expected at most {MOST_RULES}"
        return
    expected = "expected bounds and rules that can be kept together"
    try:
        check_reachable(protocol)
    except UnreachableError as error:
        yield ("session",), f"{error}, {expected}"
        return
    for phase in phases:
        try:
            if protocol.session and phase.optional:
                fit(protocol, protocol.session.usual, frozenset({phase.id}))
        except UnreachableError as error:
            yield ("rules",), f"when {quote_value(phase.id)} is chosen: {error}, {expected}"
