"""Amounts in the company's home currency, at the rates the firm has set, held flat.

A document's own rate is history and not used here. Without a rate an amount is left out of totals, and named.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from runway_core.domain.books import Books
from runway_core.domain.money import AMOUNT_STEP, round_to_minor


class HomeRates:
    """Converts to one company's home currency."""

    def __init__(self, home: str, rates: Mapping[str, Decimal]) -> None:
        self.home = home
        self._rates = rates

    @classmethod
    def of(cls, books: Books) -> "HomeRates":
        """The rates of a company's settings."""
        return cls(books.home, books.company.settings.exchange_rates)

    def convert(self, amount: Decimal, currency: str) -> Decimal | None:
        """`amount` in home currency, rounded half up to its decimals; `None` without a usable rate."""
        if currency == self.home:
            return amount
        rate = self._rates.get(currency)
        if rate is None or rate <= 0:
            return None
        return round_to_minor(amount * rate, self.home).quantize(AMOUNT_STEP)


def name_unrated(what: str, missing: Iterable[tuple[Decimal, str]]) -> tuple[str, ...]:
    """One line for each currency without a rate, with the sum that had to be left out."""
    sums: dict[str, Decimal] = {}
    for amount, currency in missing:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return tuple(f"{what}: {amount:,.2f} {currency} has no exchange rate" for currency, amount in sorted(sums.items()))
