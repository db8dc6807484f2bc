"""Loads the protocol files and their catalogue; names file, line and JSON path of every fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from webapp import strict_json
from webapp.domain.plan import Plan, UnreachableError, check_reachable, fit, with_names
from webapp.domain.protocol import (
    Area,
    Catalogue,
    Model,
    Phase,
    Protocol,
    Question,
    SideGroup,
    Source,
    Technique,
)
from webapp.strict_json import Document, Fault, NotJsonError

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class BadFile:
    """A file that was put aside, with every fault that was found in it."""

    file: str
    faults: tuple[Fault, ...]

    def lines(self) -> list[str]:
        """One line a fault: ``file:line: json.path: what is wrong, what is expected``."""
        return [f"{self.file}:{f.line}: {f.where()}: {f.message}" for f in self.faults]


class BadFileError(Exception):
    """A file cannot be used; carries the :class:`BadFile`."""

    def __init__(self, bad: BadFile) -> None:
        super().__init__("\n".join(bad.lines()))
        self.bad = bad


@dataclass(frozen=True)
class Entry:
    """A protocol that loaded, with the hash of its file (which version this is)."""

    protocol: Protocol
    digest: str

    @cached_property
    def usual_plan(self) -> Plan | None:
        """The plan at the usual length; None for a withheld protocol."""
        session = self.protocol.session
        return fit(self.protocol, session.usual) if session and self.protocol.phases else None


@dataclass
class Library:
    """All that was loaded: protocols by id, and the files put aside."""

    catalogue: Catalogue
    entries: dict[str, Entry] = field(default_factory=dict)
    bad_files: list[BadFile] = field(default_factory=list)

    def get(self, protocol_id: str) -> Entry | None:
        return self.entries.get(protocol_id)

    def plan(self, protocol: Protocol, seconds: int, chosen: frozenset[str] = frozenset()) -> Plan:
        """Fit, and give the plan its own copy of the names it shows. Raises UnreachableError."""
        return with_names(
            fit(protocol, seconds, chosen), self.catalogue.techniques, self.catalogue.areas
        )


def load(folder: Path, shipped: Path) -> Library:
    """Load every ``*.json`` of ``folder``; a catalogue file missing there is taken from ``shipped``.

    A broken protocol is put aside and the others still load. Raises BadFileError for a broken
    catalogue, because nothing could be checked without it.
    """
    library = Library(load_catalogue(folder / "catalogue", shipped / "catalogue"))
    for path in sorted(folder.glob("*.json")):
        try:
            entry = load_protocol(path, library.catalogue)
        except BadFileError as error:
            library.bad_files.append(error.bad)
        else:
            library.entries[entry.protocol.id] = entry
    return library


def load_catalogue(folder: Path, shipped: Path) -> Catalogue:
    """Techniques, areas, sources and screening questions. Raises BadFileError."""

    def items(name: str, key: str, model: type[M]) -> list[M]:
        path = folder / name if (folder / name).is_file() else shipped / name
        document = read(path)
        raw = document.value.get(key) if isinstance(document.value, dict) else None
        if not isinstance(raw, list):
            fault = Fault(1, (), f'expected an object with a list "{key}"')
            raise BadFileError(BadFile(path.name, (fault,)))
        return [validate(path, document, item, (key, i), model) for i, item in enumerate(raw)]

    return Catalogue(
        techniques={t.id: t for t in items("techniques.json", "techniques", Technique)},
        areas={a.id: a for a in items("areas.json", "areas", Area)},
        sources={s.id: s for s in items("sources.json", "sources", Source)},
        questions={q.id: q for q in items("screening.json", "questions", Question)},
    )


def load_protocol(path: Path, catalogue: Catalogue) -> Entry:
    """One protocol file, checked in itself and against the catalogue. Raises BadFileError."""
    document = read(path)
    protocol = validate(path, document, document.value, (), Protocol)
    faults = [
        Fault(document.line(place), place, message)
        for place, message in inconsistencies(protocol, path.stem, catalogue)
    ]
    if faults:
        raise BadFileError(BadFile(path.name, tuple(sorted(faults, key=lambda f: f.line))))
    return Entry(protocol, hashlib.sha256(path.read_bytes()).hexdigest())


def read(path: Path) -> Document:
    """The parsed file. Raises BadFileError when it cannot be read or is no strict JSON."""
    try:
        return strict_json.parse(strict_json.decode(path.read_bytes()))
    except NotJsonError as error:
        raise BadFileError(BadFile(path.name, (error.fault,))) from None
    except OSError as error:
        fault = Fault(1, (), f"the file cannot be read ({error.strerror})")
        raise BadFileError(BadFile(path.name, (fault,))) from None


def validate(
    path: Path, document: Document, value: object, place: strict_json.Path, model: type[M]
) -> M:
    """``value`` as ``model``, or every fault of it at once. Raises BadFileError."""
    faults = [f for f in document.faults if f.path[: len(place)] == place]
    try:
        result = model.model_validate_json(to_json(value))
    except ValidationError as error:
        faults += model_faults(document, value, place, error.errors(include_url=False))
    if faults:
        raise BadFileError(BadFile(path.name, tuple(sorted(faults, key=lambda f: f.line))))
    return result


def to_json(value: object) -> str:
    """Back to text: in JSON mode the strict models take lists for tuples, and nothing else."""
    return json.dumps(value)


def model_faults(
    document: Document, value: object, place: strict_json.Path, errors: list[ErrorDetails]
) -> list[Fault]:
    """The model's complaints, one for each place, with line and path in the file."""
    messages: dict[strict_json.Path, list[str]] = {}
    for error in errors:
        path = (*place, *path_in(value, error["loc"]))
        message = in_words(error)
        if message not in messages.setdefault(path, []):
            messages[path].append(message)
    return [Fault(document.line(p), p, " or ".join(m)) for p, m in messages.items()]


