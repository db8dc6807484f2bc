"""PEM files: reads, checks and writes certificates and private keys."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from webapp.network import DNS_NAME, Address

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM


class CertificateError(Exception):
    """A certificate or key cannot be used; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a certificate is for."""

    dns: tuple[str, ...]
    addresses: tuple[Address, ...]

    def general(self) -> list[x509.GeneralName]:
        return [
            *(x509.DNSName(name) for name in self.dns),
            *(x509.IPAddress(address) for address in self.addresses),
        ]


def check_files(certificate: Path, key: Path, now: datetime) -> tuple[str, ...]:
    """The names that a certificate from elsewhere is for. Raises CertificateError."""
    private_key, chain = read_key(key), read_chain(certificate)
    check_unreadable(key, 0o007)
    first = chain[0]
    if not fits(private_key, first):
        raise CertificateError(f"the key {key} does not belong to the certificate {certificate}")
    if first.not_valid_after_utc < now:
        raise CertificateError(
            f"the certificate {certificate} ended on {first.not_valid_after_utc:%Y-%m-%d}"
        )
    if first.not_valid_before_utc > now:
        raise CertificateError(
            f"the certificate {certificate} is not valid before "
            f"{first.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        )
    try:
        names = names_of(first)
    except x509.ExtensionNotFound:
        raise CertificateError(
            f"the certificate {certificate} names no host (subjectAltName), so no browser takes it"
        ) from None
    return tuple(name.lower() for name in names.dns if DNS_NAME.fullmatch(name.lower()))


def names_of(certificate: x509.Certificate) -> Names:
    """What a certificate is for. Raises ExtensionNotFound."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return Names(
        tuple(names.get_values_for_type(x509.DNSName)),
        tuple(a for a in names.get_values_for_type(x509.IPAddress) if isinstance(a, Address)),
    )


def read_key(path: Path) -> PrivateKeyTypes:
    """Read a private key. Raises CertificateError."""
    text = read(path)
    try:
        return serialization.load_pem_private_key(text, None)
    except TypeError:
        raise CertificateError(f"the key {path} is locked with a password; unlock it") from None
    except ValueError:
        raise CertificateError(f"there is no private key in PEM form in {path}") from None


def read_chain(path: Path) -> list[x509.Certificate]:
    """Read one or more certificates. Raises CertificateError."""
    try:
        return x509.load_pem_x509_certificates(read(path))
    except ValueError:
        raise CertificateError(f"there is no certificate in PEM form in {path}") from None


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read {path} ({error.strerror})") from None


def fits(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    return key.public_key() == certificate.public_key()


def check_unreadable(path: Path, bits: int) -> None:
    """Raise CertificateError when others may read a private key."""
    if sys.platform != "win32" and path.exists() and path.stat().st_mode & bits:
        raise CertificateError(f"others can read the private key {path}; run: chmod 600 {path}")


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, kind, serialization.NoEncryption())


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that only its owner reads, whole or not at all. Raises CertificateError."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        partial.unlink(missing_ok=True)
        opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise CertificateError(f"cannot write {path} ({error.strerror})") from None
