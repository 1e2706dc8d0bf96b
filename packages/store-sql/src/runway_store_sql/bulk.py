"""Many rows at once, each database in its own fastest way, and lists of ids as one parameter."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import ARRAY, Text

from runway_store_sql.engine import ROWS_ARE_WALLED, driver_connection
from runway_store_sql.tables import WIDEST_ROW

COPY_FROM = 20
"""From so many new rows on, PostgreSQL takes them by COPY."""

ROWS_TOGETHER = 100
"""So many new rows SQLite takes in one statement. It works without Python's lock, and the lock is asked for again
after each statement: one a row, and the writer would wait for the rest of the program a thousand times a page."""

_json_encoder = msgspec.json.Encoder(decimal_format="string")
_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.asyncpg.dialect(),  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
}


def is_postgres(connection: Connection) -> bool:
    """Whether the connection leads to PostgreSQL."""
    return connection.dialect.name == "postgresql"


def among(connection: Connection, column: Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """`column` is one of `values`: one parameter whatever their number, so that the statement stays the same."""
    if is_postgres(connection):
        return column == func.any(bindparam(None, list(values), type_=ARRAY(Text())))
    listed = func.json_each(bindparam(None, json_text(list(values)), type_=Text())).table_valued("value")
    return column.in_(select(listed.c.value))


def among_places(connection: Connection, column: Column[Any], places: Sequence[int]) -> ColumnElement[bool]:
    """`column` is one of many places in a log.

    PostgreSQL weighs each constant of a list anew for every month of the log, which takes longer than looking; it gets
    one list that it knows nothing of before it looks.
    """
    if not is_postgres(connection):
        return column.in_(places)
    listed = func.unnest(bindparam(None, list(places), type_=ARRAY(BigInteger())))
    return column == func.any(func.array(select(listed).scalar_subquery()))


def json_text(value: object) -> str:
    """Plain values as JSON text."""
    return _json_encoder.encode(value).decode()


@cache
def _insert_text(dialect: str, table: Table) -> str:
    return str(table.insert().compile(dialect=_DIALECTS[dialect]))


@cache
def _insert_together_text(table: Table, count: int) -> str:
    """One statement for `count` rows."""
    head, _, values = _insert_text("sqlite", table).partition(" VALUES ")
    return f"{head} VALUES {', '.join([values] * count)}"


@cache
def _upsert_text(dialect: str, table: Table) -> str:
    module = postgresql if dialect == "postgresql" else sqlite
    statement = module.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    changes = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    compiled = statement.on_conflict_do_update(index_elements=keys, set_=changes)
    return str(compiled.compile(dialect=_DIALECTS[dialect]))


@cache
def _numbered_text(table: Table, count: int) -> str:
    """One statement of PostgreSQL for `count` rows."""
    names = [column.name for column in table.columns]
    width = len(names)
    rows = (", ".join(f"${first + place}" for place in range(1, width + 1)) for first in range(0, count * width, width))
    values = ", ".join(f"({row})" for row in rows)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values}"  # noqa: S608 - names of our own schema


def insert_page(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]], *, count: int) -> None:
    """Insert `count` new rows in as few statements as can be: PostgreSQL looks at each statement's rows together.

    They are taken as they are sent: what makes them works while a server takes in those before.
    """
    if is_postgres(connection) and 1 < count < COPY_FROM:
        connection.exec_driver_sql(_numbered_text(table, count), tuple(chain.from_iterable(rows)))
        return
    _insert(connection, table, rows, count=count)


def insert_rows(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert new rows; values in the order of the table's columns."""
    if rows:
        _insert(connection, table, rows, count=len(rows))


def _insert(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]], *, count: int) -> None:
    if is_postgres(connection) and count >= COPY_FROM:
        _copy_rows(connection, table, rows)
        return
    if is_postgres(connection):
        connection.exec_driver_sql(_insert_text("postgresql", table), list(rows))
        return
    left = iter(rows)
    while part := list(islice(left, ROWS_TOGETHER)):
        connection.exec_driver_sql(_insert_together_text(table, len(part)), tuple(chain.from_iterable(part)))


def _copy_rows(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows in; behind row level security, which COPY does not take, by way of a table of the session's own."""
    names = [column.name for column in table.columns]
    target = table.name
    if connection.get_execution_options().get(ROWS_ARE_WALLED):
        target = f"staged_{table.name}"
        like = f"(LIKE {table.name}) WITH (toast_tuple_target = {WIDEST_ROW}) ON COMMIT DELETE ROWS"
        made = f"CREATE TEMPORARY TABLE IF NOT EXISTS {target} {like}"  # `LIKE` takes no storage parameters over
        connection.exec_driver_sql(made)
    driver_connection(connection).run_async(
        lambda driver: driver.copy_records_to_table(target, records=rows, columns=names)
    )
    if target != table.name:
        listed = ", ".join(names)
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {target}")  # noqa: S608 - names of tables
        connection.exec_driver_sql(f"DELETE FROM {target}")  # noqa: S608 - the same; more rows may follow in this transaction


def upsert_rows(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows or replace those with the same key; values in the order of the table's columns."""
    if rows:
        connection.exec_driver_sql(_upsert_text(connection.dialect.name, table), rows)
