"""AP16: a vendor who owes us."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from runway_core.calculators.credits import PartyCurrency, find_vendor_credits, list_vendor_credits
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.hygiene.vendor_credits import (
    MOST_ITEMS,
    group_open_bills,
    show_bills,
    show_credits,
)
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.money import ZERO
from runway_core.domain.parties import Vendor

REFUND_DAYS = 30
"""A refund that is asked for is supposed to come after so many days."""


class VendorBalanceNegative:
    """A vendor whose credits and payments on account are more than what is open of their bills, in one currency."""

    id = "AP16"
    name = "vendor_balance_negative"
    floor = Severity.MEDIUM
    effect = RunwayEffect.LENGTHENS
    reads = frozenset({"bill_payments", "bills", "vendor_credits", "vendor_list"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding a vendor in the books; of several currencies the first by code is judged."""
        told: set[str] = set()
        for (vendor_id, currency), balance in sorted(_sum_balances(books).items(), key=lambda item: item[0][1]):
            vendor = books.vendor_by_id.get(vendor_id or "")
            if balance < 0 and vendor is not None and vendor.external_id not in told:
                told.add(vendor.external_id)
                yield self._report(books, vendor, balance, currency)

    def _report(self, books: Books, vendor: Vendor, balance: Decimal, currency: str) -> Finding:
        party: PartyCurrency = (vendor.external_id, currency)
        waiting = books.derive(group_open_bills).get(party, [])
        below = [
            bill
            for bill in books.bills_by_vendor.get(vendor.external_id, ())
            if bill.open_balance < 0 and bill.currency == currency
        ]
        left = [
            (record, amount)
            for record, amount in list_vendor_credits(books)
            if (record.vendor_id, record.currency) == party
        ]
        return build_finding(
            self,
            books,
            subjects=(vendor.key,),
            amount=-balance,
            currency=currency,
            summary=f"{vendor.name} owes us {say_amount(-balance, currency)} more than is open of their bills",
            evidence=(
                Evidence(name="balance", value=plain_amount(balance, currency), record=vendor.key),
                *show_credits(left)[:MOST_ITEMS],
                *show_bills((*below, *waiting)[:MOST_ITEMS]),
            ),
            fixes=_suggest(books, vendor, balance, currency, waiting),
        )


def _sum_balances(books: Books) -> dict[PartyCurrency, Decimal]:
    """What is owed to each vendor that has something with us, negative where they owe us."""
    sums = {party: -amount for party, amount in find_vendor_credits(books).items()}
    for bill in books.unsettled_bills:
        if bill.open_balance < 0 and bill.vendor_id is not None:
            party: PartyCurrency = (bill.vendor_id, bill.currency)
            sums[party] = sums.get(party, ZERO) + bill.open_balance
    if sums:
        for owed, bills in books.derive(group_open_bills).items():
            if owed in sums:
                sums[owed] += sum((bill.open_balance for bill in bills), ZERO)
    return sums


def _suggest(
    books: Books, vendor: Vendor, balance: Decimal, currency: str, waiting: list[Bill]
) -> tuple[SuggestedFix, ...]:
    """Apply what is there, or ask for the money; a refund in a currency without a rate changes no figure."""
    home = HomeRates.of(books).convert(-balance, currency)
    refund: tuple[Amendment, ...] = ()
    if home is not None:
        on = books.as_of + timedelta(days=REFUND_DAYS)
        refund = (Amendment(action=AmendmentAction.ADD, on=on, amount=home, label=f"Refund of {vendor.name}"),)
    return (
        SuggestedFix(
            label="Apply it to the open bills, the rest to the next one" if waiting else "Apply it to the next bill",
            record=vendor.key,
        ),
        SuggestedFix(
            label=f"Ask for a refund of {say_amount(-balance, currency)}", record=vendor.key, amendments=refund
        ),
    )
