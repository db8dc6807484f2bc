"""The command that lets devices in: invite; and the options that say by which address they come."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from webapp.cli_data import Command, must_exist, plainly, where
from webapp.settings import Settings

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"


def public_address(_context: object, _option: object, typed: str | None) -> str | None:
    """An https address without path; empty counts as none."""
    if not typed:
        return None
    url = typed.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        whole = f"https://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        whole = ""
    if not urlsplit(url).hostname or whole != url.lower():
        raise click.BadParameter("expected an address like https://massage.example")
    return whole


def reached(command: Command) -> Command:
    """The options that say by which address the site is reached."""
    host = click.option(
        "--host",
        envvar="STEADY_HANDS_HOST",
        help=f"Address to listen on.  [default: {LOOPBACK}, with --lan every one]",
    )
    port = click.option(
        "--port",
        default=8000,
        type=click.IntRange(1, 65535),
        envvar="STEADY_HANDS_PORT",
        show_default=True,
        help="Port to listen on.",
    )
    public = click.option(
        "--public-url",
        callback=public_address,
        envvar="STEADY_HANDS_PUBLIC_URL",
        help="The https address under which a proxy in front makes the site public.",
    )
    return host(port(public(command)))


@click.command()
@where
@reached
@click.option(
    "--role",
    type=click.Choice(["display", "operator", "owner"]),
    default="operator",
    show_default=True,
    help="What the device may do: look on, treat, or also say who comes in.",
)
def invite(
    data: Path,
    database_url: str | None,
    host: str | None,
    port: int,
    public_url: str | None,
    role: str,
) -> None:
    """Let one device in: a QR code and a typed code, once, for five minutes."""
    from webapp.domain.joining import NAMES
    from webapp.inviting import text

    folder = data.expanduser().resolve()
    settings = Settings(
        folder,
        host or EVERYWHERE,
        port,
        database_url=database_url or None,
        public_url=public_url,
    )
    with plainly():
        must_exist(settings)
        click.echo(text(settings, NAMES[role]))
