"""The parts of a step are rendered once for a plan."""

from __future__ import annotations

from typing import Any

from flask import Flask

from webapp.domain.plan import Plan
from webapp.site import Site


def test_equal_plans_share_their_parts_and_others_do_not(shipped_app: Flask) -> None:
    site: Site = shipped_app.extensions["site"]
    protocol = next(iter(site.library.entries.values())).protocol
    plan, longer = site.library.plan(protocol, 600), site.library.plan(protocol, 1200)
    again = Plan.model_validate_json(plan.model_dump_json())
    step_parts: Any = shipped_app.jinja_env.globals["step_parts"]
    assert (plan is not again, plan == again, hash(plan) == hash(again)) == (True, True, True)
    with shipped_app.test_request_context("/"):
        assert step_parts(again, 0) is step_parts(plan, 0)
        assert step_parts(longer, 0) is not step_parts(plan, 0)
