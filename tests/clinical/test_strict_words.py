"""Every question of the catalogue within the measure: all of them."""

from __future__ import annotations

from tests.clinical.words import faults
from tests.support.builders import shipped


def test_every_question_is_short_and_easy() -> None:
    assert faults(shipped().catalogue) == {}
