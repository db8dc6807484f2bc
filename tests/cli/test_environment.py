"""What a shell, a machine or a file system may do to a command: a clear line, never a traceback."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.real_server import COMMAND, Server, clean_environment, free_port
from webapp.cli import main
from webapp.maintenance.opening import open_sqlite
from webapp.settings import Settings, shipped

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
NEVER = ("Traceback", "Exception ignored", "fault is on our side")
GOOD = shipped("protocols") / "oc-self-nape.json"
NARROW: dict[str, dict[str, str]] = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "windows": {"PYTHONIOENCODING": "cp1252"},
    "c-locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@pytest.fixture
def data(new_sqlite: Path, tmp_path: Path) -> Path:
    """The folder of a site."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "steady-hands.sqlite3").write_bytes(new_sqlite.read_bytes())
    return folder


def commands(data: Path) -> dict[str, list[str]]:
    """Every command that prints and ends, as it is called for a site."""
    where = ["--data", str(data)]
    return {
        "help": ["--help"],
        "help-of-one": ["serve", "--help"],
        "version": ["--version"],
        "check": ["check", str(GOOD)],
        "check-json": ["check", "--json", str(GOOD)],
        "schema": ["schema"],
        "review": ["review"],
        "invite": ["invite", *where],
        "export": ["export", *where],
        "backup": ["backup", *where],
        "retention": ["retention", *where, "--days", "30", "--preview"],
    }


NAMES = list(commands(Path()))


