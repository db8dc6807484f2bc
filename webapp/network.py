"""Network: names and addresses of this machine, and the check of the Host header."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import ifaddr

from webapp.settings import Settings, is_loopback

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DNS_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*", re.ASCII)
OLD_ADDRESS = re.compile(r"[0-9.]+|0x[0-9a-f]+", re.ASCII)
LITERAL = re.compile(r"(\[[0-9a-f:.]+\]|[0-9.]+)(?::(\d{1,5}))?", re.ASCII)
USUAL_PORTS = {"http": 80, "https": 443}
END_DOT = re.compile(r"(?<=[^.])\.(?=(?::\d+)?$)", re.ASCII)
# what follows a machine's short name in a local network; nobody can register these
ENDINGS = ("local", "lan", "home", "home.arpa", "internal", "localdomain")
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
    """``localhost``, and the machine's names: its own, its short one, and that with the endings
    that a local network gives (multicast DNS, routers).
    """
    full = machine_name()
    short = full.split(".")[0]
    ours = [full, short, *(f"{short}.{ending}" for ending in ENDINGS)] if is_own(short) else []
    found = dict.fromkeys([*LOOPBACK_NAMES, *ours])
    return [name for name in found if DNS_NAME.fullmatch(name)]


def machine_name() -> str:
    """The machine's name as addresses have it, in ASCII; empty where it can stand in none."""
    try:
        name = socket.gethostname().strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return name if DNS_NAME.fullmatch(name) else ""


def is_own(short: str) -> bool:
    return short not in ("", *LOOPBACK_NAMES)


def own_addresses() -> list[Address]:
    """Loopback and the machine's own addresses in private networks, in a fixed order."""
    found = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    found.update(one for one in interface_addresses() if is_nearby(one))
    return sorted(found, key=lambda one: (one.version, one))


def is_nearby(address: Address) -> bool:
    """Return True for an address that is not public."""
    return any(address in net for net in NEARBY if net.version == address.version)


def interface_addresses() -> Iterator[Address]:
    """Yield every address of every interface; none where the system refuses."""
    for adapter in adapters():
        for ip in adapter.ips:
            yield ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])


def adapters() -> list[ifaddr.Adapter]:
    try:
        return list(ifaddr.get_adapters())
    except OSError:  # a service that may not ask the kernel (``RestrictAddressFamilies``)
        return []


# How likely a tablet is in the network of an adapter. Linux and macOS name adapters by kind and
# number; Windows describes them in words.
LIKELY, UNKNOWN, SHARED, INSIDE = range(4)
# VPNs and tunnels, containers, virtual machines, links between Apple's own devices, modems.
NO_TABLET = re.compile(
    r"^(?:lo\d*$|tun|tap|utun|ipsec|ppp|wg|wt\d|nordlynx|proton|mullvad|tailscale|zt|feth|ham\d|gpd"
    r"|cscotun|vpn|gre(?:tap)?\d|erspan|sit\d|ip6?_?tnl|ip6?_?vti|vti|vxlan|geneve|flannel|cali|cilium|weave"
    r"|cni|kube|nodelocal|docker|podman|br-[0-9a-f]{12}$|veth|ve-|vb-|vnet|virbr|vmnet|vmenet"
    r"|vboxnet|vnic|bridge1\d\d|lxc|lxd|incus|mpqemubr|multipass|hassio|waydroid|anbox|dummy|ifb"
    r"|macv|ipvlan|awdl|llw|anpi|gif\d|stf\d|xhc|p2p|nan\d|wwan|wwp|rmnet|ccmni|pdp_ip)"
    r"|virtual|vethernet|hyper-v|vmware|host-only|parallels|docker|\bwsl\b|vpn|tunnel|wintun"
    r"|wireguard|data channel offload|tailscale|zerotier|hamachi|radmin|anyconnect|globalprotect"
    r"|pangp|forti|juniper|pulse secure|sonicwall|check point|zscaler|cloudflare|loopback|npcap"
    r"|teredo|isatap|6to4|mobile broadband|cellular|\bwwan\b|\blte\b|modem",
    re.IGNORECASE,
)
# Bridges, and networks that a phone or this machine shares: a tablet may be in them.
MAYBE_TABLET = re.compile(
    r"^(?:br(?:idge)?[\d_-]|vmbr|ovs|usb\d*$|rndis|ncm|ecm|bnep|pan\d|ap\d|l4tbr|softap|swlan|tether)"
    r"|\bndis\b|rndis|tether|apple mobile|iphone|ipad|bluetooth|personal area|wi-fi direct"
    r"|hosted network|hotspot|bridge|multiplexor",
    re.IGNORECASE,
)
USUAL = re.compile(
    r"^(?:en|eth|em\d|wl|wifi|ath|bond|team|lan)|wi-?fi|wireless|wlan|ethernet|gigabit|\bgbe\b"
    r"|network (?:adapter|connection|controller)|realtek|intel|broadcom|qualcomm|killer|mediatek",
    re.IGNORECASE,
)


