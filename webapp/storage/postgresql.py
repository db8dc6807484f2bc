"""PostgreSQL: connections, transactions, parsing of ``DATABASE_URL``, and its own statements.

Its server orders the writers. The address is read once, by PostgreSQL's own rules, and what comes
out are the parameters of a connection. No message repeats a part of an address that was not
understood, because that part may be the password.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.storage.database import (
    BUSY_SECONDS,
    AwayError,
    ConflictError,
    Database,
    LostError,
    NotSavedError,
    StorageError,
    undo,
)

CONNECT_SECONDS = 3
PATIENCE_SECONDS = 3.0
RETRY_SECONDS = 0.05
ONE_AT_A_TIME = 5_487_263_540  # names our lock among a server's advisory locks

OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "synchronous_commit": "on",
        "statement_timeout": 5_000,
        "lock_timeout": 5_000,
        "idle_in_transaction_session_timeout": 90_000,
    }.items()
)

LIKE = "postgresql://user:password@host/database"
ENCODED = "in names and passwords write @ as %40, : as %3A, / as %2F and % as %25"
ADDRESS = re.compile(
    r"(?P<kind>[a-z][a-z0-9+]*)://(?:(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@)?(?P<place>.*)",
    re.DOTALL,
)
KINDS = {"postgres", "postgresql", "postgresql+psycopg"}
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))  # without the space
PORTS = re.compile(r"(\d{0,5}(,\d{0,5})*)?", re.ASCII)

Parameters = dict[str, str]

# Adds an event and moves its session on in one statement, and so in one round trip.
MOVE_ON_AT_ONCE = sa.text(
    "WITH moved AS ("
    "UPDATE sessions SET last_seq = :b_seq, live_until = :b_until "
    "WHERE id = :b_id AND last_seq = :b_seen RETURNING id) "
    "INSERT INTO events (session, seq, key, kind, at, detail) "
    "SELECT moved.id, one.seq, one.key, one.kind, one.at, one.detail "
    "FROM moved, json_to_recordset(CAST(:told AS json)) "
    "AS one (seq integer, key text, kind text, at bigint, detail text)"
)
# Who sends each of many heartbeats, and how far its session is, in their order. LATERAL and LIMIT
# keep it to the indexes: a join would be planned as a scan of all sessions.
BEATS = sa.text(
    "SELECT one.id, one.role, one.seen_at, "
    "(SELECT last_seq FROM sessions WHERE sessions.id = asked.session) AS last_seq "
    "FROM unnest(CAST(:tokens AS text[]), CAST(:sessions AS text[])) "
    "WITH ORDINALITY AS asked (token, session, place) "
    "LEFT JOIN LATERAL (SELECT id, role, seen_at FROM devices "
    "WHERE token_hash = asked.token AND revoked_at IS NULL LIMIT 1) AS one ON true "
    "ORDER BY asked.place"
)
# Thousands of rows in one statement.
ADD_SIGHTS = sa.text(
    "INSERT INTO sights (session, process, at) "
    "SELECT key, :process, value::bigint FROM json_each_text(CAST(:told AS json))"
)


class Postgresql(Database):
    """A server that any number of processes share."""

    shared = True

    def __init__(self, parameters: dict[str, str], folder: Path, name: str) -> None:
        """``parameters`` as libpq names them; the engine's own address holds none of them."""
        theirs = parameters.get("options") or os.environ.get("PGOPTIONS", "")
        engine = sa.create_engine(
            "postgresql+psycopg://",
            connect_args=parameters
            | {
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": int(BUSY_SECONDS * 1000),
                "keepalives_idle": 30,
                "options": f"{theirs} {OPTIONS}".strip(),  # of two the last counts
                "application_name": "steady-hands",
                "client_encoding": "UTF8",  # whatever PGCLIENTENCODING says
            },
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
            pool_reset_on_return=None,
        )
        super().__init__(engine, folder, name)
        self.parameters = parameters
        self.patient = False
        sa.event.listen(engine, "do_connect", self.connect)
        sa.event.listen(engine, "handle_error", self.translate)

    def connect(self, dialect: Any, _record: object, cargs: Any, cparams: Any) -> Any:
        """Open a connection. It waits once for a server that restarts."""
        end = time.monotonic() + (PATIENCE_SECONDS if self.patient else 0)
        while True:
            try:
                connection = dialect.connect(*cargs, **cparams)
            except dialect.dbapi.OperationalError:
                if time.monotonic() >= end:
                    self.patient = False
                    raise
                time.sleep(RETRY_SECONDS)
            except ValueError:  # a name of a host that cannot be one
                raise dialect.dbapi.OperationalError("its address cannot be used") from None
            else:
                self.patient = True
                return connection

    def translate(self, context: sa.engine.ExceptionContext) -> None:
        """Raise what callers know instead of the driver's errors. Raises LostError, AwayError."""
        if context.is_pre_ping:  # the pool opens a new connection in place of a broken one
            return
        error = context.sqlalchemy_exception
        if context.is_disconnect:
            raise LostError("the connection to the database was lost") from error
        if isinstance(error, sa.exc.OperationalError):
            self.written_at = None
            raise AwayError("the database does not answer") from error

    @contextmanager
    def write(self, *, single: bool = False) -> Iterator[sa.Connection]:
        """A transaction on a connection of its own; committed when the block ends well.

        ``single``: the block writes by one statement, which is a transaction by itself. It gets the
        connection that this thread reads by, and costs one round trip instead of five.
        """
        if single and self.own:
            with self.write_single(self.own) as connection:
                yield connection
            return
        with self.engine.connect() as connection:
            try:
                connection.exec_driver_sql("BEGIN")
                yield connection
                connection.exec_driver_sql("COMMIT")
                self.written_at = time.monotonic()
            except (IntegrityError, ConflictError):
                undo(connection)
                raise
            except DBAPIError as error:
                self.written_at = None
                connection.invalidate()
                raise NotSavedError("the database could not be written") from error
            except AwayError:
                self.written_at = None
                connection.invalidate()
                raise
            except BaseException:
                undo(connection)
                raise

    @contextmanager
    def write_single(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        """Write by one statement on a connection for reading. Raises NotSavedError."""
        try:
            yield connection
            self.written_at = time.monotonic()
        except (IntegrityError, ConflictError):
            raise
        except BaseException as error:
            connection.invalidate()
            connection.close()
            if isinstance(error, (DBAPIError, AwayError)):
                self.written_at = None
            if isinstance(error, DBAPIError):
                raise NotSavedError("the database could not be written") from error
            raise

    def alone(self, connection: sa.Connection) -> None:
        """Wait until no other process makes or migrates tables; until this transaction ends."""
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))

    def check_new(self, connection: sa.Connection) -> None:
        """Raise StorageError for a new database whose encoding cannot hold every text."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding not in ("UTF8", "SQL_ASCII"):
            raise StorageError(
                f"the database {self.name} keeps texts as {encoding}, which has no place for some; "
                "make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            )

    def wipe(self) -> None:
        """Rewrite the tables so that nothing of deleted rows is left in their files."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            try:
                for name in sa.inspect(connection).get_table_names():
                    connection.exec_driver_sql(f'VACUUM (FULL) "{name}"')
            finally:
                connection.invalidate()


