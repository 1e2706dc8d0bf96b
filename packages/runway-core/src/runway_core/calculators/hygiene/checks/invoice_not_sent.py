"""AR11: nobody pays what he was never sent."""

from collections.abc import Iterable
from datetime import timedelta

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix

SEND_DAYS = 3


class InvoiceNotSent:
    """An open invoice older than three days that the ledger says was never sent."""

    id = "AR11"
    name = "invoice_not_sent"
    floor = Severity.MEDIUM
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every open invoice that waits to be sent; where the ledger does not say, nothing is found."""
        latest = books.as_of - timedelta(days=SEND_DAYS)
        for invoice in books.open_invoices:
            if invoice.is_sent is not False or invoice.document_date >= latest:
                continue
            yield build_finding(
                self,
                books,
                subjects=(invoice.key,),
                amount=invoice.open_balance,
                currency=invoice.currency,
                summary=f"Invoice {invoice.number or invoice.external_id} to "
                f"{invoice.customer_name or 'an unknown customer'} over "
                f"{say_amount(invoice.open_balance, invoice.currency)} was never sent",
                evidence=(
                    Evidence(name="document_date", value=invoice.document_date.isoformat(), record=invoice.key),
                    Evidence(
                        name="open_balance",
                        value=plain_amount(invoice.open_balance, invoice.currency),
                        record=invoice.key,
                    ),
                    Evidence(name="is_sent", value="no", record=invoice.key),
                ),
                fixes=(SuggestedFix(label="Send it", record=invoice.key),),
            )
