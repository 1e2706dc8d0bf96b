"""What a run left in a database, read in one snapshot."""

from collections import defaultdict
from typing import Any

import msgspec
from runway_core.domain.changes import Cause
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey
from runway_core.domain.log_entry import ChainHead, LogEntry, decode_entry, from_microseconds
from runway_core.domain.position import Position
from runway_core.domain.sync_run import OutboxEvent
from runway_core.domain.webhooks import DeliveryKey
from runway_store_sql import SqlStore
from runway_store_sql.inbox_tables import inbox
from runway_store_sql.job_rows import read_job
from runway_store_sql.position_tables import positions
from runway_store_sql.rows import decode_moment, field_columns, read_rows
from runway_store_sql.sealing import open_lazily
from runway_store_sql.tables import (
    RECORD_SPECS,
    companies,
    connections,
    cursors,
    jobs,
    log_entries,
    log_heads,
    metadata,
    outbox,
    secrets,
    sync_runs,
)
from runway_testkit.remains import CompanyRemains, HeldDelivery, HeldJob, HeldRow, Remains
from sqlalchemy import Connection, select

Grouped = dict[str, list[Any]]


class SqlReader:
    """Reads remains again and again; entries of the log that were read stay decoded, unless asked to `forget`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._entries: dict[str, list[LogEntry]] = defaultdict(list)

    def forget(self) -> None:
        """Read the whole log again next time."""
        self._entries.clear()

    async def read(self) -> Remains:
        """Everything that the database holds at one moment."""
        return await self._store.database.read(self._read)

    async def dump(self) -> dict[str, bytes]:
        """All rows of every table but the sealed secrets, as text."""

        def read(connection: Connection) -> dict[str, bytes]:
            tables = [table for table in metadata.sorted_tables if table is not secrets]
            return {table.name: repr(connection.execute(select(table)).all()).encode() for table in tables}

        return await self._store.database.read(read)

    def _read(self, connection: Connection) -> Remains:
        rows: dict[str, dict[RecordKey, HeldRow]] = defaultdict(dict)
        for kind, spec in RECORD_SPECS.items():
            frame = [spec.table.c[n] for n in ("company_id", "content_hash", "is_deleted", "rail", "log_sequence")]
            found = connection.execute(select(*field_columns(spec), *frame)).all()
            records = read_rows(spec, [row[: -len(frame)] for row in found])
            for record, row in zip(records, found, strict=True):
                company_id, content_hash, is_deleted, rail, sequence = row[-len(frame) :]
                key = RecordKey(kind, record.external_id)
                rows[company_id][key] = HeldRow(record, content_hash, bool(is_deleted), rail, sequence)
        heads = {row.company_id: row for row in connection.execute(select(log_heads))}
        entries = self._read_entries(connection)
        tokens, links = _group(connection, cursors), _group(connection, connections)
        begun = _group(connection, sync_runs)
        events, held = _group(connection, outbox), _group(connection, positions)
        remains = {}
        for company_id in connection.scalars(select(companies.c.company_id)).all():
            head = heads.get(company_id)
            position = next((Position.model_validate_json(row.document) for row in held[company_id]), None)
            remains[CompanyId(company_id)] = CompanyRemains(
                company_id=CompanyId(company_id),
                rows=rows[company_id],
                entries=entries.get(company_id, []),
                head=ChainHead() if head is None else ChainHead(head.sequence, head.hash),
                cursors={ConnectionId(row.connection_id): row.token for row in tokens[company_id]},
                events=[_read_event(row) for row in events[company_id]],
                position=position,
                is_failing=any(row.state == ConnectionState.FAILING for row in links[company_id]),
                is_due=head is not None and (0 if position is None else position.log_sequence) < head.due_sequence,
                sweeps=[
                    (row.rail, from_microseconds(row.started_at))
                    for row in begun[company_id]
                    if row.cause == Cause.SWEEP.value
                ],
            )
        return Remains(
            remains,
            [
                HeldJob(read_job(row), row.lease_token, decode_moment(row.lease_until))
                for row in connection.execute(select(jobs))
            ],
            [
                HeldDelivery(
                    DeliveryKey(row.rail, row.delivery_id),
                    from_microseconds(row.received_at),
                    decode_moment(row.read_at),
                )
                for row in connection.execute(
                    select(inbox.c.rail, inbox.c.delivery_id, inbox.c.received_at, inbox.c.read_at)
                )
            ],
        )

    def _read_entries(self, connection: Connection) -> dict[str, list[LogEntry]]:
        for company_id in connection.scalars(select(companies.c.company_id)).all():
            known = self._entries[company_id]
            query = select(log_entries).where(
                log_entries.c.company_id == company_id, log_entries.c.sequence > (known[-1].sequence if known else 0)
            )
            opener = open_lazily(connection, CompanyId(company_id))
            for row in connection.execute(query.order_by(log_entries.c.sequence)).all():
                owner, _, draft = decode_entry(row.canonical, opener)
                known.append(LogEntry(owner, row.sequence, draft, row.previous_hash, row.hash, row.canonical))
        return {company_id: list(known) for company_id, known in self._entries.items()}


def _group(connection: Connection, table: Any) -> Grouped:
    groups: Grouped = defaultdict(list)
    for row in connection.execute(select(table)):
        groups[row.company_id].append(row)
    return groups


def _read_event(row: Any) -> OutboxEvent:
    return OutboxEvent(
        event_id=row.event_id,
        company_id=CompanyId(row.company_id),
        name=row.name,
        created_at=from_microseconds(row.created_at),
        correlation_id=row.correlation_id,
        payload=msgspec.json.decode(row.payload),
    )
