"""Backup worker: runs a backup, restore or other maintenance task in a subprocess.

``python -m webapp.maintenance.worker`` reads one task from standard input. It prints its progress
twice a second and then the result. It ends when its input is closed, because then the server is
gone.
"""

from __future__ import annotations

import json
import logging
import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NoReturn

from webapp.log import config as log_config
from webapp.log import log_exceptions
from webapp.maintenance import backups, erase, jsonl, restore
from webapp.maintenance.opening import open_sqlite, open_storage
from webapp.maintenance.retention import ended_before, words_before
from webapp.settings import PACKAGE, Settings
from webapp.storage.database import StorageError
from webapp.storage.disk import RESERVE_BYTES, free_bytes
from webapp.storage.postgresql import Postgresql
from webapp.storage.sessions import SCHEMA, database_of
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import metadata

TELL_SECONDS = 0.5
# Sessions come first, before anything is loaded, too; but a task gets its turn on a busy machine.
STARTER = """
import os, runpy, sys
try:
    os.nice(5)
except (AttributeError, OSError):  # not on every system, and a service may not be allowed to
    pass
runpy.run_module(sys.argv[1], run_name="__main__")
"""
INCOMING = "incoming"
STAGED, PREPARED = "staged.sqlite3", "prepared.sqlite3"

log = logging.getLogger("steady_hands")

TaskArguments = dict[str, Any]
ReportStage = Callable[[int, int, str], None]
RunTask = Callable[[Settings, str, TaskArguments, ReportStage], TaskArguments]


