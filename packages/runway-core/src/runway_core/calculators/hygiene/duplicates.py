"""Pairs of bills that may be one bill twice, each under the strongest rule that finds it (domain.md, section 7).

AP06 tells of those that are certain, AP07 of those that are likely. Everything is found by look-up in blocks of vendor,
amount and number, so that many bills cost no square.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain, pairwise, product
from typing import NamedTuple

from runway_core.calculators.hygiene.duplicate_series import (
    Numbered,
    are_in_different_periods,
    are_in_different_periods_of_number,
)
from runway_core.calculators.matching.same_vendors import SameVendors
from runway_core.calculators.numbers import is_one_slip_apart, normal_number, slip_keys
from runway_core.domain.bills import Bill
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKind

SLIP_DAYS = 31
SLIP_LENGTH = 4
NEAR_DAYS = 5
SAME_NUMBER_DAYS = 300
"""Numbers begin anew each year: further apart, one number on two amounts says nothing."""

MOST_WITH_ONE_NUMBER = 4
"""What stands on more of a vendor's bills is a customer's or an order's number."""

PREFIX_DAYS = 30
PREFIX_LENGTH = 3
PREFIX_SHARE = Decimal("0.01")


class DuplicateRule(StrEnum):
    """The rules, the strongest first."""

    D1 = "D1"  # same vendor, number and amount
    D2 = "D2"  # same vendor and amount, number one slip apart
    D7 = "D7"  # the same file hangs on both
    D3 = "D3"  # same vendor and amount, close dates, a number missing or numbers unlike
    D4 = "D4"  # same vendor and number, another amount
    D5 = "D5"  # same number and amount, vendors alike but not the same
    D6 = "D6"  # almost the same amount, one number begins with the other

    @property
    def is_certain(self) -> bool:
        """Whether a pair counts as a duplicate and not as a likely one."""
        return self in {DuplicateRule.D1, DuplicateRule.D2, DuplicateRule.D7}


class DuplicatePair(NamedTuple):
    """Two bills, the earlier first."""

    rule: DuplicateRule
    one: Bill
    two: Bill


def find_duplicate_pairs(books: Books) -> tuple[DuplicatePair, ...]:
    """Every pair once, under its strongest rule, in no order; of three alike the neighbours in time.

    Only bills over more than nil in one currency pair. Those that are all paid pair by D1 and D7 alone: numbers in a
    row from a vendor with fixed prices are a slip apart as well. Reads attachments, bills, vendors and aliases.
    """
    vendors = books.derive(SameVendors)
    blocks = books.derive_each(_search_block, {vendor: (bills,) for vendor, bills in _merge_vendors(books, vendors)})
    found: dict[tuple[str, str], DuplicatePair] = {}
    for pair in (
        *chain.from_iterable(block.pairs for block in blocks.values()),
        *(DuplicatePair(DuplicateRule.D7, *bills) for bills in _find_same_file(books, vendors, blocks)),
        *(DuplicatePair(DuplicateRule.D5, *bills) for bills in _find_alike_vendors(blocks, vendors)),
    ):
        one, two = pair.one.external_id, pair.two.external_id
        ids = (one, two) if one < two else (two, one)
        held = found.get(ids)
        if held is None or _RANKS[pair.rule] < _RANKS[held.rule]:
            found[ids] = pair
    return tuple(found.values())


_RANKS = {rule: rank for rank, rule in enumerate(DuplicateRule)}

_Pairs = Iterable[tuple[Bill, Bill]]


class _Block(NamedTuple):
    """The bills of one vendor by date, then id, and those of them that share amount and currency."""

    bills: list[Numbered]
    alike: list[list[Numbered]]
    wanted: frozenset[tuple[str, Decimal]]  # numbers and amounts of open bills
    has_open: bool
    pairs: tuple[DuplicatePair, ...] = ()  # by all rules that look at one vendor alone


