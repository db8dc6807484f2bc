"""Short paths end where the long ones do."""

from __future__ import annotations

import re

import pytest

from webapp.presentation.paths import short_path


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("M10 20L30 40L50 20", "m10 20l20 20 20-20"),
        ("M0 0C1 1 2 2 3 3C4 4 5 5 6 6", "m0 0c1 1 2 2 3 3 1 1 2 2 3 3"),
        ("M5 5H10V1Z", "m5 5h5v-4z"),
        ("M1 1Q2 2 3 1M9 9L8 8", "m1 1q1 1 2 0m6 8l-1-1"),
        ("M10 10A4 5 0 1 1 18 10", "m10 10a4 5 0 1 1 8 0"),
        ("M2 2L4 4ZL0 0", "m2 2l2 2zl-2-2"),
    ],
)
def test_a_path_is_written_relative(path: str, short: str) -> None:
    assert short_path(path) == short


def test_rounding_does_not_add_up() -> None:
    """A hundred steps of 0.4 units end at 40, not at 0."""
    path = "M0 0" + "".join(f"L{i * 0.4:.1f} 0" for i in range(1, 101))
    steps = re.findall(r"-?\d+", short_path(path))[2::2]
    assert sum(map(int, steps)) == 40
