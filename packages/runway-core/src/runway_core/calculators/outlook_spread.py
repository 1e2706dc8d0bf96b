"""What the spread of past settlements moves between the weeks of the outlook, for invoices and for bills."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.coming_invoices import ComingInvoice
from runway_core.calculators.entry_curve import find_deposit_days
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.payables import Payable, find_decided_bill_ids
from runway_core.calculators.receivables import HABIT_DAYS, WHOLE_WEIGHT, PaymentHabits, Receivable
from runway_core.calculators.settlement_spread import Delay, Placed, find_misses, spread
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.outlook import OutlookEvent, OutlookKind

SETTLED_FOR_DAYS = 60
"""Only documents that fell due so long ago tell how late late ones are: of younger ones the late are still open."""

_FRIDAY = timedelta(days=4)


def place_invoice_spread(
    books: Books,
    habits: PaymentHabits,
    receivables: Iterable[Receivable],
    *,
    coming: Iterable[ComingInvoice],
    last: date,
) -> Iterator[OutlookEvent]:
    """What invoices gain and lose by week, until the money is in a deposit account."""
    misses = find_misses(_read_receipt_delays(books), lean=habits.median_of_all, weight=WHOLE_WEIGHT)
    placed = [
        Placed(add_days(r.due, habits.late_days(r.invoice.customer_id)), r.expected, r.home)
        for r in receivables
        if r.home
    ]
    placed += [Placed(one.base, one.on, one.home) for one in coming]
    moved = spread(placed, misses, as_of=books.as_of, last=last)
    reason = f"as {len(misses)} paid invoices came earlier and later than their day"
    yield from _place(moved, books.as_of, last, label="Invoices off their day", reason=reason)


def place_bill_spread(books: Books, payables: Iterable[Payable], *, last: date) -> Iterator[OutlookEvent]:
    """What bills gain and lose by week. Those that go by card, or on a decided day, have none."""
    delays = _read_payment_delays(books)
    misses = sorted(delay.there for held in delays.values() for delay in held)
    decided = find_decided_bill_ids(books)
    placed = [
        Placed(p.due, p.pay_date, -p.home)
        for p in payables
        if p.home and p.bill.vendor_id in delays and p.bill.external_id not in decided
    ]
    moved = spread(placed, misses, as_of=books.as_of, last=last)
    reason = f"as {len(misses)} paid bills left earlier and later than their due date"
    yield from _place(moved, books.as_of, last, label="Bills off their day", reason=reason)


def _place(
    moved: Mapping[date, Decimal], as_of: date, last: date, *, label: str, reason: str
) -> Iterator[OutlookEvent]:
    for monday, amount in moved.items():
        on = min(roll_forward(max(monday + _FRIDAY, as_of)), last)
        yield OutlookEvent(on=on, amount=amount, kind=OutlookKind.DOCUMENT, label=label, reason=reason)


def _read_receipt_delays(books: Books) -> dict[str, list[Delay]]:
    """Days late by customer, until the payment and until the money was in a deposit account."""
    cash, deposited = find_cash_account_ids(books), find_deposit_days(books)
    settled: dict[str, tuple[date, date]] = {}
    for payment in books.customer_payments:
        paid_on = payment.document_date
        on = paid_on if payment.account_id in cash else deposited.get(payment.external_id)
        if on is not None and on <= books.as_of and payment.total > 0 and not payment.is_void:
            _note(
                settled, (link.external_id for link in payment.applied if link.kind is RecordKind.INVOICE), paid_on, on
            )
    closed = (i for i in books.invoices if not i.open_balance and not i.is_void)
    return _sum_delays(books.as_of, ((i.customer_id, i.due_date, settled.get(i.external_id)) for i in closed))


def _read_payment_delays(books: Books) -> dict[str, list[Delay]]:
    """Days after the due date by vendor, of bills paid out of deposit accounts."""
    cash = find_cash_account_ids(books)
    settled: dict[str, tuple[date, date]] = {}
    for payment in books.bill_payments:
        on = payment.document_date
        if payment.account_id in cash and on <= books.as_of and not payment.is_void:
            _note(settled, (link.external_id for link in payment.applied if link.kind is RecordKind.BILL), on, on)
    closed = (bill for bill in books.bills if not bill.open_balance)
    return _sum_delays(books.as_of, ((b.vendor_id, b.due_date, settled.get(b.external_id)) for b in closed))


def _note(settled: dict[str, tuple[date, date]], document_ids: Iterable[str], paid_on: date, on: date) -> None:
    """Keep the last payment of each document."""
    for document_id in document_ids:
        held = settled.get(document_id)
        if held is None or (on, paid_on) > (held[1], held[0]):
            settled[document_id] = paid_on, on


def _sum_delays(
    as_of: date, settled: Iterable[tuple[str | None, date | None, tuple[date, date] | None]]
) -> dict[str, list[Delay]]:
    since, until = add_days(as_of, -HABIT_DAYS), add_days(as_of, -SETTLED_FOR_DAYS)
    found: dict[str, list[Delay]] = {}
    for party_id, due, days in settled:
        if party_id is not None and due is not None and days is not None and due <= until:
            paid_on, on = days
            if on > since:
                found.setdefault(party_id, []).append(Delay((paid_on - due).days, (on - due).days))
    return found
