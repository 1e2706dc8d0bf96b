"""AP11: a large bill that nobody can show."""

from collections.abc import Iterable
from decimal import Decimal

from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKind

LEAST_AMOUNT = Decimal(1000)
"""From this total on, in home currency, a bill should have its document; without a rate, in its own currency."""


class BillDocumentMissing:
    """A bill, open or paid, over 1,000 or more on which no file hangs.

    Books without a single attachment say nothing: they were not read, or the company keeps its documents elsewhere.
    """

    id = "AP11"
    name = "bill_document_missing"
    floor = Severity.LOW
    effect = RunwayEffect.CONFIDENCE
    reads = frozenset({"attachments", "bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every large bill without a file."""
        if not books.attachments:
            return
        shown = {
            link.external_id
            for attachment in books.attachments
            for link in attachment.links
            if link.kind is RecordKind.BILL
        }
        rates = HomeRates.of(books)
        for bill in books.bills:
            if bill.external_id in shown:
                continue
            home = rates.convert(bill.total, bill.currency)
            if (bill.total if home is None else home) < LEAST_AMOUNT:
                continue
            yield build_finding(
                self,
                books,
                subjects=(bill.key,),
                amount=bill.total,
                currency=bill.currency,
                summary=f"Bill {bill.number or bill.external_id} of {bill.vendor_name or 'an unknown vendor'} over "
                f"{say_amount(bill.total, bill.currency)} has no document",
                evidence=(
                    Evidence(name="total", value=plain_amount(bill.total, bill.currency), record=bill.key),
                    Evidence(name="attachments", value="0", record=bill.key),
                ),
                fixes=(SuggestedFix(label="Ask for the document", record=bill.key),),
            )
