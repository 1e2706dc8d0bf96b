"""Double entry: what records moved on the accounts of the balance sheet.

A rail shows the balance of an account as it is now. Taking back what later records moved tells what it was before.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from runway_core.domain.bills import Bill, BillPayment, VendorCredit
from runway_core.domain.books import Books
from runway_core.domain.documents import LineKind
from runway_core.domain.invoices import CreditMemo, CustomerPayment, Invoice
from runway_core.domain.ledger import AccountKind, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.money import ZERO

Entry = (
    Bill
    | VendorCredit
    | BillPayment
    | Invoice
    | CreditMemo
    | CustomerPayment
    | Purchase
    | Deposit
    | Transfer
    | JournalEntry
)
"""A record that moves money between accounts."""

ENTRY_FIELDS = frozenset(
    {
        "bill_payments",
        "bills",
        "credit_memos",
        "customer_payments",
        "deposits",
        "invoices",
        "journal_entries",
        "purchases",
        "transfers",
        "vendor_credits",
    }
)
"""The fields of `Books` that hold such records."""

POSTING_READS = ENTRY_FIELDS | {"chart"}
"""The fields of `Books` that postings are read from."""

Posting = tuple[str | None, Decimal, str, Entry]
"""An account's id, what moved on it (debit positive), in which currency, and the record that moved it."""

_NO_BALANCE = frozenset(
    {
        AccountKind.INCOME,
        AccountKind.OTHER_INCOME,
        AccountKind.COST_OF_GOODS_SOLD,
        AccountKind.EXPENSE,
        AccountKind.OTHER_EXPENSE,
        AccountKind.UNKNOWN,
    }
)
"""Accounts whose balance ledgers show as nil, or whose side nobody knows."""


def sum_postings(books: Books) -> dict[str, Decimal]:
    """What the records of `books` moved on each account of the balance sheet, debit positive, in its own currency.

    Where a document does not name its control account, the only one of its kind stands in. Movements in another
    currency than the account's are left out, and so are items, whose accounts the ledger keeps to itself.
    """
    sums: dict[str, Decimal] = {}
    for read in _PARTS:
        for account_id, posted in books.derive(read).items():
            sums[account_id] = sum((amount for amount, _ in posted), sums.get(account_id, ZERO))
    return sums


def read_postings(books: Books, account_ids: Iterable[str]) -> Iterator[tuple[str, Decimal, Entry]]:
    """What each record moved on some accounts of the balance sheet, in their own currency, in no particular order.

    The same holds as for `sum_postings`.
    """
    for account_id in account_ids:
        for read in _PARTS:
            for amount, record in books.derive(read).get(account_id, ()):
                yield account_id, amount, record


def _find_only(books: Books) -> dict[AccountKind, str]:
    """Kinds of which there is exactly one account, with its id."""
    found: dict[AccountKind, list[str]] = {}
    for account in books.chart:
        if account.account_kind not in _NO_BALANCE:
            found.setdefault(account.account_kind, []).append(account.external_id)
    return {kind: ids[0] for kind, ids in found.items() if len(ids) == 1}


def _find_currencies(books: Books) -> dict[str, str]:
    """The currency of each account that has a balance."""
    pairs = tuple((a.external_id, a.currency) for a in books.chart if a.account_kind not in _NO_BALANCE)
    return books.derive_each(dict, {"": (pairs,)})[""]  # the same while only balances change


def _by_account(currencies: Mapping[str, str], postings: Iterable[Posting]) -> dict[str, list[tuple[Decimal, Entry]]]:
    """Postings by account, those that move nothing and those in another currency left out."""
    found: dict[str, list[tuple[Decimal, Entry]]] = {account_id: [] for account_id in currencies}
    for account_id, amount, currency, record in postings:
        if amount and account_id is not None and currencies.get(account_id) == currency:
            found[account_id].append((amount, record))
    return {account_id: posted for account_id, posted in found.items() if posted}


def _read_bought(books: Books) -> dict[str, list[tuple[Decimal, Entry]]]:
    held, payable = books.derive(_find_currencies), _find_only(books).get(AccountKind.ACCOUNTS_PAYABLE)
    groups: dict[str | None, tuple[Bill, ...]] = dict(books.bills_by_vendor.items())
    groups[None] = tuple(bill for bill in books.bills if bill.vendor_id is None)
    given = {vendor_id: (bills, payable, held) for vendor_id, bills in groups.items()}
    found: dict[str, list[tuple[Decimal, Entry]]] = {}
    for posted in books.derive_each(_read_bills, given).values():
        for account_id, postings in posted.items():
            found.setdefault(account_id, []).extend(postings)
    return found


