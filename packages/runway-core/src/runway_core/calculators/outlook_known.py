"""Expected movements that somebody wrote down or that are under way: documents, series, money in flight."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from runway_core.calculators.calendar import add_business_days, add_days, roll_forward
from runway_core.calculators.cash import compute_cash, find_pending, find_usable_bank_balances
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.flows import Flows, find_cash_account_ids
from runway_core.calculators.payables import Payable
from runway_core.calculators.receivables import Receivable
from runway_core.calculators.series import ComingSeries, Occurrence
from runway_core.calculators.undeposited import BUSINESS_DAYS_TO_BANK, find_undeposited
from runway_core.domain.books import Books
from runway_core.domain.decisions import DecisionState
from runway_core.domain.identity import RecordKey, RecordKind, Subject
from runway_core.domain.money import ZERO
from runway_core.domain.outlook import OutlookEvent, OutlookKind

_SENT = frozenset({DecisionState.RELEASED, DecisionState.SETTLED})


def build_event(
    on: date,
    amount: Decimal,
    kind: OutlookKind,
    *,
    label: str,
    reason: str,
    source: Subject | None = None,
    series_id: str | None = None,
    is_payroll: bool = False,
) -> OutlookEvent:
    """An expected movement, of an amount carried to four places: it is made of checked ones, and there are hundreds."""
    return OutlookEvent.trusted(
        {
            "on": on,
            "amount": amount,
            "kind": kind,
            "label": label,
            "reason": reason,
            "source": source,
            "series_id": series_id,
            "is_payroll": is_payroll,
        }
    )


def name_document(party: str | None, number: str | None, external_id: str) -> str:
    """A document in words."""
    return f"{party or 'unknown'} {number or external_id}"


def place_bills(books: Books, payables: Iterable[Payable]) -> Iterator[OutlookEvent]:
    """Open bills on the days they are expected to leave; payments that were released are in flight.

    One that a rail settled has left the bank: where cash is the bank's own, it does not leave again, though the ledger
    has not heard of it yet.
    """
    sent = {d.bill_id: d.state for d in books.decisions if d.state in _SENT and not d.is_closed}
    is_from_bank = books.derive(compute_cash).is_from_bank
    for payable in payables:
        bill = payable.bill
        has_left = is_from_bank and sent.get(bill.external_id) is DecisionState.SETTLED
        if payable.home and not has_left:
            label = name_document(bill.vendor_name, bill.number, bill.external_id)
            for on, home in payable.leaves:
                reason = payable.due_reason
                if on != payable.due:
                    reason += f", paid {on}"
                if payable.balance < bill.open_balance:
                    reason += f", less credits of {bill.open_balance - payable.balance:,.2f}"
                state = sent.get(bill.external_id)
                kind = OutlookKind.DOCUMENT if state is None else OutlookKind.IN_FLIGHT
                reason += "" if state is None else f", {state.value}"
                yield build_event(on, -home, kind, label=label, reason=reason, source=bill.key)


def place_invoices(receivables: Iterable[Receivable]) -> Iterator[OutlookEvent]:
    """Open invoices on the day they are expected to arrive; a disputed one has no day."""
    for receivable in receivables:
        if receivable.home and not receivable.is_disputed:
            invoice = receivable.invoice
            label = name_document(invoice.customer_name, invoice.number, invoice.external_id)
            credits_ = invoice.open_balance - receivable.balance
            less = f", less credits of {credits_:,.2f}" if credits_ > 0 else ""
            for on, home, why in _split_by_promise(receivable):
                reason = why + less
                yield build_event(on, home, OutlookKind.DOCUMENT, label=label, reason=reason, source=invoice.key)


def _split_by_promise(receivable: Receivable) -> Iterator[tuple[date, Decimal, str]]:
    """What was promised on its day; the rest, or all of it, when it is expected."""
    home, promise = receivable.home or ZERO, receivable.promise
    if promise is not None and promise.home > 0:
        yield promise.on, promise.home, promise.reason
        home -= promise.home
    if home:
        yield receivable.expected, home, receivable.expected_reason


def place_series(books: Books, series: ComingSeries) -> Iterator[OutlookEvent]:
    """What comes round, entered or found in what was paid."""
    rates = HomeRates.of(books)
    for one in series.occurrences:
        home = rates.convert(one.amount if one.is_inflow else -one.amount, one.currency)
        if home:
            reason = f"{one.rhythm.value}, {one.nominal}" + _say_moved(one)
            if one.is_detected:
                reason = f"found in what was paid: {reason}"
            yield build_event(
                one.on,
                home,
                OutlookKind.SERIES,
                label=one.name,
                reason=reason,
                series_id=one.series_id,
                is_payroll=one.series_id in series.payroll_ids,
            )


def _say_moved(one: Occurrence) -> str:
    if one.on == one.nominal:
        return ""
    return ", moved to a business day" if one.on == roll_forward(one.nominal) else ", late"


def place_in_flight(books: Books) -> Iterator[OutlookEvent]:
    """Money received and not deposited yet, and inflows that the bank has announced."""
    rates = HomeRates.of(books)
    read_at_bank = find_cash_account_ids(books) & find_usable_bank_balances(books).keys()
    for payment, home in find_undeposited(books).fresh:
        yield build_event(
            add_business_days(max(books.as_of, payment.document_date), BUSINESS_DAYS_TO_BANK),
            home,
            OutlookKind.IN_FLIGHT,
            label=name_document(payment.customer_name, payment.number, payment.external_id),
            reason=f"received {payment.document_date}, not deposited yet",
            source=payment.key,
        )
    next_day = roll_forward(add_days(books.as_of, 1))
    for line in find_pending(books):
        incoming = rates.convert(line.amount, line.currency) if line.amount > 0 else None
        if incoming and line.account_id in read_at_bank:
            label = line.text or line.external_id
            reason = "pending at the bank"
            yield build_event(next_day, incoming, OutlookKind.IN_FLIGHT, label=label, reason=reason, source=line.key)


def place_processed(books: Books) -> Iterator[OutlookEvent]:
    """What a card processor has sent on its way, and what it still holds, net of its fees.

    Payments of invoices are left out of either: the ledger shows the open invoice or the receipt, and counts it.
    """
    rates = HomeRates.of(books)
    on_its_way = (payout for payout in books.payouts if not payout.has_arrived)
    for payout in sorted(on_its_way, key=lambda payout: (payout.rail, payout.external_id)):
        of_invoices = sum((part.net for part in payout.parts if part.invoice_number is not None), ZERO)
        home = rates.convert(payout.amount - of_invoices, payout.currency)
        if home:
            on = roll_forward(max(payout.arrives_on, books.as_of))
            source = RecordKey(RecordKind.PAYOUT, payout.external_id)
            reason = f"payout of {payout.rail}, arrives {payout.arrives_on}"
            reason += f", less {of_invoices:,.2f} that pay invoices" if of_invoices else ""
            label = f"Payout {payout.external_id}"
            yield build_event(on, home, OutlookKind.IN_FLIGHT, label=label, reason=reason, source=source)
    for balance in books.processor_balances:
        home = rates.convert(balance.amount, balance.currency)
        if home and home > 0:
            on = roll_forward(max(balance.available_on, books.as_of))
            state = "paid out" if balance.is_available else "available"
            reason = f"{state} on {balance.available_on}, net of fees"
            yield build_event(on, home, OutlookKind.IN_FLIGHT, label=f"Balance at {balance.rail}", reason=reason)


def place_future_entries(books: Books, flows: Flows) -> Iterator[OutlookEvent]:
    """Ledger entries dated after today. The legs of a transfer between own accounts cancel out."""
    sums: dict[tuple[date, RecordKey], Decimal] = {}
    for flow in flows.ledger:
        key = flow.key if flow.on > books.as_of else None
        if key is not None and flow.home is not None:
            sums[flow.on, key] = sums.get((flow.on, key), ZERO) + flow.home
    for (on, key), amount in sums.items():
        if amount:
            label = f"{key.kind.value.replace('_', ' ').capitalize()} {key.external_id}"
            yield build_event(on, amount, OutlookKind.IN_FLIGHT, label=label, reason=f"entered, dated {on}", source=key)
