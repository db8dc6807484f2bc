"""By which names and addresses this machine is reached. Nothing is sent to find out."""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

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
SIOCGIFADDR = 0x8915


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
    if sys.platform == "linux":
        yield from linux_addresses()
        return
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return
    for *_, place in found:
        yield ipaddress.ip_address(str(place[0]).split("%")[0])


if sys.platform == "linux":
    import fcntl

    def interface_names() -> list[str]:
        """A service that may not ask the kernel (``RestrictAddressFamilies``) reads them."""
        try:
            return [name for _, name in socket.if_nameindex()]
        except OSError:
            folder = Path("/sys/class/net")
            return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def linux_addresses() -> Iterator[Address]:
        """Of every interface that has one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            for name in interface_names():
                try:
                    told = fcntl.ioctl(
                        asked.fileno(), SIOCGIFADDR, struct.pack("256s", name.encode()[:15])
                    )
                except OSError:
                    continue
                yield ipaddress.ip_address(told[20:24])
        table = Path("/proc/net/if_inet6")
        for line in table.read_text(encoding="ascii").splitlines() if table.exists() else ():
            yield ipaddress.ip_address(bytes.fromhex(line.split()[0]))
