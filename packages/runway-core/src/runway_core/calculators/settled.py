"""Which documents payments settled, and how long after their due date: what habits are told from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import gt, mul

from runway_core.domain.books import Books
from runway_core.domain.columns import BillPaymentColumns, CustomerPaymentColumns
from runway_core.domain.identity import RecordKind

Links = list[tuple[int, int]]
"""The place of a payment that is not void, and that of a document it was applied to; in no particular order."""

_ALWAYS = date.max.toordinal()


def link_bills(books: Books) -> Links:
    """What bill payments paid."""
    return _link(books.bill_payment_columns, RecordKind.BILL, books.bill_places)


def link_invoices(books: Books) -> Links:
    """What customers' payments paid."""
    return _link(books.customer_payment_columns, RecordKind.INVOICE, books.invoice_places)


def _link(payments: BillPaymentColumns | CustomerPaymentColumns, kind: RecordKind, places: Mapping[str, int]) -> Links:
    found: Links = []
    for payment, (applied, is_void) in enumerate(zip(payments.applied, payments.is_void, strict=True)):
        for link in () if is_void else applied:
            document = places.get(link.external_id) if link.kind is kind else None
            if document is not None:
                found.append((payment, document))
    return found


def find_bill_delays(books: Books, moved: Sequence[int], *, until: int = _ALWAYS) -> dict[str, list[int]]:
    """Days from the due date to the last payment of each bill of which nothing is open, by vendor; shortest first.

    `moved` has the ordinal of each bill payment's day, nil where it does not count. What fell due after `until` is left
    out.
    """
    bills = books.bill_columns
    last = _find_last_days(books.derive(link_bills), moved, count=len(books.bills))
    return _group(bills.vendor_id, bills.due_day, map(mul, last, bills.is_settled), until=until)


def find_invoice_delays(books: Books, moved: Sequence[int], *, until: int = _ALWAYS) -> dict[str, list[int]]:
    """The same of invoices by customer, `moved` being of customers' payments; void ones are settled by nobody."""
    invoices = books.invoice_columns
    last = _find_last_days(books.derive(link_invoices), moved, count=len(books.invoices))
    closed = map(gt, invoices.is_settled, invoices.is_void)
    return _group(invoices.customer_id, invoices.due_day, map(mul, last, closed), until=until)


def _find_last_days(links: Links, moved: Sequence[int], *, count: int) -> list[int]:
    """The last day that a payment of each document moved, by its place; nil where none did."""
    last = [0] * count
    for payment, document in links:
        if day := moved[payment]:
            last[document] = max(last[document], day)
    return last


def _group(
    party_ids: Iterable[str | None], due_days: Iterable[int | None], days: Iterable[int], *, until: int
) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for day, due, party_id in zip(days, due_days, party_ids, strict=True):
        if day and due is not None and due <= until and party_id is not None:
            found[party_id].append(day - due)
    return {party_id: sorted(delays) for party_id, delays in found.items()}
