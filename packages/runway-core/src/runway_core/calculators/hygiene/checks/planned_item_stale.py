"""PL01: nobody has stood by a planned item for a while, or its day has gone by."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.calculators.series import FULFIL_DAYS, FULFIL_SHARE
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.planned_items import PlannedItem, PlannedItemState

LATER_DAYS = 14


class _Movement(NamedTuple):
    """A document or a payment that may stand for a planned item; `days` are those on which its money may move."""

    party: RecordKey
    days: tuple[date, ...]
    amount: Decimal
    currency: str
    is_inflow: bool


class PlannedItemStale:
    """A planned item that was not confirmed for 14 days, or whose day has passed and for which nothing stands.

    A document or a payment of the item's party stands for it within ten days of its day and a fifth of its amount.
    """

    id = "PL01"
    name = "planned_item_stale"
    floor = Severity.MEDIUM
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bill_payments", "bills", "customer_payments", "invoices", "planned_items", "purchases"})

    def find(self, books: Books) -> Iterable[Finding]:
        """Every item that its owner should be asked about."""
        doubtful = [
            item
            for item in books.planned_items
            if not item.is_closed
            and item.fulfilled_by is None
            and item.state_on(books.as_of) is not PlannedItemState.CONFIRMED
        ]
        movements = _find_movements(books, doubtful)
        for item in doubtful:
            if not any(_stands_for(movement, item) for movement in movements):
                yield self._report(books, item)

    def _report(self, books: Books, item: PlannedItem) -> Finding:
        is_past = item.state_on(books.as_of) is PlannedItemState.EXPIRED
        why = "its day has passed" if is_past else "not confirmed for over 14 days"
        key = item.subject
        return build_finding(
            self,
            books,
            subjects=(key,),
            amount=item.amount,
            currency=item.currency,
            summary=f"Planned item {item.label!r} over {say_amount(item.amount, item.currency)} on {item.on}: {why}",
            evidence=(
                Evidence(name="on", value=item.on.isoformat(), record=key),
                Evidence(name="amount", value=plain_amount(item.amount, item.currency), record=key),
                Evidence(name="direction", value="in" if item.is_inflow else "out", record=key),
                Evidence(name="confirmed_on", value=item.confirmed_on.isoformat(), record=key),
                Evidence(name="owner", value=item.owner, record=key),
                Evidence(name="note", value=item.note or "none", record=key),
            ),
            fixes=_suggest(item, key, books.as_of),
        )


def _suggest(item: PlannedItem, key: RecordKey, as_of: date) -> Sequence[SuggestedFix]:
    """Confirm, move or drop it; what is past may also have happened without a trace in the books."""
    later = roll_forward(max(item.on, as_of) + timedelta(days=LATER_DAYS))
    drop = SuggestedFix(
        label="Drop it",
        record=key,
        amendments=(Amendment(action=AmendmentAction.REMOVE, record=key, label=item.label),),
    )
    move = SuggestedFix(
        label=f"Move it, say to {later}",
        record=key,
        amendments=(Amendment(action=AmendmentAction.PAY_ON, record=key, on=later, label=item.label),),
    )
    if item.on < as_of:
        return (SuggestedFix(label="Say which record stands for it", record=key), move, drop)
    return (SuggestedFix(label=f"Confirm it for {item.on}", record=key), move, drop)


def _find_movements(books: Books, items: Iterable[PlannedItem]) -> list[_Movement]:
    """What the books hold of the parties of these items."""
    wanted = {party for item in items if (party := _party_of(item)) is not None}
    return [movement for movement in _read_movements(books) if movement.party in wanted] if wanted else []


def _party_of(item: PlannedItem) -> RecordKey | None:
    if item.vendor_id is not None:
        return RecordKey(RecordKind.VENDOR, item.vendor_id)
    return None if item.customer_id is None else RecordKey(RecordKind.CUSTOMER, item.customer_id)


def _read_movements(books: Books) -> Iterator[_Movement]:
    vendor, customer = RecordKind.VENDOR, RecordKind.CUSTOMER
    for bill in books.bills:
        days = (bill.document_date, bill.due_date or bill.document_date)
        yield _Movement(RecordKey(vendor, bill.vendor_id or ""), days, bill.total, bill.currency, False)
    for invoice in books.invoices:
        if not invoice.is_void:
            days = (invoice.document_date, invoice.due_date or invoice.document_date)
            yield _Movement(RecordKey(customer, invoice.customer_id or ""), days, invoice.total, invoice.currency, True)
    for paid in books.bill_payments:
        if not paid.is_void:
            on = (paid.document_date,)
            yield _Movement(RecordKey(vendor, paid.vendor_id or ""), on, paid.total, paid.currency, False)
    for received in books.customer_payments:
        if not received.is_void:
            party, on = RecordKey(customer, received.customer_id or ""), (received.document_date,)
            yield _Movement(party, on, received.total, received.currency, True)
    for spent in books.purchases:
        if not spent.is_void and spent.payee_kind is not None:
            party, on = RecordKey(spent.payee_kind, spent.payee_id or ""), (spent.document_date,)
            yield _Movement(party, on, spent.total, spent.currency, spent.is_refund)


def _stands_for(movement: _Movement, item: PlannedItem) -> bool:
    return (
        movement.party == _party_of(item)
        and movement.is_inflow is item.is_inflow
        and movement.currency == item.currency
        and abs(movement.amount - item.amount) <= item.amount * FULFIL_SHARE
        and any(abs((day - item.on).days) <= FULFIL_DAYS for day in movement.days)
    )
