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

from runway_core.calculators.calendar import add_days, months_before
from runway_core.calculators.exchange import HomeRates
from runway_core.calculators.history import FULL_MONTHS
from runway_core.domain.books import Books
from runway_core.domain.columns import BillPaymentColumns, CustomerPaymentColumns
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.identity import RecordKey, RecordKind
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
    kind: RecordKind | None = None  # None for a line at the bank
    external_id: str = ""

    @property
    def key(self) -> RecordKey | None:
        """The ledger record behind it; `None` for a line at the bank."""
        return None if self.kind is None else RecordKey(self.kind, self.external_id)


@dataclass(frozen=True, slots=True)
class Flows:
    """Movements of a company's deposit accounts: as the ledger has them, and as the bank shows them (posted).

    Older ones than any figure looks at are left away; `began` tells when the oldest of all happened.
    """

    ledger: tuple[Flow, ...]
    bank: tuple[Flow, ...]
    bank_account_ids: frozenset[str]  # read at the bank
    began: date | None

    def past(self, as_of: date) -> list[Flow]:
        """What moved up to `as_of`: each account by its bank where the bank is read, else by the ledger."""
        at_bank = self.bank_account_ids
        found = [flow for flow in self.bank if flow.on <= as_of]
        found += [flow for flow in self.ledger if flow.on <= as_of and flow.account_id not in at_bank]
        return found


FINANCING_KINDS = frozenset({AccountKind.LONG_TERM_LIABILITY, AccountKind.EQUITY, AccountKind.FIXED_ASSET})


def find_cash_account_ids(books: Books) -> frozenset[str]:
    """Deposit accounts that count: bank accounts the settings do not exclude (trust, escrow, payroll tax)."""
    excluded = books.company.settings.excluded_account_ids
    return frozenset(
        account.external_id
        for account in books.chart
        if account.account_kind is AccountKind.BANK and account.external_id not in excluded
    )


def read_flows(books: Books, *, since: date | None = None) -> Flows:
    """The movements of the deposit accounts that figures look at, in no particular order.

    `since` asks for those from that day on instead.
    """
    return books.derive(_read_recent) if since is None else _read_since(books, since)


def read_deposits(books: Books, *, since: date) -> Iterator[Flow]:
    """What deposits brought to the deposit accounts from a day on, in no particular order."""
    return _FlowReader(books, since).read_deposits(books)


def _read_recent(books: Books) -> Flows:
    looked_at = min(
        months_before(books.as_of, FULL_MONTHS)[0],
        add_days(books.as_of, -books.company.settings.ledger_outflow_days),
    )
    return _read_since(books, looked_at)


def _read_since(books: Books, since: date) -> Flows:
    reader = _FlowReader(books, since)
    ledger = tuple(reader.read_ledger(books))
    by_ledger = dict(reader.began)
    reader.began.clear()
    bank = tuple(reader.read_bank(books))
    by_account = {**by_ledger, **reader.began}
    return Flows(
        ledger=ledger,
        bank=bank,
        bank_account_ids=frozenset(reader.began),
        began=min((on for on in by_account.values() if on <= books.as_of), default=None),
    )


