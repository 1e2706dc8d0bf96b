"""Money that comes round without anyone having entered it: found in what was paid, billed and invoiced.

A series is at least three movements with one counterparty, a week, two weeks, a month or a quarter apart, give or take
three days, and alike within a tenth. Among many payments chance makes chains: two of three alike days in a series' span
must be its members, and of several rhythms the one with most members counts.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, add_months
from runway_core.calculators.outflows import Outflow, find_wage_account_ids, is_for_wages, read_outflows
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.company import Rhythm
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Account
from runway_core.domain.parties import Customer, Vendor
from runway_core.domain.record import Record

LEAST_MEMBERS = 3
TOLERANCE_DAYS = 3
ALIKE_SHARE = Decimal("0.10")
LAST_SHOWN = 6
OVER_AFTER_DAYS = 28
"""A series is over when its next day is past by a whole period, or by four weeks where the period is shorter."""

STEPS: dict[Rhythm, tuple[int, int]] = {
    Rhythm.WEEKLY: (7, 0),
    Rhythm.BIWEEKLY: (14, 0),
    Rhythm.MONTHLY: (30, 1),
    Rhythm.QUARTERLY: (91, 3),
}
"""The length of each period in days, and for months how many of them."""


_LONGEST_AGO = 2 * 91 + 2 * TOLERANCE_DAYS


class SeriesSource(StrEnum):
    """What a series was found among."""

    OUTFLOW = "outflow"  # payments out of deposit accounts
    BILL = "bill"  # bills by their date
    INVOICE = "invoice"  # invoices by their date


class Member(NamedTuple):
    """One coming round of a series."""

    on: date
    amount: Decimal  # positive, in the currency of the series
    records: tuple[RecordKey, ...]  # more than one where a day's payments make up one round


@dataclass(frozen=True, slots=True)
class DetectedSeries:
    """Money that came round, and when it is expected next."""

    source: SeriesSource
    counterparty: RecordKey  # vendor, customer or employee; else the account on the other side
    name: str
    currency: str
    rhythm: Rhythm
    members: tuple[Member, ...]  # oldest first
    next_on: date  # by the rhythm; in the past when it is late
    amount: Decimal  # the median of the last three
    is_payroll: bool = False
    number: int = 1  # counts the like series of one counterparty, the larger first

    @property
    def series_id(self) -> str:
        """The same series keeps its id while it comes round."""
        tail = "" if self.number == 1 else f":{self.number}"
        return f"{self.source.value}:{self.counterparty}:{self.rhythm.value}:{self.currency}{tail}"

    @property
    def key(self) -> RecordKey:
        """The series as a subject of findings."""
        return RecordKey(RecordKind.SERIES, self.series_id)

    @property
    def last_members(self) -> tuple[Member, ...]:
        """The last six, oldest first."""
        return self.members[-LAST_SHOWN:]

    def days_from(self, first: date, last: date) -> Iterator[date]:
        """Its coming days by the rhythm, from `first` to `last`, both included; never before `next_on`."""
        count, day = 0, self.next_on
        while day <= last and day != date.max:
            if day >= first:
                yield day
            count += 1
            day = step(self.next_on, self.rhythm, count)


class _Row(NamedTuple):
    on: int  # the day's ordinal: ten thousand documents are compared within a page's time
    amount: Decimal
    records: tuple[Record, ...]


class _Rounds(NamedTuple):
    """Whose money may come round."""

    source: SeriesSource
    party: RecordKey
    name: str
    currency: str


def find_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Every series of payments, bills and invoices that is not over, by id."""
    return (*find_bill_series(books), *find_invoice_series(books), *find_outflow_series(books))


def find_outflow_series(books: Books, outflows: Iterable[Outflow] | None = None) -> tuple[DetectedSeries, ...]:
    """Series of payments out of deposit accounts, payroll among them, by id; of `outflows` alone where they are given.

    A counterparty's series in one currency depend on nothing that others were paid.
    """
    wages = find_wage_account_ids(books)
    groups: dict[tuple[RecordKey, str], list[Outflow]] = {}
    for outflow in read_outflows(books) if outflows is None else outflows:
        if outflow.on <= books.as_of:
            groups.setdefault((outflow.party, outflow.currency), []).append(outflow)
    found: list[DetectedSeries] = []
    for (party, currency), paid in groups.items():
        if len(paid) >= LEAST_MEMBERS:
            is_payroll = bool(wages) and any(is_for_wages(outflow, wages) for outflow in paid)
            rows = [_Row(outflow.on.toordinal(), outflow.amount, (outflow.record,)) for outflow in paid]
            rows = _sum_days(rows) if is_payroll else rows  # many are paid on one day
            rounds = _Rounds(SeriesSource.OUTFLOW, party, _name(books, party), currency)
            found += _name_chains(rounds, rows, as_of=books.as_of, is_payroll=is_payroll)
    return _by_id(found)


