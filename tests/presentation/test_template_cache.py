"""Templates that an earlier start compiled: used where nobody else can write, and never needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from webapp.presentation import template_cache
from webapp.presentation.template_cache import Compiled, cached_templates


def shown(folder: Path, text: str = "Hello {{ name }}") -> str:
    """A page by a fresh environment, as after a start."""
    kept = cached_templates(folder)
    assert kept
    environment = Environment(loader=DictLoader({"page": text}), bytecode_cache=kept)
    return environment.get_template("page").render(name="Ann")


def test_the_second_start_finds_what_the_first_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail with no cache set: the second start compiles."""
    assert shown(tmp_path / "kept") == "Hello Ann"
    monkeypatch.setattr(Environment, "_generate", None)  # nothing can be compiled any more
    assert shown(tmp_path / "kept") == "Hello Ann"


def test_a_template_that_changed_is_compiled_anew(tmp_path: Path) -> None:
    assert shown(tmp_path) == "Hello Ann"
    assert shown(tmp_path, "Bye {{ name }}") == "Bye Ann"


def test_a_torn_file_is_compiled_anew(tmp_path: Path) -> None:
    shown(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert shown(tmp_path) == "Hello Ann"


def test_a_full_disk_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    assert shown(tmp_path) == "Hello Ann"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs rights as on Linux")
@pytest.mark.parametrize("rights", [0o777, 0o720, 0o702])
def test_where_others_may_write_nothing_is_taken(tmp_path: Path, rights: int) -> None:
    tmp_path.chmod(rights)
    assert cached_templates(tmp_path) is None


def test_the_folder_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    found = cached_templates()
    assert isinstance(found, Compiled)
    assert Path(found.directory) == tmp_path / "cache" / "templates"
    assert (tmp_path / "cache" / "templates").stat().st_mode & 0o077 == 0


def test_without_a_place_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert cached_templates(file / "below") is None
