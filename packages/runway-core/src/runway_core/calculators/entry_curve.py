"""What is not yet in the books but, as history says, will be: bills not entered, sales not invoiced.

Coverage tells how early money that was settled had been entered: of what moved in a week, the share that was in the
books some weeks before that week began. What the books hold now for a coming week is that share of it; the rest is
still to come, so that known and expected money never count twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.history import Span
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLink
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import Invoice
from runway_core.domain.money import ZERO

WEEKS_AHEAD = 14
"""Thirteen weeks from any day but Monday reach into a fourteenth."""

KNOWN_ALL_ALONG_DAYS = 7 * WEEKS_AHEAD
"""A document that fell due longer before it was settled counts as known at any time before."""

MOVED_AFTER_DAYS = 28
"""A document created longer after it was settled came with books from elsewhere; its own date stands in."""


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


class _Settled(NamedTuple):
    """Money that moved on a day, and since when the books knew of it."""

    on: date
    home: Decimal
    known_on: date | None  # None: not before it moved


def compute_bill_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of bills paid from deposit accounts within `span`; payments and bills `in_series` come by themselves.

    `None` where none was paid. A payment on account of no bill was not known before it left.
    """
    bills = {bill.external_id: bill for bill in books.bills}
    calendar = _Entries(books)
    cash = find_cash_account_ids(books)
    apart = {key.external_id for key in in_series if key.kind is RecordKind.BILL_PAYMENT}
    settled: list[_Settled] = []
    for payment in books.bill_payments:
        on = payment.document_date
        is_usual = span.first <= on <= span.last and payment.account_id in cash and not payment.is_void
        if is_usual and payment.external_id not in apart:
            parts = calendar.split(
                payment.applied, bills, total=payment.total, on=on, kind=RecordKind.BILL, apart=in_series
            )
            settled += calendar.in_home(parts, payment.currency, on)
    return _draw(settled, span)


def compute_receipt_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of what customers paid into deposit accounts within `span`, there or by a deposit; `None` if nothing.

    Payments and invoices `in_series` come round by themselves. A payment on account of no invoice was not known before
    it came.
    """
    invoices = {invoice.external_id: invoice for invoice in books.invoices}
    calendar = _Entries(books)
    cash = find_cash_account_ids(books)
    deposited = books.derive(find_deposit_days)
    apart = {key.external_id for key in in_series if key.kind is RecordKind.CUSTOMER_PAYMENT}
    settled: list[_Settled] = []
    for payment in books.customer_payments:
        on = payment.document_date if payment.account_id in cash else deposited.get(payment.external_id)
        is_usual = on is not None and span.first <= on <= span.last and not payment.is_void
        if on is not None and is_usual and payment.external_id not in apart:
            parts = calendar.split(
                payment.applied, invoices, total=payment.total, on=on, kind=RecordKind.INVOICE, apart=in_series
            )
            settled += calendar.in_home(parts, payment.currency, on)
    return _draw(settled, span)


def find_deposit_days(books: Books) -> dict[str, date]:
    """The day each customer payment was taken to a deposit account, by its id."""
    cash = find_cash_account_ids(books)
    return {
        link.external_id: deposit.document_date
        for deposit in sorted(books.deposits, key=lambda deposit: (deposit.document_date, deposit.external_id))
        if deposit.account_id in cash
        for link in deposit.links
        if link.kind is RecordKind.CUSTOMER_PAYMENT
    }


class _Entries:
    """Since when documents were in the books, in days of the company."""

    def __init__(self, books: Books) -> None:
        self._zone = ZoneInfo(books.company.time_zone)
        self._rates = HomeRates.of(books)

    def split(
        self,
        links: Iterable[DocumentLink],
        documents: Mapping[str, Bill | Invoice],
        *,
        total: Decimal,
        on: date,
        kind: RecordKind,
        apart: frozenset[RecordKey] = frozenset(),
    ) -> Iterator[tuple[Decimal, date | None]]:
        """The parts of a payment with the day each document was entered; with those `apart` they add up to it."""
        left = total
        for link in links:
            if link.kind is kind and left > 0:
                part = left if link.amount is None else min(link.amount, left)
                left -= part
                if link.key not in apart:
                    yield part, self._find_known_day(documents.get(link.external_id), on)
        if left > 0:
            yield left, None

    def in_home(self, parts: Iterable[tuple[Decimal, date | None]], currency: str, on: date) -> Iterator[_Settled]:
        """The parts in home currency; those without a rate are left away, as everywhere."""
        for amount, known_on in parts:
            home = self._rates.convert(amount, currency)
            if home:
                yield _Settled(on, home, known_on)

    def _find_known_day(self, document: Bill | Invoice | None, on: date) -> date:
        # A document that is absent was closed too long ago to be read back: it was known all along.
        if document is None or _is_long_due(document, on):
            return date.min
        created = document.created_at
        entered_on = document.document_date if created is None else created.astimezone(self._zone).date()
        # Books that were moved here from elsewhere say when that was, not when a document was first entered.
        return entered_on if (entered_on - on).days <= MOVED_AFTER_DAYS else document.document_date


def _is_long_due(document: Bill | Invoice, on: date) -> bool:
    return document.due_date is not None and (on - document.due_date).days > KNOWN_ALL_ALONG_DAYS


def _draw(settled: Iterable[_Settled], span: Span) -> EntryCurve | None:
    """Sum the money by how many weeks ahead it was known."""
    by_weeks = [ZERO] * (WEEKS_AHEAD + 1)
    for on, home, known_on in settled:
        weeks = 0
        if known_on is not None:
            ahead = (monday_of(on) - known_on).days
            weeks = min(max(-(-ahead // 7), 0), WEEKS_AHEAD)
        by_weeks[weeks] += home
    total = Fraction(sum(by_weeks, ZERO))
    if total <= 0:
        return None
    known = ZERO
    coverage: list[Fraction] = []
    for amount in reversed(by_weeks[1:]):
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
