"""The command group ``steady-hands``."""

from __future__ import annotations

import os
import re
import sys
from types import TracebackType
from typing import Any

import click

from webapp.cli.check import check, review, schema
from webapp.cli.data import COMMANDS
from webapp.cli.environment import PRIVATE, plain_error, prepare_streams
from webapp.cli.invite import invite
from webapp.cli.serve import serve
from webapp.settings import app_version

OPEN_COMMANDS = ("check", "schema", "review")  # they see and write nothing of anybody's


def show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"steady-hands, version {app_version()}")
        context.exit()


def report_by_place(
    kind: type[BaseException], _error: BaseException, trace: TracebackType | None
) -> None:
    """Of what nobody expected: not its words, which may hold a password."""
    from webapp.log import place_of

    where = place_of(trace)
    click.echo(f"steady-hands: {kind.__name__} at {where}; the fault is on our side", err=True)


class Commands(click.Group):
    """A wrong call is told without the login of an address that stands where none belongs."""

    def main(self, *given: Any, **more: Any) -> Any:
        """What the system refuses is one line, wherever it does."""
        sys.excepthook = report_by_place
        prepare_streams()
        try:
            return super().main(*given, **more)
        except OSError as error:
            plain_error(error).show()
            sys.exit(1)

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
    if context.invoked_subcommand not in OPEN_COMMANDS:
        before = os.umask(PRIVATE)
        context.call_on_close(lambda: os.umask(before))
    if context.invoked_subcommand is None:
        # With its own options from the environment, which ``context.invoke`` would leave out.
        with serve.make_context("serve", [], parent=context) as serving:
            serve.invoke(serving)


for command in (serve, check, schema, review, *COMMANDS, invite):
    main.add_command(command)
