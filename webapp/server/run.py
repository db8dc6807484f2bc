"""Start of the production server (granian), with clear errors when it cannot start."""

from __future__ import annotations

import errno
import gc
import logging
import logging.config
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server as Granian
from granian.server.common import AbstractServer

from webapp.app import MOST_BODY_BYTES, create_app, start_liveness
from webapp.log import config as log_config
from webapp.log import log_exceptions, place_of
from webapp.maintenance.backups import check_before_start, keep_private
from webapp.maintenance.folder_lock import SERVING, WRITING, Lock, lock_folder
from webapp.maintenance.opening import open_database, open_storage
from webapp.network import hosts_of, listening_addresses, literal_address
from webapp.protocol_files.loader import BadFileError, load_catalogue
from webapp.server.loop_observer import LoopObserver
from webapp.server.rsgi import RsgiApp
from webapp.settings import Settings, shipped
from webapp.storage.sessions import StorageError, database_of
from webapp.timekeeping.clock import zone_named

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

    from webapp.tls.setup import Files

BACKPRESSURE = 20_000
BACKLOG = 4_096
STOP_SECONDS = 5

log = logging.getLogger("steady_hands")


class StartError(Exception):
    """The site cannot start; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class AppLoader:
    """Makes the app inside the worker process; can be sent there where processes are spawned."""

    settings: Settings
    parent: int
    failed: SimpleQueue[str]

    def __call__(self, _target: str) -> RsgiApp:
        log_exceptions()
        try:
            return self.load()
        except Exception as error:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.failed.put(describe_error(error))
            threading.Event().wait()  # a worker that ends by itself would be started again
            raise

    def load(self) -> RsgiApp:
        gc.disable()  # until settle_memory
        lock = None
        if not self.settings.database_url:  # the worker before us may take its time to end
            lock = lock_folder(self.settings.data, WRITING, STOP_SECONDS + 3)
        database = database_of(self.settings)
        observer = LoopObserver(database)
        app = create_app(self.settings, open_database(database, observer))
        app.extensions["lock"] = lock
        start_liveness(app)
        watch_parent(self.parent)
        settle_memory()
        return RsgiApp(app, hosts_of(self.settings), MOST_BODY_BYTES, observer)


def describe_error(error: Exception) -> str:
    """One line without the words of an error that nobody expected: they may hold secrets."""
    if isinstance(error, StorageError):
        return str(error)
    at = place_of(error.__traceback__)
    return f"it cannot start: {type(error).__name__} at {at}; the fault is on our side"


def settle_memory() -> None:
    """Freeze the objects of the start, and let the collector run less often."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def run(settings: Settings, *, open_browser: bool = False) -> None:
    """Serve until told to stop. Raises StartError."""
    logging.config.dictConfig(log_config(settings.log_format))
    log_exceptions()
    lock = None if settings.database_url else lock_data_folder(settings)
    keep_private(settings.data)
    settings = choose_host(settings)
    settings, files = choose_certificate(settings)
    check_site(settings)
    check_port(settings.host, settings.port, "--port")
    if settings.plain_port:
        check_port(settings.host, settings.plain_port, "--trust-port")
    print_start(settings)
    if open_browser:
        threading.Thread(target=open_in_browser, args=(settings.address,), daemon=True).start()
    server = make_server(settings, files)
    if settings.tls:
        from webapp.tls.setup import Renewal

        Renewal(settings, server.signal_handler_reload).start()
    serve(server, settings)
    if lock:
        lock.close()


def serve(server: AbstractServer[Any], settings: Settings) -> None:
    """Serve until told to stop; a worker that cannot begin ends it. Raises StartError."""
    failed: SimpleQueue[str] = multiprocessing.SimpleQueue()
    said: list[str] = []

    def hear() -> None:
        said.append(failed.get())
        server.signal_handler_interrupt()  # type: ignore[no-untyped-call]

    threading.Thread(target=hear, name="failed", daemon=True).start()
    try:
        server.serve(target_loader=AppLoader(settings, os.getpid(), failed))  # type: ignore[arg-type]
    finally:
        if said:
            raise StartError(said[0])


def make_server(settings: Settings, files: Files | None) -> AbstractServer[Any]:
    return Granian(
        "webapp",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.processes,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=log_config(settings.log_format),
        ssl_cert=files.certificate if files else None,
        ssl_key=files.key if files else None,
        respawn_failed_workers=True,
        respawn_interval=0.0,  # two workers at once would wait for each other's folder
        workers_kill_timeout=STOP_SECONDS,
    )


