"""What rails sent, on SQL: one row a delivery with its raw body, one row an event."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import RecordKind
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.webhooks import (
    DeliveryKey,
    InboxCounts,
    InboxDelivery,
    InboxLag,
    Listener,
    RailAccount,
    RailEvent,
    UnknownAccount,
)
from sqlalchemy import Connection, case, delete, exists, func, select, update

from runway_store_sql.bulk import among
from runway_store_sql.engine import Database
from runway_store_sql.inbox_tables import inbox, inbox_events
from runway_store_sql.inbox_writing import InboxWriter
from runway_store_sql.jobs import add_jobs
from runway_store_sql.rows import decode_moment
from runway_store_sql.tables import connections

LAG = select(func.count().label("unread"), func.min(inbox.c.received_at).label("oldest_unread_at")).where(
    inbox.c.read_at.is_(None)
)
"""How many deliveries are unread, and since when the oldest is."""


def _by_rail(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for rail, name in sorted(set(pairs)):
        groups[rail].append(name)
    return groups


def _read_event(row: Any) -> RailEvent:
    return RailEvent(
        account=row.account,
        kind=None if row.kind is None else RecordKind(row.kind),
        external_id=row.external_id,
        operation=row.operation,
        at=decode_moment(row.at),
    )


def _read_delivery(row: Any, events: Sequence[RailEvent]) -> InboxDelivery:
    return InboxDelivery(
        key=DeliveryKey(row.rail, row.delivery_id),
        body=row.body,
        events=tuple(events),
        received_at=from_microseconds(row.received_at),
        last_seen_at=from_microseconds(row.last_seen_at),
        times_seen=row.times_seen,
        read_at=decode_moment(row.read_at),
        problem=row.problem,
    )


def _read_listener(rail: str, row: Any) -> Listener:
    return Listener(
        account=RailAccount(rail, row.rail_account),
        firm_id=row.firm_id,
        company_id=row.company_id,
        connection_id=row.connection_id,
        state=ConnectionState(row.state),
    )


def _read_events(connection: Connection, keys: Iterable[DeliveryKey]) -> dict[DeliveryKey, list[RailEvent]]:
    """The events of deliveries in their order, in one query a rail."""
    events: dict[DeliveryKey, list[RailEvent]] = defaultdict(list)
    for rail, ids in _by_rail(keys).items():
        query = (
            select(inbox_events)
            .where(inbox_events.c.rail == rail, among(connection, inbox_events.c.delivery_id, ids))
            .order_by(inbox_events.c.delivery_id, inbox_events.c.position)
        )
        for row in connection.execute(query):
            events[DeliveryKey(rail, row.delivery_id)].append(_read_event(row))
    return events


def mark_deliveries(connection: Connection, keys: Collection[DeliveryKey], *, now: datetime) -> int:
    """Mark deliveries as read within the caller's transaction; returns how many were unread."""
    marked = 0
    for rail, ids in _by_rail(keys).items():
        statement = update(inbox).where(
            inbox.c.rail == rail, among(connection, inbox.c.delivery_id, ids), inbox.c.read_at.is_(None)
        )
        marked += connection.execute(statement.values(read_at=to_microseconds(now))).rowcount
    return marked


