"""The authority of a site's own, its server certificate, and certificates from elsewhere."""

from __future__ import annotations

import ipaddress
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from webapp import network
from webapp.settings import Settings
from webapp.tls.authority import Authority, issue_certificate, local_names
from webapp.tls.pem import (
    CertificateError,
    Names,
    check_files,
    names_of,
    private_pem,
    read_chain,
    read_key,
)
from webapp.tls.setup import Renewal, files_of, how_to_trust, with_names

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LAN = ipaddress.ip_address("192.168.7.20")
HERE = Names(("localhost", "practice", "practice.local"), (ipaddress.ip_address("127.0.0.1"), LAN))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "tls")
    assert made.renew(HERE, NOW)
    return made


def served(authority: Authority) -> x509.Certificate:
    return read_chain(authority.server_file)[0]


def accepts(authority: Authority, name: str, at: datetime = NOW) -> bool:
    """Whether a strict verifier that knows name constraints takes the chain for ``name``."""
    leaf, root = read_chain(authority.server_file)
    subject: x509.DNSName | x509.IPAddress
    try:
        subject = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        subject = x509.DNSName(name)
    try:
        PolicyBuilder().store(Store([root])).time(at).build_server_verifier(subject).verify(
            leaf, []
        )
    except VerificationError:
        return False
    return True


def test_the_served_certificate_is_for_every_name_and_address_and_for_nothing_else(
    authority: Authority,
) -> None:
    for name in (*HERE.dns, "127.0.0.1", "192.168.7.20"):
        assert accepts(authority, name), name
    assert not accepts(authority, "evil.test")
    assert not accepts(authority, "192.168.7.21")


def test_it_is_what_apple_demands(authority: Authority) -> None:
    leaf = served(authority)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    root = read_chain(authority.certificate_file)[0]
    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert authority.shown().name.startswith("Steady Hands on ")


def test_the_authority_cannot_vouch_for_the_internet(authority: Authority) -> None:
    """Whoever steals its key can sign for a bank, but nobody who knows the rules takes it."""
    key, root = authority.load(NOW)
    stolen = Names(("bank.example.com",), (ipaddress.ip_address("203.0.113.9"),))
    authority.server_file.write_bytes(issue_certificate(key, root, stolen, NOW))
    assert not accepts(authority, "bank.example.com")
    assert not accepts(authority, "203.0.113.9")


def test_nothing_is_made_anew_while_it_is_right(authority: Authority) -> None:
    before = authority.server_file.read_bytes()
    assert not authority.renew(HERE, NOW + timedelta(days=300))
    assert authority.server_file.read_bytes() == before


@pytest.mark.parametrize("days", [360, 389, 2_000])
def test_it_is_renewed_before_it_ends_and_the_devices_trust_on(
    authority: Authority, days: int
) -> None:
    root = authority.certificate_file.read_bytes()
    then = NOW + timedelta(days=days)
    assert authority.renew(HERE, then)
    assert authority.certificate_file.read_bytes() == root
    assert accepts(authority, "localhost", then)
    assert not authority.renew(HERE, then)


def test_new_addresses_get_a_new_certificate_from_the_same_authority(authority: Authority) -> None:
    root = authority.certificate_file.read_bytes()
    moved = Names(HERE.dns, (ipaddress.ip_address("10.1.2.3"),))
    assert authority.renew(moved, NOW)
    assert accepts(authority, "10.1.2.3")
    assert not accepts(authority, "192.168.7.20")
    assert authority.certificate_file.read_bytes() == root


def test_what_the_authority_may_not_sign_for_is_left_out(authority: Authority) -> None:
    renamed = Names(("localhost", "renamed", "renamed.local"), (ipaddress.ip_address("8.8.8.8"),))
    authority.renew(renamed, NOW)
    assert names_of(served(authority)) == Names(("localhost", "renamed.local"), ())
    assert not authority.renew(renamed, NOW)


def test_near_its_end_the_authority_signs_for_no_longer_than_it_lasts(authority: Authority) -> None:
    then = NOW + timedelta(days=3_640)
    assert authority.renew(HERE, then)
    assert accepts(authority, "localhost", then)
    assert not authority.renew(HERE, then)
    with pytest.raises(CertificateError, match=r"has ended; delete the folder .*/tls"):
        authority.renew(HERE, NOW + timedelta(days=3_651))


@pytest.mark.skipif(sys.platform == "win32", reason="rights are told otherwise there")
def test_private_keys_are_for_nobody_else(authority: Authority) -> None:
    for path in (authority.key_file, authority.server_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    for path in (authority.key_file, authority.server_file):
        path.chmod(0o640)
        with pytest.raises(CertificateError, match=rf"others can read .* chmod 600 {path}"):
            authority.renew(HERE, NOW)
        path.chmod(0o600)


def test_a_start_that_was_killed_midway_is_made_good(authority: Authority) -> None:
    authority.certificate_file.unlink()
    assert authority.renew(HERE, NOW)
    authority.server_file.write_bytes(b"half")
    authority.server_file.chmod(0o600)
    assert authority.renew(HERE, NOW)
    assert accepts(authority, "localhost")


def test_an_authority_with_a_foreign_key_is_refused(authority: Authority) -> None:
    authority.key_file.write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(CertificateError, match="does not fit"):
        authority.renew(HERE, NOW)


def test_this_machine_knows_its_names_and_addresses() -> None:
    found = local_names("0.0.0.0")
    assert "localhost" in found.dns
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} <= set(found.addresses)
    assert local_names("practice.example").dns[-1] == "practice.example"
    assert ipaddress.ip_address("203.0.113.5") in local_names("203.0.113.5").addresses


