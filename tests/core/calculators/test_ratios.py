from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.ratios import (
    compute_count_back_days,
    compute_payables_days,
    compute_quick_ratio,
    compute_ratios,
    compute_sales_days,
)
from runway_core.domain.books import Books
from runway_core.domain.invoices import Invoice
from runway_core.domain.ledger import Account, AccountKind
from runway_testkit.books_making import amount, bill, invoice, make_books
from runway_testkit.books_strategies import books, shuffle_books
from runway_testkit.sample import amend_books, amend_settings, sample_books

OPEN = {"B1": 6_000, "B2": 3_200, "B3": 8_000, "B4": 8_000, "B5": 4_300, "B6": 5_000}


def sold(month: int, total: int, *, open_balance: int = 0, year: int = 2026, on: int = 15, **more: Any) -> Invoice:
    return invoice(
        f"I{year}-{month}-{total}",
        total,
        document_date=date(year, month, on),
        open_balance=amount(open_balance),
        **more,
    )


def sales_books(*invoices: Invoice) -> Books:
    return make_books(invoices=invoices)


def three_months(open_balance: int = 47_000) -> Books:
    """Sales of 45,000, 50,000 and 40,000 in December, January and February."""
    return sales_books(sold(12, 45_000, year=2025), sold(1, 50_000, open_balance=open_balance), sold(2, 40_000))


def owing(kind: AccountKind, balance: int, name: str = "owed") -> Account:
    return Account(
        external_id=f"{name}-{kind.value}",
        name=name,
        full_name=name,
        account_kind=kind,
        account_type=kind.value,
        currency="USD",
        balance=amount(balance),
    )


def test_days_of_sales_over_the_last_full_months() -> None:
    """47,000 ÷ 135,000 × 90."""
    ratio = compute_sales_days(three_months())

    assert ratio.value == Decimal("31.3")
    assert [part.amount.amount for part in ratio.numerator] == [47_000]
    assert [(part.label, int(part.amount.amount)) for part in ratio.denominator] == [
        ("Invoices of December 2025", 45_000),
        ("Invoices of January 2026", 50_000),
        ("Invoices of February 2026", 40_000),
    ]
    assert (ratio.period_days, ratio.first_day, ratio.last_day) == (90, date(2025, 12, 1), date(2026, 2, 28))


def test_days_of_sales_counted_back() -> None:
    """All 28 days of February, and of January 7,000 ÷ 50,000 × 31."""
    ratio = compute_count_back_days(three_months())

    assert ratio.value == Decimal("32.3")
    assert not ratio.is_more_than
    assert [(part.label, int(part.amount.amount)) for part in ratio.denominator] == [
        ("Sales of February 2026, 28 days", 40_000),
        ("Sales of January 2026, 31 days", 50_000),
    ]


def test_a_month_without_sales_is_counted_through() -> None:
    ratio = compute_count_back_days(sales_books(sold(12, 31_000, year=2025), sold(2, 10_000, open_balance=10_500)))

    assert ratio.value == Decimal("59.5")  # 28 + 31 + 0.5


def test_sales_of_the_running_month_are_no_whole_month() -> None:
    running = (*three_months().invoices, sold(3, 9_000, on=1))

    assert compute_count_back_days(sales_books(*running)).value == Decimal("32.3")


@pytest.mark.parametrize(("open_balance", "days", "is_more_than"), [(135_000, "90.0", False), (135_001, "90.0", True)])
def test_when_more_is_owed_than_was_ever_sold_the_days_are_a_least(
    open_balance: int, days: str, is_more_than: bool
) -> None:
    ratio = compute_count_back_days(three_months(open_balance))

    assert (str(ratio.value), ratio.is_more_than) == (days, is_more_than)


def test_months_whose_sales_are_only_partly_read_are_not_counted_back() -> None:
    """Closed invoices reach back to a day of January 2025; of that month only open ones are there."""
    ratio = compute_count_back_days(sales_books(sold(1, 500, year=2025, open_balance=500), sold(2, 100)))

    assert (str(ratio.value), ratio.is_more_than) == ("28.0", True)


