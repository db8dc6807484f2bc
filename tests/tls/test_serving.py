"""``serve --tls`` as devices find it: https by our own authority, and the trust listener."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import os
import re
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.test_serve import refused
from tests.support.real_server import Server, clean_environment, free_port
from webapp.settings import Settings
from webapp.tls.authority import AUTHORITY, Authority, now
from webapp.tls.pem import Names


@dataclass
class Tls(Server):
    """A server with an authority of its own in the data folder."""

    @property
    def authority(self) -> Path:
        return Settings(self.data).authority / AUTHORITY

    @property
    def plain_port(self) -> int:
        return int(self.environment["STEADY_HANDS_TRUST_PORT"])

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def connect(self) -> http.client.HTTPConnection:
        if not self.authority.exists():
            raise ConnectionRefusedError
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=10, context=self.context()
        )

    def plain(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """What the trust listener answers to exactly these bytes."""
        with socket.create_connection(("127.0.0.1", self.plain_port), timeout=10) as connection:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65_536):
                answer += part
            return answer


def make_server(data: Path, protocols_folder: Path) -> Tls:
    port = free_port()
    environment = clean_environment(
        STEADY_HANDS_TLS="1", STEADY_HANDS_TRUST_PORT=str(port), STEADY_HANDS_LOG_FORMAT="json"
    )
    return Tls(data, protocols_folder, environment=environment)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, protocols_folder: Path) -> Iterator[Tls]:
    with make_server(tmp_path_factory.mktemp("tls") / "data", protocols_folder) as running:
        yield running


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_chain_is_right_for_who_trusts_the_authority(server: Tls, name: str) -> None:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    context = server.context()
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(plain, server_hostname=name) as secured:
        assert secured.version() == "TLSv1.3"
        assert secured.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize(
    ("name", "trusts", "why"),
    [("evil.test", True, "not valid for"), ("localhost", False, "self-signed|unable to get")],
)
def test_others_do_not_take_it(server: Tls, name: str, trusts: bool, why: str) -> None:
    context = server.context() if trusts else ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match=why),
    ):
        context.wrap_socket(plain, server_hostname=name)


def test_an_older_tls_is_refused(server: Tls) -> None:
    context = server.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|HANDSHAKE_FAILURE"),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize("target", ["/", "http://evil.test/", "https://evil.test:1/"])
def test_a_name_in_the_request_line_counts_before_the_one_in_the_header(
    server: Tls, target: str
) -> None:
    connection = server.connect()
    connection.request("GET", "/", headers={"Host": f"127.0.0.1:{server.port}"})
    assert connection.getresponse().read()
    connection.putrequest("GET", target, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}")
    connection.endheaders()
    assert connection.getresponse().status == (200 if target == "/" else 421)
    connection.close()


def test_a_session_runs_over_https_and_its_nudges_come(server: Tls) -> None:
    session_id = server.prepare("short")
    connection = server.connect()
    connection.request("GET", f"/sessions/{session_id}/nudges")
    stream = connection.getresponse()
    assert stream.readline() + stream.readline() == b": alive\n\n"
    server.act(session_id, "start")
    assert stream.readline() + stream.readline() == b"data: ask\n\n"
    stream.close()
    connection.close()


def test_the_plain_door_serves_the_page_and_the_certificate_alone(server: Tls) -> None:
    status, headers, body = server.plain("GET", "/trust")
    assert status == 200
    assert f'href="https://127.0.0.1:{server.port}/"'.encode() in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    numbers = re.findall(r"<code>([0-9A-F:]+)</code>", body.decode())
    status, headers, der = server.plain("GET", "/trust/steady-hands.crt")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-cert")
    assert ":".join(numbers).replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert ssl.DER_cert_to_PEM_cert(der).split() == server.authority.read_text().split()
    status, headers, pem = server.plain("GET", "/trust/steady-hands.pem")
    assert (status, headers["Content-Type"]) == (200, "application/x-pem-file")
    assert pem.split() == server.authority.read_bytes().split()
    (sheet,) = re.findall(r'href="(/static/[^"]+\.css)"', body.decode())
    assert server.plain("GET", sheet)[0] == 200
    assert server.plain("GET", "/")[2] == body
    assert server.plain("HEAD", "/trust")[2] == b""


@pytest.mark.parametrize(
    "path", ["/sessions/abc?seq=1", "/today", "/trust/../today", "/static/../x?", "//evil.test/"]
)
def test_the_plain_door_sends_everything_else_on_to_https(server: Tls, path: str) -> None:
    status, headers, _ = server.plain("GET", path)
    if path.startswith("/static"):
        assert status == 404
        return
    assert (status, headers["Location"]) == (307, f"https://127.0.0.1:{server.port}{path}")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_plain_door_takes_nothing_in_and_knows_only_our_names(server: Tls) -> None:
    assert server.plain("POST", "/trust")[0] == 400
    assert server.plain("POST", "/sessions")[0] == 400
    for path in ("/trust", "/today"):
        status, headers, _ = server.plain("GET", path, Host=f"evil.test:{server.plain_port}")
        assert (status, "Location" in headers) == (421, False)
    assert server.plain("GET", "/trust", Host=f"127.0.0.1:{server.port}")[0] == 421


HOST = b"Host: 127.0.0.1:%d\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /trust HTTP/1.1\r\n\r\n",
        b"GET /trust HTTP/1.1\r\n" + HOST + b"Host: evil.test\r\n\r\n",
        b"GET /trust HTTP/1.1\r\n" + HOST + b" folded: x\r\n\r\n",
        b"GET /trust HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n",
        b"GET /tr\x01ust HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /a\nLocation:x HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://evil.test/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_the_plain_door_refuses_what_it_does_not_understand(server: Tls, request_: bytes) -> None:
    place = str(server.plain_port).encode()
    assert server.raw(request_.replace(b"%d", place)).startswith(b"HTTP/1.1 400 ")


def test_too_long_or_too_many_requests_are_let_go_and_the_next_one_is_answered(server: Tls) -> None:
    assert server.raw(b"GET /trust HTTP/1.1\r\nX: " + b"x" * 20_000) == b""
    with ExitStack() as stack:
        for _ in range(70):
            held = socket.create_connection(("127.0.0.1", server.plain_port), timeout=10)
            stack.enter_context(held).sendall(b"GET /trust HTTP/1.1\r\n")
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            server.plain("GET", "/trust")
        assert server.ask("GET", "/healthz").status == 200
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            assert server.plain("GET", "/trust")[0] == 200
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
    pytest.fail("the door stayed shut")


def test_a_request_that_comes_byte_by_byte_is_let_go_in_time(server: Tls) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.plain_port), timeout=0.2) as held:
        while time.monotonic() < begun + 12:
            try:
                held.sendall(b"G")
                if not held.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert 4 < time.monotonic() - begun < 10


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGHUP")
def test_a_new_certificate_is_taken_up_while_it_serves(server: Tls) -> None:
    """As when the addresses have changed; the door beside it opens again too."""
    anew = Names(("localhost", "moved.local"), (ipaddress.ip_address("127.0.0.1"),))
    assert Authority(server.authority.parent).renew(anew, now())
    os.kill(server.running.pid, signal.SIGHUP)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=2) as plain:
                server.context().wrap_socket(plain, server_hostname="moved.local").close()
            assert server.plain("GET", "/trust")[0] == 200
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            break
    else:
        pytest.fail("the old certificate is still served")
    assert server.ask("GET", "/readyz").status == 200
    assert len(server.workers()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGTERM")
def test_all_that_it_said_was_json_and_it_ends_when_told(
    tmp_path: Path, protocols_folder: Path
) -> None:
    with make_server(tmp_path / "data", protocols_folder) as server:
        server.act(server.prepare("short"), "start")
        assert server.plain("GET", "/trust")[0] == 200
        process = server.running
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines[0]["event"] == f"Steady Hands is at https://127.0.0.1:{server.port}"
    told = [line for line in lines if line["event"] == "request"]
    assert {line["route"] for line in told} >= {"/trust", "/sessions/<session_id>/<act:action>"}
    assert all({"time", "level", "event"} <= set(line) for line in lines)
    assert process.returncode == 0


def test_options_that_do_not_go_together_are_one_clear_line(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path), "--port", str(free_port()))
    assert "name both" in refused(*data, "--certificate", str(tmp_path / "x"))
    line = refused(*data, "--certificate", str(tmp_path / "x"), "--key", str(tmp_path / "y"))
    assert "cannot read" in line
    key = Settings(tmp_path).authority / "authority.key"
    key.parent.mkdir()
    key.write_text("for everyone")
    (key.parent / AUTHORITY).write_text("for everyone")
    key.chmod(0o644)
    assert f"others can read the private key {key}" in refused(*data, "--tls")
