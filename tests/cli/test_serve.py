"""``steady-hands serve``: its options, the one line at the start, and why it cannot start."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.real_server import COMMAND, Server, clean_environment, free_port, wait_until_free
from webapp.cli import main
from webapp.maintenance.opening import open_sqlite
from webapp.server.run import settle_memory
from webapp.settings import Settings, shipped

Started = dict[str, Any]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What ``serve`` would have started."""
    seen: Started = {}

    def run(settings: Settings, *, open_browser: bool) -> None:
        seen.update(settings=settings, open=open_browser)

    monkeypatch.setattr("webapp.server.run.run", run)
    for name in [name for name in os.environ if name.startswith("STEADY_HANDS")]:
        monkeypatch.delenv(name)
    return seen


def call(*arguments: str, **environment: str) -> None:
    env = {f"STEADY_HANDS_{name}": value for name, value in environment.items()}
    outcome = CliRunner().invoke(main.main, arguments, env=env)
    assert outcome.exit_code == 0, outcome.output


def test_without_options_it_serves_this_machine_alone(started: Started) -> None:
    call()
    settings = started["settings"]
    assert (settings.host, settings.port, settings.time_zone) == ("127.0.0.1", 8000, None)
    assert settings.protocols == shipped("protocols")
    assert settings.data.name == "steady-hands"
    assert started["open"] is False


def test_without_a_command_the_environment_counts_too(started: Started, tmp_path: Path) -> None:
    """Seen to fail with ``context.invoke``: a site on PostgreSQL was served from an empty file."""
    call(PORT="81", DATA=str(tmp_path / "d"), LAN="1", OPEN="1")
    settings = started["settings"]
    assert (settings.port, settings.data, settings.lan) == (81, tmp_path / "d", True)
    assert started["open"] is True


def test_every_option_arrives(started: Started, tmp_path: Path) -> None:
    call(
        *("serve", "--host", "0.0.0.0", "--port", "81", "--data", str(tmp_path / "d")),
        *("--protocols", str(tmp_path), "--time-zone", "Asia/Tokyo", "--open"),
    )
    assert started == {
        "settings": Settings(tmp_path / "d", "0.0.0.0", 81, tmp_path, "Asia/Tokyo"),
        "open": True,
    }


def test_every_option_is_an_environment_variable_too(started: Started, tmp_path: Path) -> None:
    call(
        "serve",
        HOST="::1",
        PORT="81",
        DATA=str(tmp_path / "d"),
        PROTOCOLS=str(tmp_path),
        TIME_ZONE="Asia/Tokyo",
        OPEN="1",
    )
    assert started == {
        "settings": Settings(tmp_path / "d", "::1", 81, tmp_path, "Asia/Tokyo"),
        "open": True,
    }


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        (("--lan",), "0.0.0.0"),
        (("--lan", "--host", "127.0.0.1"), "127.0.0.1"),
        (("--host", "192.168.7.7"), "192.168.7.7"),
    ],
)
def test_with_lan_it_listens_everywhere_unless_told_where(
    started: Started, arguments: tuple[str, ...], host: str
) -> None:
    call("serve", *arguments)
    settings = started["settings"]
    assert (settings.host, settings.lan) == (host, "--lan" in arguments)
    assert settings.joining


def test_lan_and_the_public_address_are_environment_variables_too(started: Started) -> None:
    call("serve", LAN="1", PUBLIC_URL="https://Massage.example:8443/")
    assert started["settings"].lan
    assert started["settings"].public_url == "https://massage.example:8443"
    call("serve", PUBLIC_URL="")
    assert started["settings"].public_url is None


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "a.example",
        "https://",
        "https://a.example/path",
        "https://u@a.example",
        "https://a.example?x",
        "https://a.example:x",
        "//a.example",
    ],
)
def test_a_public_address_is_https_and_no_more_than_a_host(started: Started, url: str) -> None:
    assert CliRunner().invoke(main.main, ["serve", "--public-url", url]).exit_code == 2
    assert started == {}


def test_an_option_outdoes_the_environment(started: Started) -> None:
    call("serve", "--port", "82", "--no-open", PORT="81", OPEN="1")
    assert started["settings"].port == 82
    assert started["open"] is False


