"""Movements of cash that already happened or are already written down: at the bank, or in the ledger.

Each is one leg on one deposit account. Transfers between own accounts and financing are told apart, because burn leaves
them out while balances do not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from runway_core.calculators.exchange import HomeRates
from runway_core.domain.books import Books
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey
from runway_core.domain.ledger import AccountKind, Deposit, JournalEntry, Purchase, Transfer
from runway_core.domain.money import ZERO


class FlowSort(Enum):
    """What a movement is for burn."""

    OPERATING = "operating"
    TRANSFER = "transfer"  # between own accounts
    FINANCING = "financing"  # loans, owner's money, equipment


class Flow(NamedTuple):
    """One leg on one deposit account; positive when money came in."""

    on: date
    account_id: str
    amount: Decimal  # in `currency`
    currency: str
    home: Decimal | None  # None: no exchange rate
    sort: FlowSort
    key: RecordKey | None  # None for a line at the bank
    is_check: bool = False


@dataclass(frozen=True, slots=True)
class Flows:
    """All movements of a company's deposit accounts: as the ledger has them, and as the bank shows them (posted)."""

    ledger: tuple[Flow, ...]
    bank: tuple[Flow, ...]

    def past(self, as_of: date) -> list[Flow]:
        """What moved up to `as_of`: each account by its bank where the bank is read, else by the ledger."""
        at_bank = {flow.account_id for flow in self.bank}
        found = [flow for flow in self.bank if flow.on <= as_of]
        found += [flow for flow in self.ledger if flow.account_id not in at_bank and flow.on <= as_of]
        return found


FINANCING_KINDS = frozenset({AccountKind.LONG_TERM_LIABILITY, AccountKind.EQUITY, AccountKind.FIXED_ASSET})


def find_cash_account_ids(books: Books) -> frozenset[str]:
    """Deposit accounts that count: bank accounts the settings do not exclude (trust, escrow, payroll tax)."""
    excluded = books.company.settings.excluded_account_ids
    return frozenset(
        account.external_id
        for account in books.accounts
        if account.account_kind is AccountKind.BANK and account.external_id not in excluded
    )


def read_flows(books: Books) -> Flows:
    """Every movement of the deposit accounts, in no particular order."""
    reader = _LedgerReader(books)
    return Flows(ledger=tuple(reader.read(books)), bank=tuple(_read_bank(books, reader)))


def _read_bank(books: Books, reader: "_LedgerReader") -> Iterator[Flow]:
    for line in books.bank_transactions:
        if line.is_pending or line.account_id not in reader.cash:
            continue
        sort = FlowSort.OPERATING
        if line.is_transfer:
            sort = FlowSort.TRANSFER
        elif line.is_financing:
            sort = FlowSort.FINANCING
        home = reader.rates.convert(line.amount, line.currency)
        yield Flow(line.booked_on, line.account_id, line.amount, line.currency, home, sort, None)