def path_in(value: object, location: tuple[str | int, ...]) -> strict_json.Path:
    """The model's location without the names of union members, which stand in no file."""
    path: list[str | int] = []
    inner: object = value
    for number, part in enumerate(location):
        if isinstance(inner, list) and isinstance(part, int) and part < len(inner):
            inner = inner[part]
        elif isinstance(inner, dict) and part in inner:
            inner = inner[part]
        elif not (isinstance(inner, dict) and number == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


EXPECTED = {
    "missing": "this field is missing",
    "extra_forbidden": "unknown field, expected only the fields of the format",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected a text in double quotes",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list in [ ]",
    "dict_type": "expected an object in { }",
    "model_type": "expected an object in { }",
    "model_attributes_type": "expected an object in { }",
    "union_tag_invalid": "expected a phase or a group with for_sides",
}


def in_words(error: ErrorDetails) -> str:
    """What is wrong and what is expected, without the words of the model library."""
    context = error.get("ctx", {})
    shown = repr(error["input"]) if isinstance(error["input"], str | int | float) else ""
    match error["type"]:
        case "string_pattern_mismatch":
            return f"{shown[:60]} has not the form {context['pattern']}"
        case "string_too_long":
            length = len(str(error["input"]))
            return f"{length} characters, expected at most {context['max_length']}"
        case "string_too_short":
            return "empty, expected a text"
        case "too_long":
            return f"{context['actual_length']} entries, expected at most {context['max_length']}"
        case "too_short":
            return f"{context['actual_length']} entries, expected at least {context['min_length']}"
        case "greater_than_equal":
            return f"{shown} is out of range, expected at least {context['ge']}"
        case "less_than_equal":
            return f"{shown} is out of range, expected at most {context['le']}"
        case "less_than":
            return f"{shown} is out of range, expected less than {context['lt']}"
        case "literal_error":
            return f"{shown or 'this value'} is not known, expected {context['expected']}"
        case "value_error":
            return str(context["error"])
    return EXPECTED.get(error["type"], error["msg"])


Complaint = tuple[strict_json.Path, str]


def inconsistencies(protocol: Protocol, name: str, catalogue: Catalogue) -> Iterator[Complaint]:
    """Everything that is wrong although each field alone is right."""
    if protocol.id != name:
        yield ("id",), f"{protocol.id!r} differs from the file name, expected {name!r}"
    yield from access_complaints(protocol)
    known_questions = set(catalogue.questions)
    for i, question in enumerate(protocol.screening):
        yield from unknown(("screening", i), "screening question", question, known_questions)
    for i, source in enumerate(protocol.evidence.sources):
        yield from unknown(("evidence", "sources", i), "source", source, set(catalogue.sources))
    for place, phase in placed_phases(protocol):
        yield from phase_complaints(place, phase, catalogue)
    yield from double_ids(protocol)
    yield from rule_complaints(protocol, catalogue)


def access_complaints(protocol: Protocol) -> Iterator[Complaint]:
    if protocol.access == "withheld":
        if not protocol.reason:
            yield ("reason",), "a withheld protocol needs its reason"
        if protocol.phases:
            yield ("phases",), "a withheld protocol is never run, expected no phases"
        return
    if protocol.session is None:
        yield ("session",), "this field is missing"
    if not protocol.phases:
        yield ("phases",), "no phases, expected at least one"


def unknown(place: strict_json.Path, noun: str, found: str, known: set[str]) -> Iterator[Complaint]:
    if found not in known:
        near = ", ".join(sorted(known)[:12])
        yield place, f"unknown {noun} {found!r}, expected one of: {near or 'none is known'}"


def placed_phases(protocol: Protocol) -> Iterator[tuple[strict_json.Path, Phase]]:
    """Every phase with its path in the file."""
    for i, entry in enumerate(protocol.phases):
        if isinstance(entry, SideGroup):
            for j, phase in enumerate(entry.phases):
                yield ("phases", i, "phases", j), phase
        else:
            yield ("phases", i), entry


def phase_complaints(
    place: strict_json.Path, phase: Phase, catalogue: Catalogue
) -> Iterator[Complaint]:
    yield from unknown(
        (*place, "technique"), "technique", phase.technique, set(catalogue.techniques)
    )
    yield from unknown((*place, "area"), "area", phase.area, set(catalogue.areas))
    in_group = len(place) > 2
    if in_group and phase.side:
        yield (*place, "side"), "the group gives the side, expected no side here"
    if not in_group and not phase.side:
        yield (*place, "side"), "this field is missing"
    if phase.seconds.usual == 0 and not phase.optional:
        yield (
            (*place, "seconds", "usual"),
            'usual 0 is for optional phases, expected "optional": true',
        )
    for i, cue in enumerate(phase.cues):
        if cue.at != "half" and abs(cue.at) > phase.seconds.max:
            yield (
                (*place, "cues", i, "at"),
                f"{cue.at} lies outside the phase, expected at most {phase.seconds.max}",
            )


def double_ids(protocol: Protocol) -> Iterator[Complaint]:
    seen: set[str] = set()
    placed: list[tuple[strict_json.Path, str]] = [
        *((("prepare", i), step.id) for i, step in enumerate(protocol.prepare)),
        *((("aftercare", i), step.id) for i, step in enumerate(protocol.aftercare)),
        *((place, phase.id) for place, phase in placed_phases(protocol)),
    ]
    for place, step_id in placed:
        if step_id in seen or step_id == "end":
            yield (*place, "id"), f"the id {step_id!r} is taken, expected another one"
        seen.add(step_id)


def rule_complaints(protocol: Protocol, catalogue: Catalogue) -> Iterator[Complaint]:
    phases = list(protocol.all_phases())
    used = {phase.technique for phase in phases}
    tags = {tag for phase in phases for tag in phase.tags}
    for i, share in enumerate(protocol.rules.share):
        if share.technique not in used:
            yield (
                ("rules", "share", i, "technique"),
                f"no phase uses {share.technique!r}, expected a technique of the phases",
            )
    for i, cap in enumerate(protocol.rules.cap):
        place: strict_json.Path = ("rules", "cap", i, "tag")
        if cap.tag not in tags:
            yield place, f"no phase has the tag {cap.tag!r}, expected a tag of the phases"
        if any(cap.tag in phase.tags and phase.wait for phase in phases):
            yield place, f"a phase tagged {cap.tag!r} waits at its end, which no cap could limit"
    always = [phase for phase in phases if not phase.optional] or phases
    for rule, phase in (("first", always[:1]), ("last", always[-1:])):
        wanted = getattr(protocol.rules, rule)
        if wanted and phase and phase[0].technique != wanted:
            yield (
                ("rules", rule),
                f"the {rule} phase is {phase[0].technique!r}, expected {wanted!r}",
            )
    if protocol.session and protocol.phases and protocol.access != "withheld":
        try:
            check_reachable(protocol)
        except UnreachableError as error:
            yield ("session",), str(error)
