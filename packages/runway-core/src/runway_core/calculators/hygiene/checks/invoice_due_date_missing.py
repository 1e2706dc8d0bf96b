"""AR01: an invoice whose due date is missing, filled in or impossible."""

from collections.abc import Iterable, Sequence

from runway_core.calculators.hygiene.check import build_finding
from runway_core.calculators.hygiene.due_dates import (
    describe_assumed_due_date,
    find_date_fault,
    is_filled_in,
    show_dates,
    suggest_due_date,
)
from runway_core.calculators.terms import DatedDocument, UsualTerms, date_invoices
from runway_core.domain.books import Books
from runway_core.domain.findings import Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.invoices import Invoice


class InvoiceDueDateMissing:
    """An open invoice whose due date cannot be relied upon.

    It has none; or is due on its own date, without terms and unlike its customer's others; or is due before its date
    or more than a year after it; or is dated after tomorrow.
    """

    id = "AR01"
    name = "invoice_due_date_missing"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open invoice whose due date cannot be relied upon."""
        documents = zip(date_invoices(books.open_invoices), books.open_invoices, strict=True)
        suspects = [
            (document, invoice, fault)
            for document, invoice in documents
            if (fault := _find_fault(document, invoice, books)) is not None
        ]
        terms = UsualTerms.of_invoices(books, [invoice for _, invoice, _ in suspects])
        for document, invoice, fault in suspects:
            evidence = show_dates(document, key=invoice.key)
            fixes: Sequence[SuggestedFix] = ()
            if fault == _FILLED_IN:
                if not is_filled_in(document, terms):
                    continue
                told = describe_assumed_due_date(document, terms, key=invoice.key, term_id=None)
                evidence, fixes = told.evidence, told.fixes
            yield build_finding(
                self,
                books,
                subjects=(invoice.key,),
                amount=invoice.open_balance,
                currency=invoice.currency,
                summary=f"Invoice {invoice.number or invoice.external_id} to "
                f"{invoice.customer_name or 'an unknown customer'} {fault}",
                evidence=evidence,
                fixes=fixes or suggest_due_date(document, terms, books.as_of, key=invoice.key),
            )


_FILLED_IN = "is due on its own date, unlike the customer's others"


def _find_fault(document: DatedDocument, invoice: Invoice, books: Books) -> str | None:
    fault = find_date_fault(document, books.as_of)
    if fault is not None:
        return fault
    if document.due_date is None:
        return "has no due date"
    return _FILLED_IN if document.due_date == document.document_date and invoice.term_id is None else None
