"""What changed cash: opening cash then, causes, and opening cash now, to the cent."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.cash import compute_cash
from runway_core.calculators.cash_changes import explain_cash
from runway_core.domain.bills import BillPayment, PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashChange, CashThen
from runway_core.domain.documents import DocumentLine, LineKind
from runway_core.domain.invoices import CustomerPayment
from runway_core.domain.ledger import Account, AccountKind, Deposit, Transfer
from runway_core.domain.money import Money
from runway_testkit.books_making import amount, day, make_books, moment
from runway_testkit.books_strategies import books, shuffle_books


def then(opening: int | str, *, days_ago: int = 7) -> CashThen:
    return CashThen(
        as_of=day(-days_ago), read_at=moment(-days_ago), opening=Money(amount=amount(opening), currency="USD")
    )


def account(external_id: str, balance: int, kind: AccountKind = AccountKind.BANK) -> Account:
    return Account(
        external_id=external_id, name=external_id, full_name=external_id, account_kind=kind, account_type=kind.value,
        currency="USD", balance=amount(balance),
    )  # fmt: skip


def paid(external_id: str, total: int, *, on: int, entered: int | None = None, vendor: str = "Ada Ltd") -> BillPayment:
    return BillPayment(
        external_id=external_id, vendor_id="V1", vendor_name=vendor, document_date=day(on), currency="USD",
        total=amount(total), account_id="bank", created_at=moment(on if entered is None else entered),
        method=PaymentMethod.CHECK,
    )  # fmt: skip


def received(external_id: str, total: int, *, on: int) -> CustomerPayment:
    return CustomerPayment(
        external_id=external_id, customer_id="C1", customer_name="Bo Inc", document_date=day(on), currency="USD",
        total=amount(total), unapplied=amount(0), account_id="bank", created_at=moment(on),
    )  # fmt: skip


def explain(since: CashThen, **records: Any) -> CashChange:
    made = make_books(**records)
    return explain_cash(made, since)


def said(change: CashChange) -> list[tuple[str, Decimal, int]]:
    return [(cause.label, cause.amount.amount, cause.count) for cause in change.causes]


def test_large_movements_are_named_and_many_small_ones_share_a_line() -> None:
    change = explain(
        then(10_000),
        accounts=(account("bank", 12_400),),
        customer_payments=(received("R", 5_000, on=-2),),
        bill_payments=(
            paid("rent", 2_000, on=-3, vendor="Hill Estates"),
            *(paid(f"P{n}", 100, on=-1) for n in range(6)),
        ),
    )

    assert said(change) == [
        ("Received from customers: Bo Inc, 2026-02-28", Decimal(5_000), 1),
        ("Bills paid: Hill Estates, 2026-02-27", Decimal(-2_000), 1),
        ("Bills paid", Decimal(-600), 6),
    ]
    assert (change.difference.amount, change.unexplained.amount) == (amount(2_400), amount(0))
    assert change.causes[0].record is not None
    assert change.causes[2].record is None


def test_a_payment_entered_late_counts_though_its_day_was_told_before() -> None:
    backdated = paid("late", 300, on=-20, entered=-2)
    known = paid("known", 300, on=-20)
    change = explain(then(1_000), accounts=(account("bank", 700),), bill_payments=(backdated, known))

    assert said(change) == [("Bills paid: Ada Ltd, 2026-02-10", Decimal(-300), 1)]
    assert change.unexplained.amount == 0


def test_an_entry_for_a_day_to_come_counts_when_that_day_has_come() -> None:
    ahead = paid("ahead", 250, on=-1, entered=-9)
    change = explain(then(1_000), accounts=(account("bank", 750),), bill_payments=(ahead, paid("later", 80, on=3)))

    # The ledger's balance holds the later payment already: 750 - 80, and opening cash leaves it out.
    assert [cause.amount.amount for cause in change.causes] == [-250]


def test_what_nothing_tells_is_unexplained_and_not_spread() -> None:
    change = explain(then(1_000), accounts=(account("bank", 640),), bill_payments=(paid("P", 300, on=-1),))

    assert change.unexplained.amount == -60
    assert [cause.amount.amount for cause in change.causes] == [-300]


def test_money_moved_between_own_accounts_is_no_cause() -> None:
    transfer = Transfer(
        external_id="T", document_date=day(-1), currency="USD", total=amount(400), from_account_id="bank",
        to_account_id="savings", created_at=moment(-1),
    )  # fmt: skip
    change = explain(then(1_000), accounts=(account("bank", 500), account("savings", 500)), transfers=(transfer,))

    assert (change.causes, change.unexplained.amount) == ((), amount(0))


def test_money_lent_and_money_earned_are_told_apart() -> None:
    deposit = Deposit(
        external_id="D", document_date=day(-1), currency="USD", total=amount(900), account_id="bank",
        created_at=moment(-1),
        lines=(
            DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount(600), account_id="loan"),
            DocumentLine(line_kind=LineKind.ACCOUNT, amount=amount(300), account_id="income"),
        ),
    )  # fmt: skip
    change = explain(
        then(0),
        accounts=(account("bank", 900), account("loan", 0, AccountKind.LONG_TERM_LIABILITY)),
        deposits=(deposit,),
    )

    assert [(cause.label.split(",")[0], cause.amount.amount) for cause in change.causes] == [
        ("Loans", amount(600)),
        ("Deposited", amount(300)),
    ]


@given(books(), st.randoms(use_true_random=False), st.integers(1, 60), st.integers(-5_000, 5_000))
def test_causes_and_the_rest_always_sum_to_the_difference(
    any_books: Books, random: Random, days_ago: int, opening: int
) -> None:
    since = CashThen(
        as_of=any_books.as_of - timedelta(days=days_ago),
        read_at=any_books.read_at - timedelta(days=days_ago),
        opening=Money(amount=amount(opening), currency=any_books.home),
    )
    change = explain_cash(any_books, since)
    told = Money.total([cause.amount for cause in change.causes], any_books.home)
    shuffled = shuffle_books(any_books, random)

    assert change.before + told + change.unexplained == change.now == compute_cash(any_books).opening
    assert explain_cash(shuffled, since) == change
