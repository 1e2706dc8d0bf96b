"""`MemoryStore`: every storing port in dictionaries, for tests of what stands on a store.

It decides with the same planning as the real ones and passes the same contract suite; nothing outlives the object.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Self

from pydantic import SecretStr
from runway_core.domain.announcements import find_connection_news
from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.company import Company, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry, StoredEntry, StoredRow, to_microseconds
from runway_core.domain.record import encode_plain
from runway_core.domain.sync_run import NOTHING_READ, RunOutcome, SyncRun
from runway_core.errors import CompanyErased, InvalidRequest, LeaseHeld, LeaseLost, NotFound
from runway_core.ports.clock import Clock, SystemClock
from runway_core.ports.mirror_store import Lease
from runway_core.ports.store import StoreHealth

from runway_testkit.memory_anchors import MemoryAnchorStore, MemoryLogKeys
from runway_testkit.memory_answers import MemoryAnsweredCalls
from runway_testkit.memory_archives import MemoryLogArchives
from runway_testkit.memory_breakers import MemoryBreakers
from runway_testkit.memory_calls import MemoryCallLedger
from runway_testkit.memory_coverage import MemoryCoverage
from runway_testkit.memory_erasures import MemoryErasures
from runway_testkit.memory_health import MemoryHealthStore, count_calls
from runway_testkit.memory_inbox import MemoryInbox
from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_mirror import MemoryMirrorStore
from runway_testkit.memory_outbox import MemoryOutbox
from runway_testkit.memory_papers import MemoryWorkingPapers
from runway_testkit.memory_people import FirmPeople, MemoryChain, MemoryPeopleStore
from runway_testkit.memory_positions import MemoryPositionStore
from runway_testkit.memory_state import CompanyState, HeldLease, States, draft_act
from runway_testkit.memory_subscriptions import MemorySubscriptionStore


class MemoryTransactionLog:
    """The `TransactionLog` in memory."""

    def __init__(self, states: States, firms: dict[CompanyId, MemoryChain]) -> None:
        self._states = states
        self._firms = firms

    def _chain(self, company_id: CompanyId) -> CompanyState | MemoryChain | None:
        return self._firms.get(company_id) or self._states.get(company_id)

    async def append(self, company_id: CompanyId, drafts: Sequence[LogDraft]) -> ChainHead:
        """Append entries that change no record."""
        state = self._states.get(company_id)
        if state is None:
            raise NotFound(f"no company {company_id!r}")
        state.append(list(drafts))
        return state.head

    async def head(self, company_id: CompanyId) -> ChainHead:
        """Where the chain ends."""
        chain = self._chain(company_id)
        return ChainHead() if chain is None else chain.head

    async def entries(self, company_id: CompanyId, *, after: int = 0, batch: int = 1000) -> AsyncIterator[LogEntry]:  # noqa: ARG002 - nothing is read in batches here
        """Stream entries after a sequence number."""
        chain = self._chain(company_id)
        for entry in list(chain.entries if chain is not None else ()):
            if entry.sequence > after:
                yield entry

    async def stored(
        self, company_id: CompanyId, *, after: int = 0, batch: int = 2000
    ) -> AsyncIterator[Sequence[StoredEntry]]:
        """Stream entries after a sequence number as they are stored."""
        found = [entry async for entry in self.entries(company_id, after=after)]
        for start in range(0, len(found), batch):
            yield [_store(entry) for entry in found[start : start + batch]]

    async def follow(
        self, company_id: CompanyId, take: Callable[[Sequence[StoredRow]], bool], *, after: int = 0
    ) -> None:
        """Give `take` the entries after a sequence number, until it wants no more."""
        async for batch in self.stored(company_id, after=after):
            if not take(batch):
                return

    async def last_before(self, company_id: CompanyId, moment: datetime) -> int:
        """The number of the last entry that stands before all entries seen at `moment` or later."""
        entries = [entry async for entry in self.entries(company_id)]
        later = [entry.sequence for entry in entries if entry.draft.seen_at >= moment]
        return later[0] - 1 if later else len(entries)

    async def last_drafts(self, company_id: CompanyId, *, through: int, kinds: Sequence[str]) -> Sequence[LogDraft]:
        """The last entry about each thing of some kinds up to an entry, and those before it too."""
        entries = [entry async for entry in self.entries(company_id)]
        return [entry.draft for entry in entries if entry.sequence <= through and entry.draft.kind in kinds]

    async def hashes(self, company_id: CompanyId, sequences: Sequence[int]) -> dict[int, bytes]:
        """The hashes of those entries that are there."""
        wanted = set(sequences)
        return {entry.sequence: entry.hash async for entry in self.entries(company_id) if entry.sequence in wanted}

    async def history(self, company_id: CompanyId, key: tuple[StrEnum, str]) -> Sequence[LogEntry]:
        """Every entry about one thing by kind and id, such as a record or a working paper, oldest first."""
        kind, external_id = key
        return [
            entry
            async for entry in self.entries(company_id)
            if (entry.draft.kind, entry.draft.external_id) == (kind.value, external_id)
        ]


def _store(entry: LogEntry) -> StoredEntry:
    draft = entry.draft
    return StoredEntry(
        sequence=entry.sequence,
        previous_hash=entry.previous_hash,
        hash=entry.hash,
        canonical=entry.canonical,
        seen_at=to_microseconds(draft.seen_at),
        rail=draft.rail,
        kind=draft.kind,
        external_id=draft.external_id,
        what=draft.what,
        correlation_id=draft.attribution.correlation_id,
    )


class MemoryCompanyRegistry:
    """The `CompanyRegistry` in memory."""

    def __init__(self, states: States, clock: Clock, subscriptions: MemorySubscriptionStore) -> None:
        self._states = states
        self._clock = clock
        self._subscriptions = subscriptions

    def _owned(self, firm_id: FirmId, company_id: CompanyId) -> CompanyState:
        state = self._states.get(company_id)
        if state is None or state.company.firm_id != firm_id:
            raise NotFound(f"no company {company_id!r} in this firm")
        if state.erased is not None:
            raise CompanyErased(f"company {company_id!r} was erased by {state.erased.erased_by}")
        return state

    async def add_company(self, company: Company, *, attribution: Attribution) -> None:
        """Add a company and begin its log."""
        if company.company_id in self._states:
            raise InvalidRequest(f"the company id {company.company_id!r} is taken: choose another")
        state = self._states[company.company_id] = CompanyState(company)
        at = company.created_at
        state.append([draft_act("company_added", "company", company.company_id, value=company, by=attribution, at=at)])

    async def update_company(self, company: Company, *, attribution: Attribution) -> None:
        """Replace a company's name, zone, owner, tags and settings; its position is due again."""
        state = self._owned(company.firm_id, company.company_id)
        if state.company == company:
            return
        keep = {"home_currency": state.company.home_currency, "created_at": state.company.created_at}
        state.company = company.model_copy(update=keep)
        at = self._clock.now()
        draft = draft_act("company_updated", "company", company.company_id, value=company, by=attribution, at=at)
        state.append([draft], is_due=state.due_sequence > 0)

    async def company(self, firm_id: FirmId, company_id: CompanyId, *, or_erased: bool = False) -> Company:
        """One company."""
        held = self._states.get(company_id)
        if or_erased and held is not None and held.erased is not None and held.company.firm_id == firm_id:
            return held.company
        return self._owned(firm_id, company_id).company

    async def companies(self, firm_id: FirmId, *, with_erased: bool = False) -> Sequence[Company]:
        """All companies of a firm, by name, then id; erased ones only on request."""
        found = [state.company for state in self._states.of_firm(firm_id) if with_erased or state.erased is None]
        return sorted(found, key=lambda company: (company.name, company.company_id))

    async def add_connection(self, connection: Connection, *, attribution: Attribution) -> None:
        """Add a connection, at most one a company and rail."""
        state = self._owned(connection.firm_id, connection.company_id)
        is_taken = self._states.owner_of(connection.connection_id) is not None
        if is_taken or any(c.rail == connection.rail for c in state.connections.values()):
            raise InvalidRequest(
                f"company {connection.company_id!r} is connected to {connection.rail!r} already: "
                "reconnect that connection instead"
            )
        self._states.put_connection(connection)
        act = draft_act(
            "connection_added",
            "connection",
            connection.connection_id,
            value=connection,
            by=attribution,
            at=connection.created_at,
            rail=connection.rail,
        )
        state.append([act])

    async def connections(self, firm_id: FirmId, company_id: CompanyId | None = None) -> Sequence[Connection]:
        """The connections of one company, or of the whole firm, by company, then rail."""
        if company_id is None:
            return [one for state in self._states.of_firm(firm_id) for one in state.connections.values()]
        held = self._states.get(company_id)
        return [] if held is None or held.company.firm_id != firm_id else list(held.connections.values())

    async def name_account(self, connection: Connection, account: str) -> bool:
        """Note the rail's own name of a connection's company, where none is noted."""
        held = self._owned(connection.firm_id, connection.company_id).connections
        known = held.get(connection.connection_id)
        if known is None or known.rail_account is not None:
            return False
        self._states.put_connection(known.model_copy(update={"rail_account": account}))
        return True

    async def take_lease(self, connection: Connection, *, holder: str, now: datetime, lasts_seconds: int) -> Lease:
        """Take the right to pull a connection."""
        state = self._owned(connection.firm_id, connection.company_id)
        if connection.connection_id not in state.connections:
            raise NotFound(f"no connection {connection.connection_id!r} in this firm")
        held = state.leases.get(connection.connection_id)
        if held is not None and held.holder not in (None, holder) and held.expires_at > now:
            raise LeaseHeld(f"{held.holder!r} is pulling {connection.rail} until {held.expires_at}")
        expires_at = now + timedelta(seconds=lasts_seconds)
        fencing = 1 if held is None else held.fencing + 1
        state.leases[connection.connection_id] = HeldLease(fencing, holder, expires_at)
        return Lease(
            connection_id=connection.connection_id,
            company_id=connection.company_id,
            firm_id=connection.firm_id,
            rail=connection.rail,
            fencing=fencing,
            holder=holder,
            expires_at=expires_at,
        )

    def _held(self, lease: Lease) -> CompanyState:
        state = self._states.get(lease.company_id)
        held = state.leases.get(lease.connection_id) if state is not None else None
        if state is None or held is None or (held.fencing, held.holder) != (lease.fencing, lease.holder):
            raise LeaseLost(f"another worker pulls {lease.rail} of company {lease.company_id!r} now")
        return state

    async def renew_lease(self, lease: Lease, *, now: datetime, lasts_seconds: int) -> Lease:
        """Extend a lease that is still ours."""
        state = self._held(lease)
        expires_at = now + timedelta(seconds=lasts_seconds)
        state.leases[lease.connection_id] = HeldLease(lease.fencing, lease.holder, expires_at)
        return replace(lease, expires_at=expires_at)

    async def begin_run(self, lease: Lease, run: SyncRun) -> None:
        """Record that a pull began; repeating is harmless."""
        state = self._held(lease)
        state.runs.setdefault(run.run_id, run)

    async def end_run(
        self,
        lease: Lease,
        run: SyncRun,
        *,
        state: ConnectionState,
        source_read_at: datetime | None,
        was_full: bool,
        attribution: Attribution,
    ) -> None:
        """Record how a pull ended, set the connection's state and let go of the lease."""
        held = self._held(lease)
        at = run.ended_at or run.started_at
        before = held.connections[lease.connection_id]
        succeeded = run.outcome is RunOutcome.SUCCEEDED
        changes: dict[str, object] = {
            "state": state,
            "last_attempt_at": run.started_at,
            "last_error_code": run.error_code,
            "last_error": run.error,
            "failures_in_a_row": 0 if succeeded else before.failures_in_a_row + 1,
        }
        if succeeded:
            changes |= {"last_success_at": at} | ({"last_full_at": at} if was_full else {})
            changes |= {"last_swept_at": at} if run.cause is Cause.SWEEP else {}
            changes |= {"source_read_at": source_read_at} if source_read_at is not None else {}
        held.connections[lease.connection_id] = before.model_copy(update=changes)
        counted = held.runs.get(run.run_id)
        counts = NOTHING_READ if counted is None else counted.counts  # those of the pages that were committed
        held.runs[run.run_id] = run.model_copy(update={"counts": counts, "ended_at": at})
        held.leases[lease.connection_id] = HeldLease(lease.fencing, None, at)
        count_calls(held, run, was_full=was_full)
        drafts = []
        if not succeeded:
            act = draft_act(
                "run_failed", "connection", lease.connection_id, value=run, by=attribution, at=at, rail=lease.rail
            )
            drafts.append(act)
        if before.state is not state:
            drafts.append(
                LogDraft(
                    seen_at=at,
                    rail=lease.rail,
                    kind="connection",
                    external_id=lease.connection_id,
                    what="connection_state_changed",
                    attribution=attribution,
                    changed=encode_plain({"state": (before.state.value, state.value)}),
                )
            )
        held.append(drafts)
        ids = lease.company_id, lease.connection_id, lease.rail
        news = find_connection_news(*ids, before=before.state, after=state, at=at)
        self._subscriptions.announce(lease.firm_id, news, at=at)

    async def runs(self, firm_id: FirmId, company_id: CompanyId, *, limit: int = 20) -> Sequence[SyncRun]:
        """The latest runs of a company, newest first."""
        state = self._states.get(company_id)
        if state is None or state.company.firm_id != firm_id:
            return []
        return sorted(state.runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)[:limit]

    async def last_runs(self, firm_id: FirmId) -> Mapping[CompanyId, SyncRun]:
        """The latest run of each company of a firm."""
        return {
            company_id: max(state.runs.values(), key=lambda run: (run.started_at, run.run_id))
            for company_id, state in self._states.items()
            if state.company.firm_id == firm_id and state.runs
        }

    async def count_quarantined(self, firm_id: FirmId) -> Mapping[CompanyId, int]:
        """How many records lie in quarantine, by company; companies without any are absent."""
        return {
            company_id: len(state.quarantine)
            for company_id, state in self._states.items()
            if state.company.firm_id == firm_id and state.quarantine
        }


