"""AP03: dates that cannot be right."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.due_dates import find_date_fault, show_dates, suggest_due_date
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity


class BillDatesImplausible:
    """An open bill due before its date or more than a year after it, or dated after tomorrow."""

    id = "AP03"
    name = "bill_dates_implausible"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open bill whose dates cannot be right."""
        documents = zip(date_bills(books.open_bills), books.open_bills, strict=True)
        faulty = [
            (document, bill, fault)
            for document, bill in documents
            if (fault := find_date_fault(document, books.as_of)) is not None
        ]
        terms = UsualTerms.of_bills(books, [bill for _, bill, _ in faulty])
        for document, bill, fault in faulty:
            yield build_finding(
                self,
                books,
                subjects=(bill.key,),
                amount=bill.open_balance,
                currency=bill.currency,
                summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} {fault}",
                evidence=show_dates(document, key=bill.key),
                fixes=suggest_due_date(document, terms, books.as_of, key=bill.key),
            )
