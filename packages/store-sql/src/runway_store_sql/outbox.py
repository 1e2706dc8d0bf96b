"""The outbox on SQL. Events are written with their page (`page.py`) and told here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.jobs import EnqueueReceipt, NewJob, coalesce_jobs
from runway_core.domain.log_entry import from_microseconds, to_microseconds
from runway_core.domain.sync_run import OutboxEvent
from runway_core.ports.outbox import PendingEvent
from sqlalchemy import Connection, delete, func, select, tuple_, update

from runway_store_sql.bulk import among
from runway_store_sql.engine import Database
from runway_store_sql.job_rows import count_added, encode_new
from runway_store_sql.tables import IS_UNTOLD, companies, jobs, outbox


def _read_pending(row: Any, depths: Mapping[tuple[str, str], int]) -> PendingEvent:
    payload = msgspec.json.decode(row.payload)
    event = OutboxEvent(
        event_id=row.event_id,
        company_id=CompanyId(row.company_id),
        name=row.name,
        created_at=from_microseconds(row.created_at),
        correlation_id=row.correlation_id,
        payload=payload,
    )
    return PendingEvent(event, FirmId(row.firm_id), depths.get((row.correlation_id, str(payload.get("rail", ""))), 0))


class SqlOutbox:
    """The `Outbox` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, firm_id: FirmId, *, limit: int = 500) -> Sequence[PendingEvent]:
        """Events that were not told, the oldest first."""
        query = (
            select(outbox, companies.c.firm_id)
            .join(companies, companies.c.company_id == outbox.c.company_id)
            .where(IS_UNTOLD, companies.c.firm_id == firm_id)
            .order_by(outbox.c.created_at, outbox.c.company_id, outbox.c.event_id)
            .limit(limit)
        )

        def read(connection: Connection) -> Sequence[PendingEvent]:
            rows = connection.execute(query).all()
            chains = sorted({row.correlation_id for row in rows})
            depths = _read_depths(connection, firm_id, chains) if chains else {}
            return [_read_pending(row, depths) for row in rows]

        return await self._database.read(read)

    async def settle(
        self, events: Sequence[PendingEvent], follow: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Mark events as told and enqueue what follows from them."""
        if not events:
            return EnqueueReceipt(added=0, coalesced=0)
        at = to_microseconds(now)
        keys = sorted((one.event.company_id, one.event.event_id) for one in events)

        def write(connection: Connection) -> EnqueueReceipt:
            told = (
                update(outbox)
                .where(tuple_(outbox.c.company_id, outbox.c.event_id).in_(keys), IS_UNTOLD)
                .values(told_at=at)
                .returning(outbox.c.company_id, outbox.c.event_id)
            )
            ours = {tuple(row) for row in connection.execute(told)}
            fresh = [job for job in follow if (job.company_id, job.cause_id) in ours]
            if not fresh:
                return EnqueueReceipt(added=0, coalesced=0)
            ids, rows = encode_new(coalesce_jobs(fresh), now)
            added = count_added(connection, ids, rows)
            return EnqueueReceipt(added=added, coalesced=len(fresh) - added)

        return await self._database.write(write)

    async def prune(self, *, told_before: datetime) -> int:
        """Forget events that were told before a moment."""
        statement = delete(outbox).where(outbox.c.told_at < to_microseconds(told_before))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _read_depths(connection: Connection, firm_id: FirmId, chains: Sequence[str]) -> dict[tuple[str, str], int]:
    """How deep the jobs of each chain and rail stand."""
    query = (
        select(jobs.c.correlation_id, jobs.c.rail, func.max(jobs.c.depth).label("depth"))
        .where(jobs.c.firm_id == firm_id, among(connection, jobs.c.correlation_id, chains))
        .group_by(jobs.c.correlation_id, jobs.c.rail)
    )
    return {(row.correlation_id, row.rail or ""): row.depth for row in connection.execute(query)}
