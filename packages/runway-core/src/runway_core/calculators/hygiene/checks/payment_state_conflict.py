"""SY02: a rail and the ledger do not agree on whether money has moved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.calendar import add_days
from runway_core.calculators.hygiene.check import build_finding, plain_amount, say_amount
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.bills import Bill, BillPayment
from runway_core.domain.books import Books
from runway_core.domain.execution import RailPayment, RailPaymentState
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity, SuggestedFix
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment, Invoice
from runway_core.domain.money import ZERO

GRACE_DAYS = 3
TOLERANCE = Decimal("0.01")
NEAR_DAYS = 10
"""A payment that a rail did not make was written down in the ledger about then, or not at all."""

_NEVER_MOVED = frozenset({RailPaymentState.FAILED, RailPaymentState.RETURNED, RailPaymentState.CANCELLED})


class _Side(NamedTuple):
    """What the ledger has on one side: documents by id, and by document the live payments applied to it."""

    documents: Mapping[str, Bill | Invoice]
    payments: Mapping[str, list[BillPayment | CustomerPayment]]
    by_id: Mapping[str, BillPayment | CustomerPayment]


class PaymentStateConflict:
    """Money that moved on one side only, for over three days.

    A rail settled it while the document is open in the ledger and no payment of it is there; or the ledger has the
    payment while the rail has not moved the money.

    A payment of the ledger stands for one of the rail: the one it names, else one over the amount on a document that
    it names. What is still on its way conflicts only once its expected day is over three days past.
    """

    id = "SY02"
    name = "payment_state_conflict"
    floor = Severity.CRITICAL
    effect = RunwayEffect.MOVES_DATES
    reads = frozenset({"bank_balances", "bill_payments", "bills", "customer_payments", "invoices", "rail_payments"})

    def find(self, books: Books) -> Iterable[Finding]:
        """One finding for each payment of a rail."""
        if not books.rail_payments:
            return
        for is_inflow, side in ((False, _read_payables(books)), (True, _read_receivables(books))):
            payments = [payment for payment in books.rail_payments if payment.is_inflow is is_inflow]
            recorded = _find_recorded(payments, side)
            for payment in payments:
                yield from self._judge(books, payment, side, recorded=recorded.get(payment.key))

    def _judge(
        self, books: Books, payment: RailPayment, side: _Side, *, recorded: BillPayment | CustomerPayment | None
    ) -> Iterator[Finding]:
        documents = _documents_of(payment, side)
        if payment.state is RailPaymentState.SETTLED:
            still_open = [document for document in documents if document.open_balance > 0]
            if still_open and recorded is None and _is_over(payment.settles_on or payment.released_on, books.as_of):
                yield self._report(books, payment, still_open, paid=None)
        elif recorded is not None and _is_late(payment, recorded, books.as_of):
            yield self._report(books, payment, documents, paid=recorded)

    def _report(
        self,
        books: Books,
        payment: RailPayment,
        documents: Sequence[Bill | Invoice],
        *,
        paid: BillPayment | CustomerPayment | None,
    ) -> Finding:
        names = ", ".join(_title(document) for document in documents) or f"payment {payment.external_id}"
        at_rail = payment.state.value.replace("_", " ")
        in_ledger = "open in the ledger" if paid is None else f"paid in the ledger since {paid.document_date}"
        shown = (
            ("state", payment.state.value),
            ("amount", plain_amount(payment.amount, payment.currency)),
            ("settles_on", str(payment.settles_on or "not known")),
        )
        ledger_shows = [
            Evidence(name="open_balance", value=plain_amount(one.open_balance, one.currency), record=one.key)
            for one in documents
        ]
        if paid is not None:
            ledger_shows.append(Evidence(name="paid_on", value=paid.document_date.isoformat(), record=paid.key))
        return build_finding(
            self,
            books,
            subjects=(payment.key, *(document.key for document in documents)),
            amount=payment.amount,
            currency=payment.currency,
            summary=f"{say_amount(payment.amount, payment.currency)} for {names}: {at_rail} at {payment.rail}, "
            f"{in_ledger}",
            evidence=(
                *(
                    Evidence(name=name, value=value, record=payment.key, rail=payment.rail, read_at=payment.read_at)
                    for name, value in shown
                ),
                *ledger_shows,
            ),
            fixes=_suggest(books, payment, documents, paid=paid),
        )


def _read_payables(books: Books) -> _Side:
    return _read_side(books.bills, books.bill_payments, RecordKind.BILL)


def _read_receivables(books: Books) -> _Side:
    live = [invoice for invoice in books.invoices if not invoice.is_void]
    return _read_side(live, books.customer_payments, RecordKind.INVOICE)


def _read_side(
    documents: Iterable[Bill | Invoice], payments: Iterable[BillPayment | CustomerPayment], kind: RecordKind
) -> _Side:
    applied: dict[str, list[BillPayment | CustomerPayment]] = {}
    by_id: dict[str, BillPayment | CustomerPayment] = {}
    for paid in payments:
        if paid.is_void:
            continue
        by_id[paid.external_id] = paid
        for link in paid.applied:
            if link.kind is kind:
                applied.setdefault(link.external_id, []).append(paid)
    return _Side({document.external_id: document for document in documents}, applied, by_id)


def _documents_of(payment: RailPayment, side: _Side) -> list[Bill | Invoice]:
    ids = payment.invoice_ids if payment.is_inflow else payment.bill_ids
    return [side.documents[one] for one in sorted(set(ids)) if one in side.documents]


def _find_recorded(payments: Iterable[RailPayment], side: _Side) -> dict[RecordKey, BillPayment | CustomerPayment]:
    """The ledger's record of each payment of a rail; each record once, and first for what the rail names or settled."""
    ordered = sorted(payments, key=lambda one: (one.state is not RailPaymentState.SETTLED, one.rail, one.external_id))
    found: dict[RecordKey, BillPayment | CustomerPayment] = {}
    used: set[str] = set()
    for payment in ordered:
        named = side.by_id.get(payment.ledger_payment_id or "")
        if named is not None and named.external_id not in used:
            found[payment.key] = named
            used.add(named.external_id)
    for payment in ordered:
        if payment.key in found or payment.ledger_payment_id in side.by_id:
            continue
        ids = payment.invoice_ids if payment.is_inflow else payment.bill_ids
        applied = {paid.external_id: paid for one in ids for paid in side.payments.get(one, ())}
        distances = {_distance(payment, paid): paid for paid in applied.values() if paid.external_id not in used}
        near = [one for one in distances if one.money <= TOLERANCE and _may_stand(payment, one)]
        if near:
            paid = distances[min(near)]
            found[payment.key] = paid
            used.add(paid.external_id)
    return found


