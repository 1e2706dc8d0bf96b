"""Money that comes round without anyone having entered it: found in what was paid, billed and invoiced.

A series is at least three movements with one counterparty, a week, two weeks, a month or a quarter apart, give or take
three days, and alike within a tenth. Among many payments chance makes chains: two of three alike days in a series' span
must be its members, and of several rhythms the one with most members counts.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, partial
from itertools import chain, compress, starmap
from operator import attrgetter, gt
from typing import NamedTuple

from runway_core.calculators.calendar import add_days, add_months
from runway_core.calculators.outflows import Outflow, find_wage_account_ids, is_for_wages, read_outflows
from runway_core.domain.books import Books
from runway_core.domain.company import Rhythm
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO

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


_WALKS = [
    (rhythm, length, months, max(length, OVER_AFTER_DAYS), length + max(length, OVER_AFTER_DAYS) + 2 * TOLERANCE_DAYS)
    for rhythm, (length, months) in STEPS.items()
]
"""Each rhythm with its period, after how many days without a round it is late, and how long ago its last may be."""

_LEAST_ALIKE, _MOST_ALIKE = 1 - ALIKE_SHARE, 1 + ALIKE_SHARE
_OUTFLOW_ORDER = attrgetter("on", "amount", "kind", "external_id")
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


class _Moves(NamedTuple):
    """One counterparty's movements by day, then amount, then record, side by side: there are ten thousand in all."""

    days: Sequence[int]  # ordinals
    amounts: Sequence[Decimal]
    records_at: Callable[[int], Iterable[tuple[RecordKind, str]]]  # kind and id of what moved at a place


_Row = tuple[int, Decimal, str]
"""A document's day, total and id."""


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
            moves = _sum_days(paid) if is_payroll else _order_outflows(paid)  # many are paid on one day
            rounds = _Rounds(SeriesSource.OUTFLOW, party, _name(books, party), currency)
            found += _name_chains(rounds, moves, as_of=books.as_of, is_payroll=is_payroll)
    return _by_id(found)


def find_bill_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Series of bills by vendor and document date, by id."""
    bills = books.bill_columns
    keys = zip(bills.vendor_id, bills.currency, strict=True)
    rows = zip(bills.document_day, bills.total, bills.external_id, strict=True)
    documents = compress(zip(keys, rows, strict=True), map(ZERO.__lt__, bills.total))
    return _find_in_documents(books, SeriesSource.BILL, documents)


def find_invoice_series(books: Books) -> tuple[DetectedSeries, ...]:
    """Series of invoices by customer and document date, by id."""
    invoices = books.invoice_columns
    keys = zip(invoices.customer_id, invoices.currency, strict=True)
    rows = zip(invoices.document_day, invoices.total, invoices.external_id, strict=True)
    documents = compress(zip(keys, rows, strict=True), map(gt, map(ZERO.__lt__, invoices.total), invoices.is_void))
    return _find_in_documents(books, SeriesSource.INVOICE, documents)


def _find_in_documents(
    books: Books, source: SeriesSource, documents: Iterable[tuple[tuple[str | None, str], _Row]]
) -> tuple[DetectedSeries, ...]:
    """The series among documents above nil, which are told by party and currency."""
    groups: defaultdict[tuple[str | None, str], list[_Row]] = defaultdict(list)
    for key, row in documents:
        groups[key].append(row)
    kind = RecordKind.VENDOR if source is SeriesSource.BILL else RecordKind.CUSTOMER
    given = {}
    for (party_id, currency), rows in groups.items():
        if party_id is not None and len(rows) >= LEAST_MEMBERS:
            party = RecordKey(kind, party_id)
            rounds = _Rounds(source, party, _name(books, party), currency)
            given[party_id, currency] = (rounds, books.as_of, rows)
    return _by_id(chain.from_iterable(books.derive_each(_find_in_group, given, part=source.value).values()))


def _find_in_group(rounds: _Rounds, as_of: date, documents: Iterable[_Row]) -> tuple[DetectedSeries, ...]:
    """The series among one counterparty's documents in one currency."""
    rows, today = sorted(documents), as_of.toordinal()
    while rows and rows[-1][0] > today:
        rows.pop()
    if len(rows) < LEAST_MEMBERS or rows[-1][0] < today - _LONGEST_AGO:
        return ()
    days, amounts, ids = zip(*rows, strict=True)
    kind = RecordKind.BILL if rounds.source is SeriesSource.BILL else RecordKind.INVOICE
    return tuple(_name_chains(rounds, _Moves(days, amounts, partial(_name_document, kind, ids)), as_of=as_of))


