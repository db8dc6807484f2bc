"""Loads the protocol files and their catalogue; names file, line and JSON path of every fault."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from webapp import strict_json
from webapp.domain.plan import (
    OPTIONAL_FLOOR_SECONDS,
    Plan,
    UnreachableError,
    check_reachable,
    fit,
    with_names,
)
from webapp.domain.protocol import (
    FORMAT,
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

MOST_PHASES = 60
MOST_RULES = 8
SOURCE_IN_ORIGIN = re.compile(r"source (R\d+b?)", re.ASCII)


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


@dataclass
class Library:
    """All that was loaded: protocols by id, and the files put aside."""

    catalogue: Catalogue
    entries: dict[str, Entry] = field(default_factory=dict)
    bad_files: list[BadFile] = field(default_factory=list)
    usual_plans: dict[str, Plan] = field(default_factory=dict)

    def usual_plan(self, entry: Entry) -> Plan | None:
        """The plan at the usual length; None for a protocol that is never run."""
        protocol = entry.protocol
        if protocol.session is None or not protocol.phases:
            return None
        if protocol.id not in self.usual_plans:
            self.usual_plans[protocol.id] = self.plan(protocol, protocol.session.usual)
        return self.usual_plans[protocol.id]

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
        document = parsed(path, content(path))
        raw = document.value.get(key) if isinstance(document.value, dict) else None
        if not isinstance(raw, list):
            raise bad_file(path, [Fault(1, (), f'expected an object with a list "{key}"')])
        checked = [validate(document, item, (key, i), model) for i, item in enumerate(raw)]
        faults = [*document.faults, *(fault for _, found in checked for fault in found)]
        for place, message in doubled(texts(document.value, (key, "*", "id"))):
            faults.append(Fault(document.line(place), place, message))
        if faults:
            raise bad_file(path, faults)
        return [item for item, _ in checked if item]

    return Catalogue(
        techniques={t.id: t for t in items("techniques.json", "techniques", Technique)},
        areas={a.id: a for a in items("areas.json", "areas", Area)},
        sources={s.id: s for s in items("sources.json", "sources", Source)},
        questions={q.id: q for q in items("screening.json", "questions", Question)},
    )


def load_protocol(path: Path, catalogue: Catalogue) -> Entry:
    """One protocol file, checked in itself and against the catalogue. Raises BadFileError."""
    raw = content(path)
    document = parsed(path, raw)
    protocol, faults = validate(document, document.value, (), Protocol)
    faults = [*document.faults, *faults]
    complaints = [*reference_complaints(document.value, path.stem, catalogue)]
    for place, phase in placed_phases(document):
        complaints += phase_complaints(place, phase)
    if protocol:
        complaints += protocol_complaints(protocol)
    told = {fault.path for fault in faults}
    faults += [Fault(document.line(p), p, text) for p, text in complaints if p not in told]
    if not faults and protocol:
        faults = [Fault(document.line(p), p, text) for p, text in rule_complaints(protocol)]
    if faults or not protocol:
        raise bad_file(path, faults)
    return Entry(protocol, hashlib.sha256(raw).hexdigest())


def bad_file(path: Path, faults: Iterable[Fault]) -> BadFileError:
    """The faults in the order of the file's lines, under a name that can always be shown."""
    name = path.name.encode("utf-8", "replace").decode("utf-8")
    return BadFileError(BadFile(name, tuple(sorted(faults, key=lambda f: f.line))))


def content(path: Path) -> bytes:
    """The bytes of the file, one more than allowed at most. Raises BadFileError."""
    try:
        with path.open("rb") as file:
            return file.read(strict_json.MOST_BYTES + 1)
    except OSError as error:
        why = f"the file cannot be read ({error.strerror}), expected a readable file"
        raise bad_file(path, [Fault(1, (), why)]) from None


def parsed(path: Path, raw: bytes) -> Document:
    """The document in ``raw``. Raises BadFileError when it is no strict JSON."""
    try:
        return strict_json.parse(strict_json.decode(raw))
    except NotJsonError as error:
        raise bad_file(path, [error.fault]) from None


def validate(
    document: Document, value: object, place: strict_json.Path, model: type[M]
) -> tuple[M | None, list[Fault]]:
    """``value`` as ``model``, or None with every fault of it at once."""
    try:
        return model.model_validate_json(to_json(value), strict=True), []
    except ValidationError as error:
        return None, model_faults(document, value, place, error.errors(include_url=False))


def to_json(value: object) -> str:
    """Back to text: in JSON mode the strict models take lists for tuples, and nothing else."""
    return json.dumps(value)


