"""TLS setup: chooses the certificate at the start, and renews it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from webapp.network import address_for_others
from webapp.settings import Settings
from webapp.tls.authority import Authority, local_names, now
from webapp.tls.pem import CertificateError, Names, check_files, names_of, read_chain

LOOK_SECONDS = 60.0

log = logging.getLogger("steady_hands")


@dataclass(frozen=True, slots=True)
class Files:
    """Where the chain and the private key lie."""

    certificate: Path
    key: Path


def files_of(settings: Settings) -> Files | None:
    """What to serve with, made when it is missing. Raises CertificateError."""
    if settings.certificate and settings.key:
        return Files(settings.certificate, settings.key)
    if not settings.tls:
        return None
    authority = Authority(settings.authority)
    authority.renew(names_here(settings), now())
    hosts = settings.names if settings.everywhere else (settings.host, *settings.names)
    for host in hosts:
        check_host(authority, host)
    return Files(authority.server_file, authority.server_file)


def names_here(settings: Settings) -> Names:
    """Everything this machine is reached by, with the name that it was told to listen on."""
    found = local_names(settings.host)
    return replace(found, dns=tuple(dict.fromkeys([*found.dns, *settings.names])))


def check_host(authority: Authority, host: str) -> None:
    """Raise CertificateError when the authority may not sign for the address listened on."""
    signed = names_of(read_chain(authority.server_file)[0])
    if host.lower() not in (*signed.dns, *map(str, signed.addresses)):
        raise CertificateError(
            f"the authority in {authority.folder} was not made for {host}; delete that folder to "
            "make a new one, which every device has to trust"
        )


def with_names(settings: Settings) -> Settings:
    """The settings with the names in a given certificate. Raises CertificateError."""
    if not settings.certificate or not settings.key:
        return settings
    names = check_files(settings.certificate, settings.key, now())
    return replace(settings, names=(*settings.names, *names))


def how_to_trust(settings: Settings) -> list[str]:
    """What the terminal says: where a device learns to trust us, and what to compare there."""
    shown = Authority(settings.authority).shown()
    port = settings.plain_port or settings.port
    page = f"{address_for_others(replace(settings, port=port, tls=False))}/trust"
    return [
        f"Each device has to trust its certificate once: {page} shows how.",
        f"Fingerprint of the certificate (SHA-256): {shown.fingerprint}",
    ]


class Renewal(threading.Thread):
    """Looks every minute whether the addresses changed or the certificate ends soon."""

    def __init__(self, settings: Settings, renewed: Callable[[], object]) -> None:
        """``renewed`` is called when the server has to take up a new certificate."""
        super().__init__(name="certificate", daemon=True)
        self.settings = settings
        self.renewed = renewed
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            self.renew()

    def renew(self) -> None:
        try:
            if Authority(self.settings.authority).renew(names_here(self.settings), now()):
                log.warning("the certificate was made anew; the server takes it up")
                self.renewed()
        except CertificateError as error:
            log.error("the certificate could not be made anew: %s", error)
