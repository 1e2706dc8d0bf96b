"""Promises of customers to pay: which were kept, which were broken, and which are still to come."""

from datetime import date, timedelta
from enum import StrEnum

from runway_core.calculators.calendar import roll_forward
from runway_core.domain.books import Books
from runway_core.domain.collections import CollectionNote, CollectionOutcome
from runway_core.domain.identity import RecordKind
from runway_core.domain.record import Value

TOLD_DAYS = 14
"""Promises that fell due longer ago are not told any more."""


class PromiseState(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    OPEN = "open"


class Promise(Value):
    """One promise about one invoice."""

    invoice_id: str
    number: str | None
    customer_name: str
    promised_on: date
    person: str
    state: PromiseState


def find_promises(books: Books) -> list[Promise]:
    """The promises of the last fourteen days and of those to come, the broken first, then by day.

    A promise is kept when money or a credit was applied to the invoice between the talk and the promised day, or the
    business day after it; the newest promise of an invoice counts.
    """
    newest: dict[str, CollectionNote] = {}
    for note in sorted(books.collection_notes, key=lambda note: (note.contacted_on, note.changed_at, note.paper_id)):
        if note.outcome is CollectionOutcome.PROMISED and note.promised_on is not None and not note.is_closed:
            newest[note.invoice_id] = note
    since = books.as_of - timedelta(days=TOLD_DAYS)
    told = [note for note in newest.values() if note.promised_on is not None and note.promised_on >= since]
    if not told:
        return []
    received = _find_receipts(books, {note.invoice_id for note in told})
    invoices = {invoice.external_id: invoice for invoice in books.invoices}
    found: list[Promise] = []
    for note in told:
        invoice = invoices.get(note.invoice_id)
        if invoice is None or note.promised_on is None:
            continue
        customer = books.customer_by_id.get(invoice.customer_id or "")
        found.append(
            Promise(
                invoice_id=note.invoice_id,
                number=invoice.number,
                customer_name=customer.name if customer is not None else invoice.customer_name or "no customer",
                promised_on=note.promised_on,
                person=note.person,
                state=_judge(note, note.promised_on, received.get(note.invoice_id, []), books.as_of),
            )
        )
    return sorted(found, key=lambda one: (one.state is not PromiseState.BROKEN, one.promised_on, one.invoice_id))


def _judge(note: CollectionNote, promised_on: date, received: list[date], as_of: date) -> PromiseState:
    last = roll_forward(promised_on)
    if any(note.contacted_on <= on <= last for on in received):
        return PromiseState.KEPT
    return PromiseState.BROKEN if last < as_of else PromiseState.OPEN


def _find_receipts(books: Books, invoice_ids: set[str]) -> dict[str, list[date]]:
    """The days on which payments or credits were applied to these invoices."""
    payments = books.customer_payment_columns
    paid = zip(payments.document_day, payments.applied, payments.is_void, strict=True)
    given = [(date.fromordinal(day), applied) for day, applied, is_void in paid if not is_void]
    given += [(memo.document_date, memo.links) for memo in books.credit_memos if not memo.is_void]
    found: dict[str, list[date]] = {}
    for on, links in given:
        for link in links:
            if link.kind is RecordKind.INVOICE and link.external_id in invoice_ids:
                found.setdefault(link.external_id, []).append(on)
    return found
