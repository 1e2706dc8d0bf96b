"""What the spread of past settlements moves between the weeks of the outlook, for invoices and for bills."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.coming_bills import ComingBill
from runway_core.calculators.coming_invoices import ComingInvoice
from runway_core.calculators.deposits import find_deposit_days
from runway_core.calculators.flows import find_cash_account_ids
from runway_core.calculators.outlook_known import build_event
from runway_core.calculators.payables import Payable, find_decided_bill_ids
from runway_core.calculators.receivables import HABIT_DAYS, Receivable
from runway_core.calculators.settled import find_bill_delays, find_invoice_delays
from runway_core.calculators.settlement_spread import Placed, group_alike, spread
from runway_core.domain.books import Books
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
        yield build_event(on, amount, OutlookKind.DOCUMENT, label=label, reason=reason)


def _read_receipt_delays(books: Books) -> dict[str, list[int]]:
    """Days from the due date until the money was in a deposit account, by customer; shortest first."""
    cash, deposited = find_cash_account_ids(books), books.derive(find_deposit_days)
    as_of, payments = books.as_of.toordinal(), books.customer_payment_columns
    banked = {payment_id: on.toordinal() for payment_id, on in deposited.items()}
    moved: list[int] = []
    for place, (day, account_id) in enumerate(zip(payments.document_day, payments.account_id, strict=True)):
        there = day if account_id in cash else banked.get(payments.external_id[place], 0)
        is_counted = as_of - HABIT_DAYS < there <= as_of and payments.total[place] > 0
        moved.append(there if is_counted else 0)
    return find_invoice_delays(books, moved, until=as_of - SETTLED_FOR_DAYS)


def _group_customers(books: Books) -> dict[str, Sequence[int]]:
    """The same delays of each customer and those with alike habits."""
    return group_alike(books.derive(_read_receipt_delays))


def _read_payment_delays(books: Books) -> dict[str, list[int]]:
    """Days from the due date to the payment, by vendor, of bills paid out of deposit accounts; shortest first."""
    cash, as_of = find_cash_account_ids(books), books.as_of.toordinal()
    payments = books.bill_payment_columns
    moved = [
        day if as_of - HABIT_DAYS < day <= as_of and account_id in cash else 0
        for day, account_id in zip(payments.document_day, payments.account_id, strict=True)
    ]
    return find_bill_delays(books, moved, until=as_of - SETTLED_FOR_DAYS)


def _merge(own: Mapping[str, Iterable[int]]) -> list[int]:
    return sorted(chain.from_iterable(own.values()))
