"""``steady-hands check``: what it prints, and the status it ends with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.broken.cases import BASE, FOLDER
from webapp.cli.main import main
from webapp.protocol_files.consistency import MOST_PHASES, MOST_RULES
from webapp.protocol_files.json_schema import schema_text
from webapp.settings import shipped

SHIPPED = shipped("protocols")


def check(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a good file and a broken one."""
    (tmp_path / "base.json").write_text(BASE, encoding="utf-8")
    broken = BASE.replace('"format": 1', '"format": 3').replace('"tempo": 12', '"tempo": "12"')
    (tmp_path / "wrong.json").write_text(broken.replace('"base"', '"wrong"'), encoding="utf-8")
    return tmp_path


def test_the_shipped_files_are_right_and_the_status_is_0() -> None:
    result = check()
    count = len(list(SHIPPED.glob("*.json")))
    assert (result.exit_code, result.output) == (0, f"{count} of {count} files are right.\n")
    assert count >= 6


def test_named_files_alone_are_checked(mixed: Path) -> None:
    result = check(mixed / "base.json")
    assert (result.exit_code, result.output) == (0, "1 of 1 files are right.\n")


def test_every_fault_is_one_line_and_the_status_is_1(mixed: Path) -> None:
    result = check(mixed / "base.json", mixed / "wrong.json")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{mixed / 'wrong.json'}:2: format: found 3, expected 1 or 2",
        f"{mixed / 'wrong.json'}:37: phases[0].tempo: found '12', expected a whole number",
        "1 of 2 files are right.",
    ]


def test_a_folder_is_checked_with_protocols(mixed: Path) -> None:
    result = check("--protocols", mixed)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "1 of 2 files are right."
    (mixed / "wrong.json").unlink()
    assert check("--protocols", mixed).exit_code == 0


def test_the_answer_in_json_says_the_same(mixed: Path) -> None:
    result = check("--json", "--protocols", mixed)
    answer = json.loads(result.output)
    assert result.exit_code == 1
    assert (answer["files"], answer["bad"], len(answer["faults"])) == (2, 1, 2)
    assert answer["faults"][1] == {
        "file": str(mixed / "wrong.json"),
        "line": 37,
        "path": "phases[0].tempo",
        "message": "found '12', expected a whole number",
    }
    (mixed / "wrong.json").unlink()
    good = check("--json", "--protocols", mixed)
    assert good.exit_code == 0
    assert json.loads(good.output) == {"files": 1, "bad": 0, "faults": [], "warnings": []}


