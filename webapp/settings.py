"""Settings of one site, frozen. The defaults make a working site on SQLite."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """A folder that comes with the app: beside the package in a checkout, inside it in a wheel."""
    installed = PACKAGE / "_site" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder


def app_version() -> str:
    # Only asked for by people, and it takes a fifteenth of the time to the first page to load.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("steady-hands")
    except PackageNotFoundError:
        return "0"


def is_loopback(name: str) -> bool:
    """True for an address that only this very machine can open."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower().removesuffix(".") == "localhost"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two sites."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    protocols: Path = field(default_factory=lambda: shipped("protocols"))
    time_zone: str | None = None
    database_url: str | None = field(default=None, repr=False)  # it may hold a password
    processes: int = 1
    tls: bool = False
    certificate: Path | None = None
    key: Path | None = None
    trust_port: int | None = None
    names: tuple[str, ...] = ()
    log_format: str = "text"
    lan: bool = False
    public_url: str | None = None

    @property
    def database(self) -> Path:
        """The embedded database; not used where ``database_url`` names a server's."""
        return self.data / "steady-hands.sqlite3"

    @property
    def authority(self) -> Path:
        """The folder of our own certificate authority."""
        return self.data / "tls"

    @property
    def encrypts(self) -> bool:
        """True when the server itself speaks https."""
        return self.tls or self.certificate is not None

    @property
    def secure(self) -> bool:
        """True when browsers see https, from here or through a reverse proxy."""
        if self.public_url:
            return self.public_url.startswith("https://")
        return self.encrypts

    def cookie(self, name: str) -> str:
        """The full name of a cookie: over https no other host and no plain http page can set it."""
        return f"__Host-{name}" if self.secure else name

    @property
    def scheme(self) -> str:
        """As browsers see it."""
        return "https" if self.secure else "http"

    @property
    def plain_port(self) -> int | None:
        """Where the trust page alone is served without https; only with our own authority."""
        return (self.trust_port or self.port + 1) if self.tls and not self.public_url else None

    @property
    def joining(self) -> bool:
        """True when others than this machine can reach the site: then they have to join."""
        return self.lan or self.public_url is not None or not is_loopback(self.host)

    @property
    def everywhere(self) -> bool:
        """True when it listens on every interface."""
        return self.host in ("0.0.0.0", "::")

    @property
    def address(self) -> str:
        """By which this machine reaches the server itself."""
        name = "127.0.0.1" if self.everywhere else self.host
        host = f"[{name}]" if ":" in name else name
        return f"{'https' if self.encrypts else 'http'}://{host}:{self.port}"

    @property
    def home(self) -> str:
        """Where people find the site."""
        return self.public_url or self.address
