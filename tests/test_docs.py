"""README and docs name only what exists, and the map of the code names every module once."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import click
import pytest

from webapp.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
MAP = ROOT / "docs" / "architecture.md"
DOCS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "tests").rglob("README.md")),
]
TOPS = "webapp|tests|docs|static|templates|protocols|deploy|benchmarks"
SUFFIXES = "py|md|js|css|html|json|toml|service|timer|lock"
NAMED_PATH = re.compile(rf"(?<![\w./-])(?:{TOPS})/[\w./-]*\w/?")
NAMED_FILE = re.compile(rf"`([\w-]+\.(?:{SUFFIXES}))`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
PIP_OPTIONS = {"--require-hashes", "--no-deps", "--no-build-isolation"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def files() -> frozenset[str]:
    """All files of the project by their path from its root, and its folders."""
    tops = (*TOPS.split("|"), ".ci")
    paths = [path for top in tops for path in (ROOT / top).rglob("*")]
    return frozenset(path.relative_to(ROOT).as_posix() for path in [*paths, *ROOT.glob("*")])


@cache
def names() -> frozenset[str]:
    return frozenset(path.rpartition("/")[2] for path in files())


def options(command: click.Command) -> set[str]:
    named = [p for p in command.params if isinstance(p, click.Option)]
    found = {o for p in named for o in (*p.opts, *p.secondary_opts)} | {"--help"}
    commands = command.commands.values() if isinstance(command, click.Group) else ()
    return found.union(*(options(one) for one in commands))


@cache
def benchmark_options() -> frozenset[str]:
    code = "".join(text_of(path) for path in (ROOT / "benchmarks").glob("*.py"))
    return frozenset(re.findall(r'"(--[a-z-]+)"', code))


PICTURES = "../atlas/atlas.html"


def missing(text: str, folder: Path) -> list[str]:
    """What ``text``, a page in ``folder``, names and nobody finds."""
    wrong = [path for path in NAMED_PATH.findall(text) if path.rstrip("/") not in files()]
    wrong += [name for name in NAMED_FILE.findall(text) if name not in names()]
    for link in LINK.findall(text):
        target = link.partition("#")[0]
        if target == PICTURES:
            continue  # made by `make atlas`; tests/test_pictures.py follows these links
        if target and "://" not in target and not (folder / target).exists():
            wrong.append(link)
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.M))
    wrong += [
        f"make {name}" for name in re.findall(r"\bmake ([a-z-]+)`", text) if name not in targets
    ]
    wrong += [
        f"make {name}"
        for name in re.findall(r"^    make ([a-z-]+)", text, re.M)
        if name not in targets
    ]
    known = options(main) | PIP_OPTIONS | benchmark_options()
    wrong += [option for option in OPTION.findall(text) if option not in known]
    commands = re.findall(r"`(?:\S+/)?steady-hands ([a-z]+)", text)
    wrong += [f"steady-hands {name}" for name in commands if name not in main.commands]
    return sorted(set(wrong))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_exists(page: Path) -> None:
    assert missing(text_of(page), page.parent) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("see `webapp/gone.py`", "webapp/gone.py"),
        ("see `tests/gone/`", "tests/gone/"),
        ("see `gone.py`", "gone.py"),
        ("see [it](gone.md#here)", "gone.md#here"),
        ("run `make gone`", "make gone"),
        ("    make gone  # all", "make gone"),
        ("`steady-hands serve --gone`", "--gone"),
        ("`steady-hands gone`", "steady-hands gone"),
    ],
)
def test_a_name_of_nothing_is_seen(text: str, wrong: str) -> None:
    assert missing(text, ROOT) == [wrong]


def mapped() -> list[str]:
    """The modules that the map names, by path, as often as it does."""
    section = text_of(MAP).partition("## Packages")[2].partition("\n## ")[0]
    found, folder = [], ""
    for line in section.splitlines():
        if head := re.match(r"### `(webapp/[\w/]*)`", line):
            folder = head[1]
        elif item := re.match(r"- `([\w/]+(?:\.py|/))`: \S", line):
            found.append(folder + item[1])
    return found


def test_the_map_names_every_module_once() -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "webapp").rglob("*.py")
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    assert Counter(mapped()) == Counter({*modules, "webapp/storage/migrations/"})


def test_every_function_that_the_flows_name_stands_in_the_code() -> None:
    called = set(re.findall(r"`(?:\w+\.)?(\w+)\(\)`", text_of(MAP)))
    code = "\n".join(text_of(path) for path in (ROOT / "webapp").rglob("*.py"))
    assert len(called) > 20
    assert called <= set(re.findall(r"\bdef (\w+)\(", code))


@pytest.mark.parametrize(("page", "most"), [(ROOT / "README.md", 130), (MAP, 250)])
def test_a_page_for_newcomers_is_short(page: Path, most: int) -> None:
    assert len(text_of(page).splitlines()) <= most


WRAPPED = ("benchmarks", "configuration", "data", "hazards", "https", "security")


def test_prose_is_wrapped() -> None:
    """Tables, pictures and code stay as they are."""
    ours = [ROOT / "README.md", ROOT / "CHANGELOG.md", MAP]
    ours += [ROOT / "docs" / f"{name}.md" for name in WRAPPED]
    ours += sorted((ROOT / "docs" / "decisions").glob("*.md"))
    long = [
        f"{path.name}: {line}"
        for path in ours
        for line in text_of(path).splitlines()
        if len(line) > 100 and not line.startswith(("|", "![", "    "))
    ]
    assert long == []


def test_each_decision_is_dated_and_stands_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = text_of(folder / "README.md")
    pages = [path for path in folder.glob("*.md") if path.name != "README.md"]
    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", index)) == sorted(path.name for path in pages)
    for path in pages:
        parts = re.findall(r"^(?:Date: \d{4}-\d\d-\d\d|## \w+)$", text_of(path), re.M)
        assert [part.partition(":")[0] for part in parts] == [
            *("Date", "## Context", "## Decision", "## Consequences")
        ], path


def test_the_docs_name_every_option_of_the_command() -> None:
    told = set(OPTION.findall(text_of(ROOT / "docs" / "configuration.md")))
    assert options(main) - {"--help"} <= told


def test_the_docs_name_every_variable() -> None:
    code = "\n".join(text_of(path) for path in (ROOT / "webapp" / "cli").glob("*.py"))
    told = text_of(ROOT / "docs" / "configuration.md")
    variables = set(re.findall(r'"(STEADY_HANDS_\w+|DATABASE_URL)"', code))
    assert len(variables) > 10
    assert {name for name in variables if name not in told} == set()
