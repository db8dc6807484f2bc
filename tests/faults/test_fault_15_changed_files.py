"""Fault 15: protocol files are broken or changed while a session runs, and the server starts again.

Seen to fail with the mechanism removed:

- with ``load`` raising for a bad file (no quarantine) the server does not start;
- without the comparison of the protocol's hash in ``refusal`` the old answers begin a session.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import phase_dict
from tests.support.real_server import Server
from tests.support.safe_answers import SAFE
from tests.support.visitor import protocol_file, small_protocols, write_protocols

pytestmark = pytest.mark.fault(15)


def write(folder: Path, protocol: dict[str, Any]) -> None:
    (folder / f"{protocol['id']}.json").write_text(json.dumps(protocol), encoding="utf-8")


def changed() -> dict[str, Any]:
    phases = [phase_dict(name, (10, 300, 900)) for name in ("other", "another")]
    return protocol_file("long", (60, 600, 900), phases=phases)


@pytest.mark.parametrize("change", ["broken", "changed", "gone"])
def test_a_running_session_is_untouched_and_other_protocols_load(
    tmp_path: Path, change: str
) -> None:
    protocols = write_protocols(tmp_path / "protocols")
    with Server(tmp_path / "data", protocols) as server:
        running, ready = server.prepare("long"), server.prepare("long")
        begun = time.monotonic()
        before, at = server.act(running, "start").live, time.monotonic()
        screened = server.ask("POST", "/protocols/long/screening", SAFE).headers["location"]
        server.kill()
        if change == "changed":
            write(protocols, changed())
        elif change == "broken":
            (protocols / "long.json").write_text('{"format": 1, "id": "long", ', encoding="utf-8")
        else:
            (protocols / "long.json").unlink()
        server.start()
        looked = time.monotonic()
        live = server.look(running).live
        for name in ("data-status", "data-step", "data-seq", "data-planned-ms"):
            assert live[name] == before[name]
        passed = int(before["data-remaining-ms"]) - int(live["data-remaining-ms"])
        least, most = (looked - at) * 1000, (time.monotonic() - begun) * 1000
        assert least - 1_000 < passed < most + 1_000
        for action in ("pause", "resume", "next"):
            assert server.act(running, action).status == 200
        assert server.look(running).live["data-status"] == "finished"

        form = server.look(ready).form | {"another": "1"}
        assert server.ask("POST", f"/sessions/{ready}/start", form).status == 409
        old = {"screening": screened.removeprefix("/screenings/")}
        refused = server.ask("POST", "/sessions", old)
        assert refused.status == (409 if change == "changed" else 404)
        if change == "broken":
            assert "long.json" in server.ask("GET", "/").text
        others = set(small_protocols()) - {"long", "withheld"}
        assert all(server.ask("GET", f"/protocols/{one}").status == 200 for one in others)
        server.prepare("short")