def _name_document(kind: RecordKind, ids: Sequence[str], place: int) -> tuple[tuple[RecordKind, str]]:
    return ((kind, ids[place]),)


def _by_id(found: Iterable[DetectedSeries]) -> tuple[DetectedSeries, ...]:
    return tuple(sorted(found, key=lambda series: series.series_id))


def step(day: date, rhythm: Rhythm, count: int) -> date:
    """The day `count` periods on, or back when negative."""
    length, months = STEPS[rhythm]
    return add_months(day, count * months) if months else add_days(day, count * length)


def _name_chains(rounds: _Rounds, moves: _Moves, *, as_of: date, is_payroll: bool = False) -> Iterator[DetectedSeries]:
    """The series of one counterparty, the larger of a rhythm first."""
    days, amounts, records_at = moves
    chains = _find_chains(days, amounts, as_of.toordinal())
    counted: dict[Rhythm, int] = {}
    for rhythm, places in sorted(chains, key=lambda one: (-_median_amount(amounts, one[1]), one[1][-1])):
        counted[rhythm] = counted.get(rhythm, 0) + 1
        yield DetectedSeries(
            source=rounds.source,
            counterparty=rounds.party,
            name=rounds.name,
            currency=rounds.currency,
            rhythm=rhythm,
            members=tuple(_member(days[place], amounts[place], records_at(place)) for place in places),
            next_on=date.fromordinal(_expect_next([days[place] for place in places], rhythm)),
            amount=_median_amount(amounts, places),
            is_payroll=is_payroll,
            number=counted[rhythm],
        )


def _order_outflows(paid: Iterable[Outflow]) -> _Moves:
    ordered = sorted(paid, key=_OUTFLOW_ORDER)
    days = [outflow.on.toordinal() for outflow in ordered]
    records = [((outflow.kind, outflow.external_id),) for outflow in ordered]
    return _Moves(days, [outflow.amount for outflow in ordered], records.__getitem__)


def _sum_days(paid: Iterable[Outflow]) -> _Moves:
    """One movement a day."""
    days: dict[int, list[Outflow]] = {}
    for outflow in paid:
        days.setdefault(outflow.on.toordinal(), []).append(outflow)
    ordered = sorted(days.items())
    amounts = [sum((outflow.amount for outflow in held), Decimal(0)) for _, held in ordered]
    records = [tuple((outflow.kind, outflow.external_id) for outflow in held) for _, held in ordered]
    return _Moves([on for on, _ in ordered], amounts, records.__getitem__)


def _find_chains(days: Sequence[int], amounts: Sequence[Decimal], as_of: int) -> list[tuple[Rhythm, list[int]]]:
    """The series of one counterparty that are not over: the places of their members, each in one series at most."""
    left = list(range(len(days)))
    chains: list[tuple[Rhythm, list[int]]] = []
    last = len(left) - 1
    while last >= LEAST_MEMBERS - 1 and days[last] >= as_of - _LONGEST_AGO:
        best = _find_longest(days, amounts, last=last, as_of=as_of)
        if best is None:
            last -= 1
            continue
        rhythm, places = best
        chains.append((rhythm, [left[place] for place in places]))
        used = set(places)
        kept = [place for place in range(len(days)) if place not in used]
        left, days = [left[place] for place in kept], [days[place] for place in kept]
        amounts = [amounts[place] for place in kept]
        last = len(left) - 1
    return chains


