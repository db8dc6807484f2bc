"""Requests in, pages and fragments out; one module per noun."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from webapp.app import Site


def site() -> Site:
    """The site this request is for."""
    return cast("Site", current_app.extensions["site"])
