"""What is not yet in the books but, as history says, will be: bills not entered, sales not invoiced.

Coverage tells how early money that was settled had been entered: of what moved in a week, the share that was in the
books some weeks before that week began. What the books hold now for a coming week is that share of it; the rest is
still to come, so that known and expected money never count twice.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from runway_core.calculators.calendar import monday_of
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.history import Span
from runway_core.domain.books import Books
from runway_core.domain.heads import BillHead, BillPaymentHead, CustomerPaymentHead, InvoiceHead
from runway_core.domain.identity import RecordKey, RecordKind
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


def compute_bill_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of bills paid from deposit accounts within `span`; payments and bills `in_series` come by themselves.

    `None` where none was paid. A payment on account of no bill was not known before it left.
    """
    known = _Known(books, {bill.external_id: bill for bill in books.bill_heads}, RecordKind.BILL, apart=in_series)
    cash = find_cash_account_ids(books)
    apart = {key.external_id for key in in_series if key.kind is RecordKind.BILL_PAYMENT}
    for payment in books.bill_payment_heads:
        on = payment.document_date
        is_usual = span.first <= on <= span.last and payment.account_id in cash and not payment.is_void
        if is_usual and payment.external_id not in apart:
            known.add(payment, on)
    return known.draw(span)


def compute_receipt_curve(books: Books, span: Span, *, in_series: frozenset[RecordKey]) -> EntryCurve | None:
    """The curve of what customers paid into deposit accounts within `span`, there or by a deposit; `None` if nothing.

    Payments and invoices `in_series` come round by themselves. A payment on account of no invoice was not known before
    it came.
    """
    invoices = {invoice.external_id: invoice for invoice in books.invoice_heads}
    known = _Known(books, invoices, RecordKind.INVOICE, apart=in_series)
    cash = find_cash_account_ids(books)
    deposited = books.derive(find_deposit_days)
    apart = {key.external_id for key in in_series if key.kind is RecordKind.CUSTOMER_PAYMENT}
    for payment in books.customer_payment_heads:
        on = payment.document_date if payment.account_id in cash else deposited.get(payment.external_id)
        is_usual = on is not None and span.first <= on <= span.last and not payment.is_void
        if on is not None and is_usual and payment.external_id not in apart:
            known.add(payment, on)
    return known.draw(span)


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


class _Known:
    """Sums money that moved by how many weeks ahead of its own the books knew of it, in home currency."""

    def __init__(
        self, books: Books, documents: Mapping[str, BillHead | InvoiceHead], kind: RecordKind, *, apart: Set[RecordKey]
    ) -> None:
        """`documents` of a `kind`, by id, are what is paid; what pays those `apart` is left away."""
        self._zone = ZoneInfo(books.company.time_zone)
        self._rates = HomeRates.of(books)
        self._documents = documents
        self._kind = kind
        self._apart = {key.external_id for key in apart if key.kind is kind}
        self._by_weeks = [ZERO] * (WEEKS_AHEAD + 1)

    def add(self, payment: BillPaymentHead | CustomerPaymentHead, on: date) -> None:
        """Take a payment that moved on a day by its parts; what pays nothing named here was not known before."""
        left, currency = payment.total, payment.currency
        monday = monday_of(on)
        for link in payment.applied:
            if link.kind is self._kind and left > 0:
                amount = link.amount
                part = left if amount is None or amount > left else amount
                left -= part
                if link.external_id not in self._apart:
                    known_on = self._find_known_day(self._documents.get(link.external_id), on)
                    weeks = -((known_on - monday).days // 7)
                    self._put(part, currency, min(max(weeks, 0), WEEKS_AHEAD))
        if left > 0:
            self._put(left, currency, 0)

    def _put(self, amount: Decimal, currency: str, weeks: int) -> None:
        home = self._rates.convert(amount, currency)
        if home is not None:  # those without a rate are left away, as everywhere
            self._by_weeks[weeks] += home

    def _find_known_day(self, document: BillHead | InvoiceHead | None, on: date) -> date:
        # A document that is absent was closed too long ago to be read back: it was known all along.
        if document is None or _is_long_due(document, on):
            return date.min
        created = document.created_at
        entered_on = document.document_date if created is None else created.astimezone(self._zone).date()
        # Books that were moved here from elsewhere say when that was, not when a document was first entered.
        return entered_on if (entered_on - on).days <= MOVED_AFTER_DAYS else document.document_date

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


def _is_long_due(document: BillHead | InvoiceHead, on: date) -> bool:
    return document.due_date is not None and (on - document.due_date).days > KNOWN_ALL_ALONG_DAYS


def find_fridays(as_of: date, last: date) -> Iterator[tuple[int, date]]:
    """The number of each week from the one that holds `as_of`, and its Friday; Fridays that are past are left away."""
    friday = monday_of(as_of) + timedelta(days=4)
    week = 1
    while friday <= last:
        if friday >= as_of:
            yield week, friday
        week += 1
        friday += timedelta(days=7)
