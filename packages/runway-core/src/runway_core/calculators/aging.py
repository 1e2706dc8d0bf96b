"""Open balances by age, credits apart as a negative column."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from runway_core.calculators.credits import PartyCurrency, find_customer_credits, find_vendor_credits
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.terms import UsualTerms, date_bills, date_invoices
from runway_core.domain.books import Books
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Aging, AgingBucket

_BANDS = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"))
_OLDEST = "over 90"
_CREDITS = "credits"


def band_of(days_past_due: int) -> str:
    """The label of the band that an age falls in; due today is current."""
    for most, label in _BANDS:
        if days_past_due <= most:
            return label
    return _OLDEST


def compute_payables_aging(books: Books) -> Aging:
    """Open bills by days past due, and what vendors owe us back."""
    terms = UsualTerms.of_bills(books, [bill for bill in books.open_bills if bill.due_date is None])
    documents = zip(date_bills(books.open_bills), books.open_bills, strict=True)
    dated = ((terms.due_day(document).day, bill.open_balance, bill.currency) for document, bill in documents)
    return _age(books, dated, find_vendor_credits(books))


def compute_receivables_aging(books: Books) -> Aging:
    """Open invoices by days past due, and what we owe customers back."""
    terms = UsualTerms.of_invoices(books, [i for i in books.open_invoices if i.due_date is None])
    documents = zip(date_invoices(books.open_invoices), books.open_invoices, strict=True)
    dated = ((terms.due_day(document).day, i.open_balance, i.currency) for document, i in documents)
    return _age(books, dated, find_customer_credits(books))


def _age(
    books: Books, documents: Iterable[tuple[date, Decimal, str]], credits_left: Mapping[PartyCurrency, Decimal]
) -> Aging:
    rates = HomeRates.of(books)
    sums = dict.fromkeys((*(label for _, label in _BANDS), _OLDEST, _CREDITS), ZERO)
    counts = dict.fromkeys(sums, 0)

    def add(label: str, amount: Decimal, currency: str) -> None:
        home = rates.convert(amount, currency)
        if home is not None:
            sums[label] += home
            counts[label] += 1

    for due, amount, currency in documents:
        add(band_of((books.as_of - due).days), amount, currency)
    for (_, currency), amount in credits_left.items():
        add(_CREDITS, -amount, currency)
    return Aging(
        buckets=tuple(
            AgingBucket(label=label, amount=Money(amount=total, currency=books.home), count=counts[label])
            for label, total in sums.items()
        ),
        total=Money(amount=sum(sums.values(), ZERO), currency=books.home),
    )
