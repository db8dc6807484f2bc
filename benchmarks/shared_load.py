"""The load of many joined devices: https off and on, and two processes that share PostgreSQL."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import load, processes, protocol_folder
from benchmarks.clocks import server_offset
from benchmarks.load import Device, Seen
from benchmarks.options import Options
from benchmarks.sites import HOST, Server, free_port, our_command, wait_for
from benchmarks.swarm import Task
from benchmarks.table import Row, Table
from tests.support import postgresql
from webapp.auth.invites import hash_secret
from webapp.domain.invites import Role
from webapp.maintenance.opening import open_storage
from webapp.settings import Settings
from webapp.storage.sessions import Storage
from webapp.storage.tables import devices as devices_table
from webapp.timekeeping.clock import Clock

HANDSHAKES_A_SECOND = 250
COLD_SECONDS = 180.0
FILL_QUICKLY = "?options=-c%20synchronous_commit%3Doff"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to serve a clinic; ``joined`` devices are asked for at each request."""

    name: str
    joined: bool = True
    tls: bool = False
    processes: int = 1

    @property
    def postgresql(self) -> bool:
        return self.processes > 1

    @property
    def warm_seconds(self) -> float:
        """Until every session was read once, and what piled up meanwhile is answered."""
        return COLD_SECONDS if self.postgresql else load.WARM_SECONDS


KINDS = (
    Kind("one process, SQLite, nobody has to join", joined=False),
    Kind("one process, SQLite, joined devices"),
    Kind("one process, SQLite, joined devices, https", tls=True),
    Kind("two processes, PostgreSQL, joined devices", processes=2),
    Kind("two processes, PostgreSQL, joined devices, https", tls=True, processes=2),
)


def measure(options: Options) -> Table:
    """10,000 sessions on joined devices: https off and on, SQLite, two processes on PostgreSQL."""
    processes.allow_many_files()
    found = Table(
        f"Shared load: a beat each 5 s, a phase each {load.PHASE_SECONDS} s, "
        f"an act each {options.commands_every:g} s in every session"
    )
    for number, kind in enumerate(KINDS):
        folder = options.folder / str(number)
        folder.mkdir()
        outcome = run(options, kind, folder, options.sessions or load.SESSIONS)
        found.rows += [Row(kind.name, ""), *told(load.rows(outcome), kind)]
        found.notes += [f"{kind.name}: {note}" for note in load.notes(outcome)]
    found.notes.append("Load generator, PostgreSQL and servers share the machine's cores.")
    return found


def told(rows: list[Row], kind: Kind) -> list[Row]:
    """The time is promised for one process and SQLite; for all else it is only told."""
    first, *rest = rows
    if kind.joined:
        first = Row(first.what, first.ours)
    return [first, *rest]


def run(options: Options, kind: Kind, folder: Path, sessions: int) -> load.Outcome:
    """Fill a new database with sessions and devices, serve it, and let the swarm loose."""
    protocols = protocol_folder.write(folder / "protocols", load.PHASE_SECONDS)
    data = folder / "data"
    data.mkdir()
    with database(kind) as url:
        port = free_port()
        devices = filled(kind, data, url, protocols, sessions, port)
        with serving(kind, port, data, url, protocols, devices[0][4]) as server:
            offset = server_offset(lambda: server.clock(devices[0][0]))
            task = Task(
                HOST,
                port,
                offset,
                sessions / HANDSHAKES_A_SECOND if kind.tls else load.RAMP_SECONDS,
                min(kind.warm_seconds, 2 * options.duration(kind.warm_seconds)),
                options.duration(load.SECONDS),
                options.commands_every,
                devices,
                server.scheme,
                kind.tls,
            )
            path = folder / "swarm.json"
            path.write_text(json.dumps(asdict(task)), encoding="utf-8")
            return load.let_loose(server, path, sessions)


@contextmanager
def database(kind: Kind) -> Iterator[str]:
    """The address of an empty PostgreSQL; "" for SQLite."""
    if not kind.postgresql:
        yield ""
        return
    with postgresql.running(shared_buffers="256MB", max_connections="100") as server:
        yield server.new_database("load")


def filled(
    kind: Kind, data: Path, url: str, protocols: Path, sessions: int, port: int
) -> list[Device]:
    """Running sessions, each on a device of its own that has joined."""
    if not url:
        with load.quick_storage(data / "steady-hands.sqlite3") as storage:
            return on_devices(kind, storage, load.filled(storage, protocols, sessions), port)
    storage = open_storage(Settings(data, database_url=f"{url}{FILL_QUICKLY}"))
    try:
        return on_devices(kind, storage, load.filled(storage, protocols, sessions), port)
    finally:
        storage.close()


def on_devices(kind: Kind, storage: Storage, seen: list[Seen], port: int) -> list[Device]:
    if not kind.joined:
        return [(*one, "") for one in seen]
    now, rows, found = Clock().now(), [], []
    for number, one in enumerate(seen, 1):
        token = secrets.token_urlsafe(32)
        rows.append(
            {
                "id": secrets.token_urlsafe(12),
                "token_hash": hash_secret(token),
                "role": int(Role.OPERATOR),
                "kind": "Tablet",
                "number": number,
                "joined_at": now,
                "seen_at": now,
            }
        )
        found.append((*one, f"__Host-steady-hands-{port}={token}"))
    with storage.write() as connection:
        connection.execute(sa.insert(devices_table), rows)
    return found


@contextmanager
def serving(
    kind: Kind, port: int, data: Path, url: str, protocols: Path, cookie: str
) -> Iterator[Server]:
    """Our server as it would stand behind a public address, where every device has to join."""
    command = our_command(port, data, protocols)
    if kind.joined:
        command += ["--public-url", f"https://{HOST}:{port}"]
    command += ["--tls"] if kind.tls else []
    command += ["--database", url, "--processes", str(kind.processes)] if url else []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    try:
        wait_for(port, process, "/healthz", tls=kind.tls)
        yield Server(process, port, HOST, "https" if kind.joined else "http", kind.tls, cookie)
    finally:
        processes.stop(process)