def likelihood(name: str, prefix: int) -> int:
    """How likely other devices are in the network of the adapter; the lowest is the likeliest.

    ``prefix`` is the length of its network's: in one of 31 or 32 bits is nobody else.
    """
    shared = MAYBE_TABLET.search(name)
    if prefix >= 31 or (NO_TABLET.search(name) and not (shared and "direct" in name.lower())):
        return INSIDE
    if shared:
        return SHARED
    return LIKELY if USUAL.search(name) else UNKNOWN


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address by which other devices may reach the site, and whose adapter has it."""

    address: str
    adapter: str = ""
    rank: int = LIKELY


def candidates(settings: Settings) -> list[Candidate]:
    """Scheme, host and port for other devices, the likeliest first; at least one."""
    if settings.public_url:
        return [Candidate(settings.public_url)]
    hosts = lan_hosts() if settings.everywhere else [Candidate(settings.host)]
    return [replace(one, address=site_at(settings, one.address)) for one in hosts]


def address_for_others(settings: Settings) -> str:
    """Scheme, host and port for other devices."""
    return candidates(settings)[0].address


def site_at(settings: Settings, host: str) -> str:
    return f"{settings.scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def listening_addresses(host: str) -> list[str]:
    """The addresses that a name stands for, those of IPv4 first. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in sorted(found, key=lambda one: one[0] != socket.AF_INET)]


def literal_address(host: str) -> str | None:
    """The address that ``host`` is, however it is written (``0``, ``[::1]``); None for a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host)) if OLD_ADDRESS.fullmatch(host) else None
    except OSError:
        return None


class Arrivals:
    """By which addresses others have come in since this process began, the latest last."""

    MOST = 20

    def __init__(self) -> None:
        self.at: dict[str, int] = {}

    def note(self, address: str, now: int) -> None:
        self.at.pop(address, None)
        self.at[address] = now
        if len(self.at) > self.MOST:
            del self.at[next(iter(self.at))]


def lan_hosts() -> list[Candidate]:
    """This machine's IPv4 addresses in its networks; its name where it has none at the moment."""
    found = [
        (likelihood(adapter.nice_name, ip.network_prefix), not address.is_private, address, adapter)
        for adapter in adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, str) and is_reachable(address := ipaddress.IPv4Address(ip.ip))
    ]
    found.sort(key=lambda one: one[:3])
    hosts = [Candidate(str(at), adapter.nice_name, rank) for rank, _, at, adapter in found]
    return hosts or [Candidate(name_in_network())]


def is_reachable(address: ipaddress.IPv4Address) -> bool:
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def name_in_network() -> str:
    """The name that multicast DNS knows this machine by; loopback where it has none."""
    return next((name for name in host_names() if name.endswith(".local")), LOOPBACK[0])


def without_dot(host: str) -> str:
    """A Host header without the dot that may end a full name, before its port."""
    return END_DOT.sub("", host, count=1)


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
        if without_dot(host) in self.names:
            return True
        return self.any_address and is_address(host, self.port, USUAL_PORTS[self.scheme])


def is_address(host: str, port: int, usual: int) -> bool:
    """True for a literal address with our port, which browsers leave out where it is ``usual``."""
    found = LITERAL.fullmatch(host)
    if found is None or int(found[2] or usual) != port:
        return False
    return literal_address(found[1]) is not None


def hosts_of(settings: Settings) -> Hosts:
    """Loopback names, the address listened on, and this machine's name when all interfaces are.

    With a public address that one alone.
    """
    if settings.public_url:
        return public_hosts(settings.public_url)
    any_address = settings.everywhere or settings.lan
    bare = [*LOOPBACK, f"[{settings.host}]" if ":" in settings.host else settings.host]
    if settings.everywhere or not is_loopback(settings.host):
        bare += host_names()
    bare += settings.names
    names = {f"{name}:{settings.port}".lower() for name in bare}
    if settings.port == USUAL_PORTS[settings.scheme]:
        names.update(name.lower() for name in bare)
    return Hosts(
        frozenset(names), any_address, settings.port, f"{settings.address}/", settings.scheme
    )


def public_hosts(url: str) -> Hosts:
    """Of the address by which a proxy makes the site public, with and without its usual port."""
    parts = urlsplit(url)
    usual = USUAL_PORTS[parts.scheme]
    port = parts.port or usual
    host = parts.netloc.removesuffix(f":{usual}").lower()
    names = {host, f"{host}:{usual}"} if port == usual else {host}
    return Hosts(frozenset(names), False, port, f"{url}/", parts.scheme)
