"""The mirror: one company's records as the rails last showed them, with history and what is derived from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from runway_core.domain.books import Books
from runway_core.domain.changes import Attribution, ChangePage, Cursor
from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.ledger import BalanceChange, BalanceClose
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import Record
from runway_core.domain.sweeps import HeldKind
from runway_core.domain.sync_run import PageCounts, QuarantinedRecord


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to pull one connection until `expires_at`.

    `fencing` grows with every lease of a connection, so that a worker whose lease was taken over cannot commit.
    """

    connection_id: ConnectionId
    company_id: CompanyId
    firm_id: FirmId
    rail: str
    fencing: int
    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PageReceipt:
    """What committing a page did."""

    counts: PageCounts
    log_sequence: int  # of the company's chain, after the page
    balances_moved: bool


@dataclass(frozen=True, slots=True)
class MirroredRecord:
    """A record with its payload and its place in the mirror."""

    record: Record
    raw: bytes
    rail: str
    seen_at: datetime  # when this version was first seen
    is_deleted: bool
    log_sequence: int


class MirrorStore(Protocol):
    """Keeps the mirror. Every method is scoped to one company; a company of another firm does not exist.

    Every method may raise StoreUnavailable and SchemaMismatch.
    """

    async def commit_page(
        self,
        lease: Lease,
        page: ChangePage,
        *,
        run_id: str,
        attribution: Attribution,
        seen_at: datetime,
        accept_missing: bool = False,
    ) -> PageReceipt:
        """Store one page whole, in one transaction.

        That is: records, tombstones, balance history, log entries, chain head, cursor, quarantine, run counters, outbox
        events and the mark that the company's position is due. What to write is decided by `sync.planning` on what is
        held, read inside the transaction. Committing a page twice changes nothing the second time but the counters. On
        the page with `present_keys`, held records of that rail (of its `present_kinds`, where it names any) that are
        missing from it become tombstones.

        Raises:
            LeaseLost: the lease ran out or was taken over; nothing was written.
            SuspiciousAbsence: far too much would be retired and `accept_missing` is false; nothing was written.
        """
        ...

    async def cursor(self, connection_id: ConnectionId, company_id: CompanyId) -> Cursor | None:
        """Where the next pull starts, or `None` before the first page."""
        ...

    async def load_books(
        self,
        company: Company,
        *,
        as_of: date,
        history_from: date,
        read_at: datetime,
        known_at: datetime | None = None,
    ) -> Books:
        """Read everything that calculators need, in a fixed number of queries whatever the size of the books.

        Open documents are all there; closed ones reach back to `history_from` by document date. Deleted ones are not.
        With `known_at`, everything is as the log says it was known at that moment; `company` is taken as it is given.

        Raises:
            LogBroken: with `known_at`, an entry of the log cannot be read.
        """
        ...

    async def find_records(
        self,
        company_id: CompanyId,
        kind: RecordKind,
        *,
        open_only: bool = False,
        limit: int = 100,
        after: str | None = None,
        include_deleted: bool = False,
    ) -> Sequence[MirroredRecord]:
        """List records of one kind by external id, at most `limit`, after the id `after`."""
        ...

    async def read_records(self, company_id: CompanyId, keys: Sequence[RecordKey]) -> dict[RecordKey, MirroredRecord]:
        """Read the records that are held of `keys`, tombstones too, in one query a kind."""
        ...

    async def count_records(self, company_id: CompanyId) -> dict[RecordKind, int]:
        """How many live records of each kind are held."""
        ...

    async def measure_kinds(self, company_id: CompanyId, rail: str) -> Mapping[RecordKind, HeldKind]:
        """What a rail's records come to by kind: how many are live, their control total, and how many are kept aside.

        A record whose later revision lies in quarantine is live, and not counted twice.
        """
        ...

    async def balance_history(
        self, company_id: CompanyId, account_id: str, *, since: datetime | None = None
    ) -> Sequence[BalanceChange]:
        """Every balance that was seen of one account, oldest first."""
        ...

    async def balance_closes(self, company_id: CompanyId, *, first_day: date, last_day: date) -> Sequence[BalanceClose]:
        """The stored closes of all accounts between two days, by day, then account.

        A day on which nothing was seen has none: the last one before it holds.
        """
        ...

    async def quarantine(self, company_id: CompanyId) -> Sequence[QuarantinedRecord]:
        """What could not be understood, newest first."""
        ...

    async def quarantine_of(
        self, company_ids: Collection[CompanyId], *, rail: str | None = None, limit: int = 100
    ) -> Sequence[QuarantinedRecord]:
        """What could not be understood of several companies, newest first, at most `limit`, in one query."""
        ...

    async def discard_quarantined(self, company_id: CompanyId, quarantine_id: str, *, act: LogDraft) -> bool:
        """Drop one quarantined record and log it, in one transaction; false when it is not there."""
        ...

    async def companies_due(self, firm_id: FirmId | None = None) -> Sequence[CompanyId]:
        """Companies whose position is due: their mirror changed since it was stored, or their firm's policy did.

        So are those that have none yet but have records.
        """
        ...
