"""What the spread of past settlements moves between the weeks of the outlook, for invoices and for bills."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.coming_bills import ComingBill
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
    delays = books.derive(_read_receipt_delays)
    misses = find_misses(delays, lean=habits.median_of_all, weight=WHOLE_WEIGHT)
    own = {customer_id: sorted(delay.there for delay in held) for customer_id, held in delays.items()}
    placed = [
        Placed(
            base=add_days(r.due, habits.late_days(r.invoice.customer_id)),
            on=r.expected,
            home=r.home,
            due=r.due,
            own=own.get(r.invoice.customer_id or "", ()),
        )
        for r in receivables
        if r.home and not r.is_disputed and r.promise is None
    ]
    placed += [Placed(one.base, one.on, one.home, one.due, own.get(one.customer_id, ())) for one in coming]
    moved = spread(placed, misses, weight=WHOLE_WEIGHT, as_of=books.as_of, last=last)
    reason = f"as {len(misses)} paid invoices came earlier and later than their day"
    yield from _place(moved, books.as_of, last, label="Invoices off their day", reason=reason)


def place_bill_spread(
    books: Books, payables: Iterable[Payable], *, coming: Iterable[ComingBill], last: date
) -> Iterator[OutlookEvent]:
    """What bills gain and lose by week. Those that go by card, or on a decided day, have none."""
    own = _read_payment_delays(books)
    misses = sorted(days for held in own.values() for days in held)
    decided = find_decided_bill_ids(books)
    placed = [
        Placed(p.due, p.pay_date, -p.home, p.due, own[p.bill.vendor_id])
        for p in payables
        if p.home and p.bill.vendor_id in own and p.bill.external_id not in decided
    ]
    placed += [Placed(one.due, one.on, -one.home, one.due, own.get(one.vendor_id, ())) for one in coming]
    moved = spread(placed, misses, weight=WHOLE_WEIGHT, as_of=books.as_of, last=last)
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
    cash, deposited = find_cash_account_ids(books), books.derive(find_deposit_days)
    since = add_days(books.as_of, -HABIT_DAYS)
    settled: dict[str, tuple[date, date]] = {}  # in a deposit account, paid: of the last payment of each invoice
    for payment in books.customer_payments:
        paid_on = payment.document_date
        on = paid_on if payment.account_id in cash else deposited.get(payment.external_id)
        if on is not None and since < on <= books.as_of and payment.total > 0 and not payment.is_void:
            days = on, paid_on
            for link in payment.applied:
                held = settled.get(link.external_id) if link.kind is RecordKind.INVOICE else days
                if held is None or days > held:
                    settled[link.external_id] = days
    until = add_days(books.as_of, -SETTLED_FOR_DAYS)
    found: dict[str, list[Delay]] = {}
    for invoice in books.invoices:
        customer_id, due = invoice.customer_id, invoice.due_date
        if (
            due is not None
            and due <= until
            and customer_id is not None
            and not (invoice.open_balance or invoice.is_void)
        ):
            there = settled.get(invoice.external_id)
            if there is not None:
                found.setdefault(customer_id, []).append(Delay((there[1] - due).days, (there[0] - due).days))
    return found


def _read_payment_delays(books: Books) -> dict[str, list[int]]:
    """Days after the due date by vendor, of bills paid out of deposit accounts; shortest first."""
    cash = find_cash_account_ids(books)
    since = add_days(books.as_of, -HABIT_DAYS)
    settled: dict[str, date] = {}  # the last payment of each bill
    for payment in books.bill_payments:
        on = payment.document_date
        if since < on <= books.as_of and payment.account_id in cash and not payment.is_void:
            for link in payment.applied:
                held = settled.get(link.external_id) if link.kind is RecordKind.BILL else on
                if held is None or on > held:
                    settled[link.external_id] = on
    until = add_days(books.as_of, -SETTLED_FOR_DAYS)
    found: dict[str, list[int]] = {}
    for bill in books.bills:
        vendor_id, due = bill.vendor_id, bill.due_date
        if due is not None and due <= until and vendor_id is not None and not bill.open_balance:
            there = settled.get(bill.external_id)
            if there is not None:
                found.setdefault(vendor_id, []).append((there - due).days)
    for days in found.values():
        days.sort()
    return found
