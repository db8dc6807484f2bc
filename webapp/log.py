"""Logging: text or JSON formatters, and the request log.

A request is logged by its route, never by its address, and a session by the beginning of a hash. So
the log holds no code, cookie, query or answer, and nothing that a visitor chose. An exception is
logged by its kind and place, not by its words, which may hold values. One entry is always one line.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

from flask import Flask, g, request
from werkzeug.wrappers import Response

FORMATS = ("text", "json")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Requested every few seconds or by the dozen: logged only when they fail.
OFTEN = {
    *("sessions.live", "sessions.calm_live", "sessions.push_events", "static"),
    *("health.lives", "health.ready"),
}
# Control characters, and what some viewers take for the end of a line or read backwards.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
ROOT = Path(__file__).resolve().parent.parent

log = logging.getLogger("steady_hands")


def escape(text: str) -> str:
    """One line, whatever ``text`` holds."""
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class TextLines(logging.Formatter):
    """For people: time, level, words."""

    def format(self, record: logging.LogRecord) -> str:
        words = [
            f"{time_of(record):%Y-%m-%d %H:%M:%S}",
            record.levelname.lower(),
            message_of(record),
        ]
        words += [f"{name}={value}" for name, value in fields_of(record).items()]
        return escape(" ".join(words))


class JsonLines(logging.Formatter):
    """For programs: time (UTC), level, event, and what belongs to it."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": time_of(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": message_of(record),
            **fields_of(record),
        }
        return json.dumps({name: to_plain(value) for name, value in entry.items()})


def to_plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else escape(str(value))


def time_of(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1]:
        kind, _, trace = record.exc_info
        fields["error"] = kind.__name__ if kind else ""
        fields["at"] = place_of(trace)
    return fields


def place_of(trace: TracebackType | None) -> str:
    """The lines of code that led to an exception, the last one first."""
    steps = []
    for frame, line in walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else Path(file.name)
        steps.append(f"{name.as_posix()}:{line}")
    return " < ".join(reversed(steps[-6:]))


def log_exceptions() -> None:
    """Log exceptions that nothing catches by their kind and place, in every thread."""

    def log_error(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("failed", exc_info=(kind, error, trace))

    def log_args(args: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        log.critical("failed", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))  # type: ignore[arg-type]

    sys.excepthook = log_error
    threading.excepthook = log_args
    sys.unraisablehook = log_args


class TrueRefusals(logging.Filter):
    """Drops granian's message that a worker refused to stop, unless one did.

    Two of its threads wait for each worker. When the other one notices the end first, a worker that
    has ended counts as alive for a moment.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if "refused to gracefully stop" not in message_of(record):
            return True
        return any(is_running(worker.pid) for worker in multiprocessing.active_children())


def is_running(pid: int | None) -> bool:
    """Return True while a child process of ours runs, or nobody has waited for its end."""
    if pid is None or sys.platform == "win32":  # where 0 is a signal like any other
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def config(form: str) -> dict[str, Any]:
    """For ``logging.config``, and for the server, which sets up its own lines with it."""
    lines = "webapp.log.JsonLines" if form == "json" else "webapp.log.TextLines"
    logger = {"handlers": ["lines"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": lines}},
        "filters": {"refused": {"()": "webapp.log.TrueRefusals"}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {
            "steady_hands": {**logger, "level": "INFO" if form == "json" else "WARNING"},
            "_granian": {**logger, "level": "WARNING", "filters": ["refused"]},
        },
    }


def install(app: Flask) -> None:
    """Log every request that is not a heartbeat; runs before all other checks."""

    def begin() -> None:
        g.begun = time.perf_counter()

    def log_response(response: Response) -> Response:
        if log.isEnabledFor(logging.INFO) and is_logged(response.status_code):
            level = logging.ERROR if response.status_code >= 500 else logging.INFO
            log.log(level, "request", extra={"fields": request_fields(response.status_code)})
        return response

    app.before_request(begin)
    app.after_request(log_response)


def is_logged(status: int) -> bool:
    return request.endpoint not in OFTEN or status >= 500


def request_fields(status: int) -> dict[str, Any]:
    """Return what is logged of the request that was just answered; ``ms`` is how long it took."""
    fields: dict[str, Any] = {
        "method": request.method if request.method in METHODS else "other",
        "route": request.url_rule.rule if request.url_rule else "none",
        "status": status,
        "ms": round((time.perf_counter() - g.begun) * 1000, 1) if "begun" in g else 0.0,
    }
    if session_id := (request.view_args or {}).get("session_id"):
        fields["session"] = hash_session(str(session_id))
    return fields


def hash_session(session_id: str) -> str:
    """Enough to follow a session through a log, not enough to open it."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()[:8]
