"""AP12: a credit that nobody took off a bill."""

from collections.abc import Iterable

from runway_core.calculators.credits import PartyCurrency, VendorCreditLeft, find_open_credits
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.vendor_credits import (
    MOST_ITEMS,
    group_open_bills,
    show_bills,
    show_credits,
    suggest_application,
)
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity
from runway_core.domain.money import ZERO


class VendorCreditUnapplied:
    """A vendor with an open credit and an open bill in one currency."""

    id = "AP12"
    name = "vendor_credit_unapplied"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bill_payments", "bills", "vendor_credits", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a vendor in the books; of several currencies the first by code is judged."""
        open_credits: dict[PartyCurrency, list[VendorCreditLeft]] = {}
        for credit, amount in books.derive(find_open_credits):
            open_credits.setdefault((credit.vendor_id, credit.currency), []).append((credit, amount))
        if not open_credits:
            return
        bills = books.derive(group_open_bills)
        told: set[str] = set()
        for (vendor_id, currency), group in sorted(open_credits.items(), key=lambda item: item[0][1]):
            vendor = books.vendor_by_id.get(vendor_id or "")
            waiting = bills.get((vendor_id, currency))
            if vendor is None or not waiting or vendor.external_id in told:
                continue
            told.add(vendor.external_id)
            credit_sum = sum((amount for _, amount in group), ZERO)
            bill_sum = sum((bill.open_balance for bill in waiting), ZERO)
            yield build_finding(
                self,
                books,
                subjects=(vendor.key,),
                amount=min(credit_sum, bill_sum),
                currency=currency,
                summary=f"{vendor.name} owes us {say_amount(credit_sum, currency)} in credits while bills over "
                f"{say_amount(bill_sum, currency)} are open",
                evidence=(
                    Evidence(name="open_credits", value=plain_amount(credit_sum, currency), record=vendor.key),
                    Evidence(name="open_bills", value=plain_amount(bill_sum, currency), record=vendor.key),
                    *show_credits(group)[:MOST_ITEMS],
                    *show_bills(waiting[:MOST_ITEMS]),
                ),
                fixes=suggest_application(waiting, group),
            )
