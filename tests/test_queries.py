"""What pages cost: at most five queries, however much there is, and one reading of the clock."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.browser.states import STATES, State
from tests.support.visitor import Visitor

MOST = 5
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK")
# What a deletion would take is counted along all that hangs on a client, table by table.
WALKS = {"data-erase"}
# Made by the address that a browser uses; the same pages as others here, with a role.
JOINED = ("join", "owner", "display", "stage-display")
PAGES = [one for one in STATES if one.name not in WALKS and not one.name.startswith(JOINED)]


@pytest.mark.parametrize("state", PAGES, ids=lambda state: state.name)
def test_a_page_costs_five_queries_and_one_reading_of_the_clock(
    shipped_visitor: Visitor, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail for the summary, today and verdicts before their queries were joined.

    Seen to fail for pages with hours, each of which read the clock again.
    """
    made = state.make(shipped_visitor)
    if not isinstance(made, str):
        return  # the answer to a form; where it leads to is another state
    shipped_visitor.storage.forget()
    clock, reads = shipped_visitor.clock, Mock()
    for name in ("now", "moment"):
        monkeypatch.setattr(clock, name, Mock(wraps=getattr(clock, name)))
        reads.attach_mock(getattr(clock, name), name)
    with shipped_visitor.queries() as statements:
        answer = shipped_visitor.get(made)
    assert answer.status_code in (200, 422)
    asked = [one for one in statements if not one.startswith(TRANSACTION)]
    assert len(asked) <= MOST, asked
    assert len(reads.mock_calls) <= 1


@pytest.mark.parametrize("path", ["/", "/today", "/sessions/{id}", "/sessions/{id}/summary"])
def test_twenty_running_sessions_cost_no_query_more(visitor: Visitor, path: str) -> None:
    ids = [visitor.started("short", "pause") for _ in range(20)]
    visitor.storage.forget()
    with visitor.queries() as statements:
        page = visitor.page(path.format(id=ids[7]))
    assert len(statements) <= MOST, statements
    if path == "/":
        assert len(page.all("a", class_="running-card")) == 20
