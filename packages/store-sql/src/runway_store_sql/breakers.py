"""Breakers on SQL: one row a breaker that saw a failure; a call that all of them let through costs one read."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from runway_core.domain.breakers import CLOSED, Admission, Breaker, BreakerKey, plan_admission, plan_outcome
from runway_core.domain.identity import ConnectionId
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.record import encode_plain
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import among, is_postgres, upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.limit_tables import breakers as table


class SqlBreakers:
    """The `Breakers` of a database: shared by every process that opens it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def admit(self, keys: Sequence[BreakerKey], *, now: datetime, is_live: bool = False) -> Admission:
        """Ask whether a call may be made; a probe is taken in a transaction of its own."""
        seen = await self._database.read(lambda connection: _read(connection, keys))
        admission, probes = plan_admission([(key, seen[key]) for key in keys], now=now, is_live=is_live)
        if not probes:
            return admission

        def take_probe(connection: Connection) -> Admission:
            held = _lock(connection, keys)
            admitted, taken = plan_admission([(key, held[key]) for key in keys], now=now, is_live=is_live)
            _keep(connection, taken, now)
            return admitted

        return await self._database.write(take_probe)

    async def note(self, keys: Sequence[BreakerKey], *, failed: ConnectionId | None, now: datetime) -> None:
        """Tell how a call ended."""
        if failed is None:
            seen = await self._database.read(lambda connection: _read(connection, keys))
            if all(breaker == CLOSED for breaker in seen.values()):
                return

        def write(connection: Connection) -> None:
            held = _lock(connection, keys)
            _keep(connection, {key: plan_outcome(key, held[key], failed=failed, now=now) for key in keys}, now)

        await self._database.write(write)

    async def breakers(self) -> Mapping[str, Breaker]:
        """Every breaker that saw a failure."""
        rows = await self._database.read(lambda connection: connection.execute(select(table)).all())
        held = {row.breaker_key: Breaker.model_validate_json(row.document) for row in rows}
        return {key: breaker for key, breaker in held.items() if breaker != CLOSED}


def _read(connection: Connection, keys: Sequence[BreakerKey]) -> dict[BreakerKey, Breaker]:
    query = select(table.c.breaker_key, table.c.document).where(
        among(connection, table.c.breaker_key, [key.text for key in keys])
    )
    found = {row.breaker_key: Breaker.model_validate_json(row.document) for row in connection.execute(query)}
    return {key: found.get(key.text, CLOSED) for key in keys}


def _lock(connection: Connection, keys: Sequence[BreakerKey]) -> dict[BreakerKey, Breaker]:
    """Make and lock the rows in the order of their keys, then read them."""
    module = postgresql if is_postgres(connection) else sqlite
    empty = encode_plain(CLOSED).decode()
    rows = [{"breaker_key": text, "document": empty, "touched_at": 0} for text in sorted({key.text for key in keys})]
    statement = module.insert(table).values(rows)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["breaker_key"], set_={"touched_at": table.c.touched_at})
    )
    return _read(connection, keys)


def _keep(connection: Connection, breakers: Mapping[BreakerKey, Breaker], now: datetime) -> None:
    at = to_microseconds(now)
    kept = [(key.text, encode_plain(one).decode(), at) for key, one in breakers.items() if one != CLOSED]
    upsert_rows(connection, table, list(kept))
    closed = [key.text for key, one in breakers.items() if one == CLOSED]
    if closed:
        connection.execute(delete(table).where(among(connection, table.c.breaker_key, closed)))
