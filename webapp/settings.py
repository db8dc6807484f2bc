"""Frozen settings of one running site. The defaults make a working site on SQLite."""

from __future__ import annotations

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

    @property
    def database(self) -> Path:
        """The embedded database; not used where ``database_url`` names a server's."""
        return self.data / "steady-hands.sqlite3"

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
