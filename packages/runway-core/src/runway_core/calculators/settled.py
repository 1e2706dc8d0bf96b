"""Which documents payments settled, and how long after their due date: what habits are told from."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from runway_core.domain.books import Books
from runway_core.domain.columns import BillPaymentColumns, CustomerPaymentColumns
from runway_core.domain.identity import RecordKind

_ALWAYS = date.max.toordinal()


class Settlements(NamedTuple):
    """Payments that are not void and the documents they name, each by its place among its kind."""

    links: list[tuple[int, int]]  # a payment and a document that it was applied to
    settled: list[tuple[int, int, str]]  # a document of which nothing is open, the day it was due, whose it is


def read_bill_settlements(books: Books) -> Settlements:
    """Bill payments and bills; a bill without a vendor or a due date tells of no habit."""
    bills = books.bill_columns
    closed = zip(bills.due_day, bills.vendor_id, bills.is_settled, strict=True)
    return Settlements(
        links=_link(books.bill_payment_columns, RecordKind.BILL, books.bill_places),
        settled=[
            (place, due, vendor_id)
            for place, (due, vendor_id, is_settled) in enumerate(closed)
            if is_settled and due is not None and vendor_id is not None
        ],
    )


def read_invoice_settlements(books: Books) -> Settlements:
    """Customers' payments and invoices, of which void ones are settled by nobody."""
    invoices = books.invoice_columns
    closed = zip(invoices.due_day, invoices.customer_id, invoices.is_settled, invoices.is_void, strict=True)
    return Settlements(
        links=_link(books.customer_payment_columns, RecordKind.INVOICE, books.invoice_places),
        settled=[
            (place, due, customer_id)
            for place, (due, customer_id, is_settled, is_void) in enumerate(closed)
            if is_settled and not is_void and due is not None and customer_id is not None
        ],
    )


def _link(
    payments: BillPaymentColumns | CustomerPaymentColumns, kind: RecordKind, places: Mapping[str, int]
) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for payment, (applied, is_void) in enumerate(zip(payments.applied, payments.is_void, strict=True)):
        for link in () if is_void else applied:
            document = places.get(link.external_id) if link.kind is kind else None
            if document is not None:
                found.append((payment, document))
    return found


def group_delays(settlements: Settlements, moved: Sequence[int], *, until: int = _ALWAYS) -> dict[str, list[int]]:
    """Days from the due date to the last payment of each document that is settled, by party; shortest first.

    `moved` has the ordinal of each payment's day, nil where it does not count. What fell due after `until` is left out.
    """
    last: dict[int, int] = {}
    for payment, document in settlements.links:
        day = moved[payment]
        if day and day > last.get(document, 0):
            last[document] = day
    found: dict[str, list[int]] = {}
    for document, due, party_id in settlements.settled:
        day = last.get(document, 0)
        if day and due <= until:
            found.setdefault(party_id, []).append(day - due)
    for delays in found.values():
        delays.sort()
    return found
