"""Rules about days: when payments go, how old figures may be, what early payment earns and how late is too late."""

from datetime import date, timedelta

import pytest
from runway_core.domain.bank import BankBalance
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.parties import Term
from runway_core.domain.policy import DEFAULT_POLICY, RuleName, Ruling, VendorTier
from runway_testkit.books_making import connection

from tests.core.policy.policy_making import READ_AT, THURSDAY, TUESDAY, amount, ask, bill, books_with, day, paid


def test_a_day_that_is_none_for_payments_moves_to_the_one_before() -> None:
    friday = THURSDAY + timedelta(days=1 + 5)  # released on Friday by ACH

    result = ask(RuleName.PAYMENT_DAYS, books_with(5000, bill()), on=friday)

    assert result.ruling is Ruling.WARN
    assert result.moves_to == day(8)  # Tuesday 10 March: released on Thursday 5 March


def test_where_no_payment_day_is_left_before_it_moves_to_the_next() -> None:
    result = ask(RuleName.PAYMENT_DAYS, books_with(5000, bill()), on=day(3))  # would have to be released on Monday

    assert result.moves_to == day(4)  # Tuesday's release arrives on Friday
    assert ask(RuleName.PAYMENT_DAYS, books_with(5000, bill()), on=day(4)).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("method", "on"),
    [(PaymentMethod.CARD, TUESDAY), (PaymentMethod.TRANSFER, day(4)), (PaymentMethod.CHECK, day(8))],
)
def test_the_way_it_is_paid_says_how_long_it_takes(method: PaymentMethod, on: date) -> None:
    policy = DEFAULT_POLICY.model_copy(update={"payment_methods": {"V1": method}})
    books = books_with(5000, bill(), policy=policy)

    assert ask(RuleName.PAYMENT_DAYS, books, on=on).ruling is Ruling.ALLOW


def test_a_vendor_last_paid_by_card_is_paid_at_once() -> None:
    books = books_with(5000, bill(), bill_payments=(paid("V1", method=PaymentMethod.CARD),))

    assert ask(RuleName.PAYMENT_DAYS, books, on=TUESDAY).ruling is Ruling.ALLOW


@pytest.mark.parametrize(
    ("ledger_hours", "bank_hours", "ruling"),
    [
        (4, 24, Ruling.ALLOW),
        (5, 24, Ruling.WARN),
        (4, 25, Ruling.WARN),
        (72, 72, Ruling.WARN),
        (73, 1, Ruling.BLOCK),
        (1, 73, Ruling.BLOCK),
        (1, None, Ruling.ALLOW),
    ],
)
def test_nobody_pays_on_old_figures(ledger_hours: int, bank_hours: int | None, ruling: Ruling) -> None:
    balances = () if bank_hours is None else (bank_hours,)
    books = books_with(
        5000,
        bill(),
        connections=(connection(source_read_at=READ_AT - timedelta(hours=ledger_hours)),),
        bank_balances=tuple(
            BankBalance(
                account_id="bank", currency="USD", posted=amount(5000), read_at=READ_AT - timedelta(hours=hours)
            )
            for hours in balances
        ),
    )

    assert ask(RuleName.DATA_AGE, books, on=day(10)).ruling is ruling


def test_books_that_were_never_read_pay_nothing() -> None:
    assert ask(RuleName.DATA_AGE, books_with(5000, bill(), connections=()), on=day(10)).ruling is Ruling.BLOCK


_TERM = Term(external_id="2/10", name="2/10 net 30", due_days=30, discount_percent=amount(2), discount_days=10)


@pytest.mark.parametrize(
    ("cash", "percent", "ruling"),
    [(5000, "2", Ruling.WARN), (5000, "0.9", Ruling.ALLOW), (50, "2", Ruling.ALLOW)],
    ids=["worth taking", "worth less than the hurdle", "minimum cash would not hold"],
)
def test_a_discount_that_pays_proposes_the_early_day(cash: int, percent: str, ruling: Ruling) -> None:
    term = _TERM.model_copy(update={"discount_percent": amount(percent)})
    owed = bill(document_date=day(0), due_date=day(30), term_id=term.external_id)

    result = ask(RuleName.DISCOUNT, books_with(cash, owed, terms=(term,)), on=day(30))

    assert result.ruling is ruling
    # Ten days on is Thursday 12 March: released by ACH on Monday, and so on the payment day before.
    assert result.moves_to == (day(8) if ruling is Ruling.WARN else None)


def test_a_discount_that_cannot_be_reached_any_more_is_not_held_out() -> None:
    owed = bill(document_date=day(-8), due_date=day(22), term_id=_TERM.external_id)

    result = ask(RuleName.DISCOUNT, books_with(5000, owed, terms=(_TERM,)), on=day(20))

    assert (result.ruling, result.moves_to) == (Ruling.ALLOW, None)


@pytest.mark.parametrize(
    ("tier", "late", "ruling"),
    [
        (VendorTier.HELD_FOR_OTHERS, 1, Ruling.BLOCK),
        (VendorTier.CRITICAL, 1, Ruling.NEED_APPROVAL),
        (VendorTier.STANDARD, 3, Ruling.ALLOW),
        (VendorTier.STANDARD, 4, Ruling.NEED_APPROVAL),
        (VendorTier.DISCRETIONARY, 7, Ruling.ALLOW),
        (VendorTier.DISCRETIONARY, 8, Ruling.NEED_APPROVAL),
    ],
)
def test_how_late_a_vendor_waits_goes_by_its_tier(tier: VendorTier, late: int, ruling: Ruling) -> None:
    policy = DEFAULT_POLICY.model_copy(update={"vendor_tiers": {"V1": tier}})
    due = day(14 + 4 - late % 7)  # so that the day it arrives is a business day
    books = books_with(5000, bill(due_date=due), policy=policy)
    arrives = due + timedelta(days=late)

    result = ask(RuleName.LATE_TOLERANCE, books, on=arrives)

    assert result.ruling is ruling


def test_a_bill_that_is_late_already_counts_from_the_first_day_it_can_arrive() -> None:
    books = books_with(5000, bill(due_date=day(-40)))

    assert ask(RuleName.LATE_TOLERANCE, books, on=day(4)).ruling is Ruling.ALLOW
    assert ask(RuleName.LATE_TOLERANCE, books, on=day(4 + 7)).ruling is Ruling.NEED_APPROVAL
