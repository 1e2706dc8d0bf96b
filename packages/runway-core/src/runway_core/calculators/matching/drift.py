"""Whether a bank account and its ledger account differ only by what is on its way.

bank posted − ledger = (bank not in ledger) − (ledger not at bank) + unexplained; the last must be nil.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from heapq import heappop, heappush

from runway_core.calculators.calendar import add_days
from runway_core.calculators.cash import find_usable_bank_balances
from runway_core.calculators.matching.bank_twins import find_twins
from runway_core.calculators.matching.from_books import CHEQUE_DAYS
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.domain.bank import BankTransaction
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey
from runway_core.domain.ledger import Account
from runway_core.domain.money import ZERO

SEEN_BEFORE_DAYS = 3
SEEN_AFTER_DAYS = 30

_NEAR = (0, 1, -1, 2, 3, 4, 5, -2, -3)
"""Days from the ledger to the bank within which equal amounts are one movement, the likeliest first."""


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


@dataclass(frozen=True, slots=True)
class _Paired:
    """What belongs together: ids of lines, keys of legs."""

    lines: set[str]
    legs: set[tuple[str, str]]

    def add(self, line: BankTransaction, leg: LedgerLeg) -> None:
        self.lines.add(line.external_id)
        self.legs.add(leg.key)


def compute_drifts(books: Books) -> tuple[Drift, ...]:
    """The drift of each account whose bank balance is at most 72 hours old and whose lines are read, by account id.

    Both sides are compared from the bank's first line on. Entries up to 30 days older, cheques up to 90, may explain a
    line but are not missed. Lines and entries of one amount pair each once: by the cheque's number, then those that lie
    close, then as many as the days allow. A line that repeats another source's is no second movement.
    """
    balances = find_usable_bank_balances(books)
    lines: dict[str, list[BankTransaction]] = {}
    repeated = {other.external_id for _, other in find_twins(books)}
    for line in books.bank_transactions:
        if not line.is_pending and line.booked_on <= books.as_of and line.external_id not in repeated:
            lines.setdefault(line.account_id, []).append(line)
    legs: dict[str, list[LedgerLeg]] = {}
    for leg in read_ledger_legs(books):
        legs.setdefault(leg.account_id, []).append(leg)
    accounts = sorted(books.accounts, key=lambda account: account.external_id)
    return tuple(
        _compare(account, balances[account.external_id].posted, lines[account.external_id], legs, books.as_of)
        for account in accounts
        if account.external_id in balances and account.external_id in lines
    )


def _compare(
    account: Account,
    posted: Decimal,
    lines: list[BankTransaction],
    legs: dict[str, list[LedgerLeg]],
    as_of: date,
) -> Drift:
    own = legs.get(account.external_id, [])
    began = min(line.booked_on for line in lines)
    future = sum((leg.amount for leg in own if leg.day > as_of), ZERO)
    paired = _pair(lines, [leg for leg in own if leg.day <= as_of])
    only_bank = sorted(
        (line for line in lines if line.external_id not in paired.lines), key=lambda x: (x.booked_on, x.external_id)
    )
    only_ledger = sorted(
        (leg for leg in own if began <= leg.day <= as_of and leg.key not in paired.legs), key=lambda x: (x.day, x.key)
    )
    return Drift(
        account_id=account.external_id,
        currency=account.currency,
        bank=posted,
        ledger=account.balance - future,
        bank_not_in_ledger=sum((line.amount for line in only_bank), ZERO),
        ledger_not_at_bank=sum((leg.amount for leg in only_ledger), ZERO),
        lines=tuple(only_bank),
        legs=tuple(only_ledger),
    )


def _pair(lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg]) -> _Paired:
    """Lines and entries of one amount that are one movement: first what is sure or near, then what the days allow.

    Equal amounts come round: a rent that never left must not be taken for the one of the month before.
    """
    found = _Paired(set(), set())
    lines = sorted(lines, key=lambda line: (line.booked_on, line.external_id))
    legs = sorted(legs, key=lambda leg: (leg.day, leg.key))
    _pair_by_number(lines, legs, found)
    for days in _NEAR:
        _pair_at(days, lines, legs, found)
    _pair_by_day(
        [line for line in lines if line.external_id not in found.lines],
        [leg for leg in legs if leg.key not in found.legs],
        found,
    )
    return found


def _pair_by_number(lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg], found: _Paired) -> None:
    """Cheques whose number both sides name; of two with one number the older is taken first."""
    numbered: dict[tuple[Decimal, str], list[LedgerLeg]] = {}
    for leg in legs:
        if leg.is_cheque and leg.number:
            numbered.setdefault((leg.amount, leg.number), []).append(leg)
    for line in lines:
        waiting = numbered.get((line.amount, line.cheque_number)) if line.cheque_number else None
        if waiting and _is_in_time(line, waiting[0]):
            found.add(line, waiting.pop(0))


def _pair_at(days: int, lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg], found: _Paired) -> None:
    """Lines that the bank booked exactly `days` after the ledger."""
    waiting: dict[tuple[Decimal, date], list[LedgerLeg]] = {}
    for leg in legs:
        if leg.key not in found.legs:
            waiting.setdefault((leg.amount, add_days(leg.day, days)), []).append(leg)
    for line in lines:
        if line.external_id not in found.lines:
            ready = waiting.get((line.amount, line.booked_on))
            if ready:
                found.add(line, ready.pop(0))


def _pair_by_day(lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg], found: _Paired) -> None:
    """As many pairs of one amount as the days allow: each line takes the waiting entry whose time runs out first."""
    coming: dict[Decimal, list[LedgerLeg]] = {}
    for leg in sorted(legs, key=lambda leg: (leg.day, leg.key), reverse=True):
        coming.setdefault(leg.amount, []).append(leg)
    waiting: dict[Decimal, list[tuple[date, tuple[str, str], LedgerLeg]]] = {}
    for line in lines:
        ready, rest = waiting.setdefault(line.amount, []), coming.get(line.amount, [])
        while rest and add_days(rest[-1].day, -SEEN_BEFORE_DAYS) <= line.booked_on:
            leg = rest.pop()
            heappush(ready, (_seen_until(leg), leg.key, leg))
        while ready and ready[0][0] < line.booked_on:
            heappop(ready)
        if ready:
            found.add(line, heappop(ready)[2])


def _is_in_time(line: BankTransaction, leg: LedgerLeg) -> bool:
    return add_days(leg.day, -SEEN_BEFORE_DAYS) <= line.booked_on <= _seen_until(leg)


def _seen_until(leg: LedgerLeg) -> date:
    return add_days(leg.day, CHEQUE_DAYS if leg.is_cheque else SEEN_AFTER_DAYS)
