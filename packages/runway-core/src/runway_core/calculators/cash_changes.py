"""What changed cash since an earlier day, with causes that sum exactly to the difference."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.flows import Flow, FlowSort, read_flows
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashCause, CashChange, CashThen
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.money import ZERO, Money

MOST_NAMED = 5
NAMED_SHARE = Decimal("0.10")
"""A movement gets a line of its own from this share of all that moved on; the others are summed by sort."""

_LABELS = {
    (RecordKind.BILL_PAYMENT, False): "Bills paid",
    (RecordKind.BILL_PAYMENT, True): "Payments to vendors taken back",
    (RecordKind.CUSTOMER_PAYMENT, True): "Received from customers",
    (RecordKind.CUSTOMER_PAYMENT, False): "Paid back to customers",
    (RecordKind.DEPOSIT, True): "Deposited",
    (RecordKind.DEPOSIT, False): "Deposits taken back",
    (RecordKind.PURCHASE, False): "Spent directly",
    (RecordKind.PURCHASE, True): "Refunds received",
    (RecordKind.JOURNAL_ENTRY, True): "Journal entries, in",
    (RecordKind.JOURNAL_ENTRY, False): "Journal entries, out",
    (None, True): "Received at the bank",
    (None, False): "Paid at the bank",
}


def explain_cash(books: Books, then: CashThen) -> CashChange:
    """Explain how opening cash `then` became opening cash now, home currency.

    A movement counts when its day has come since, or when it was entered since with an earlier day. Transfers between
    own deposit accounts cancel out. What is left is told as unexplained, never spread over the causes.
    """
    flows, cash = books.derive(read_flows), books.derive(compute_cash)
    late = _find_entered_after(books, then.read_at)
    moved = [
        flow for flow in flows.past(books.as_of) if flow.home is not None and (flow.on > then.as_of or flow.key in late)
    ]
    causes = tuple(_sum_causes(books, moved))
    explained = sum((cause.amount.amount for cause in causes), ZERO)
    difference = cash.opening.amount - then.opening.amount
    return CashChange(
        since=then.as_of,
        before=then.opening,
        causes=causes,
        unexplained=Money(amount=difference - explained, currency=books.home),
        now=cash.opening,
    )


def _find_entered_after(books: Books, moment: datetime) -> set[RecordKey | None]:
    records = (
        *books.bill_payments, *books.customer_payments, *books.purchases, *books.deposits, *books.transfers,
        *books.journal_entries,
    )  # fmt: skip
    return {record.key for record in records if record.created_at is not None and record.created_at > moment}


def _sum_causes(books: Books, moved: Iterable[Flow]) -> list[CashCause]:
    """Movements large enough to name, and the rest by sort; the largest first."""
    legs: dict[tuple[FlowSort, RecordKey | None, int], list[Flow]] = {}
    for number, flow in enumerate(moved):  # a bank line is one movement, the legs of a ledger record are another
        legs.setdefault((flow.sort, flow.key, -1 if flow.key is not None else number), []).append(flow)
    sums = [(flows[0], sum((flow.home or ZERO for flow in flows), ZERO)) for flows in legs.values()]
    sums = [(flow, amount) for flow, amount in sums if amount]
    sums.sort(key=lambda one: (-abs(one[1]), one[0].on, one[0].kind or "", one[0].external_id))
    least = sum((abs(amount) for _, amount in sums), ZERO) * NAMED_SHARE
    named = [one for one in sums[:MOST_NAMED] if abs(one[1]) >= least and one[0].key is not None]
    names = _find_parties(books, {flow.key for flow, _ in named if flow.key is not None})
    causes = [
        CashCause(label=_name(flow, amount, names), amount=_money(books, amount), count=1, record=flow.key)
        for flow, amount in named
    ]
    kept = {id(flow) for flow, _ in named}
    groups: dict[str, list[Decimal]] = {}
    for flow, amount in sums:
        if id(flow) not in kept:
            groups.setdefault(_label(flow, amount), []).append(amount)
    causes += [
        CashCause(label=label, amount=_money(books, sum(amounts, ZERO)), count=len(amounts))
        for label, amounts in groups.items()
    ]
    return sorted(causes, key=lambda cause: (-abs(cause.amount.amount), cause.label, str(cause.record or "")))


def _label(flow: Flow, amount: Decimal) -> str:
    if flow.sort is FlowSort.FINANCING:
        return "Loans, owner’s money and equipment, " + ("in" if amount > 0 else "out")
    if flow.sort is FlowSort.TRANSFER or flow.kind is RecordKind.TRANSFER:
        return "Moved " + ("from" if amount > 0 else "to") + " accounts that are not counted, cards among them"
    return _LABELS.get((flow.kind, amount > 0), "Other movements")


def _name(flow: Flow, amount: Decimal, names: dict[RecordKey, str | None]) -> str:
    label = _label(flow, amount)
    party = names.get(flow.key) if flow.key is not None else None
    return f"{label}: {party}, {flow.on}" if party else f"{label}, {flow.on}"


def _find_parties(books: Books, keys: set[RecordKey]) -> dict[RecordKey, str | None]:
    ids = {key.external_id for key in keys}
    found: dict[RecordKey, str | None] = {}
    for payment in books.bill_payments:
        if payment.external_id in ids:
            found[payment.key] = payment.vendor_name
    for receipt in books.customer_payments:
        if receipt.external_id in ids:
            found[receipt.key] = receipt.customer_name
    for purchase in books.purchases:
        if purchase.external_id in ids:
            found[purchase.key] = purchase.payee_name
    return found


def _money(books: Books, amount: Decimal) -> Money:
    return Money(amount=amount, currency=books.home)
