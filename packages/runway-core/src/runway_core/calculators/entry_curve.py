"""What is not yet in the books but, as history says, will be: bills not entered, sales not invoiced.

Coverage tells how early money that was settled had been entered: of what moved in a week, the share that was in the
books some weeks before that week began. What the books hold now for a coming week is that share of it; the rest is
still to come, so that known and expected money never count twice.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.deposits import find_deposit_days
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.history import Span
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.columns import BillPaymentColumns, CustomerPaymentColumns
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.money import ZERO

WEEKS_AHEAD = 14
"""Thirteen weeks from any day but Monday reach into a fourteenth."""

KNOWN_ALL_ALONG_DAYS = 7 * WEEKS_AHEAD
"""A document that fell due longer before it was settled counts as known at any time before."""

MOVED_AFTER_DAYS = 28
"""A document created longer after it was settled came with books from elsewhere; its own date stands in."""

_A_MONDAY = date.min.toordinal()


@dataclass(frozen=True, slots=True)
class EntryCurve:
    """How much is settled in a usual week, and how early of it is known; home currency, positive."""

    usual_week: Fraction
    coverage: tuple[Fraction, ...]  # of week 1 first: the share in the books at its start; never rising

    def coming(self, week: int) -> Fraction:
        """What is still to be entered for the forecast's week `week`, 1 being the one that holds today."""
        return self.usual_week * (1 - self.coverage_of(week))

    def coverage_of(self, week: int) -> Fraction:
        """The share of that week that is in the books now."""
        return self.coverage[week - 1] if week <= len(self.coverage) else Fraction(0)


def compute_bill_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of bills paid from deposit accounts within `span`; payments and bills `in_series` come by themselves.

    `None` where none was paid. A payment on account of no bill was not known before it left.
    """
    known = _Known(books, RecordKind.BILL, apart=in_series)
    cash, payments = find_cash_account_ids(books), books.bill_payment_columns
    apart = {key.external_id for key in in_series if key.kind is RecordKind.BILL_PAYMENT}
    first, last = span.first.toordinal(), span.last.toordinal()
    for place, day in enumerate(payments.document_day):
        is_usual = first <= day <= last and payments.account_id[place] in cash and not payments.is_void[place]
        if is_usual and payments.external_id[place] not in apart:
            known.add(payments, place, day)
    return known.draw(span)


def compute_receipt_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of what customers paid into deposit accounts within `span`, there or by a deposit; `None` if nothing.

    Payments and invoices `in_series` come round by themselves. A payment on account of no invoice was not known before
    it came.
    """
    known = _Known(books, RecordKind.INVOICE, apart=in_series)
    cash, payments = find_cash_account_ids(books), books.customer_payment_columns
    apart = {key.external_id for key in in_series if key.kind is RecordKind.CUSTOMER_PAYMENT}
    first, last = span.first.toordinal(), span.last.toordinal()
    banked = {id_: on.toordinal() for id_, on in books.derive(find_deposit_days).items() if span.first <= on}
    for place, (day, account_id) in enumerate(zip(payments.document_day, payments.account_id, strict=True)):
        there = day if account_id in cash else banked.get(payments.external_id[place], 0)
        if first <= there <= last and not payments.is_void[place] and payments.external_id[place] not in apart:
            known.add(payments, place, there)
    return known.draw(span)


class _Known:
    """Sums money that moved by how many weeks ahead of its own the books knew of it, in home currency."""

    def __init__(self, books: Books, kind: RecordKind, *, apart: Set[RecordKey]) -> None:
        """Bills or invoices, by their `kind`, are what is paid; what pays those `apart` is left away."""
        is_bill = kind is RecordKind.BILL
        self._zone = ZoneInfo(books.company.time_zone)
        self._rates = HomeRates.of(books)
        self._kind = kind
        self._apart = {key.external_id for key in apart if key.kind is kind}
        self._records: Sequence[Bill | Invoice] = books.bills if is_bill else books.invoices
        columns = books.bill_columns if is_bill else books.invoice_columns
        self._due_days, self._document_days = columns.due_day, columns.document_day
        self._places = books.bill_places if is_bill else books.invoice_places
        self._by_weeks = [ZERO] * (WEEKS_AHEAD + 1)

    def add(self, payments: BillPaymentColumns | CustomerPaymentColumns, place: int, day: int) -> None:
        """Take a payment that moved on a day by its parts; what pays nothing named here was not known before."""
        left, currency = payments.total[place], payments.currency[place]
        monday = day - (day - _A_MONDAY) % 7
        for link in payments.applied[place]:
            if link.kind is self._kind and left > ZERO:
                amount = link.amount
                part = left if amount is None or amount > left else amount
                left -= part
                if link.external_id not in self._apart:
                    weeks = -((self._find_known_day(self._places.get(link.external_id), day) - monday) // 7)
                    self._put(part, currency, min(max(weeks, 0), WEEKS_AHEAD))
        if left > ZERO:
            self._put(left, currency, 0)

    def _put(self, amount: Decimal, currency: str, weeks: int) -> None:
        home = self._rates.convert(amount, currency)
        if home is not None:  # those without a rate are left away, as everywhere
            self._by_weeks[weeks] += home

    def _find_known_day(self, place: int | None, day: int) -> int:
        # A document that is absent was closed too long ago to be read back: it was known all along.
        due = None if place is None else self._due_days[place]
        if place is None or (due is not None and day - due > KNOWN_ALL_ALONG_DAYS):
            return 0
        written, created = self._document_days[place], self._records[place].created_at
        entered = written if created is None else created.astimezone(self._zone).toordinal()
        # Books that were moved here from elsewhere say when that was, not when a document was first entered.
        return entered if entered - day <= MOVED_AFTER_DAYS else written

    def draw(self, span: Span) -> EntryCurve | None:
        """The curve of what was added; `None` where that is nothing."""
        total = Fraction(sum(self._by_weeks, ZERO))
        if total <= 0:
            return None
        known = ZERO
        coverage: list[Fraction] = []
        for amount in reversed(self._by_weeks[1:]):
            known += amount
            coverage.append(Fraction(known) / total)
        return EntryCurve(usual_week=total * 7 / span.days, coverage=tuple(reversed(coverage)))


def find_fridays(as_of: date, last: date) -> Iterator[tuple[int, date]]:
    """The number of each week from the one that holds `as_of`, and its Friday; Fridays that are past are left away."""
    friday = monday_of(as_of) + timedelta(days=4)
    week = 1
    while friday <= last:
        if friday >= as_of:
            yield week, friday
        week += 1
        friday += timedelta(days=7)
