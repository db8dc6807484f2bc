"""No secret of a database's address gets into a message, a log or a list of processes.

Seen to fail when the address was put together again for the connection that listens: with a space
in a name or password every worker died, and the password stood in the log.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.support import postgresql
from tests.support.real_server import COMMAND, Server, clean_environment, free_port
from webapp.maintenance.opening import open_postgresql
from webapp.maintenance.worker import task_of
from webapp.settings import Settings
from webapp.storage.database import StorageError
from webapp.storage.postgresql import describe_place, parameters_of

pytestmark = pytest.mark.promise("secrets")

ODD = ["a b", "it's", 'quo"te', "back\\slash", "50%", "a@b:c/d", "#1?x=y&z", "größe 手", " ", "a+b"]
SECRET = "Xq7-hunter"
LOGIN = f"postgresql://who:{SECRET}@127.0.0.1:1"


@pytest.fixture(scope="module")
def guarded() -> Iterator[postgresql.Server]:
    """A server that asks for the password."""
    with postgresql.running(fsync="off") as server:
        rule = "host all all 127.0.0.1/32 scram-sha-256\n"
        server.execute(f"ALTER ROLE tester PASSWORD '{SECRET}'")
        (server.data / "pg_hba.conf").write_text(f"host all tester 127.0.0.1/32 trust\n{rule}")
        server.execute("SELECT pg_reload_conf()")
        yield server


def made(server: postgresql.Server, name: str) -> str:
    """The address of a database, with a user and a password that are all called so."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        called = sql.Identifier(name)
        parts = (called, sql.Literal(name))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(*parts))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(called, called))
    safe = quote(name, safe="")
    return f"postgresql://{safe}:{safe}@127.0.0.1:{server.port}/{safe}"


@pytest.mark.parametrize("name", ODD)
def test_odd_names_and_passwords_reach_the_server_as_they_are(
    guarded: postgresql.Server, tmp_path: Path, name: str
) -> None:
    address = made(guarded, name)
    parameters = parameters_of(address)
    assert [parameters[key] for key in ("user", "password", "dbname")] == [name] * 3
    storage = open_postgresql(address, tmp_path)
    try:
        with storage.engine.connect() as connection:
            row = connection.exec_driver_sql("SELECT current_user, current_database()").one()
        assert tuple(row) == (name, name)
        assert name.strip() == "" or quote(name) not in str(storage.engine.url)
    finally:
        storage.close()


def test_a_site_with_odd_names_serves_and_a_second_process_of_it_hears(
    guarded: postgresql.Server, tmp_path: Path, protocols_folder: Path
) -> None:
    environment = clean_environment(DATABASE_URL=made(guarded, "it's 1 50%@:/"))
    server = Server(
        tmp_path, protocols_folder, environment=environment, options=["--processes", "2"]
    )
    with server:
        assert server.ask("GET", "/").status == 200
        session = server.prepare("long")
        server.act(session, "start")
        listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%nudges'"
        end = time.monotonic() + 10  # the second process may still be starting
        while guarded.execute(listening) != [(2,)] and time.monotonic() < end:
            time.sleep(0.05)
        assert guarded.execute(listening) == [(2,)]
        server.running.send_signal(signal.SIGTERM)
        output, _ = server.running.communicate(timeout=10)
    assert len(output.splitlines()) == 1, output


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("postgres://u:p@h/d", {"user": "u", "password": "p", "host": "h", "dbname": "d"}),
        ("postgresql+psycopg://u:pa ss@h/d e", {"password": "pa ss", "dbname": "d e"}),
        ("postgresql://u:a/b?c#d@h:1/d", {"password": "a/b?c#d", "host": "h", "port": "1"}),
        ("postgresql://u:p@one:1,two:2/d", {"host": "one,two", "port": "1,2"}),
        ("postgresql://[::1]:5/d", {"host": "::1", "port": "5"}),
        ("postgresql:///d?host=/run/pg&user=me%40x", {"host": "/run/pg", "user": "me@x"}),
        ("postgresql://h/d?options=-csearch_path=a", {"options": "-csearch_path=a"}),
        ("postgresql://h/d?sslmode=require&passfile=/a%20b", {"passfile": "/a b"}),
        ("postgresql://?service=clinic", {"service": "clinic"}),
    ],
)
def test_every_form_of_address_is_understood(address: str, wanted: dict[str, str]) -> None:
    assert wanted.items() <= parameters_of(address).items()
    assert "pa ss" not in describe_place(parameters_of(address))


def test_an_option_of_the_address_counts_beside_ours(
    guarded: postgresql.Server, tmp_path: Path
) -> None:
    address = made(guarded, "an option")
    guarded.execute('CREATE SCHEMA own AUTHORIZATION "an option"', "an%20option")
    storage = open_postgresql(f"{address}?options=-csearch_path=own", tmp_path)
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW search_path").scalar() == "own"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "5s"
    storage.close()
    there = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('meta', 'events')"
    assert guarded.execute(there, "an%20option") == [("own",)]