def test_a_service_that_may_not_ask_the_kernel_knows_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden() -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr("ifaddr.get_adapters", forbidden)
    assert all(address.is_loopback for address in network.own_addresses())
    (only,) = network.lan_hosts()
    assert only.address in (f"{network.machine_name()}.local", "127.0.0.1")


def test_our_service_may_ask_the_kernel() -> None:
    unit = (ROOT / "deploy" / "steady-hands.service").read_text(encoding="utf-8")
    (line,) = [line for line in unit.splitlines() if line.startswith("RestrictAddressFamilies=")]
    assert "AF_NETLINK" in line.partition("=")[2].split()


def test_an_address_that_the_authority_was_not_made_for_stops_the_start(tmp_path: Path) -> None:
    assert files_of(Settings(tmp_path, tls=True))
    with pytest.raises(CertificateError, match=r"was not made for 203\.0\.113\.5; delete"):
        files_of(Settings(tmp_path, host="203.0.113.5", tls=True))
    assert files_of(Settings(tmp_path / "new", host="203.0.113.5", tls=True))


def test_the_terminal_says_where_to_learn_it_and_what_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, host="0.0.0.0", tls=True)
    files_of(settings)
    monkeypatch.setattr(network, "lan_hosts", lambda: [network.Candidate(str(LAN))])
    page, numbers = how_to_trust(settings)
    assert "http://192.168.7.20:8001/trust" in page
    assert numbers.endswith(Authority(settings.authority).shown().fingerprint)


def test_the_server_takes_up_a_certificate_that_was_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, tls=True)
    files_of(settings)
    renewed: list[bool] = []
    renewal = Renewal(settings, lambda: renewed.append(True))
    renewal.renew()
    assert renewed == []
    monkeypatch.setattr("webapp.tls.setup.local_names", lambda _host: HERE)
    renewal.renew()
    assert renewed == [True]


# -- from elsewhere ------------------------------------------------------------------------------


@pytest.fixture
def given(authority: Authority, tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key in files of their own."""
    certificate, key = tmp_path / "site.crt", tmp_path / "site.key"
    certificate.write_bytes(
        b"".join(
            c.public_bytes(serialization.Encoding.PEM) for c in read_chain(authority.server_file)
        )
    )
    mine = read_key(authority.server_file)
    assert isinstance(mine, ec.EllipticCurvePrivateKey)
    key.write_bytes(private_pem(mine))
    key.chmod(0o640)  # as Debian's group for keys has it
    return certificate, key


def test_a_given_certificate_tells_the_names_that_we_answer_to(
    given: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.tls.setup.now", lambda: NOW)
    certificate, key = given
    assert check_files(certificate, key, NOW) == HERE.dns
    assert with_names(Settings(tmp_path, certificate=certificate, key=key)).names == HERE.dns


def trouble(certificate: Path, key: Path, now: datetime = NOW) -> str:
    with pytest.raises(CertificateError) as raised:
        check_files(certificate, key, now)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_bad_given_certificate_is_one_clear_line(
    given: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = given
    assert "ended on 2027-03" in trouble(certificate, key, NOW + timedelta(days=390))
    assert "not valid before 2026-03-01" in trouble(certificate, key, NOW - timedelta(days=2))
    assert "cannot read" in trouble(tmp_path / "none", key)
    assert "cannot read" in trouble(certificate, tmp_path)
    assert "no certificate in PEM form" in trouble(key, key)
    assert "no private key in PEM form" in trouble(certificate, certificate)
    other = ec.generate_private_key(ec.SECP256R1())
    key.write_bytes(private_pem(other))
    assert "does not belong" in trouble(certificate, key)
    locked = serialization.BestAvailableEncryption(b"secret")
    kind = serialization.PrivateFormat.PKCS8
    key.write_bytes(other.private_bytes(serialization.Encoding.PEM, kind, locked))
    assert "locked with a password" in trouble(certificate, key)


def test_a_certificate_without_names_is_refused(
    authority: Authority, given: tuple[Path, Path]
) -> None:
    certificate, key = given
    certificate.write_bytes(authority.certificate_file.read_bytes())
    key.write_bytes(authority.key_file.read_bytes())
    assert "names no host" in trouble(certificate, key)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are told otherwise there")
def test_a_given_key_that_everyone_can_read_is_refused(given: tuple[Path, Path]) -> None:
    certificate, key = given
    key.chmod(0o644)
    assert f"chmod 600 {key}" in trouble(certificate, key)
