"""The mirror in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs
from runway_core.domain.bank_links import make_bank_balances, make_bank_transactions, read_links
from runway_core.domain.books import Books
from runway_core.domain.changes import Attribution, Change, ChangePage, Cursor, HeldVersion, RejectedRecord
from runway_core.domain.company import Company
from runway_core.domain.execution_links import link_bills, make_card_purchases, make_rail_bills, make_rail_payments
from runway_core.domain.field_changes import CHANGES_DAYS, FieldChange, read_field_changes
from runway_core.domain.identity import CompanyId, ConnectionId, FirmId, RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.ledger import BalanceChange, BalanceClose
from runway_core.domain.log_entry import ChainHead, LogDraft, LogEntry
from runway_core.domain.past import books_papers, find_open_rest, fold_drafts, is_in_books, with_reading
from runway_core.domain.people import firm_chain
from runway_core.domain.policy import Policy, lay_over
from runway_core.domain.processor_links import PROCESSOR_RECORDS, find_reading_day, see_processor
from runway_core.domain.record import Record
from runway_core.domain.sweeps import HeldKind, sum_control
from runway_core.domain.sync_run import OutboxEvent, QuarantinedRecord, RunOutcome
from runway_core.errors import LeaseLost
from runway_core.ports.mirror_store import Lease, MirroredRecord, PageReceipt
from runway_core.sync.planning import PagePlan, SiftedPage, find_missing, keys_of, plan_page, sift_page

from runway_testkit.memory_people import MemoryChain
from runway_testkit.memory_state import CompanyState, HeldRecord

_BOOKS_FIELDS = {
    RecordKind.ACCOUNT: "accounts",
    RecordKind.TERM: "terms",
    RecordKind.VENDOR: "vendors",
    RecordKind.CUSTOMER: "customers",
    RecordKind.BILL: "bills",
    RecordKind.VENDOR_CREDIT: "vendor_credits",
    RecordKind.BILL_PAYMENT: "bill_payments",
    RecordKind.INVOICE: "invoices",
    RecordKind.CREDIT_MEMO: "credit_memos",
    RecordKind.CUSTOMER_PAYMENT: "customer_payments",
    RecordKind.PURCHASE: "purchases",
    RecordKind.DEPOSIT: "deposits",
    RecordKind.TRANSFER: "transfers",
    RecordKind.JOURNAL_ENTRY: "journal_entries",
    RecordKind.ATTACHMENT: "attachments",
    RecordKind.BANK_ACCOUNT: "bank_accounts",
    RecordKind.BANK_TRANSACTION: "bank_lines",
    RecordKind.RAIL_BILL: "execution_bills",
    RecordKind.RAIL_PAYMENT: "execution_payments",
    RecordKind.CARD_TRANSACTION: "card_transactions",
    RecordKind.CHARGE: "charges",
    RecordKind.REFUND: "refunds",
    RecordKind.DISPUTE: "disputes",
    RecordKind.PAYOUT: "sent_payouts",
    RecordKind.PROCESSOR_ENTRY: "processor_entries",
}
_WIDEST = 2**63


def _tells_of_company(key: RecordKey, held: HeldRecord) -> bool:
    return key.kind is RecordKind.COMPANY_INFO and not held.is_deleted


def _changes_of(state: CompanyState, *, since: datetime) -> tuple[FieldChange, ...]:
    drafts = (entry.draft for entry in state.entries if entry.draft.seen_at >= since)
    return tuple(change for draft in drafts for change in read_field_changes(draft))


def _policy_of(held: CompanyState | MemoryChain | None) -> Policy | None:
    papers = () if held is None else held.papers.values()
    return next((paper for paper in papers if isinstance(paper, Policy)), None)


def _policy_known(firm: MemoryChain, known_at: datetime) -> Policy | None:
    drafts = [entry.draft for entry in firm.entries if entry.draft.seen_at <= known_at]
    papers = fold_drafts(drafts, company_id=CompanyId("")).papers.values()
    return next((paper for paper in papers if isinstance(paper, Policy) and not paper.is_closed), None)


def _papers_of(state: CompanyState) -> dict[str, Any]:
    """The papers that are not closed, by their field of `Books`."""
    papers = books_papers(state.papers.values())
    del papers["policy"]
    return papers


def _rewind(state: CompanyState, known_at: datetime) -> CompanyState:
    """The state as the log says it was known at a moment."""
    entries = list(takewhile(lambda entry: entry.draft.seen_at <= known_at, state.entries))
    past = fold_drafts((entry.draft for entry in entries), company_id=state.company.company_id)
    ended = [run for run in state.runs.values() if run.ended_at is not None and run.ended_at <= known_at]
    read = {
        run.connection_id: (run.started_at, run.ended_at)
        for run in sorted(ended, key=lambda run: run.started_at)
        if run.outcome is RunOutcome.SUCCEEDED and run.ended_at is not None
    }
    rewound = CompanyState(past.company or state.company)
    rewound.entries = entries
    rewound.head = ChainHead(entries[-1].sequence, entries[-1].hash) if entries else ChainHead()
    rewound.papers = past.papers
    rewound.connections = {name: with_reading(held, read) for name, held in past.connections.items()}
    rewound.records = {
        record.key: HeldRecord(
            record=record, raw=b"", rail="", content_hash=b"", source_time=known_at, seen_at=known_at, log_sequence=0
        )
        for records in past.records.values()
        for record in records
    }
    return rewound


def _place(held: HeldRecord) -> MirroredRecord:
    return MirroredRecord(
        record=held.record,
        raw=held.raw,
        rail=held.rail,
        seen_at=held.seen_at,
        is_deleted=held.is_deleted,
        log_sequence=held.log_sequence,
    )


class MemoryMirrorStore:
    """The `MirrorStore` in memory."""

    def __init__(self, states: dict[CompanyId, CompanyState], firms: dict[CompanyId, MemoryChain]) -> None:
        self._states = states
        self._firms = firms

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
        """Store one page whole; see the port. Whatever may refuse it comes before the first thing that is written."""
        state = self._fenced(lease, now=seen_at)
        page = _set_aside_unstorable(page)
        held = {key: state.records[key].version for key in keys_of(page) if key in state.records}
        sifted = sift_page(page, held)
        if page.present_keys is not None:
            _retire_missing(state, lease, page, sifted, accept_missing=accept_missing)
        previous = {key: state.records[key].record for key in sifted.previous_keys if key in state.records}
        plan = plan_page(sifted, previous, rail=lease.rail, seen_at=seen_at, attribution=attribution)
        first = state.head.sequence + 1
        entries = state.append(plan.drafts, is_due=True)
        _write_records(state, lease, plan, entries, source_time=page.source_time)
        for change in plan.balance_changes:
            state.balances.append(change)
            day = change.observed_at.astimezone(ZoneInfo(state.company.time_zone)).date()
            state.closes[day, change.account_id] = BalanceClose(
                account_id=change.account_id, day=day, currency=change.currency, balance=change.balance
            )
        if entries:
            _write_events(state, lease, plan, first=first, by=attribution, at=seen_at)
        _write_quarantine(state, lease, page, seen_at)
        state.cursors[lease.connection_id] = page.next_cursor
        if run_id in state.runs:
            run = state.runs[run_id]
            state.runs[run_id] = run.model_copy(update={"counts": run.counts + plan.counts})
        return PageReceipt(
            counts=plan.counts, log_sequence=state.head.sequence, balances_moved=bool(plan.balance_changes)
        )

    def _fenced(self, lease: Lease, *, now: datetime) -> CompanyState:
        state = self._states.get(lease.company_id)
        held = state.leases.get(lease.connection_id) if state is not None else None
        if (
            state is None
            or held is None
            or state.company.firm_id != lease.firm_id
            or (held.fencing, held.holder) != (lease.fencing, lease.holder)
            or held.expires_at <= now
        ):
            raise LeaseLost(f"the lease on {lease.rail} of company {lease.company_id!r} is lost: nothing was stored")
        return state

    async def cursor(self, connection_id: ConnectionId, company_id: CompanyId) -> Cursor | None:
        """Where the next pull starts."""
        state = self._states.get(company_id)
        return state.cursors.get(connection_id) if state is not None else None

    async def load_books(
        self,
        company: Company,
        *,
        as_of: date,
        history_from: date,
        read_at: datetime,
        known_at: datetime | None = None,
    ) -> Books:
        """Everything that calculators need."""
        state = self._states.get(company.company_id)
        if state is None or state.company.firm_id != company.firm_id:
            return Books(company=company, as_of=as_of, read_at=read_at, history_from=history_from)
        firm = self._firms.get(firm_chain(company.firm_id))
        firm_policy = _policy_of(firm)
        if known_at is not None:
            state = _rewind(state, known_at)
            firm_policy = None if firm is None else _policy_known(firm, known_at)
        found: dict[str, list[Record]] = {name: [] for name in _BOOKS_FIELDS.values()}
        for key, held in sorted(state.records.items()):
            name = _BOOKS_FIELDS.get(key.kind)
            if name is not None and not held.is_deleted and is_in_books(held.record, history_from):
                found[name].append(held.record)
        kinds: dict[str, Any] = {name: tuple(records) for name, records in found.items()}
        connections = tuple(sorted(state.connections.values(), key=lambda c: c.rail))
        bank_accounts, lines = kinds.pop("bank_accounts"), kinds.pop("bank_lines")
        links = read_links(kinds["accounts"], bank_accounts, connections)
        execution_bills, execution_payments = kinds.pop("execution_bills"), kinds.pop("execution_payments")
        paid = link_bills(execution_bills, kinds["bills"])
        on_cards = make_card_purchases(kinds.pop("card_transactions"), execution_payments)
        processed = {name: kinds.pop(name) for name in PROCESSOR_RECORDS}
        read_on = find_reading_day(processed["processor_entries"], connections)
        informed = (held.record for key, held in sorted(state.records.items()) if _tells_of_company(key, held))
        return Books(
            company=company,
            as_of=as_of,
            read_at=read_at,
            history_from=history_from,
            log_sequence=state.head.sequence,
            connections=connections,
            bank_balances=make_bank_balances(bank_accounts, links),
            bank_transactions=make_bank_transactions(lines, bank_accounts, links, history_from=history_from),
            rail_bills=make_rail_bills(execution_bills, paid),
            rail_payments=make_rail_payments(execution_payments, paid),
            card_purchases=on_cards,
            **see_processor(processed, deposits=kinds["deposits"], read_on=read_on, history_from=history_from),
            company_info=next(informed, None),
            changes=_changes_of(state, since=read_at - timedelta(days=CHANGES_DAYS)),
            **kinds,
            **_papers_of(state),
            policy=lay_over(firm_policy, _policy_of(state)),
        )

    def _records(self, company_id: CompanyId) -> dict[RecordKey, HeldRecord]:
        state = self._states.get(company_id)
        return {} if state is None else state.records

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
        """List records of one kind by external id."""
        found = []
        for key, held in sorted(self._records(company_id).items()):
            if key.kind is not kind or (held.is_deleted and not include_deleted):
                continue
            if after is not None and key.external_id <= after:
                continue
            if open_only and not (find_open_rest(held.record)[1] or 0) > 0:
                continue
            found.append(_place(held))
        return found[:limit]

    async def read_records(self, company_id: CompanyId, keys: Sequence[RecordKey]) -> dict[RecordKey, MirroredRecord]:
        """Read what is held of `keys`, tombstones too."""
        records = self._records(company_id)
        return {key: _place(records[key]) for key in keys if key in records}

    async def count_records(self, company_id: CompanyId) -> dict[RecordKind, int]:
        """How many live records of each kind are held."""
        counts = dict.fromkeys(RECORD_CLASSES, 0)
        for key, held in self._records(company_id).items():
            counts[key.kind] += not held.is_deleted
        return counts

    async def measure_kinds(self, company_id: CompanyId, rail: str) -> Mapping[RecordKind, HeldKind]:
        """What a rail's live records come to by kind, and how many are kept aside."""
        live: dict[RecordKind, dict[str, Record]] = {kind: {} for kind in RECORD_CLASSES}
        for key, held in self._records(company_id).items():
            if held.rail == rail and not held.is_deleted:
                live[key.kind][key.external_id] = held.record
        aside = Counter(
            bad.kind
            for bad in await self.quarantine(company_id)
            if bad.rail == rail and bad.kind is not None and bad.external_id not in live[RecordKind(bad.kind)]
        )
        return {
            kind: HeldKind(count=len(held), aside=aside[kind.value], totals=sum_control(held.values()))
            for kind, held in live.items()
        }

    async def balance_history(
        self, company_id: CompanyId, account_id: str, *, since: datetime | None = None
    ) -> Sequence[BalanceChange]:
        """Every balance that was seen of one account, oldest first."""
        state = self._states.get(company_id)
        changes = [] if state is None else state.balances
        return [c for c in changes if c.account_id == account_id and (since is None or c.observed_at >= since)]

    async def balance_closes(self, company_id: CompanyId, *, first_day: date, last_day: date) -> Sequence[BalanceClose]:
        """The stored closes between two days, by day, then account."""
        state = self._states.get(company_id)
        closes = {} if state is None else state.closes
        return [close for (day, _), close in sorted(closes.items()) if first_day <= day <= last_day]

    async def quarantine(self, company_id: CompanyId) -> Sequence[QuarantinedRecord]:
        """What could not be understood, newest first."""
        state = self._states.get(company_id)
        held = [] if state is None else sorted(state.quarantine.values(), key=lambda q: q.quarantine_id)
        return sorted(held, key=lambda q: q.last_seen_at, reverse=True)

    async def quarantine_of(
        self, company_ids: Collection[CompanyId], *, rail: str | None = None, limit: int = 100
    ) -> Sequence[QuarantinedRecord]:
        """What could not be understood of several companies, newest first."""
        held = [record for company_id in company_ids for record in await self.quarantine(company_id)]
        held = sorted((record for record in held if rail in (None, record.rail)), key=lambda q: q.quarantine_id)
        return sorted(held, key=lambda q: q.last_seen_at, reverse=True)[:limit]

    async def discard_quarantined(self, company_id: CompanyId, quarantine_id: str, *, act: LogDraft) -> bool:
        """Drop one quarantined record and log it; false when it is not there."""
        state = self._states.get(company_id)
        if state is None or state.quarantine.pop(quarantine_id, None) is None:
            return False
        state.append([act])
        return True

    async def companies_due(self, firm_id: FirmId | None = None) -> Sequence[CompanyId]:
        """Companies whose position is due, by id."""
        return [
            company_id
            for company_id, state in sorted(self._states.items())
            if firm_id in (None, state.company.firm_id) and self._is_due(state)
        ]

    def _is_due(self, state: CompanyState) -> bool:
        if state.position is None or state.position.log_sequence < state.due_sequence:
            return state.due_sequence > 0
        policy = _policy_of(self._firms.get(firm_chain(state.company.firm_id)))
        return policy is not None and state.position.firm_policy_version < policy.version


