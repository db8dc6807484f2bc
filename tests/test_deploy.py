"""The units for systemd: they call what there is, and are shut tight."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from webapp.app import MOST_BODY_BYTES
from webapp.cli import main
from webapp.server.rsgi import STREAM_PATH

DEPLOY = Path(__file__).parent.parent / "deploy"
SERVICES = sorted(DEPLOY.glob("*.service"))
MOST_EXPOSURE = 1.5


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_calls_a_command_with_options_that_it_has(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.M)
    program, name, *options = shlex.split(command)
    assert Path(program).name == "steady-hands"
    known = {option for parameter in main.main.commands[name].params for option in parameter.opts}
    assert {word for word in options if word.startswith("--")} <= known


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_sees_the_boot_id(unit: Path) -> None:
    assert "\nProcSubset=pid" not in unit.read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_is_exposed_little(unit: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)], capture_output=True, text=True
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSURE


def test_the_timer_starts_the_backup() -> None:
    assert (DEPLOY / "steady-hands-backup.timer").is_file()
    assert DEPLOY / "steady-hands-backup.service" in SERVICES


def test_the_proxy_holds_back_no_nudge_and_takes_every_body_that_the_app_takes() -> None:
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    (stream,) = re.findall(r"@nudges path_regexp (\S+)", text)
    assert re.match(stream, "/sessions/AbC_-9/nudges")
    assert STREAM_PATH.pattern.replace("(", "").replace(")", "") == stream
    (most,) = re.findall(r"max_size (\d+)MB", text)
    assert int(most) * 1_000_000 > MOST_BODY_BYTES
    assert "flush_interval -1" in text


def test_the_proxy_adds_no_header_that_the_app_sends() -> None:
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert re.findall(r"^\s*header (.+)$", text, re.M) == ["-Server"]


def test_the_proxys_configuration_is_understood(tmp_path: Path) -> None:
    caddy = shutil.which("caddy")
    if not caddy:
        pytest.skip("needs caddy")
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(command, env={"HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
