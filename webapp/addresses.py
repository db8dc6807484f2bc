"""The address by which other devices reach this site. Alone in knowing ifaddr."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import ifaddr

from webapp.settings import Settings

# Networks inside this machine, for containers and virtual machines: no tablet is in them.
INSIDE = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lo")


def for_others(settings: Settings) -> str:
    """Scheme, host and port for other devices."""
    if settings.public_url:
        return settings.public_url
    host = here() if settings.everywhere else settings.host
    scheme = "https" if settings.secure else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def here() -> str:
    """This machine's address in its network; its name where it has none at the moment."""
    found = sorted(addresses(), key=lambda address: (not address.is_private, address.packed))
    return str(found[0]) if found else f"{socket.gethostname()}.local"


def addresses() -> Iterator[ipaddress.IPv4Address]:
    """IPv4 addresses of the networks that this machine is in."""
    for adapter in ifaddr.get_adapters():
        if adapter.nice_name.lower().startswith(INSIDE):
            continue
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                address = ipaddress.IPv4Address(ip.ip)
                if not (address.is_loopback or address.is_link_local):
                    yield address