def shell(command: list[str], more: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a shell with redirections behind it."""
    line = f"{shlex.join([str(COMMAND), *command])} {more}"
    env = clean_environment(**environment)
    done = subprocess.run(["/bin/sh", "-c", line], env=env, capture_output=True, timeout=60)
    said = done.stderr.decode("utf-8", "replace")
    assert not [word for word in NEVER if word in said], said
    return done


@ON_POSIX
@pytest.mark.parametrize("name", ["help", "check", "export", "invite", "backup"])
def test_output_that_nothing_takes_is_one_line_and_a_closed_one_is_none(
    data: Path, name: str
) -> None:
    command = commands(data)[name]
    full = shell(command, ">/dev/full")
    assert full.returncode == 1
    assert full.stderr.decode().splitlines() == [
        "steady-hands: the output cannot be written (No space left on device)"
    ]
    closed = shell(command, ">&- 2>&- <&-")
    assert (closed.returncode, closed.stdout, closed.stderr) == (0, b"", b"")


@ON_POSIX
@pytest.mark.parametrize("narrow", NARROW)
def test_a_narrow_encoding_stops_no_command(data: Path, narrow: str) -> None:
    """Each once, by turns; data is UTF-8 everywhere, and the code stands without its picture."""
    turn = list(NARROW).index(narrow)
    for name in NAMES[turn :: len(NARROW)]:
        assert shell(commands(data)[name], "", **NARROW[narrow]).returncode == 0, name
    review = shell(["review"], "", **NARROW[narrow]).stdout.decode("utf-8")
    assert any(sign > "\xff" for sign in review)
    lines = shell(commands(data)["invite"], "", **NARROW[narrow]).stdout.decode("ascii")
    first, second = lines.splitlines()[:2]
    assert first.startswith("To join as operator, one device, until ")
    assert "/join and type " in second


@ON_POSIX
@pytest.mark.parametrize("more", [">/dev/full", ">&- 2>&- <&-", "| true"])
def test_the_site_is_served_whatever_becomes_of_what_it_prints(tmp_path: Path, more: str) -> None:
    port = free_port()
    where = ["serve", "--data", str(tmp_path), "--port", str(port), "--lan"]
    line = f"exec {shlex.join([str(COMMAND), *where])} {more}"
    process = subprocess.Popen(
        ["/bin/sh", "-c", line], env=clean_environment(), start_new_session=True
    )
    server = Server(tmp_path, port=port)
    try:
        assert wait_for(server)
        assert (tmp_path / "steady-hands.sqlite3").read_bytes()[:6] == b"SQLite"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait_for(server: Server) -> bool:
    for _ in range(300):
        if server.answers():
            return True
        signal.sigtimedwait([], 0.05)
    return False


@ON_POSIX
@pytest.mark.parametrize("narrow", ["windows"])
def test_the_site_is_served_where_the_qr_code_cannot_be_printed(
    tmp_path: Path, narrow: str
) -> None:
    environment = clean_environment(**NARROW[narrow])
    with Server(tmp_path, options=("--lan",), environment=environment) as server:
        server.running.send_signal(signal.SIGTERM)
        output, _ = server.running.communicate(timeout=10)
    assert "To join as operator, one device, until " in output
    assert "█" not in output


# -- no home ---------------------------------------------------------------------------------

NOBODY = """
import pwd
def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = unknown
"""


@pytest.fixture
def homeless(tmp_path: Path) -> dict[str, str]:
    """An environment without HOME, of a user id that the system does not know."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(NOBODY)
    environment = clean_environment(PYTHONPATH=str(tmp_path / "python"))
    for name in [name for name in environment if name == "HOME" or name.startswith("XDG_")]:
        del environment[name]
    return environment


@ON_POSIX
def test_without_a_home_it_is_served_from_the_folder_that_is_named(
    tmp_path: Path, homeless: dict[str, str]
) -> None:
    with Server(tmp_path / "data", environment=homeless, cwd=tmp_path) as server:
        assert server.ask("GET", "/").status == 200
    assert not (tmp_path / "~").exists()


@ON_POSIX
@pytest.mark.parametrize(
    "command",
    [
        *("serve", "backup", "export", "invite", "retention --days 3", "erase --client A"),
        *("restore x", "import x", "serve --data ~/x", "invite --data ~nobody-here/x"),
        "serve --data . --protocols ~/x",
    ],
)
def test_without_a_home_a_folder_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in [name for name in os.environ if name == "HOME" or name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    line = one_line(call(*command.split()))
    assert "the home folder is not known here; name a folder" in line


# -- places ----------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Places that are not what they should be."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "device").symlink_to("/dev/null")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    empty = tmp_path / "folder"
    (empty / "steady-hands.sqlite3").mkdir(parents=True)
    text, nothing = tmp_path / "text", tmp_path / "nothing"
    for folder, content in ((text, "no database" * 99), (nothing, "")):
        folder.mkdir()
        (folder / "steady-hands.sqlite3").write_text(content)
    return {
        "missing": tmp_path / "missing",
        "file": tmp_path / "file",
        "below-file": tmp_path / "file" / "deeper",
        "dangling": tmp_path / "dangling",
        "circle": tmp_path / "circle",
        "long": tmp_path / ("x" * 300),
        "line-ends": tmp_path / "two\nlines",
        "no-text": Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")),
        "nobodys": Path("~nobody-here/x"),
        "folder-for-database": empty,
        "text-for-database": text,
        "nothing-for-database": nothing,
        "device": tmp_path / "device",
        "process": Path("/proc/self"),
    }


DATABASE_COMMANDS = (
    *("backup", "export", "invite", "retention --days 3", "erase --client A"),
    *("erase --session A", "restore FILE", "import FILE"),
)
PLACES = (
    *("missing", "file", "below-file", "dangling", "circle", "long", "line-ends", "no-text"),
    *("nobodys", "folder-for-database", "device", "process"),
)
DATABASES = ("text-for-database", "nothing-for-database")


def call(*arguments: str) -> Result:
    """Run a command in this process; nothing but a clear end is let through."""
    found = CliRunner().invoke(main.main, list(arguments))
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exc_info
    return found


def one_line(found: Result) -> str:
    assert found.exit_code in (1, 2), found.output
    lines = [line for line in found.stderr.splitlines() if not line.startswith(("Usage", "Try"))]
    (line,) = filter(None, lines)
    return line


@ON_POSIX
@pytest.mark.parametrize("place", [*PLACES, *DATABASES])
@pytest.mark.parametrize("command", DATABASE_COMMANDS)
def test_a_data_folder_that_is_none_is_one_line(
    places: dict[str, Path], tmp_path: Path, command: str, place: str
) -> None:
    words = command.replace("FILE", str(tmp_path / "file")).split()
    found = call(*words, "--data", str(places[place]))
    if (words[0], place) == ("retention", "nothing-for-database"):
        assert found.exit_code == 0  # an empty file is an empty database
    else:
        one_line(found)


@ON_POSIX
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "command",
    [
        *("schema --to", "review --to", "export --data SITE --to", "backup --data SITE --to"),
        *("check", "check --protocols", "restore --data SITE", "import --data SITE"),
    ],
)
def test_a_file_or_folder_that_cannot_be_used_is_one_line(
    data: Path, places: dict[str, Path], command: str, place: str
) -> None:
    words = [str(data) if word == "SITE" else word for word in command.split()]
    found = call(*words, str(places[place]))
    assert places["device"].is_symlink()  # nothing replaces a device
    if found.exit_code == 0:  # made where it may be made
        assert command.endswith("--to")
        assert places[place].exists()
    elif command == "check":
        assert "0 of 1 files are right." in found.output
    else:
        one_line(found)


@ON_POSIX
@pytest.mark.parametrize(
    "place", ["file", "below-file", "circle", "long", "no-text", "nobodys", "device"]
)
@pytest.mark.parametrize("option", ["--data", "--protocols", "--certificate"])
def test_a_place_that_cannot_be_served_from_is_one_line(
    tmp_path: Path, places: dict[str, Path], option: str, place: str
) -> None:
    more = ["--key", str(tmp_path / "key")] if option == "--certificate" else []
    data = [] if option == "--data" else ["--data", str(tmp_path / "site")]
    where = [option, str(places[place]), *data, *more, "--port", str(free_port())]
    one_line(call("serve", *where))


@ON_POSIX
@pytest.mark.parametrize("name", ["a b", "a\nb", "ä ü 漢", "100%25", "a?b#c", "-x", "it's"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    open_sqlite(Settings(folder_made(folder)).database).close()
    assert (folder / "steady-hands.sqlite3").is_file()
    where = ["--data", str(folder)]
    for command in (
        ["backup", *where],
        ["export", *where, "--to", str(folder / "e.jsonl")],
        ["import", "--data", str(tmp_path / f"{name} 2"), str(folder / "e.jsonl")],
        ["retention", *where, "--days", "9"],
    ):
        found = call(*command)
        assert found.exit_code == 0, (command, found.output)
    (copy,) = (folder / "backups").glob("*.sqlite3")
    assert call("restore", *where, str(copy)).exit_code == 0
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(name)]


def folder_made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# -- who may read ----------------------------------------------------------------------------


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.lstat().st_mode & 0o077]
    return [f"{path.relative_to(folder)} {stat.filemode(path.stat().st_mode)}" for path in found]


@ON_POSIX
def test_the_database_its_backups_and_exports_are_their_owners_alone(
    open_to_all: None, tmp_path: Path
) -> None:
    """Whatever the umask, also of what an older version has made."""
    data = tmp_path / "kept" / "site"
    with Server(data, options=("--lan",)) as server:
        assert server.ask("GET", "/").status == 200
        server.invite()
        assert readable_by_others(tmp_path) == []
    older = [data / "steady-hands.sqlite3", data / "backups" / "steady-hands-1.sqlite3"]
    older[1].parent.mkdir(exist_ok=True)
    for path in older:
        path.touch()
        path.chmod(0o644)
    with Server(data) as server:
        assert server.ask("GET", "/").status == 200
        assert readable_by_others(data) in ([], ["backups drwxrwxrwx"])
    older[1].unlink()
    where = ["--data", str(data)]
    export = str(tmp_path / "kept" / "e.jsonl.gz")
    shell(["backup", *where], "")
    shell(["backup", *where, "--to", str(tmp_path / "kept" / "elsewhere")], "")
    shell(["export", *where, "--to", export], "")
    shell(["import", "--data", str(tmp_path / "kept" / "other"), export], "")
    (copy, *_) = (tmp_path / "kept" / "elsewhere").glob("*.sqlite3")
    shell(["restore", *where, str(copy)], "")
    assert len(list(data.glob("*.sqlite3"))) == 2
    found = [line for line in readable_by_others(tmp_path / "kept") if "backups d" not in line]
    assert found == []


@ON_POSIX
def test_what_holds_nothing_of_anybody_follows_the_umask(open_to_all: None, tmp_path: Path) -> None:
    shell(["schema", "--to", str(tmp_path / "s.json")], "")
    assert stat.S_IMODE((tmp_path / "s.json").stat().st_mode) == 0o666