def parameters_of(text: str) -> Parameters:
    """What ``DATABASE_URL`` says, by the names that libpq has for it. Raises StorageError."""
    match = ADDRESS.fullmatch(text.strip())
    if not match:
        raise address_error("is not understood")
    if match["kind"] not in KINDS:
        raise StorageError(f"a database of kind {match['kind']} is not known; expected {LIKE}")
    if "@" in match["place"].partition("?")[0]:
        raise address_error("is not understood: it has an @ too many")
    parameters = parse_address(match)
    ports = parameters.get("port", "")
    if not PORTS.fullmatch(ports) or any(
        int(port or 1) not in range(1, 65_536) for port in ports.split(",")
    ):
        raise address_error("is not understood: the port is no number from 1 to 65535")
    elsewhere = parameters.keys() | {n for n in ("PGDATABASE", "PGSERVICE") if os.environ.get(n)}
    if not elsewhere & {"dbname", "service", "PGDATABASE", "PGSERVICE"}:
        raise address_error("names none")
    return parameters


def parse_address(match: re.Match[str]) -> Parameters:
    """By libpq; before that, signs that it wants encoded are encoded where their sense is clear."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError:
        raise StorageError(
            "PostgreSQL needs its driver; install it with: pip install 'steady-hands[postgresql]'"
        ) from None
    try:
        user, password = (quote(match[name] or "", safe="%") for name in ("user", "password"))
        place = quote(encode_values(match["place"]), safe=PRINTABLE)
        text = (
            f"postgresql://{user}:{password}@{place}"
            if user or password
            else f"postgresql://{place}"
        )
        return {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except ProgrammingError as error:
        raise address_error(f"is not understood: {explain(str(error))}") from None
    except ValueError:  # bytes that are no text
        raise address_error("is not understood: it holds what is no UTF-8") from None


def encode_values(place: str) -> str:
    """An option's value may hold an = of its own, as in ``options=-csearch_path=clinic``."""
    place, mark, query = place.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    return place + mark + "&".join(n + sign + v.replace("=", "%3D") for n, sign, v in pairs)


def explain(said: str) -> str:
    """What libpq found wrong, in words that hold nothing of the address."""
    if "percent-encoded" in said or "%00" in said:
        return "a % has to be followed by two hexadecimal digits"
    if "query parameter" in said or "key/value" in said:
        return "an option after the ? is unknown or has no value"
    return "it is not of this form"


def address_error(what: str) -> StorageError:
    """Return the error for an address that cannot be used."""
    return StorageError(f"the address of the database {what}; expected {LIKE}; {ENCODED}")


def describe_place(parameters: Parameters) -> str:
    """Where the database is, for messages."""
    name = parameters.get("dbname") or f"of service {parameters.get('service', 'PGSERVICE')}"
    host = parameters.get("host") or parameters.get("hostaddr") or "this machine"
    port = parameters.get("port")
    place = f"{name} at {host}" + (f":{port}" if port else "")
    return "".join(sign if sign.isprintable() else "?" for sign in place)