def print_start(settings: Settings) -> None:
    """Print where the site is, and how to trust its certificate."""
    lines = [f"Steady Hands is at {settings.home}"]
    if settings.joining and settings.log_format != "json":  # a log must hold no code of an invite
        lines.append(describe_joining(settings))
    if settings.plain_port:
        from webapp.tls.setup import how_to_trust

        lines += how_to_trust(settings)
    for line in lines:
        if settings.log_format == "json":
            log.info(line)
        else:
            print_line(line)


def print_line(line: str) -> None:
    """Print it; where nobody takes it the site is served all the same."""
    try:
        print(line, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        log.warning("the start could not be printed: %s", error.strerror)


def choose_host(settings: Settings) -> Settings:
    """With an address in the place of a name; the name stays one of ours. Raises StartError."""
    host = settings.host
    if literal_address(host):
        if "%" in host:
            raise StartError(f"cannot listen on {host}: leave out the % and what follows it")
        return settings
    try:
        found = listening_addresses(host)
    except (OSError, UnicodeError):
        raise StartError(
            f"no address is known for the host {host}; name an address of this machine with "
            "--host, like 127.0.0.1"
        ) from None
    ours = next((one for one in found if not listening_fault(one, settings.port)), found[0])
    return replace(settings, host=ours, names=(*settings.names, host.lower().rstrip(".")))


def choose_certificate(settings: Settings) -> tuple[Settings, Files | None]:
    """Return the files for https, if any, and the settings with their names. Raises StartError."""
    if not settings.encrypts:
        return settings, None
    from webapp.tls.pem import CertificateError
    from webapp.tls.setup import files_of, with_names

    try:
        return with_names(settings), files_of(settings)
    except CertificateError as error:
        raise StartError(str(error)) from None


def describe_joining(settings: Settings) -> str:
    """Return who else may join, and how. Raises StartError."""
    from webapp.auth.terminal_invites import welcome_text

    try:
        return welcome_text(settings)
    except StorageError as error:
        raise StartError(str(error)) from None


def lock_data_folder(settings: Settings) -> Lock:
    """Make the data folder and lock it for this server. Raises StartError."""
    if settings.processes > 1:
        raise StartError(
            "one process serves an embedded database; several need PostgreSQL, see --database"
        )
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        probe = settings.data / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"cannot write to the data folder {settings.data} ({error.strerror}); choose another "
            "with --data"
        ) from None
    try:
        return lock_folder(settings.data, SERVING)
    except StorageError as error:
        raise StartError(str(error)) from None


def check_site(settings: Settings) -> None:
    """Check protocols, time zone and database before the start. Raises StartError."""
    if not settings.protocols.is_dir():
        raise StartError(f"there is no protocol folder {settings.protocols}")
    try:
        zone_named(settings.time_zone)
        load_catalogue(settings.protocols / "catalogue", shipped("protocols") / "catalogue")
        open_once(settings)
    except BadFileError as error:
        raise StartError(f"{error.bad.lines()[0]}; steady-hands check tells more") from None
    except (StorageError, ValueError) as error:
        raise StartError(str(error)) from None


def open_once(settings: Settings) -> None:
    """Check and migrate the database. Raises StorageError."""
    if settings.database_url:
        open_storage(settings).close()
        return
    with lock_folder(settings.data, WRITING):
        check_before_start(settings.database)
        open_storage(settings).close()


def check_port(host: str, port: int, option: str) -> None:
    """Raise StartError when the address cannot be listened on."""
    if error := listening_fault(host, port):
        raise StartError(port_trouble(host, port, option, error))


def listening_fault(host: str, port: int) -> OSError | None:
    """What keeps us from listening there; None when nothing does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        return error
    return None


def port_trouble(host: str, port: int, option: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken; choose another with {option}"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights; choose one above 1023 with {option}"
    return f"cannot listen on {host}:{port} ({error.strerror or error})"


def watch_parent(parent: int) -> None:
    """End this worker when the command that started it was killed, so that its port is free."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    if os.getpid() != parent and hasattr(os, "getppid"):
        threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def open_in_browser(address: str) -> None:
    """Open the browser once the server listens."""
    import webbrowser

    host, port = address.partition("://")[2].rsplit(":", 1)
    for _ in range(100):
        try:
            socket.create_connection((host.strip("[]"), int(port)), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(address)
            return
