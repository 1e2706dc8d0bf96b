"""Rules that look at cash: what may leave, and what must stay."""

from decimal import Decimal

import pytest
from runway_core.calculators.policy.judge import Payment, judge_payments
from runway_core.domain.company import SeriesKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.policy import DEFAULT_POLICY, Earmark, Role, RuleName, Ruling
from runway_core.errors import InvalidRequest

from tests.core.policy.policy_making import (
    READ_AT,
    account,
    amount,
    ask,
    bill,
    books_with,
    day,
    ground_of,
    payroll,
)


@pytest.mark.parametrize(
    ("cash", "ruling"),
    [(1100, Ruling.ALLOW), (1099, Ruling.NEED_APPROVAL), (1000, Ruling.NEED_APPROVAL), (999, Ruling.BLOCK)],
)
def test_minimum_cash_is_the_buffer_and_never_below_nil(cash: int, ruling: Ruling) -> None:
    books = books_with(cash, bill(total=1000), buffer=amount(100))

    result = ask(RuleName.MINIMUM_CASH, books, on=day(10))

    assert result.ruling is ruling
    assert result.roles == ((Role.OWNER,) if ruling is Ruling.NEED_APPROVAL else ())
    assert bool(result.remedy) == (ruling is not Ruling.ALLOW)


def test_the_gap_is_named_and_the_payment_goes_where_cash_is_low_without_it_too() -> None:
    books = books_with(500, bill(total=100), bill("other", 900), buffer=amount(200))

    result = ask(RuleName.MINIMUM_CASH, books, on=day(25))

    assert result.ruling is Ruling.WARN
    assert "500.00 USD below nil" in result.reason
    assert "400.00 USD without this payment" in result.reason.replace("\N{MINUS SIGN}", "")


def test_minimum_cash_looks_28_days_ahead() -> None:
    books = books_with(500, bill(total=1000, due_date=day(27)))

    assert ask(RuleName.MINIMUM_CASH, books, on=day(25)).ruling is Ruling.BLOCK
    assert ask(RuleName.MINIMUM_CASH, books, on=day(28)).ruling is Ruling.ALLOW


def test_minimum_cash_can_be_days_of_outflow() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"minimum_cash_days": 10})
    books = books_with(5000, bill(total=1000), policy=policy, buffer=amount(100))
    spent = tuple(
        books.bill_payments[0].model_copy(update={"external_id": f"P{n}", "document_date": day(-30 * n), "total": t})
        for n, t in ((1, amount(30_000)), (2, amount(30_000)), (3, amount(30_000)), (4, amount(1)))
    )

    books = books_with(5000, bill(total=1000), policy=policy, buffer=amount(100), bill_payments=spent)

    assert ground_of(books).floor == Decimal("10000.0000")


def test_a_batch_is_judged_as_a_whole() -> None:
    bills = (bill("B1", 600, due_date=day(60)), bill("B2", 600, due_date=day(60)))
    ground = ground_of(books_with(1000, *bills))
    both = [Payment("B1", day(9), amount(600)), Payment("B2", day(10), amount(600))]

    alone = [judge_payments(ground, [payment])[0].ruling for payment in both]
    together = [judged.ruling for judged in judge_payments(ground, both)]

    assert Ruling.BLOCK not in alone
    assert together == [Ruling.BLOCK, Ruling.BLOCK]


def test_a_part_leaves_the_rest_where_it_was() -> None:
    books = books_with(500, bill(total=1000, due_date=day(60)))

    assert ask(RuleName.MINIMUM_CASH, books, on=day(10), part=500).ruling is Ruling.ALLOW
    assert ask(RuleName.MINIMUM_CASH, books, on=day(10), part=501).ruling is Ruling.BLOCK


@pytest.mark.parametrize(("total", "message"), [("0", "is none"), ("-5", "is none"), ("1001", "more than")])
def test_an_amount_that_cannot_be_paid_is_refused(total: str, message: str) -> None:
    ground = ground_of(books_with(5000, bill(total=1000)))

    with pytest.raises(InvalidRequest, match=message):
        judge_payments(ground, [Payment("B", day(3), amount(total))])