def model_faults(
    document: Document, value: object, place: strict_json.Path, errors: list[ErrorDetails]
) -> list[Fault]:
    """The model's complaints, one for each place, with line and path in the file.

    A value that was refused in reading stands in as 0 or marred: of that nothing more is told.
    """
    told = {fault.path for fault in document.faults}
    around = {path[:n] for path in told for n in range(len(path))}
    messages: dict[strict_json.Path, list[tuple[str, str]]] = {}
    for error in errors:
        path = (*place, *path_in(value, error["loc"]))
        marred = path in told or (error["type"] == "value_error" and path in around)
        if not marred and real(error):
            messages.setdefault(path, []).append(in_words(error))
    return [Fault(document.line(p), p, joined(m)) for p, m in messages.items()]


def real(error: ErrorDetails) -> bool:
    """False where a list only seems too short, because entries of it have faults of their own."""
    least = error.get("ctx", {}).get("min_length", 0)
    return error["type"] != "too_short" or len(error["input"]) < least


def joined(messages: list[tuple[str, str]]) -> str:
    """What is wrong, once, and everything that would have been right."""
    wrong = messages[0][0]
    expected = " or ".join(dict.fromkeys(text for _, text in messages if text))
    return f"{wrong}, expected {expected}" if expected else wrong


def path_in(value: object, location: tuple[str | int, ...]) -> strict_json.Path:
    """The model's location without the names of union members, which stand in no file."""
    path: list[str | int] = []
    inner: object = value
    for number, part in enumerate(location):
        in_list = isinstance(inner, list) and isinstance(part, int) and part < len(inner)
        if in_list or (isinstance(inner, dict) and part in inner):
            inner = inner[part]  # type: ignore[index]
        elif not (isinstance(inner, dict) and number == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text in double quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in [ ]",
    "dict_type": "an object in { }",
    "model_type": "an object in { }",
}
FORMS = {
    "origin": "parts like 'base L181', 'source R15' or 'inferred', joined by '; '",
    "date": "a date like '2026-01-31'",
}


