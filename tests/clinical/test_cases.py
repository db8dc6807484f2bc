"""Every made-up person of ``cases.json`` gets the verdict written down before the code ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clinical.people import Clinic, cases, clinic, faults


@pytest.fixture(scope="module")
def place() -> Iterator[Clinic]:
    with clinic() as found:
        yield found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_person(place: Clinic, case: dict[str, Any]) -> None:
    result = place.see(case)
    assert (faults(case, result), result.unknown) == ([], ()), result.told()