def test_a_text_too_long_for_the_stage_is_a_warning_with_its_count(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    line = "Flat palms glide up, all the way to the lowest ribs."
    path.write_text(BASE.replace("Flat palms glide up.", line), encoding="utf-8")
    told = f"{len(line)} characters on the stage ({line!r}), expected at most 42"
    result = check(path)
    assert (result.exit_code, result.output.splitlines()) == (
        0,
        [f"{path}:39: phases[0].instructions[0]: {told} (warning)", "1 of 1 files are right."],
    )
    assert json.loads(check("--json", path).output)["warnings"] == [
        {"file": str(path), "line": 39, "path": "phases[0].instructions[0]", "message": told}
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "count", "most"),
    [
        ('"Opening strokes",', f'"{"a" * 33}", "hands": "two-palms",', "title", 33, 32),
        (
            '"Opening strokes",',
            f'"Opening", "hands": "two-palms", "direction": "{"b" * 34}",',
            "direction",
            43,
            42,
        ),
        (
            '"Opening strokes",',
            '"Opening", "hands": "two-palms", "not_here": ["spine"], '
            f'"go_lightly": ["{"c" * 63}"],',
            "not_here",
            71,
            70,
        ),
        (
            '"Opening strokes",',
            f'"Opening", "hands": "two-palms", "light": {{"instructions": ["{"d" * 43}"]}},',
            "light.instructions[0]",
            43,
            42,
        ),
    ],
)
def test_every_limit_of_the_stage_is_told_from_the_first_sign_beyond_it(
    tmp_path: Path, old: str, new: str, where: str, count: int, most: int
) -> None:
    path = tmp_path / "base.json"
    text = BASE.replace('"format": 1', '"format": 2').replace(old, new)
    for title in ("Kneading", "Closing strokes"):
        text = text.replace(f'"title": "{title}",', f'"title": "{title}", "hands": "two-palms",')
    path.write_text(text, encoding="utf-8")
    (line, _) = check(path).output.splitlines()
    assert f"phases[0].{where}: {count} characters on the stage" in line
    assert line.endswith(f"expected at most {most} (warning)")
    path.write_text(re.sub(r"([abcd])\1{32,}", lambda m: m[0][1:], text), encoding="utf-8")
    assert check(path).output == "1 of 1 files are right.\n"


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.json"
    result = check(path)
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == (
        f"{path}:1: $: the file cannot be read (No such file or directory), "
        "expected a readable file"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_a_fault_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo.json"
    os.mkfifo(path)
    command = [sys.executable, "-c", "from webapp.cli.main import main; main()", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"{path}:1: $: found a named pipe, expected a regular file",
        "0 of 1 files are right.",
    ]


def test_a_folder_without_protocol_files_is_not_called_right(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = check("--protocols", folder)
        assert result.exit_code == 1
        assert result.output == f"steady-hands: there are no protocol files in {folder}\n"


def test_a_broken_catalogue_is_told(mixed: Path) -> None:
    (mixed / "catalogue").mkdir()
    (mixed / "catalogue" / "areas.json").write_text("[]", encoding="utf-8")
    result = check("--protocols", mixed)
    assert result.exit_code == 1
    assert result.output == (
        'steady-hands: areas.json:1: $: the list "areas" is missing, expected an object with it\n'
    )


def test_the_command_of_the_shell_ends_with_the_same_words_and_status() -> None:
    path = FOLDER / "comma.json"
    command = [sys.executable, "-c", "from webapp.cli.main import main; main()", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"{path}:7: regions[1]: found ']', expected a value",
        "0 of 1 files are right.",
    ]


# The schema and the README, which an author has beside the command.

README = (SHIPPED / "README.md").read_text(encoding="utf-8")


def test_the_schema_on_disk_is_the_one_of_the_models() -> None:
    on_disk = (SHIPPED / "schema" / "protocol.schema.json").read_text(encoding="utf-8")
    assert on_disk == schema_text(), "stale: run make schema"
    assert CliRunner().invoke(main, ["schema"]).output == on_disk


def test_the_schema_can_be_written_to_a_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["schema", "--to", str(tmp_path / "s.json")])
    assert (result.exit_code, result.output) == (0, "")
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == schema_text()


def test_the_example_of_the_readme_is_right(tmp_path: Path) -> None:
    example = README.split("```json\n")[1].split("```")[0]
    path = tmp_path / f"{json.loads(example)['id']}.json"
    path.write_text(example, encoding="utf-8")
    assert f"Save it as `{path.name}`" in README
    assert check(path).output == "1 of 1 files are right.\n"


def test_the_readme_names_every_field_of_the_format() -> None:
    schema = json.loads(schema_text())
    fields = set(schema["properties"])
    for model in schema["$defs"].values():
        fields |= set(model["properties"])
    text = README.split("## The fields")[1]
    assert len(fields) > 40
    assert {f for f in fields if f"`{f}`" not in text} == set()


def test_the_readme_names_every_value_of_the_choices() -> None:
    def choices(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {v for v in node.get("enum", ()) if isinstance(v, str)}
            return own.union(*map(choices, node.values()))
        return set[str]().union(*map(choices, node)) if isinstance(node, list) else set()

    values = choices(json.loads(schema_text()))
    assert values > {"open", "zigzag", "guideline", "therapist"}
    assert {v for v in values if f"`{v}`" not in README} == set()


def test_the_numbers_of_the_readme_are_those_of_the_models() -> None:
    limits = json.loads(schema_text())["$defs"]
    assert f"more than {MOST_PHASES} phases or {MOST_RULES} rules" in README
    assert limits["Phase"]["properties"]["instructions"]["maxItems"] == 3
    assert limits["Phase"]["properties"]["instructions"]["items"]["maxLength"] == 90
    assert "(over 90 is refused)" in README
    assert "one to three lines" in README
