"""Export and import of the whole database as JSON Lines: exact, checked, all or nothing.

The first line holds format and schema. Then comes one line for each row, parents before children.
The last line counts the rows and holds their digest, so that a torn file is noticed. A file that
went through an editor comes in as long as its rows are the same: with a byte order mark, other line
ends, empty lines, other blanks, and its fields in another order.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from webapp.protocol_files.json_reader import BRACKET, STRING, NotJsonError, json_path, parse
from webapp.storage.database import Database, Progress, StorageError, ignore_progress, reason, undo
from webapp.storage.postgresql import Postgresql
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import LOCAL_TABLES
from webapp.storage.upgrade import migrate

FORMAT = 1
MOST_LINE = 8 * 1024 * 1024
AT_ONCE = 500
MOST_UNPACKED = 8 * 1024 * 1024 * 1024
PACKED = b"\x1f\x8b"  # how a file that gzip has made begins
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BLANKS = " \t\r\n"
LEFT_OUT = LOCAL_TABLES | {"alembic_version"}
LOCAL = ("schema", "life", "line", "tries", "retention")  # of this site and machine, in meta
BEGIN = {
    "sqlite": "BEGIN",
    "postgresql": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0"
    ),
}

ExportRow = dict[str, Any]


def tables_in(connection: sa.Connection) -> list[sa.Table]:
    """The tables as they are in the database, parents first, but for those of this very site."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return exported_tables(metadata)


def exported_tables(metadata: sa.MetaData) -> list[sa.Table]:
    """The tables that an export carries."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def rows_of(
    connection: sa.Connection, table: sa.Table, chosen: sa.ColumnElement[bool] | None = None
) -> Iterator[ExportRow]:
    """All rows, or the chosen ones, in an order that both databases give alike."""
    query = sa.select(table).order_by(*[by_bytes(connection, c) for c in table.primary_key])
    if table.name == "meta":
        query = query.where(~is_local(table))
    if chosen is not None:
        query = query.where(chosen)
    for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
        yield dict(row._mapping)


def is_local(meta: sa.Table) -> sa.ColumnElement[bool]:
    """The rows of ``meta`` that belong to this site and machine."""
    return sa.or_(meta.c.name.in_(LOCAL), meta.c.name.like("life-%"))


def by_bytes(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Sort texts by their bytes, whatever the language of the database."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, sa.String):
        return column.collate("C")
    return column


@contextmanager
def snapshot(database: Database) -> Iterator[sa.Connection]:
    """A connection that sees one instant of the database, and may take its time.

    Raises StorageError when the database cannot be read.
    """
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql(BEGIN[database.engine.dialect.name])
            try:
                yield connection
            finally:
                undo(connection)
    except DBAPIError as error:
        said = reason(error)
        raise StorageError(f"the database {database.name} cannot be read: {said}") from error


class Digest:
    """Of a set of lines, whatever their order."""

    def __init__(self) -> None:
        self.rows = 0
        self.sum = 0

    def add(self, line: str) -> None:
        self.rows += 1
        self.sum += int.from_bytes(hashlib.sha256(line.encode()).digest())

    def text(self) -> str:
        return hashlib.sha256(f"{self.rows} {self.sum % 2**512}".encode()).hexdigest()


def line_of(table: str, row: ExportRow, *, in_order: bool = False) -> str:
    """The line of a row; ``in_order`` sorts its fields."""
    row = dict(sorted(row.items())) if in_order else row
    return json.dumps({"table": table, "row": row}, ensure_ascii=False, separators=(",", ":"))


def digest(database: Database) -> str:
    """The same for the same content, in whichever database it lies."""
    total = Digest()
    with snapshot(database) as connection:
        for table in tables_in(connection):
            for row in rows_of(connection, table):
                total.add(line_of(table.name, row))
    return total.text()


def lines(
    database: Database, client: str = "", report: Progress = ignore_progress
) -> Iterator[str]:
    """The export of all there is, or of the client with this code, line by line.

    Raises StorageError, for an unknown client too.
    """
    total, in_order = Digest(), Digest()
    with snapshot(database) as connection:
        query = "SELECT value FROM meta WHERE name = 'schema'"
        schema = int(connection.exec_driver_sql(query).scalar() or 0)
        tables = tables_in(connection)
        chosen = client_rows(connection, tables, client) if client else dict.fromkeys(tables)
        of = sum(count_of(connection, table, where) for table, where in chosen.items())
        head = {"steady-hands": "export", "format": FORMAT, "schema": schema}
        yield json.dumps(head | ({"client": client} if client else {}))
        for table, where in chosen.items():
            for row in rows_of(connection, table, where):
                line = line_of(table.name, row)
                total.add(line)
                in_order.add(line_of(table.name, row, in_order=True))
                yield line
                if total.rows % AT_ONCE == 0:
                    report(total.rows, of)
    digests = {"digest": total.text(), "in_order": in_order.text()}
    yield json.dumps({"end": True, "rows": total.rows} | digests)


def count_of(
    connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool] | None = None
) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    return connection.scalar(query if where is None else query.where(where)) or 0


def client_rows(
    connection: sa.Connection, tables: list[sa.Table], code: str
) -> dict[sa.Table, sa.ColumnElement[bool] | None]:
    """The tables with rows that hang on a client, and which rows these are. Raises StorageError."""
    clients = next((table for table in tables if table.name == "clients"), None)
    query = sa.text("SELECT id FROM clients WHERE code = :code")
    client_id = None if clients is None else connection.scalar(query, {"code": code})
    if clients is None or not client_id:
        raise StorageError(f"there is no client {code}; nothing was written")
    chosen: dict[sa.Table, sa.ColumnElement[bool] | None] = {clients: clients.c.id == client_id}
    for table in tables:
        up = [key for key in table.foreign_keys if key.column.table in chosen]
        if up and table not in chosen:
            where = [key.parent.in_(ids_of(key.column.table, chosen)) for key in up]
            chosen[table] = sa.or_(*where)
    return chosen


def ids_of(
    table: sa.Table, chosen: dict[sa.Table, sa.ColumnElement[bool] | None]
) -> sa.Select[tuple[Any]]:
    query, where = sa.select(table.c.id), chosen[table]
    return query if where is None else query.where(where)


def write_file(
    database: Database, path: Path, client: str = "", report: Progress = ignore_progress
) -> None:
    """Write an export, packed when the name ends in .gz."""
    with open_to_write(path) as file:
        for line in lines(database, client, report):
            file.write(line + "\n")


def open_to_write(path: Path) -> IO[str]:
    """A file to write an export into."""
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="\n")
    return path.open("wt", encoding="utf-8", newline="\n")


@contextmanager
def read_lines(
    path: Path, report: Progress = ignore_progress
) -> Iterator[Iterator[tuple[int, str]]]:
    """The records of an export with their first lines, each no longer than is read anyway.

    Packed or not is seen from its beginning: browsers unpack files and leave their names. Raises
    ValueError.
    """
    with path.open("rb") as raw:
        begins = raw.read(2)
        raw.seek(0)
        if begins in UTF_16:
            raise ValueError("the file is saved as UTF-16, expected UTF-8")
        plain: Any = gzip.GzipFile(fileobj=raw) if begins == PACKED else raw
        file = io.TextIOWrapper(plain, encoding="utf-8-sig", newline=None)
        size = path.stat().st_size

        def numbered() -> Iterator[tuple[int, str]]:
            number = length_of = 0
            while line := file.readline(MOST_LINE + 2):
                number, length_of = number + 1, length_of + len(line)
                if length_of > MOST_UNPACKED:
                    raise ValueError(f"line {number}: the file unpacks to more than is taken")
                if number % AT_ONCE == 0:
                    report(raw.tell(), size)
                yield number, line

        yield records(numbered())


def records(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each object with the number of its first line: on one line, or on as many as it takes."""
    for first, line in numbered:
        text = line.strip(BLANKS)
        if not text:
            continue
        if not (text.startswith("{") and text.endswith("}")):
            depth = depth_of(text)
            while depth > 0 and len(text) <= MOST_LINE:
                more = next(numbered, (0, ""))[1]
                if not more:
                    break
                text, depth = f"{text}\n{more.rstrip(BLANKS)}", depth + depth_of(more)
        yield first, text


