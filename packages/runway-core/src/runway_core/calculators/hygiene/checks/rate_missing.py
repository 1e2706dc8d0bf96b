"""SY06: money in a currency for which the firm set no rate, so that every figure leaves it out."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.undeposited import find_waiting
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey
from runway_core.domain.invoices import Invoice
from runway_core.domain.money import ZERO

MOST_SHOWN = 5


class _Foreign(NamedTuple):
    """One amount in another currency; `rate` is the one its document was booked at: history, and only a hint."""

    currency: str
    key: RecordKey
    amount: Decimal
    dated: date | None = None
    rate: Decimal | None = None


class RateMissing:
    """Open bills, open invoices, bank accounts and receipts in a currency that cannot be converted: one for each."""

    id = "SY06"
    name = "rate_missing"
    floor = Severity.CRITICAL
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"accounts", "bills", "chart", "customer_payments", "deposits", "invoices"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Each currency without a rate, with everything that is left out for it."""
        rates = HomeRates.of(books)
        by_currency: dict[str, list[_Foreign]] = {}
        for one in _read_foreign(books):
            if rates.convert(one.amount, one.currency) is None:
                by_currency.setdefault(one.currency, []).append(one)
        for currency, left_out in by_currency.items():
            yield self._report(books, currency, sorted(left_out, key=lambda one: (-abs(one.amount), one.key)))

    def _report(self, books: Books, currency: str, left_out: Sequence[_Foreign]) -> Finding:
        total = sum((abs(one.amount) for one in left_out), ZERO)
        hint = max((one for one in left_out if one.rate and one.dated), key=_by_day, default=None)
        said = "" if hint is None else f"; {hint.rate} was used on {hint.dated}"
        count = f"{len(left_out)} record" + ("s" if len(left_out) > 1 else "")
        return build_finding(
            self,
            books,
            subjects=(one.key for one in left_out),
            amount=total,
            currency=currency,
            summary=f"{currency} has no exchange rate: {count} over {say_amount(total, currency)} "
            f"{'are' if len(left_out) > 1 else 'is'} left out of every figure",
            evidence=(
                Evidence(name="currency", value=currency),
                *(
                    Evidence(name="left_out", value=plain_amount(one.amount, currency), record=one.key)
                    for one in left_out[:MOST_SHOWN]
                ),
            ),
            fixes=(SuggestedFix(label=f"Set the rate of {currency} in {books.home} in the company's settings{said}"),),
        )


def _by_day(one: _Foreign) -> tuple[date, RecordKey]:
    return one.dated or date.min, one.key


def _read_foreign(books: Books) -> Iterator[_Foreign]:
    """What figures would convert, as far as it is in another currency than the company's own."""
    home = books.home
    for document in chain[Bill | Invoice](books.open_bills, books.open_invoices):
        if document.currency != home:
            yield _Foreign(
                document.currency,
                document.key,
                document.open_balance,
                document.document_date,
                document.exchange_rate,
            )
    cash = find_cash_account_ids(books)
    for account in books.accounts:
        if account.currency != home and account.balance and account.external_id in cash:
            yield _Foreign(account.currency, account.key, account.balance)
    for payment in find_waiting(books):
        if payment.currency != home:
            yield _Foreign(payment.currency, payment.key, payment.total, payment.document_date, payment.exchange_rate)
