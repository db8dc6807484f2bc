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
# Each group may import from those after it, and its packages from one another; never the other way.
GROUPS = (
    {"cli", "__main__"},
    {"server"},
    {"app"},
    {"routes"},
    {"auth", "maintenance", "assets", "presentation"},
    {"site"},
    {"protocol_files", "timekeeping", "tls"},
    {"storage"},
    {"settings", "log", "network"},
    {"domain"},
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "webapp").rglob("*.py"))
}


def height(module: str) -> int:
    """How high a module's group stands: 0 for the domain. Raises StopIteration when unknown."""
    name = module.split(".")[1]
    return next(len(GROUPS) - 1 - n for n, group in enumerate(GROUPS) if name in group)


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports anywhere, lazily and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            inside = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else str(node.module) for name in inside)


def our_imports(module: str) -> set[str]:
    return {name for name in imports(MODULES[module]) if name.startswith("webapp.")} - {module}


def test_the_top_of_the_package_is_small() -> None:
    assert len(list((ROOT / "webapp").glob("*.py"))) <= 8


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"webapp"}))
def test_imports_go_down(module: str) -> None:
    for name in our_imports(module):
        assert height(name) <= height(module), f"{module} imports {name}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {module: our_imports(module) for module in MODULES}
    while ends := {module for module, needed in left.items() if not needed & left.keys()}:
        left = {module: needed for module, needed in left.items() if module not in ends}
    assert sorted(left) == []


def test_packages_of_one_group_import_one_another_one_way_only() -> None:
    for group in GROUPS:
        edges = {
            (module.split(".")[1], name.split(".")[1])
            for module in MODULES
            if module != "webapp" and module.split(".")[1] in group
            for name in our_imports(module)
            if name.split(".")[1] in group
        }
        assert not {(a, b) for a, b in edges if a != b and (b, a) in edges}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("webapp.domain")])
def test_the_domain_needs_the_standard_library_and_pydantic_alone(module: str) -> None:
    outside = {name.split(".")[0] for name in imports(MODULES[module])} - {"webapp"}
    assert outside <= {*sys.stdlib_module_names, "pydantic"}


def test_the_fast_tests_need_pydantic_pytest_and_hypothesis_alone() -> None:
    """Seen to fail while a test of places on the body drew it, which needs markupsafe."""
    folders = (ROOT / "tests" / "domain", ROOT / "tests" / "protocol_files")
    waiting = [path for folder in folders for path in folder.glob("*.py")]
    seen, outside = set[Path](), set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            file = ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith(("webapp.", "tests.")) and file.exists():
                waiting.append(file)
            else:
                outside.add(name.split(".")[0])
    needed = outside - sys.stdlib_module_names - {"webapp", "tests"}
    assert needed == {"pydantic", "pydantic_core", "pytest", "hypothesis"}


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("sqlalchemy", {"storage", "timekeeping", "auth", "maintenance"}),
        ("alembic", {"storage"}),
        ("brotli", {"assets"}),
        ("granian", {"server"}),
        ("click", {"cli"}),
        ("segno", {"presentation"}),
        ("ifaddr", {"network"}),
        ("svg", {"presentation"}),
        ("icalendar", {"presentation"}),
        ("cryptography", {"tls"}),
        ("psycopg", {"server", "storage"}),
    ],
)
def test_few_packages_know_each_outside_library(library: str, users: set[str]) -> None:
    found = {
        module.split(".")[1]
        for module, path in MODULES.items()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert found == users


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
    folder = ROOT / "static" / "css"
    assert sorted(SHEETS["site.css"]) == sorted(
        path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.css")
    )
