"""Owner's pages for data: export, import, deletion and retention."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from typing import IO, Any

from flask import Response, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Response as Answer

from webapp.maintenance import backups, inventory
from webapp.maintenance.erase import count_rows
from webapp.maintenance.export_stream import stream_export
from webapp.maintenance.retention import ended_before, read_retention, store_retention
from webapp.maintenance.worker import INCOMING, need_room
from webapp.routes import request_clock, request_time, site
from webapp.routes.clients import client_or_404
from webapp.routes.owner_data import begin, blueprint, job_or_404, job_runner, send_file
from webapp.storage.courses import Filter
from webapp.storage.database import StorageError

MOST_UPLOAD_BYTES = 512 * 1024 * 1024
RECENT = 25
DAYS = re.compile(r"^\d{1,5}$", re.ASCII)
LEAST_DAYS, MOST_DAYS = 7, 36_500
FIELD_BYTES = 256 * 1024
TOO_LARGE = (
    "The file is larger than the {} MiB that this page takes. "
    "The command steady-hands import takes any size."
)
PACKED = b"\x1f\x8b"


# -- export --------------------------------------------------------------------------------


@blueprint.get("/export")
def export() -> Answer:
    """Stream an export of everything, or of one client."""
    chosen = request.args.get("client", "")
    code = client_or_404(chosen).code if chosen else ""
    name = f"steady-hands-{code or 'all'}-{backups.stamp()}.jsonl.gz"
    if request.method == "HEAD":
        return Response(mimetype="application/octet-stream")
    parts = stream_export(site().settings, code)
    try:
        first = next(parts)
    except StorageError as error:
        return fault_page("The export did not begin", job_runner().plain(str(error)), 503)
    return send_file(chain_parts(first, parts), name)


def chain_parts(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from chain((first,), rest)


def fault_page(title: str, text: str, status: int) -> Response:
    page = render_template("owner/data/fault.html", title=title, text=text)
    return Response(page, status)


# -- import --------------------------------------------------------------------------------


@blueprint.post("/import")
def upload() -> Answer:
    """Take an export; nothing comes in before somebody has seen what it holds."""
    if running := job_runner().jobs.running():
        page = render_template("owner/data/busy.html", job=running, clock=request_clock())
        return Response(page, 409)
    name = job_runner().new_upload()
    try:
        if fault := receive_upload(name):
            job_runner().clear(name)
            return fault_page("Nothing was taken", fault, 422)
        answer = begin("check", upload=name)
    except BaseException:
        job_runner().clear(name)
        raise
    if answer.status_code != 303:
        job_runner().clear(name)
    return answer


def receive_upload(name: str) -> str:
    """Keep the file of the form; gives what is wrong with it, in words."""
    data = site().settings.data
    part = data / INCOMING / name / "part"
    request.max_content_length = MOST_UPLOAD_BYTES
    try:
        need_room(data, 2 * (request.content_length or 0))
        with ExitStack() as opened:
            chosen = parse_upload(lambda: opened.enter_context(part.open("w+b")))
    except StorageError as error:
        return str(error)
    except RequestEntityTooLarge:
        return TOO_LARGE.format(MOST_UPLOAD_BYTES // 1024**2)
    except (OSError, ValueError):
        return "The file did not arrive whole. Please send it again."
    if not chosen:
        return "Please choose the file of an export first."
    with part.open("rb") as raw:
        packed = raw.read(2) == PACKED
    part.rename(part.with_name("upload.jsonl.gz" if packed else "upload.jsonl"))
    return ""


def parse_upload(new_file: Callable[[], IO[bytes]]) -> bool:
    """Read the form; its file goes to ``new_file``. False when it has none."""
    parser = FormDataParser(
        stream_factory=lambda *_args, **_more: new_file(),
        max_form_memory_size=FIELD_BYTES,
        max_content_length=MOST_UPLOAD_BYTES,
        max_form_parts=1,
        silent=False,
    )
    options = (request.mimetype, request.content_length, request.mimetype_params)
    _, _, files = parser.parse(request.stream, *options)
    file = files.get("file")
    return file is not None and bool(file.filename)


@blueprint.post("/import/<job_id>")
def import_upload(job_id: str) -> Answer:
    """Bring in what was looked at, or drop it."""
    checked = job_or_404(job_id)
    upload = checked.detail.get("upload", "")
    if checked.kind != "check" or checked.outcome != "good":
        abort(409)
    if request.form.get("act") == "drop":
        job_runner().clear(upload)
        return redirect(url_for("owner_data.show"), 303)
    if not (site().settings.data / INCOMING / upload).is_dir():
        text = "The file is not here any more. Please send it again."
        return fault_page("Nothing was brought in", text, 409)
    return begin("import", upload=upload, counts=checked.detail["counts"])


# -- deleting ------------------------------------------------------------------------------


@blueprint.get("/erase")
def ask_erase() -> str:
    """Whom or what to delete; with an id, what that would be."""
    if chosen := chosen_rows():
        return erase_page(chosen)
    wanted = Filter(client=request.args.get("of", "")[:32])
    clients = site().courses.clients()
    return render_template(
        "owner/data/choose.html",
        clients=clients,
        codes={client.id: client.code for client in clients},
        wanted=wanted,
        pasts=site().courses.history(wanted, request_time(), RECENT),
        clock=request_clock(),
    )


@blueprint.post("/erase")
def erase() -> Answer:
    chosen = chosen_rows()
    if chosen is None:
        abort(404)
    if is_running(chosen):
        return Response(erase_page(chosen), 409)
    return begin("erase", {"table": chosen["table"], "ids": [chosen["id"]]})


Chosen = dict[str, Any]


def chosen_rows() -> Chosen | None:
    """What the request names: a client or a session. 404 for one that is not there."""
    if client := request.values.get("client", ""):
        return {"table": "clients", "id": client, "code": client_or_404(client).code}
    if session := request.values.get("session", ""):
        stored = site().storage.load(session[:32])
        if stored is None:
            abort(404)
        return {"table": "sessions", "id": stored.id, "stored": stored}
    return None


def is_running(chosen: Chosen) -> bool:
    """True when somebody is at a session that would go."""
    running = inventory.running_sessions(site().storage, request_time())
    if chosen["table"] == "sessions":
        return chosen["id"] in running
    return any(stored.client == chosen["id"] for stored in site().storage.load_all(running))


def erase_page(chosen: Chosen) -> str:
    counts = count_rows(site().storage.database, chosen["table"], [chosen["id"]])
    return render_template(
        "owner/data/erase.html",
        chosen=chosen,
        counts=counts,
        running=is_running(chosen),
        clock=request_clock(),
    )


# -- retention -----------------------------------------------------------------------------


@blueprint.get("/retention")
def ask_retention() -> Answer:
    """The setting, and with ``days`` what it would delete."""
    typed = request.args.get("days", "")
    kept = read_retention(site().storage)
    days = parse_days(typed) if typed else kept.days
    return retention_page(days, typed if typed and days is None else "")


def parse_days(typed: str) -> int | None:
    days = int(typed) if DAYS.match(typed) else 0
    return days if LEAST_DAYS <= days <= MOST_DAYS else None


def retention_page(days: int | None, wrong: str) -> Response:
    now = request_clock().wall_time()
    page = render_template(
        "owner/data/retention.html",
        kept=read_retention(site().storage),
        days=days,
        fault=f"Please give whole days, {LEAST_DAYS} to {MOST_DAYS:,}." if wrong else "",
        old=ended_before(site().storage.database, days, now) if days else None,
        least=LEAST_DAYS,
        most=MOST_DAYS,
        clock=request_clock(),
    )
    return Response(page, 422 if wrong else 200)


@blueprint.post("/retention")
def change_retention() -> Answer:
    """Store the setting, or carry it out now."""
    typed = request.form.get("days", "")
    days = parse_days(typed)
    if days is None:
        return retention_page(None, typed or "none")
    if request.form.get("act") == "now":
        return begin("retention", days=days)
    kept = read_retention(site().storage)
    on = request.form.get("on") == "1"
    store_retention(site().storage, replace(kept, days=days, on=on))
    return redirect(url_for("owner_data.ask_retention"), 303)
