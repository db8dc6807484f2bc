"""Network: names and addresses of this machine, and the check of the Host header."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import ifaddr

from webapp.settings import Settings, is_loopback

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DNS_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})*", re.ASCII)
# private, link-local, of a provider's or a private network's translation, this machine
NEARBY = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"),
    )
)
LOOPBACK_NAMES = ("localhost",)
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def host_names() -> list[str]:
    """``localhost``, the machine's name, and the name that multicast DNS knows it by."""
    full = socket.gethostname().lower().rstrip(".")
    short = full.split(".")[0]
    found = dict.fromkeys([*LOOPBACK_NAMES, full, short, f"{short}.local"])
    return [name for name in found if DNS_NAME.fullmatch(name)]


def own_addresses() -> list[Address]:
    """Loopback and the machine's own addresses in private networks, in a fixed order."""
    found = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    found.update(one for one in interface_addresses() if is_nearby(one))
    return sorted(found, key=lambda one: (one.version, one))


def lan_addresses() -> list[Address]:
    """The addresses by which other devices of the same network reach this machine."""
    return [one for one in own_addresses() if not one.is_loopback and not one.is_link_local]


def is_nearby(address: Address) -> bool:
    """True for addresses that nobody outside can have."""
    return any(address in net for net in NEARBY if net.version == address.version)


def interface_addresses() -> Iterator[Address]:
    """Every address of every interface; nothing where the system does not tell."""
    for adapter in adapters():
        for ip in adapter.ips:
            yield ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])


def adapters() -> list[ifaddr.Adapter]:
    try:
        return list(ifaddr.get_adapters())
    except OSError:  # a service that may not ask the kernel (``RestrictAddressFamilies``)
        return []


# Networks inside this machine, for containers and virtual machines: no tablet is in them.
INSIDE = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lo")


def address_for_others(settings: Settings) -> str:
    """Scheme, host and port for other devices."""
    if settings.public_url:
        return settings.public_url
    host = lan_address() if settings.everywhere else settings.host
    scheme = "https" if settings.secure else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def lan_address() -> str:
    """This machine's address in its network; its name where it has none at the moment."""
    found = sorted(
        lan_interface_addresses(), key=lambda address: (not address.is_private, address.packed)
    )
    return str(found[0]) if found else f"{socket.gethostname()}.local"


def lan_interface_addresses() -> Iterator[ipaddress.IPv4Address]:
    """IPv4 addresses of the networks that this machine is in."""
    for adapter in adapters():
        if adapter.nice_name.lower().startswith(INSIDE):
            continue
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                address = ipaddress.IPv4Address(ip.ip)
                if not (address.is_loopback or address.is_link_local):
                    yield address


@dataclass(frozen=True, slots=True)
class Hosts:
    """The values of the Host header that this site answers to."""

    names: frozenset[str]
    any_address: bool
    port: int
    home: str
    scheme: str = "http"

    def know(self, host: str) -> bool:
        """True for our own names; bound to every interface, for any literal address with our port.

        DNS rebinding needs a name, so a literal address is safe.
        """
        return host in self.names or (self.any_address and is_address(host, self.port))


def is_address(host: str, port: int) -> bool:
    name, _, found = host.rpartition(":")
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return found == str(port)


def hosts_of(settings: Settings) -> Hosts:
    """Loopback names, the address listened on, and this machine's name when all interfaces are.

    With a public address that one alone.
    """
    if settings.public_url:
        return public_hosts(settings.public_url)
    any_address = settings.everywhere or settings.lan
    bare = [*LOOPBACK, f"[{settings.host}]" if ":" in settings.host else settings.host]
    if settings.everywhere or not is_loopback(settings.host):
        bare += [socket.gethostname(), f"{socket.gethostname()}.local"]
    bare += settings.names
    names = {f"{name}:{settings.port}".lower() for name in bare}
    if settings.port == (443 if settings.encrypts else 80):
        names.update(name.lower() for name in bare)
    return Hosts(
        frozenset(names), any_address, settings.port, f"{settings.address}/", settings.scheme
    )


def public_hosts(url: str) -> Hosts:
    """Of the address by which a proxy makes the site public, with and without its usual port."""
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    port = parts.port or usual
    host = parts.netloc.removesuffix(f":{usual}").lower()
    names = {host, f"{host}:{usual}"} if port == usual else {host}
    return Hosts(frozenset(names), False, port, f"{url}/", parts.scheme)