def test_the_options_of_https_and_logs_arrive(started: Started, tmp_path: Path) -> None:
    call(
        "serve",
        DATA=str(tmp_path),
        TLS="1",
        TRUST_PORT="8123",
        LOG_FORMAT="json",
    )
    assert started["settings"] == Settings(
        tmp_path, tls=True, trust_port=8123, log_format="json", protocols=shipped("protocols")
    )
    assert started["settings"].address == "https://127.0.0.1:8000"
    pair = {"certificate": tmp_path / "a", "key": tmp_path / "b"}
    call("serve", *(f"--{name}={path}" for name, path in pair.items()))
    assert {name: getattr(started["settings"], name) for name in pair} == pair
    assert started["settings"].secure
    assert started["settings"].plain_port is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://Massage.Example.org/", "https://massage.example.org"),
        ("https://massage.example.org:443", "https://massage.example.org"),
        ("https://massage.example.org:8443", "https://massage.example.org:8443"),
        ("https://[fd00::1]:8443/", "https://[fd00::1]:8443"),
    ],
)
def test_a_public_address_is_kept_as_browsers_write_it(
    started: Started, text: str, url: str
) -> None:
    call("serve", "--public-url", text)
    settings = started["settings"]
    assert (settings.home, settings.secure, settings.address) == (
        url,
        True,
        "http://127.0.0.1:8000",
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--tls", "--certificate", "a", "--key", "b"],
        ["--key", "b"],
        ["--tls", "--port", "65535"],
        ["--tls", "--port", "81", "--trust-port", "81"],
    ],
)
def test_options_that_make_no_sense_are_one_clear_line(
    started: Started, options: list[str]
) -> None:
    outcome = CliRunner().invoke(main.main, ["serve", *options])
    assert outcome.exit_code == 1
    assert outcome.output.startswith("steady-hands: ")
    assert len(outcome.output.splitlines()) == 1
    assert started == {}


@pytest.mark.parametrize(
    "text",
    [
        *("http://massage.example.org", "massage.example.org", "https://", "https://a/b"),
        *("https://a?b", "https://u@a", "https://a:x", "https://a b", "https://ä.org"),
    ],
)
def test_an_impossible_public_address_is_a_wrong_call(started: Started, text: str) -> None:
    assert CliRunner().invoke(main.main, ["serve", "--public-url", text]).exit_code == 2
    assert started == {}


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_an_impossible_port_is_a_wrong_call(started: Started, port: str) -> None:
    assert CliRunner().invoke(main.main, ["serve", "--port", port]).exit_code == 2
    assert started == {}


def refused(*arguments: str, **environment: str) -> str:
    """The one line with which ``steady-hands serve`` says why it cannot start."""
    env = clean_environment(**{f"STEADY_HANDS_{n}": value for n, value in environment.items()})
    ended = subprocess.run(
        [str(COMMAND), "serve", *arguments], env=env, capture_output=True, text=True, timeout=20
    )
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("steady-hands: ")
    assert ended.stdout == ""
    return line


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_taken_port_is_one_clear_line(tmp_path: Path, taken_port: int) -> None:
    line = refused("--data", str(tmp_path), "--port", str(taken_port))
    assert f"port {taken_port} is taken" in line
    assert "--port" in line


def test_a_host_that_is_not_ours_is_one_clear_line(tmp_path: Path) -> None:
    line = refused("--data", str(tmp_path), "--host", "192.0.2.1", "--port", str(free_port()))
    assert "cannot listen on 192.0.2.1" in line


@pytest.mark.parametrize("host", ["nowhere.invalid", "*", "a..b", "x" * 70, "1.2.3.4.5"])
def test_a_host_without_an_address_is_one_clear_line(tmp_path: Path, host: str) -> None:
    line = refused("--data", str(tmp_path), "--host", host, "--port", str(free_port()))
    assert f"no address is known for the host {host};" in line
    assert "127.0.0.1" in line


def test_an_address_with_a_zone_is_one_clear_line(tmp_path: Path) -> None:
    line = refused("--data", str(tmp_path), "--host", "fe80::1%lo", "--port", str(free_port()))
    assert "leave out the %" in line


def test_a_name_is_served_under_its_address_and_its_name(tmp_path: Path) -> None:
    with Server(tmp_path, options=("--host", "LocalHost")) as server:
        assert server.ask("GET", "/").status == 200
        for name, status in (("localhost.", 200), ("LOCALHOST", 200), ("other.example", 421)):
            connection = server.connect()
            connection.request("GET", "/", headers={"Host": f"{name}:{server.port}"})
            assert connection.getresponse().status == status, name
            connection.close()
        server.running.send_signal(signal.SIGTERM)
        output, _ = server.running.communicate(timeout=10)
    assert output.splitlines() == [f"Steady Hands is at http://127.0.0.1:{server.port}"]


@pytest.mark.parametrize(
    ("typed", "host"),
    [("0", "0.0.0.0"), ("[::1]", "::1"), (" 127.1 ", "127.0.0.1"), ("", "127.0.0.1")],
)
def test_a_host_is_read_as_people_write_it(started: Started, typed: str, host: str) -> None:
    call("serve", "--host", typed)
    assert started["settings"].host == host


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    line = refused(DATA=str(file / below), PORT=str(free_port()))
    assert f"cannot write to the data folder {file}" in line
    assert "--data" in line


