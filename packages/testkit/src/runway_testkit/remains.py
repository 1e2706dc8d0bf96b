"""What a run left behind, read at one moment: mirror, log, cursors, outbox, jobs, inbox and positions as plain values.

`invariants` looks at these. The memory store is read here; a database is read by whoever tests it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from runway_core.domain.changes import Cause
from runway_core.domain.company import ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, RecordKey
from runway_core.domain.jobs import Job
from runway_core.domain.log_entry import ChainHead, LogEntry
from runway_core.domain.position import Position
from runway_core.domain.record import Record
from runway_core.domain.sync_run import OutboxEvent
from runway_core.domain.webhooks import DeliveryKey

from runway_testkit.memory_store import MemoryStore


class HeldRow(NamedTuple):
    """One record of the mirror."""

    record: Record
    content_hash: bytes
    is_deleted: bool
    rail: str
    log_sequence: int  # the entry that made it what it is


class HeldJob(NamedTuple):
    """One job, and the lease of whoever works on it."""

    job: Job
    lease_token: int | None = None
    lease_until: datetime | None = None


class HeldDelivery(NamedTuple):
    """One delivery of the inbox."""

    key: DeliveryKey
    received_at: datetime
    read_at: datetime | None  # when its work was given out


@dataclass(frozen=True, slots=True)
class CompanyRemains:
    """Everything of one company."""

    company_id: CompanyId
    rows: Mapping[RecordKey, HeldRow] = field(default_factory=dict)
    entries: Sequence[LogEntry] = ()
    head: ChainHead = field(default_factory=ChainHead)
    cursors: Mapping[ConnectionId, str] = field(default_factory=dict)  # tokens
    events: Sequence[OutboxEvent] = ()
    position: Position | None = None
    is_due: bool = False  # the position is to be computed anew
    is_failing: bool = False  # a connection's last pull failed: its state plans the next one
    sweeps: Sequence[tuple[str, datetime]] = ()  # when comparisons began, with their rails


@dataclass(frozen=True, slots=True)
class Remains:
    """Everything that a store held at one moment."""

    companies: Mapping[CompanyId, CompanyRemains]
    jobs: Sequence[HeldJob] = ()
    deliveries: Sequence[HeldDelivery] = ()

    @property
    def jobs_by_id(self) -> dict[str, HeldJob]:
        """The jobs, by id."""
        return {held.job.job_id: held for held in self.jobs}


def read_memory(store: MemoryStore) -> Remains:
    """What a memory store holds now."""
    companies = {}
    for company_id, state in store.states.items():
        companies[company_id] = CompanyRemains(
            company_id=company_id,
            rows={
                key: HeldRow(held.record, held.content_hash, held.is_deleted, held.rail, held.log_sequence)
                for key, held in state.records.items()
            },
            entries=tuple(state.entries),
            head=state.head,
            cursors={name: cursor.token for name, cursor in state.cursors.items()},
            events=tuple(state.events),
            position=state.position,
            is_failing=any(one.state is ConnectionState.FAILING for one in state.connections.values()),
            is_due=(0 if state.position is None else state.position.log_sequence) < state.due_sequence,
            sweeps=[(run.rail, run.started_at) for run in state.runs.values() if run.cause is Cause.SWEEP],
        )
    jobs = [
        HeldJob(job) if claim is None else HeldJob(job, claim.lease_token, claim.lease_until)
        for job, claim in store.jobs.everything()
    ]
    deliveries = [HeldDelivery(one.key, one.received_at, one.read_at) for one in store.inbox.kept]
    return Remains(companies, jobs, deliveries)
