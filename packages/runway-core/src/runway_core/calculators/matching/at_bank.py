"""Which bank lines the ledger has written down, and which of its entries the bank has shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from heapq import heappop, heappush

from runway_core.calculators.calendar import add_days
from runway_core.calculators.matching.bank_twins import find_cheque_number, find_twins
from runway_core.calculators.matching.ledger_legs import LedgerLeg, read_ledger_legs
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import Aliases
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bank_links import OLDEST_ENTRY_DAYS
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey, RecordKind

SEEN_BEFORE_DAYS = 3
SEEN_AFTER_DAYS = 30
CHEQUE_SEEN_AFTER_DAYS = OLDEST_ENTRY_DAYS

_NEAR = (0, 1, -1, 2, 3, 4, 5, 6, 7, 8, -2, -3)
"""Days from the ledger to the bank within which equal amounts are one movement, the likeliest first.

Five business days are eight days over a weekend with a holiday.
"""

PAIRING_READS = frozenset(
    {
        "chart",
        "aliases",
        "bank_transactions",
        "bill_payments",
        "conflict_decisions",
        "customer_payments",
        "customer_list",
        "deposits",
        "journal_entries",
        "purchases",
        "transfers",
        "vendor_list",
    }
)
"""The fields of `Books` that pairing looks at."""


@dataclass(frozen=True, slots=True)
class Unpaired:
    """What is left of one account once lines and entries of one amount are paired; each list by day, then id."""

    began: date  # the bank's first line
    lines: tuple[BankTransaction, ...]  # posted up to `as_of`, not in the ledger, and told by no other source before
    legs: tuple[LedgerLeg, ...]  # written down up to `as_of`, and not at the bank; older than `began` too


class LineParties:
    """Who is on the other end of bank lines, where a proof of names acts alone."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def find(self, line: BankTransaction) -> RecordKey | None:
        """The vendor that money went to, or the customer that it came from."""
        parties = self.find_all(line)
        return next(iter(parties)) if len(parties) == 1 else None

    def find_all(self, line: BankTransaction) -> frozenset[RecordKey]:
        """The same with all records that the proof points to: one party may be in the books twice."""
        names = index_customers(self._books) if line.amount > 0 else index_vendors(self._books)
        for text in filter(None, (line.counterparty, line.text)):
            found = names.prove(text)
            if found is not None:
                return frozenset(candidate.party for candidate in found.candidates)
        return frozenset()


def read_aliases(books: Books) -> Aliases:
    """A person's answers, by the normal form of the text they were given for."""
    return {alias.paper_id: alias.party for alias in books.aliases if not alias.is_closed}


def index_vendors(books: Books) -> NameIndex:
    """The company's vendors by every name and by what people said. Reads vendors and aliases."""
    return books.derive(_index_vendors)


def _index_vendors(books: Books) -> NameIndex:
    return NameIndex.of_vendors(books.vendor_list, aliases=read_aliases(books))


def index_customers(books: Books) -> NameIndex:
    """The company's customers likewise. Reads customers and aliases."""
    return books.derive(_index_customers)


def _index_customers(books: Books) -> NameIndex:
    return NameIndex.of_customers(books.customer_list, aliases=read_aliases(books))


def find_unpaired(books: Books) -> Mapping[str, Unpaired]:
    """What bank and ledger do not tell of one another, by account; only accounts of which lines are read.

    Lines and entries of one amount pair each once: by the cheque's number, then those that lie close, for equal amounts
    come round and a rent that never left must not be taken for the one of the month before, then as many as the days
    allow. Where some are left over, those that name one party go before all others.
    """
    return books.derive(_compute_unpaired)


