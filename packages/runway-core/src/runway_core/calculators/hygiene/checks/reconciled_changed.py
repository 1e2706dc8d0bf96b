"""BK11: an entry was changed after its account was reconciled, so that the statement agrees no longer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runway_core.calculators.deleted_entries import DeletedEntry, find_deleted_entries
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.late_changes import (
    ACCOUNT_FIELDS,
    MONEY_FIELDS,
    find_changed_records,
    first_day,
    group_changes,
    name_fields,
    show_changes,
    show_deleted,
    sum_difference,
)
from runway_core.calculators.postings import ENTRY_FIELDS
from runway_core.domain.bank import Reconciliation
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind
from runway_core.domain.record import Record

_MOVING = frozenset({"bill_payments", "customer_payments", "deposits", "journal_entries", "purchases", "transfers"})
_MOVING_KINDS = frozenset(
    {
        RecordKind.BILL_PAYMENT,
        RecordKind.CUSTOMER_PAYMENT,
        RecordKind.DEPOSIT,
        RecordKind.JOURNAL_ENTRY,
        RecordKind.PURCHASE,
        RecordKind.TRANSFER,
    }
)


class ReconciledChanged:
    """Amount, day or account of an entry changed, or it was deleted, after its account was reconciled through its day.

    The day counts that the entry had before or has now, whichever is earlier, and so do both accounts.
    """

    id = "BK11"
    name = "reconciled_changed"
    floor = Severity.HIGH
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"changes", "reconciliations", *ENTRY_FIELDS})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding an entry."""
        if not books.reconciliations or not books.changes:
            return
        by_account: dict[str, list[Reconciliation]] = {}
        for one in books.reconciliations:
            by_account.setdefault(one.account_id, []).append(one)
        changed = group_changes(books.changes, MONEY_FIELDS)
        for record in find_changed_records(books, changed, sorted(_MOVING)):
            changes = changed[record.key]
            on = first_day(record, changes)
            broken = [
                (change, reconciled)
                for change in changes
                for account_id in sorted(_accounts_of(record, changes))
                for reconciled in by_account.get(account_id, ())
                if on <= reconciled.through and reconciled.reconciled_at < change.seen_at
            ]
            if broken:
                last = max((one for _, one in broken), key=lambda one: (one.through, one.account_id))
                late = [change for change in changes if any(change is one for one, _ in broken)]
                yield self._report(books, record, late, last)
        yield from self._find_deleted(books, by_account)

    def _find_deleted(self, books: Books, by_account: Mapping[str, Sequence[Reconciliation]]) -> Iterator[Finding]:
        for gone in find_deleted_entries(books):
            on, entered = gone.record.document_date, gone.record.created_at
            broken = [
                reconciled
                for account_id in sorted(_accounts_of(gone.record, ()))
                for reconciled in by_account.get(account_id, ())
                if on <= reconciled.through and reconciled.reconciled_at < gone.change.seen_at
                if entered is None or entered <= reconciled.reconciled_at
            ]
            if broken and gone.record.kind in _MOVING_KINDS:
                yield self._report_deleted(books, gone, max(broken, key=lambda one: (one.through, one.account_id)))

    def _report_deleted(self, books: Books, gone: DeletedEntry, reconciled: Reconciliation) -> Finding:
        record = gone.record
        kind = record.kind.value.replace("_", " ").capitalize()
        return build_finding(
            self,
            books,
            subjects=(record.key,),
            amount=record.total,
            currency=record.currency,
            summary=f"{kind} of {record.document_date} was deleted after its account was reconciled through "
            f"{reconciled.through}",
            evidence=(
                *show_deleted(gone),
                Evidence(name="reconciled_through", value=reconciled.through.isoformat()),
            ),
            fixes=(
                SuggestedFix(label="Enter it again", record=record.key),
                SuggestedFix(label="Reconcile the account again", record=record.key),
            ),
        )

    def _report(self, books: Books, record: Record, changes: list[FieldChange], reconciled: Reconciliation) -> Finding:
        kind = record.kind.value.replace("_", " ").capitalize()
        return build_finding(
            self,
            books,
            subjects=(record.key,),
            amount=sum_difference(record, changes),
            currency=getattr(record, "currency", None),
            summary=f"{kind} of {first_day(record, changes)} changed ({name_fields(changes)}) after its account was "
            f"reconciled through {reconciled.through}",
            evidence=(
                *show_changes(changes),
                Evidence(name="reconciled_through", value=reconciled.through.isoformat()),
            ),
            fixes=(
                SuggestedFix(label="Restore what it was", record=record.key),
                SuggestedFix(label="Reconcile the account again", record=record.key),
            ),
        )


def _accounts_of(record: Record, changes: Iterable[FieldChange]) -> set[str]:
    lines: tuple[DocumentLine, ...] = getattr(record, "lines", ())
    found = {getattr(record, name, None) for name in ACCOUNT_FIELDS}
    if not found - {None}:  # a journal entry names its accounts on its lines
        found = {line.account_id for line in lines}
    for change in changes:
        if change.field in ACCOUNT_FIELDS:
            found |= {change.before, change.after}
    return {account_id for account_id in found if account_id is not None}
