"""``steady-hands review``."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tests.support.builders import shipped
from webapp.cli.main import main
from webapp.protocol_files.review import review_text


def test_the_command_prints_it_and_writes_it(tmp_path: Path) -> None:
    text = review_text(shipped())
    printed = CliRunner().invoke(main, ["review"])
    assert (printed.exit_code, printed.output) == (0, text)
    written = CliRunner().invoke(main, ["review", "--to", str(tmp_path / "r.md")])
    assert (written.exit_code, written.output) == (0, "")
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == text
