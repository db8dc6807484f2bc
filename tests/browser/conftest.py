"""A real server on short protocols, and a real Chromium that reports every error."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser import chromium
from tests.browser.elsewhere import Elsewhere
from tests.browser.recording import RECORDERS
from tests.support import forked_server
from tests.support.real_server import Server as Asking
from tests.support.real_server import free_port, wait_until_free


def phase(name: str, usual: int, **more: Any) -> dict[str, Any]:
    """A phase of exactly ``usual`` seconds, unless ``seconds`` says more."""
    return {
        "id": name,
        "technique": "stroking",
        "title": f"Phase {name}",
        "area": "whole-back",
        "side": "both",
        "direction": "low back upward",
        "arrow": "up",
        "pressure": 2,
        "tempo": 12,
        "seconds": {"min": usual, "usual": usual, "max": usual},
        "instructions": ["Flat, warm hands."],
        "origin": "inferred",
        **more,
    }


def without_side(phase: dict[str, Any]) -> dict[str, Any]:
    """As it stands in a group, where the sides come from the group."""
    return {name: value for name, value in phase.items() if name != "side"}


def protocol(name: str, *phases: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole protocol file around ``phases``, open for everyone."""
    total = sum(p["seconds"]["usual"] for p in phases if "seconds" in p)
    return {
        "format": 1,
        "id": name,
        "title": f"Test {name}",
        "summary": "For tests.",
        "condition": "spinal-osteochondrosis",
        "regions": ["back"],
        "performer": ["helper"],
        "position": "Lying face down.",
        "access": "open",
        "evidence": {"grade": "low", "note": "None."},
        "session": {"min": total, "usual": total, "max": total},
        "phases": list(phases),
        **more,
    }


WAIT = {
    "id": "ready",
    "title": "Get ready",
    "text": "Warm hands.",
    "wait": True,
    "origin": "inferred",
}
REST = {
    "id": "rest",
    "title": "Rest",
    "text": "Lie still.",
    "seconds": {"min": 5, "usual": 5, "max": 5},
    "origin": "inferred",
}
LONG = {"min": 60, "usual": 120, "max": 180}

PROTOCOLS = [
    protocol("short", phase("one", 5), phase("two", 5, technique="kneading"), aftercare=[REST]),
    protocol("waiting", phase("one", 5), phase("two", 5), prepare=[WAIT]),
    protocol(
        "long",
        phase("one", 120, seconds=LONG),
        phase("two", 120, seconds=LONG, technique="kneading"),
        phase("three", 120, seconds=LONG),
        session={"min": 180, "usual": 360, "max": 540},
        aftercare=[REST],
    ),
    protocol(
        "sounding",
        phase("one", 25, cues=[{"at": 5, "say": "Slower now."}]),
        phase("two", 5, technique="kneading"),
        aftercare=[REST],
    ),
    protocol(
        "feet",
        phase("calm", 60, seconds=LONG, area="foot-to-knee"),
        phase("sole-left", 60, seconds=LONG, area="sole", side="left"),
        phase("sole-right", 60, seconds=LONG, area="sole", side="right"),
        condition="diabetes-mellitus",
        regions=["feet"],
        session={"min": 180, "usual": 180, "max": 540},
    ),
]


PROTOCOLS += [
    protocol(
        "nearly",
        phase("one", 120, seconds={"min": 60, "usual": 120, "max": 145}),
        phase("two", 120, seconds={"min": 60, "usual": 120, "max": 135}),
        session={"min": 120, "usual": 240, "max": 280},
    ),
    protocol(
        "turning",
        phase("back", 40, cues=[{"at": 5, "say": "Slower now."}]),
        {
            "for_sides": ["left", "right"],
            "change": {"text": "Turn round."},
            "phases": [without_side(phase("calf", 5, area="calf", technique="kneading"))],
        },
        prepare=[WAIT],
        aftercare=[REST],
        regions=["back", "legs"],
        session={"min": 50, "usual": 50, "max": 50},
    ),
    protocol(
        "cups",
        phase("one", 120, seconds=LONG, tags=["cups"]),
        phase("two", 120, seconds=LONG),
        session={"min": 120, "usual": 240, "max": 360},
        rules={"cap": [{"tag": "cups", "seconds": 420, "counts_while_paused": True}]},
        aftercare=[REST],
    ),
]


@dataclass
class Server:
    """A `steady-hands serve` process on loopback that can be killed and started again."""

    data: Path
    protocols: Path
    port: int
    process: BaseProcess | None = field(default=None, repr=False)
    was_killed: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        where = ["--port", str(self.port), "--data", str(self.data)]
        chosen = ["--no-open", "--protocols", str(self.protocols)]
        self.process = forked_server.start(["serve", *where, *chosen])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.address, timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the server did not answer")

    def empty(self) -> None:
        """Delete what people have made, while the process serves."""
        with closing(sqlite3.connect(self.data / "steady-hands.sqlite3", timeout=10)) as file, file:
            tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (name,) in tables:
                if name != "meta":  # the process's own record of its clock and schema
                    file.execute(f"DELETE FROM {name}")

    def kill(self) -> None:
        """As a power switch would: the whole process group at once."""
        self.was_killed = True
        if self.process is not None:
            forked_server.kill(self.process)
            wait_until_free(self.port, 5)
        self.process = None


