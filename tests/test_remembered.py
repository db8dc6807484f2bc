"""What an earlier start worked out: taken for the very same files only, whole or not at all, and never needed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from webapp import compiled, library, remembered
from webapp.library import load, remembered_library
from webapp.remembered import MOST_KEPT
from webapp.settings import shipped

SHIPPED = shipped("protocols")


def never() -> str:
    raise AssertionError("worked out anew")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder for caches, of this test alone."""
    place = tmp_path / "cache"
    monkeypatch.setattr(compiled, "user_cache_path", lambda *_, **__: place)
    return place / "start"


def test_the_second_start_finds_what_the_first_worked_out(tmp_path: Path) -> None:
    """Seen to fail with ``keep`` doing nothing."""
    assert remembered.remembered("it", [b"a"], lambda: "made", tmp_path) == "made"
    assert remembered.remembered("it", [b"a"], never, tmp_path) == "made"


@pytest.mark.parametrize("other", [[b"b"], [b"a", b""], [b"", b"a"], []])
def test_of_other_files_it_is_worked_out_anew(tmp_path: Path, other: list[bytes]) -> None:
    """Seen to fail with the parts hashed without their lengths."""
    remembered.remembered("it", [b"a"], lambda: "made", tmp_path)
    assert remembered.remembered("it", other, lambda: "anew", tmp_path) == "anew"


@pytest.mark.parametrize("rubbish", ["", "rubbish", "short", "one byte"])
def test_a_torn_file_is_worked_out_anew(tmp_path: Path, rubbish: str) -> None:
    """Seen to fail without the hash: one byte that differs is read as another text."""
    remembered.remembered("it", [b"a"], lambda: "made", tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    short, changed = whole[:-3], whole.replace(b"made", b"mode")
    file.write_bytes({"": b"", "short": short, "one byte": changed}.get(rubbish, b"rubbish"))
    assert remembered.remembered("it", [b"a"], lambda: "anew", tmp_path) == "anew"
    assert remembered.remembered("it", [b"a"], never, tmp_path) == "anew"


def test_what_cannot_be_read_any_more_is_worked_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a library has another shape now. Seen to fail without the ``suppress``."""
    remembered.remembered("it", [b"a"], lambda: "made", tmp_path)

    def unknown(_body: bytes) -> object:
        raise AttributeError("no such class")

    monkeypatch.setattr("pickle.loads", unknown)
    assert remembered.remembered("it", [b"a"], lambda: "anew", tmp_path) == "anew"


def test_a_full_disk_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert remembered.remembered("it", [b"a"], lambda: "made", tmp_path) == "made"
    assert list(tmp_path.iterdir()) == []


def test_only_what_was_made_last_is_kept(tmp_path: Path) -> None:
    """Seen to fail without ``forget_oldest``."""
    for number in range(MOST_KEPT + 3):
        remembered.remembered("it", [b"%d" % number], lambda: "made", tmp_path)
        for file in tmp_path.iterdir():  # each a second older than what comes next
            os.utime(file, (file.stat().st_mtime - 1,) * 2)
    assert len(list(tmp_path.iterdir())) == MOST_KEPT
    last = MOST_KEPT + 2
    assert remembered.remembered("it", [b"%d" % last], never, tmp_path) == "made"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs rights as on Linux")
def test_where_others_may_write_nothing_is_taken_and_nothing_left(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert remembered.remembered("it", [b"a"], lambda: "made", tmp_path) == "made"
    assert list(tmp_path.iterdir()) == []


# -- the library ---------------------------------------------------------------------------------


def test_the_library_is_the_same_from_memory(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the usual plans left out."""
    fresh = remembered_library(SHIPPED, SHIPPED)
    assert list(cache.iterdir())
    monkeypatch.setattr(library, "load", never)
    again = remembered_library(SHIPPED, SHIPPED)
    assert again == fresh
    assert again.usual_plans == {
        name: fresh.usual_plan(entry)
        for name, entry in fresh.entries.items()
        if entry.protocol.phases
    }


def copied(folder: Path) -> Path:
    shutil.copytree(SHIPPED, folder)
    return folder


def test_a_file_that_changed_is_read_anew(cache: Path, tmp_path: Path) -> None:
    """Seen to fail with the names of the files alone."""
    folder = copied(tmp_path / "protocols")
    before = remembered_library(folder, SHIPPED)
    name = min(before.entries)
    file = folder / f"{name}.json"
    file.write_bytes(file.read_bytes() + b"\n")
    after = remembered_library(folder, SHIPPED)
    assert after.entries[name].digest != before.entries[name].digest
    file.rename(file.with_name("other-name.json"))
    assert name not in remembered_library(folder, SHIPPED).entries


def test_a_catalogue_that_changed_is_read_anew(cache: Path, tmp_path: Path) -> None:
    """Seen to fail with the catalogue's files left out: screening would go on by the old rules."""
    folder = copied(tmp_path / "protocols")
    before = remembered_library(folder, SHIPPED).catalogue.rules_hash
    questions = folder / "catalogue" / "screening.json"
    questions.write_bytes(questions.read_bytes() + b"\n")
    assert remembered_library(folder, SHIPPED).catalogue.rules_hash != before
    questions.unlink()
    assert remembered_library(folder, SHIPPED).catalogue.rules_hash == before


def test_other_code_reads_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the files alone."""
    remembered_library(SHIPPED, SHIPPED)
    monkeypatch.setattr(library, "code_of", lambda *_: [b"other code"])
    called: list[Path] = []

    def loading(folder: Path, shipped_files: Path) -> library.Library:
        called.append(folder)
        return load(folder, shipped_files)

    monkeypatch.setattr(library, "load", loading)
    remembered_library(SHIPPED, SHIPPED)
    assert called == [SHIPPED]


def test_every_module_that_reads_protocols_is_named(tmp_path: Path) -> None:
    """Of ours that the library imports, all but those that only keep and find files."""
    import ast

    tree = ast.parse(Path(library.__file__).read_text(encoding="utf-8"))
    imported = {
        (node.module or "").removeprefix("webapp.").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("webapp.")
    }
    named = {pattern.split("/")[0].removesuffix(".py") for pattern in library.READERS}
    assert imported - {"remembered"} <= named
    assert [*remembered.code_of(*library.READERS)]


def test_what_is_broken_is_told_from_memory_too(cache: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path / "protocols")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    told = [bad.lines() for bad in remembered_library(folder, SHIPPED).bad_files]
    assert len(told) == 1
    assert [bad.lines() for bad in remembered_library(folder, SHIPPED).bad_files] == told
