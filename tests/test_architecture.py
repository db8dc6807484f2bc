"""The shape of the code: which way imports go, and that no machine has left its traces."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.assets.files import SHEETS

ROOT = Path(__file__).resolve().parent.parent
# each above the one before
HIGHER = ("webapp.routes", "webapp.app", "webapp.server.run", "webapp.cli.main", "webapp.__main__")
DATABASE = (
    "database",
    "storage",
    "upgrade",
    "migrations",
    "exchange",
    "erasure",
    "recovery",
    "line",
    "watch",
    "tables",
    "course_storage",
    "devices",
    "jobs",
    "holdings",
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "webapp").rglob("*.py"))
}


def layer(module: str) -> int:
    """0 for the domain, 1 for what stands beside it, then routes, app, server and command."""
    if module.startswith("webapp.domain"):
        return 0
    return next((n for n, name in enumerate(HIGHER, 2) if module.startswith(name)), 1)


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports anywhere, except for type checkers alone."""
    queue: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            inside = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else str(node.module) for name in inside)
        queue += ast.iter_child_nodes(node)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    for name in imports(MODULES[module]):
        if name.startswith("webapp."):
            assert layer(name) <= layer(module), f"{module} imports {name}"
        elif layer(module) == 0:
            allowed = name.split(".")[0] in {*sys.stdlib_module_names, "pydantic"}
            assert allowed, f"{module} imports {name}"


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("sqlalchemy", {f"webapp.{name}" for name in DATABASE}),
        ("alembic", {"webapp.storage.upgrade", "webapp.storage.migrations"}),
        ("brotli", {"webapp.assets.files", "webapp.assets.squeezed"}),
        ("tree_sitter", {"webapp.assets.short_names"}),
        ("tree_sitter_javascript", {"webapp.assets.short_names"}),
        ("granian", {"webapp.server.run"}),
        ("click", {"webapp.cli.main", "webapp.cli.data", "webapp.cli.invite"}),
        ("segno", {"webapp.presentation.qr"}),
        ("ifaddr", {"webapp.addresses"}),
        ("svg", {"webapp.presentation.charts"}),
        ("icalendar", {"webapp.presentation.ical"}),
        ("cryptography", {"webapp.tls.authority", "webapp.tls.pem"}),
        ("psycopg", {"webapp.server.pg_notify", "webapp.storage.postgresql_address"}),
    ],
)
def test_few_modules_know_each_outside_library(library: str, users: set[str]) -> None:
    found = {m for m in MODULES for name in imports(MODULES[m]) if name.split(".")[0] == library}
    assert {re.sub(r"^(webapp\.migrations)\..*", r"\1", module) for module in found} == users


def loaded_with(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {"flask", "sqlalchemy", "alembic"} & set(done.stdout.split())


def test_the_session_core_loads_neither_flask_nor_sqlalchemy() -> None:
    assert loaded_with("webapp.domain.session") == set()
    assert loaded_with("webapp.domain.course") == set()
    assert loaded_with("webapp.app") == {"flask", "sqlalchemy"}


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    machine_path = re.compile(rb"(?<![\w.:/-])/(?:work|tmp|root|mnt|home|Users)/\w|[A-Z]:\\Users")
    files = tracked_files()
    assert len(files) > 40
    found = [
        f"{path.relative_to(ROOT)}: {line[:80]!r}"
        for path in files
        for line in path.read_bytes().splitlines()
        if machine_path.search(line)
    ]
    assert found == []


def test_vendored_files_are_the_listed_ones_byte_for_byte() -> None:
    folder = ROOT / "static" / "vendor"
    table = (folder / "VENDOR.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|\s*`?([\w.-]+\.js)`?\s*\|.*\|\s*`?([0-9a-f]{64})`?\s*\|$", table, re.M)
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")
    }
    assert sums
    assert dict(rows) == sums


def test_no_stylesheet_is_forgotten() -> None:
    assert sorted(SHEETS["site.css"]) == sorted(
        path.stem for path in (ROOT / "static" / "css").glob("*.css")
    )
