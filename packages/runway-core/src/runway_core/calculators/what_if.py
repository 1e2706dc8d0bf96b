"""What-if: an outlook as it would be if some things were different.

Only the expected movements are changed and cash is run through them anew, so that one question costs a fraction of an
outlook and a moved bill is redrawn at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from runway_core.calculators.calendar import roll_forward
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.outlook import order_events, project_outlook
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.decisions import Figures
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO, Money
from runway_core.domain.outlook import Cash, Outlook, OutlookEvent, OutlookKind

_KEEPING_ORDER = frozenset({AmendmentAction.REMOVE, AmendmentAction.ADJUST_CASH})
"""What leaves the other movements where they are, and in their order."""


def amend_outlook(books: Books, cash: Cash, outlook: Outlook, amendments: Sequence[Amendment]) -> Outlook:
    """The outlook as it would be with `amendments`, which are applied one after the other.

    `cash` and `outlook` are those of `books`. An amendment of a record that the outlook does not expect to move changes
    nothing; what it moves beyond the 91 days leaves the outlook. A day in the past counts as today, and one on which
    banks rest as the next business day.
    """
    events, opening = amend_events(books, outlook.events, amendments)
    if any(amendment.action not in _KEEPING_ORDER for amendment in amendments):
        last = outlook.days[-1].day
        events = order_events(event for event in events if books.as_of <= event.on <= last)
    return project_outlook(
        books,
        _adjust(cash, opening) if opening else cash,
        events,
        left_out=outlook.left_out,
    )


def amend_events(
    books: Books, events: Iterable[OutlookEvent], amendments: Iterable[Amendment]
) -> tuple[list[OutlookEvent], Decimal]:
    """The movements as they would be, in no order and some beyond the 91 days, and by how much opening cash differs.

    Movements of records that no amendment names come back as they are.
    """
    amended, opening = list(events), ZERO
    currencies, rates = books.derive(read_open_currencies), HomeRates.of(books)
    for amendment in amendments:
        match amendment.action:
            case AmendmentAction.REMOVE:
                amended = [event for event in amended if event.source != amendment.record]
            case AmendmentAction.REDUCE:
                amended = list(_reduce(amended, amendment, _in_home(amendment, currencies, rates)))
            case AmendmentAction.SET_DUE | AmendmentAction.PAY_ON | AmendmentAction.EXPECT_ON:
                amended = list(_move(amended, amendment, books.as_of, _in_home(amendment, currencies, rates)))
            case AmendmentAction.ADD:
                amended += _add(amendment, books.as_of)
            case AmendmentAction.ADJUST_CASH:
                opening += amendment.amount or ZERO
    return amended, opening


def read_figures(outlook: Outlook) -> Figures:
    """The figures that a decision moves."""
    return Figures(
        runway_days=outlook.runway.days,
        buffer_breach_on=outlook.buffer_breach.falls_on,
        low_28_days=outlook.low_28_days,
        low_28_days_on=outlook.low_28_days_on,
    )


def read_open_currencies(books: Books) -> dict[RecordKey, str]:
    """The currency of each open document that is not in home currency."""
    bills = {bill.key: bill.currency for bill in books.open_bills if bill.currency != books.home}
    return bills | {one.key: one.currency for one in books.open_invoices if one.currency != books.home}


def _in_home(amendment: Amendment, currencies: Mapping[RecordKey, str], rates: HomeRates) -> Decimal | None:
    """The amendment's amount in home currency; `None` for all of the document, or without a rate."""
    if amendment.amount is None or amendment.record is None:
        return amendment.amount
    return rates.convert(amendment.amount, currencies.get(amendment.record, rates.home))


def _reduce(events: Iterable[OutlookEvent], amendment: Amendment, by: Decimal | None) -> Iterable[OutlookEvent]:
    """Take an amount off a document's movements, the earliest first, none of them past nil."""
    left = by or ZERO
    for event in events:
        if event.source != amendment.record or not left:
            yield event
            continue
        taken = min(left, abs(event.amount))
        left -= taken
        rest = event.amount - taken if event.amount > 0 else event.amount + taken
        if rest:
            yield event.model_copy(update={"amount": rest})


def _move(
    events: Sequence[OutlookEvent], amendment: Amendment, as_of: date, part: Decimal | None
) -> Iterable[OutlookEvent]:
    """Put a document's movements, or a part of them, on another day."""
    if amendment.on is None:
        yield from events
        return
    on = roll_forward(max(amendment.on, as_of))
    reason = amendment.label or f"moved to {on}"
    left = part
    for event in events:
        if event.source != amendment.record or left == 0:
            yield event
            continue
        size = abs(event.amount) if left is None else min(left, abs(event.amount))
        left = None if left is None else left - size
        signed = size if event.amount > 0 else -size
        yield event.model_copy(update={"on": on, "amount": signed, "reason": reason})
        if event.amount != signed:
            yield event.model_copy(update={"amount": event.amount - signed})


def _add(amendment: Amendment, as_of: date) -> list[OutlookEvent]:
    if amendment.on is None or not amendment.amount:
        return []
    on = roll_forward(max(amendment.on, as_of))
    label = amendment.label or "What if"
    return [
        OutlookEvent(on=on, amount=amendment.amount, kind=OutlookKind.PLANNED, label=label, reason=f"supposed on {on}")
    ]


def _adjust(cash: Cash, by: Decimal) -> Cash:
    changed = Money(amount=by, currency=cash.opening.currency)
    return cash.model_copy(update={"opening": cash.opening + changed, "available": cash.available + changed})


def delay_of(bill_id: str, on: date, *, label: str = "") -> Amendment:
    """Pay all of a bill on another day."""
    return Amendment(
        action=AmendmentAction.PAY_ON, record=RecordKey(RecordKind.BILL, bill_id), on=on, label=label or f"paid {on}"
    )


def lateness_of(invoice_id: str, outlook: Outlook, days: int) -> tuple[Amendment, ...]:
    """Let an invoice come so many days after it is expected; nothing where it is not expected at all."""
    key = RecordKey(RecordKind.INVOICE, invoice_id)
    return tuple(
        Amendment(action=AmendmentAction.EXPECT_ON, record=key, on=event.on + timedelta(days=days))
        for event in outlook.events
        if event.source == key
    )