def _merge_vendors(books: Books, vendors: SameVendors) -> Iterator[tuple[str, tuple[Bill, ...]]]:
    """The bills of all that are one vendor, by date, then id."""
    merged: dict[str, list[tuple[Bill, ...]]] = {}
    for vendor_id, bills in books.bills_by_vendor.items():
        merged.setdefault(vendors.one_of(vendor_id), []).append(bills)
    for vendor_id, groups in merged.items():
        yield vendor_id, groups[0] if len(groups) == 1 else tuple(sorted(chain.from_iterable(groups), key=_place))


def _search_block(bills: Iterable[Bill]) -> _Block:
    numbered = [(normal_number(bill.number), bill) for bill in bills if bill.total > 0]
    opened = [(number, bill) for number, bill in numbered if bill.open_balance > 0]
    wanted = frozenset((number, bill.total) for number, bill in opened if number is not None)
    block = _Block(numbered, _group_by_amount(numbered), wanted, bool(opened))
    rules = (*_find_certain(block), *_find_likely(block))
    return block._replace(pairs=tuple(DuplicatePair(rule, *pair) for rule, pairs in rules for pair in pairs))


def _group_by_amount(bills: list[Numbered]) -> list[list[Numbered]]:
    groups: dict[tuple[Decimal, str], list[Numbered]] = {}
    for numbered in bills:
        bill = numbered[1]
        groups.setdefault((bill.total, bill.currency), []).append(numbered)
    return [group for group in groups.values() if len(group) > 1]


def _place(bill: Bill) -> tuple[int, str]:
    return bill.document_date.toordinal(), bill.external_id


def _find_certain(block: _Block) -> Iterator[tuple[DuplicateRule, _Pairs]]:
    for group in block.alike:
        numbered = [(number, bill) for number, bill in group if number is not None]
        if len(numbered) > 1:
            yield DuplicateRule.D1, _find_equal(numbered, block)
            yield DuplicateRule.D2, _find_slips(numbered, block)


def _find_likely(block: _Block) -> Iterator[tuple[DuplicateRule, _Pairs]]:
    if not block.has_open:
        return
    for group in block.alike:
        yield DuplicateRule.D3, _find_close(group, block)
    by_number: dict[tuple[str, str], list[Bill]] = {}
    for number, bill in block.bills:
        if number is not None:
            by_number.setdefault((number, bill.currency), []).append(bill)
    yield DuplicateRule.D4, _find_other_amounts(by_number, block)
    yield DuplicateRule.D6, _find_prefixes(by_number, block)


def _is_one_open(one: Bill, two: Bill) -> bool:
    return one.open_balance > 0 or two.open_balance > 0


def _days_between(one: Bill, two: Bill) -> int:
    return abs((two.document_date - one.document_date).days)


def _find_equal(numbered: list[tuple[str, Bill]], block: _Block) -> Iterator[tuple[Bill, Bill]]:
    """D1: neighbours in time with one number."""
    last: dict[str, Bill] = {}
    for number, bill in numbered:
        before = last.get(number)
        if before is not None and not are_in_different_periods_of_number(before, bill, block.bills, number):
            yield before, bill
        last[number] = bill


def _find_slips(numbered: list[tuple[str, Bill]], block: _Block) -> Iterator[tuple[Bill, Bill]]:
    """D2: numbers that share a slip key are looked at, so that a long list costs no square."""
    keyed: dict[str, list[tuple[str, Bill]]] = {}
    for number, bill in numbered:
        if len(number) < SLIP_LENGTH:
            continue
        near: dict[str, tuple[str, Bill]] = {}
        keys = slip_keys(number)
        for key in keys:
            for before in keyed.get(key, ()):
                if _days_between(before[1], bill) <= SLIP_DAYS and _is_one_open(before[1], bill):
                    near[before[1].external_id] = before
        for other, earlier in near.values():
            if is_one_slip_apart(other, number) and not are_in_different_periods(earlier, bill, block.bills):
                yield earlier, bill
        for key in keys:
            keyed.setdefault(key, []).append((number, bill))


def _find_close(group: list[Numbered], block: _Block) -> Iterator[tuple[Bill, Bill]]:
    """D3: neighbours in time without two numbers that are the same. Equal ones are D1, or of one series."""
    for (number, one), (other, two) in pairwise(group):
        if (
            _days_between(one, two) <= NEAR_DAYS
            and _is_one_open(one, two)
            and (number is None or number != other)
            and not are_in_different_periods(one, two, block.bills)
        ):
            yield one, two


