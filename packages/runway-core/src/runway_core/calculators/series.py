"""Money that comes round: the coming days of entered and detected series, less those that a document stands for.

An entered series wins over detected ones of the same counterparty. What came round in the past is named, so that it is
expected once: as a series, and not again as money that is usual in a week.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, add_months, roll_forward
from runway_core.calculators.detected_series import STEPS, DetectedSeries, find_outflow_series, step
from runway_core.calculators.outflows import (
    Outflow,
    find_card_account_ids,
    find_wage_account_ids,
    is_for_wages,
    read_billed,
    read_unbilled,
)
from runway_core.calculators.terms import UsualTerms, date_bills
from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.books import Books
from runway_core.domain.company import EnteredSeries, Rhythm, SeriesKind
from runway_core.domain.identity import RecordKey, RecordKind

FULFIL_DAYS = 10
FULFIL_SHARE = Decimal("0.20")

_STEP_DAYS = {Rhythm.WEEKLY: 7, Rhythm.BIWEEKLY: 14}
_STEP_MONTHS = {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3}


class Occurrence(NamedTuple):
    """One coming round of a series."""

    series_id: str
    name: str
    amount: Decimal  # positive, in `currency`
    currency: str
    rhythm: Rhythm
    nominal: date  # the day by the rhythm
    on: date  # the business day money moves
    is_inflow: bool = False
    is_detected: bool = False


class ComingSeries(NamedTuple):
    """What comes round, and what of the past belongs to it."""

    occurrences: tuple[Occurrence, ...]  # by day, then series
    in_series: frozenset[RecordKey]  # past payments and receipts that came round
    payroll_ids: frozenset[str]  # series that are payroll


class _Candidate(NamedTuple):
    on: date
    amount: Decimal
    currency: str
    name: str  # kind and id, for a settled order
    key: RecordKey


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


def compute_series(books: Books, last: date, *, since: date, apart: frozenset[RecordKey] = frozenset()) -> ComingSeries:
    """What comes round from `as_of` to `last` and is not in the books yet, and what came round from `since` on.

    Payments `apart` are expected otherwise, and so belong to no detected series and to nothing that is usual.
    """
    outflows = [o for o in read_unbilled(books) if (o.kind, o.external_id) not in apart]
    detected = _detect(books, outflows, apart)
    entered = books.company.settings.series
    parties = _Parties(books, outflows, detected)
    left = [series for series in detected if not any(parties.is_same(one, series) for one in entered)]
    found: list[Occurrence] = []
    in_series: set[RecordKey] = set()
    candidates = _find_bill_candidates(books, entered)
    for series in entered:
        held = [*candidates.get(series.vendor_id or "", []), *parties.find_candidates(series)]
        found += _place_entered(series, held, as_of=books.as_of, last=last)
        in_series |= _find_past_rounds(books, series, parties, since=since)
    open_bills = _group_open_bills(books, left)
    for one in left:
        in_series |= {key for member in one.members for key in member.records}
        in_series |= {o.record.key for o in parties.of(one.counterparty) if one.is_payroll}
        held = [*open_bills.get(one.counterparty.external_id, []), *_find_later_payments(one, parties)]
        found += _place_detected(one, held, as_of=books.as_of, last=last)
    payroll = {series.series_id for series in entered if series.series_kind is SeriesKind.PAYROLL}
    return ComingSeries(
        occurrences=tuple(sorted(found, key=lambda o: (o.on, o.series_id, o.nominal))),
        in_series=frozenset(in_series | apart),
        payroll_ids=frozenset(payroll | {series.series_id for series in left if series.is_payroll}),
    )


def _detect(books: Books, outflows: Iterable[Outflow], apart: frozenset[RecordKey]) -> tuple[DetectedSeries, ...]:
    """The series of `outflows`, which are all but those `apart`: only their counterparties are looked at again."""
    every = books.derive(find_unbilled_series)
    touched = {(o.party, o.currency) for o in read_unbilled(books) if (o.kind, o.external_id) in apart}
    if not touched:
        return every
    left = (o for o in outflows if (o.party, o.currency) in touched)
    same = (series for series in every if (series.counterparty, series.currency) not in touched)
    return tuple(sorted((*same, *find_outflow_series(books, left)), key=lambda series: series.series_id))


def find_unbilled_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Series of payments that settle no bill, by id: the others come as the bills do, which keep their day better."""
    return find_outflow_series(books, read_unbilled(books))