class _LedgerReader:
    """Turns ledger records into legs."""

    def __init__(self, books: Books) -> None:
        self.cash = find_cash_account_ids(books)
        self.rates = HomeRates.of(books)
        self._special: dict[str, FlowSort] = {}  # accounts on the other side that are no operating flow
        for account in books.accounts:
            if account.account_kind is AccountKind.BANK:
                self._special[account.external_id] = FlowSort.TRANSFER
            elif account.account_kind in FINANCING_KINDS:
                self._special[account.external_id] = FlowSort.FINANCING
        self._cards = {a.external_id for a in books.accounts if a.account_kind is AccountKind.CREDIT_CARD}

    def read(self, books: Books) -> Iterator[Flow]:
        yield from self._payments(books)
        for purchase in books.purchases:
            if not purchase.is_void and purchase.account_id in self.cash:
                yield from self._purchase(purchase)
        for deposit in books.deposits:
            if deposit.account_id in self.cash:
                yield from self._deposit(deposit)
        for transfer in books.transfers:
            yield from self._transfer(transfer)
        for entry in books.journal_entries:
            yield from self._entry(entry)

    def _payments(self, books: Books) -> Iterator[Flow]:
        cash, convert, operating = self.cash, self.rates.convert, FlowSort.OPERATING
        for paid in books.bill_payments:
            account_id = paid.account_id
            if account_id in cash and account_id is not None and paid.total and not paid.is_void:
                out = -paid.total
                currency = paid.currency
                is_check = paid.method == "check"
                yield Flow(
                    paid.document_date,
                    account_id,
                    out,
                    currency,
                    convert(out, currency),
                    operating,
                    paid.key,
                    is_check,
                )
        for received in books.customer_payments:
            account_id = received.account_id
            if account_id in cash and account_id is not None and received.total and not received.is_void:
                total, currency = received.total, received.currency
                home = convert(total, currency)
                yield Flow(received.document_date, account_id, total, currency, home, operating, received.key)

    def _split(
        self, record: Purchase | Deposit, sign: int, *, account_id: str, is_check: bool = False
    ) -> Iterator[Flow]:
        sums = _sum_special(record.lines, self._special)
        rest = record.total - sum(sums.values(), ZERO)
        for sort, amount in ((FlowSort.OPERATING, rest), *sums.items()):
            if amount:
                signed = sign * amount
                home = self.rates.convert(signed, record.currency)
                yield Flow(record.document_date, account_id, signed, record.currency, home, sort, record.key, is_check)

    def _purchase(self, purchase: Purchase) -> Iterator[Flow]:
        sign = 1 if purchase.is_refund else -1
        is_check = purchase.method == "check"
        return self._split(purchase, sign, account_id=purchase.account_id or "", is_check=is_check)

    def _deposit(self, deposit: Deposit) -> Iterator[Flow]:
        return self._split(deposit, 1, account_id=deposit.account_id or "")

    def _transfer(self, transfer: Transfer) -> Iterator[Flow]:
        for own, other, sign in (
            (transfer.from_account_id, transfer.to_account_id, -1),
            (transfer.to_account_id, transfer.from_account_id, 1),
        ):
            if own is None or own not in self.cash or not transfer.total:
                continue
            sort = self._special.get(other or "", FlowSort.OPERATING)
            if sign > 0 and other in self._cards:
                sort = FlowSort.FINANCING  # cash drawn on a card is borrowed
            amount = sign * transfer.total
            home = self.rates.convert(amount, transfer.currency)
            yield Flow(transfer.document_date, own, amount, transfer.currency, home, sort, transfer.key)

    def _entry(self, entry: JournalEntry) -> Iterator[Flow]:
        legs: dict[str, Decimal] = {}
        operating = financing = ZERO
        for line in entry.lines:
            amount = _signed(line)
            account_id = line.account_id or ""
            if account_id in self.cash:
                legs[account_id] = legs.get(account_id, ZERO) + amount
            else:
                sort = self._special.get(account_id, FlowSort.OPERATING)
                operating -= amount if sort is FlowSort.OPERATING else ZERO
                financing -= amount if sort is FlowSort.FINANCING else ZERO
        if not legs:
            return
        # What is no transfer is carried by the largest leg; the rest of the legs are money moved between own accounts.
        main = max(legs, key=lambda account_id: (abs(legs[account_id]), account_id))
        moved = dict(legs)
        moved[main] -= operating + financing
        parts = [(main, operating, FlowSort.OPERATING), (main, financing, FlowSort.FINANCING)]
        parts += [(account_id, amount, FlowSort.TRANSFER) for account_id, amount in moved.items()]
        for account_id, amount, sort in parts:
            if amount:
                home = self.rates.convert(amount, entry.currency)
                yield Flow(entry.document_date, account_id, amount, entry.currency, home, sort, entry.key)


def _signed(line: DocumentLine) -> Decimal:
    if line.line_kind is LineKind.DEBIT:
        return line.amount
    return -line.amount if line.line_kind is LineKind.CREDIT else ZERO


def _sum_special(lines: Iterable[DocumentLine], special: Mapping[str, FlowSort]) -> dict[FlowSort, Decimal]:
    sums: dict[FlowSort, Decimal] = {}
    for line in lines:
        sort = special.get(line.account_id) if line.account_id is not None else None
        if sort is not None and line.line_kind is not LineKind.SUBTOTAL:
            sums[sort] = sums.get(sort, ZERO) + line.amount
    return sums
