"""BK11: an entry was changed after its account was reconciled, so that the statement agrees no longer."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.late_changes import (
    ACCOUNT_FIELDS,
    MONEY_FIELDS,
    find_changed_records,
    first_day,
    group_changes,
    name_fields,
    show_changes,
    sum_difference,
)
from runway_core.domain.bank import Reconciliation
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.record import Record

_MOVING = frozenset({"bill_payments", "customer_payments", "deposits", "journal_entries", "purchases", "transfers"})


class ReconciledChanged:
    """Amount, day or account of an entry changed after its account had been reconciled through its day.

    The day counts that the entry had before or has now, whichever is earlier, and so do both accounts.
    """

    id = "BK11"
    name = "reconciled_changed"
    floor = Severity.HIGH
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"changes", "reconciliations", *_MOVING})

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
