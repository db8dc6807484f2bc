"""Commands for protocol files: ``check``, ``schema``, ``review``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webapp.cli.environment import PlainError, write_output
from webapp.settings import shipped

if TYPE_CHECKING:
    from webapp.protocol_files.loader import BadFile

output_option = click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write instead of the screen.",
)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--protocols",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="STEADY_HANDS_PROTOCOLS",
    help="Folder of protocol files; also checked when no FILE is named.",
)
def check(files: tuple[Path, ...], as_json: bool, protocols: Path | None) -> None:
    """Check protocol files; exit status 1 when one has a fault.

    Warnings: texts that are longer than the stage has room for, and in files of format 1 pictures
    that would not show what their words say.
    """
    from webapp.protocol_files.loader import BadFile, BadFileError, load_catalogue, load_protocol

    folder = protocols or shipped("protocols")
    bad: list[BadFile] = []
    long: list[BadFile] = []
    paths = list(files) or sorted(folder.glob("*.json"))
    if not paths:
        raise PlainError(f"there are no protocol files in {folder}")
    try:
        catalogue = load_catalogue(folder / "catalogue", shipped("protocols") / "catalogue")
    except BadFileError as error:
        raise PlainError(str(error)) from None
    for path in paths:
        try:
            entry = load_protocol(path, catalogue)
            long.append(BadFile(click.format_filename(path), entry.warnings))
        except BadFileError as error:
            bad.append(BadFile(click.format_filename(path), error.bad.faults))
    click.echo((result_json if as_json else result_text)(paths, bad, long))
    sys.exit(1 if bad else 0)


def result_text(paths: list[Path], bad: list[BadFile], long: list[BadFile]) -> str:
    lines = [line for item in bad for line in item.lines()]
    warnings = [f"{line} (warning)" for item in long for line in item.lines()]
    good = len(paths) - len(bad)
    return "\n".join([*lines, *warnings, f"{good} of {len(paths)} files are right."])


def result_json(paths: list[Path], bad: list[BadFile], long: list[BadFile]) -> str:
    answer = {
        "files": len(paths),
        "bad": len(bad),
        "faults": [fault for item in bad for fault in as_json_items(item)],
        "warnings": [fault for item in long for fault in as_json_items(item)],
    }
    return json.dumps(answer, indent=2)


def as_json_items(item: BadFile) -> list[dict[str, str | int]]:
    return [
        {"file": item.file, "line": f.line, "path": f.where(), "message": f.message}
        for f in item.faults
    ]


@click.command()
@output_option
def schema(to: Path | None) -> None:
    """Print the JSON Schema of protocol files, for editors."""
    from webapp.protocol_files.json_schema import schema_text

    text = schema_text()
    write_out(text, to)


@click.command()
@output_option
def review(to: Path | None) -> None:
    """Print the content of the shipped protocols, for a clinician to go through."""
    from webapp.protocol_files.loader import load
    from webapp.protocol_files.review import review_text

    folder = shipped("protocols")
    text = review_text(load(folder, folder))
    write_out(text, to)


def write_out(text: str, to: Path | None) -> None:
    """Write ``text`` to a file, or to the screen."""
    if to:
        to.write_text(text, encoding="utf-8", newline="\n")
    else:
        write_output([text])
