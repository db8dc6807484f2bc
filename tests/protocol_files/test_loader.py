"""Broken protocol files: every fault told exactly, the other files still load, never a crash."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.broken.cases import BASE, CASES, CATALOGUE, CATALOGUE_CASES, FOLDER, Case, CatalogueCase
from webapp.domain.catalogue import Catalogue
from webapp.protocol_files import json_reader
from webapp.protocol_files.loader import (
    BadFileError,
    LibraryEntry,
    load,
    load_catalogue,
    load_protocol,
)
from webapp.settings import shipped

SHIPPED = shipped("protocols")
TOO_DEEP = "nested too deep, expected at most 32 levels"
LIBRARY_WORDS = re.compile(
    r"input should|pydantic|validation|_type|model|tuple|\bdict|\bint\b", re.I
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """A catalogue of the tests' own: the messages list what it knows."""
    return load_catalogue(CATALOGUE, CATALOGUE)


def told(raw: bytes, catalogue: Catalogue, folder: Path, name: str = "base") -> list[str]:
    """The lines told about a file of these bytes; empty when it loads."""
    path = folder / f"{name}.json"
    path.write_bytes(raw)
    return told_of(path, catalogue)


def told_of(path: Path, catalogue: Catalogue) -> list[str]:
    try:
        entry = load_protocol(path, catalogue)
    except BadFileError as error:
        return error.bad.lines()
    assert isinstance(entry, LibraryEntry)
    return []


def with_phases(count: int) -> bytes:
    file = json.loads(BASE)
    file["phases"] = [{**file["phases"][0], "id": f"p{i}"} for i in range(count)]
    file["rules"] = {}
    file["session"] = {"min": 20 * count, "usual": 40 * count, "max": 70 * count}
    return json.dumps(file).encode()


def with_shares(count: int) -> bytes:
    file = json.loads(BASE)
    file["rules"]["share"] = [{"technique": "kneading", "more_than": 0.1}] * count
    return json.dumps(file).encode()


def test_the_base_of_the_cases_is_right_as_it_is(catalogue: Catalogue, tmp_path: Path) -> None:
    assert told(BASE.encode(), catalogue, tmp_path) == []


def test_no_two_cases_have_one_name_and_none_is_without_fault() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 65
    assert all(case.edits and case.lines for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_file_is_told_in_exactly_these_lines(
    case: Case, catalogue: Catalogue, tmp_path: Path
) -> None:
    lines = told(case.text().encode(), catalogue, tmp_path)
    assert lines == [f"base.json:{line}" for line in case.lines]


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        pytest.param(b"", "1: $: found the end of the file, expected a value", id="empty"),
        pytest.param(b" \n\n ", "3: $: found the end of the file, expected a value", id="blank"),
        pytest.param(
            b"\xef\xbb\xbf", "1: $: found the end of the file, expected a value", id="BOM"
        ),
        pytest.param(b"null", "1: $: found null, expected an object in { }", id="null"),
        pytest.param(b"7", "1: $: found 7, expected an object in { }", id="number"),
        pytest.param(b"\x00", "1: $: found U+0000 (null), expected a value", id="zero byte"),
        pytest.param(
            BASE.encode().replace(b"A base", b"\n\xed\xa0\x80"),
            "5: $: byte 0xed is not UTF-8, expected a file saved as UTF-8",
            id="raw surrogate",
        ),
        pytest.param(
            b"\xef\xbb\xbf{\n\xff\n\n",
            "2: $: byte 0xff is not UTF-8, expected a file saved as UTF-8",
            id="not UTF-8 after a byte order mark",
        ),
        pytest.param(b"[\n" * 33, f"33: {'[0]' * 32}: {TOO_DEEP}", id="33 deep"),
        pytest.param(b"[" * 100_000, f"1: {'[0]' * 32}: {TOO_DEEP}", id="100,000 lists deep"),
        pytest.param(b'{"a":' * 40_000, f"1: a{'.a' * 31}: {TOO_DEEP}", id="40,000 objects deep"),
        pytest.param(
            BASE.encode() + b" " * (json_reader.MOST_BYTES + 1 - len(BASE.encode())),
            "1: $: the file is too big, expected at most 262,144 bytes",
            id="one byte too big",
        ),
        pytest.param(with_phases(61), "1: phases: 61 phases, expected at most 60", id="61 phases"),
        pytest.param(with_shares(8), "1: rules: 9 rules, expected at most 8", id="9 rules"),
    ],
)
def test_a_file_with_such_bytes_is_told_in_exactly_this_line(
    raw: bytes, line: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    assert told(raw, catalogue, tmp_path) == [f"base.json:{line}"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf" + BASE.encode(), id="byte order mark"),
        pytest.param(BASE.replace("\n", "\r\n").encode(), id="lines of Windows"),
        pytest.param(
            BASE.encode() + b" " * (json_reader.MOST_BYTES - len(BASE.encode())), id="256 KiB"
        ),
        pytest.param(BASE.replace("A base", "Gr\\u00f6\\ud83d\\ude00").encode(), id="escapes"),
        pytest.param(BASE.replace("A base", "Größe 😀").encode(), id="beyond ASCII"),
        pytest.param(BASE.replace('"more_than": 0.5', '"more_than": 0').encode(), id="share 0"),
        pytest.param(with_phases(60), id="60 phases"),
    ],
)
def test_a_file_at_the_edge_of_what_is_allowed_loads(
    raw: bytes, catalogue: Catalogue, tmp_path: Path
) -> None:
    assert told(raw, catalogue, tmp_path) == []


