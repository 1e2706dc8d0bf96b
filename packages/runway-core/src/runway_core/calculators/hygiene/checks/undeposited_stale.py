"""AR08: a receipt that never went to the bank, or went there a second time without it."""

from collections.abc import Iterable

from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.undeposited import FRESH_DAYS, find_waiting
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix

LONG_DAYS = 30
"""Lying longer than this, an item is of high severity."""


class UndepositedStale:
    """A customer payment in undeposited funds for over seven days, without a deposit that took it to the bank."""

    id = "AR08"
    name = "undeposited_stale"
    floor = Severity.MEDIUM
    effect = RunwayEffect.SHORTENS
    reads = frozenset({"chart", "customer_payments", "deposits"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every payment that lies."""
        for payment in find_waiting(books):
            age = (books.as_of - payment.document_date).days
            if age <= FRESH_DAYS:
                continue
            yield build_finding(
                self,
                books,
                subjects=(payment.key,),
                severity=Severity.HIGH if age > LONG_DAYS else Severity.MEDIUM,
                amount=payment.total,
                currency=payment.currency,
                summary=f"{say_amount(payment.total, payment.currency)} from "
                f"{payment.customer_name or 'an unknown customer'} lie in undeposited funds since "
                f"{payment.document_date}",
                evidence=(
                    Evidence(name="received_on", value=payment.document_date.isoformat(), record=payment.key),
                    Evidence(name="total", value=plain_amount(payment.total, payment.currency), record=payment.key),
                    Evidence(name="number", value=payment.number or "none", record=payment.key),
                ),
                # Neither changes expected cash, from which so old an item is left out.
                fixes=(
                    SuggestedFix(label="Make the deposit", record=payment.key),
                    SuggestedFix(label="Remove it where the money is at the bank already", record=payment.key),
                ),
            )
