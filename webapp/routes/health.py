"""Health checks: ``/healthz`` and ``/readyz``, one word, the same for everyone."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from webapp.routes import site
from webapp.storage.sessions import StorageError

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def lives() -> Response:
    """Answer, and check nothing else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def ready() -> Response:
    """Check that the database can be read, was written lately, and has the right schema.

    It writes nothing, so that nobody can cause writes by asking: each process stores its sign of
    life every 10 s anyway.
    """
    try:
        fine = site().storage.ready()
    except StorageError:
        fine = False
    return Response(
        "ready\n" if fine else "not ready\n", 200 if fine else 503, mimetype="text/plain"
    )
