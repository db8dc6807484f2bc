"""Protocol loader: reads protocol files and the catalogue, names file and line of each fault."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from webapp.domain.anatomy import PhasePicture, Scene, View
from webapp.domain.catalogue import (
    AnatomySource,
    Area,
    Catalogue,
    Group,
    Hand,
    KeepAway,
    Landmark,
    PlaceWords,
    Point,
    Question,
    RedFlag,
    Source,
    Technique,
    WrongPicture,
)
from webapp.domain.picture_faults import view_faults
from webapp.domain.pictures import seen_from
from webapp.domain.plan import NO_CHANGES, Changes, Plan, fit, with_names
from webapp.domain.protocol import FirstSide, Protocol
from webapp.domain.screening import RULES
from webapp.protocol_files import json_reader
from webapp.protocol_files.consistency import (
    catalogue_complaints,
    phase_complaints,
    phases_with_path,
    picture_complaints,
    protocol_complaints,
    reference_complaints,
    repeated_ids,
    rule_complaints,
    technique_complaints,
    texts,
)
from webapp.protocol_files.json_reader import Document, Fault, NotJsonError
from webapp.protocol_files.limits import Complaint, length_complaints
from webapp.protocol_files.validation import ModelT, validate


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
class LibraryEntry:
    """A protocol that loaded, with the hash of its file (which version this is).

    ``warnings`` are texts that are longer than the stage has room for, and in format 1 pictures
    that would not show what their words say: words stand in their place.
    """

    protocol: Protocol
    digest: str
    warnings: tuple[Fault, ...] = ()


@dataclass
class Library:
    """All that was loaded: protocols by id, and the files put aside."""

    catalogue: Catalogue
    entries: dict[str, LibraryEntry] = field(default_factory=dict)
    bad_files: list[BadFile] = field(default_factory=list)
    usual_plans: dict[str, Plan] = field(default_factory=dict)

    def whole_plan(self, entry: LibraryEntry) -> Plan | None:
        """The longest plan with every phase in it; None for a protocol that is never run."""
        protocol = entry.protocol
        if protocol.session is None or not protocol.phases:
            return None
        return self.plan(protocol, protocol.session.max, frozenset(protocol.optional_steps()))

    def usual_plan(self, entry: LibraryEntry) -> Plan | None:
        """The plan at the usual length; None for a protocol that is never run."""
        protocol = entry.protocol
        if protocol.session is None or not protocol.phases:
            return None
        if protocol.id not in self.usual_plans:
            self.usual_plans[protocol.id] = self.plan(protocol, protocol.session.usual)
        return self.usual_plans[protocol.id]

    def get(self, protocol_id: str) -> LibraryEntry | None:
        """Return the entry with this id; None when there is none."""
        return self.entries.get(protocol_id)

    def plan(
        self,
        protocol: Protocol,
        seconds: int,
        chosen: frozenset[str] = frozenset(),
        changes: Changes = NO_CHANGES,
        first_side: FirstSide | None = None,
    ) -> Plan:
        """Fit, and give the plan its own copy of what it shows. Raises UnreachableError."""
        catalogue = self.catalogue
        diabetes = bool(changes.glucose)
        flags = [
            flag
            for flag in catalogue.red_flags.values()
            if catalogue.concerns(flag.when, protocol, diabetes=diabetes)
        ]
        plan = fit(protocol, seconds, chosen, changes, catalogue.areas, first_side).model_copy(
            update={"seen_from": seen_from(protocol)}
        )
        return with_names(plan, catalogue.techniques, catalogue.areas, flags, catalogue.keep_away)


def load(folder: Path, shipped: Path) -> Library:
    """Load every ``*.json`` of ``folder``; a missing catalogue file comes from ``shipped``.

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
    """Techniques, areas, pictures, sources and screening questions. Raises BadFileError."""

    def path_of(name: str) -> Path:
        return folder / name if (folder / name).exists() else shipped / name

    @cache
    def document_of(name: str) -> Document:
        return parse_file(path_of(name), read_content(path_of(name)))

    def items(name: str, key: str, model: type[ModelT]) -> list[ModelT]:
        path, document = path_of(name), document_of(name)
        raw = document.value.get(key) if isinstance(document.value, dict) else None
        if not isinstance(raw, list):
            raise bad_file(
                path, [Fault(1, (), f'the list "{key}" is missing, expected an object with it')]
            )
        checked = [validate(document, item, (key, i), model) for i, item in enumerate(raw)]
        faults = [*document.faults, *(fault for _, of_item in checked for fault in of_item)]
        for place, message in repeated_ids(texts(document.value, (key, "*", "id"))):
            faults.append(Fault(document.line(place), place, message))
        if faults:
            raise bad_file(path, faults)
        return [item for item, _ in checked if item]

    catalogue = Catalogue(
        techniques={t.id: t for t in items("techniques.json", "techniques", Technique)},
        areas={a.id: a for a in items("areas.json", "areas", Area)},
        sources={s.id: s for s in items("sources.json", "sources", Source)},
        groups={g.id: g for g in items("screening.json", "groups", Group)},
        questions={q.id: q for q in items("screening.json", "questions", Question)},
        red_flags={f.id: f for f in items("screening.json", "red_flags", RedFlag)},
        wrong_pictures=tuple(items("pictures.json", "wrong", WrongPicture)),
        place_words={
            (protocol, phase, words.area): words
            for words in items("pictures.json", "words", PlaceWords)
            for protocol in words.protocols
            for phase in words.phases
        },
        hands={h.id: h for h in items("hands.json", "hands", Hand)},
        points={p.id: p for p in items("points.json", "points", Point)},
        keep_away={k.id: k for k in items("keep_away.json", "keep_away", KeepAway)},
        landmarks={m.id: m for m in items("landmarks.json", "landmarks", Landmark)},
        anatomy={s.id: s for s in items("landmarks.json", "sources", AnatomySource)},
        views={view.id: view for view in items("views.json", "views", View)},
        scenes={scene.id: scene for scene in items("views.json", "scenes", Scene)},
        phase_pictures={
            (protocol, phase, picture.area): picture
            for picture in items("views.json", "phases", PhasePicture)
            for protocol in picture.protocols
            for phase in picture.phases
        },
        rules_hash=rules_hash([path_of(name) for name in RULE_FILES]),
    )
    for name in (*RULE_FILES, *PLACE_FILES):
        document = document_of(name)
        complaints = catalogue_complaints(document.value, catalogue)
        faults = [Fault(document.line(place), place, text) for place, text in complaints]
        if faults:
            raise bad_file(path_of(name), faults)
    drawn = document_of("views.json")
    if faults := [Fault(drawn.line(place), place, text) for place, text in view_faults(catalogue)]:
        raise bad_file(path_of("views.json"), faults)
    return catalogue


