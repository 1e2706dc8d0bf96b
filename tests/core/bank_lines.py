"""Books of the Sample company with bank lines of their own, and an amount from which on lines are told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_testkit.sample import AS_OF, amend_books, sample_books


def line(number: str, amount: str, *, days_ago: int = 0, currency: str = "USD", **more: Any) -> BankTransaction:
    return BankTransaction(
        external_id=number,
        account_id="bank-operating",
        booked_on=AS_OF - timedelta(days=days_ago),
        currency=currency,
        amount=Decimal(amount),
        rail="bank",
        **more,
    )


def books_with(*lines: BankTransaction, limit: str | None = "5000") -> Books:
    sample = sample_books()
    told = sample.policy.model_copy(update={"told_bank_line": None if limit is None else Decimal(limit)})
    return amend_books(sample, bank_transactions=lines, policy=told)