def test_void_invoices_are_no_sales() -> None:
    given_books = sales_books(sold(2, 1_000, open_balance=500), sold(2, 9_000, is_void=True))

    assert compute_count_back_days(given_books).value == 14


def test_nobody_owes_anything() -> None:
    ratio = compute_count_back_days(sales_books(sold(2, 1_000)))

    assert ratio.value == 0
    assert ratio.denominator == ()


def test_what_is_owed_without_any_sale_on_record_has_no_days() -> None:
    running = sales_books(sold(3, 900, on=1, open_balance=900))

    assert compute_count_back_days(running).value is None
    assert compute_sales_days(running).value is None


def test_days_of_bills_over_the_last_full_months() -> None:
    """34,500 ÷ 108,000 × 90 = 28.75, rounded half up; the Sample's credit of 1,500 is taken off its bill."""
    open_ones = [
        bill(name, total, document_date=date(2026, 2, 10), due_date=date(2026, 3, 12)) for name, total in OPEN.items()
    ]
    paid = bill("P", 73_500, document_date=date(2025, 12, 3), open_balance=amount(0))
    ratio = compute_payables_days(make_books(bills=(*open_ones, paid)))

    assert ratio.value == Decimal("28.8")
    assert [part.amount.amount for part in ratio.numerator] == [34_500]
    assert sum(part.amount.amount for part in ratio.denominator) == 108_000


def test_the_sample_can_pay_what_is_owed_within_a_year() -> None:
    """(51,200 + 45,000) ÷ (34,500 + 6,400 + 9,000 + 2,100 + 5,000)."""
    sample = sample_books()
    accrued = (owing(AccountKind.PAYROLL_LIABILITY, -9_000), owing(AccountKind.SALES_TAX_PAYABLE, -2_100))
    given_books = amend_settings(
        amend_books(sample, accounts=(*sample.accounts, *accrued)), loans_due_within_year=amount(5_000)
    )

    ratio = compute_quick_ratio(given_books)

    assert ratio.value == Decimal("1.69")
    assert [(part.label, int(part.amount.amount)) for part in ratio.numerator] == [
        ("Opening cash", 51_200),
        ("Open invoices less credits", 45_000),
    ]
    assert {part.label: part.amount.amount for part in ratio.denominator} == {
        "Open bills less credits": 34_500,
        "Credit cards": 6_400,
        "Accrued payroll": 9_000,
        "Sales tax": 2_100,
        "Loans due within a year": 5_000,
    }


@pytest.mark.parametrize(
    ("kind", "balance", "owed"),
    [
        (AccountKind.OTHER_CURRENT_LIABILITY, -500, 500),
        (AccountKind.OTHER_CURRENT_LIABILITY, 500, 0),  # in debit: nothing is owed
        (AccountKind.LONG_TERM_LIABILITY, -500, 0),  # only what the settings name is due within a year
        (AccountKind.OTHER_CURRENT_ASSET, -500, 0),
    ],
)
def test_accounts_that_the_chart_calls_current_are_due_within_a_year(
    kind: AccountKind, balance: int, owed: int
) -> None:
    given_books = make_books()
    ratio = compute_quick_ratio(amend_books(given_books, accounts=(*given_books.accounts, owing(kind, balance))))

    assert sum(part.amount.amount for part in ratio.denominator) == owed


def test_without_anything_owed_there_is_no_quick_ratio() -> None:
    assert compute_quick_ratio(make_books()).value is None


def test_amounts_without_a_rate_stay_out_of_both_sides() -> None:
    foreign = sold(2, 70_000, open_balance=70_000, currency="EUR")

    assert compute_sales_days(sales_books(*three_months().invoices, foreign)).value == Decimal("31.3")


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(given_books: Books, random: Random) -> None:
    assert compute_ratios(shuffle_books(given_books, random)) == compute_ratios(given_books)


@given(books())
def test_days_are_never_negative_and_the_period_is_told(given_books: Books) -> None:
    for ratio in compute_ratios(given_books)[:3]:
        assert ratio.value is None or ratio.value >= 0
        assert ratio.period_days is None or ratio.first_day == given_books.as_of.replace(day=1) - timedelta(
            days=ratio.period_days
        )
