"""Whether a bank account and its ledger account differ only by what is on its way.

bank posted − ledger = (bank not in ledger) − (ledger not at bank) + unexplained; the last must be nil.
"""

from dataclasses import dataclass
from decimal import Decimal

from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.matching.at_bank import PAIRING_READS, Unpaired, find_unpaired
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey
from runway_core.domain.ledger import Account
from runway_core.domain.money import ZERO

DRIFT_READS = PAIRING_READS | {"accounts", "bank_balances", "read_at"}
"""The fields of books that drifts depend on."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One account on both sides, in its own currency; sums are signed, an outflow is negative."""

    account_id: str
    currency: str
    bank: Decimal  # posted
    ledger: Decimal  # without entries dated after `as_of`
    bank_not_in_ledger: Decimal
    ledger_not_at_bank: Decimal
    lines: tuple[BankTransaction, ...]  # those that make up the first sum, oldest first
    legs: tuple[LedgerLeg, ...]  # what makes up the second, oldest first

    @property
    def bank_lines(self) -> tuple[str, ...]:
        """Ids of the bank's lines that the ledger lacks."""
        return tuple(line.external_id for line in self.lines)

    @property
    def ledger_entries(self) -> tuple[RecordKey, ...]:
        """The records that the bank has not shown."""
        return tuple(leg.record for leg in self.legs)

    @property
    def unexplained(self) -> Decimal:
        """What no line and no entry explains: lost history, a missing opening entry, or a wrong balance."""
        return self.bank - self.ledger - (self.bank_not_in_ledger - self.ledger_not_at_bank)


def compute_drifts(books: Books) -> tuple[Drift, ...]:
    """The drift of each account whose bank balance is at most 72 hours old and whose lines are read, by account id.

    Both sides are compared from the bank's first line on. Entries up to 30 days older, cheques up to 90, may explain a
    line but are not missed. `find_unpaired` says which lines and entries pair; it changes no sum.
    """
    balances = find_usable_bank_balances(books)
    unpaired = find_unpaired(books)
    accounts = [a for a in books.accounts if a.external_id in balances and a.external_id in unpaired]
    if not accounts:
        return ()
    future: dict[str, Decimal] = {}
    for leg in read_ledger_legs(books):
        if leg.day > books.as_of:
            future[leg.account_id] = future.get(leg.account_id, ZERO) + leg.amount
    return tuple(
        _compare(
            account,
            balances[account.external_id].posted,
            account.balance - future.get(account.external_id, ZERO),
            unpaired=unpaired[account.external_id],
        )
        for account in sorted(accounts, key=lambda account: account.external_id)
    )


def _compare(account: Account, posted: Decimal, ledger: Decimal, *, unpaired: Unpaired) -> Drift:
    legs = tuple(leg for leg in unpaired.legs if leg.day >= unpaired.began)
    return Drift(
        account_id=account.external_id,
        currency=account.currency,
        bank=posted,
        ledger=ledger,
        bank_not_in_ledger=sum((line.amount for line in unpaired.lines), ZERO),
        ledger_not_at_bank=sum((leg.amount for leg in legs), ZERO),
        lines=unpaired.lines,
        legs=legs,
    )
