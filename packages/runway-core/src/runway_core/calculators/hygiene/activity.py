"""When something last happened to a document."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice

QUIET_DAYS = 60


def find_last_payments(
    payments: Iterable[BillPayment | CustomerPayment], kind: RecordKind, wanted: Iterable[str], *, as_of: date
) -> dict[str, date]:
    """The day of the last payment up to `as_of` applied to each of the `wanted` documents."""
    ids = set(wanted)
    found: dict[str, date] = {}
    if not ids:
        return found
    for payment in payments:
        if payment.is_void or payment.document_date > as_of:
            continue
        for link in payment.applied:
            if link.kind is kind and link.external_id in ids:
                before = found.get(link.external_id, date.min)
                found[link.external_id] = max(before, payment.document_date)
    return found


def find_last_activity(document: Bill | Invoice, paid_on: date | None, books: Books) -> date:
    """The latest of the document's date, its last change and its last payment; a change in the future says nothing."""
    days = [document.document_date]
    if document.modified_at is not None:
        days.append(document.modified_at.astimezone(ZoneInfo(books.company.time_zone)).date())
    if paid_on is not None:
        days.append(paid_on)
    return max((day for day in days if day <= books.as_of), default=document.document_date)
