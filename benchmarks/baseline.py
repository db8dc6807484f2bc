"""The baseline: a minimal Flask + htmx page that re-renders its fragment every second.

Run as ``python -m benchmarks.baseline HOST PORT BACKLOG BACKPRESSURE``. It imports nothing of the
app, so that its start is that of a minimal Flask app.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from jinja2 import DictLoader

PHASE_SECONDS = 20
HTMX = Path(__file__).parent.parent / "static" / "vendor" / "htmx-4.0.1.min.js"

FRAGMENT = """<section id="session-live" data-step="{{ step }}"
  {% if ticking %}hx-get="/fragment" hx-trigger="every 1s" hx-swap="outerHTML"{% endif %}>
  <h1>Phase {{ step }}</h1>
  <p role="timer">{{ text }}</p>
  <ul><li>Both hands glide from the nape to the shoulders.</li>
  <li>Just warmth; let the shoulders sink.</li></ul>
  <p>Next: phase {{ step + 1 }}</p>
</section>"""

PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Baseline</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><script src="/htmx.js" defer></script></head>
<body>{FRAGMENT}</body></html>"""


def shown(ticking: bool = True) -> dict[str, object]:
    """The countdown at this instant: phases follow one another on the machine's boot-time clock."""
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    step, spent = divmod(now, PHASE_SECONDS * 1000)
    left = math.ceil((PHASE_SECONDS * 1000 - spent) / 1000)
    return {"step": step, "text": f"{left // 60}:{left % 60:02d}", "ticking": ticking}


def create_app() -> Flask:
    app = Flask("baseline", static_folder=None)
    script = HTMX.read_bytes()
    app.jinja_loader = DictLoader({"page.html": PAGE, "fragment.html": FRAGMENT})
    app.add_url_rule("/", "page", lambda: render_template("page.html", **shown()))
    app.add_url_rule("/idle", "idle", lambda: render_template("page.html", **shown(False)))
    app.add_url_rule("/fragment", "fragment", lambda: render_template("fragment.html", **shown()))
    app.add_url_rule("/empty", "empty", lambda: Response(status=204))
    app.add_url_rule("/htmx.js", "htmx", lambda: Response(script, mimetype="text/javascript"))
    return app


def serve(host: str, port: int, backlog: int, backpressure: int) -> None:
    def load(_target: str) -> Any:
        return create_app()

    Server(
        "baseline",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=1,
        backlog=backlog,
        backpressure=backpressure,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=load)


if __name__ == "__main__":
    serve(sys.argv[1], *map(int, sys.argv[2:5]))
