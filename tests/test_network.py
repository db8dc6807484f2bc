"""The address that others are told, the names that are ours, and what a host stands for."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from webapp import network
from webapp.network import INSIDE, candidates, host_names, hosts_of, literal_address
from webapp.settings import Settings
from webapp.tls.authority import local_names

WIFI = "192.168.178.23"
LAN = Settings(Path("nowhere"), host="0.0.0.0", lan=True)


@dataclass
class Ip:
    """As ``ifaddr`` tells it."""

    ip: str | tuple[str, int, int]
    network_prefix: int = 24


@dataclass
class Adapter:
    nice_name: str
    address: str
    prefix: int = 24
    ips: list[Ip] = field(init=False)

    def __post_init__(self) -> None:
        self.ips = [Ip(self.address, self.prefix), Ip(("fe80::1", 0, 2), 64)]


def plug_in(monkeypatch: pytest.MonkeyPatch, *adapters: Adapter) -> None:
    monkeypatch.setattr("ifaddr.get_adapters", lambda: list(adapters))


def offered(monkeypatch: pytest.MonkeyPatch, *adapters: Adapter) -> list[str]:
    plug_in(monkeypatch, *adapters)
    return [one.address.removeprefix("http://").removesuffix(":8000") for one in candidates(LAN)]


OTHERS = """
lo tun0 tap0 tunl0 utun4 utun12 wg0 wg-mullvad nordlynx proton0 ppp0 ipsec0 tailscale0
ztabcdef12 feth1234 ham0 gpd0 cscotun0 vpn0 gre1 sit0 ip6tnl0 vti0 vxlan.calico flannel.1
cali1a2b3c4d5e6 cilium_host weave cni0 cni-podman0 kube-bridge nodelocaldns docker0
docker_gwbridge br-0123456789ab podman0 veth3f2a1b ve-box vb-box vnet0 virbr0 vmnet1 vmnet8
vmenet0 vboxnet0 bridge100 bridge101 lxcbr0 lxdbr0 incusbr0 mpqemubr0 waydroid0 dummy0 macvtap0
awdl0 llw0 anpi0 gif0 p2p0 wwan0 wwp0s20f0u6 rmnet0 pdp_ip0 usb0 rndis0 bnep0 ap0 br0 br-lan
bridge0 vmbr0 unheard0
"""
IN_WORDS = """
Hyper-V Virtual Ethernet Adapter
Hyper-V Virtual Ethernet Adapter #2
vEthernet (WSL)
vEthernet (Default Switch)
VirtualBox Host-Only Ethernet Adapter
VMware Virtual Ethernet Adapter for VMnet8
TAP-Windows Adapter V9
OpenVPN Data Channel Offload
Wintun Userspace Tunnel
WireGuard Tunnel
Tailscale Tunnel
ZeroTier Virtual Port
NordLynx Tunnel
LogMeIn Hamachi Virtual Ethernet Adapter
Famatech Radmin VPN Ethernet Adapter
Cisco AnyConnect Secure Mobility Client Virtual Miniport Adapter for Windows x64
PANGP Virtual Ethernet Adapter Secure
Fortinet SSL VPN Virtual Ethernet Adapter
Zscaler Network Adapter 1.0.2.0
Npcap Loopback Adapter
Microsoft KM-TEST Loopback Adapter
Parallels Host-Only #1
Microsoft Wi-Fi Direct Virtual Adapter
Remote NDIS based Internet Sharing Device
SAMSUNG Mobile USB Remote NDIS Network Device
Apple Mobile Device Ethernet
Bluetooth Device (Personal Area Network)
Quectel LTE Modem
Microsoft Network Adapter Multiplexor Driver
"""
USUAL = """
wlan0 wlp3s0 wlx00c0ca123456 eth0 eth0.10 enp0s31f6 eno1 enx00e04c680001 en0 en7 em1 bond0
"""
USUAL_WORDS = """
Intel(R) Wi-Fi 6 AX201 160MHz
Realtek PCIe GbE Family Controller
Intel(R) Ethernet Connection (7) I219-V
Qualcomm Atheros QCA9377 Wireless Network Adapter
Broadcom 802.11ac Network Adapter
Killer E2600 Gigabit Ethernet Controller
Realtek USB GbE Family Controller
USB3.0 to Gigabit Ethernet Adapter
Local Area Connection Network Adapter
"""
OTHER_NAMES = [*OTHERS.split(), *IN_WORDS.strip().splitlines()]
USUAL_NAMES = [*USUAL.split(), *USUAL_WORDS.strip().splitlines()]


@pytest.mark.parametrize("usual", USUAL_NAMES)
def test_the_address_is_that_of_the_network_which_others_are_in(
    monkeypatch: pytest.MonkeyPatch, usual: str
) -> None:
    """Beside each of these adapters, with an address that sorts before and after."""
    for other in OTHER_NAMES:
        for theirs in ("10.8.0.2", "192.168.200.1", "100.64.3.4"):
            found = offered(monkeypatch, Adapter(other, theirs), Adapter(usual, WIFI))
            assert found == [WIFI, theirs], other


def test_a_bridge_comes_before_what_is_inside_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for bridge in ("br0", "vmbr0", "bridge0", "br-lan", "Network Bridge", "unheard0"):
        found = offered(monkeypatch, Adapter("docker0", "172.17.0.1"), Adapter(bridge, WIFI))
        assert found == [WIFI, "172.17.0.1"], bridge


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_the_only_address_is_offered_whatever_has_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert offered(monkeypatch, Adapter(name, WIFI)) == [WIFI]


def test_a_network_of_one_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Adapter("eth9", "10.0.0.1", 32)
    assert offered(monkeypatch, alone, Adapter("wlan0", WIFI)) == [WIFI, "10.0.0.1"]


def test_private_networks_come_first_and_every_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = offered(
        monkeypatch, *(Adapter("eth0", ip) for ip in ("8.8.4.4", "192.168.9.9", "10.1.1.1"))
    )
    assert found == ["10.1.1.1", "192.168.9.9", "8.8.4.4"]


@pytest.mark.parametrize(
    ("machine", "expected"), [("box", "box.local"), ("", "127.0.0.1"), ("localhost", "127.0.0.1")]
)
def test_without_a_network_it_is_the_name(
    monkeypatch: pytest.MonkeyPatch, machine: str, expected: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: machine)
    alone = [Adapter("lo", "127.0.0.1"), Adapter("eth0", "169.254.7.7")]
    assert offered(monkeypatch, *alone) == [expected]


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        ("box", ["box", "box.local", "box.lan"]),
        ("Box", ["box", "box.local"]),
        ("box.practice.lan", ["box.practice.lan", "box", "box.local", "box.lan"]),
        ("MacBook.local", ["macbook.local", "macbook", "macbook.lan"]),
        ("macbook.local.", ["macbook.local", "macbook"]),
        ("DESKTOP_7", ["desktop_7", "desktop_7.local"]),
        ("praxis-münchen", ["xn--praxis-mnchen-3ob", "xn--praxis-mnchen-3ob.local"]),
        ("localhost", []),
        ("localhost.localdomain", []),
        ("(none)", []),
        ("a..b", []),
        ("box\udcff", []),
        ("x" * 64, []),
        ("", []),
    ],
)
def test_every_name_of_the_machine_is_ours_and_none_is_doubled(
    monkeypatch: pytest.MonkeyPatch, machine: str, names: Sequence[str]
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: machine)
    found = host_names()
    assert set(names) <= set(found)
    assert len(set(found)) == len(found)
    assert not [name for name in found if name.count(".local") > 1 or ".local." in name]
    hosts = hosts_of(LAN)
    for name in names:
        for host in (name, f"{name}."):
            assert hosts.know(f"{host}:8000"), host
            assert not hosts.know(f"{host}:8001"), host
        assert name in local_names("0.0.0.0").dns
    if not names:
        assert found == ["localhost"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8000", True),
        ("localhost.:8000", True),
        ("localhost..:8000", False),
        ("127.0.0.1:8000", True),
        ("192.168.1.5:8000", True),
        ("[fe80::1]:8000", True),
        ("box.evil.example:8000", False),
        ("box.example:8000", False),
        ("evil.local:8000", False),
        ("boxlocal:8000", False),
        (".:8000", False),
        (":8000", False),
        ("", False),
        ("[::1:8000", False),
        ("999.1.1.1:8000", False),
        ("192.168.1.5:800000", False),
        ("192.168.1.5", False),
    ],
)
def test_other_names_are_not_ours(monkeypatch: pytest.MonkeyPatch, host: str, known: bool) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    assert hosts_of(LAN).know(host) is known


@pytest.mark.parametrize(
    ("settings", "port"), [({"port": 80}, 80), ({"port": 443, "tls": True}, 443)]
)
def test_the_usual_port_may_be_left_out(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, int], port: int
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    hosts = hosts_of(Settings(Path("nowhere"), host="0.0.0.0", lan=True, **settings))  # type: ignore[arg-type]
    for name in ("192.168.1.5", "[fe80::1]", "box", "box.local.", "localhost"):
        assert hosts.know(name), name
        assert hosts.know(f"{name}:{port}"), name


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("0", "0.0.0.0"),
        ("127.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::", "::"),
        ("192.168.1.5", "192.168.1.5"),
        ("localhost", None),
        ("box.lan", None),
        ("1.2.3.4.5", None),
        ("999", "0.0.3.231"),
        ("", None),
        ("*", None),
    ],
)
def test_addresses_are_read_as_people_write_them(typed: str, address: str | None) -> None:
    assert literal_address(typed) == address


def test_the_names_of_a_host_come_with_ipv4_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(*_args: object, **_more: object) -> list[tuple[object, ...]]:
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0))
        return [six, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr("socket.getaddrinfo", known)
    assert network.listening_addresses("localhost") == ["127.0.0.1", "::1"]


def test_what_is_inside_the_machine_is_ranked_last() -> None:
    assert network.likelihood("docker0", 16) == INSIDE
    assert network.likelihood("wlan0", 24) == network.LIKELY