def test_thirty_two_levels_are_read() -> None:
    assert json_reader.parse("[" * 32 + "1" + "]" * 32).faults == []


def real_files() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def test_the_real_broken_files_are_told_in_exactly_the_expected_lines(catalogue: Catalogue) -> None:
    lines = [line for path in real_files() for line in told_of(path, catalogue)]
    assert lines == (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert all(", expected " in line for line in lines)


def test_messages_are_short_single_lines_in_the_users_words(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    lines = [line for case in CASES for line in told(case.text().encode(), catalogue, tmp_path)]
    for line in lines:
        place, message = line.split(": ", 1)
        assert re.fullmatch(r"base\.json:\d+", place)
        assert not LIBRARY_WORDS.search(message), line
        assert ", expected " in message, line
        assert line.isprintable(), line
        assert len(line) < 300, line


def test_a_huge_value_does_not_make_a_huge_message(catalogue: Catalogue, tmp_path: Path) -> None:
    long = "x" * 200_000
    raw = BASE.replace('"open"', f'"{long}"').replace('"tempo"', f'"a {long[:50_000]}"')
    lines = told(raw.encode(), catalogue, tmp_path)
    assert len(lines) == 2
    assert max(map(len, lines)) < 200


def test_a_folder_of_broken_files_and_a_good_one_loads_the_good_one(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        (tmp_path / f"bad-{number}.json").write_text(case.text(), encoding="utf-8", newline="")
    for path in real_files():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "base.json").write_text(BASE, encoding="utf-8")
    library = load(tmp_path, SHIPPED)
    assert list(library.entries) == ["base"]
    put_aside = {bad.file for bad in library.bad_files}
    assert put_aside == {path.name for path in tmp_path.glob("*.json")} - {"base.json"}
    assert all(bad.faults for bad in library.bad_files)


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
NO_FILE = "1: $: found {}, expected a regular file"


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        pytest.param(Path.mkdir, "a folder", id="folder"),
        pytest.param(lambda path: os.mkfifo(path), "a named pipe", id="pipe", marks=needs_pipes),
        pytest.param(make_socket, "a socket", id="socket", marks=needs_pipes),
        pytest.param(
            lambda path: path.symlink_to("/dev/zero"), "a device", id="device", marks=needs_pipes
        ),
    ],
)
def test_what_is_no_regular_file_is_told_and_never_opened(
    make: Callable[[Path], None],
    found: str,
    catalogue: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    path = Path("base.json")
    make(path)
    monkeypatch.setattr(Path, "open", lambda *_args: pytest.fail("opened"))
    assert told_of(path, catalogue) == [f"base.json:{NO_FILE.format(found)}"]


@needs_pipes
def test_a_named_pipe_among_the_files_keeps_nobody_waiting(tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "base.json").write_text(BASE, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.json")
    library = load(tmp_path, SHIPPED)
    assert list(library.entries) == ["base"]
    assert [bad.lines() for bad in library.bad_files] == [
        [f"pipe.json:{NO_FILE.format('a named pipe')}"]
    ]
    os.mkfifo(tmp_path / "catalogue" / "areas.json")
    with pytest.raises(BadFileError) as caught:
        load(tmp_path, SHIPPED)
    assert caught.value.bad.lines() == [f"areas.json:{NO_FILE.format('a named pipe')}"]


@pytest.mark.skipif(os.name == "nt", reason="file names are text on Windows")
def test_a_file_name_that_is_no_text_can_still_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"b\xff.json")
    (tmp_path / name).write_text(BASE, encoding="utf-8")
    (bad,) = load(tmp_path, SHIPPED).bad_files
    assert "\n".join(bad.lines()).encode().startswith(b"b?.json:3: id: ")


def shipped_part(name: str) -> Any:
    return json.loads((SHIPPED / "catalogue" / name).read_text(encoding="utf-8"))


def test_a_folder_may_bring_a_part_of_the_catalogue(tmp_path: Path) -> None:
    areas = shipped_part("areas.json")
    areas["areas"][-1] = {"id": "chair", "name": "Chair", "figure": "back", "region": "arms"}
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "areas.json").write_text(json.dumps(areas), encoding="utf-8")
    opening = '"area": "low-back",\n      "side": "both",\n      "pressure": 1,\n      "tempo"'
    assert BASE.count(opening) == 1
    for name, area in (("base", "chair"), ("lost", "forearm")):
        text = BASE.replace(opening, opening.replace("low-back", area))
        text = text.replace('"id": "base"', f'"id": "{name}"')
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    library = load(tmp_path, SHIPPED)
    assert list(library.entries) == ["base"]
    (bad,) = library.bad_files
    assert bad.lines() == [
        "lost.json:34: phases[0].area: unknown area 'forearm', expected one of: back-of-head, "
        "beside-spine, buttocks, calf, chair, collar, ear, ear-lobe, ear-upper, foot-to-knee, "
        "foot-top, hand, …"
    ]