class JobProgress:
    """Progress of a task. It stops the task when the disk is nearly full."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.at = (0, 0, "")

    def stage(self, words: str) -> Callable[[int, int], None]:
        """Begin a stage. Return the function that takes its progress: done, total."""
        self.at = (0, 0, words)

        def report(done: int, of: int) -> None:
            self.at = (done, of, words)
            need_room(self.settings.data)

        return report


def need_room(folder: Path, more: int = 0) -> None:
    """Raise StorageError when the disk would be nearly full with so many bytes more."""
    free = free_bytes(folder)
    if free < more + 4 * RESERVE_BYTES:
        raise StorageError(
            f"the disk is too full for that: {free // 1_000_000} MB are left, "
            f"{(more + 4 * RESERVE_BYTES) // 1_000_000} MB are needed; nothing was changed"
        )


@contextmanager
def reading_database(settings: Settings) -> Iterator[Sqlite | Postgresql]:
    database = database_of(settings)
    try:
        yield database
    finally:
        database.close()


def backup(settings: Settings, _given: TaskArguments, progress: JobProgress) -> TaskArguments:
    need_room(settings.data, backups.size_of(settings.database))
    with reading_database(settings) as database:
        copy = backups.make(database, settings.data / backups.FOLDER, progress.stage("Copying"))
    return {"name": copy.name, "bytes": copy.stat().st_size}


def check(settings: Settings, arguments: TaskArguments, progress: JobProgress) -> TaskArguments:
    """Read an upload into a database of its own. Return what it holds."""
    folder = settings.data / INCOMING / arguments["upload"]
    (file,) = folder.glob("upload.*")
    staged = open_sqlite(folder / STAGED)
    try:
        report = progress.stage("Reading")
        args = (staged.database, file, metadata, SCHEMA, restore.check_rows)
        rows = jsonl.read_file(*args, report=report)
        with reading_database(settings) as database:
            result = restore.compare(staged.database, database)
        restore.drop_local(staged.database)
        return result | {"rows": rows}
    except StorageError as error:
        text = str(error).replace(f"{file}: ", "").replace(str(file), "the file")
        raise StorageError(text) from None
    finally:
        staged.close()


def import_rows(
    settings: Settings, arguments: TaskArguments, progress: JobProgress
) -> TaskArguments:
    folder = settings.data / INCOMING / arguments["upload"]
    (file,) = folder.glob("upload.*")
    storage = open_storage(settings)
    try:
        args = (storage.database, file, metadata, SCHEMA, restore.check_rows)
        return {"rows": jsonl.read_file(*args, report=progress.stage("Bringing in"))}
    finally:
        storage.close()


def restore_copy(
    settings: Settings, arguments: TaskArguments, progress: JobProgress
) -> TaskArguments:
    """Prepare a checked copy of a backup, which the server then puts in place.

    On PostgreSQL the restore itself happens here.
    """
    source = settings.data / arguments["name"]
    if settings.database_url:
        report = progress.stage("Restoring")
        return {"kept": restore.restore_export(settings, source, arguments["process"], report).name}
    need_room(settings.data, 2 * backups.size_of(source))
    progress.stage("Checking and copying")
    prepared = settings.data / INCOMING / arguments["work"] / PREPARED
    restore.prepare_restore(source, prepared, SCHEMA)
    open_sqlite(prepared).close()  # brings it up to date
    backups.put_in_place(prepared, prepared)
    return {}


def erase_rows(
    settings: Settings, arguments: TaskArguments, progress: JobProgress
) -> TaskArguments:
    progress.stage("Deleting")
    storage = open_storage(settings)
    try:
        return erase_and_purge(storage.database, settings, arguments)
    finally:
        storage.close()


def erase_and_purge(
    database: Sqlite | Postgresql, settings: Settings, arguments: TaskArguments
) -> TaskArguments:
    """Delete what the job names. Return the counts, and the backups that still hold it."""
    counts: dict[str, int] = {}
    if "days" in arguments:
        now = datetime.fromtimestamp(arguments["now"], UTC)
        table, ids = "sessions", ended_before(database, arguments["days"], now).ids
        if old_words := words_before(database, arguments["days"], now):
            counts = erase.erase(database, "clinician_words", old_words)
    else:
        table, ids = arguments["table"], tuple(arguments["ids"])
    counts |= erase.erase(database, table, ids) if ids else {}
    holding = erase.copies_with(settings.data, ids)
    names = [path.relative_to(settings.data).as_posix() for path in holding]
    return {"counts": counts, "holding": names}


TASKS: dict[str, Callable[[Settings, TaskArguments, JobProgress], TaskArguments]] = {
    "backup": backup,
    "check": check,
    "import": import_rows,
    "restore": restore_copy,
    "erase": erase_rows,
    "retention": erase_rows,
}


def run_inline(
    settings: Settings, kind: str, arguments: TaskArguments, stage: ReportStage
) -> TaskArguments:
    """Run the task in this process. Raises StorageError."""
    progress = JobProgress(settings)
    result = TASKS[kind](settings, arguments, progress)
    stage(*progress.at)
    return result


def run_in_subprocess(
    settings: Settings, kind: str, arguments: TaskArguments, stage: ReportStage
) -> TaskArguments:
    """Run the task in a process of its own. Raises StorageError."""
    task = task_of(settings) | {"kind": kind, "given": arguments}
    with start_subprocess("webapp.maintenance.worker", task) as process:
        result: TaskArguments | None = None
        for line in process.stdout or ():
            if not line.endswith(b"\n"):
                break
            message = json.loads(line)
            if "result" in message:
                result = message["result"]
            elif "error" in message:
                raise StorageError(message["error"])
            else:
                stage(*message["at"])
    if result is None:
        raise StorageError("it was broken off; nothing was changed")
    return result


@contextmanager
def start_subprocess(module: str, task: TaskArguments) -> Iterator[subprocess.Popen[bytes]]:
    """Start a subprocess that ends with this block, and with this process."""
    path = os.pathsep.join([str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", STARTER, module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert process.stdin
    assert process.stdout
    try:
        with suppress(BrokenPipeError):  # it ended at once, and the missing result shows that
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
        yield process
    finally:
        process.kill()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def exit_when_closed(server: IO[bytes]) -> None:
    """End this process when the server's end of the pipe is closed."""

    def wait() -> None:
        server.read()
        os._exit(3)

    threading.Thread(target=wait, name="server", daemon=True).start()


def task_of(settings: Settings) -> TaskArguments:
    """Return the settings for a subprocess, given on its input: everybody sees arguments."""
    form = settings.log_format
    return {"data": str(settings.data), "url": settings.database_url, "log_format": form}


def settings_in(task: TaskArguments) -> Settings:
    """Return the settings that the server sent, and configure the log as there."""
    form = task["log_format"]
    logging.config.dictConfig(log_config(form))
    log_exceptions()
    return Settings(Path(task["data"]), database_url=task["url"], log_format=form)


def end_after(work: Callable[[], int]) -> NoReturn:
    """Run ``work`` and end this process, although a thread still waits for the server."""
    try:
        status = work()
    except Exception:
        log.exception("a task failed")
        status = 1
    sys.stdout.flush()
    os._exit(status)


def main() -> int:
    task = json.loads(sys.stdin.buffer.readline())
    exit_when_closed(sys.stdin.buffer)
    progress = JobProgress(settings_in(task))
    over = threading.Event()

    def report() -> None:
        while not over.wait(TELL_SECONDS):
            send({"at": progress.at})

    reporter = threading.Thread(target=report, name="progress", daemon=True)
    reporter.start()
    try:
        result = TASKS[task["kind"]](progress.settings, task["given"], progress)
        last: TaskArguments = {"result": result}
    except StorageError as error:
        last = {"error": str(error)}
    over.set()
    reporter.join()
    send(last)
    return 0


def send(message: TaskArguments) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    end_after(main)
