"""BK10: nobody compared an account with its statement for weeks."""

from collections.abc import Iterable
from datetime import date

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.matching.ledger_legs import BANK_KINDS, read_ledger_legs
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix

RECONCILED_DAYS = 45


class ReconciliationOld:
    """A bank or card account in use that was last reconciled through a day over 45 days ago, or never.

    Silent where no rail tells of reconciliations. An account is in use that holds money or moved within those 45 days;
    one that first moved within them had no time.
    """

    id = "BK10"
    name = "reconciliation_old"
    floor = Severity.MEDIUM
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset(
        {
            "accounts",
            "chart",
            "bill_payments",
            "customer_payments",
            "deposits",
            "journal_entries",
            "purchases",
            "reconciliations",
            "transfers",
        }
    )

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such account."""
        if not books.reconciliations:
            return
        through: dict[str, date] = {}
        for one in books.reconciliations:
            through[one.account_id] = max(through.get(one.account_id, date.min), one.through)
        since = add_days(books.as_of, -RECONCILED_DAYS)
        moved: dict[str, tuple[date, date]] = {}
        for leg in read_ledger_legs(books):
            if leg.day <= books.as_of:
                first, last = moved.get(leg.account_id, (leg.day, leg.day))
                moved[leg.account_id] = min(first, leg.day), max(last, leg.day)
        for account in books.accounts:
            reconciled = through.get(account.external_id)
            if account.account_kind not in BANK_KINDS or not account.is_active:
                continue
            if reconciled is not None and reconciled >= since:
                continue
            first, last = moved.get(account.external_id, (date.max, date.min))
            if first < since and (account.balance or last >= since):
                said = "never reconciled" if reconciled is None else f"last reconciled through {reconciled}"
                yield build_finding(
                    self,
                    books,
                    subjects=(account.key,),
                    summary=f"{account.name} was {said}",
                    evidence=(
                        Evidence(name="reconciled_through", value=str(reconciled or "never"), record=account.key),
                    ),
                    fixes=(SuggestedFix(label="Reconcile it with its statement", record=account.key),),
                )
