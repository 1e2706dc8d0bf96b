"""Planned items: money that only people know of, until a document or a payment stands for it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.outflows import read_outflows
from runway_core.calculators.outlook_known import build_event
from runway_core.calculators.payables import Payable
from runway_core.calculators.receivables import Receivable
from runway_core.calculators.series import FULFIL_DAYS, FULFIL_SHARE
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.outlook import OutlookEvent, OutlookKind
from runway_core.domain.planned_items import PlannedItem, PlannedItemState


class _Document(NamedTuple):
    on: date
    amount: Decimal
    currency: str
    key: RecordKey


class PlannedMoney(NamedTuple):
    """What planned items add to the outlook, and what of them it leaves out."""

    events: tuple[OutlookEvent, ...]
    left_out: tuple[str, ...]


def plan_money(books: Books, payables: Sequence[Payable], receivables: Sequence[Receivable]) -> PlannedMoney:
    """Each item on its day with its state, owner and note.

    An item that a document or payment of its vendor or customer stands for (at most 10 days and 20 % away, each for one
    item, the nearest first) drops out. One whose day has passed leaves the line and is named.
    """
    fulfilled = _find_fulfilled(books, payables, receivables) if books.planned_items else {}
    rates = HomeRates.of(books)
    events: list[OutlookEvent] = []
    left_out: list[str] = []
    for item in sorted(books.planned_items, key=lambda item: (item.on, item.paper_id)):
        state = item.state_on(books.as_of)
        if item.fulfilled_by is not None or item.paper_id in fulfilled:
            continue
        home = rates.convert(item.amount if item.is_inflow else -item.amount, item.currency)
        if state is PlannedItemState.EXPIRED:
            left_out.append(f"planned item {item.label}: its day {item.on} has passed, ask {item.owner}")
        elif home is None:
            left_out.append(f"planned item {item.label}: {item.amount:,.2f} {item.currency} has no exchange rate")
        elif home:
            on = roll_forward(item.on)
            source = RecordKey(RecordKind.PLANNED_ITEM, item.paper_id)
            reason = _say_why(item, state)
            events.append(build_event(on, home, OutlookKind.PLANNED, label=item.label, reason=reason, source=source))
    return PlannedMoney(tuple(events), tuple(left_out))


def _say_why(item: PlannedItem, state: PlannedItemState) -> str:
    said = "not confirmed since" if state is PlannedItemState.STALE else "confirmed"
    reason = f"planned by {item.owner}, {said} {item.confirmed_on}"
    if item.is_financing:
        reason += "; financing"
    return f"{reason}: {item.note}" if item.note else reason


def _find_fulfilled(
    books: Books, payables: Sequence[Payable], receivables: Sequence[Receivable]
) -> dict[str, RecordKey]:
    """The record that stands for an item, by the item's id."""
    documents = _group_documents(books, payables, receivables)
    pairs = sorted(
        (abs(document.on - item.on), item.on, item.paper_id, document.key)
        for item in books.planned_items
        for document in documents.get(_party(item), [])
        if document.currency == item.currency
        and abs((document.on - item.on).days) <= FULFIL_DAYS
        and abs(document.amount - item.amount) <= item.amount * FULFIL_SHARE
    )
    found: dict[str, RecordKey] = {}
    used: set[RecordKey] = set()
    for _, _, paper_id, key in pairs:
        if paper_id not in found and key not in used:
            found[paper_id] = key
            used.add(key)
    return found


def _party(item: PlannedItem) -> RecordKey | None:
    if item.is_inflow:
        return None if item.customer_id is None else RecordKey(RecordKind.CUSTOMER, item.customer_id)
    return None if item.vendor_id is None else RecordKey(RecordKind.VENDOR, item.vendor_id)


def _group_documents(
    books: Books, payables: Sequence[Payable], receivables: Sequence[Receivable]
) -> dict[RecordKey | None, list[_Document]]:
    """Open documents on the day they move, and payments, of the parties that items name."""
    wanted = {_party(item) for item in books.planned_items} - {None}
    found: dict[RecordKey | None, list[_Document]] = {}

    def add(party: RecordKey, document: _Document) -> None:
        if party in wanted:
            found.setdefault(party, []).append(document)

    if not wanted:
        return found
    for payable in payables:
        bill = payable.bill
        party = RecordKey(RecordKind.VENDOR, bill.vendor_id or "")
        add(party, _Document(payable.pay_date, bill.open_balance, bill.currency, bill.key))
    for outflow in read_outflows(books):
        add(outflow.party, _Document(outflow.on, outflow.amount, outflow.currency, outflow.record.key))
    for receivable in receivables:
        invoice = receivable.invoice
        party = RecordKey(RecordKind.CUSTOMER, invoice.customer_id or "")
        add(party, _Document(receivable.expected, invoice.open_balance, invoice.currency, invoice.key))
    for payment in books.customer_payments:
        if not payment.is_void:
            party = RecordKey(RecordKind.CUSTOMER, payment.customer_id or "")
            add(party, _Document(payment.document_date, payment.total, payment.currency, payment.key))
    return found