def test_texts_are_kept_whole_or_the_database_is_refused(
    guarded: postgresql.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    for address in (made(guarded, "hand"), f"{made(guarded, 'hand 2')}?client_encoding=latin1"):
        storage = open_postgresql(address, tmp_path)
        with storage.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT '手 👩\u200d👩'").scalar() == "手 👩\u200d👩"
        storage.close()
    with psycopg.connect(guarded.url(), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    with pytest.raises(StorageError, match="keeps texts as LATIN1"):
        open_postgresql(guarded.url("latin"), tmp_path)


def test_services_password_files_hosts_and_the_environment_count(
    guarded: postgresql.Server, tmp_path: Path
) -> None:
    open_postgresql(made(guarded, "two words"), tmp_path).close()
    (tmp_path / "service").write_text(
        f"[clinic]\nhost=127.0.0.1\nport={guarded.port}\nuser=two words\ndbname=two words\n"
    )
    (tmp_path / "pass").write_text("*:*:*:*:two words\n")
    (tmp_path / "pass").chmod(0o600)
    place = f"127.0.0.1:{guarded.port}"
    file = quote(str(tmp_path / "pass"), safe="")
    login, service = {"PGPASSWORD": "two words"}, {"PGSERVICEFILE": str(tmp_path / "service")}
    addresses: list[tuple[str, dict[str, str]]] = [
        (f"postgresql://two%20words@{place}/two%20words", login),
        (f"postgresql://two%20words@{place}/two%20words?passfile={file}", {}),
        (f"postgresql://two%20words@127.0.0.1:1,{place}/two%20words", login),
        ("postgresql://?service=clinic", login | service),
        ("postgresql://", login | service | {"PGSERVICE": "clinic"}),
    ]
    for address, more in addresses:
        ended = command("export", tmp_path, DATABASE_URL=address, **more)
        assert ended.returncode == 0, (address, ended.stderr)
        assert ended.stdout.startswith("{")


def command(
    name: str, folder: Path, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), name, "--data", str(folder), *more],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=30,
    )


BROKEN = {
    "no address": f"who:{SECRET}@host/name",
    "another kind": f"mysql://who:{SECRET}@host/name",
    "words of libpq": f"host=127.0.0.1 password={SECRET}",
    "no database": f"postgresql://who:{SECRET}@host",
    "no host": f"postgresql://who:{SECRET}",
    "an @ too many": f"postgresql://who:x@{SECRET}@host/name",
    "an @ and a /": f"postgresql://who:12@{SECRET}/b@host/name",
    "a port of letters": f"{LOGIN}x/name",
    "a port too large": f"{LOGIN}99999/name",
    "an unknown option": f"{LOGIN}/name?{SECRET}=1",
    "an option without value": f"{LOGIN}/name?{SECRET}",
    "a value of no sense": f"{LOGIN}/name?sslmode=none",
    "a number of no sense": f"{LOGIN}/name?keepalives_count=x",
    "a broken escape": f"postgresql://who:{SECRET}%zz@127.0.0.1:1/name",
    "an escape cut short": f"postgresql://who:{SECRET}%4@127.0.0.1:1/name",
    "an escaped NUL": f"postgresql://who:{SECRET}%00@127.0.0.1:1/name",
    "an escape that is no text": f"postgresql://who:{SECRET}%ff@127.0.0.1:1/name",
    "an open bracket": f"postgresql://who:{SECRET}@[::1/name",
    "nobody there": f"{LOGIN}/name",
    "a line in the name": f"{LOGIN}/na%0Ame",
    "an unknown host": f"postgresql://who:{SECRET}@nowhere.invalid/name",
    "a host that is too long": f"postgresql://who:{SECRET}@{'x' * 80}.invalid/name",
    "a host of dots": f"postgresql://who:{SECRET}@a..b/name",
    "no such socket": f"postgresql://who:{SECRET}@/name?host=/nowhere",
    "no such service": f"postgresql://who:{SECRET}@host/name?service=nowhere",
    "no such certificate": f"{LOGIN}/name?sslmode=verify-full&sslrootcert=/nowhere"
    f"&sslpassword={SECRET}",
}


def plain_and_silent(ended: subprocess.CompletedProcess[str], *secrets: str) -> str:
    """The one line."""
    said = ended.stdout + ended.stderr
    for secret in (SECRET, *secrets):
        assert secret not in said, said
    assert ended.returncode == 1, said
    (line,) = said.splitlines()
    assert line.startswith("steady-hands: ")
    return line


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("address", BROKEN.values(), ids=BROKEN)
def test_whatever_is_wrong_with_an_address_is_one_line_without_the_password(
    tmp_path: Path, address: str, form: str
) -> None:
    more = ("--port", str(free_port()), "--log-format", form)
    line = plain_and_silent(command("serve", tmp_path, *more, DATABASE_URL=address))
    assert "database" in line
    assert "fault is on our side" not in line