class _FlowReader:
    """Turns ledger records and bank lines into legs, and notes when each account first moved."""

    def __init__(self, books: Books, since: date) -> None:
        self.cash = find_cash_account_ids(books)
        self.began: dict[str, date] = {}
        self._since = since
        self._rates = HomeRates.of(books)
        self._special: dict[str, FlowSort] = {}  # accounts on the other side that are no operating flow
        for account in books.chart:
            if account.account_kind is AccountKind.BANK:
                self._special[account.external_id] = FlowSort.TRANSFER
            elif account.account_kind in FINANCING_KINDS:
                self._special[account.external_id] = FlowSort.FINANCING
        self._cards = {a.external_id for a in books.chart if a.account_kind is AccountKind.CREDIT_CARD}

    def read_bank(self, books: Books) -> Iterator[Flow]:
        for line in books.bank_transactions:
            if line.account_id not in self.cash or line.is_pending:
                continue
            if self._is_recent(line.booked_on, line.account_id):
                sort = FlowSort.OPERATING
                if line.is_transfer:
                    sort = FlowSort.TRANSFER
                elif line.is_financing:
                    sort = FlowSort.FINANCING
                home = self._rates.convert(line.amount, line.currency)
                yield Flow(line.booked_on, line.account_id, line.amount, line.currency, home, sort)

    def read_ledger(self, books: Books) -> Iterator[Flow]:
        yield from self._payments(books.bill_payment_columns, RecordKind.BILL_PAYMENT, sign=-1)
        yield from self._payments(books.customer_payment_columns, RecordKind.CUSTOMER_PAYMENT, sign=1)
        yield from self._direct(books.purchases)
        yield from self._direct(books.deposits)
        for transfer in books.transfers:
            yield from self._transfer(transfer)
        for entry in books.journal_entries:
            yield from self._entry(entry)

    def read_deposits(self, books: Books) -> Iterator[Flow]:
        yield from self._direct(books.deposits)

    def _is_recent(self, on: date, account_id: str) -> bool:
        """Whether a movement is looked at; either way it counts for when the account began to move."""
        began = self.began.get(account_id)
        if began is None or on < began:
            self.began[account_id] = on
        return on >= self._since

    def _payments(
        self, payments: BillPaymentColumns | CustomerPaymentColumns, kind: RecordKind, *, sign: int
    ) -> Iterator[Flow]:
        cash, since, began = self.cash, self._since.toordinal(), dict.fromkeys(self.cash, date.max.toordinal())
        walked = zip(payments.document_day, payments.account_id, payments.is_void, strict=True)
        for place, (day, account_id, is_void) in enumerate(walked):
            if account_id not in cash or account_id is None or is_void:
                continue
            is_first = day < began[account_id]
            if (day >= since or is_first) and (total := payments.total[place]):
                if is_first:
                    began[account_id] = day
                if day >= since:
                    on, amount, currency = date.fromordinal(day), sign * total, payments.currency[place]
                    home, external_id = self._rates.convert(amount, currency), payments.external_id[place]
                    yield Flow(on, account_id, amount, currency, home, FlowSort.OPERATING, kind, external_id)
        for account_id, day in began.items():
            if day < date.max.toordinal():
                self._is_recent(date.fromordinal(day), account_id)

    def _direct(self, records: Iterable[Purchase | Deposit]) -> Iterator[Flow]:
        """Purchases and deposits, split by what their lines stand for."""
        for record in records:
            account_id = record.account_id
            if account_id not in self.cash or account_id is None:
                continue
            sign = 1
            if isinstance(record, Purchase):
                if record.is_void:
                    continue
                sign = 1 if record.is_refund else -1
            on = record.document_date
            if not self._is_recent(on, account_id):
                continue
            sums = _sum_special(record.lines, self._special)
            rest = record.total - sum(sums.values(), ZERO)
            for sort, amount in ((FlowSort.OPERATING, rest), *sums.items()):
                if amount:
                    yield self._leg(record, account_id, sign * amount, sort=sort)

    def _transfer(self, transfer: Transfer) -> Iterator[Flow]:
        for own, other, sign in (
            (transfer.from_account_id, transfer.to_account_id, -1),
            (transfer.to_account_id, transfer.from_account_id, 1),
        ):
            if own is None or own not in self.cash or not transfer.total:
                continue
            if self._is_recent(transfer.document_date, own):
                sort = self._special.get(other or "", FlowSort.OPERATING)
                if sign > 0 and other in self._cards:
                    sort = FlowSort.FINANCING  # cash drawn on a card is borrowed
                yield self._leg(transfer, own, sign * transfer.total, sort=sort)

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
        recent = {self._is_recent(entry.document_date, account_id) for account_id in legs}
        if True not in recent:
            return
        # What is no transfer is carried by the largest leg; the rest of the legs are money moved between own accounts.
        main = max(legs, key=lambda account_id: (abs(legs[account_id]), account_id))
        moved = dict(legs)
        moved[main] -= operating + financing
        parts = [(main, operating, FlowSort.OPERATING), (main, financing, FlowSort.FINANCING)]
        parts += [(account_id, amount, FlowSort.TRANSFER) for account_id, amount in moved.items()]
        for account_id, amount, sort in parts:
            if amount:
                yield self._leg(entry, account_id, amount, sort=sort)

    def _leg(
        self, record: Purchase | Deposit | Transfer | JournalEntry, account_id: str, amount: Decimal, *, sort: FlowSort
    ) -> Flow:
        home = self._rates.convert(amount, record.currency)
        return Flow(
            record.document_date, account_id, amount, record.currency, home, sort, record.kind, record.external_id
        )


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
