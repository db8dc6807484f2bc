"""The page on how to trust the certificate, in each of its three states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.routes.test_security import check_headers, check_strict
from tests.support.heartbeat_wsgi import with_heartbeat
from tests.support.page import Page
from tests.support.visitor import HOST, Visitor
from webapp.app import create_app
from webapp.settings import Settings
from webapp.tls.setup import files_of

AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Safari/604.1": ["on-ios"],
    "Mozilla/5.0 (iPad; CPU OS 18_4 like Mac OS X) Safari/604.1": ["on-ios"],
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15": ["on-ios", "on-macos"],
    "Mozilla/5.0 (Linux; Android 14; Tab) Chrome/150.0.0.0 Safari/537.36": ["on-android"],
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0": ["on-windows"],
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/150.0.0.0": ["on-linux"],
    "<script>": [],
}


@contextmanager
def client_of(settings: Settings) -> Iterator[FlaskClient]:
    app = with_heartbeat(create_app(settings))
    try:
        yield app.test_client()
    finally:
        app.extensions["site"].storage.close()


@pytest.fixture(scope="module")
def secured(
    tmp_path_factory: pytest.TempPathFactory, protocols_folder: Path
) -> Iterator[FlaskClient]:
    settings = Settings(tmp_path_factory.mktemp("trust"), protocols=protocols_folder, tls=True)
    files_of(settings)
    with client_of(settings) as client:
        yield client


@pytest.mark.parametrize(("agent", "opened"), AGENTS.items())
def test_the_steps_for_the_device_that_asks_come_first_and_open(
    secured: FlaskClient, agent: str, opened: list[str]
) -> None:
    answer = secured.get("/trust", headers={"Host": HOST, "User-Agent": agent})
    check_headers(answer)
    check_strict("/trust", answer)
    kinds = [e for e in Page(answer.text).elements if e.tag == "details"]
    assert [e.attrs["id"] for e in kinds if "open" in e.attrs] == opened
    assert [e.attrs["id"] for e in kinds][: len(opened)] == opened
    assert len(kinds) == 5
    assert f'href="https://{HOST}/"' in answer.text


def test_the_certificate_comes_in_both_forms_with_all_headers(secured: FlaskClient) -> None:
    for name in ("steady-hands.crt", "steady-hands.pem"):
        answer = secured.get(f"/trust/{name}", headers={"Host": HOST})
        assert answer.status_code == 200
        check_headers(answer)
    assert secured.get("/trust/authority.key", headers={"Host": HOST}).status_code == 404


def test_over_plain_http_it_says_what_is_left_out_and_how_to_get_it(visitor: Visitor) -> None:
    text = visitor.get("/trust").text
    assert "steady-hands serve --tls" in text
    assert "Installing the app" in text


def test_the_settings_lead_there_from_a_plain_address_and_from_an_own_certificate(
    visitor: Visitor, secured: FlaskClient, tmp_path: Path, protocols_folder: Path
) -> None:
    assert 'href="/trust"' not in visitor.get("/settings").text, (
        "on this machine nothing is missing"
    )
    assert 'id="other-devices"' in secured.get("/settings", headers={"Host": HOST}).text
    with (
        client_of(Settings(tmp_path, "steady.lan", protocols=protocols_folder)) as client,
        client.application.test_request_context("/settings", headers={"Host": "steady.lan:8000"}),
    ):
        text = str(client.application.view_functions["settings.show"]())
        assert 'id="plain-http"' in text
        assert 'href="/trust"' in text


def test_where_devices_know_the_certificate_there_is_nothing_to_do(
    tmp_path: Path, protocols_folder: Path
) -> None:
    settings = Settings(tmp_path, protocols=protocols_folder, public_url="https://clinic.example")
    with client_of(settings) as client:
        answer = client.get("/trust", headers={"Host": "clinic.example"})
        assert "Nothing to do here" in answer.text
        assert (
            client.get("/trust/steady-hands.crt", headers={"Host": "clinic.example"}).status_code
            == 404
        )


# -- behind a reverse proxy ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def hosted(
    tmp_path_factory: pytest.TempPathFactory, protocols_folder: Path
) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("hosted")
    settings = Settings(folder, protocols=protocols_folder, public_url="https://clinic.example")
    with client_of(settings) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("clinic.example", 200),
        ("CLINIC.example:443", 200),
        ("clinic.example:8000", 421),
        ("127.0.0.1:8000", 421),
        ("evil.test", 421),
    ],
)
def test_behind_a_proxy_the_public_name_alone_is_answered(
    hosted: FlaskClient, host: str, status: int
) -> None:
    answer = hosted.get("/trust", headers={"Host": host})
    assert answer.status_code == status
    assert answer.headers.getlist("Strict-Transport-Security") == ["max-age=31536000"]
    assert status == 200 or 'href="https://clinic.example/"' in answer.text


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("https://clinic.example", True),
        ("http://clinic.example", False),
        ("https://clinic.example:444", False),
        ("null", False),
    ],
)
def test_behind_a_proxy_only_its_own_https_pages_may_post(
    hosted: FlaskClient, origin: str, ours: bool
) -> None:
    headers = {"Host": "clinic.example", "Origin": origin, "X-Forwarded-Proto": "http"}
    answer = hosted.post("/settings", data={"theme": "dim"}, headers=headers)
    assert (answer.status_code != 403) == ours
    if answer.status_code == 303:
        assert "; Secure" in answer.headers["Set-Cookie"]


def test_without_a_public_address_nothing_is_said_about_the_future(visitor: Visitor) -> None:
    assert "Strict-Transport-Security" not in visitor.get("/").headers
