"""Service worker, web app manifest and the offline page."""

from __future__ import annotations

import json

from flask import Blueprint, current_app, render_template
from werkzeug.wrappers import Response

from webapp.assets.files import Assets, encode

blueprint = Blueprint("offline", __name__)

PAPER, DEEP = "#f8f4ec", "#12343b"


def assets() -> Assets:
    files: Assets = current_app.extensions["assets"]
    return files


@blueprint.get("/worker.js")
def worker() -> Response:
    """Serve the service worker, at the root because it controls only paths below its own."""
    return encode(Response(mimetype="text/javascript"), *assets().packed("worker.js"))


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    files = assets()
    icons = [
        {"src": files.url(f"icons/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"}
        for size in (192, 512)
    ]
    masked = files.url("icons/maskable-512.png")
    icons.append({"src": masked, "sizes": "512x512", "type": "image/png", "purpose": "maskable"})
    body = {
        "name": "Steady Hands",
        "short_name": "Steady Hands",
        "description": "A guided massage-session timer for hands that are busy.",
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": DEEP,
        "icons": icons,
    }
    return Response(json.dumps(body), mimetype="application/manifest+json")


@blueprint.get("/offline")
def offline() -> str:
    """Serve the page that the worker shows when the server does not answer."""
    return render_template("offline/offline.html")
