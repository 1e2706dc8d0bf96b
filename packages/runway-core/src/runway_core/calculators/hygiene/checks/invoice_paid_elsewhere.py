"""AR04: an invoice is still expected though its money came, because the deposit was booked as income."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, say_amount
from runway_core.calculators.hygiene.loose_receipts import (
    RECEIPT_READS,
    PaidElsewhere,
    find_loose_receipts,
    show_invoice,
    show_receipt,
)
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class InvoicePaidElsewhere:
    """Open invoices and a deposit booked to income or unlinked that pays them to the cent."""

    id = "AR04"
    name = "invoice_paid_elsewhere"
    floor = Severity.CRITICAL
    effect = RunwayEffect.SHORTENS
    reads = RECEIPT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every deposit that pays one invoice, or the only set of one customer's invoices that adds up to it."""
        for paid in find_loose_receipts(books).paid:
            receipt, invoices = paid.receipt, paid.invoices
            assert receipt.record is not None
            numbers = " and ".join(invoice.number or invoice.external_id for invoice in invoices)
            one = len(invoices) == 1
            customer = invoices[0].customer_name or "an unknown customer"
            yield build_finding(
                self,
                books,
                subjects=(receipt.record, *(invoice.key for invoice in invoices)),
                amount=receipt.amount,
                currency=receipt.currency,
                summary=f"A deposit of {say_amount(receipt.amount, receipt.currency)} on {receipt.day} seems to pay "
                f"{'invoice' if one else 'invoices'} {numbers} of {customer}, "
                f"{'which is' if one else 'which are'} still open",
                evidence=(
                    *show_receipt(receipt),
                    *(line for invoice in invoices for line in show_invoice(invoice)),
                    *(Evidence(name="because", value=words) for words in paid.evidence),
                ),
                fixes=(_suggest(paid, numbers),),
            )


def _suggest(paid: PaidElsewhere, numbers: str) -> SuggestedFix:
    """What is received already is expected no more; the deposit itself stays, it may be reconciled."""
    return SuggestedFix(
        label=f"Receive the payment against {numbers} and link it to the deposit, which stays as it is",
        record=paid.receipt.record,
        amendments=tuple(Amendment(action=AmendmentAction.REMOVE, record=invoice.key) for invoice in paid.invoices),
    )