def in_words(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what is expected, without the words of the model library."""
    context = error.get("ctx", {})
    found = f"found {shown(error['input'])}"
    out_of_range = f"{shown(error['input'])} is out of range"
    match error["type"]:
        case "missing":
            return "this field is missing", "it here"
        case "extra_forbidden":
            return "unknown field", "only the fields of the format"
        case "string_pattern_mismatch":
            return found, FORMS.get(str(error["loc"][-1]), "lower-case words joined by '-'")
        case "string_too_long":
            return f"{len(error['input'])} characters", f"at most {context['max_length']}"
        case "string_too_short":
            return "found an empty text", "at least one character"
        case "too_long":
            return entries(error["input"]), f"at most {context['max_length']}"
        case "too_short":
            return entries(error["input"]), f"at least {context['min_length']}"
        case "greater_than_equal":
            return out_of_range, f"at least {context['ge']}"
        case "less_than_equal":
            return out_of_range, f"at most {context['le']}"
        case "less_than":
            return out_of_range, f"less than {context['lt']}"
        case "literal_error":
            return found, str(context["expected"])
        case "value_error":
            return str(context["error"]), ""
    return found, EXPECTED.get(error["type"], "what the format asks for here")


def entries(found: list[object]) -> str:
    return "1 entry" if len(found) == 1 else f"{len(found)} entries"


def shown(value: object) -> str:
    """A value as it stands in the file, cut short; texts in single quotes."""
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    return json.dumps(value)


Complaint = tuple[strict_json.Path, str]


def texts(value: object, pattern: strict_json.Path) -> Iterator[tuple[strict_json.Path, str]]:
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


PHASES: tuple[strict_json.Path, ...] = (("phases", "*"), ("phases", "*", "phases", "*"))
STEPS: tuple[strict_json.Path, ...] = (("prepare", "*"), ("aftercare", "*"))


def reference_complaints(value: object, name: str, catalogue: Catalogue) -> Iterator[Complaint]:
    """Ids that name nothing or name it twice, told although other fields have faults."""
    version = value.get("format") if isinstance(value, dict) else None
    if isinstance(version, bool | float) and version == FORMAT:  # a model takes them for 1
        yield ("format",), f"found {shown(version)}, expected {FORMAT}"
    for place, text in texts(value, ("id",)):
        if text != name:
            yield place, f"{shown(text)} differs from the file name, expected {shown(name)}"
    asked = set[str]()
    for place, text in texts(value, ("screening", "*")):
        yield from unknown(place, "screening question", text, catalogue.questions)
        if text in asked:
            yield place, f"{shown(text)} is asked twice, expected once"
        asked.add(text)
    for place, text in texts(value, ("evidence", "sources", "*")):
        yield from unknown(place, "source", text, catalogue.sources)
    for phase in PHASES:
        for place, text in texts(value, (*phase, "technique")):
            yield from unknown(place, "technique", text, catalogue.techniques)
        for place, text in texts(value, (*phase, "area")):
            yield from unknown(place, "area", text, catalogue.areas)
    for owner in (("course",), *STEPS, *PHASES):
        for place, text in texts(value, (*owner, "origin")):
            for source in SOURCE_IN_ORIGIN.findall(text):
                yield from unknown(place, "source", source, catalogue.sources)
    yield from doubled(step_ids(value))


def unknown(
    place: strict_json.Path, noun: str, found: str, known: Iterable[str]
) -> Iterator[Complaint]:
    if found not in known:
        some = sorted(known)
        more = ", …" if len(some) > 12 else ""
        names = ", ".join(some[:12]) + more if some else "none, for none is known"
        yield place, f"unknown {noun} {shown(found)}, expected one of: {names}"


def step_ids(value: object) -> Iterator[tuple[strict_json.Path, str]]:
    """Every id a plan would use, with its place; a phase in a group has one for each side too."""
    yield from texts(value, (*STEPS[0], "id"))
    entries = value.get("phases") if isinstance(value, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        place: strict_json.Path = ("phases", i)
        yield from ((place + path, text) for path, text in texts(entry, ("id",)))
        sides = dict.fromkeys(text for _, text in texts(entry, ("for_sides", "*")))
        for path, text in texts(entry, ("phases", "*", "id")):
            yield place + path, text
            yield from ((place + path, f"{text}-{side}") for side in sides)
        yield from (((*place, "for_sides"), f"change-{i + 1}-{s}") for s in [*sides][1:])
    yield from texts(value, (*STEPS[1], "id"))


def doubled(ids: Iterable[tuple[strict_json.Path, str]]) -> Iterator[Complaint]:
    """``end`` is taken from the start: it is the place after the last step."""
    seen, told = {"end"}, set[strict_json.Path]()
    for place, text in ids:
        if text in seen and place not in told:
            told.add(place)
            yield place, f"the id {shown(text)} is taken, expected another one"
        seen.add(text)


def protocol_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """What is wrong with the whole although each field alone is right."""
    yield from access_complaints(protocol)
    if protocol.reviewed and not is_date(protocol.reviewed.date):
        yield (
            ("reviewed", "date"),
            f"there is no day {shown(protocol.reviewed.date)}, expected {FORMS['date']}",
        )
    for i, entry in enumerate(protocol.phases):
        if isinstance(entry, SideGroup) and len(set(entry.for_sides)) < len(entry.for_sides):
            yield ("phases", i, "for_sides"), "the same side twice, expected both sides"


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def access_complaints(protocol: Protocol) -> Iterator[Complaint]:
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


def placed_phases(document: Document) -> Iterator[tuple[strict_json.Path, Phase]]:
    """Every phase that is right in itself, with its path in the file."""
    entries = document.value.get("phases") if isinstance(document.value, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        places: list[tuple[strict_json.Path, object]] = [(("phases", i), entry)]
        if isinstance(entry, dict) and "for_sides" in entry:
            group = entry.get("phases")
            inner = group if isinstance(group, list) else ()
            places = [(("phases", i, "phases", j), item) for j, item in enumerate(inner)]
        for place, item in places:
            phase, _ = validate(document, item, place, Phase)
            if phase:
                yield place, phase


def phase_complaints(place: strict_json.Path, phase: Phase) -> Iterator[Complaint]:
    in_group = len(place) > 2
    if in_group and phase.side:
        yield (*place, "side"), "the group gives the side, expected no side here"
    if not in_group and not phase.side:
        yield (
            (*place, "side"),
            "this field is missing, expected 'left', 'right', 'both' or 'middle'",
        )
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
    for i, cue in enumerate(phase.cues):
        if cue.at != "half" and abs(cue.at) > least:
            yield (
                (*place, "cues", i, "at"),
                f"{cue.at} lies outside the phase at its shortest, expected {-least} to {least}",
            )


def rule_complaints(protocol: Protocol) -> Iterator[Complaint]:
    """Rules that no plan could keep; asked once everything else is right."""
    aimless = [*aimless_rules(protocol)]
    yield from aimless
    if protocol.access != "withheld" and not aimless:
        yield from reach_complaints(protocol)


def aimless_rules(protocol: Protocol) -> Iterator[Complaint]:
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
            yield (
                place,
                f"a phase tagged {cap.tag!r} waits at its end, which no cap could limit, expected no wait",
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
            yield ("rules",), f"when {shown(phase.id)} is chosen: {error}, {expected}"
