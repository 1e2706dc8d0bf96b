"""Deliveries that come side by side are kept by one transaction: each waits for one commit, and they share it.

A commit waits for the disk or a server, and while it does, others come in. They make the next batch. No delivery is
acknowledged before the commit that keeps it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.webhooks import DeliveryKey, InboxDelivery
from runway_core.errors import RunwayError
from sqlalchemy import Connection, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from runway_store_sql.bulk import insert_rows, is_postgres
from runway_store_sql.engine import Database
from runway_store_sql.inbox_tables import inbox, inbox_events
from runway_store_sql.rows import encode_moment

BATCH = 64


def _encode_delivery(delivery: InboxDelivery) -> dict[str, Any]:
    return {
        "rail": delivery.key.rail,
        "delivery_id": delivery.key.delivery_id,
        "received_at": to_microseconds(delivery.received_at),
        "last_seen_at": to_microseconds(delivery.last_seen_at),
        "times_seen": 1,
        "read_at": encode_moment(delivery.read_at),
        "problem": delivery.problem,
        "body": delivery.body,
    }


def _encode_events(delivery: InboxDelivery) -> list[tuple[Any, ...]]:
    return [
        (
            *delivery.key,
            position,
            event.account,
            None if event.kind is None else event.kind.value,
            event.external_id,
            event.operation,
            encode_moment(event.at),
            to_microseconds(delivery.received_at),
        )
        for position, event in enumerate(delivery.events)
    ]


_AGAIN = (
    update(inbox)
    .where(inbox.c.rail == bindparam("of_rail"), inbox.c.delivery_id == bindparam("of_delivery"))
    .values(times_seen=inbox.c.times_seen + bindparam("times"), last_seen_at=bindparam("seen_at"))
)


def write_deliveries(connection: Connection, batch: Sequence[InboxDelivery]) -> list[bool]:
    """Keep deliveries, in three statements whatever their number; says of each whether it is new."""
    places: dict[DeliveryKey, int] = {}
    for place, delivery in enumerate(batch):
        places.setdefault(delivery.key, place)
    rows = [
        _encode_delivery(batch[places[key]]) for key in sorted(places)
    ]  # two writers then never wait for one another
    statement = (postgresql if is_postgres(connection) else sqlite).insert(inbox).on_conflict_do_nothing()
    kept = connection.execute(statement.returning(inbox.c.rail, inbox.c.delivery_id), rows)
    new = {DeliveryKey(*row) for row in kept}
    insert_rows(connection, inbox_events, [row for key in sorted(new) for row in _encode_events(batch[places[key]])])
    is_new = [delivery.key in new and places[delivery.key] == place for place, delivery in enumerate(batch)]
    times = Counter(delivery.key for delivery, news in zip(batch, is_new, strict=True) if not news)
    seen_at = {delivery.key: to_microseconds(delivery.last_seen_at) for delivery in batch}
    if times:
        again = [
            {"of_rail": key.rail, "of_delivery": key.delivery_id, "times": times[key], "seen_at": seen_at[key]}
            for key in sorted(times)
        ]
        connection.execute(_AGAIN, again)
    return is_new


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: InboxDelivery
    is_kept: "asyncio.Future[bool]"


class InboxWriter:
    """Keeps deliveries in batches: what comes while one is being kept makes the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, delivery: InboxDelivery) -> bool:
        """Keep a delivery, durably when this returns; returns whether it is new."""
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await waiting.is_kept

    async def _write_all(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._write(batch)
        finally:  # whoever is left was not answered, because this was cut off
            for waiting in (*batch, *self._waiting):
                waiting.is_kept.cancel()
            self._waiting = []

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        """Keep a batch together; when that fails as a whole, each by itself, so that each gets its own answer."""
        deliveries = [waiting.delivery for waiting in batch]
        try:
            kept = await self._database.write(lambda connection: write_deliveries(connection, deliveries))
        except RunwayError as error:
            if len(batch) == 1:
                _answer(batch[0], error)
                return
            for waiting in batch:
                await self._write([waiting])
            return
        for waiting, is_new in zip(batch, kept, strict=True):
            _answer(waiting, is_new)


def _answer(waiting: _Waiting, outcome: bool | RunwayError) -> None:
    if waiting.is_kept.done():  # whoever asked has gone
        return
    if isinstance(outcome, RunwayError):
        waiting.is_kept.set_exception(outcome)
    else:
        waiting.is_kept.set_result(outcome)
