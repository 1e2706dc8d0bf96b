"""What each path brought and missed, and gaps in what rails tell, on SQL."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from runway_core.domain.company import Connection
from runway_core.domain.gaps import Gap, GapReason, Hearing
from runway_core.domain.identity import ConnectionId, FirmId, RecordKey
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.sweeps import Path, PathTally
from runway_core.domain.webhooks import RailAccount
from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, literal_column, select
from sqlalchemy import Connection as SqlConnection
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import among, is_postgres, upsert_rows
from runway_store_sql.engine import Database
from runway_store_sql.inbox_tables import IS_REPEATED, inbox, inbox_events, path_tallies, webhook_gaps
from runway_store_sql.jobs import add_jobs
from runway_store_sql.rows import decode_moment, encode_moment
from runway_store_sql.tables import connections


def _add_tallies(sql: SqlConnection, rows: list[dict[str, Any]]) -> None:
    """Add to what is there; whichever miss is later stays, and one beats none."""
    statement = (postgresql if is_postgres(sql) else sqlite).insert(path_tallies)
    held, new = path_tallies.c, statement.excluded
    is_later = and_(
        new.last_missed_at.is_not(None),
        func.coalesce(held.last_missed_at, new.last_missed_at) <= new.last_missed_at,
    )
    changes = {
        "brought": held.brought + new.brought,
        "missed": held.missed + new.missed,
        "last_missed_at": case((is_later, new.last_missed_at), else_=held.last_missed_at),
    }
    keys = ["company_id", "connection_id", "path"]
    sql.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def query_heard(firm_id: FirmId, since: datetime) -> Select[Any]:
    """What each account of a firm was told since a moment."""
    events, held = inbox_events.c, connections.c
    return (
        select(
            events.rail,
            events.account,
            func.count(events.delivery_id.distinct()).label("deliveries"),
            func.min(events.received_at).label("first_at"),
            func.max(events.received_at).label("last_at"),
        )
        .join(connections, and_(held.rail == events.rail, held.rail_account == events.account))
        .where(held.firm_id == firm_id, events.received_at >= to_microseconds(since))
        .group_by(events.rail, events.account)
    )


def query_repeats(firm_id: FirmId, since: datetime) -> Select[Any]:
    """When each account of a firm was last told again of what it was told before, since a moment."""
    events, held = inbox_events.c, connections.c
    # Reckoned with, so that no index of accounts is taken, which leads to all they were ever told: repeats are few.
    nothing: ColumnElement[str] = literal_column("''")
    rail, account = func.coalesce(events.rail, nothing), func.coalesce(events.account, nothing)
    return (
        select(rail.label("rail"), account.label("account"), func.max(inbox.c.last_seen_at).label("last_repeat_at"))
        .join(inbox, and_(inbox.c.rail == events.rail, inbox.c.delivery_id == events.delivery_id))
        .join(connections, and_(held.rail == rail, held.rail_account == account))
        .where(held.firm_id == firm_id, IS_REPEATED, inbox.c.last_seen_at >= to_microseconds(since))
        .group_by(rail, account)
    )


def _hearings_query(firm_id: FirmId, since: datetime, repeated_since: datetime) -> Select[Any]:
    """One row a connection that ever heard anything, with what was heard since."""
    heard, repeated = query_heard(firm_id, since).subquery(), query_repeats(firm_id, repeated_since).subquery()
    events, held, tally = inbox_events.c, connections.c, path_tallies.c
    return (
        select(
            *(held[name] for name in ("firm_id", "company_id", "connection_id", "rail", "last_success_at")),
            heard.c.deliveries,
            heard.c.first_at,
            heard.c.last_at,
            repeated.c.last_repeat_at,
            tally.missed,
            tally.last_missed_at,
        )
        .outerjoin(heard, and_(heard.c.rail == held.rail, heard.c.account == held.rail_account))
        .outerjoin(repeated, and_(repeated.c.rail == held.rail, repeated.c.account == held.rail_account))
        .outerjoin(
            path_tallies,
            and_(
                tally.company_id == held.company_id,
                tally.connection_id == held.connection_id,
                tally.path == Path.WEBHOOK.value,
            ),
        )
        .where(held.firm_id == firm_id, exists().where(events.rail == held.rail, events.account == held.rail_account))
        .order_by(held.company_id, held.connection_id)
    )


def _read_hearing(row: Any) -> Hearing:
    return Hearing.trusted(
        {
            "firm_id": row.firm_id,
            "company_id": row.company_id,
            "connection_id": row.connection_id,
            "rail": row.rail,
            "deliveries": row.deliveries or 0,
            "first_at": decode_moment(row.first_at),
            "last_at": decode_moment(row.last_at),
            "last_repeat_at": decode_moment(row.last_repeat_at),
            "missed": row.missed or 0,
            "last_missed_at": decode_moment(row.last_missed_at),
            "last_success_at": decode_moment(row.last_success_at),
        }
    )


class SqlCoverage:
    """The `Coverage` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_tallies(self, connection: Connection, tallies: Sequence[PathTally]) -> None:
        """Add to what a connection's paths brought and missed."""
        rows = [
            {
                "company_id": connection.company_id,
                "connection_id": connection.connection_id,
                "path": tally.path.value,
                "brought": tally.brought,
                "missed": tally.missed,
                "last_missed_at": encode_moment(tally.last_missed_at),
            }
            for tally in tallies
        ]
        if rows:
            await self._database.write(lambda sql: _add_tallies(sql, rows))

    async def tallies(self, firm_id: FirmId) -> Mapping[ConnectionId, Sequence[PathTally]]:
        """What the paths of each connection brought and missed, by path."""
        is_of = and_(
            connections.c.company_id == path_tallies.c.company_id,
            connections.c.connection_id == path_tallies.c.connection_id,
        )
        query = (
            select(path_tallies)
            .join(connections, is_of)
            .where(connections.c.firm_id == firm_id)
            .order_by(path_tallies.c.company_id, path_tallies.c.connection_id, path_tallies.c.path)
        )
        found: dict[ConnectionId, list[PathTally]] = defaultdict(list)
        for row in await self._database.read(lambda sql: sql.execute(query).all()):
            found[row.connection_id].append(
                PathTally(
                    path=Path(row.path),
                    brought=row.brought,
                    missed=row.missed,
                    last_missed_at=decode_moment(row.last_missed_at),
                )
            )
        return found

    async def has_heard(self, account: RailAccount) -> bool:
        """Whether any event of an account is kept."""
        query = (
            select(inbox_events.c.delivery_id)
            .where(inbox_events.c.rail == account.rail, inbox_events.c.account == account.account)
            .limit(1)
        )
        return await self._database.read(lambda sql: sql.execute(query).first()) is not None

    async def announced(
        self, account: RailAccount, keys: Collection[RecordKey], *, since: datetime
    ) -> frozenset[RecordKey]:
        """Those of `keys` of which an event was received since a moment."""
        wanted = frozenset(keys)
        ids = sorted({key.external_id for key in wanted})

        def read(sql: SqlConnection) -> frozenset[RecordKey]:
            query = (
                select(inbox_events.c.kind, inbox_events.c.external_id)
                .distinct()
                .where(
                    inbox_events.c.rail == account.rail,
                    inbox_events.c.account == account.account,
                    inbox_events.c.received_at >= to_microseconds(since),
                    among(sql, inbox_events.c.external_id, ids),
                )
            )
            told = {(row.kind, row.external_id) for row in sql.execute(query)}
            return frozenset(key for key in wanted if (key.kind.value, key.external_id) in told)

        return await self._database.read(read)

    async def hearings(self, firm_id: FirmId, *, since: datetime, repeated_since: datetime) -> Sequence[Hearing]:
        """What was heard since a moment of each connection that ever heard anything."""
        query = _hearings_query(firm_id, since, repeated_since)
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return [_read_hearing(row) for row in rows]

    async def note_gaps(self, gaps: Sequence[Gap], jobs: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Keep gaps, one a connection, and add the pulls that close them, in one transaction."""
        rows = [
            (
                gap.company_id,
                gap.connection_id,
                gap.firm_id,
                gap.rail,
                gap.reason.value,
                to_microseconds(gap.since),
                to_microseconds(gap.noted_at),
                gap.missed,
            )
            for gap in gaps
        ]

        def write(sql: SqlConnection) -> EnqueueReceipt:
            upsert_rows(sql, webhook_gaps, rows)
            return add_jobs(sql, jobs, now=now)

        return await self._database.write(write)

    async def close_gaps(self, firm_id: FirmId, connections: Collection[ConnectionId]) -> int:
        """Forget gaps that are over."""
        ids = sorted(connections)

        def write(sql: SqlConnection) -> int:
            statement = delete(webhook_gaps).where(
                webhook_gaps.c.firm_id == firm_id, among(sql, webhook_gaps.c.connection_id, ids)
            )
            return sql.execute(statement).rowcount

        return await self._database.write(write)

    async def gaps(self, firm_id: FirmId) -> Sequence[Gap]:
        """The gaps that are open, by company, then connection."""
        query = (
            select(webhook_gaps)
            .where(webhook_gaps.c.firm_id == firm_id)
            .order_by(webhook_gaps.c.company_id, webhook_gaps.c.connection_id)
        )
        rows = await self._database.read(lambda sql: sql.execute(query).all())
        return [
            Gap(
                firm_id=row.firm_id,
                company_id=row.company_id,
                connection_id=row.connection_id,
                rail=row.rail,
                reason=GapReason(row.reason),
                since=from_microseconds(row.since),
                noted_at=from_microseconds(row.noted_at),
                missed=row.missed,
            )
            for row in rows
        ]