def test_a_part_of_the_catalogue_has_what_the_others_name(tmp_path: Path) -> None:
    sources = {"sources": [s for s in shipped_part("sources.json")["sources"] if s["id"] != "R50"]}
    (tmp_path / "sources.json").write_text(json.dumps(sources), encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        load_catalogue(tmp_path, SHIPPED / "catalogue")
    assert caught.value.bad.file == "screening.json"
    assert [fault.message.partition(",")[0] for fault in caught.value.bad.faults] == [
        "unknown source 'R50'"
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[]", ['areas.json:1: $: the list "areas" is missing, expected an object with it']),
        (
            '{"areas": [\n{"id": "a", "name": "A", "figure": "f", "region": 1},\n'
            '{"id": "a", "name": "", "figure": "f", "region": "r"}]}',
            [
                "areas.json:2: areas[0].region: found 1, expected a text in double quotes",
                "areas.json:3: areas[1].name: found an empty text, expected at least one character",
                "areas.json:3: areas[1].id: the id 'a' is taken, expected another one",
            ],
        ),
        (
            '{"areas": [],\n"areas": []}',
            ["areas.json:2: areas: this field stands twice, expected once"],
        ),
    ],
)
def test_every_fault_of_a_broken_catalogue_is_told_at_once(
    text: str, lines: list[str], tmp_path: Path
) -> None:
    (tmp_path / "areas.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        load_catalogue(tmp_path, SHIPPED / "catalogue")
    assert caught.value.bad.lines() == lines


@pytest.mark.parametrize("case", CATALOGUE_CASES, ids=lambda case: case.name)
def test_a_broken_file_of_the_catalogue_is_told_in_exactly_these_lines(
    case: CatalogueCase, tmp_path: Path
) -> None:
    (tmp_path / case.file).write_text(case.text(), encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        load_catalogue(tmp_path, CATALOGUE)
    assert caught.value.bad.lines() == [f"{case.file}:{line}" for line in case.lines]
    assert all(", expected " in line for line in case.lines)


def test_no_two_cases_of_the_catalogue_have_one_name_and_none_is_without_fault() -> None:
    assert len({case.name for case in CATALOGUE_CASES}) == len(CATALOGUE_CASES) >= 20
    assert all(case.edits and case.lines for case in CATALOGUE_CASES)


def test_the_hash_of_the_rules_changes_with_the_files_that_decide(tmp_path: Path) -> None:
    def hash_with(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes((CATALOGUE / name).read_bytes() + b"\n")
        return load_catalogue(folder, CATALOGUE).rules_hash

    before = load_catalogue(CATALOGUE, CATALOGUE).rules_hash
    assert hash_with("sources.json") == before
    hashes = {hash_with(name) for name in ("screening.json", "areas.json", "techniques.json")}
    assert len({before, *hashes}) == 4


# Fuzzing: whatever the bytes, an Entry or a BadFileError with at least one placed fault.

ORIGINAL = (SHIPPED / "oc-classic-collar.json").read_bytes()
STRANGE = st.sampled_from(
    [
        *(b"\x00", b"\xff", b"\n", b'"', b"\\", b"{", b"[", b"}", b",", b"-"),
        *(b"NaN", b"1e999", b"null", b"true", b"\\ud800", b"9" * 400, b"[" * 40, b'{"a":' * 40),
        *(b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.integers(-10, 500)
    | st.floats()
    | st.sampled_from(["kneading", "inferred", "nape", "left", "half", "withheld", "a b", ""])
    | st.text(st.characters(), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "min", "usual", "max", "at", "for_sides", "phases", "phase-entry"]
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    raw = bytearray(ORIGINAL)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        raw[start : start + draw(st.sampled_from([0, 0, 1, 1, 2, 30, 5000]))] = draw(
            STRANGE | st.binary(max_size=4)
        )
    return bytes(raw)


def places(value: object) -> list[tuple[Any, Any]]:
    """Every container with a key of it."""
    found: list[tuple[Any, Any]] = []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        found += [(value, key), *places(item)]
    return found


@st.composite
def damaged_values(draw: st.DrawFn) -> bytes:
    file = json.loads(ORIGINAL)
    for _ in range(draw(st.integers(1, 3))):
        owner, key = draw(st.sampled_from(places(file)))
        match draw(st.sampled_from(["replace", "replace", "remove", "add", "swap"])):
            case "replace":
                owner[key] = draw(VALUES)
            case "remove":
                del owner[key]
            case "add" if isinstance(owner, dict):
                owner[draw(st.text(max_size=4))] = draw(VALUES)
            case _:
                other, its_key = draw(st.sampled_from(places(file)))
                owner[key] = json.loads(json.dumps(other[its_key]))
        if not places(file):
            break
    return json.dumps(file, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@pytest.mark.slow
@given(raw=damaged_bytes() | damaged_values())
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_damaged_protocol_loads_or_is_told_and_nothing_else(
    raw: bytes, catalogue: Catalogue, tmp_path: Path
) -> None:
    path = tmp_path / "oc-classic-collar.json"
    path.write_bytes(raw)
    try:
        assert load_protocol(path, catalogue).protocol.id == path.stem
        return
    except BadFileError as error:
        bad = error.bad
    lines = [fault.line for fault in bad.faults]
    assert lines
    assert lines == sorted(lines)
    assert lines[0] >= 1
    for line in bad.lines():
        assert re.match(r"oc-classic-collar\.json:\d+: \S.*: ", line), line
        assert line.isprintable(), line
        assert not re.search("input should|pydantic", line, re.IGNORECASE), line
