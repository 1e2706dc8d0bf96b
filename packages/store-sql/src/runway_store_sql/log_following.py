"""Entries of a chain as they lie, so few at once that they are in the processor's caches where they are looked at."""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from operator import itemgetter
from typing import Any

from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import StoredEntry, StoredRow
from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.dialects import postgresql

from runway_store_sql.bulk import is_postgres
from runway_store_sql.engine import driver_connection
from runway_store_sql.tables import log_entries

_BATCH, _BATCH_EMBEDDED = 2000, 100
"""Entries that are looked at together: as many as pay for asking a server, or as the nearest caches hold. With 400 of
them at once SQLite's took a quarter more on a machine that others use."""
_TOGETHER = 20_000
"""So many are looked at on one snapshot: some tenths of a second."""

STORED = tuple(log_entries.c[name] for name in StoredEntry._fields)
FOLLOWING = select(*STORED).where(
    log_entries.c.company_id == bindparam("owner"), log_entries.c.sequence > bindparam("after")
)
_SEQUENCE = itemgetter(0)
_WITHIN = FOLLOWING.where(log_entries.c.sequence <= bindparam("through"))
_WITHIN_TEXT = str(_WITHIN.compile(dialect=postgresql.asyncpg.dialect()))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


def fetch_rows(
    connection: Connection, query: Select[Any], values: Mapping[str, Any] | None = None
) -> Sequence[Sequence[Any]]:
    """The rows as the driver made them: SQLAlchemy's own would be made for nothing."""
    result = connection.execute(query, values)
    rows: Sequence[Sequence[Any]] = result.cursor.fetchall()
    result.close()
    return rows


def query_batch(owner: CompanyId, *, after: int, through: int) -> Select[Any]:
    """The entries from behind one number to another, in any order."""
    return _WITHIN.params(owner=owner, after=after, through=through)


def fetch_within(connection: Connection, owner: CompanyId, *, after: int, through: int) -> Sequence[Sequence[Any]]:
    """Those of some numbers, put in order here: of several months, a server would sort them whole."""
    rows = fetch_rows(connection, _WITHIN, {"owner": owner, "after": after, "through": through})
    return sorted(rows, key=_SEQUENCE)


def follow_some(
    connection: Connection, owner: CompanyId, *, after: int, take: Callable[[Sequence[StoredRow]], bool]
) -> tuple[int, bool, bool]:
    """Give `take` whole batches after a number, as far as one snapshot is kept.

    Says where they ended, if it wants more, and if there may be more.
    """
    last = after + _TOGETHER
    batch, read = (_BATCH, _read_ahead) if is_postgres(connection) else (_BATCH_EMBEDDED, _read_through)
    with closing(read(connection, owner, after=after, last=last, batch=batch)) as batches:
        for rows in batches:
            if len(rows) < batch or rows[-1][0] != after + batch:
                return after, True, False
            after += batch
            if not take(rows):
                return after, False, False
    return after, True, after == last


def _read_through(
    connection: Connection, owner: CompanyId, *, after: int, last: int, batch: int
) -> Generator[Sequence[Sequence[Any]], None, None]:
    """SQLite gives entries as they are asked for, out of one statement: so few lie in memory used a moment before."""
    in_order = _WITHIN.order_by(log_entries.c.sequence)
    with connection.execute(in_order, {"owner": owner, "after": after, "through": last}) as result:
        while rows := result.cursor.fetchmany(batch):
            yield rows


def _read_ahead(
    connection: Connection, owner: CompanyId, *, after: int, last: int, batch: int
) -> Generator[Sequence[Sequence[Any]], None, None]:
    """A server is asked for the next entries before the last ones are looked at, and reads while we hash.

    The first are asked for as everything is, which begins the transaction; the others by the driver itself.
    """
    rows = fetch_within(connection, owner, after=after, through=after + batch)
    run = driver_connection(connection).run_async

    async def ask(driver: Any) -> "asyncio.Task[list[Any]]":
        asked = asyncio.create_task(driver.fetch(_WITHIN_TEXT, owner, after, after + batch))
        await asyncio.sleep(0)  # until it is sent
        return asked

    while len(rows) == batch and (after := after + batch) < last:
        asked = run(ask)
        try:
            yield rows
        finally:
            rows = sorted(run(lambda _: asked), key=_SEQUENCE)  # noqa: B023 - it is called at once
    yield rows
