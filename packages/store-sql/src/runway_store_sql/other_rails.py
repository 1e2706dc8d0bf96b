"""What calculators see of the rails beside the ledger: made of what was mirrored, and kept while that is the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from runway_core.domain.bank_links import make_bank_balances, make_bank_transactions, read_links
from runway_core.domain.execution_links import link_bills, make_card_purchases, make_rail_bills, make_rail_payments
from runway_core.domain.processor_links import PROCESSOR_RECORDS, find_reading_day, see_processor

from runway_store_sql.held_books import HeldRecords, HeldView

BANK, EXECUTION, CARDS, PROCESSOR = "bank", "execution", "cards", "processor"


def see_other_rails(read: HeldRecords, connected: Sequence[Any]) -> HeldRecords:
    """With what calculators see of banks, of execution rails and of card processors.

    It stays the same values while what it is made of does: what was computed from them holds.
    """
    views = {name: view for name, see in _VIEWS.items() if (view := see(read, connected)) is not None}
    return read if not views and not read.views else replace(read, views=views)


def _see_bank(read: HeldRecords, connected: Sequence[Any]) -> HeldView | None:
    """The accounts that stand for ledger accounts, and their lines."""
    banks: tuple[Any, ...] = read.records["bank_accounts"]
    lines: tuple[Any, ...] = read.records["bank_lines"]
    if not banks:
        return None
    ledger: tuple[Any, ...] = read.records["accounts"]
    links = read_links(ledger, banks, connected)
    held = read.views.get(BANK)
    if held is not None:
        of_banks, of_lines, of_links = held.made_of
        if of_banks is banks and of_lines is lines and of_links == links:
            return held
    fields = {
        "bank_balances": make_bank_balances(banks, links),
        "bank_transactions": make_bank_transactions(lines, banks, links, history_from=read.history_from),
    }
    return HeldView((banks, lines, links), fields)


def _see_execution(read: HeldRecords, connected: Sequence[Any]) -> HeldView | None:  # noqa: ARG001 - as the other
    """Bills and payments with the bills of the ledger that they are."""
    bills: tuple[Any, ...] = read.records["execution_bills"]
    payments: tuple[Any, ...] = read.records["execution_payments"]
    ledger: tuple[Any, ...] = read.records["bills"]
    if not bills:
        return None
    links = link_bills(bills, ledger)
    held = read.views.get(EXECUTION)
    if held is not None:
        of_bills, of_payments, of_links = held.made_of
        if of_bills is bills and of_payments is payments and of_links == links:
            return held
    fields = {"rail_bills": make_rail_bills(bills, links), "rail_payments": make_rail_payments(payments, links)}
    return HeldView((bills, payments, links), fields)


def _see_cards(read: HeldRecords, connected: Sequence[Any]) -> HeldView | None:  # noqa: ARG001 - as the other
    """Purchases on cards; apart from bills, which change more often than there are purchases to see anew."""
    purchases: tuple[Any, ...] = read.records["card_transactions"]
    payments: tuple[Any, ...] = read.records["execution_payments"]
    if not purchases:
        return None
    held = read.views.get(CARDS)
    if held is not None and held.made_of[0] is purchases and held.made_of[1] is payments:
        return held
    return HeldView((purchases, payments), {"card_purchases": make_card_purchases(purchases, payments)})


def _see_processor(read: HeldRecords, connected: Sequence[Any]) -> HeldView | None:
    """Payouts with their parts, and what the processor holds."""
    records: Mapping[str, tuple[Any, ...]] = {name: read.records[name] for name in PROCESSOR_RECORDS}
    if not records["processor_entries"] and not records["sent_payouts"]:
        return None
    deposits: tuple[Any, ...] = read.records["deposits"]
    made_of = (*records.values(), deposits)
    read_on = find_reading_day(records["processor_entries"], connected)
    held = read.views.get(PROCESSOR)
    if held is not None:
        *of_records, of_day = held.made_of
        if of_day == read_on and all(a is b for a, b in zip(of_records, made_of, strict=True)):
            return held
    fields = see_processor(records, deposits=deposits, read_on=read_on, history_from=read.history_from)
    return HeldView((*made_of, read_on), fields)


_VIEWS: Mapping[str, Callable[[HeldRecords, Sequence[Any]], HeldView | None]] = {
    BANK: _see_bank,
    EXECUTION: _see_execution,
    CARDS: _see_cards,
    PROCESSOR: _see_processor,
}
