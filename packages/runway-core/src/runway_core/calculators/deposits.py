"""What deposits took to the bank of customers' payments."""

from datetime import date
from typing import NamedTuple

from runway_core.calculators.flows import find_cash_account_ids
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.ledger import Deposit


class Taken(NamedTuple):
    """The customer payments that a deposit names."""

    deposit: Deposit
    payment_ids: tuple[str, ...]


def list_taken(books: Books) -> tuple[Taken, ...]:
    """Deposits of customer payments, by day, then id."""
    named = (
        Taken(deposit, tuple(link.external_id for link in deposit.links if link.kind is RecordKind.CUSTOMER_PAYMENT))
        for deposit in sorted(books.deposits, key=lambda deposit: (deposit.document_date, deposit.external_id))
    )
    return tuple(taken for taken in named if taken.payment_ids)


def find_deposit_days(books: Books) -> dict[str, date]:
    """The day each customer payment was taken to a deposit account, by its id."""
    cash = find_cash_account_ids(books)
    return {
        payment_id: deposit.document_date
        for deposit, payment_ids in books.derive(list_taken)
        if deposit.account_id in cash
        for payment_id in payment_ids
    }