def depth_of(line: str) -> int:
    """How many brackets the line leaves open; no text goes on in a second line."""
    signs = BRACKET.findall(STRING.sub("", line))
    return sum(1 if sign in "{[" else -1 for sign in signs)


def read_file(
    database: Sqlite | Postgresql,
    path: Path,
    metadata: sa.MetaData,
    known: int,
    check: Callable[[sa.Connection], None],
    *,
    replace: bool = False,
    report: Progress = ignore_progress,
) -> int:
    """Bring an export in, in one transaction; gives the number of rows. Raises StorageError.

    ``check`` raises ValueError for rows that make no sense together. With ``replace`` everything
    that was there is gone. The file is read twice.
    """
    try:
        check_whole(path, known, lambda done, of: report(done, 2 * of))
        with read_lines(path, lambda done, of: report(of + done, 2 * of)) as numbered:
            schema = read_header(numbered, known)
            rows = read_rows(numbered)
            if schema < known:
                return import_rows(
                    database, upgrade_rows(rows, schema, known), metadata, check, replace
                )
            return import_rows(database, rows, metadata, check, replace)
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error})") from None
    except (EOFError, UnicodeDecodeError, zlib.error) as error:
        raise StorageError(f"{path} is damaged ({error}); nothing was changed") from None
    except ValueError as error:
        raise StorageError(f"{path}: {error}; nothing was changed") from None


def check_whole(path: Path, known: int, report: Progress = ignore_progress) -> None:
    """Read the file to its end. Raises ValueError when it is torn, changed or not ours."""
    with read_lines(path, report) as numbered:
        read_header(numbered, known)
        for _ in read_rows(numbered):
            pass


