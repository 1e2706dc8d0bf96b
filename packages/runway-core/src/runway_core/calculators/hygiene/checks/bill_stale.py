"""AP09: a bill that everybody forgot."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.activity import QUIET_DAYS, find_last_activity, find_last_payments
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind

STALE_DAYS = 90


class BillStale:
    """An open bill over 90 days past due to which nothing happened in 60 days."""

    id = "AP09"
    name = "bill_stale"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bill_payments", "bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill that was left lying."""
        late = [
            (bill, days)
            for bill in books.open_bills
            if bill.due_date is not None and (days := (books.as_of - bill.due_date).days) > STALE_DAYS
        ]
        wanted = [bill.external_id for bill, _ in late]
        paid = find_last_payments(books.bill_payments, RecordKind.BILL, wanted, as_of=books.as_of)
        for bill, days in late:
            last = find_last_activity(bill, paid.get(bill.external_id), books)
            if (books.as_of - last).days > QUIET_DAYS:
                yield build_finding(
                    self,
                    books,
                    subjects=(bill.key,),
                    amount=bill.open_balance,
                    currency=bill.currency,
                    summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} over "
                    f"{say_amount(bill.open_balance, bill.currency)} is {days} days past due, quiet since {last}",
                    evidence=(
                        Evidence(name="due_date", value=str(bill.due_date), record=bill.key),
                        Evidence(
                            name="open_balance", value=plain_amount(bill.open_balance, bill.currency), record=bill.key
                        ),
                        Evidence(name="last_activity", value=last.isoformat(), record=bill.key),
                    ),
                    fixes=(
                        SuggestedFix(label="Confirm with the vendor that it is owed", record=bill.key),
                        SuggestedFix(
                            label="Void it",
                            record=bill.key,
                            amendments=(Amendment(action=AmendmentAction.REMOVE, record=bill.key),),
                        ),
                        SuggestedFix(label="Schedule its payment", record=bill.key),
                    ),
                )
