"""AR06: money that came from a customer and pays none of their invoices."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.customer_credits import (
    group_open_invoices,
    name_customer,
    rank_candidates,
    show_candidates,
    suggest_application,
)
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity


class CustomerPaymentUnapplied:
    """A payment with an unapplied rest while an invoice of the same customer and currency is open."""

    id = "AR06"
    name = "customer_payment_unapplied"
    floor = Severity.HIGH
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"customer_payments", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every payment on account that an open invoice waits for."""
        payments = [payment for payment in books.customer_payments if payment.unapplied > 0 and not payment.is_void]
        if not payments:
            return
        invoices = group_open_invoices(books)
        for payment in payments:
            candidates = invoices.get((payment.customer_id or "", payment.currency))
            if not candidates:
                continue
            nearest = rank_candidates(candidates, payment.unapplied)
            yield build_finding(
                self,
                books,
                subjects=(payment.key,),
                amount=payment.unapplied,
                currency=payment.currency,
                summary=f"{say_amount(payment.unapplied, payment.currency)} of {name_customer(payment)}, received "
                f"{payment.document_date}, pay no invoice while {len(candidates)} "
                + ("is open" if len(candidates) == 1 else "are open"),
                evidence=(
                    Evidence(name="received_on", value=payment.document_date.isoformat(), record=payment.key),
                    Evidence(
                        name="unapplied", value=plain_amount(payment.unapplied, payment.currency), record=payment.key
                    ),
                    *show_candidates(nearest),
                ),
                fixes=suggest_application(nearest, payment.unapplied, record=payment.key),
            )