def read_header(numbered: Iterator[tuple[int, str]], known: int) -> int:
    """The schema of the file. Raises ValueError."""
    first = parse_line(*next(numbered, (1, "")))
    if first.get("steady-hands") != "export":
        raise ValueError("line 1: this is no export of Steady Hands")
    if first.get("format") != FORMAT:
        raise ValueError(f"line 1: format {first.get('format')}, expected {FORMAT}")
    schema = first.get("schema")
    if not isinstance(schema, int) or not 0 < schema <= known:
        raise ValueError(f"line 1: written by a newer Steady Hands (schema {schema})")
    return schema


def parse_line(number: int, line: str) -> dict[str, Any]:
    """The object on a line. Raises ValueError."""
    if len(line) > MOST_LINE:
        raise ValueError(f"line {number}: longer than {MOST_LINE:,} characters")
    try:
        document = parse(line, stored=True)
    except NotJsonError as error:
        raise ValueError(f"line {number}: {error.fault.message}") from None
    for fault in document.faults:
        raise ValueError(f"line {number}: {json_path(fault.path)}: {fault.message}")
    if not isinstance(document.value, dict):
        raise ValueError(f"line {number}: expected an object in braces")
    return document.value


def read_rows(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str, ExportRow]]:
    """Line, table and row of all rows. Raises ValueError, also where the file ends too early."""
    total, in_order = Digest(), Digest()
    for number, line in numbered:
        value = parse_line(number, line)
        if value.get("end") is True:
            same = value.get("digest") == total.text()
            same |= value.get("in_order") == in_order.text()
            if value.get("rows") != total.rows or not same:
                raise ValueError("rows were added, changed or lost since the file was written")
            if more := next(numbered, None):
                raise ValueError(f"line {more[0]}: expected nothing after the end")
            return
        table, row = value.get("table"), value.get("row")
        if value.keys() != {"table", "row"} or not isinstance(row, dict):
            raise ValueError(f"line {number}: expected table and row")
        total.add(line_of(str(table), row))
        in_order.add(line_of(str(table), row, in_order=True))
        yield number, str(table), row
    raise ValueError("the file has no end; part of it is missing")


def upgrade_rows(
    rows: Iterable[tuple[int, str, ExportRow]], schema: int, known: int
) -> Iterator[tuple[int, str, ExportRow]]:
    """Rows of an older schema as they are in the known one: they pass through its migrations."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.connect() as connection:
        migrate(connection, 0, schema)
        insert_rows(connection, rows, tables_in(connection))
        migrate(connection, schema, known)
        for table in tables_in(connection):
            for row in rows_of(connection, table):
                yield 0, table.name, row


def import_rows(
    database: Sqlite | Postgresql,
    rows: Iterable[tuple[int, str, ExportRow]],
    metadata: sa.MetaData,
    check: Callable[[sa.Connection], None],
    replace: bool,
) -> int:
    try:
        with database.write() as connection:
            database.alone(connection)
            if replace:
                delete_rows(connection, metadata)
            count = insert_rows(connection, rows, exported_tables(metadata))
            check(connection)
    except IntegrityError as error:
        why = str(error.orig).splitlines()[0]
        raise ValueError(f"the database has some of these rows already ({why})") from None
    return count


def delete_rows(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Everything that an export would have."""
    for table in reversed(exported_tables(metadata)):
        if table.name != "meta":
            connection.execute(sa.delete(table))
    meta = metadata.tables["meta"]
    connection.execute(sa.delete(meta).where(~is_local(meta)))


def insert_rows(
    connection: sa.Connection, rows: Iterable[tuple[int, str, ExportRow]], tables: list[sa.Table]
) -> int:
    """Insert the rows; gives how many. Raises ValueError, IntegrityError."""
    known = {table.name: table for table in tables}
    count, waiting, into = 0, list[ExportRow](), ""
    for number, name, row in rows:
        if name not in known:
            raise ValueError(f"line {number}: there is no table {name[:60]!r}")
        check_row(number, known[name], row)
        if waiting and (name != into or len(waiting) == AT_ONCE):
            connection.execute(sa.insert(known[into]), waiting)
            waiting = []
        into = name
        waiting.append(row)
        count += 1
    if waiting:
        connection.execute(sa.insert(known[into]), waiting)
    return count


def check_row(number: int, table: sa.Table, row: ExportRow) -> None:
    """Raise ValueError when the row is not one of ``table``."""
    if row.keys() != set(table.columns.keys()):
        raise ValueError(f"line {number}: expected the columns {', '.join(table.columns.keys())}")
    for name, value in row.items():
        column = table.columns[name]
        if value is None:
            fits = bool(column.nullable)
        else:
            fits = type(value) is column.type.python_type
            fits &= not isinstance(value, str) or len(value) <= (length_of(column) or len(value))
        if not fits:
            raise ValueError(f"line {number}: {name}: the value does not fit")


def length_of(column: sa.Column[Any]) -> int | None:
    return column.type.length if isinstance(column.type, sa.String) else None