@pytest.fixture(scope="session")
def protocol_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("protocols")
    for item in PROTOCOLS:
        (folder / f"{item['id']}.json").write_text(json.dumps(item), encoding="utf-8")
    return folder


def started(folder: Path, protocols: Path) -> Server:
    """A server with a new data folder inside ``folder``."""
    running = Server(folder / "data", protocols, free_port())
    running.start()
    return running


@pytest.fixture(scope="session")
def servers() -> Iterator[list[Server]]:
    """The server that the next test may use, if there is one."""
    kept: list[Server] = []
    yield kept
    for running in kept:
        running.kill()


@pytest.fixture
def server(
    servers: list[Server], tmp_path_factory: pytest.TempPathFactory, protocol_folder: Path
) -> Iterator[Server]:
    """A server without data: the one before, unless it was killed or has other protocols."""
    if servers and servers[0].protocols != protocol_folder:
        servers.pop().kill()
    if servers:
        servers[0].empty()
    else:
        servers.append(started(tmp_path_factory.mktemp("site"), protocol_folder))
    yield servers[0]
    if servers[0].was_killed:
        servers.pop().kill()


@pytest.fixture(scope="session", autouse=True)
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere().watching() as watching:
        yield watching


@pytest.fixture(autouse=True)
def no_page_asks_another_host(
    elsewhere: Elsewhere, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    """Of every test, whatever else it looks at."""
    before = elsewhere.count
    yield
    record_property("requests of pages", elsewhere.count - before)
    assert elsewhere.taken() == []


@pytest.fixture(scope="session")
def browser(elsewhere: Elsewhere) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=chromium.for_tests(), args=chromium.flags()
        )
        yield instance
        instance.close()


def is_trouble(message: ConsoleMessage) -> bool:
    blocked = "Service Worker registration blocked by Playwright" in message.text
    return message.type in ("error", "warning") and not blocked


@dataclass
class Watch:
    """What the pages of a test did: errors, navigations and requests."""

    errors: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda m: self.errors.append(m.text) if is_trouble(m) else None,
        )
        page.on("load", lambda p: self.loads.append(p.url))
        page.on("request", lambda r: self.requests.append(f"{r.method} {r.url}"))
        return page


@pytest.fixture
def watch() -> Watch:
    return Watch()


Visit = Callable[..., Page]
# The scripts of a session page come once it was painted.
ALIVE = "() => !document.querySelector('script[data-then]') || Boolean(globalThis.htmx)"


def go(page: Page, address: str) -> None:
    """Open a page and wait for its scripts."""
    page.goto(address)
    page.wait_for_function(ALIVE)


AWAKE = "screen-wake-lock"  # windowless Chromium asks for leave, others give it unasked
MOVING = ("stroke_guide", "stage_heard", "stage_senses", "screening_page")


@pytest.fixture
def visit(
    browser: Browser, server: Server, watch: Watch, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """Open a page of the site on a device of its own; keyword arguments describe the device.

    ``script`` runs before the scripts of each page.
    """
    contexts: list[BrowserContext] = []
    moving = request.module.__name__.endswith(MOVING)
    motion = "no-preference" if moving else "reduce"  # drawing it costs more than the tests

    def open_page(path: str = "/", script: str = "", **device: Any) -> Page:
        context = browser.new_context(
            viewport=device.pop("viewport", {"width": 1280, "height": 800}),
            service_workers=device.pop("service_workers", "block"),
            permissions=device.pop("permissions", [AWAKE]),
            reduced_motion=device.pop("reduced_motion", motion),
            base_url=server.address,
            **device,
        )
        context.set_default_timeout(8_000)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = watch.follow(context.new_page())
        (go if device.get("java_script_enabled", True) else Page.goto)(page, path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def session_of(server: Server, protocol: str) -> str:
    """A new session, its questions answered without a browser: other tests do that by hand."""
    return Asking(server.data, port=server.port).prepare(protocol)


@pytest.fixture
def prepare(visit: Visit, server: Server) -> Callable[..., Page]:
    """A device on a new session of a protocol, ready to start."""

    def prepared(name: str, **device: Any) -> Page:
        page = visit(f"/sessions/{session_of(server, name)}", **device)
        page.wait_for_selector("#session-live")
        return page

    return prepared


@pytest.fixture
def recorded(visit: Visit, server: Server) -> Callable[..., Page]:
    """A page ready to start that records sounds, words and locks; then ``script`` runs."""

    def prepared(name: str, script: str = "", **device: Any) -> Page:
        page = visit(f"/sessions/{session_of(server, name)}", RECORDERS + script, **device)
        expect(page.locator(":not(:defined):not(count-wedge)")).to_have_count(0)
        return page

    return prepared