def find_bill_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Series of bills by vendor and document date, by id."""
    return _find_in_documents(books, SeriesSource.BILL, RecordKind.VENDOR, books.bills_by_vendor)


def find_invoice_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Series of invoices by customer and document date, by id."""
    groups: dict[str, list[Invoice]] = {}
    for invoice in books.invoices:
        if invoice.customer_id is not None:
            groups.setdefault(invoice.customer_id, []).append(invoice)
    return _find_in_documents(books, SeriesSource.INVOICE, RecordKind.CUSTOMER, groups)


def _find_in_documents(
    books: Books, source: SeriesSource, kind: RecordKind, groups: Mapping[str, Sequence[Bill | Invoice]]
) -> tuple[DetectedSeries, ...]:
    given = {}
    for party_id, documents in groups.items():
        if len(documents) >= LEAST_MEMBERS:
            party = RecordKey(kind, party_id)
            given[party_id] = (source, party, _name(books, party), books.as_of, documents)
    return _by_id(chain.from_iterable(books.derive_each(_find_in_group, given, part=source.value).values()))


def _find_in_group(
    source: SeriesSource, party: RecordKey, name: str, as_of: date, documents: Iterable[Bill | Invoice]
) -> tuple[DetectedSeries, ...]:
    """The series among one counterparty's documents, of each currency by itself."""
    rows: dict[str, list[_Row]] = {}
    for document in documents:
        is_void = isinstance(document, Invoice) and document.is_void
        if document.document_date <= as_of and document.total > 0 and not is_void:
            row = _Row(document.document_date.toordinal(), document.total, (document,))
            rows.setdefault(document.currency, []).append(row)
    found: list[DetectedSeries] = []
    for currency, held in rows.items():
        if len(held) >= LEAST_MEMBERS:
            found += _name_chains(_Rounds(source, party, name, currency), held, as_of=as_of)
    return tuple(found)


def _by_id(found: Iterable[DetectedSeries]) -> tuple[DetectedSeries, ...]:
    return tuple(sorted(found, key=lambda series: series.series_id))


def step(day: date, rhythm: Rhythm, count: int) -> date:
    """The day `count` periods on, or back when negative."""
    length, months = STEPS[rhythm]
    return add_months(day, count * months) if months else add_days(day, count * length)


def _name_chains(
    rounds: _Rounds, rows: Sequence[_Row], *, as_of: date, is_payroll: bool = False
) -> Iterator[DetectedSeries]:
    """The series of one counterparty, the larger of a rhythm first."""
    chains = _find_chains(rows, as_of.toordinal())
    counted: dict[Rhythm, int] = {}
    for rhythm, members in sorted(chains, key=lambda one: (-_median_amount(one[1]), *_order(one[1][-1]))):
        counted[rhythm] = counted.get(rhythm, 0) + 1
        yield DetectedSeries(
            source=rounds.source,
            counterparty=rounds.party,
            name=rounds.name,
            currency=rounds.currency,
            rhythm=rhythm,
            members=tuple(_member(row) for row in members),
            next_on=date.fromordinal(_expect_next([row.on for row in members], rhythm)),
            amount=_median_amount(members),
            is_payroll=is_payroll,
            number=counted[rhythm],
        )


def _sum_days(rows: Iterable[_Row]) -> list[_Row]:
    """One row a day."""
    days: dict[int, list[_Row]] = {}
    for row in rows:
        days.setdefault(row.on, []).append(row)
    return [
        _Row(on, sum((row.amount for row in held), Decimal(0)), tuple(r for row in held for r in row.records))
        for on, held in days.items()
    ]


def _find_chains(rows: Sequence[_Row], as_of: int) -> list[tuple[Rhythm, list[_Row]]]:
    """The series of one counterparty that are not over, each row in one at most; members oldest first."""
    left = _sort(rows)
    days = [row.on for row in left]
    chains: list[tuple[Rhythm, list[_Row]]] = []
    last = len(left) - 1
    while last >= LEAST_MEMBERS - 1 and left[last].on >= as_of - _LONGEST_AGO:
        best = _find_longest(left, days, last=last, as_of=as_of)
        if best is None:
            last -= 1
            continue
        rhythm, places = best
        chains.append((rhythm, [left[place] for place in places]))
        used = set(places)
        left = [row for place, row in enumerate(left) if place not in used]
        days = [row.on for row in left]
        last = len(left) - 1
    return chains