class _Parties:
    """Who is paid by an entered series: its vendor, else whom wages or cards are paid to, or who was found for it."""

    def __init__(self, books: Books, outflows: Sequence[Outflow], detected: Sequence[DetectedSeries]) -> None:
        """`outflows` settle no bill; what settles bills is read for those whom they, or an entered series, name."""
        self._as_of = books.as_of
        self._cards = {RecordKey(RecordKind.ACCOUNT, account_id) for account_id in find_card_account_ids(books)}
        self._wages: set[RecordKey] = set()
        self._detected = detected
        self._by_party: dict[RecordKey, list[Outflow]] = {}
        wages = find_wage_account_ids(books)
        for outflow in outflows:
            self._by_party.setdefault(outflow.party, []).append(outflow)
            if wages and outflow.kind is not RecordKind.BILL_PAYMENT and is_for_wages(outflow, wages):
                self._wages.add(outflow.party)
        vendor_ids = {party.external_id for party in self._by_party if party.kind is RecordKind.VENDOR}
        vendor_ids.update(one.vendor_id for one in books.company.settings.series if one.vendor_id is not None)
        for outflow in read_billed(books, vendor_ids):
            self._by_party.setdefault(outflow.party, []).append(outflow)

    def of(self, party: RecordKey) -> Sequence[Outflow]:
        """Everything paid to a counterparty."""
        return self._by_party.get(party, ())

    def is_same(self, entered: EnteredSeries, found: DetectedSeries) -> bool:
        """Whether an entered series stands for a detected one."""
        if entered.is_inflow or entered.currency != found.currency:
            return False
        return found.counterparty in self._find_known(entered) or stands_for(entered, found)

    def find_all(self, series: EnteredSeries) -> set[RecordKey]:
        """The counterparties of an entered series."""
        if series.is_inflow:
            return set()
        return self._find_known(series) | {d.counterparty for d in self._detected if stands_for(series, d)}

    def find_candidates(self, series: EnteredSeries) -> list[_Candidate]:
        """Payments that fulfil an entered series without a bill. Those of a vendor's bills stand as bills."""
        return [
            _Candidate(o.on, o.amount, o.currency, str(o.record.key), o.record.key)
            for party in self.find_all(series)
            for o in self.of(party)
            if not isinstance(o.record, BillPayment)
        ]

    def is_wholly(self, series: EnteredSeries) -> bool:
        """Whether all that its counterparties were paid belongs to a series, whatever the amount: payroll, cards."""
        return series.vendor_id is None and series.series_kind in (SeriesKind.PAYROLL, SeriesKind.CARD)

    def _find_known(self, series: EnteredSeries) -> set[RecordKey]:
        if series.vendor_id is not None:
            return {RecordKey(RecordKind.VENDOR, series.vendor_id)}
        if series.series_kind is SeriesKind.PAYROLL:
            return self._wages
        return self._cards if series.series_kind is SeriesKind.CARD else set()


def stands_for(entered: EnteredSeries, found: DetectedSeries, *, due_after: int = 0) -> bool:
    """Whether an entered series is a detected one by what both say: the vendor; without one rhythm, amount and day.

    Bills found by their own day are due some days after it.
    """
    if entered.is_inflow or entered.currency != found.currency:
        return False
    if entered.vendor_id is not None:
        return found.counterparty == RecordKey(RecordKind.VENDOR, entered.vendor_id)
    if entered.rhythm is not found.rhythm or not _is_alike(found.amount, entered.amount):
        return False
    near, expected = timedelta(days=FULFIL_DAYS), add_days(found.next_on, due_after)
    days = find_all_days(entered, add_days(expected, -FULFIL_DAYS), add_days(expected, FULFIL_DAYS))
    return any(abs(day - expected) <= near for day in days)


def find_all_days(series: EnteredSeries, first: date, last: date) -> list[date]:
    """The nominal days of a series in a span, those before it was entered included."""
    before: list[date] = []
    day, count = step(series.first_day, series.rhythm, -1), 1
    while day >= first and day != date.min:
        if day <= last:
            before.append(day)
        count += 1
        day = step(series.first_day, series.rhythm, -count)
    return [*reversed(before), *find_days(series, first, last)]


def _place_entered(
    series: EnteredSeries, candidates: Sequence[_Candidate], *, as_of: date, last: date
) -> Iterator[Occurrence]:
    # Past days are looked at too, so that last month's document stands for last month's day.
    days = list(find_days(series, add_days(as_of, -3 * FULFIL_DAYS), add_days(last, FULFIL_DAYS)))
    fulfilled = _find_fulfilled(series, days, candidates)
    for day in days:
        on = roll_forward(day)
        if day not in fulfilled and as_of <= on <= last:
            yield Occurrence(
                series_id=series.series_id,
                name=series.name,
                amount=series.amount,
                currency=series.currency,
                rhythm=series.rhythm,
                nominal=day,
                on=on,
                is_inflow=series.is_inflow,
            )


