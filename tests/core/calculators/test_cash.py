from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.outlook import compute_outlook
from runway_core.domain.bank import BankTransaction
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.ledger import Account, AccountKind
from runway_core.domain.money import Money
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, amend_settings, sample_books
from runway_testkit.sample_records import AS_OF, OPERATING, READ_AT, SAVINGS


def usd(amount: int | str) -> Money:
    return Money(amount=Decimal(amount).quantize(Decimal("0.0001")), currency="USD")


def account(external_id: str, balance: int, currency: str = "USD") -> Account:
    return Account(
        external_id=external_id,
        name=external_id,
        full_name=external_id,
        account_kind=AccountKind.BANK,
        account_type="Bank",
        currency=currency,
        balance=Decimal(balance).quantize(Decimal("0.0001")),
    )


def pending(amount: int, external_id: str = "pending", **more: Any) -> BankTransaction:
    values: dict[str, Any] = {"booked_on": AS_OF, "is_pending": True, "text": "MACHINE"} | more
    return BankTransaction(
        external_id=external_id,
        account_id=OPERATING,
        currency="USD",
        amount=Decimal(amount).quantize(Decimal("0.0001")),
        **values,
    )


def payment(on: date, total: int, method: PaymentMethod = PaymentMethod.TRANSFER) -> BillPayment:
    return BillPayment(
        external_id="late",
        document_date=on,
        currency="USD",
        total=Decimal(total).quantize(Decimal("0.0001")),
        method=method,
        account_id=OPERATING,
    )


def test_opening_cash_of_the_sample_is_the_bank_less_the_cheque() -> None:
    cash = compute_cash(sample_books())

    assert cash.opening == usd(51_200)
    assert cash.available == usd(41_200)
    assert [part.amount for part in cash.parts] == [usd(42_000), usd(10_000), usd(-800)]
    assert cash.is_from_bank
    assert cash.left_out == ("undeposited funds older than 7 days: 2,000.00 USD",)


def test_without_a_bank_rail_the_ledger_gives_the_same() -> None:
    cash = compute_cash(sample_books(with_bank=False))

    assert cash.opening == usd(51_200)
    assert [part.amount for part in cash.parts] == [usd(41_200), usd(10_000)]
    assert not cash.is_from_bank


def test_reserves_and_buffer_are_not_available() -> None:
    cash = compute_cash(amend_settings(sample_books(), reserves=Decimal("2100.0000")))

    assert cash.available == usd(39_100)


def test_a_bank_balance_older_than_a_day_is_used_and_marked_and_after_three_days_the_ledger_stands_in() -> None:
    sample = sample_books()
    aged = [b.model_copy(update={"read_at": READ_AT - timedelta(hours=30)}) for b in sample.bank_balances]
    old = [b.model_copy(update={"read_at": READ_AT - timedelta(hours=73)}) for b in sample.bank_balances]

    marked = compute_cash(amend_books(sample, bank_balances=tuple(aged)))
    ledger = compute_cash(amend_books(sample, bank_balances=tuple(old)))

    assert marked.opening == usd(51_200)
    assert "last read 2026-03-01" in marked.parts[0].label
    assert ledger.opening == usd(51_200)
    assert not ledger.is_from_bank
    assert "over 72 hours" in ledger.parts[0].label


def test_pending_outflows_are_spent_and_pending_inflows_come_tomorrow() -> None:
    sample = sample_books()
    lines = (*sample.bank_transactions, pending(-300), pending(500, "incoming"))
    sample = amend_books(sample, bank_transactions=lines)

    outlook = compute_outlook(sample)

    assert outlook.opening_cash == usd(50_900)
    assert [(e.on, e.amount) for e in outlook.events if e.label == "MACHINE"] == [
        (date(2026, 3, 3), Decimal("500.0000"))
    ]


def test_a_posted_line_replaces_the_pending_one_it_names() -> None:
    sample = sample_books()
    posted = pending(-300, "posted", is_pending=False, replaces_id="pending")
    sample = amend_books(sample, bank_transactions=(*sample.bank_transactions, pending(-300), posted))

    assert compute_cash(sample).opening == usd(51_200)


def test_a_ledger_payment_that_the_bank_shows_is_not_taken_off_twice() -> None:
    sample = sample_books()
    seen = pending(-800, "cheque", is_pending=False, booked_on=AS_OF)

    cash = compute_cash(amend_books(sample, bank_transactions=(*sample.bank_transactions, seen)))

    assert cash.opening == usd(52_000)


@pytest.mark.parametrize(("days_ago", "opening"), [(0, 51_077), (90, 51_077), (91, 51_200)])
def test_a_payment_not_seen_is_taken_off_for_ninety_days(days_ago: int, opening: int) -> None:
    sample = sample_books()
    since = AS_OF - timedelta(days=95)
    early = pending(-1, "early", is_pending=False, booked_on=since)
    paid = payment(AS_OF - timedelta(days=days_ago), 123)
    sample = amend_books(
        sample,
        bank_transactions=(*sample.bank_transactions, early),
        bill_payments=(*sample.bill_payments, paid),
    )

    assert compute_cash(sample).opening == usd(opening)


def test_an_account_set_aside_does_not_count() -> None:
    cash = compute_cash(amend_settings(sample_books(), excluded_account_ids=(SAVINGS,)))

    assert cash.opening == usd(41_200)
    assert "Savings is set aside by the settings" in cash.left_out


def test_ten_thousand_euro_at_1_0850_are_10_850_dollars() -> None:
    sample = sample_books()
    sample = amend_books(sample, accounts=(*sample.accounts, account("euro", 10_000, "EUR")))

    without = compute_cash(sample)
    converted = compute_cash(amend_settings(sample, exchange_rates={"EUR": Decimal("1.0850")}))

    assert without.opening == usd(51_200)
    assert "bank accounts: 10,000.00 EUR has no exchange rate" in without.left_out
    assert converted.opening == usd(62_050)
    assert [p.amount for p in converted.by_account if p.amount.currency == "EUR"] == [
        Money(amount=Decimal("10000.0000"), currency="EUR")
    ]


def test_what_the_ledger_dates_after_today_is_taken_out_and_put_on_its_day() -> None:
    sample = sample_books(with_bank=False)
    later = date(2026, 3, 10)
    sample = amend_books(sample, bill_payments=(*sample.bill_payments, payment(later, 700)))

    outlook = compute_outlook(sample)

    assert outlook.opening_cash == usd(51_900)
    assert [(e.on, e.amount) for e in outlook.events if e.reason.startswith("entered")] == [
        (later, Decimal("-700.0000"))
    ]


@given(books())
def test_opening_cash_is_the_sum_of_its_parts(any_books: Books) -> None:
    cash = compute_cash(any_books)
    settings = any_books.company.settings

    assert sum((part.amount.amount for part in cash.parts), Decimal(0)) == cash.opening.amount
    assert cash.available.amount == cash.opening.amount - settings.buffer - settings.reserves


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_books_changes_no_cash(any_books: Books, random: Random) -> None:
    assert compute_cash(shuffle_books(any_books, random)) == compute_cash(any_books)
