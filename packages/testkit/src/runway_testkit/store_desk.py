"""A company in a store, ready to be given pages: what the store contract and tests of stores work with."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from runway_core.domain.bills import Bill
from runway_core.domain.changes import Attribution, Cause, Change, ChangePage, Cursor, Deletion, RejectedRecord
from runway_core.domain.company import Company, Connection
from runway_core.domain.findings import Finding, RunwayEffect, Severity, TrackedFinding
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.log_entry import ChainHead, hash_entry
from runway_core.domain.money import Money
from runway_core.domain.position import Position, PositionStatus
from runway_core.domain.record import Record, hash_content
from runway_core.domain.sync_run import SyncRun
from runway_core.ports.mirror_store import Lease, PageReceipt
from runway_core.ports.store import Store

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
BY = Attribution(cause=Cause.PULL, actor="runway", correlation_id="run-1")
LEASE_SECONDS = 3600


def make_bill(
    external_id: str = "1", *, revision: int = 0, open_balance: str = "40.0000", memo: str | None = None
) -> Bill:
    """A bill over forty dollars."""
    return Bill(
        external_id=external_id,
        revision=str(revision),
        revision_number=revision,
        created_at=START,
        modified_at=START + timedelta(seconds=revision),
        vendor_id="50",
        vendor_name="Norton Lumber",
        document_date=date(2026, 2, 1),
        due_date=date(2026, 3, 3),
        currency="USD",
        total=Decimal("40.0000"),
        open_balance=Decimal(open_balance),
        memo=memo,
    )


def make_account(external_id: str = "35", *, balance: str = "1201.0000", revision: int = 0) -> Account:
    """A bank account."""
    return Account(
        external_id=external_id,
        revision=str(revision),
        revision_number=revision,
        name="Checking",
        full_name="Checking",
        account_kind=AccountKind.BANK,
        account_type="Bank",
        currency="USD",
        balance=Decimal(balance),
    )


def raw_of(record: Record) -> bytes:
    """A payload that tells one record from another."""
    return b'{"Id":"' + record.external_id.encode() + b'"}'


class StoreDesk:
    """One connected company under a lease. `seconds` is how long after `START` the desk's clock stands."""

    def __init__(self, store: Store, *, firm: str = "own", company: str = "acme", rail: str = "qbo") -> None:
        self.store = store
        self.company = Company(
            company_id=CompanyId(company),
            firm_id=FirmId(firm),
            name=company.title(),
            home_currency="USD",
            time_zone="America/Chicago",
            created_at=START,
        )
        self.connection = Connection(
            connection_id=ConnectionId(f"{company}-{rail}"),
            company_id=self.company.company_id,
            firm_id=self.company.firm_id,
            rail=rail,
            settings={"books": "1"},
            created_at=START,
        )
        self.seconds = 0
        self.pages = 0
        self._lease: Lease | None = None

    @property
    def now(self) -> datetime:
        """The desk's time."""
        return START + timedelta(seconds=self.seconds)

    @property
    def id(self) -> CompanyId:
        """The company's id."""
        return self.company.company_id

    @property
    def lease(self) -> Lease:
        """The lease it works under."""
        assert self._lease is not None, "open the desk first"
        return self._lease

    async def open(self) -> "StoreDesk":
        """Add company and connection, take the lease and begin a run."""
        await self.store.registry.add_company(self.company, attribution=BY)
        await self.store.registry.add_connection(self.connection, attribution=BY)
        return await self.reopen()

    async def reopen(self) -> "StoreDesk":
        """Take the lease and begin a run, as another process would."""
        self._lease = await self.store.registry.take_lease(
            self.connection, holder="desk", now=self.now, lasts_seconds=LEASE_SECONDS
        )
        await self.store.registry.begin_run(self.lease, self.make_run())
        return self

    def make_run(self) -> SyncRun:
        """The run that its pages belong to."""
        return SyncRun(
            run_id="run-1",
            company_id=self.id,
            connection_id=self.connection.connection_id,
            rail=self.connection.rail,
            cause=Cause.PULL,
            started_at=START,
        )

    def make_page(
        self,
        *records: Record,
        deleted: Sequence[RecordKey] = (),
        deleted_at: datetime | None = None,
        rejected: Sequence[RejectedRecord] = (),
        source_time: datetime | None = None,
        present: frozenset[RecordKey] | None = None,
        cursor: str | None = None,
    ) -> ChangePage:
        """A page as a rail would bring it."""
        self.pages += 1
        return ChangePage(
            changes=tuple(Change(record=record, raw=raw_of(record)) for record in records),
            deletions=tuple(Deletion(key=key, deleted_at=deleted_at) for key in deleted),
            rejected=tuple(rejected),
            next_cursor=Cursor(cursor or f"page-{self.pages}"),
            source_time=source_time or self.now,
            present_keys=present,
            is_last=present is not None,
            reading_began=self.now if present is not None else None,
        )

    async def commit(
        self, page: ChangePage, *, lease: Lease | None = None, accept_missing: bool = False
    ) -> PageReceipt:
        """Commit one page under the lease; the clock then moves by a second."""
        receipt = await self.store.mirror.commit_page(
            lease or self.lease,
            page,
            run_id="run-1",
            attribution=BY,
            seen_at=self.now,
            accept_missing=accept_missing,
        )
        self.seconds += 1
        return receipt

    async def put(self, *records: Record) -> PageReceipt:
        """Commit a page of records."""
        return await self.commit(self.make_page(*records))

    async def fold_log(self) -> dict[RecordKey, tuple[bytes, bool]]:
        """What the log says the mirror is: content hash and whether it is deleted, by key."""
        kinds = {kind.value: kind for kind in await self.store.mirror.count_records(self.id)}
        folded: dict[RecordKey, tuple[bytes, bool]] = {}
        async for entry in self.store.log.entries(self.id, batch=7):
            draft = entry.draft
            if draft.kind not in kinds:
                continue
            key = RecordKey(kinds[draft.kind], draft.external_id)
            if draft.what == "deleted":
                folded[key] = (folded[key][0], True)
            else:
                folded[key] = (hash_content(draft.content), False)
        return folded

    async def read_mirror(self) -> dict[RecordKey, tuple[bytes, bool]]:
        """What the mirror holds: content hash and whether it is deleted, by key."""
        held: dict[RecordKey, tuple[bytes, bool]] = {}
        for kind in await self.store.mirror.count_records(self.id):
            found = await self.store.mirror.find_records(self.id, kind, limit=100_000, include_deleted=True)
            for mirrored in found:
                held[mirrored.record.key] = (hash_content(mirrored.record.content()), mirrored.is_deleted)
        return held

    async def check_chain(self) -> int:
        """Recompute the chain against its head; returns its length."""
        head = ChainHead()
        async for entry in self.store.log.entries(self.id, batch=100):
            assert entry.sequence == head.sequence + 1
            assert entry.previous_hash == head.hash
            assert entry.hash == hash_entry(head.hash, entry.canonical)
            head = ChainHead(entry.sequence, entry.hash)
        assert await self.store.log.head(self.id) == head
        return head.sequence


