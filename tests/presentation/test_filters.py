"""What pages hand to script as JSON is what the rules say."""

from __future__ import annotations

import json

from tests.domain.test_session_cases import plan_at
from webapp.domain.payload import events_payload, plan_payload
from webapp.domain.session import Event
from webapp.presentation import filters


def test_plan_and_events_stand_in_a_page_as_they_are() -> None:
    plan = plan_at(0)
    assert json.loads(filters.plan_payload(plan)) == plan_payload(plan)
    events = (Event(1, "a", "start", 5), Event(2, "b", "end-at", 9, (("one", 5_000), ("two", 1))))
    assert json.loads(filters.events_payload(events)) == [
        list(event) for event in events_payload(events)
    ]
