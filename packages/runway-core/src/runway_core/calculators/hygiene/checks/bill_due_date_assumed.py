"""AP02: a due date that nobody entered.

Ledgers fill an absent due date from the terms, else with the document's own date.
"""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.due_dates import describe_assumed_due_date, is_filled_in
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity


class BillDueDateAssumed:
    """An open bill due on its own date, without terms, from a vendor whose other bills give at least a week."""

    id = "AP02"
    name = "bill_due_date_assumed"
    floor = Severity.LOW
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bills", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill whose due date looks filled in."""
        suspects = [b for b in books.open_bills if b.due_date == b.document_date and b.term_id is None]
        terms = UsualTerms.of_bills(books, suspects)
        for bill, document in zip(suspects, date_bills(suspects), strict=True):
            if is_filled_in(document, terms):
                vendor = books.vendor_by_id.get(bill.vendor_id or "")
                term_id = None if vendor is None else vendor.term_id
                told = describe_assumed_due_date(document, terms, key=bill.key, term_id=term_id)
                yield build_finding(
                    self,
                    books,
                    subjects=(bill.key,),
                    amount=bill.open_balance,
                    currency=bill.currency,
                    summary=f"Bill {bill.number or bill.external_id} is due on its own date {bill.due_date}; "
                    f"{bill.vendor_name or 'the vendor'} usually gives {told.usual_days} days",
                    evidence=told.evidence,
                    fixes=told.fixes,
                )
