"""Bank lines that are told of because of their size, whatever became of them in the books."""

from datetime import timedelta
from decimal import Decimal

from runway_core.calculators.exchange import HomeRates
from runway_core.domain.books import Books
from runway_core.domain.money import Money
from runway_core.domain.position import WEEK, LargeBankLine

MOST = 20
"""A company that has more of them in a week has set the amount too low to be told of each."""


def find_large_bank_lines(books: Books) -> tuple[LargeBankLine, ...]:
    """Lines of the last seven days that moved at least the policy's `told_bank_line`, in or out, the largest first.

    Money between own accounts is no news and pending lines may still go away: neither is told. The amount is compared
    in home currency; a line without a rate to it is told, because nobody can say that it is small.
    """
    limit = books.policy.told_bank_line
    if limit is None:
        return ()
    rates, since = HomeRates.of(books), books.as_of - WEEK + timedelta(days=1)
    sized: list[tuple[Decimal | None, LargeBankLine]] = []
    for line in books.bank_transactions:
        if line.is_pending or line.is_transfer or not since <= line.booked_on <= books.as_of:
            continue
        home = rates.convert(abs(line.amount), line.currency)
        if home is None or home >= limit:
            told = LargeBankLine(
                external_id=line.external_id,
                rail=line.rail,
                booked_on=line.booked_on,
                amount=Money(amount=line.amount, currency=line.currency),
                text=line.counterparty or line.text,
            )
            sized.append((home, told))
    sized.sort(key=lambda one: (one[0] is not None, -(one[0] or 0), one[1].booked_on, one[1].external_id))
    return tuple(line for _, line in sized[:MOST])
