"""Owner's pages for data: inventory, backups, restore, and the progress of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Answer

from webapp.maintenance import inventory
from webapp.maintenance.export_stream import STREAMED
from webapp.maintenance.inventory import Copy
from webapp.maintenance.jobs import KEPT, BusyError, Job
from webapp.maintenance.retention import read_retention
from webapp.maintenance.runner import JobRunner
from webapp.routes import request_clock, request_time, site

blueprint = Blueprint("owner_data", __name__, url_prefix="/owner/data")

PART_BYTES = 256 * 1024
RECENT_MS = 3_600_000
NAMES = {
    "backup": "Backup",
    "check": "Reading what was uploaded",
    "import": "Import",
    "restore": "Restore",
    "erase": "Deleting",
    "retention": "Deleting what is old",
}
UNITS = ("bytes", "kB", "MB", "GB", "TB")


@blueprint.app_template_filter("size")
def size(count: float) -> str:
    """Return a size in words: ``640 kB``, ``1.2 GB``."""
    for unit in UNITS:
        if count < 1000 or unit == UNITS[-1]:
            break
        count /= 1000
    few = count < 10 and unit not in ("bytes", "kB")
    return f"{count:.1f} {unit}" if few else f"{count:.0f} {unit}"


@blueprint.app_template_filter("job_name")
def job_name(kind: str) -> str:
    return NAMES.get(kind, kind)


@blueprint.app_template_filter("amounts")
def amounts(counts: dict[str, int]) -> str:
    """Return numbers of rows in words, without internal tables: ``2 clients, 1 session``."""
    known = ("clients", "courses", "sessions", "events", "readings", "summaries", "screenings")
    words = {"events": "acts", "summaries": "summaries", "screenings": "sets of answers"}
    parts = []
    for table in known:
        if count := counts.get(table, 0):
            word = words.get(table, table)
            singular = {"summaries": "summary", "sets of answers": "set of answers"}
            parts.append(
                f"{count:,} {word if count != 1 else singular.get(word, word.removesuffix('s'))}"
            )
    return ", ".join(parts) or "nothing"


def job_runner() -> JobRunner:
    return cast(JobRunner, current_app.extensions["jobs"])


def begin(kind: str, arguments: dict[str, object] | None = None, **shown: object) -> Answer:
    """Start a job and redirect to its page; while another one runs, show a page that says so."""
    try:
        job = job_runner().start(kind, arguments, **shown)
    except BusyError as busy:
        page = render_template("owner/data/busy.html", job=busy.job, clock=request_clock())
        return Response(page, 409)
    return redirect(url_for("owner_data.job", job_id=job.id), 303)


def job_or_404(job_id: str) -> Job:
    row = job_runner().jobs.get(job_id)
    if row is None:
        abort(404)
    return row


def copy_or_404(name: str) -> Copy:
    copy = inventory.copy_named(site().settings, name)
    if copy is None:
        abort(404)
    return copy


@blueprint.get("")
def show() -> str:
    """Show what the site holds, and the actions on it."""
    jobs = job_runner().jobs
    known = jobs.newest(KEPT)
    recent = [job for job in known[:1] if request_time() - job.told_at < RECENT_MS]
    worth = [job for job in recent if (job.kind, job.outcome) != ("backup", "good")]
    return render_template(
        "owner/data/data.html",
        inventory=inventory.read_inventory(site().storage, site().settings),
        copies=inventory.copies(site().settings),
        job=next(iter(worth), None),
        last=next((job for job in known if job.kind == "backup"), None),
        retention=read_retention(site().storage),
        clients=site().courses.clients(),
        shared=site().storage.database.shared,
        clock=request_clock(),
    )


# -- jobs ----------------------------------------------------------------------------------


@blueprint.get("/jobs/<job_id>")
def job(job_id: str) -> str:
    row = job_or_404(job_id)
    return render_template("owner/data/job.html", job=row, **job_context(row))


@blueprint.get("/jobs/<job_id>/state")
def state(job_id: str) -> str:
    row = job_or_404(job_id)
    return render_template("owner/data/_job.html", job=row, **job_context(row))


def job_context(row: Job) -> dict[str, object]:
    known = {copy.name: copy for copy in inventory.copies(site().settings)}
    return {
        "clock": request_clock(),
        "holding": [known[name] for name in row.detail.get("holding", ()) if name in known],
    }


# -- backups -------------------------------------------------------------------------------


@blueprint.post("/backup")
def backup() -> Answer:
    return begin("backup")


@blueprint.get("/copies/<name>")
def download(name: str) -> Response:
    copy = copy_or_404(name)
    path = site().settings.data / copy.name
    return send_file(read_parts(path), copy.file, copy.bytes)


def send_file(parts: Iterator[bytes], name: str, length: int | None = None) -> Response:
    """Return a download that is sent in parts."""
    request.environ[STREAMED] = True
    answer = Response(parts, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if length is not None:
        answer.headers["Content-Length"] = str(length)
    return answer


def read_parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            yield part


@blueprint.post("/copies/delete")
def delete() -> Answer:
    """Delete the copies that the form names."""
    named = [copy_or_404(name) for name in request.form.getlist("name")]
    for copy in named:
        (site().settings.data / copy.name).unlink(missing_ok=True)
    return redirect(url_for("owner_data.show"), 303)


@blueprint.get("/copies/<name>/restore")
def ask_restore(name: str) -> str:
    return restore_page(copy_or_404(name))


@blueprint.post("/copies/<name>/restore")
def restore(name: str) -> Answer:
    """Start a restore. It is refused while sessions run, unless the form confirms it."""
    copy, anyway = copy_or_404(name), request.form.get("anyway") == "1"
    running = inventory.running_sessions(site().storage, request_time())
    if not copy.usable or (running and not anyway):
        return Response(restore_page(copy, refused=True), 409)
    return begin("restore", name=copy.name, made_at=copy.made_at, anyway=anyway)


def restore_page(copy: Copy, *, refused: bool = False) -> str:
    created, went_on = inventory.lost_since(site().storage, copy.made_at)
    return render_template(
        "owner/data/restore.html",
        copy=copy,
        made=created,
        went_on=went_on,
        running=len(inventory.running_sessions(site().storage, request_time())),
        refused=refused,
        clock=request_clock(),
    )
