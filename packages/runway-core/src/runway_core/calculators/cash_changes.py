"""What changed cash since an earlier day, with causes that sum exactly to the difference."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.cash import compute_cash
from runway_core.calculators.deleted_entries import find_deleted_entries, with_only
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


class _Move(NamedTuple):
    """A movement that cash gained `home` by; where it `was_deleted`, that is the opposite of what it once was."""

    flow: Flow
    home: Decimal
    was_deleted: bool = False


def explain_cash(books: Books, then: CashThen) -> CashChange:
    """Explain how opening cash `then` became opening cash now, home currency.

    A movement counts when its day has come since, or when it was entered since with an earlier day; one that counted
    `then` and was deleted since counts the other way round. Transfers between own deposit accounts cancel out. What is
    left is told as unexplained, never spread over the causes.
    """
    flows, cash = books.derive(read_flows), books.derive(compute_cash)
    late = _find_entered_after(books, then.read_at)
    moved = [
        _Move(flow, flow.home)
        for flow in flows.past(books.as_of)
        if flow.home is not None and (flow.on > then.as_of or flow.key in late)
    ]
    gone = _without_entries_since(books, then.read_at)
    moved += [
        _Move(flow, -flow.home, was_deleted=True)
        for flow in read_flows(gone, since=date.min).ledger
        if flow.home is not None and flow.on <= then.as_of and flow.account_id not in flows.bank_account_ids
    ]
    causes = tuple(_sum_causes(books, gone, moved))
    explained = sum((cause.amount.amount for cause in causes), ZERO)
    difference = cash.opening.amount - then.opening.amount
    return CashChange(
        since=then.as_of,
        before=then.opening,
        causes=causes,
        unexplained=Money(amount=difference - explained, currency=books.home),
        now=cash.opening,
    )


def _without_entries_since(books: Books, moment: datetime) -> Books:
    """Books of what was there at a moment and was deleted since, alone."""
    gone = [
        entry.record
        for entry in find_deleted_entries(books)
        if entry.change.seen_at > moment and (entry.record.created_at is None or entry.record.created_at <= moment)
    ]
    return with_only(books, gone)


def _find_entered_after(books: Books, moment: datetime) -> set[RecordKey | None]:
    records = (
        *books.bill_payments, *books.customer_payments, *books.purchases, *books.deposits, *books.transfers,
        *books.journal_entries,
    )  # fmt: skip
    return {record.key for record in records if record.created_at is not None and record.created_at > moment}


def _sum_causes(books: Books, gone: Books, moved: Iterable[_Move]) -> list[CashCause]:
    """Movements large enough to name, and the rest by sort; the largest first."""
    sums = list(_sum_legs(moved))
    sums.sort(key=lambda one: (-abs(one.home), one.flow.on, one.flow.kind or "", one.flow.external_id))
    least = sum((abs(one.home) for one in sums), ZERO) * NAMED_SHARE
    named = [one for one in sums[:MOST_NAMED] if abs(one.home) >= least and one.flow.key is not None]
    keys = {one.flow.key for one in named if one.flow.key is not None}
    names = _find_parties(books, keys) | _find_parties(gone, keys)
    causes = [
        CashCause(label=_name(one, names), amount=_money(books, one.home), count=1, record=one.flow.key)
        for one in named
    ]
    kept = {id(one) for one in named}
    groups: dict[str, list[Decimal]] = {}
    for one in sums:
        if id(one) not in kept:
            groups.setdefault(_label(one), []).append(one.home)
    causes += [
        CashCause(label=label, amount=_money(books, sum(amounts, ZERO)), count=len(amounts))
        for label, amounts in groups.items()
    ]
    return sorted(causes, key=lambda cause: (-abs(cause.amount.amount), cause.label, str(cause.record or "")))


def _sum_legs(moved: Iterable[_Move]) -> Iterator[_Move]:
    """One movement for all legs of a record; nothing for legs that cancel out."""
    legs: dict[tuple[FlowSort, RecordKey | None, int, bool], list[_Move]] = {}
    for number, one in enumerate(moved):  # a bank line is one movement, the legs of a ledger record are another
        key = one.flow.key
        legs.setdefault((one.flow.sort, key, -1 if key is not None else number, one.was_deleted), []).append(one)
    for held in legs.values():
        home = sum((one.home for one in held), ZERO)
        if home:
            yield held[0]._replace(home=home)


def _label(one: _Move) -> str:
    if one.was_deleted:
        return f"{_label_flow(one.flow, -one.home)} and deleted since"
    return _label_flow(one.flow, one.home)


def _label_flow(flow: Flow, amount: Decimal) -> str:
    if flow.sort is FlowSort.FINANCING:
        return "Loans, owner’s money and equipment, " + ("in" if amount > 0 else "out")
    if flow.sort is FlowSort.TRANSFER or flow.kind is RecordKind.TRANSFER:
        return "Moved " + ("from" if amount > 0 else "to") + " accounts that are not counted, cards among them"
    return _LABELS.get((flow.kind, amount > 0), "Other movements")


def _name(one: _Move, names: dict[RecordKey, str | None]) -> str:
    flow, label = one.flow, _label(one)
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
