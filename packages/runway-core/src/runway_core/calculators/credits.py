"""Credits and payments on account: they reduce the same party's open documents, oldest due first, never below nil."""

from collections.abc import Container, Iterable, Iterator, Mapping
from decimal import Decimal

from runway_core.domain.bills import BillPayment, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind
from runway_core.domain.money import ZERO

PartyCurrency = tuple[str | None, str]

_ALL = Decimal(10**14)
"""What a link used of a credit when nobody says how much: all of it, as far as anyone can tell."""

VendorCreditLeft = tuple[VendorCredit | BillPayment, Decimal]
"""A vendor credit or a payment on account, with what is left of it."""


def apply_credits(
    documents: Iterable[tuple[PartyCurrency, Decimal]], credits_left: Mapping[PartyCurrency, Decimal]
) -> list[Decimal]:
    """What stays open of each document after its party's credits, in the order given (oldest due first)."""
    left = dict(credits_left)
    rest: list[Decimal] = []
    for party, balance in documents:
        used = min(left.get(party, ZERO), balance)
        if used > 0:
            left[party] -= used
        rest.append(balance - max(used, ZERO))
    return rest


def find_vendor_credits(books: Books) -> dict[PartyCurrency, Decimal]:
    """Open vendor credits and payments on account, by vendor and currency; positive."""
    found: dict[PartyCurrency, Decimal] = {}
    for record, amount in list_vendor_credits(books):
        _add(found, (record.vendor_id, record.currency), amount)
    return found


def list_vendor_credits(books: Books) -> Iterator[VendorCreditLeft]:
    """The same one by one: vendor credits, then payments on account. Reads vendor credits and bill payments."""
    yield from books.derive(find_open_credits)
    yield from books.derive(find_unapplied_payments)


def find_open_credits(books: Books) -> tuple[tuple[VendorCredit, Decimal], ...]:
    """Vendor credits with what is left of them, where something is. Reads vendor credits and bill payments.

    Books hold old credits whose rest the rail does not tell, but not the old payments that used them.
    """
    used = _sum_used_credits(books) if any(c.open_balance is None for c in books.vendor_credits) else {}
    amounts = ((credit, _open_credit(credit, used)) for credit in books.vendor_credits)
    return tuple((credit, amount) for credit, amount in amounts if amount > 0)


def find_unapplied_payments(books: Books) -> tuple[tuple[BillPayment, Decimal], ...]:
    """Bill payments that are not void with the part that pays no bill, where there is one. Reads bill payments."""
    return tuple(
        (payment, amount)
        for payment in books.derive(_list_manifold)
        if payment.total and not payment.is_void and (amount := unapplied_of(payment)) > 0
    )


def _list_manifold(books: Books) -> tuple[BillPayment, ...]:
    """Bill payments that do more than most, which pay one bill with all that left: of those nothing is to be told."""
    payments = books.bill_payment_columns
    return tuple(
        books.bill_payments[place]
        for place, (links, total) in enumerate(zip(payments.applied, payments.total, strict=True))
        if len(links) != 1 or links[0].amount != total or links[0].kind is not RecordKind.BILL
    )


def find_customer_credits(books: Books) -> dict[PartyCurrency, Decimal]:
    """Open credit memos and payments on account, by customer and currency; positive."""
    found: dict[PartyCurrency, Decimal] = {}
    for memo in books.credit_memos:
        if not memo.is_void:
            _add(found, (memo.customer_id, memo.currency), memo.open_balance)
    for place, is_applied in enumerate(books.customer_payment_columns.is_applied):
        payment = None if is_applied else books.customer_payments[place]
        if payment is not None and not payment.is_void:
            _add(found, (payment.customer_id, payment.currency), payment.unapplied)
    return found


def unapplied_of(payment: BillPayment) -> Decimal:
    """The part of a bill payment that pays no bill; nil where the rail does not say what was applied."""
    rest = payment.total
    for link in payment.applied:
        if link.amount is None:
            return ZERO
        if link.kind is RecordKind.VENDOR_CREDIT:
            rest += link.amount
        else:
            rest -= link.amount
    return max(rest, ZERO)


def _add(sums: dict[PartyCurrency, Decimal], party: PartyCurrency, amount: Decimal) -> None:
    if amount > 0 and party[0] is not None:
        sums[party] = sums.get(party, ZERO) + amount


def _open_credit(credit: VendorCredit, used: Mapping[str, Decimal]) -> Decimal:
    if credit.open_balance is not None:
        return credit.open_balance
    return credit.total - used.get(credit.external_id, ZERO)


def _sum_used_credits(books: Books) -> dict[str, Decimal]:
    """What bill payments used of each vendor credit: the open rest where the rail does not tell it."""
    used: dict[str, Decimal] = {}
    for payment in books.derive(_list_manifold):
        for link in () if payment.is_void else payment.applied:
            if link.kind is RecordKind.VENDOR_CREDIT:
                amount = link.amount if link.amount is not None else _ALL
                used[link.external_id] = used.get(link.external_id, ZERO) + amount
    old = [credit for credit in books.vendor_credits if credit.document_date < books.history_from]
    if old:
        held = set(books.bill_payment_columns.external_id)
        used.update((credit.external_id, _ALL) for credit in old if _is_used_by_another(credit, held))
    return used


def _is_used_by_another(credit: VendorCredit, held: Container[str]) -> bool:
    """Whether a payment used it that is not among those held."""
    return any(link.kind is RecordKind.BILL_PAYMENT and link.external_id not in held for link in credit.links)
