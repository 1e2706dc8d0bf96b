"""What the ledger says moved on accounts that a bank keeps: one leg for each record and account."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.ledger import AccountKind, Deposit
from runway_core.domain.money import ZERO

BANK_KINDS = frozenset({AccountKind.BANK, AccountKind.CREDIT_CARD})


class LedgerLeg(NamedTuple):
    """What one record moved on one account; positive when money came in."""

    record: RecordKey
    account_id: str
    day: date
    amount: Decimal
    currency: str
    is_cheque: bool = False
    party: RecordKey | None = None
    number: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Unique among the legs of one company: a transfer has two."""
        return f"{self.record.kind.value}@{self.account_id}", self.record.external_id


def read_ledger_legs(books: Books) -> tuple[LedgerLeg, ...]:
    """Every leg that is not nil on a bank or card account, void records left out, in no particular order."""
    return books.derive(_compute)


def _compute(books: Books) -> tuple[LedgerLeg, ...]:
    kept = {account.external_id for account in books.chart if account.account_kind in BANK_KINDS}
    return tuple(leg for leg in _read_all(books) if leg.account_id in kept and leg.amount)


def _read_all(books: Books) -> Iterator[LedgerLeg]:
    yield from _read_payments(books)
    yield from _read_direct(books)
    for transfer in books.transfers:
        for account_id, sign in ((transfer.from_account_id, -1), (transfer.to_account_id, 1)):
            if account_id is not None and transfer.from_account_id != transfer.to_account_id:
                amount = sign * transfer.total
                yield LedgerLeg(transfer.key, account_id, transfer.document_date, amount, transfer.currency)
    for entry in books.journal_entries:
        sums: dict[str, Decimal] = {}
        for line in entry.lines:
            if line.account_id is not None:
                sums[line.account_id] = sums.get(line.account_id, ZERO) + _signed(line)
        for account_id, amount in sums.items():
            yield LedgerLeg(entry.key, account_id, entry.document_date, amount, entry.currency, number=entry.number)


def _read_payments(books: Books) -> Iterator[LedgerLeg]:
    for paid in books.bill_payments:
        if paid.account_id is not None and not paid.is_void:
            yield LedgerLeg(
                paid.key,
                paid.account_id,
                paid.document_date,
                -paid.total,
                paid.currency,
                is_cheque=paid.method is PaymentMethod.CHECK,
                party=_key_of(RecordKind.VENDOR, paid.vendor_id),
                number=paid.number,
            )
    for received in books.customer_payments:
        if received.account_id is not None and not received.is_void:
            yield LedgerLeg(
                received.key,
                received.account_id,
                received.document_date,
                received.total,
                received.currency,
                party=_key_of(RecordKind.CUSTOMER, received.customer_id),
                number=received.number,
            )


def _read_direct(books: Books) -> Iterator[LedgerLeg]:
    for purchase in books.purchases:
        if purchase.account_id is not None and not purchase.is_void:
            yield LedgerLeg(
                purchase.key,
                purchase.account_id,
                purchase.document_date,
                purchase.total if purchase.is_refund else -purchase.total,
                purchase.currency,
                is_cheque=purchase.method is PaymentMethod.CHECK,
                party=_key_of(purchase.payee_kind, purchase.payee_id),
                number=purchase.number,
            )
    for deposit in books.deposits:
        if deposit.account_id is not None:
            on, party = deposit.document_date, _party_of(deposit)
            yield LedgerLeg(deposit.key, deposit.account_id, on, deposit.total, deposit.currency, party=party)


def _party_of(deposit: Deposit) -> RecordKey | None:
    """Whom a deposit came from, if its lines name one and it took no payments of others."""
    named = {_key_of(line.party_kind, line.party_id) for line in deposit.lines} - {None}
    return named.pop() if len(named) == 1 and not deposit.links else None


def _key_of(kind: RecordKind | None, external_id: str | None) -> RecordKey | None:
    return None if kind is None or external_id is None else RecordKey(kind, external_id)


def _signed(line: DocumentLine) -> Decimal:
    if line.line_kind is LineKind.DEBIT:
        return line.amount
    return -line.amount if line.line_kind is LineKind.CREDIT else ZERO