@pytest.mark.parametrize("name", ["backup", "export", "import", "restore", "retention", "invite"])
def test_every_command_tells_it_so(guarded: postgresql.Server, tmp_path: Path, name: str) -> None:
    more = {"retention": ["--days", "9"], "import": ["x"], "restore": ["x"]}.get(name, [])
    wrong = f"postgresql://tester2:{SECRET}%40%20@127.0.0.1:{guarded.port}/postgres"
    for address in (wrong, BROKEN["a broken escape"], BROKEN["nobody there"]):
        line = plain_and_silent(command(name, tmp_path, *more, DATABASE_URL=address))
        assert "database" in line


def test_a_wrong_call_does_not_repeat_the_password(tmp_path: Path) -> None:
    for arguments in (
        [LOGIN],
        ["serve", f"{LOGIN}/x y"],
        ["serve", "--port", LOGIN],
        ["serve", "--database", f"{LOGIN}/a", "--data"],
    ):
        ended = subprocess.run([str(COMMAND), *arguments], capture_output=True, text=True)
        assert ended.returncode == 2
        assert SECRET not in ended.stdout + ended.stderr


FAILING = """
import webapp.server.run
from webapp.cli.main import main
def start_liveness(app):
    raise {error}
webapp.server.run.start_liveness = start_liveness
main()
"""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (f"RuntimeError('{SECRET}')", "RuntimeError at <string>:5"),
        ("webapp.server.run.StorageError('the database is away')", "the database is away"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_worker_that_cannot_begin_ends_the_start_with_one_line(
    tmp_path: Path, error: str, words: str, form: str
) -> None:
    where = ["--port", str(free_port()), "--data", str(tmp_path), "--log-format", form]
    python = [str(COMMAND.parent / "python"), "-c", FAILING.format(error=error)]
    ended = subprocess.run(
        [*python, "serve", *where],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert SECRET not in ended.stdout + ended.stderr
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if '"level": "info"' not in line]
    assert words in line


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_goes_away_is_told_without_the_password(
    tmp_path: Path, protocols_folder: Path, form: str
) -> None:
    with postgresql.running(fsync="off") as there:
        address = there.url().replace("tester@", f"tester:{SECRET}%20@")
        environment = clean_environment(DATABASE_URL=address)
        options = ["--log-format", form]
        server = Server(tmp_path, protocols_folder, environment=environment, options=options)
        with server:
            session = server.prepare("long")
            there.stop(signal.SIGQUIT)
            assert server.ask("GET", f"/sessions/{session}").status == 503
            time.sleep(1)  # the connection that listens tries again
            server.running.send_signal(signal.SIGTERM)
            output, _ = server.running.communicate(timeout=15)
    assert "no push events to other processes" in output
    assert SECRET not in output
    assert "Traceback" not in output


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("joined", [False, True])
def test_no_list_of_processes_shows_the_password(
    guarded: postgresql.Server, tmp_path: Path, protocols_folder: Path, joined: bool
) -> None:
    address = guarded.url().replace("tester@", f"tester:{SECRET}@")
    given = [f"--database={address}"] if joined else ["--database", address]
    server = Server(tmp_path, protocols_folder, options=given)
    with server:
        assert server.ask("GET", "/").status == 200
        group = os.getpgid(server.running.pid)
        lines = list(arguments_of(group))
        assert len(lines) == 2, "the server and its worker"
        for line in lines:
            assert SECRET not in line
            assert "--port" in line
        listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%nudges'"
        assert guarded.execute(listening) == [(1,)], "it serves from PostgreSQL"


def arguments_of(group: int) -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                yield (folder / "cmdline").read_text()
        except (ProcessLookupError, FileNotFoundError):
            continue


def test_what_nobody_expected_is_told_by_its_place_in_threads_and_tasks_too(
    tmp_path: Path,
) -> None:
    raising = (
        "import threading, logging.config\n"
        "from webapp.log import config, log_exceptions\n"
        "logging.config.dictConfig(config('json'))\n"
        "log_exceptions()\n"
        f"def fail(): raise ValueError('{SECRET}')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )
    ended = subprocess.run([sys.executable, "-c", raising], capture_output=True, text=True)
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["error"] for line in told] == ["ValueError"] * 2
    assert SECRET not in ended.stderr
    task = task_of(Settings(tmp_path, log_format="json")) | {"kind": SECRET, "given": {}}
    with subprocess.Popen(
        [sys.executable, "-m", "webapp.maintenance.worker"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as errand:
        assert errand.stdin
        assert errand.stderr
        print(json.dumps(task), file=errand.stdin, flush=True)  # it ends when its input does
        said = errand.stderr.read()
    assert json.loads(said)["error"] == "KeyError"
    assert SECRET not in said


def test_the_settings_do_not_show_the_address() -> None:
    assert SECRET not in repr(Settings(Path(), database_url=f"{LOGIN}/name"))
