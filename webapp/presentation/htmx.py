"""htmx responses: a fragment for htmx, a redirect for everything else."""

from __future__ import annotations

from flask import redirect, request
from werkzeug.wrappers import Response


def is_htmx() -> bool:
    """True when htmx asks: it wants a fragment, everybody else a page."""
    return request.headers.get("HX-Request") == "true"


def fragment_or_redirect(fragment: str, url: str, status: int = 200) -> Response:
    """The answer to a POST: the fragment for htmx, 303 to the page for everyone else."""
    if is_htmx():
        return Response(fragment, status, mimetype="text/html")
    return redirect(url, 303)