class MemoryTokenVault:
    """The `TokenVault` in memory."""

    def __init__(self, states: States) -> None:
        self._states = states

    async def load(self, connection_id: ConnectionId) -> Mapping[str, SecretStr]:
        """The secrets of a connection; empty when there are none."""
        state = self._states.owner_of(connection_id)
        return {} if state is None else dict(state.secrets.get(connection_id, {}))

    async def save(self, connection_id: ConnectionId, secrets: Mapping[str, SecretStr]) -> None:
        """Replace the secrets of a connection."""
        state = self._states.owner_of(connection_id)
        if state is None:
            raise NotFound(f"no connection {connection_id!r}: add it before its secrets")
        state.secrets[connection_id] = dict(secrets)

    async def forget(self, connection_id: ConnectionId) -> None:
        """Remove the secrets of a connection."""
        state = self._states.owner_of(connection_id)
        if state is not None:
            state.secrets.pop(connection_id, None)


class MemoryStore:
    """One store in memory behind all storing ports."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._states = States()
        self._people: dict[FirmId, FirmPeople] = {}
        self._firms: dict[CompanyId, MemoryChain] = {}
        self.mirror = MemoryMirrorStore(self._states, self._firms)
        self.log = MemoryTransactionLog(self._states, self._firms)
        self.people = MemoryPeopleStore(self._people, self._firms)
        self.answered_calls = MemoryAnsweredCalls()
        self.subscriptions = MemorySubscriptionStore(self._firms)
        self.registry = MemoryCompanyRegistry(self._states, clock or SystemClock(), self.subscriptions)
        self.positions = MemoryPositionStore(self._states, self.subscriptions)
        self.papers = MemoryWorkingPapers(self._states, self._firms, self.subscriptions)
        self.jobs = MemoryJobQueue(self._states)
        self.outbox = MemoryOutbox(self._states, self.jobs)
        self.inbox = MemoryInbox(self._states, self.jobs)
        self.coverage = MemoryCoverage(self._states, self.inbox, self.jobs)
        self.anchors = MemoryAnchorStore(self._states, self._firms)
        self.log_keys = MemoryLogKeys()
        self.log_archives = MemoryLogArchives(self._states, self._firms)
        self.calls = MemoryCallLedger()
        self.breakers = MemoryBreakers()
        self.health = MemoryHealthStore(self._states)
        self.vault = MemoryTokenVault(self._states)
        self.erasures = MemoryErasures(
            self._states, self._firms, self.positions, self.answered_calls, self.subscriptions
        )

    @property
    def states(self) -> Mapping[CompanyId, CompanyState]:
        """Everything of each company."""
        return self._states

    async def upgrade(self) -> None:
        """There is no schema."""

    async def keep_months(self) -> None:
        """There are no months."""

    async def check(self) -> StoreHealth:
        """Always well."""
        return StoreHealth(dialect="memory", version="1", schema_revision="1", is_current=True, warnings=())

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; what it holds stays until the object is gone."""
