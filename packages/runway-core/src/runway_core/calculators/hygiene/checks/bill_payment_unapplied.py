"""AP13: money that went to a vendor and pays none of their bills."""

from collections.abc import Iterable

from runway_core.calculators.credits import find_unapplied_payments
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.vendor_credits import (
    group_open_bills,
    rank_candidates,
    show_bills,
)
from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix


class BillPaymentUnapplied:
    """A bill payment with a rest that pays no bill. Where the rail does not say what was applied, nothing is found."""

    id = "AP13"
    name = "bill_payment_unapplied"
    floor = Severity.HIGH
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bill_payments", "bills"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every such payment; bills over the very amount are named first."""
        for payment, amount in books.derive(find_unapplied_payments):
            waiting = books.derive(group_open_bills).get((payment.vendor_id, payment.currency), [])
            candidates = rank_candidates(waiting, amount)
            rest = "" if amount == payment.total else f" of {say_amount(payment.total, payment.currency)}"
            yield build_finding(
                self,
                books,
                subjects=(payment.key,),
                amount=amount,
                currency=payment.currency,
                summary=f"{say_amount(amount, payment.currency)}{rest} paid to "
                f"{payment.vendor_name or 'an unknown vendor'} on {payment.document_date} pay no bill",
                evidence=(
                    Evidence(name="paid_on", value=payment.document_date.isoformat(), record=payment.key),
                    Evidence(name="total", value=plain_amount(payment.total, payment.currency), record=payment.key),
                    Evidence(name="unapplied", value=plain_amount(amount, payment.currency), record=payment.key),
                    *show_bills(candidates),
                ),
                fixes=_suggest(payment, candidates),
            )


def _suggest(payment: BillPayment, candidates: Iterable[Bill]) -> tuple[SuggestedFix, ...]:
    """Choose the bill. Expected cash stays as it is: it counts the payment against the vendor's bills already."""
    fixes = tuple(
        SuggestedFix(label=f"Apply it to bill {bill.number or bill.external_id}", record=payment.key)
        for bill in candidates
    )
    return fixes or (SuggestedFix(label="Enter the bill it pays, or ask for the money back", record=payment.key),)
