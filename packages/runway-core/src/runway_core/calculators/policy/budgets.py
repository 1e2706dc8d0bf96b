"""What a month's bills and purchases book to the accounts that have a budget."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import first_of_month
from runway_core.calculators.exchange import HomeRates
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.money import ZERO
from runway_core.domain.policy import Policy

AccountMonth = tuple[str, date]
"""An account and the first day of a month."""

_BOOKED = frozenset({LineKind.ACCOUNT, LineKind.ITEM})


def sum_budgeted(books: Books, policy: Policy) -> dict[AccountMonth, Decimal]:
    """What is booked to each account with a budget, by month of the document; home currency."""
    budgets = policy.account_budgets
    if not budgets:
        return {}
    rates = HomeRates.of(books)
    sums: dict[AccountMonth, Decimal] = {}

    def add(on: date, currency: str, lines: Iterable[DocumentLine], *, sign: int = 1) -> None:
        for line in lines:
            if line.account_id in budgets and line.line_kind in _BOOKED:
                key = (line.account_id or "", first_of_month(on))
                sums[key] = sums.get(key, ZERO) + sign * (rates.convert(line.amount, currency) or ZERO)

    for bill in books.bills:
        add(bill.document_date, bill.currency, bill.lines)
    for purchase in books.purchases:
        if not purchase.is_void:
            sign = -1 if purchase.is_refund else 1
            add(purchase.document_date, purchase.currency, purchase.lines, sign=sign)
    for credit in books.vendor_credits:
        add(credit.document_date, credit.currency, credit.lines, sign=-1)
    return sums
