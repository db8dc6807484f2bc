"""The command ``invite``, and the options for the address in an invite."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import click

from webapp.cli.data import Command, check_exists, database_options, plain_errors
from webapp.cli.environment import absolute
from webapp.network import literal_address
from webapp.settings import Settings

EXPECTED = "expected an address like https://massage.example"
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"


def public_address(_context: object, _option: object, typed: str | None) -> str | None:
    """An https address without a path, as browsers write it; empty counts as none."""
    if not typed:
        return None
    try:
        url = urlsplit(typed.strip())
        host, port = url.hostname, url.port
    except ValueError:
        raise click.BadParameter(EXPECTED) from None
    good = host and re.fullmatch(r"[a-z0-9.:-]+", host) and url.scheme == "https"
    if not good or url.username or url.path.strip("/") or url.query or url.fragment:
        raise click.BadParameter(EXPECTED)
    name = f"[{host}]" if ":" in str(host) else host
    return f"https://{name}" + (f":{port}" if port not in (None, 443) else "")


def host_address(_context: object, _option: object, typed: str | None) -> str | None:
    """An address as it is usually written, or a name as it is typed; empty counts as none."""
    host = (typed or "").strip()
    return literal_address(host) or host or None


def address_options(command: Command) -> Command:
    """The options that say by which address the site is reached."""
    host = click.option(
        "--host",
        callback=host_address,
        envvar="STEADY_HANDS_HOST",
        help=f"Address or name to listen on.  [default: {LOOPBACK}, with --lan every one]",
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
    tls = click.option(
        "--tls/--no-tls",
        envvar="STEADY_HANDS_TLS",
        default=False,
        help="Https with a certificate authority of this machine's own.",
    )
    return host(port(tls(public(command))))


@click.command()
@database_options
@address_options
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
    tls: bool,
    public_url: str | None,
    role: str,
) -> None:
    """Let one device in: a QR code and a typed code, once, for five minutes."""
    from webapp.auth.terminal_invites import invite_text
    from webapp.domain.invites import NAMES

    folder = absolute(data, "--data")
    settings = Settings(
        folder,
        host or EVERYWHERE,
        port,
        database_url=database_url or None,
        tls=tls,
        public_url=public_url,
    )
    with plain_errors():
        check_exists(settings)
        click.echo(invite_text(settings, NAMES[role]))
