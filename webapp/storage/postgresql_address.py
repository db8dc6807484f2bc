"""The address of a PostgreSQL database, read once, by PostgreSQL's own rules.

What comes out are the parameters of a connection, each as it is meant: nobody puts them together
to an address again. No message repeats a part of an address that was not understood, because that
part may be the password.
"""

from __future__ import annotations

import os
import re
from urllib.parse import quote

from webapp.storage.database import StorageError

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


def parameters_of(text: str) -> Parameters:
    """What ``DATABASE_URL`` says, by the names that libpq has for it. Raises StorageError."""
    found = ADDRESS.fullmatch(text.strip())
    if not found:
        raise refused("is not understood")
    if found["kind"] not in KINDS:
        raise StorageError(f"a database of kind {found['kind']} is not known; expected {LIKE}")
    if "@" in found["place"].partition("?")[0]:
        raise refused("is not understood: it has an @ too many")
    parameters = parsed(found)
    ports = parameters.get("port", "")
    if not PORTS.fullmatch(ports) or any(
        int(port or 1) not in range(1, 65_536) for port in ports.split(",")
    ):
        raise refused("is not understood: the port is no number from 1 to 65535")
    elsewhere = parameters.keys() | {n for n in ("PGDATABASE", "PGSERVICE") if os.environ.get(n)}
    if not elsewhere & {"dbname", "service", "PGDATABASE", "PGSERVICE"}:
        raise refused("names none")
    return parameters


def parsed(found: re.Match[str]) -> Parameters:
    """By libpq; before that, signs that it wants encoded are encoded where their sense is clear."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError:
        raise StorageError(
            "PostgreSQL needs its driver; install it with: pip install 'steady-hands[postgresql]'"
        ) from None
    try:
        user, password = (quote(found[name] or "", safe="%") for name in ("user", "password"))
        place = quote(with_plain_values(found["place"]), safe=PRINTABLE)
        text = (
            f"postgresql://{user}:{password}@{place}"
            if user or password
            else f"postgresql://{place}"
        )
        return {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except ProgrammingError as error:
        raise refused(f"is not understood: {why(str(error))}") from None
    except ValueError:  # bytes that are no text
        raise refused("is not understood: it holds what is no UTF-8") from None


def with_plain_values(place: str) -> str:
    """An option's value may hold an = of its own, as in ``options=-csearch_path=clinic``."""
    place, mark, query = place.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    return place + mark + "&".join(n + sign + v.replace("=", "%3D") for n, sign, v in pairs)


def why(said: str) -> str:
    """What libpq found wrong, in words that hold nothing of the address."""
    if "percent-encoded" in said or "%00" in said:
        return "a % has to be followed by two hexadecimal digits"
    if "query parameter" in said or "key/value" in said:
        return "an option after the ? is unknown or has no value"
    return "it is not of this form"


def refused(what: str) -> StorageError:
    """Return the error for an address that cannot be read."""
    return StorageError(f"the address of the database {what}; expected {LIKE}; {ENCODED}")


def place_of(parameters: Parameters) -> str:
    """Where the database is, for messages."""
    name = parameters.get("dbname") or f"of service {parameters.get('service', 'PGSERVICE')}"
    host = parameters.get("host") or parameters.get("hostaddr") or "this machine"
    port = parameters.get("port")
    told = f"{name} at {host}" + (f":{port}" if port else "")
    return "".join(sign if sign.isprintable() else "?" for sign in told)
