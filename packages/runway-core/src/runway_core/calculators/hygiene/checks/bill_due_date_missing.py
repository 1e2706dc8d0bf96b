"""AP01: an open bill says nothing about when it is due."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.due_dates import move_due
from runway_core.calculators.terms import DEFAULT_TERM_DAYS, UsualTerms, date_bills
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class BillDueDateMissing:
    """An open bill without a due date. Suggests the bill's date and the vendor's median terms, else 30 days."""

    id = "AP01"
    name = "bill_due_date_missing"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill without a due date."""
        undated = [bill for bill in books.open_bills if bill.due_date is None]
        terms = UsualTerms.of_bills(books, undated)
        for bill, document in zip(undated, date_bills(undated), strict=True):
            due = terms.due_day(document).day
            usual = terms.median_of(bill.vendor_id, except_id=bill.external_id)
            yield build_finding(
                self,
                books,
                subjects=(bill.key,),
                amount=bill.open_balance,
                currency=bill.currency,
                summary=f"{_title(bill)} over {say_amount(bill.open_balance, bill.currency)} has no due date",
                evidence=(
                    Evidence(name="document_date", value=bill.document_date.isoformat(), record=bill.key),
                    Evidence(name="due_date", value="none", record=bill.key),
                    Evidence(name="usual_term_days", value="unknown" if usual is None else str(usual)),
                ),
                fixes=(
                    SuggestedFix(
                        label=f"Set due date to {due} ({_say_terms(usual)})",
                        record=bill.key,
                        fields={"due_date": due.isoformat()},
                        amendments=move_due(bill.key, due),
                    ),
                    SuggestedFix(
                        label="Ask the vendor: it may be due already",
                        record=bill.key,
                        amendments=move_due(bill.key, books.as_of),
                    ),
                ),
            )


def _title(bill: Bill) -> str:
    return f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'}"


def _say_terms(usual: int | None) -> str:
    return f"{DEFAULT_TERM_DAYS} days, nothing better known" if usual is None else f"the vendor's usual {usual} days"