def _place_detected(
    series: DetectedSeries, candidates: Sequence[_Candidate], *, as_of: date, last: date
) -> Iterator[Occurrence]:
    """Coming days; one that is at most ten days late and not paid yet is expected today."""
    days = list(series.days_from(add_days(as_of, -3 * FULFIL_DAYS), add_days(last, FULFIL_DAYS)))
    # A bill that is habitually paid late still stands for its own month: half a period decides.
    reach = max(FULFIL_DAYS, STEPS[series.rhythm][0] // 2)
    fulfilled = _find_fulfilled(series, days, candidates, reach=reach)
    for day in days:
        on = roll_forward(max(day, as_of))
        if day not in fulfilled and day >= add_days(as_of, -FULFIL_DAYS) and on <= last:
            yield Occurrence(
                series_id=series.series_id,
                name=series.name,
                amount=series.amount,
                currency=series.currency,
                rhythm=series.rhythm,
                nominal=day,
                on=on,
                is_detected=True,
            )


def _find_past_rounds(books: Books, series: EnteredSeries, parties: _Parties, *, since: date) -> set[RecordKey]:
    """What was paid, or came in, for an entered series from `since` to today."""
    found: list[_Candidate] = []
    if series.is_inflow:
        found = [
            _Candidate(p.document_date, p.total, p.currency, str(p.key), p.key)
            for p in books.customer_payments
            if not p.is_void and since <= p.document_date <= books.as_of and _is_alike(p.total, series.amount)
        ]
    else:
        found = [
            _Candidate(o.on, o.amount, o.currency, str(o.record.key), o.record.key)
            for party in parties.find_all(series)
            for o in parties.of(party)
            if since <= o.on <= books.as_of
        ]
        if parties.is_wholly(series):
            return {candidate.key for candidate in found}
    days = find_all_days(series, add_days(since, -FULFIL_DAYS), add_days(books.as_of, FULFIL_DAYS))
    used: dict[date, RecordKey] = _find_fulfilled(series, days, found)
    return set(used.values())


def _find_bill_candidates(books: Books, entered: Sequence[EnteredSeries]) -> dict[str, list[_Candidate]]:
    """Bills of the vendors of entered series, and what was bought of them by card or without a bill."""
    found: dict[str, list[_Candidate]] = {}
    vendor_ids = {s.vendor_id for s in entered if s.vendor_id is not None and not s.is_inflow}
    if not vendor_ids:
        return found
    bills = [bill for bill in books.bills if bill.vendor_id in vendor_ids]
    terms = UsualTerms(date_bills(bills), vendor_ids)
    for bill, document in zip(bills, date_bills(bills), strict=True):
        candidate = _Candidate(terms.due_day(document).day, bill.total, bill.currency, str(bill.key), bill.key)
        found.setdefault(bill.vendor_id or "", []).append(candidate)
    for purchase in books.purchases:
        payee_id = purchase.payee_id
        if payee_id in vendor_ids and purchase.payee_kind is RecordKind.VENDOR and not purchase.is_void:
            candidate = _Candidate(
                purchase.document_date, purchase.total, purchase.currency, str(purchase.key), purchase.key
            )
            found.setdefault(payee_id or "", []).append(candidate)
    return found


def _group_open_bills(books: Books, detected: Iterable[DetectedSeries]) -> Mapping[str, list[_Candidate]]:
    """Open bills of the vendors of detected series, on the day the outlook has them leave."""
    wanted = {s.counterparty.external_id for s in detected if s.counterparty.kind is RecordKind.VENDOR}
    bills: list[Bill] = [bill for bill in books.open_bills if bill.vendor_id in wanted]
    terms = UsualTerms.of_bills(books, [bill for bill in bills if bill.due_date is None])
    found: dict[str, list[_Candidate]] = {}
    for bill, document in zip(bills, date_bills(bills), strict=True):
        on = max(terms.due_day(document).day, books.as_of)
        found.setdefault(bill.vendor_id or "", []).append(
            _Candidate(on, bill.total, bill.currency, str(bill.key), bill.key)
        )
    return found


def _find_later_payments(series: DetectedSeries, parties: _Parties) -> list[_Candidate]:
    """What was paid to a series' counterparty since its last round, or is entered ahead."""
    last = series.members[-1]
    return [
        _Candidate(o.on, o.amount, o.currency, str(o.record.key), o.record.key)
        for o in parties.of(series.counterparty)
        if o.on >= last.on and o.record.key not in last.records
    ]


def _find_fulfilled(
    series: EnteredSeries | DetectedSeries,
    days: Iterable[date],
    candidates: Iterable[_Candidate],
    *,
    reach: int = FULFIL_DAYS,
) -> dict[date, RecordKey]:
    """Give each document one day at most, the nearest first."""
    fitting = [c for c in candidates if c.currency == series.currency and _is_alike(c.amount, series.amount)]
    pairs = sorted(
        (abs(candidate.on - day), day, candidate.on, candidate.name, candidate.key)
        for day in days
        for candidate in fitting
        if abs((candidate.on - day).days) <= reach
    )
    fulfilled: dict[date, RecordKey] = {}
    used: set[str] = set()
    for _, day, _, name, key in pairs:
        if day not in fulfilled and name not in used:
            fulfilled[day] = key
            used.add(name)
    return fulfilled


def _is_alike(amount: Decimal, usual: Decimal) -> bool:
    return abs(amount - usual) <= usual * FULFIL_SHARE