def _read_settled(books: Books) -> dict[str, list[tuple[Decimal, Entry]]]:
    held, payable = books.derive(_find_currencies), _find_only(books).get(AccountKind.ACCOUNTS_PAYABLE)
    return _by_account(held, _post_settled(books, payable, held=held))


def _read_bills(
    bills: Iterable[Bill], payable: str | None, held: Mapping[str, str]
) -> dict[str, list[tuple[Decimal, Entry]]]:
    return _by_account(held, _post_bills(bills, payable, held=held))


def _read_sold(books: Books) -> dict[str, list[tuple[Decimal, Entry]]]:
    return _by_account(books.derive(_find_currencies), _post_sold(books, _find_only(books)))


def _read_direct(books: Books) -> dict[str, list[tuple[Decimal, Entry]]]:
    held, undeposited = books.derive(_find_currencies), _find_only(books).get(AccountKind.UNDEPOSITED_FUNDS)
    return _by_account(held, _post_direct(books, undeposited, held=held))


_PARTS = (_read_bought, _read_settled, _read_sold, _read_direct)
"""Each is read again only when its own kinds of record changed."""


def _post_bills(bills: Iterable[Bill], payable: str | None, *, held: Container[str | None]) -> Iterator[Posting]:
    for bill in bills:
        yield bill.payable_account_id or payable, -bill.total, bill.currency, bill
        yield from _lines(bill, 1, held=held)


def _post_settled(books: Books, payable: str | None, *, held: Container[str | None]) -> Iterator[Posting]:
    for credit in books.vendor_credits:
        yield credit.payable_account_id or payable, credit.total, credit.currency, credit
        yield from _lines(credit, -1, held=held)
    for payment in books.bill_payments:
        if not payment.is_void:
            yield payment.account_id, -payment.total, payment.currency, payment
            yield payable, payment.total, payment.currency, payment


def _post_sold(books: Books, only: Mapping[AccountKind, str]) -> Iterator[Posting]:
    receivable, tax = only.get(AccountKind.ACCOUNTS_RECEIVABLE), only.get(AccountKind.SALES_TAX_PAYABLE)
    undeposited = only.get(AccountKind.UNDEPOSITED_FUNDS)
    for invoice in books.invoices:
        if not invoice.is_void:
            yield receivable, invoice.total, invoice.currency, invoice
            yield tax, -(invoice.tax or ZERO), invoice.currency, invoice
    for memo in books.credit_memos:
        if not memo.is_void:
            yield receivable, -memo.total, memo.currency, memo
    for payment in books.customer_payments:
        if not payment.is_void:
            yield payment.account_id or undeposited, payment.total, payment.currency, payment
            yield receivable, -payment.total, payment.currency, payment


def _post_direct(books: Books, undeposited: str | None, *, held: Container[str | None]) -> Iterator[Posting]:
    for purchase in books.purchases:
        if not purchase.is_void:
            sign = -1 if purchase.is_refund else 1
            yield purchase.account_id, -sign * purchase.total, purchase.currency, purchase
            yield from _lines(purchase, sign, held=held)
    for deposit in books.deposits:
        yield deposit.account_id, deposit.total, deposit.currency, deposit
        yield from _lines(deposit, -1, held=held)
        yield undeposited, -_taken_from_undeposited(deposit), deposit.currency, deposit
    for transfer in books.transfers:
        yield transfer.from_account_id, -transfer.total, transfer.currency, transfer
        yield transfer.to_account_id, transfer.total, transfer.currency, transfer
    for entry in books.journal_entries:
        for line in entry.lines:
            if line.line_kind in (LineKind.DEBIT, LineKind.CREDIT):
                sign = 1 if line.line_kind is LineKind.DEBIT else -1
                yield line.account_id, sign * line.amount, entry.currency, entry


def _lines(
    record: Bill | VendorCredit | Purchase | Deposit, sign: int, *, held: Container[str | None]
) -> Sequence[Posting]:
    """What its lines move on accounts that have a balance, which is nothing for by far the most."""
    return [
        (line.account_id, sign * line.amount, record.currency, record)
        for line in record.lines
        if line.account_id in held and line.line_kind is not LineKind.SUBTOTAL
    ]


def _taken_from_undeposited(deposit: Deposit) -> Decimal:
    """The part of a deposit that customer payments brought: what none of its lines books elsewhere."""
    if not deposit.links:
        return ZERO
    booked = sum((line.amount for line in deposit.lines if line.account_id is not None), ZERO)
    return deposit.total + (deposit.cash_back or ZERO) - booked
