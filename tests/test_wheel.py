"""The wheel alone, in an empty environment, from another folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.builders import SHIPPED, WITHHELD
from tests.support.page import Page
from tests.support.real_server import Server, clean_environment

ROOT = Path(__file__).parent.parent
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel."""
    folder = tmp_path_factory.mktemp("empty") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / SCRIPTS / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    return folder


def test_the_wheel_holds_the_site_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"webapp"}
    for folder in ("templates", "static", "protocols"):
        wanted = {
            f"webapp/_site/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
        }
        assert wanted
        assert wanted <= set(names)
    migrations = (ROOT / "webapp" / "migrations").rglob("*.py")
    assert {path.relative_to(ROOT).as_posix() for path in migrations} <= set(names)


def test_the_wheel_serves_from_another_folder_all_it_needs(installed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # The dependencies come from here; a .pth file there (our own editable install) is not read.
    environment = clean_environment(PYTHONPATH=sysconfig.get_path("purelib"))
    python = installed / SCRIPTS / "python"
    where = subprocess.run(
        [str(python), "-c", "import webapp.settings as s; print(s.__file__, s.shipped('static'))"],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout.split()
    assert len(where) == 2
    assert all(Path(path).is_relative_to(installed) for path in where), where
    server = Server(
        tmp_path / "data",
        command=[str(installed / SCRIPTS / "steady-hands")],
        cwd=elsewhere,
        environment=environment,
    )
    with server:
        reply = server.ask("GET", "/")
        page = Page(reply.text)
        assert reply.status == 200
        cards = {e.attrs["href"] for e in page.all("a", class_="card-link")}
        assert cards == {f"/protocols/{name}" for name in (*SHIPPED, *WITHHELD)}
        other = Page(server.ask("GET", "/protocols/oc-self-4step").text)
        files = [e.attrs["href"] for e in (*page.all("link"), *other.all("link"))]
        files += [e.attrs["src"] for e in other.all("script")]
        assert len(set(files)) >= 5
        for file in files:
            assert server.status(file) == 200, file
        session_id = server.prepare("oc-self-4step")
        assert server.act(session_id, "start").live["data-seq"] == "1"
    assert not list(elsewhere.iterdir())
