"""Thousands of requests that nobody should send: none is answered by 5xx, none changes anything."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from werkzeug.test import run_wsgi_app

from tests.security.hostile import Bad, Drawer, Ids
from tests.support.paired_device import LAN_HOST, joined
from tests.support.safe_answers import SAFE
from tests.support.visitor import HOST, Visitor
from webapp.domain.invites import Role
from webapp.server.rsgi import wsgi_environ
from webapp.storage.courses import Courses
from webapp.storage.sessions import Storage
from webapp.storage.tables import metadata

SHORT, LONG = 1_000, 20_000
SLOW_MS = 250
# Who looked, and how often somebody tried to come in; looking is no change.
LOOKED = {"gaps", "sights", "screens"}
TRIED = {"tries"}
FEW = 40


def digest(storage: Storage) -> str:
    """Of every row of every table, but of those that say who looked."""
    found = hashlib.sha256()
    with storage.engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name not in LOOKED:
                rows = connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).all()
                found.update(repr([tuple(row) for row in rows if row[0] not in TRIED]).encode())
    return found.hexdigest()


@dataclass
class Site:
    """A site that others join, as the server in front of it would ask it."""

    owner: Visitor
    cookies: dict[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    slow: list[tuple[float, str]] = field(default_factory=list)

    def send(self, bad: Bad) -> int:
        environ = wsgi_environ(self.scope(bad))  # type: ignore[arg-type]
        environ["wsgi.input"] = io.BytesIO(bad.body)
        begun = time.perf_counter()
        parts, status, _ = run_wsgi_app(self.owner.app.wsgi_app, environ, buffered=True)
        b"".join(parts)
        ms = (time.perf_counter() - begun) * 1000
        if ms > SLOW_MS:
            self.slow.append((ms, bad.target.split(b"?")[0][:60].decode("latin-1")))
        code = int(status.split()[0])
        self.statuses[code] += 1
        return code

    def scope(self, bad: Bad) -> SimpleNamespace:
        """The request as the server hands it over: text in Latin-1, names in small letters."""
        home = bad.by == "owner"
        headers = {"host": HOST if home else LAN_HOST, "content-length": str(len(bad.body))}
        if cookie := self.cookies.get(bad.by):
            headers["cookie"] = cookie
        headers |= {name.lower(): value.decode("latin-1") for name, value in bad.headers}
        path, _, query = bad.target.partition(b"?")
        return SimpleNamespace(
            method=bad.method,
            path=path.decode("latin-1"),
            query_string=query.decode("latin-1"),
            http_version="1.1",
            server="127.0.0.1:8000",
            client="127.0.0.1:5000" if home else "192.168.7.9:5000",
            scheme="http",
            authority=None,
            headers=headers,
        )


@pytest.fixture
def site(owner: Visitor) -> Site:
    roles = {"display": Role.DISPLAY, "operator": Role.OPERATOR}
    tokens = {name: joined(owner, role).token for name, role in roles.items()}
    return Site(owner, {name: f"steady-hands-8000={token}" for name, token in tokens.items()})


@pytest.fixture
def ids(site: Site) -> Ids:
    first, second = site.owner.started(), site.owner.started("sided")
    course = Courses(site.owner.storage).courses(9, 0)[0][0]
    needed = site.owner.screened(q_surgery="yes")
    asked = tuple(name for name in SAFE if without(site.owner, name) == 422)
    return Ids(first, second, needed, course.id, course.client.id, asked)


def without(owner: Visitor, name: str) -> int:
    fields = {key: value for key, value in SAFE.items() if key != name}
    return owner.post("/protocols/short/screening", fields).status_code


def files(site: Site) -> Iterator[str]:
    """What lies in the data folder, besides the database."""
    folder = site.owner.app.extensions["site"].settings.data
    yield from sorted(str(p) for p in folder.rglob("*") if p.is_file() and "sqlite3" not in p.name)


def store_sign_of_life(site: Site) -> None:
    """As the server does every ten seconds: without it /readyz rightly says no."""
    site.owner.storage.store_sign_of_life(site.owner.clock.sign_of_life())


@pytest.mark.promise("requests")
def test_bad_requests_are_refused_and_change_nothing(
    site: Site, ids: Ids, record_property: Callable[[str, object], None]
) -> None:
    number = LONG if os.environ.get("STEADY_HANDS_SECURITY") else SHORT
    drawer = Drawer(20_261_123, ids, ("owner", "operator", "display", "nobody"))
    store_sign_of_life(site)
    before, there = digest(site.owner.storage), list(files(site))
    failed: list[str] = []
    changed: list[str] = []
    for n in range(number):
        if n % 500 == 0:
            store_sign_of_life(site)
        bad = drawer.next()
        if site.send(bad) >= 500:
            failed.append(str(bad))
        if bad.method not in ("GET", "HEAD") and (after := digest(site.owner.storage)) != before:
            changed.append(str(bad))
            before = after
    assert not failed, "\n".join(failed[:FEW])
    assert not changed, "\n".join(changed[:FEW])
    assert digest(site.owner.storage) == before
    assert list(files(site)) == there
    record_property("requests", number)
    where = Counter(path for _, path in site.slow)
    record_property(
        "slower than 250 ms:", f"{len(site.slow)} {dict(where) if where else ''}".strip()
    )
    record_property("statuses", str(dict(sorted(site.statuses.items()))))
