"""``python -m tests.faults.power FOLDER STATES [NORMAL|OFF]``: cut the power, on paper, anywhere.

Two sessions are recorded by strace: every write, cut, creation, deletion and sync of the database's
files, and every acknowledgement. Then the disk is made as a power cut may leave it: what was synced
is there, of the rest any part, in any order, torn at sectors of 512 bytes. Each state is opened and
read. Prints how many there were, and how many lost an acknowledged act or were damaged. Syncs are
our own; NORMAL and OFF are controls: SQLite syncs less.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.recorded import Person, site_in, started_on
from webapp.maintenance.opening import open_sqlite
from webapp.storage import sqlite

NAME = "steady-hands.sqlite3"
FILES = (NAME, f"{NAME}-wal", f"{NAME}-journal")
CALLS = "trace=pwrite64,write,ftruncate,openat,unlink,fsync,fdatasync"
LINE = re.compile(rb"^\d+ +(\w+)\((.*)\) += (\d+)", re.S)
TEXT = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
FOLLOWED = re.compile(rb"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
SECTOR = 512
OWN_OPEN_EVERY = 50
CHECKPOINT_PAGES = 60


class Op(NamedTuple):
    """``what`` is write, cut, create, unlink, sync, folder or told; ``name`` the file's."""

    what: str
    name: str = ""
    offset: int = 0
    data: bytes = b""


# -- the recording -------------------------------------------------------------------------------


