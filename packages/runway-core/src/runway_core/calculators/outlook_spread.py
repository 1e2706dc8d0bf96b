"""What the spread of past settlements moves between the weeks of the outlook, for invoices and for bills."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from runway_core.calculators.calendar import add_days, roll_forward
from runway_core.calculators.coming_bills import ComingBill
from runway_core.calculators.coming_invoices import ComingInvoice
from runway_core.calculators.entry_curve import find_deposit_days
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.payables import Payable, find_decided_bill_ids
from runway_core.calculators.receivables import HABIT_DAYS, Receivable
from runway_core.calculators.settlement_spread import Placed, group_alike, spread
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.outlook import OutlookEvent, OutlookKind

SETTLED_FOR_DAYS = 60
"""Only documents that fell due so long ago tell how late late ones are: of younger ones the late are still open."""

_FRIDAY = timedelta(days=4)


def place_invoice_spread(
    books: Books, receivables: Iterable[Receivable], *, coming: Iterable[ComingInvoice], last: date
) -> Iterator[OutlookEvent]:
    """What invoices gain and lose by week, until the money is in a deposit account.

    What was promised has a day of its own, and what is disputed has none.
    """
    own = books.derive(_read_receipt_delays)
    whole, alike = _merge(own), books.derive(_group_customers)
    placed = [
        Placed(r.due, r.expected, r.home, own.get(party, ()), alike.get(party, ()))
        for r in receivables
        if r.home and not r.is_disputed and r.promise is None
        for party in (r.invoice.customer_id or "",)
    ]
    placed += [
        Placed(one.due, one.on, one.home, own.get(one.customer_id, ()), alike.get(one.customer_id, ()))
        for one in coming
    ]
    moved = spread(placed, whole, as_of=books.as_of, last=last)
    reason = f"as {len(whole)} paid invoices came earlier and later than their day"
    yield from _place(moved, books.as_of, last, label="Invoices off their day", reason=reason)


def place_bill_spread(
    books: Books, payables: Iterable[Payable], *, coming: Iterable[ComingBill], last: date
) -> Iterator[OutlookEvent]:
    """What bills gain and lose by week. Those that go by card, or on a decided day, have none."""
    own = books.derive(_read_payment_delays)
    whole = _merge(own)
    decided = find_decided_bill_ids(books)
    placed = [
        Placed(p.due, p.pay_date, -p.home, own[p.bill.vendor_id])
        for p in payables
        if p.home and p.bill.vendor_id in own and p.bill.external_id not in decided
    ]
    placed += [Placed(one.due, one.on, -one.home, own.get(one.vendor_id, ())) for one in coming]
    moved = spread(placed, whole, as_of=books.as_of, last=last)
    reason = f"as {len(whole)} paid bills left earlier and later than their due date"
    yield from _place(moved, books.as_of, last, label="Bills off their day", reason=reason)


def _place(
    moved: Mapping[date, Decimal], as_of: date, last: date, *, label: str, reason: str
) -> Iterator[OutlookEvent]:
    for monday, amount in moved.items():
        on = min(roll_forward(max(monday + _FRIDAY, as_of)), last)
        yield OutlookEvent(on=on, amount=amount, kind=OutlookKind.DOCUMENT, label=label, reason=reason)


def _read_receipt_delays(books: Books) -> dict[str, list[int]]:
    """Days from the due date until the money was in a deposit account, by customer; shortest first."""
    cash, deposited = find_cash_account_ids(books), books.derive(find_deposit_days)
    since, until = add_days(books.as_of, -HABIT_DAYS), add_days(books.as_of, -SETTLED_FOR_DAYS)
    settled: dict[str, date] = {}  # by the last payment of each invoice
    for payment in books.customer_payment_heads:
        on = payment.document_date if payment.account_id in cash else deposited.get(payment.external_id)
        if on is not None and since < on <= books.as_of and payment.total > 0 and not payment.is_void:
            for link in payment.applied:
                held = settled.get(link.external_id) if link.kind is RecordKind.INVOICE else on
                if held is None or on > held:
                    settled[link.external_id] = on
    own: dict[str, list[int]] = {}
    for invoice in books.invoice_heads:
        there = None if invoice.open_balance or invoice.is_void else settled.get(invoice.external_id)
        due, customer_id = invoice.due_date, invoice.customer_id
        if there is not None and due is not None and due <= until and customer_id is not None:
            own.setdefault(customer_id, []).append((there - due).days)
    for days in own.values():
        days.sort()
    return own


def _group_customers(books: Books) -> dict[str, Sequence[int]]:
    """The same delays of each customer and those with alike habits."""
    return group_alike(books.derive(_read_receipt_delays))


def _read_payment_delays(books: Books) -> dict[str, list[int]]:
    """Days from the due date to the payment, by vendor, of bills paid out of deposit accounts; shortest first."""
    settled, until = books.derive(_find_payment_days), add_days(books.as_of, -SETTLED_FOR_DAYS)
    own: dict[str, list[int]] = {}
    for bill in books.bill_heads:
        there = None if bill.open_balance else settled.get(bill.external_id)
        due, vendor_id = bill.due_date, bill.vendor_id
        if there is not None and due is not None and due <= until and vendor_id is not None:
            own.setdefault(vendor_id, []).append((there - due).days)
    for days in own.values():
        days.sort()
    return own


def _find_payment_days(books: Books) -> dict[str, date]:
    """The day of the last payment of each bill out of deposit accounts, of the last months."""
    cash, since = find_cash_account_ids(books), add_days(books.as_of, -HABIT_DAYS)
    settled: dict[str, date] = {}
    for payment in books.bill_payment_heads:
        on = payment.document_date
        if since < on <= books.as_of and payment.account_id in cash and not payment.is_void:
            for link in payment.applied:
                held = settled.get(link.external_id) if link.kind is RecordKind.BILL else on
                if held is None or on > held:
                    settled[link.external_id] = on
    return settled


def _merge(own: Mapping[str, Iterable[int]]) -> list[int]:
    return sorted(chain.from_iterable(own.values()))