class SqlInbox:
    """The `Inbox` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = InboxWriter(database)

    async def accept(self, delivery: InboxDelivery) -> bool:
        """Keep a delivery, durably when this returns; one that is kept already is only counted."""
        return await self._writer.keep(delivery)

    async def unread(self, *, limit: int = 500) -> Sequence[InboxDelivery]:
        """Deliveries whose work was not given out, those received first at the front."""
        query = (
            select(inbox)
            .where(inbox.c.read_at.is_(None))
            .order_by(inbox.c.received_at, inbox.c.rail, inbox.c.delivery_id)
            .limit(limit)
        )

        def read(connection: Connection) -> list[InboxDelivery]:
            rows = connection.execute(query).all()
            keys = [DeliveryKey(row.rail, row.delivery_id) for row in rows]
            events = _read_events(connection, keys)
            return [_read_delivery(row, events.get(key, [])) for row, key in zip(rows, keys, strict=True)]

        return await self._database.read(read)

    async def listeners(self, accounts: Collection[RailAccount]) -> Sequence[Listener]:
        """The connections to these accounts, of every firm, in one query a rail."""

        def read(connection: Connection) -> list[Listener]:
            found: list[Listener] = []
            for rail, names in _by_rail(accounts).items():
                query = select(connections).where(
                    connections.c.rail == rail, among(connection, connections.c.rail_account, names)
                )
                found += [_read_listener(rail, row) for row in connection.execute(query)]
            return sorted(found, key=lambda listener: (listener.company_id, listener.connection_id))

        return await self._database.read(read)

    async def mark_read(self, keys: Collection[DeliveryKey], *, now: datetime) -> int:
        """Mark deliveries as read; those that are read already keep their time."""
        return await self._database.write(lambda connection: mark_deliveries(connection, keys, now=now))

    async def hand_over(
        self, keys: Collection[DeliveryKey], jobs: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Add the jobs that deliveries ask for and mark these as read, in one transaction."""

        def write(connection: Connection) -> EnqueueReceipt:
            receipt = add_jobs(connection, jobs, now=now)
            mark_deliveries(connection, keys, now=now)
            return receipt

        return await self._database.write(write)

    async def prune(self, *, read_before: datetime, limit: int = 1000) -> int:
        """Forget deliveries that were read before a moment, those read first at the front."""
        query = (
            select(inbox.c.rail, inbox.c.delivery_id)
            .where(inbox.c.read_at.is_not(None), inbox.c.read_at < to_microseconds(read_before))
            .order_by(inbox.c.read_at, inbox.c.rail, inbox.c.delivery_id)
            .limit(limit)
        )

        def write(connection: Connection) -> int:
            gone = 0
            for rail, ids in _by_rail((row.rail, row.delivery_id) for row in connection.execute(query)).items():
                for table in (inbox_events, inbox):
                    statement = delete(table).where(table.c.rail == rail, among(connection, table.c.delivery_id, ids))
                    gone_here = connection.execute(statement).rowcount
                gone += gone_here  # of the inbox itself, which comes last
            return gone

        return await self._database.write(write)

    async def lag(self) -> InboxLag:
        """What was not turned into work yet, from the index of unread deliveries."""
        row = await self._database.read(lambda connection: connection.execute(LAG).one())
        return InboxLag(unread=row.unread, oldest_unread_at=decode_moment(row.oldest_unread_at))

    async def counts(self) -> InboxCounts:
        """How the inbox stands."""
        is_unread = inbox.c.read_at.is_(None)
        query = select(
            func.count().label("deliveries"),
            func.count(case((is_unread, 1))).label("unread"),
            func.min(case((is_unread, inbox.c.received_at))).label("oldest_unread_at"),
            func.count(case((inbox.c.times_seen > 1, 1))).label("repeated"),
            func.count(inbox.c.problem).label("unreadable"),
            func.max(inbox.c.received_at).label("last_received_at"),
        )
        row = await self._database.read(lambda connection: connection.execute(query).one())
        return InboxCounts(
            deliveries=row.deliveries,
            unread=row.unread,
            oldest_unread_at=decode_moment(row.oldest_unread_at),
            repeated=row.repeated,
            unreadable=row.unreadable,
            last_received_at=decode_moment(row.last_received_at),
        )

    async def unknown_accounts(self, *, limit: int = 100) -> Sequence[UnknownAccount]:
        """Accounts of kept events that no connection names, the last heard first."""
        is_known = exists().where(
            connections.c.rail == inbox_events.c.rail, connections.c.rail_account == inbox_events.c.account
        )
        last_at = func.max(inbox_events.c.received_at)
        query = (
            select(
                inbox_events.c.rail,
                inbox_events.c.account,
                func.count().label("events"),
                func.min(inbox_events.c.received_at).label("first_at"),
                last_at.label("last_at"),
            )
            .where(~is_known)
            .group_by(inbox_events.c.rail, inbox_events.c.account)
            .order_by(last_at.desc(), inbox_events.c.rail, inbox_events.c.account)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            UnknownAccount(
                account=RailAccount(row.rail, row.account),
                events=row.events,
                first_at=from_microseconds(row.first_at),
                last_at=from_microseconds(row.last_at),
            )
            for row in rows
        ]