def make_finding(desk: StoreDesk, bill: str = "1", severity: Severity = Severity.HIGH) -> TrackedFinding:
    """A finding about one bill."""
    finding = Finding(
        check="AP06",
        name="bill_duplicate",
        company_id=desk.id,
        subjects=(RecordKey(RecordKind.BILL, bill),),
        severity=severity,
        effect=RunwayEffect.LENGTHENS,
        summary="Two bills look like one",
        amount=Money(amount=Decimal("40.1234"), currency="USD"),
    )
    return TrackedFinding(finding=finding, first_seen_at=START, last_seen_at=START)


async def make_position(desk: StoreDesk) -> Position:
    """A position that saw the company's whole log."""
    nil = Money.zero("USD")
    owed = (
        "open_bills",
        "overdue_bills",
        "due_7_days",
        "due_14_days",
        "open_invoices",
        "overdue_invoices",
        "ar_at_risk",
    )
    amounts = dict.fromkeys(("available_cash", "low_28_days", *owed), nil)
    counts = dict.fromkeys(
        (
            "open_bill_count",
            "open_invoice_count",
            "ar_at_risk_count",
            "findings_critical",
            "findings_open",
            "ready_bill_count",
            "held_bill_count",
        ),
        0,
    )
    unknown = dict.fromkeys(
        (
            "source_read_at",
            "runway_days",
            "covered_through",
            "runway_falls_on",
            "buffer_breach_days",
            "buffer_breach_on",
            "cash_buffer_days",
            "burn_runway_days",
            "weighted_burn_runway_days",
            "next_payday",
        )
    )
    return Position.model_validate(
        {
            "company_id": desk.id,
            "firm_id": desk.company.firm_id,
            "company_name": desk.company.name,
            "as_of": START.date(),
            "computed_at": desk.now,
            "log_sequence": (await desk.store.log.head(desk.id)).sequence,
            "status": PositionStatus.GREEN,
            "status_reason": "Cash lasts beyond thirteen weeks.",
            "opening_cash": Money(amount=Decimal("1201.0001"), currency="USD"),
            "low_28_days_on": START.date(),
            "cleanness": 100,
            "weeks": (),
            **amounts,
            **counts,
            **unknown,
        }
    )
