"""Money that comes round: the days of an entered series, without those that a document already stands for."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, add_months, roll_forward
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.books import Books
from runway_core.domain.company import EnteredSeries, Rhythm
from runway_core.domain.identity import RecordKind

FULFIL_DAYS = 10
FULFIL_SHARE = Decimal("0.20")

_STEP_DAYS = {Rhythm.WEEKLY: 7, Rhythm.BIWEEKLY: 14}
_STEP_MONTHS = {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3}


class Occurrence(NamedTuple):
    """One coming round of a series."""

    series: EnteredSeries
    nominal: date  # the day by the rhythm
    on: date  # the business day money moves


class _Candidate(NamedTuple):
    on: date
    amount: Decimal
    currency: str
    name: str  # kind and id, for a settled order


def find_days(series: EnteredSeries, first: date, last: date) -> Iterator[date]:
    """The nominal days of a series from `first` to `last`, both included, in order."""
    last = min(last, series.last_day) if series.last_day is not None else last
    step_days = _STEP_DAYS.get(series.rhythm)
    if step_days is not None:
        count = max(0, -(-(first - series.first_day).days // step_days))
    else:
        step_months = _STEP_MONTHS[series.rhythm]
        months = (first.year - series.first_day.year) * 12 + first.month - series.first_day.month
        count = max(0, months // step_months)
    while True:
        day = (
            add_days(series.first_day, count * step_days)
            if step_days is not None
            else add_months(series.first_day, count * _STEP_MONTHS[series.rhythm])
        )
        if day > last or day == date.max:
            return
        if day >= first:
            yield day
        count += 1


def find_occurrences(books: Books, last: date) -> list[Occurrence]:
    """What comes round from `as_of` to `last` and is not in the books yet, by day, then series."""
    every = books.company.settings.series
    candidates = _find_candidates(books, {s.vendor_id for s in every if s.vendor_id is not None and not s.is_inflow})
    found: list[Occurrence] = []
    for series in every:
        # Past days are looked at too, so that last month's document stands for last month's day.
        days = list(find_days(series, add_days(books.as_of, -3 * FULFIL_DAYS), add_days(last, FULFIL_DAYS)))
        fulfilled = _find_fulfilled(series, days, candidates.get(series.vendor_id or "", []))
        for day in days:
            on = roll_forward(day)
            if day not in fulfilled and books.as_of <= on <= last:
                found.append(Occurrence(series, day, on))
    return sorted(found, key=lambda o: (o.on, o.series.series_id, o.nominal))


def _find_candidates(books: Books, vendor_ids: set[str]) -> dict[str, list[_Candidate]]:
    found: dict[str, list[_Candidate]] = {}
    if not vendor_ids:
        return found
    bills = [bill for bill in books.bills if bill.vendor_id in vendor_ids]
    terms = UsualTerms(date_bills(bills), vendor_ids)
    for bill, document in zip(bills, date_bills(bills), strict=True):
        candidate = _Candidate(terms.due_day(document).day, bill.total, bill.currency, str(bill.key))
        found.setdefault(bill.vendor_id or "", []).append(candidate)
    for purchase in books.purchases:
        payee_id = purchase.payee_id
        if payee_id in vendor_ids and purchase.payee_kind is RecordKind.VENDOR and not purchase.is_void:
            candidate = _Candidate(purchase.document_date, purchase.total, purchase.currency, str(purchase.key))
            found.setdefault(payee_id or "", []).append(candidate)
    return found


def _find_fulfilled(series: EnteredSeries, days: Iterable[date], candidates: Iterable[_Candidate]) -> set[date]:
    """Give each document one day at most, the nearest first."""
    reach = timedelta(days=FULFIL_DAYS)
    fitting = [c for c in candidates if c.currency == series.currency and _is_alike(c.amount, series.amount)]
    pairs = sorted(
        (abs(candidate.on - day), day, candidate.on, candidate.name)
        for day in days
        for candidate in fitting
        if abs(candidate.on - day) <= reach
    )
    fulfilled: set[date] = set()
    used: set[str] = set()
    for _, day, _, name in pairs:
        if day not in fulfilled and name not in used:
            fulfilled.add(day)
            used.add(name)
    return fulfilled


def _is_alike(amount: Decimal, usual: Decimal) -> bool:
    return abs(amount - usual) <= usual * FULFIL_SHARE
