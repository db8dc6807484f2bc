"""What two programs of others say of our headers; offline, against a server of our own on loopback.

MDN's Observatory is asked by its own ``scan``, with https, a certificate that Node trusts and a
name: ``localhost`` with the port. The list of sites that browsers know to be https (it is not in
the package, its installation would load it) is empty here, which can only cost points.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.node_programs import NoToolError, installed
from tests.support.real_server import clean_environment, free_port
from tests.tls.test_serving import Tls
from webapp.domain.invites import LETTERS

PINNED = Path(__file__).with_name("marks")
LEAST = 135
PATHS = ("/", "/settings", "/owner", "/nowhere", "/healthz", "/join", "/static/x/site.css")

pytestmark = pytest.mark.skipif(
    "STEADY_HANDS_SECURITY" not in os.environ, reason="only with make security: needs npm"
)
CODE = re.compile(f"[{LETTERS}]{{4}} [{LETTERS}]{{4}}")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, protocols_folder: Path) -> Iterator[Tls]:
    """A server with a public address, which is this machine under its name."""
    port = free_port()
    environment = clean_environment(
        STEADY_HANDS_TLS="1", STEADY_HANDS_PUBLIC_URL=f"https://localhost:{port}"
    )
    data = tmp_path_factory.mktemp("public") / "data"
    with Tls(data, protocols_folder, port, environment=environment) as running:
        assert isinstance(running, Tls)
        yield running


def cookie_of(public: Tls) -> str:
    """Of a device that was let in."""
    code = CODE.search(public.invite("--role", "owner"))
    assert code
    connection = http.client.HTTPSConnection("localhost", public.port, context=public.context())
    body = urllib.parse.urlencode({"code": code[0]})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/join", body, kind)
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 303
    return answer.headers["Set-Cookie"].split(";")[0]


def asked(public: Tls, folder: Path) -> dict[str, Any]:
    """What both programs say."""
    table = folder / "node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json"
    table.write_text("{}")
    given = {"COOKIE": cookie_of(public), "NODE_EXTRA_CA_CERTS": str(public.authority)}
    command = ["node", str(folder / "marks.mjs"), f"localhost:{public.port}", *PATHS]
    run = subprocess.run(
        command, env=os.environ | given, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.promise("marks")
def test_two_programs_of_others_find_nothing(
    public: Tls, record_property: Callable[[str, object], None]
) -> None:
    try:
        folder = installed(PINNED, "marks")
    except NoToolError as error:
        pytest.skip(f"needs Node with npm, which has to reach its registry once: {error}")
    found = asked(public, folder)
    record_property("Observatory", f"{found['grade']} {found['score']}")
    record_property("policies", len(found["policies"]))
    record_property("findings of csp_evaluator", len(found["findings"]))
    assert found["lost"] == []
    assert (found["grade"], found["status"]) == ("A+", 200)
    assert found["score"] >= LEAST, found["results"]
    assert len(found["policies"]) == len(PATHS)
    assert found["findings"] == []