def _find_longest(
    rows: Sequence[_Row], days: Sequence[int], *, last: int, as_of: int
) -> tuple[Rhythm, list[int]] | None:
    """The longest series that ends with row `last`; of two equally long ones that of the longer period."""
    best: tuple[Rhythm, list[int]] | None = None
    ago = as_of - days[last]
    for rhythm, (length, _) in STEPS.items():
        late = max(length, OVER_AFTER_DAYS)
        if ago > length + late + 2 * TOLERANCE_DAYS:
            continue
        before = _step_back(days[last], rhythm)
        place = bisect_left(days, before - TOLERANCE_DAYS, 0, last)
        if place == last or days[place] > before + TOLERANCE_DAYS:
            continue  # most have nothing a period before: not worth a walk
        places = _walk_back(rows, last, rhythm)
        if len(places) < LEAST_MEMBERS or (best is not None and len(places) < len(best[1])):
            continue
        if as_of - _expect_next([rows[place].on for place in places], rhythm) <= late and _is_dense(rows, places):
            best = rhythm, places
    return best


def _walk_back(rows: Sequence[_Row], last: int, rhythm: Rhythm) -> list[int]:
    """The places of the rows one period after the other back from `last`, oldest first."""
    places = [last]
    low, high = _bounds(rows[last].amount)
    while True:
        aim = _step_back(rows[places[-1]].on, rhythm)
        nearest: int | None = None
        place = bisect_left(rows, (aim - TOLERANCE_DAYS,), 0, places[-1])
        while place < places[-1] and rows[place].on <= aim + TOLERANCE_DAYS:
            is_alike = low <= rows[place].amount <= high
            if is_alike and (nearest is None or abs(rows[place].on - aim) < abs(rows[nearest].on - aim)):
                nearest = place
            place += 1
        if nearest is None:
            return places[::-1]
        places.append(nearest)
        if len(places) <= LEAST_MEMBERS:
            low, high = _bounds(_median_amount([rows[place] for place in reversed(places)]))


def _bounds(usual: Decimal) -> tuple[Decimal, Decimal]:
    return usual * (1 - ALIKE_SHARE), usual * (1 + ALIKE_SHARE)


def _is_dense(rows: Sequence[_Row], places: Sequence[int]) -> bool:
    """Whether two of three alike days in the span of a series are its members."""
    low, high = _bounds(_median_amount([rows[place] for place in places]))
    alike = {row.on for row in rows[places[0] : places[-1] + 1] if low <= row.amount <= high}
    return len(places) * 3 >= len(alike) * 2


def _expect_next(days: Sequence[int], rhythm: Rhythm) -> int:
    """One period after the last, by the day that most of the last six point to: a late one moves no later one."""
    recent = reversed(days[-LAST_SHOWN:])
    pointed = sorted(step(date.fromordinal(day), rhythm, back).toordinal() for back, day in enumerate(recent, start=1))
    return pointed[len(pointed) // 2]


@lru_cache(maxsize=8192)
def _step_back(day: int, rhythm: Rhythm) -> int:
    return step(date.fromordinal(day), rhythm, -1).toordinal()


def _median_amount(rows: Sequence[_Row]) -> Decimal:
    """The median amount of the last three."""
    amounts = sorted(row.amount for row in rows[-LEAST_MEMBERS:])
    return amounts[(len(amounts) - 1) // 2]


def _sort(rows: Iterable[_Row]) -> list[_Row]:
    """Rows by day, then amount; only among those alike in both do their records decide."""
    ordered = sorted(rows, key=_day_and_amount)
    if any(one.on == other.on and one.amount == other.amount for one, other in pairwise(ordered)):
        ordered.sort(key=_order)
    return ordered


def _day_and_amount(row: _Row) -> tuple[int, Decimal]:
    return row[:2]


def _order(row: _Row) -> tuple[int, Decimal, str, str]:
    first = row.records[0]
    return row.on, row.amount, first.kind, first.external_id


def _member(row: _Row) -> Member:
    return Member(date.fromordinal(row.on), row.amount, tuple(sorted(record.key for record in row.records)))


def _name(books: Books, party: RecordKey) -> str:
    named: Account | Vendor | Customer | None = None
    if party.kind is RecordKind.VENDOR:
        named = books.vendor_by_id.get(party.external_id)
    elif party.kind is RecordKind.CUSTOMER:
        named = books.customer_by_id.get(party.external_id)
    elif party.kind is RecordKind.ACCOUNT:
        named = books.account_by_id.get(party.external_id)
    return named.name if named is not None else party.external_id
