"""Certificate authority of the site, and the server certificate that it signs.

- Name constraints limit the authority to this machine and to private names and addresses. It cannot
  sign another authority. So whoever trusts it trusts it for nothing else.
- The server's certificate holds all names and addresses of this machine. It is valid for 390 days,
  because Apple's systems accept at most 397. It is renewed 30 days before its end, or when the
  addresses have changed. Key and chain lie in one file, so that they change together.
- The server starts only when nobody else can read the private keys.
"""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from webapp.network import NEARBY, host_names, is_nearby, machine_name, own_addresses
from webapp.tls.pem import (
    DER,
    PEM,
    CertificateError,
    Names,
    check_unreadable,
    fits,
    names_of,
    private_pem,
    read_chain,
    read_key,
    write_private,
)

FOLDER = "tls"
AUTHORITY, AUTHORITY_KEY, SERVER = "authority.crt", "authority.key", "server.pem"
AUTHORITY_DAYS, SERVER_DAYS, RENEW_DAYS = 3_650, 389, 30
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EARLIER = timedelta(days=1)  # a device whose clock is a little behind
NEARBY_NAMES = ("localhost", "local", "lan", "home", "home.arpa", "internal")


@dataclass(frozen=True, slots=True)
class AuthorityInfo:
    """The authority as people see, compare and fetch it."""

    name: str
    fingerprint: str
    until: str
    der: bytes
    pem: bytes


def local_names(host: str) -> Names:
    """Everything this machine is reached by; ``host`` is the address it was told to listen on."""
    dns, addresses = host_names(), own_addresses()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        dns += [host.lower()] if host.lower() not in dns else []
    else:
        addresses += [address] if address not in addresses and not address.is_unspecified else []
    return Names(tuple(dns), tuple(addresses))


class Authority:
    """The folder with the authority and the server's certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate_file = folder / AUTHORITY
        self.key_file = folder / AUTHORITY_KEY
        self.server_file = folder / SERVER

    def renew(self, wanted: Names, now: datetime) -> bool:
        """Create what is missing, ends soon or no longer fits. True when the server's is new.

        Raises CertificateError.
        """
        self.make_folder()
        if not self.certificate_file.exists():
            self.create(wanted, now)
        key, certificate = self.load(now)
        allowed = permitted_names(certificate, wanted)
        if self.serves(certificate, allowed, now):
            return False
        write_private(self.server_file, issue_certificate(key, certificate, allowed, now))
        return True

    def make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if sys.platform != "win32":
                self.folder.chmod(0o700)
        except OSError as error:
            raise CertificateError(f"cannot write to {self.folder} ({error.strerror})") from None

    def create(self, wanted: Names, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = new_authority(key, wanted, now)
        write_private(self.key_file, private_pem(key))
        write_private(self.certificate_file, certificate.public_bytes(PEM), 0o644)

    def load(self, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """The authority's key and certificate. Raises CertificateError."""
        for path in (self.key_file, self.server_file):
            check_unreadable(path, 0o077)
        key = read_key(self.key_file)
        certificate = read_chain(self.certificate_file)[0]
        anew = f"delete the folder {self.folder} to make a new one, which every device has to trust"
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not fits(key, certificate):
            raise CertificateError(f"{self.key_file} does not fit {self.certificate_file}; {anew}")
        if certificate.not_valid_after_utc < now:
            raise CertificateError(f"the authority in {self.folder} has ended; {anew}")
        return key, certificate

    def shown(self) -> AuthorityInfo:
        """Raises CertificateError."""
        certificate = read_chain(self.certificate_file)[0]
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return AuthorityInfo(
            str(names[0].value) if names else "",
            fingerprint(certificate),
            f"{certificate.not_valid_after_utc:%Y-%m-%d}",
            certificate.public_bytes(DER),
            certificate.public_bytes(PEM),
        )

    def serves(self, authority: x509.Certificate, wanted: Names, now: datetime) -> bool:
        """True while the server's certificate is right as it is."""
        if not self.server_file.exists():
            return False
        try:
            key, chain = read_key(self.server_file), read_chain(self.server_file)
            chain[0].verify_directly_issued_by(authority)
        except (CertificateError, ValueError, TypeError, InvalidSignature):
            return False
        enough = min(now + timedelta(days=RENEW_DAYS), authority.not_valid_after_utc - EARLIER)
        lasts = chain[0].not_valid_before_utc <= now and enough < chain[0].not_valid_after_utc
        return lasts and fits(key, chain[0]) and names_of(chain[0]) == wanted


def new_authority(
    key: ec.EllipticCurvePrivateKey, wanted: Names, now: datetime
) -> x509.Certificate:
    """Return a new authority for this machine and its network only."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Steady Hands"),
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"Steady Hands on {machine_name() or 'this machine'}"[:64]
            ),
        ]
    )
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        certificate_builder(name, name, key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(constraints(wanted), critical=False)
        .sign(key, hashes.SHA256())
    )


def constraints(wanted: Names) -> x509.NameConstraints:
    """Not critical, so that a system that does not know them can still trust the authority."""
    names = dict.fromkeys([*NEARBY_NAMES, *wanted.dns])
    outside = [
        ipaddress.ip_network(address) for address in wanted.addresses if not is_nearby(address)
    ]
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    permitted += [x509.IPAddress(net) for net in (*NEARBY, *outside)]
    return x509.NameConstraints(permitted, None)


def issue_certificate(
    key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, names: Names, now: datetime
) -> bytes:
    """A new key with a certificate for ``names``, and the authority behind it."""
    server_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Steady Hands")])
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    end = min(now + timedelta(days=SERVER_DAYS), authority.not_valid_after_utc)
    behind = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    signed = (
        certificate_builder(subject, authority.subject, server_key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names.general()), critical=False)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(server_key.public_key()), critical=False
        )
        .add_extension(behind, critical=False)
        .sign(key, hashes.SHA256())
    )
    return private_pem(server_key) + signed.public_bytes(PEM) + authority.public_bytes(PEM)


def certificate_builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(end)
    )


def permitted_names(authority: x509.Certificate, wanted: Names) -> Names:
    """Return those of ``wanted`` that the authority may sign for."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    allowed = permitted.permitted_subtrees or []
    names = [name.value for name in allowed if isinstance(name, x509.DNSName)]
    nets = [name.value for name in allowed if isinstance(name.value, Network)]
    return Names(
        tuple(d for d in wanted.dns if any(d == n or d.endswith(f".{n}") for n in names)),
        tuple(a for a in wanted.addresses if any(a in net for net in nets)),
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as systems show it: pairs of digits with colons between."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def now() -> datetime:
    """Return the wall clock, by which certificates are checked."""
    return datetime.now(UTC)
