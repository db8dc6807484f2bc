"""Error handlers: an error as a page, or as a fragment for htmx."""

from __future__ import annotations

import logging

from flask import Flask, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from webapp.presentation.htmx import is_htmx
from webapp.storage.database import AwayError, FullError, NotSavedError

log = logging.getLogger("steady_hands")

WORDS = {
    400: ("Not understood", "What was sent could not be read. Nothing was changed."),
    404: ("Not here", "There is nothing at this address. It may have been mistyped or removed."),
    405: ("Not this way", "This address does not take that kind of request."),
    409: ("Not now", "That does not fit what stands here at the moment. Nothing was changed."),
    413: ("Too much", "What was sent is larger than this site takes."),
    422: ("Not understood", "Something in that form is not known here. Nothing was changed."),
}


def error_response(status: int, title: str, text: str, retry_after: int | None = None) -> Response:
    """Return an error as a page, or as a fragment for htmx; ``retry_after`` in seconds."""
    template = "errors/_error.html" if is_htmx() else "errors/error.html"
    body = render_template(template, status=status, title=title, text=text)
    response = Response(body, status, mimetype="text/html")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def show_http_error(error: HTTPException) -> Response:
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    title, text = WORDS.get(status, (error.name, error.description or ""))
    response = error_response(status, title, text)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def show_not_saved(error: NotSavedError) -> Response:
    log.error("not saved: %s", error.__cause__)
    text = "The server could not save that, so nothing has changed. Please try again."
    return error_response(503, "Not saved", text, 2)


def show_full(error: FullError) -> Response:
    log.error("%s: %s", error, error.__cause__)
    text = (
        "The server has no room to save that, so nothing has changed. Running sessions go on to "
        "their end; a new one begins when there is room again on the disk of the server."
    )
    return error_response(503, "The disk is full", text, 30)


def show_away(error: AwayError) -> Response:
    log.error("%s: %s", error, error.__cause__)
    text = "The server cannot reach its database. Running sessions go on. Please try again."
    return error_response(503, "One moment", text, 2)


def show_failure(error: Exception) -> Response:
    log.exception("failed: %s %s", request.method, request.endpoint, exc_info=error)
    text = "The fault is on our side. A running session is not affected."
    return error_response(500, "That went wrong", text)


def install(app: Flask) -> None:
    """Register the handlers of ``app``."""
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(NotSavedError, show_not_saved)
    app.register_error_handler(FullError, show_full)
    app.register_error_handler(AwayError, show_away)
    app.register_error_handler(Exception, show_failure)