def test_a_bill_that_is_not_open_is_not_paid() -> None:
    with pytest.raises(InvalidRequest, match="not open"):
        judge_payments(ground_of(books_with(5000, bill())), [Payment("gone", day(3), amount(1))])


@pytest.mark.parametrize(("payday", "ruling"), [(14, Ruling.BLOCK), (15, Ruling.ALLOW), (8, Ruling.ALLOW)])
def test_payroll_of_two_weeks_stays_covered(payday: int, ruling: Ruling) -> None:
    books = books_with(1000, bill(total=200, due_date=day(60)), series=(payroll(day(payday), 900),))

    assert ask(RuleName.PAYROLL_COVER, books, on=day(9)).ruling is ruling


def test_a_payroll_that_is_not_covered_anyway_comes_before_other_bills() -> None:
    books = books_with(100, bill(total=50, due_date=day(60)), series=(payroll(day(8), 900),))

    before = ask(RuleName.PAYROLL_COVER, books, on=day(7))
    after = ask(RuleName.PAYROLL_COVER, books, on=day(9))

    assert (before.ruling, after.ruling) == (Ruling.BLOCK, Ruling.ALLOW)
    assert "850.00 USD" in before.reason


@pytest.mark.parametrize(("cash", "ruling"), [(1300, Ruling.ALLOW), (1299, Ruling.BLOCK)])
def test_collected_tax_is_not_spent(cash: int, ruling: Ruling) -> None:
    tax = account("tax", AccountKind.SALES_TAX_PAYABLE, -300)
    books = books_with(cash, bill(total=1000), accounts=(tax,))

    assert ask(RuleName.TAX_RESERVE, books, on=day(10)).ruling is ruling


def test_tax_is_kept_until_it_is_paid_and_on_an_account_apart_it_is_kept_already() -> None:
    tax = account("tax", AccountKind.PAYROLL_LIABILITY, -300)
    apart = account("trust", AccountKind.BANK, 300)
    due = payroll(day(9), 300, series_kind=SeriesKind.PAYROLL_TAX)

    after_paying = books_with(1000, bill(total=600), accounts=(tax,), series=(due,))
    kept_apart = books_with(1000, bill(total=1000), accounts=(tax, apart), excluded_account_ids=("trust",))

    assert ask(RuleName.TAX_RESERVE, after_paying, on=day(10)).ruling is Ruling.ALLOW
    assert ask(RuleName.TAX_RESERVE, kept_apart, on=day(10)).ruling is Ruling.ALLOW


def test_paying_the_tax_is_what_it_is_kept_for() -> None:
    tax = account("tax", AccountKind.SALES_TAX_PAYABLE, -300)
    books = books_with(300, bill(total=300, vendor_name="Department of Revenue", vendor_id=None), accounts=(tax,))

    assert ask(RuleName.TAX_RESERVE, books, on=day(10)).ruling is Ruling.ALLOW


@pytest.mark.parametrize(("cash", "ruling"), [(1500, Ruling.ALLOW), (1499, Ruling.BLOCK)])
def test_money_kept_for_one_bill_is_gone_for_the_others(cash: int, ruling: Ruling) -> None:
    kept = Earmark(paper_id="E", changed_at=READ_AT, changed_by="ada", bill_id="roof", amount=amount(500))
    bills = (bill(total=1000), bill("roof", 500, due_date=day(40)))
    books = books_with(cash, *bills, earmarks=(kept,))

    assert ask(RuleName.EARMARK, books, on=day(10)).ruling is ruling
    assert ask(RuleName.EARMARK, books, on=day(10), bill_id="roof").ruling is Ruling.ALLOW


def test_an_earmark_of_a_bill_that_is_paid_keeps_nothing() -> None:
    kept = Earmark(paper_id="E", changed_at=READ_AT, changed_by="ada", bill_id="roof", amount=amount(500))
    books = books_with(1000, bill(total=1000), earmarks=(kept,))

    assert ask(RuleName.EARMARK, books, on=day(10)).ruling is Ruling.ALLOW
