"""Flask application factory: builds the parts of a site from its settings, registers blueprints."""

from __future__ import annotations

import logging
import threading

from flask import Flask

from webapp import log as requests_log
from webapp.assets import files
from webapp.auth import http_security, middleware
from webapp.auth.devices import devices_of
from webapp.auth.permissions import authenticator_for
from webapp.maintenance.opening import open_storage
from webapp.maintenance.runner import JobRunner, Scheduler
from webapp.network import hosts_of
from webapp.presentation import errors, figures, steps
from webapp.presentation.filters import FILTERS
from webapp.presentation.template_cache import cached_templates
from webapp.protocol_files.loader import load
from webapp.routes import (
    catalogue,
    clients,
    courses,
    health,
    history,
    joining,
    offline,
    owner,
    owner_exchange,
    protocols,
    reference,
    screenings,
    sessions,
    summaries,
    sync,
    today,
    trust,
)
from webapp.routes import settings as device_settings
from webapp.settings import Settings, shipped
from webapp.site import Site
from webapp.storage.sessions import Storage
from webapp.storage.sqlite import Sqlite
from webapp.timekeeping.clock import Clock, zone_named
from webapp.timekeeping.liveness import LifeSigns, wake
from webapp.timekeeping.presence import Presence
from webapp.timekeeping.shared_clock import SharedClock

log = logging.getLogger("steady_hands")

MOST_BODY_BYTES = 64 * 1024


def create_app(settings: Settings, storage: Storage | None = None) -> Flask:
    """Return the app for ``settings``; it opens the database unless one is given.

    Raises StorageError, BadFileError or ValueError when the site cannot work.
    """
    app = Flask(
        "webapp", template_folder=str(shipped("templates")), static_folder=None, root_path="."
    )
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.config["MAX_FORM_PARTS"] = 40
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    app.jinja_env.bytecode_cache = cached_templates()
    storage = storage or open_storage(settings)
    site = Site(
        settings,
        storage,
        load(settings.protocols, shipped("protocols")),
        Clock(zone_named(settings.time_zone)),
        Presence(storage),
    )
    app.extensions["site"] = site
    requests_log.install(app)
    app.extensions["jobs"] = JobRunner(lambda: app.extensions["site"])
    files.install(app, files.read_assets(shipped("static")))
    hosts = hosts_of(settings)
    guard = authenticator_for(settings, hosts)
    http_security.install(app, settings)
    middleware.install(app, guard)
    figures.install(app)
    steps.install(app)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["nonce"] = http_security.new_nonce
    app.jinja_env.globals["device"] = device_settings.this_device
    app.jinja_env.globals["emergency_number"] = device_settings.local_number
    app.jinja_env.globals["trouble"] = lambda: app.extensions["site"].storage.trouble
    for module in (
        *(sync, catalogue, offline, protocols, reference, screenings, sessions),
        *(clients, courses, device_settings, health, history, joining, owner),
        *(owner_exchange, summaries, today, trust),
    ):
        app.register_blueprint(module.blueprint)
    errors.install(app)
    return app


def start_liveness(app: Flask) -> LifeSigns:
    """Continue the clock where the last process left it, and begin to store signs of life."""
    site: Site = app.extensions["site"]
    runner: JobRunner = app.extensions["jobs"]
    if isinstance(site.storage.database, Sqlite):
        reserve = site.storage.database.disk.keep_reserve
        threading.Thread(target=reserve, name="reserve", daemon=True).start()
    last = site.storage.last_sign_of_life()
    site.presence.begin(last.now if last else site.clock.now())
    if site.storage.database.shared:
        shared_clock = SharedClock(site.storage, site.clock)
        runner.process = shared_clock.process
        paused, renew = shared_clock.wake(), shared_clock.renew_sign
    else:
        paused, renew = wake(site.storage, site.clock), None
    signs = LifeSigns(site.storage, site.clock, renew, site.presence, devices_of(site).sweep)
    if paused:
        log.warning("time was lost while the server was away; sessions paused: %d", paused)
    signs.start()
    runner.clear_all(86_400 if site.storage.database.shared else 0)
    Scheduler(runner).start()
    return signs