def _find_longest(
    days: Sequence[int], amounts: Sequence[Decimal], *, last: int, as_of: int
) -> tuple[Rhythm, list[int]] | None:
    """The longest series that ends with movement `last`; of two equally long ones that of the longer period."""
    best: tuple[Rhythm, list[int]] | None = None
    day = days[last]
    ago = as_of - day
    for rhythm, length, months, late, longest_ago in _WALKS:
        if ago > longest_ago:
            continue
        before = _step_back(day, rhythm) if months else day - length
        place = bisect_left(days, before - TOLERANCE_DAYS, 0, last)
        if place == last or days[place] > before + TOLERANCE_DAYS:
            continue  # most have nothing a period before: not worth a walk
        places = _walk_back(days, amounts, last=last, rhythm=rhythm)
        if len(places) < LEAST_MEMBERS or (best is not None and len(places) < len(best[1])):
            continue
        due = as_of - _expect_next([days[place] for place in places], rhythm)
        if due <= late and _is_dense(days, amounts, places):
            best = rhythm, places
    return best


def _walk_back(days: Sequence[int], amounts: Sequence[Decimal], *, last: int, rhythm: Rhythm) -> list[int]:
    """The places of the movements one period after the other back from `last`, oldest first."""
    places = [last]
    low, high = _bounds(amounts[last])
    while True:
        at = places[-1]
        aim = _step_back(days[at], rhythm)
        nearest, off = -1, TOLERANCE_DAYS + 1
        place = bisect_left(days, aim - TOLERANCE_DAYS, 0, at)
        while place < at and days[place] <= aim + TOLERANCE_DAYS:
            if abs(days[place] - aim) < off and low <= amounts[place] <= high:
                nearest, off = place, abs(days[place] - aim)
            place += 1
        if nearest < 0:
            return places[::-1]
        places.append(nearest)
        if len(places) <= LEAST_MEMBERS:
            low, high = _bounds(_median_amount(amounts, places[::-1]))


def _bounds(usual: Decimal) -> tuple[Decimal, Decimal]:
    return usual * _LEAST_ALIKE, usual * _MOST_ALIKE


def _is_dense(days: Sequence[int], amounts: Sequence[Decimal], places: list[int]) -> bool:
    """Whether two of three alike days in the span of a series are its members."""
    low, high = _bounds(_median_amount(amounts, places))
    alike = {days[place] for place in range(places[0], places[-1] + 1) if low <= amounts[place] <= high}
    return len(places) * 3 >= len(alike) * 2


def _expect_next(days: Sequence[int], rhythm: Rhythm) -> int:
    """One period after the last, by the day that most of the last six point to: a late one moves no later one."""
    recent = reversed(days[-LAST_SHOWN:])
    pointed = sorted(step(date.fromordinal(day), rhythm, back).toordinal() for back, day in enumerate(recent, start=1))
    return pointed[len(pointed) // 2]


@lru_cache(maxsize=8192)
def _step_back(day: int, rhythm: Rhythm) -> int:
    return step(date.fromordinal(day), rhythm, -1).toordinal()


def _median_amount(amounts: Sequence[Decimal], places: Sequence[int]) -> Decimal:
    """The median amount of the last three."""
    last = sorted(amounts[place] for place in places[-LEAST_MEMBERS:])
    return last[(len(last) - 1) // 2]


def _member(on: int, amount: Decimal, records: Iterable[tuple[RecordKind, str]]) -> Member:
    return Member(date.fromordinal(on), amount, tuple(sorted(starmap(RecordKey, records))))


def _name(books: Books, party: RecordKey) -> str:
    if party.kind is RecordKind.VENDOR:
        return books.vendor_names.get(party.external_id, party.external_id)
    if party.kind is RecordKind.CUSTOMER:
        return books.customer_names.get(party.external_id, party.external_id)
    account = books.account_by_id.get(party.external_id) if party.kind is RecordKind.ACCOUNT else None
    return party.external_id if account is None else account.name
