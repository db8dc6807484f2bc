"""What every test run needs. Tests of rules and protocol files run without Flask or a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

TIMED_FOLDERS = ("browser", "faults")
LEFT_OUT = pytest.StashKey[Counter[str]]()

if find_spec("flask"):
    pytest_plugins = ["tests.support.visitor"]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEFT_OUT] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``make test`` runs apart from tests that keep a core busy."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in TIMED_FOLDERS and not item.get_closest_marker("computes"):
            item.add_marker("timed")


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow"):
            item.config.stash[LEFT_OUT][item.path.name] += 1


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last which slow tests were left out, and how many."""
    left_out = config.stash[LEFT_OUT]
    if left_out and config.getoption("markexpr") == "not slow":
        files = ", ".join(f"{count} in {name}" for name, count in sorted(left_out.items()))
        print(f"Left out as slow: {left_out.total()} tests ({files})")
