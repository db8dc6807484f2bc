"""Whom the server talks to: its system calls while a session runs and the data is looked after."""

from __future__ import annotations

import ipaddress
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.real_server import COMMAND, Server, clean_environment, free_port
from tests.tls.test_serving import Tls

pytestmark = [
    pytest.mark.promise("outbound"),
    pytest.mark.skipif(not shutil.which("strace"), reason="needs strace"),
]
PUBLIC = "https://massage.example"
WAYS: dict[str, dict[str, str]] = {
    "alone": {},
    "lan": {"STEADY_HANDS_LAN": "1"},
    "tls": {"STEADY_HANDS_TLS": "1"},
    "public": {"STEADY_HANDS_PUBLIC_URL": PUBLIC},
    "postgresql": {},
}
WATCH = ("strace", "-f", "-qq", "-e", "trace=network", "-o")
# connect, sendto and sendmsg name whom they go to.
OUT = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(.*?sa_family=(AF_INET6?)(.*)")
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')


def goes_out(line: str) -> bool:
    """True for a call that sends or connects to anything but this machine."""
    found = OUT.search(line)
    if not found:
        return False
    address = ADDRESS.search(found[3])
    if not address:
        return True
    name = ipaddress.ip_address(address[1] or address[2])
    return not (getattr(name, "ipv4_mapped", None) or name).is_loopback


def outgoing(trace: Path) -> list[str]:
    return [line for line in trace.read_text(encoding="utf-8").splitlines() if goes_out(line)]


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "224.0.0.251"])
def test_a_program_that_asks_somebody_is_seen(tmp_path: Path, address: str) -> None:
    """A datagram socket that is connected has sent nothing yet."""
    kind = "AF_INET6" if ":" in address else "AF_INET"
    program = (
        "import contextlib, socket\n"
        "with contextlib.suppress(OSError), "
        f"socket.socket(socket.{kind}, socket.SOCK_DGRAM) as s:\n"
        f"    s.connect(({address!r}, 53))\n"
    )
    trace = tmp_path / "trace"
    subprocess.run([*WATCH, str(trace), sys.executable, "-c", program], check=True, timeout=60)
    assert len(outgoing(trace)) == 1


@pytest.mark.parametrize("way", ["alone", "lan", "tls", "public", "postgresql"])
def test_the_server_asks_nobody(
    way: str,
    tmp_path: Path,
    protocols_folder: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """However it is served; a database on this machine is no other one."""
    trace = tmp_path / "trace"
    command = (*WATCH, str(trace), str(COMMAND))
    kind, data = (Tls if way == "tls" else Server), tmp_path / "data"
    environment = clean_environment(**WAYS[way])
    if way == "postgresql":
        environment["DATABASE_URL"] = request.getfixturevalue("postgresql_url")
    if way == "tls":
        environment["STEADY_HANDS_TRUST_PORT"] = str(free_port())
    options = ("--host", "127.0.0.1")
    with kind(
        data, protocols_folder, command=command, environment=environment, options=options
    ) as server:
        if way == "public":
            assert server.status("/") == 421  # it answers to its public name alone
            assert server.status("/readyz") == 200
            for _ in range(5):
                server.status("/healthz")
        else:
            used(server)
    calls = trace.read_text(encoding="utf-8").splitlines()
    assert sum("accept" in line for line in calls) > 2  # it was watched
    assert outgoing(trace) == []
    record_property(f"network calls of the server, {way}", len(calls))
    record_property("to anybody else", len(outgoing(trace)))


def used(server: Server) -> None:
    """A session from its questions to its end, the plain pages, and a backup."""
    session_id = server.prepare("short")
    for action in ("start", "pause", "resume", "end"):
        server.act(session_id, action)
    for path in ("/", "/settings", "/trust", "/owner", "/owner/data", "/owner/data/export"):
        assert server.status(path) == 200, path
    begun = server.ask("POST", "/owner/data/backup", {})
    assert begun.status == 303
    wait_for(server, begun.headers["location"])
    if "STEADY_HANDS_LAN" in server.environment:
        assert server.ask("POST", "/owner/invites", {"role": "display"}).status == 200


def wait_for(server: Server, job: str) -> None:
    end = time.monotonic() + 30
    while "job-good" not in server.ask("GET", f"{job}/state").text:
        assert time.monotonic() < end
        time.sleep(0.2)
