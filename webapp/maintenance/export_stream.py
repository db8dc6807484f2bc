"""Streaming export: a subprocess writes it, and the server sends it while it is written."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Iterator
from itertools import chain
from typing import IO

from webapp.maintenance import jsonl
from webapp.maintenance.worker import (
    end_after,
    exit_when_closed,
    reading_database,
    settings_in,
    start_subprocess,
    task_of,
)
from webapp.settings import Settings
from webapp.storage.database import StorageError

STREAMED = "steady-hands.streamed"  # set in the environment by what is sent in parts
PART_BYTES = 256 * 1024
PACKING = 6

one_at_a_time = threading.Semaphore(2)


def stream_export(settings: Settings, code: str = "") -> Iterator[bytes]:
    """Yield the gzipped export of everything or of one client, by code. Raises StorageError."""
    if not one_at_a_time.acquire(blocking=False):
        raise StorageError("two exports are on their way already; try again when they are done")
    try:
        task = task_of(settings) | {"client": code}
        with start_subprocess("webapp.maintenance.export_stream", task) as process:
            assert process.stdout
            head = process.stdout.readline()
            if fault := json.loads(head or b'{"error": "it was broken off"}').get("error"):
                raise StorageError(fault)
            while part := process.stdout.read(PART_BYTES):
                yield part
            if process.wait():
                raise StorageError("the export was broken off")
    finally:
        one_at_a_time.release()


def write(settings: Settings, code: str, out: IO[bytes]) -> int:
    """Write a JSON line, empty or with an error, then the export. Return the exit status."""
    try:
        with reading_database(settings) as database:
            lines = jsonl.lines(database, code)
            first = next(lines)
            out.write(b"{}\n")
            with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=PACKING, mtime=0) as packed:
                for line in chain((first,), lines):
                    packed.write(f"{line}\n".encode())
    except StorageError as error:
        out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return 1
    finally:
        out.flush()
    return 0


def main() -> int:
    task = json.loads(sys.stdin.buffer.readline())
    exit_when_closed(sys.stdin.buffer)
    return write(settings_in(task), task["client"], sys.stdout.buffer)


if __name__ == "__main__":
    end_after(main)