RULE_FILES = ("screening.json", "areas.json", "techniques.json")
PLACE_FILES = ("points.json", "keep_away.json", "landmarks.json")


def rules_hash(files: Iterable[Path]) -> str:
    """The version of the rules of screening: the files that decide, and the code's number."""
    digest = hashlib.sha256(f"rules {RULES}".encode())
    for file in files:
        digest.update(read_content(file))
    return digest.hexdigest()


def load_protocol(path: Path, catalogue: Catalogue) -> LibraryEntry:
    """One protocol file, checked in itself and against the catalogue. Raises BadFileError."""
    raw = read_content(path)
    document = parse_file(path, raw)
    protocol, faults = validate(document, document.value, (), Protocol)
    faults = [*document.faults, *faults]
    complaints = [*reference_complaints(document.value, path.stem, catalogue)]
    long = list[Complaint]()
    for place, phase in phases_with_path(document):
        complaints += phase_complaints(place, phase)
        complaints += technique_complaints(place, phase, catalogue)
        long += length_complaints(place, phase, catalogue)
    if protocol:
        complaints += protocol_complaints(protocol)
    known = {fault.path for fault in faults}
    faults += [Fault(document.line(p), p, text) for p, text in complaints if p not in known]
    if not faults and protocol:
        shown = [*picture_complaints(document, protocol, catalogue)]
        wrong = [*rule_complaints(protocol), *(shown if protocol.format > 1 else ())]
        long += shown if protocol.format == 1 else ()
        faults = [Fault(document.line(p), p, text) for p, text in wrong]
    if faults or not protocol:
        raise bad_file(path, faults)
    warnings = tuple(Fault(document.line(p), p, text) for p, text in long)
    return LibraryEntry(protocol, hashlib.sha256(raw).hexdigest(), warnings)


def bad_file(path: Path, faults: Iterable[Fault]) -> BadFileError:
    """The faults in the order of the file's lines, under a name that can always be shown."""
    name = path.name.encode("utf-8", "replace").decode("utf-8")
    return BadFileError(BadFile(name, tuple(sorted(faults, key=lambda f: f.line))))


KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_content(path: Path) -> bytes:
    """The bytes of the file, one more than allowed at most. Raises BadFileError.

    Only a regular file is opened: a named pipe would keep everybody waiting for its other end.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            why = f"found {KINDS.get(stat.S_IFMT(mode), 'no file')}, expected a regular file"
            raise bad_file(path, [Fault(1, (), why)])
        with path.open("rb") as file:
            return file.read(json_reader.MOST_BYTES + 1)
    except OSError as error:
        why = f"the file cannot be read ({error.strerror}), expected a readable file"
        raise bad_file(path, [Fault(1, (), why)]) from None


def parse_file(path: Path, raw: bytes) -> Document:
    """The document in ``raw``. Raises BadFileError when it is no strict JSON."""
    try:
        return json_reader.parse(json_reader.decode(raw))
    except NotJsonError as error:
        raise bad_file(path, [error.fault]) from None