def _retire_missing(
    state: CompanyState, lease: Lease, page: ChangePage, sifted: SiftedPage, *, accept_missing: bool
) -> None:
    held: dict[RecordKey, HeldVersion] = {
        key: record.version
        for key, record in state.records.items()
        if record.rail == lease.rail and (page.present_kinds is None or key.kind in page.present_kinds)
    }
    shown = {change.record.key for change in page.changes}
    shown |= {RecordKey(bad.kind, bad.external_id) for bad in page.rejected if bad.kind and bad.external_id}
    gone = {tombstone.key for tombstone in sifted.tombstones}
    missing = find_missing(
        held,
        (page.present_keys or frozenset()) | shown,
        page.reading_began or page.source_time,
        accept_missing=accept_missing,
    )
    sifted.tombstones.extend(tombstone for tombstone in missing if tombstone.key not in gone)


def _write_records(
    state: CompanyState, lease: Lease, plan: PagePlan, entries: list[LogEntry], *, source_time: datetime
) -> None:
    for upsert, entry in zip(plan.upserts, entries, strict=False):
        state.records[upsert.change.record.key] = HeldRecord(
            record=upsert.change.record,
            raw=upsert.change.raw,
            rail=lease.rail,
            content_hash=upsert.content_hash,
            source_time=source_time,
            seen_at=entry.draft.seen_at,
            log_sequence=entry.sequence,
        )
    for tombstone, entry in zip(plan.tombstones, entries[len(plan.upserts) :], strict=True):
        state.records[tombstone.key] = replace(
            state.records[tombstone.key],
            is_deleted=True,
            deleted_at=tombstone.modified_at,
            source_time=source_time,
            seen_at=entry.draft.seen_at,
            log_sequence=entry.sequence,
        )


