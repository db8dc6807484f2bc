"""The command ``steady-hands``."""

from __future__ import annotations

import gc
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from webapp.cli.data import COMMANDS, PlainError, where
from webapp.cli.invite import EVERYWHERE, LOOPBACK, invite, reached
from webapp.settings import Settings, app_version, shipped

if TYPE_CHECKING:
    from webapp.protocol_files.loader import BadFile


def show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"steady-hands, version {app_version()}")
        context.exit()


def tell_by_place(
    kind: type[BaseException], _error: BaseException, trace: TracebackType | None
) -> None:
    """Of what nobody expected: not its words, which may hold a password."""
    from webapp.log import place_of

    where = place_of(trace)
    click.echo(f"steady-hands: {kind.__name__} at {where}; the fault is on our side", err=True)


class Commands(click.Group):
    """A wrong call is told without the login of an address that stands where none belongs."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.UsageError as error:
            said = re.sub(r"://.*@", "://…@", error.format_message(), flags=re.DOTALL)
            raise click.UsageError(said, error.ctx) from None


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"auto_envvar_prefix": "STEADY_HANDS"},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=show_version,
    help="Show the version and exit.",
)
@click.pass_context
def main(context: click.Context) -> None:
    """A guided massage-session timer. Without a command it serves the app."""
    sys.excepthook = tell_by_place
    if context.invoked_subcommand is None:
        # With its own options from the environment, which ``context.invoke`` would leave out.
        with serve.make_context("serve", [], parent=context) as serving:
            serve.invoke(serving)


@main.command()
@reached
@click.option(
    "--lan",
    is_flag=True,
    envvar="STEADY_HANDS_LAN",
    help="Let other devices of this network join; shows a QR code for the first.",
)
@where
@click.option(
    "--processes",
    default=1,
    type=click.IntRange(1, 64),
    envvar="STEADY_HANDS_PROCESSES",
    show_default=True,
    help="Processes to serve with; more than one needs PostgreSQL.",
)
@click.option(
    "--protocols",
    type=click.Path(path_type=Path, readable=False),
    envvar="STEADY_HANDS_PROTOCOLS",
    help="Folder of protocol files instead of the shipped ones.",
)
@click.option(
    "--time-zone",
    envvar="STEADY_HANDS_TIME_ZONE",
    help="Like Europe/Berlin; the machine's own by default.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, readable=False),
    envvar="STEADY_HANDS_CERTIFICATE",
    help="Serve https with this certificate (PEM, with its chain).",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, readable=False),
    envvar="STEADY_HANDS_KEY",
    help="The private key of the certificate (PEM).",
)
@click.option(
    "--trust-port",
    type=click.IntRange(1, 65535),
    envvar="STEADY_HANDS_TRUST_PORT",
    help="With --tls: port of the plain page on how to trust it; the one after --port.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="STEADY_HANDS_LOG_FORMAT",
    show_default=True,
    help="Readable text, or one JSON object a line, requests included.",
)
@click.option(
    "--open/--no-open",
    "open_browser",
    envvar="STEADY_HANDS_OPEN",
    default=False,
    help="Show the app in the browser.",
)
def serve(
    host: str | None,
    port: int,
    public_url: str | None,
    lan: bool,
    data: Path,
    database_url: str | None,
    processes: int,
    protocols: Path | None,
    time_zone: str | None,
    tls: bool,
    certificate: Path | None,
    key: Path | None,
    trust_port: int | None,
    log_format: str,
    open_browser: bool,
) -> None:
    """Start the app."""
    if database_url and sys.platform != "win32":
        leave_out_of_arguments(database_url)
    with collecting_later():
        from webapp.server.run import StartError, run

    settings = Settings(
        data=data.expanduser().resolve(),
        host=host or (EVERYWHERE if lan else LOOPBACK),
        port=port,
        lan=lan,
        public_url=public_url,
        protocols=protocols.expanduser().resolve() if protocols else shipped("protocols"),
        time_zone=time_zone,
        database_url=database_url or None,
        processes=processes,
        tls=tls,
        certificate=certificate.expanduser().resolve() if certificate else None,
        key=key.expanduser().resolve() if key else None,
        trust_port=trust_port,
        log_format=log_format,
    )
    check_https(settings)
    try:
        run(settings, open_browser=open_browser)
    except StartError as error:
        raise PlainError(str(error)) from None


def leave_out_of_arguments(address: str) -> None:
    """Everybody sees a process's arguments, and those of its workers: go on with it elsewhere."""
    kept, words = [], iter(sys.orig_argv)
    for word in words:
        if word == "--database":
            next(words, None)
        elif not word.startswith("--database="):
            kept.append(word)
    if kept != sys.orig_argv:
        os.execve(sys.executable, kept, os.environ | {"STEADY_HANDS_DATABASE": address})


@contextmanager
def collecting_later() -> Iterator[None]:
    """Imports make much that stays: what they make is not looked at for garbage, then nor later."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def check_https(settings: Settings) -> None:
    """Raise PlainError for options that do not go together."""
    if bool(settings.certificate) != bool(settings.key):
        raise PlainError("--certificate and --key belong together; name both")
    if settings.tls and settings.certificate:
        raise PlainError("--tls makes a certificate of its own; leave it out with --certificate")
    if settings.plain_port in (settings.port, 65_536):
        raise PlainError("the page on how to trust needs a port of its own; see --trust-port")


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--protocols",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="STEADY_HANDS_PROTOCOLS",
    help="Folder of protocol files; also checked when no FILE is named.",
)
def check(files: tuple[Path, ...], as_json: bool, protocols: Path | None) -> None:
    """Check protocol files; exit status 1 when one has a fault."""
    from webapp.protocol_files.loader import BadFile, BadFileError, load_catalogue, load_protocol

    folder = protocols or shipped("protocols")
    bad: list[BadFile] = []
    paths = list(files) or sorted(folder.glob("*.json"))
    if not paths:
        raise PlainError(f"there are no protocol files in {folder}")
    try:
        catalogue = load_catalogue(folder / "catalogue", shipped("protocols") / "catalogue")
    except BadFileError as error:
        raise PlainError(str(error)) from None
    for path in paths:
        try:
            load_protocol(path, catalogue)
        except BadFileError as error:
            bad.append(BadFile(click.format_filename(path), error.bad.faults))
    click.echo(checked_json(paths, bad) if as_json else checked_text(paths, bad))
    sys.exit(1 if bad else 0)


def checked_text(paths: list[Path], bad: list[BadFile]) -> str:
    lines = [line for item in bad for line in item.lines()]
    good = len(paths) - len(bad)
    return "\n".join([*lines, f"{good} of {len(paths)} files are right."])


def checked_json(paths: list[Path], bad: list[BadFile]) -> str:
    faults = [
        {"file": item.file, "line": f.line, "path": f.where(), "message": f.message}
        for item in bad
        for f in item.faults
    ]
    return json.dumps({"files": len(paths), "bad": len(bad), "faults": faults}, indent=2)


@main.command()
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write instead of the screen.",
)
def schema(to: Path | None) -> None:
    """Print the JSON Schema of protocol files, for editors."""
    from webapp.protocol_files.json_schema import schema_text

    text = schema_text()
    if to:
        to.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


@main.command()
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write instead of the screen.",
)
def review(to: Path | None) -> None:
    """Print the content of the shipped protocols, for a clinician to go through."""
    from webapp.protocol_files.loader import load
    from webapp.protocol_files.review import review_text

    folder = shipped("protocols")
    text = review_text(load(folder, folder))
    if to:
        to.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


for other in (*COMMANDS, invite):
    main.add_command(other)