class _Distance(NamedTuple):
    """How far a payment of the ledger is from one of a rail; the nearest comes first."""

    money: Decimal
    days: int
    external_id: str  # settles ties


def _distance(payment: RailPayment, paid: BillPayment | CustomerPayment) -> _Distance:
    on = payment.settles_on or payment.released_on or paid.document_date
    return _Distance(abs(paid.total - payment.amount), abs((paid.document_date - on).days), paid.external_id)


def _may_stand(payment: RailPayment, distance: _Distance) -> bool:
    return payment.state not in _NEVER_MOVED or distance.days <= NEAR_DAYS


def _is_over(day: date | None, as_of: date) -> bool:
    return day is not None and add_days(day, GRACE_DAYS) < as_of


def _is_late(payment: RailPayment, paid: BillPayment | CustomerPayment, as_of: date) -> bool:
    """Whether the ledger has had it as paid for over three days, and the rail should have moved it by then."""
    days = [paid.document_date]
    if payment.state not in _NEVER_MOVED and payment.settles_on is not None:
        days.append(payment.settles_on)
    if payment.state is RailPaymentState.IN_FLIGHT and payment.settles_on is None:
        return False  # the rail does not say when it will arrive
    return _is_over(max(days), as_of)


def _suggest(
    books: Books,
    payment: RailPayment,
    documents: Sequence[Bill | Invoice],
    *,
    paid: BillPayment | CustomerPayment | None,
) -> tuple[SuggestedFix, ...]:
    if paid is not None:
        return (
            SuggestedFix(label="Void it in the ledger: the money did not move", record=paid.key),
            SuggestedFix(label=f"Settle it with {payment.rail}", record=payment.key),
        )
    record = SuggestedFix(
        label="Record the payment in the ledger", record=payment.key, amendments=_settle(books, payment, documents)
    )
    return record, SuggestedFix(label=f"Take it back at {payment.rail}", record=payment.key)


def _settle(books: Books, payment: RailPayment, documents: Sequence[Bill | Invoice]) -> tuple[Amendment, ...]:
    """What is open of the documents goes, and cash where the ledger's balance still counts what left."""
    left = payment.amount
    amendments: list[Amendment] = []
    for document in documents:
        if document.currency != payment.currency:
            continue
        part = min(left, document.open_balance)
        left -= part
        if part == document.open_balance:
            amendments.append(Amendment(action=AmendmentAction.REMOVE, record=document.key))
        elif part:
            amendments.append(Amendment(action=AmendmentAction.REDUCE, record=document.key, amount=part))
    taken = payment.amount - left
    # Where a bank is read its balance is opening cash, and knows already.
    if taken > ZERO and payment.currency == books.home and not books.bank_balances:
        signed = taken if payment.is_inflow else -taken
        amendments.append(Amendment(action=AmendmentAction.ADJUST_CASH, amount=signed))
    return tuple(amendments)


def _title(document: Bill | Invoice) -> str:
    return f"{document.kind.value} {document.number or document.external_id}"
