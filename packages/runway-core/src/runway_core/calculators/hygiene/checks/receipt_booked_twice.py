"""AR09: one receipt that stands in the books as a payment and as income."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.loose_receipts import RECEIPT_READS, find_loose_receipts, show_receipt
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class ReceiptBookedTwice:
    """A payment in undeposited funds and a deposit booked to income over its amount, at most ten days apart."""

    id = "AR09"
    name = "receipt_booked_twice"
    floor = Severity.HIGH
    effect = RunwayEffect.SHORTENS
    reads = RECEIPT_READS

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such pair, each payment and each deposit line once."""
        for payment, receipt in find_loose_receipts(books).doubles:
            assert receipt.record is not None
            yield build_finding(
                self,
                books,
                subjects=(payment.key, receipt.record),
                amount=payment.total,
                currency=payment.currency,
                summary=f"{say_amount(payment.total, payment.currency)} of "
                f"{payment.customer_name or 'an unknown customer'} wait in undeposited funds, and as much was "
                f"deposited as income on {receipt.day}",
                evidence=(
                    Evidence(name="received_on", value=payment.document_date.isoformat(), record=payment.key),
                    Evidence(name="total", value=plain_amount(payment.total, payment.currency), record=payment.key),
                    Evidence(name="customer_name", value=payment.customer_name or "none", record=payment.key),
                    *show_receipt(receipt),
                ),
                fixes=(
                    SuggestedFix(
                        label="Match the deposit to the payment, so that it is income once",
                        record=receipt.record,
                        amendments=(Amendment(action=AmendmentAction.REMOVE, record=payment.key),),
                    ),
                ),
            )