def _compute_unpaired(books: Books) -> Mapping[str, Unpaired]:
    lines: dict[str, dict[Decimal, list[BankTransaction]]] = {}
    told = {other.external_id for _, other in find_twins(books)}
    confirmed = find_confirmed(books)
    told.update(line_id for line_id, _ in confirmed)
    for line in books.bank_transactions:
        if not line.is_pending and line.booked_on <= books.as_of and line.external_id not in told:
            lines.setdefault(line.account_id, {}).setdefault(line.amount, []).append(line)
    if not lines:
        return {}
    legs: dict[str, dict[Decimal, list[LedgerLeg]]] = {account_id: {} for account_id in lines}
    seen = {key for _, keys in confirmed for key in keys}
    for leg in read_ledger_legs(books):
        if leg.account_id in legs and leg.day <= books.as_of and leg.key not in seen:
            legs[leg.account_id].setdefault(leg.amount, []).append(leg)
    parties = LineParties(books)
    return {account_id: _pair_account(lines[account_id], legs[account_id], parties) for account_id in sorted(lines)}


def find_confirmed(books: Books) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Lines that a person confirmed to be entries of their account, each with the keys of those entries' legs.

    A pair counts as long as both sides are there and move the same sum: later changes bring it back.
    """
    pairs = [pair for decided in books.conflict_decisions for pair in decided.pairs]
    named: dict[str, set[RecordKey]] = {}
    for there, here in pairs:
        if there.kind is RecordKind.BANK_TRANSACTION:
            named.setdefault(there.external_id, set()).add(here)
    if not named:
        return []
    lines = {line.external_id: line for line in books.bank_transactions if line.external_id in named}
    found: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for line_id, line in sorted(lines.items()):
        legs = [x for x in read_ledger_legs(books) if x.record in named[line_id] and x.account_id == line.account_id]
        if legs and sum(leg.amount for leg in legs) == line.amount:
            found.append((line_id, tuple(sorted(leg.key for leg in legs))))
    return found


def _pair_account(
    lines: Mapping[Decimal, list[BankTransaction]], legs: Mapping[Decimal, list[LedgerLeg]], parties: LineParties
) -> Unpaired:
    began = min(line.booked_on for group in lines.values() for line in group)
    only_lines: list[BankTransaction] = []
    only_legs: list[LedgerLeg] = []
    for amount, group in lines.items():
        left_lines, left_legs = _pair_group(group, legs.get(amount, ()), parties, began=began)
        only_lines += left_lines
        only_legs += left_legs
    for amount, entries in legs.items():
        if amount not in lines:
            only_legs += entries
    return Unpaired(
        began=began,
        lines=tuple(sorted(only_lines, key=_line_order)),
        legs=tuple(sorted(only_legs, key=_leg_order)),
    )


def _pair_group(
    lines: Sequence[BankTransaction], legs: Sequence[LedgerLeg], parties: LineParties, *, began: date
) -> tuple[Sequence[BankTransaction], Sequence[LedgerLeg]]:
    """What is left over of lines and entries of one amount on one account."""
    if not legs:
        return lines, ()
    if len(lines) == len(legs) == 1:
        return ((), ()) if _is_in_time(lines[0], legs[0]) else (lines, legs)
    lines, legs = _pair_by_number(sorted(lines, key=_line_order), sorted(legs, key=_leg_order))
    left_lines, left_legs = _pair(lines, legs, began=began)
    is_other_line = left_lines and len(lines) > len(left_lines)
    is_other_leg = left_legs and len(legs) > len(left_legs) and len({leg.party for leg in legs}) > 1
    if not is_other_line and not is_other_leg:
        return left_lines, left_legs
    by_party: dict[RecordKey, list[BankTransaction]] = {}
    left_lines = []
    for line in lines:
        party = parties.find(line)
        if party is None:
            left_lines.append(line)
        else:
            by_party.setdefault(party, []).append(line)
    left_legs = [leg for leg in legs if leg.party not in by_party]
    for party, some in by_party.items():
        unseen, untold = _pair(some, [leg for leg in legs if leg.party == party], began=began)
        left_lines += unseen
        left_legs += untold
    return _pair(sorted(left_lines, key=_line_order), sorted(left_legs, key=_leg_order), began=began)


def _pair(
    lines: Sequence[BankTransaction], legs: Sequence[LedgerLeg], *, began: date
) -> tuple[list[BankTransaction], list[LedgerLeg]]:
    """What is left of lines and entries, both in order: first what is near is paired, then what the days allow."""
    left_lines, left_legs = list(lines), list(legs)
    for days in _NEAR:
        if not left_lines or not left_legs:
            return left_lines, left_legs
        left_lines, left_legs = _pair_at(days, left_lines, left_legs)
    left = _pair_by_day(left_lines, left_legs)
    if not left_lines or not left_legs or left_legs[0].day >= began:
        return left
    # What is older than the bank's first line was mostly seen before it: it explains a line that nothing else does.
    unseen, untold = _pair_by_day(left_lines, [leg for leg in left_legs if leg.day >= began])
    unseen, older = _pair_by_day(unseen, [leg for leg in left_legs if leg.day < began])
    return (unseen, [*older, *untold]) if len(unseen) <= len(left[0]) else left


def _pair_by_number(
    lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg]
) -> tuple[list[BankTransaction], list[LedgerLeg]]:
    """Cheques whose number both sides name; of two with one number the older is taken first."""
    if not any(leg.is_cheque and leg.number for leg in legs):
        return list(lines), list(legs)
    named = {line.external_id: number for line in lines if (number := find_cheque_number(line)) is not None}
    numbers = set(named.values())
    left_legs: list[LedgerLeg] = []
    numbered: dict[str, list[LedgerLeg]] = {}
    for leg in legs:
        is_numbered = leg.is_cheque and leg.number in numbers
        (numbered.setdefault(leg.number or "", []) if is_numbered else left_legs).append(leg)
    left_lines: list[BankTransaction] = []
    for line in lines:
        waiting = numbered.get(named.get(line.external_id, ""))
        if waiting and _is_in_time(line, waiting[0]):
            waiting.pop(0)
        else:
            left_lines.append(line)
    left_legs += (leg for waiting in numbered.values() for leg in waiting)
    return left_lines, sorted(left_legs, key=_leg_order)


def _pair_at(
    days: int, lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg]
) -> tuple[list[BankTransaction], list[LedgerLeg]]:
    """Lines that the bank booked exactly `days` after the ledger."""
    waiting: dict[date, list[LedgerLeg]] = {}
    for leg in legs:
        waiting.setdefault(add_days(leg.day, days), []).append(leg)
    left_lines: list[BankTransaction] = []
    for line in lines:
        ready = waiting.get(line.booked_on)
        if ready:
            ready.pop(0)
        else:
            left_lines.append(line)
    return left_lines, [leg for ready in waiting.values() for leg in ready]


def _pair_by_day(
    lines: Iterable[BankTransaction], legs: Iterable[LedgerLeg]
) -> tuple[list[BankTransaction], list[LedgerLeg]]:
    """As many pairs as the days allow: each line takes the waiting entry whose time runs out first."""
    coming = sorted(legs, key=_leg_order, reverse=True)
    waiting: list[tuple[date, int, LedgerLeg]] = []
    left_lines: list[BankTransaction] = []
    left_legs: list[LedgerLeg] = []
    for line in lines:
        while coming and add_days(coming[-1].day, -SEEN_BEFORE_DAYS) <= line.booked_on:
            leg = coming.pop()
            heappush(waiting, (_seen_until(leg), -len(coming), leg))
        while waiting and waiting[0][0] < line.booked_on:
            left_legs.append(heappop(waiting)[2])
        if waiting:
            heappop(waiting)
        else:
            left_lines.append(line)
    return left_lines, [*left_legs, *(leg for _, _, leg in waiting), *coming]


def _is_in_time(line: BankTransaction, leg: LedgerLeg) -> bool:
    return -SEEN_BEFORE_DAYS <= (line.booked_on - leg.day).days <= _days_to_be_seen(leg)


def _seen_until(leg: LedgerLeg) -> date:
    return add_days(leg.day, _days_to_be_seen(leg))


def _days_to_be_seen(leg: LedgerLeg) -> int:
    return CHEQUE_SEEN_AFTER_DAYS if leg.is_cheque else SEEN_AFTER_DAYS


def _line_order(line: BankTransaction) -> tuple[date, str]:
    return line.booked_on, line.external_id


def _leg_order(leg: LedgerLeg) -> tuple[date, str, RecordKey]:
    return leg.day, leg.account_id, leg.record
