"""Money that left a deposit account, and to whom: what series are found among and fulfilled by.

The counterparty is whom the ledger names. Where it names nobody, wages, card and loan payments are told by the account
on the other side, so that a payroll booked by journal entry comes round like any other.
"""

import re
from collections.abc import Container, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.flows import find_cash_account_ids
from runway_core.domain.bills import BillPayment
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind, JournalEntry, Purchase, Transfer
from runway_core.domain.money import ZERO

_WAGE_WORDS = re.compile(r"\b(payrolls?|wages?|salary|salaries)\b(?!.*\btax)", re.IGNORECASE)
_WAGE_KINDS = frozenset({AccountKind.EXPENSE, AccountKind.OTHER_EXPENSE, AccountKind.COST_OF_GOODS_SOLD})
_NO_SERIES = frozenset({AccountKind.BANK, AccountKind.UNDEPOSITED_FUNDS, AccountKind.EQUITY, AccountKind.FIXED_ASSET})
"""Accounts on the other side of which nothing comes round: own money, what owners take, equipment."""


class Outflow(NamedTuple):
    """One payment out of a deposit account."""

    party: RecordKey  # a vendor, customer or employee; else the account on the other side
    on: date
    amount: Decimal  # positive, in `currency`
    currency: str
    kind: RecordKind
    external_id: str
    pays_bills: bool
    record: BillPayment | Purchase | Transfer | JournalEntry


def find_wage_account_ids(books: Books) -> frozenset[str]:
    """Expense accounts that wages are booked to, by their name; payroll taxes are none."""
    return frozenset(
        account.external_id
        for account in books.chart
        if account.account_kind in _WAGE_KINDS and _WAGE_WORDS.search(account.name) is not None
    )


def find_card_account_ids(books: Books) -> frozenset[str]:
    """Credit cards."""
    return frozenset(a.external_id for a in books.chart if a.account_kind is AccountKind.CREDIT_CARD)


def read_outflows(books: Books) -> tuple[Outflow, ...]:
    """Every payment out of deposit accounts whose counterparty can be told, entries dated ahead included."""
    return (*read_unbilled(books), *read_billed(books, set(books.bill_payment_columns.vendor_id)))


def read_unbilled(books: Books) -> tuple[Outflow, ...]:
    """Those of them that settle no bill."""
    return books.derive(_compute_unbilled)


def read_billed(books: Books, vendor_ids: Container[str | None]) -> Iterator[Outflow]:
    """Those that settle bills of these vendors."""
    payments = books.bill_payment_columns
    named = (place for place, vendor_id in enumerate(payments.vendor_id) if vendor_id in vendor_ids)
    return _read_bill_payments(books, (place for place in named if payments.applied[place]))


def _compute_unbilled(books: Books) -> tuple[Outflow, ...]:
    return tuple(_read_unbilled(books))


def _read_bill_payments(books: Books, places: Iterable[int]) -> Iterator[Outflow]:
    cash = find_cash_account_ids(books)
    for place in places:
        payment = books.bill_payments[place]
        if payment.account_id in cash and payment.vendor_id is not None and payment.total > 0 and not payment.is_void:
            party = RecordKey(RecordKind.VENDOR, payment.vendor_id)
            yield _outflow(party, payment, payment.total, pays_bills=bool(payment.applied))


def _read_unbilled(books: Books) -> Iterator[Outflow]:
    cash, applied = find_cash_account_ids(books), books.bill_payment_columns.applied
    yield from _read_bill_payments(books, (place for place, links in enumerate(applied) if not links))
    wages = find_wage_account_ids(books)
    for purchase in books.purchases:
        if purchase.account_id in cash and purchase.total > 0 and not (purchase.is_void or purchase.is_refund):
            payee = _find_payee(purchase, wages)
            if payee is not None:
                yield _outflow(payee, purchase, purchase.total)
    others = {a.external_id for a in books.chart if a.account_kind not in _NO_SERIES}
    for transfer in books.transfers:
        if transfer.from_account_id in cash and transfer.to_account_id in others and transfer.total > 0:
            party = RecordKey(RecordKind.ACCOUNT, transfer.to_account_id or "")
            yield _outflow(party, transfer, transfer.total)
    for entry in books.journal_entries:
        paid = _sum_legs(entry.lines, cash)
        account_id = _find_main_account(entry.lines, others) if paid > 0 else None
        if account_id is not None:
            party = RecordKey(RecordKind.ACCOUNT, account_id)
            yield _outflow(party, entry, paid)


def _outflow(
    party: RecordKey,
    record: BillPayment | Purchase | Transfer | JournalEntry,
    paid: Decimal,
    *,
    pays_bills: bool = False,
) -> Outflow:
    on, currency = record.document_date, record.currency
    return Outflow(party, on, paid, currency, record.kind, record.external_id, pays_bills, record)


def is_for_wages(outflow: Outflow, wage_account_ids: frozenset[str]) -> bool:
    """Whether a payment is payroll: it goes to an account for wages, or mostly stands on such lines."""
    if outflow.party.kind is RecordKind.ACCOUNT:
        return outflow.party.external_id in wage_account_ids
    if not isinstance(outflow.record, Purchase):
        return False
    return any(line.account_id in wage_account_ids for line in outflow.record.lines)


def _find_payee(purchase: Purchase, wages: frozenset[str]) -> RecordKey | None:
    if purchase.payee_id is not None and purchase.payee_kind is not None:
        return RecordKey(purchase.payee_kind, purchase.payee_id)
    for line in purchase.lines:
        if line.account_id in wages and line.account_id is not None:
            return RecordKey(RecordKind.ACCOUNT, line.account_id)
    return None


def _sum_legs(lines: Iterable[DocumentLine], cash: frozenset[str]) -> Decimal:
    """What an entry takes out of deposit accounts, positive."""
    paid = ZERO
    for line in lines:
        if line.account_id in cash:
            if line.line_kind is LineKind.CREDIT:
                paid += line.amount
            elif line.line_kind is LineKind.DEBIT:
                paid -= line.amount
    return paid


def _find_main_account(lines: Iterable[DocumentLine], others: set[str]) -> str | None:
    """The account that most of an entry is booked to."""
    debits = [
        (line.amount, line.account_id)
        for line in lines
        if line.line_kind is LineKind.DEBIT and line.account_id in others and line.account_id is not None
    ]
    return max(debits)[1] if debits else None