def _write_events(
    state: CompanyState, lease: Lease, plan: PagePlan, *, first: int, by: Attribution, at: datetime
) -> None:
    payload: dict[str, str | int] = {
        "rail": lease.rail,
        "first_sequence": first,
        "last_sequence": state.head.sequence,
        "kinds": ",".join(sorted({draft.kind for draft in plan.drafts})),
    }
    for name in ("records_changed", *(["balances_moved"] if plan.balance_changes else [])):
        state.events.append(
            OutboxEvent(
                event_id=f"{first:012d}-{name}",
                company_id=lease.company_id,
                name=name,
                created_at=at,
                correlation_id=by.correlation_id,
                payload=payload,
            )
        )


def _write_quarantine(state: CompanyState, lease: Lease, page: ChangePage, seen_at: datetime) -> None:
    good = {(change.record.kind.value, change.record.external_id) for change in page.changes}
    for quarantine_id, held in list(state.quarantine.items()):
        if held.rail == lease.rail and (held.kind, held.external_id) in good:
            del state.quarantine[quarantine_id]
    for bad in page.rejected:
        kind = bad.kind.value if bad.kind is not None else None
        what = bad.external_id if bad.external_id is not None else sha256(bad.raw).hexdigest()
        quarantine_id = sha256("\x1f".join((lease.rail, kind or "", what)).encode()).hexdigest()[:20]
        before = state.quarantine.get(quarantine_id)
        if before is not None and before.last_seen_at >= seen_at:
            continue
        state.quarantine[quarantine_id] = QuarantinedRecord(
            quarantine_id=quarantine_id,
            company_id=lease.company_id,
            rail=lease.rail,
            kind=kind,
            external_id=bad.external_id,
            reason=bad.reason,
            raw=bad.raw,
            first_seen_at=before.first_seen_at if before else seen_at,
            last_seen_at=seen_at,
            times_seen=before.times_seen + 1 if before else 1,
        )


def _set_aside_unstorable(page: ChangePage) -> ChangePage:
    """Refuse what databases refuse, so that the fake promises no more than they do."""
    bad = [change for change in page.changes if _find_reason(change) is not None]
    if not bad:
        return page
    rejected = [
        RejectedRecord(c.record.kind, c.record.external_id.replace("\x00", ""), _find_reason(c) or "", c.raw)
        for c in bad
    ]
    kept = tuple(change for change in page.changes if change not in bad)
    return replace(page, changes=kept, rejected=(*page.rejected, *rejected))


def _find_reason(change: Change) -> str | None:
    values = list(change.record.__dict__.values())
    for value in values:
        if isinstance(value, tuple):
            values.extend(part for item in value for part in structs.astuple(item))
    if any(isinstance(value, str) and "\x00" in value for value in values):
        return "a text in it holds a NUL character"
    if any(isinstance(value, int) and not -_WIDEST <= value < _WIDEST for value in values):
        return "a number in it is too large"
    return None
