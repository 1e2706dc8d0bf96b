"""What the checks on credits from vendors share: money we have with a vendor, and the open bills it could pay."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from runway_core.calculators.credits import PartyCurrency, VendorCreditLeft
from runway_core.calculators.hygiene.check import plain_amount, say_amount
from runway_core.domain.bills import Bill, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, SuggestedFix

MOST_CANDIDATES = 3
MOST_ITEMS = 5


def group_open_bills(books: Books) -> dict[PartyCurrency, list[Bill]]:
    """Open bills by vendor and currency, each list by due date, then id. Reads bills."""
    groups: dict[PartyCurrency, list[Bill]] = {}
    for bill in books.open_bills:
        if bill.vendor_id is not None:
            groups.setdefault((bill.vendor_id, bill.currency), []).append(bill)
    return groups


def rank_candidates(bills: Sequence[Bill], amount: Decimal) -> list[Bill]:
    """The bills a credit may belong to: those over its very amount first, then the oldest due."""
    return sorted(bills, key=lambda bill: bill.open_balance != amount)[:MOST_CANDIDATES]


def show_bills(bills: Iterable[Bill]) -> tuple[Evidence, ...]:
    """What is open of each bill."""
    return tuple(
        Evidence(name="open_balance", value=plain_amount(bill.open_balance, bill.currency), record=bill.key)
        for bill in bills
    )


def show_credits(left: Iterable[VendorCreditLeft]) -> tuple[Evidence, ...]:
    """What is left of each credit and payment, by record."""
    shown = [
        Evidence(
            name="open_credit" if isinstance(record, VendorCredit) else "unapplied",
            value=plain_amount(amount, record.currency),
            record=record.key,
        )
        for record, amount in left
    ]
    return tuple(sorted(shown, key=lambda evidence: (evidence.name, evidence.record)))


def suggest_application(bills: Sequence[Bill], left: Iterable[VendorCreditLeft]) -> tuple[SuggestedFix, ...]:
    """Take credits off bills in the order given, each as far as it goes.

    Expected cash stays as it is: it counts credits against the vendor's open bills already.
    """
    fixes: list[SuggestedFix] = []
    open_of = {bill.external_id: bill.open_balance for bill in bills}
    for record, amount in sorted(left, key=lambda credit: (credit[0].document_date, credit[0].key)):
        rest = amount
        for bill in bills:
            part = min(rest, open_of[bill.external_id])
            if part > 0 and len(fixes) < MOST_ITEMS:
                rest -= part
                open_of[bill.external_id] -= part
                label = f"Apply {say_amount(part, bill.currency)} to bill {bill.number or bill.external_id}"
                fixes.append(SuggestedFix(label=label, record=record.key))
    return tuple(fixes)
