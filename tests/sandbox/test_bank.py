"""The bank behind the books: its lines and balances follow from the same documents."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from runway_sandbox.bank import BankFeed
from runway_sandbox.books import Book
from runway_sandbox.economy import build_company
from runway_sandbox.economy.calendar import is_business_day
from runway_sandbox.postings import ControlAccounts, compute_postings
from runway_sandbox.settings import WireRules
from runway_sandbox.world import shelve_company


def make_book(index: int, bills: int = 60) -> Book:
    company = build_company(index=index, seed=5, bills=bills, as_of=date(2026, 5, 5))
    return shelve_company(company, rules=WireRules())


@pytest.mark.parametrize("index", range(12))
def test_once_all_lines_have_posted_the_bank_holds_what_the_books_say_less_what_never_happened(index: int) -> None:
    book = make_book(index)
    control = ControlAccounts.of(book)
    unreal = [(kind, row.parse()) for kind, identifier in book.unreal if (row := book.find(kind, identifier))]
    feed = BankFeed(book)
    for account in feed.accounts():
        moved = sum((line.amount for line in feed.lines() if line.ledger_account_id == account.ledger_id), Decimal(0))
        row = book.find("Account", account.ledger_id)
        assert row is not None
        never = [compute_postings(kind, wire, control=control) for kind, wire in unreal]
        never_moved = sum((found.get(("Account", account.ledger_id), Decimal(0)) for found in never), Decimal(0))
        assert account.opening + moved + never_moved == Decimal(str(row.parse()["CurrentBalance"])), account.name
        assert "Petty" not in account.name


def test_lines_post_on_business_days_never_before_the_document_and_each_once() -> None:
    lines = BankFeed(make_book(1)).lines()

    assert lines
    assert all(is_business_day(line.posts_on.toordinal()) and line.posts_on >= line.made_on for line in lines)
    assert max(Counter(line.key for line in lines).values()) == 1
    assert all(line.pending_at is None or line.pending_at < line.posted_at for line in lines)


def test_a_cheque_is_cashed_days_later_under_its_number() -> None:
    cheques = [line for line in BankFeed(make_book(2)).lines() if line.cheque_number is not None]

    assert cheques
    assert all(line.amount < 0 and line.text == f"CHECK {line.cheque_number}" for line in cheques)
    assert all((line.posts_on - line.made_on).days >= 2 for line in cheques)


def test_a_transfer_leaves_one_account_and_reaches_the_other() -> None:
    legs: dict[str, list[Decimal]] = {}
    for line in BankFeed(make_book(3)).lines():
        if line.kind == "Transfer":
            legs.setdefault(line.document_id, []).append(line.amount)

    assert legs
    assert all(len(amounts) == 2 and sum(amounts) == 0 for amounts in legs.values())


def test_a_changed_document_changes_its_line_and_no_other() -> None:
    book = make_book(0)
    feed = BankFeed(book)
    before = feed.lines()
    changed = next(line for line in before if line.kind == "Purchase")
    row = book.find("Purchase", changed.document_id)
    assert row is not None
    wire = row.parse()
    wire["TotalAmt"] = Decimal("77.00")
    book.shelf("Purchase").put(wire)
    after = feed.lines()

    different = [(old.key, new.amount) for old, new in zip(before, after, strict=True) if old != new]
    assert different == [(changed.key, Decimal("77.00") * (1 if changed.amount > 0 else -1))]
