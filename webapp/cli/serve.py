"""The command ``serve``: starts the production server."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from webapp.cli.data import database_options
from webapp.cli.environment import PlainError, absolute
from webapp.cli.invite import EVERYWHERE, LOOPBACK, address_options
from webapp.settings import Settings, shipped


@click.command()
@address_options
@click.option(
    "--lan",
    is_flag=True,
    envvar="STEADY_HANDS_LAN",
    help="Let other devices of this network join; shows a QR code for the first.",
)
@database_options
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
        hide_in_arguments(database_url)
    with delay_collection():
        from webapp.server.run import StartError, run

    settings = Settings(
        data=absolute(data, "--data"),
        host=host or (EVERYWHERE if lan else LOOPBACK),
        port=port,
        lan=lan,
        public_url=public_url,
        protocols=absolute(protocols, "--protocols") if protocols else shipped("protocols"),
        time_zone=time_zone,
        database_url=database_url or None,
        processes=processes,
        tls=tls,
        certificate=absolute(certificate, "--certificate") if certificate else None,
        key=absolute(key, "--key") if key else None,
        trust_port=trust_port,
        log_format=log_format,
    )
    check_https(settings)
    try:
        run(settings, open_browser=open_browser)
    except StartError as error:
        raise PlainError(str(error)) from None


def hide_in_arguments(address: str) -> None:
    """Move the address to the environment: everybody sees the arguments of a process."""
    kept, words = [], iter(sys.orig_argv)
    for word in words:
        if word == "--database":
            next(words, None)
        elif not word.startswith("--database="):
            kept.append(word)
    if kept != sys.orig_argv:
        os.execve(sys.executable, kept, os.environ | {"STEADY_HANDS_DATABASE": address})


@contextmanager
def delay_collection() -> Iterator[None]:
    """Turn the collector off during imports, and freeze what they made."""
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