def test_a_newer_database_is_one_clear_line_and_is_left_alone(tmp_path: Path) -> None:
    open_sqlite(Settings(tmp_path).database).close()
    connection = sqlite3.connect(Settings(tmp_path).database)
    connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    connection.commit()
    connection.close()
    before = Settings(tmp_path).database.read_bytes()
    line = refused("--data", str(tmp_path), "--port", str(free_port()))
    assert "newer Steady Hands (schema 99" in line
    assert Settings(tmp_path).database.read_bytes() == before


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    Settings(tmp_path).database.write_text("no database" * 100)
    line = refused("--data", str(tmp_path), "--port", str(free_port()))
    assert "file is not a database" in line


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_missing_protocol_folder_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / name
    line = refused("--data", str(tmp_path), "--protocols", str(folder), "--port", str(free_port()))
    assert f"there is no protocol folder {folder}" in line


def test_a_broken_catalogue_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "areas.json").write_text('{"areas": 3}')
    line = refused(
        "--data", str(tmp_path), "--protocols", str(tmp_path), "--port", str(free_port())
    )
    assert "areas.json:1:" in line


@pytest.mark.parametrize("zone", ["Mars/Phobos", "Europe", "../etc/passwd", "x" * 300])
def test_an_unknown_time_zone_is_one_clear_line(tmp_path: Path, zone: str) -> None:
    line = refused("--data", str(tmp_path), "--time-zone", zone, "--port", str(free_port()))
    assert f"unknown time zone '{zone}'" in line
    assert "Europe/Berlin" in line


def test_the_start_prints_one_line_with_the_address_and_ends_when_told(tmp_path: Path) -> None:
    data = tmp_path / "new" / "folder"
    with Server(data) as server:
        assert server.ask("GET", "/").status == 200
        process = server.running
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
        assert output.splitlines() == [f"Steady Hands is at http://127.0.0.1:{server.port}"]
        assert wait_until_free(server.port, 3)
    assert (data / "steady-hands.sqlite3").is_file()
    assert not list(data.glob(".write-test*"))


def test_with_lan_it_shows_how_to_join_and_a_code_lets_in(tmp_path: Path) -> None:
    server = Server(tmp_path, options=("--lan", "--host", "127.0.0.1"))
    with server:
        assert server.ask("GET", "/").status == 200
        told = server.invite("--role", "owner")
        server.running.send_signal(signal.SIGTERM)
        output, _ = server.running.communicate(timeout=10)
    lines = output.splitlines()
    home = f"http://127.0.0.1:{server.port}"
    assert lines[:2] == [f"Steady Hands is at {home}", f"Other devices join at {home}"]
    assert sum("█" in line or "▀" in line for line in lines) > 12
    assert re.search(r"^Scan it to join as operator: one device, until \d\d:\d\d\.$", output, re.M)
    assert re.search(rf"^Or open {home}/join and type [B-Z]{{4}} [B-Z]{{4}}$", output, re.M)
    assert "Scan it to join as owner" in told


def test_an_invite_for_a_site_over_https_names_its_https_address(tmp_path: Path) -> None:
    storage = open_sqlite(tmp_path / "steady-hands.sqlite3")
    storage.close()
    where = ["--data", str(tmp_path), "--host", "192.0.2.7", "--port", "8443"]
    told = CliRunner().invoke(main.main, ["invite", *where, "--tls"])
    assert "Or open https://192.0.2.7:8443/join and type" in told.output
    plain = CliRunner().invoke(main.main, ["invite", *where])
    assert "Or open http://192.0.2.7:8443/join and type" in plain.output


def test_without_a_machine_of_ones_own_it_says_how_the_first_one_comes_in(tmp_path: Path) -> None:
    with Server(tmp_path, options=("--public-url", "https://massage.example")) as server:
        server.running.send_signal(signal.SIGTERM)
        output, _ = server.running.communicate(timeout=10)
    assert "Other devices join at https://massage.example;" in output
    assert "steady-hands invite --role owner" in output
    assert "can use it" not in output


def test_an_invite_for_a_site_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(main.main, ["invite", "--data", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "there is no database" in outcome.output


def test_it_listens_on_this_machine_alone(tmp_path: Path, protocols_folder: Path) -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("needs /proc")
    with Server(tmp_path, protocols_folder) as server:
        wanted = f":{server.port:04X}"
        rows = [
            line.split()
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            if Path(table).exists()
            for line in Path(table).read_text().splitlines()[1:]
        ]
        listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(wanted)}
        assert listening == {f"0100007F{wanted}"}


def test_garbage_is_collected_again_once_all_is_imported_and_made(started: Started) -> None:
    before = gc.get_threshold()
    try:
        call()
        assert gc.isenabled()
        gc.disable()
        settle_memory()
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
        gc.enable()
