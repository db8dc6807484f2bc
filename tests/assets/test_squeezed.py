"""Files that an earlier start made small: taken as they are, made anew where they are torn, and never needed."""

from __future__ import annotations

from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest

from webapp.assets import files, squeezed
from webapp.assets.squeezed import Squeezer
from webapp.settings import shipped

SCRIPT = b"const first = 1;\nshow(first);\n"
SHORT = b"let a=1;show(a);\n"


def never(*_: object) -> bytes:
    raise AssertionError("made anew")


def test_a_script_gets_short_names_and_other_files_are_as_they_are(tmp_path: Path) -> None:
    body, packed = Squeezer(tmp_path).squeeze(SCRIPT, script=True)
    assert (body, brotli.decompress(packed)) == (SHORT, SHORT)
    body, packed = Squeezer(tmp_path).squeeze(SCRIPT, script=False)
    assert (body, brotli.decompress(packed)) == (SCRIPT, SCRIPT)


def test_the_second_start_finds_what_the_first_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with ``keep`` doing nothing."""
    first = Squeezer(tmp_path).squeeze(SCRIPT, script=True)
    monkeypatch.setattr(squeezed, "shortened", never)
    assert Squeezer(tmp_path).squeeze(SCRIPT, script=True) == first


def test_other_rules_for_names_make_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with the hash of the script alone."""
    Squeezer(tmp_path).squeeze(SCRIPT, script=True)
    monkeypatch.setattr(squeezed, "rules", lambda: b"others")
    monkeypatch.setattr(squeezed, "shortened", lambda _body: b"other\n")
    assert Squeezer(tmp_path).squeeze(SCRIPT, script=True)[0] == b"other\n"


def test_other_rules_for_names_have_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser keeps a file for a year. Seen to fail with the hash of the files alone."""
    before = files.read_assets(shipped("static")).version
    monkeypatch.setattr(files, "rules", lambda: b"others")
    assert files.read_assets(shipped("static")).version != before


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", None])
def test_a_torn_file_is_made_anew(tmp_path: Path, rubbish: bytes | None) -> None:
    first = Squeezer(tmp_path).squeeze(SCRIPT, script=True)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3] if rubbish is None else rubbish)
    assert Squeezer(tmp_path).squeeze(SCRIPT, script=True) == first
    assert brotli.decompress(file.read_bytes()) == SHORT


def test_a_full_disk_is_no_fault_and_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without the ``finally``: the draft stays."""

    def full(draft: Path, _place: Path) -> None:
        assert draft.exists()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert Squeezer(tmp_path).squeeze(SCRIPT, script=True)[0] == SHORT
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_it_is_made_each_time() -> None:
    assert Squeezer(None).squeeze(SCRIPT, script=True)[0] == SHORT
