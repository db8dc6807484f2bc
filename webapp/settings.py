"""Frozen settings of one running site. The defaults make a working site on SQLite."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """A folder that comes with the app: beside the package in a checkout, inside it in a wheel."""
    installed = PACKAGE / "_site" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder


def app_version() -> str:
    try:
        return version("steady-hands")
    except PackageNotFoundError:
        return "0"


def is_loopback(name: str) -> bool:
    """True for an address that only this very machine can open."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two sites."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    protocols: Path = field(default_factory=lambda: shipped("protocols"))
    time_zone: str | None = None
    database_url: str | None = None
    processes: int = 1
    lan: bool = False
    public_url: str | None = None

    @property
    def database(self) -> Path:
        """The embedded database; not used where ``database_url`` names a server's."""
        return self.data / "steady-hands.sqlite3"

    @property
    def secure(self) -> bool:
        """True when browsers see https."""
        return (self.public_url or "").startswith("https://")

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
        """By which this machine reaches it."""
        if self.everywhere:
            return f"http://127.0.0.1:{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