def _find_other_amounts(by_number: dict[tuple[str, str], list[Bill]], block: _Block) -> Iterator[tuple[Bill, Bill]]:
    """D4: neighbours in time with one number; a word such as "ACH" is none."""
    for (number, _), bills in by_number.items():
        if not 1 < len(bills) <= MOST_WITH_ONE_NUMBER or not any(map(str.isdigit, number)):
            continue
        for one, two in pairwise(bills):
            if (
                one.total != two.total
                and _is_one_open(one, two)
                and _days_between(one, two) <= SAME_NUMBER_DAYS
                and not are_in_different_periods_of_number(one, two, block.bills, number, with_any_amount=True)
            ):
                yield one, two


def _find_prefixes(by_number: dict[tuple[str, str], list[Bill]], block: _Block) -> Iterator[tuple[Bill, Bill]]:
    """D6: "1042" and "1042-1" over almost one amount."""
    for (number, currency), longer in by_number.items():
        for length in range(PREFIX_LENGTH, len(number)):
            shorter = by_number.get((number[:length], currency))
            if shorter is None or max(len(shorter), len(longer)) > MOST_WITH_ONE_NUMBER:
                continue
            for one, two in (sorted(pair, key=_place) for pair in product(shorter, longer)):
                if (
                    _days_between(one, two) <= PREFIX_DAYS
                    and abs(one.total - two.total) <= max(one.total, two.total) * PREFIX_SHARE
                    and _is_one_open(one, two)
                    and not are_in_different_periods(one, two, block.bills)
                ):
                    yield one, two


def _find_alike_vendors(blocks: Mapping[str, _Block], vendors: SameVendors) -> Iterator[tuple[Bill, Bill]]:
    """D5: only numbers of open bills are looked up, so that names are compared seldom."""
    wanted = frozenset[tuple[str, Decimal]]().union(*(block.wanted for block in blocks.values()))
    numbers = {number for number, _ in wanted}
    same: dict[tuple[str, Decimal, str], dict[str, Bill]] = {}
    for vendor_id, block in blocks.items():
        for number, bill in block.bills:
            if number in numbers and (number, bill.total) in wanted:
                assert number is not None
                by_vendor = same.setdefault((number, bill.total, bill.currency), {})
                if vendor_id not in by_vendor or bill.open_balance > 0:
                    by_vendor[vendor_id] = bill
    for by_vendor in same.values():
        if len(by_vendor) < 2:
            continue
        bills = sorted(by_vendor.values(), key=_place)
        for place, one in enumerate(bills):
            for two in bills[place + 1 :]:
                if _is_one_open(one, two) and vendors.are_alike(one.vendor_id or "", two.vendor_id or ""):
                    yield one, two


def _find_same_file(books: Books, vendors: SameVendors, blocks: Mapping[str, _Block]) -> Iterator[tuple[Bill, Bill]]:
    """D7: neighbours in time on which one file hangs, whatever else they say."""
    shared = [
        ids
        for attachment in books.attachments
        if len(attachment.links) > 1
        and len(ids := {link.external_id for link in attachment.links if link.kind is RecordKind.BILL}) > 1
    ]
    if not shared:
        return
    wanted = set().union(*shared)
    by_id = {bill.external_id: bill for bill in books.bills if bill.external_id in wanted and bill.total > 0}
    for ids in shared:
        bills = sorted((by_id[bill_id] for bill_id in ids if bill_id in by_id), key=_place)
        for one, two in pairwise(bills):
            if one.currency == two.currency and not _are_of_one_series(one, two, vendors, blocks):
                yield one, two


def _are_of_one_series(one: Bill, two: Bill, vendors: SameVendors, blocks: Mapping[str, _Block]) -> bool:
    if one.vendor_id is None or two.vendor_id is None:
        return False
    vendor_id = vendors.one_of(one.vendor_id)
    if vendor_id != vendors.one_of(two.vendor_id):
        return False
    return vendor_id in blocks and are_in_different_periods(one, two, blocks[vendor_id].bills)
