"""Receipts that stand in the books twice: once waiting in undeposited funds, once deposited as income."""

from collections.abc import Iterable, Sequence

from runway_core.calculators.matching.money_sides import MoneyMovement
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.invoices import CustomerPayment

DOUBLE_DAYS = 10


def pair_double_receipts(
    waiting: Iterable[CustomerPayment], receipts: Iterable[MoneyMovement]
) -> list[tuple[CustomerPayment, MoneyMovement]]:
    """Payments and deposits of one amount and currency at most ten days apart, each once, the earliest first.

    A deposit that names its customer goes before one that names nobody; one that names somebody else never pairs.
    """
    left = sorted(waiting, key=lambda payment: (payment.document_date, payment.external_id))
    if not left:
        return []
    named: dict[tuple[object, ...], list[MoneyMovement]] = {}
    unnamed: dict[tuple[object, ...], list[MoneyMovement]] = {}
    for receipt in sorted(receipts, key=lambda receipt: (receipt.day, receipt.key)):
        amount = (receipt.amount, receipt.currency)
        if receipt.party is None:
            unnamed.setdefault(amount, []).append(receipt)
        else:
            named.setdefault((*amount, receipt.party), []).append(receipt)
    pairs = _pair(left, named, is_named=True)
    paired = {payment.external_id for payment, _ in pairs}
    return pairs + _pair([p for p in left if p.external_id not in paired], unnamed, is_named=False)


def _pair(
    payments: Sequence[CustomerPayment], shelves: dict[tuple[object, ...], list[MoneyMovement]], *, is_named: bool
) -> list[tuple[CustomerPayment, MoneyMovement]]:
    """Pair in the order of days; on each shelf what was passed by is too old for every later payment."""
    place = dict.fromkeys(shelves, 0)
    pairs = []
    for payment in payments:
        customer = None if payment.customer_id is None else RecordKey(RecordKind.CUSTOMER, payment.customer_id)
        key = (payment.total, payment.currency, customer) if is_named else (payment.total, payment.currency)
        shelf = shelves.get(key)
        if shelf is None:
            continue
        while place[key] < len(shelf) and (payment.document_date - shelf[place[key]].day).days > DOUBLE_DAYS:
            place[key] += 1
        if place[key] < len(shelf) and (shelf[place[key]].day - payment.document_date).days <= DOUBLE_DAYS:
            pairs.append((payment, shelf[place[key]]))
            place[key] += 1
    return pairs