def record(folder: Path, mode: str) -> None:
    """Two sessions, one after the other, with several checkpoints; a process of its own."""
    usual = sqlite.set_pragmas

    def durable(connection: Any, _record: object) -> None:
        usual(connection, _record)
        cursor = connection.cursor()
        if mode != "own":
            cursor.execute(f"PRAGMA synchronous={mode}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.close()

    sqlite.set_pragmas = durable
    app = site_in(folder / "site")
    (folder / "data").mkdir()
    storage = started_on(app, folder / "data")
    told = os.open(folder / "data" / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(2):
        person = Person(app, told)
        person.prepare()
        person.run()
    storage.close()


def traced(folder: Path, mode: str) -> list[Op]:
    trace = folder / "trace"
    command = ["strace", "-f", "-y", "-xx", "-s", "70000", "-o", str(trace), "-e", CALLS]
    child = [sys.executable, "-m", "tests.faults.power", "record", str(folder), mode]
    subprocess.run([*command, *child], check=True)
    home = str(folder / "data").encode()
    return [op for line in trace.open("rb") if (op := op_of(line, home))]


def plain(escaped: bytes) -> bytes:
    return bytes.fromhex(escaped.replace(b"\\x", b"").decode("ascii"))


def op_of(line: bytes, home: bytes) -> Op | None:
    """What a line of the trace does to a file of the database; None for all else."""
    found = LINE.match(line)
    if not found:
        return None
    call, arguments = found[1].decode("ascii"), found[2]
    file = FOLLOWED.match(arguments)
    texts = TEXT.findall(arguments)
    path = plain(file[2]) if file else plain(texts[0]) if texts else b""
    if path == home and call in ("fsync", "fdatasync"):
        return Op("folder")
    folder, _, last = path.rpartition(b"/")
    name = last.decode()
    if folder != home or name not in (*FILES, "told"):
        return None
    if name == "told":
        return Op("told", data=plain(texts[0])) if call == "write" else None
    numbers = arguments.rpartition(b", ")[2]
    match call:
        case "pwrite64":
            return Op("write", name, int(numbers), plain(texts[-1]))
        case "ftruncate":
            return Op("cut", name, int(numbers))
        case "openat":
            return Op("create", name) if b"O_CREAT" in arguments else None
        case "unlink":
            return Op("unlink", name)
        case "fsync" | "fdatasync":
            return Op("sync", name)
    return None


# -- the disk ------------------------------------------------------------------------------------


@dataclass
class File:
    """What is surely on the disk, and what was done to it since."""

    synced: bytes = b""
    pending: list[Op] = field(default_factory=list)

    def after(self, ops: list[Op], torn: random.Random | None = None) -> bytes:
        content = bytearray(self.synced)
        for op in ops:
            if op.what == "cut":
                del content[op.offset :]
                continue
            if len(content) < op.offset:
                content.extend(bytes(op.offset - len(content)))
            for start in range(0, len(op.data), SECTOR):
                if torn is None or torn.random() < 0.6:
                    put(content, op.offset + start, op.data[start : start + SECTOR])
        return bytes(content)


def put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


class Disk:
    """Files by name; names come and go for sure only when their folder is synced."""

    def __init__(self) -> None:
        self.names: dict[str, File] = {}
        self.sure: dict[str, File] = {}
        self.moves: list[tuple[str, File | None]] = []
        self.acknowledged: list[str] = []

    def do(self, op: Op) -> None:
        match op.what:
            case "told":
                note = json.loads(op.data)
                self.acknowledged += [note["session"]] if "session" in note else []
                self.acknowledged += note["keys"] if "done" in note else []
            case "create" if op.name not in self.names:
                self.names[op.name] = File()
                self.moves.append((op.name, self.names[op.name]))
            case "unlink":
                self.names.pop(op.name, None)
                self.moves.append((op.name, None))
            case "write" | "cut":
                self.names[op.name].pending.append(op)
            case "sync":
                file = self.names[op.name]
                file.synced, file.pending = file.after(file.pending), []
            case "folder":
                self.sure, self.moves = dict(self.names), []

    def left(self, dice: random.Random, number: int) -> dict[str, bytes]:
        """A state in which a cut leaves it: 0 with nothing unsure, 1 with all, else by chance."""
        count = (0, len(self.moves))[number] if number < 2 else dice.randint(0, len(self.moves))
        names = dict(self.sure)
        for name, file in self.moves[:count]:
            names.pop(name, None)
            if file is not None:
                names[name] = file
        return {name: self.content(file, dice, number) for name, file in names.items()}

    def content(self, file: File, dice: random.Random, number: int) -> bytes:
        pending = file.pending
        if number == 0 or not pending:
            return file.synced
        if number == 1:
            return file.after(pending)
        kind = dice.randrange(4)
        if kind == 0:
            return file.after(pending[: dice.randint(0, len(pending))])
        chosen = [op for op in pending if dice.random() < 0.5]
        if kind == 1:
            return file.after(chosen)
        if kind == 2:
            return file.after(pending, dice)
        return file.after(chosen, dice)


# -- the states ----------------------------------------------------------------------------------


def states(ops: list[Op], wanted: int) -> Iterator[tuple[dict[str, bytes], list[str]]]:
    """At least ``wanted`` different ones where there are so many, spread over all moments."""
    dice, seen = random.Random(2), set[int]()
    each = max(2, round(2.6 * wanted / len(ops)))
    for_every = 1 if wanted >= len(ops) else len(ops) // wanted + 1
    disk = Disk()
    for number, op in enumerate(ops):
        disk.do(op)
        if number % for_every:
            continue
        for state in range(each):
            left = disk.left(dice, state)
            name = hash((*sorted(left.items()), len(disk.acknowledged)))
            if name not in seen:
                seen.add(name)
                yield left, list(disk.acknowledged)


def read(folder: Path) -> list[str]:
    """Sessions and keys of events, in order. Raises sqlite3.DatabaseError for a damaged file."""
    with closing(sqlite3.connect(folder / NAME)) as file:
        (word,) = file.execute("PRAGMA integrity_check(1)").fetchone()
        if word != "ok":
            raise sqlite3.DatabaseError(word)
        found = file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'events'")
        if found.fetchone() == (0,):
            return []
        sessions = file.execute("SELECT id FROM sessions ORDER BY rowid").fetchall()
        keys = "SELECT key FROM events WHERE session = ? ORDER BY seq"
        return [
            text
            for (one,) in sessions
            for text in (one, *(k for (k,) in file.execute(keys, (one,))))
        ]


def judge(folder: Path, left: dict[str, bytes], acknowledged: list[str], own: bool) -> str:
    """``lost``, ``corrupt`` or nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in left.items():
        (folder / name).write_bytes(content)
    try:
        if own:
            open_sqlite(folder / NAME).close()
        found = read(folder)
    except Exception:
        return "corrupt"
    return "lost" if found[: len(acknowledged)] != acknowledged else ""


def replay(folder: Path, wanted: int, mode: str) -> dict[str, int]:
    ops = traced(folder, mode)
    found = {"moments": len(ops), "states": 0, "lost": 0, "corrupt": 0}
    for left, acknowledged in states(ops, wanted):
        own = found["states"] % OWN_OPEN_EVERY == 0
        found["states"] += 1
        if fault := judge(folder / "state", left, acknowledged, own):
            found[fault] += 1
    return found


def main() -> None:
    first, *more = sys.argv[1:]
    if first == "record":
        record(Path(more[0]), more[1])
        return
    mode = more[1] if len(more) > 1 else "own"
    print(json.dumps(replay(Path(first), int(more[0]), mode)))


if __name__ == "__main__":
    main()
