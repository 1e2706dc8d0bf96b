"""In which order vendors are paid."""

from typing import Any

import pytest
from runway_core.calculators.payables import compute_payables
from runway_core.calculators.policy.vendor_tiers import VendorTiers
from runway_core.domain.bills import Bill
from runway_core.domain.company import SeriesKind
from runway_core.domain.ledger import AccountKind
from runway_core.domain.policy import DEFAULT_POLICY, Policy, VendorTier
from runway_testkit.books_making import line

from tests.core.policy.policy_making import account, bill, books_with, day, payroll


def tier_of(one: Bill, *, policy: Policy = DEFAULT_POLICY, **more: Any) -> VendorTier:
    books = books_with(100, one, policy=policy, **more)
    return VendorTiers(books, policy).tier_of(compute_payables(books)[0])


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("Texas Comptroller", VendorTier.HELD_FOR_OTHERS),
        ("IRS", VendorTier.HELD_FOR_OTHERS),
        ("First Street Insurance", VendorTier.CRITICAL),
        ("City Water & Power", VendorTier.CRITICAL),
        ("Powers & Sons", VendorTier.STANDARD),
        ("Release Studio", VendorTier.STANDARD),
        ("Ada Ltd", VendorTier.STANDARD),
    ],
)
def test_a_name_tells_by_whole_words(name: str, tier: VendorTier) -> None:
    assert tier_of(bill(vendor_id=None, vendor_name=name)) is tier


@pytest.mark.parametrize(
    ("kind", "name", "tier"),
    [
        (AccountKind.SALES_TAX_PAYABLE, "Board of equalisation", VendorTier.HELD_FOR_OTHERS),
        (AccountKind.LONG_TERM_LIABILITY, "Van", VendorTier.CRITICAL),
        (AccountKind.EXPENSE, "Rent", VendorTier.CRITICAL),
        (AccountKind.EXPENSE, "Meals", VendorTier.DISCRETIONARY),
    ],
)
def test_the_account_of_the_largest_line_tells(kind: AccountKind, name: str, tier: VendorTier) -> None:
    owed = bill(lines=(line(10, "expenses"), line(90, "told")))

    assert tier_of(owed, accounts=(account("told", kind, name=name),)) is tier
    assert tier_of(
        bill(lines=(line(90, "expenses"), line(10, "told"))), accounts=(account("told", kind, name=name),)
    ) is (VendorTier.STANDARD)


def test_a_series_tells_its_vendor() -> None:
    rent = payroll(day(5), 100, series_kind=SeriesKind.RENT, vendor_id="V1")

    assert tier_of(bill(), series=(rent,)) is VendorTier.CRITICAL


def test_long_late_or_with_a_penalty_is_pressing() -> None:
    penalty = DEFAULT_POLICY.model_copy(update={"late_fee_monthly": {"V1": 1}})

    assert tier_of(bill(due_date=day(-60))) is VendorTier.STANDARD
    assert tier_of(bill(due_date=day(-61))) is VendorTier.PRESSING
    assert tier_of(bill(), policy=penalty) is VendorTier.PRESSING


def test_what_the_policy_says_of_a_vendor_is_final() -> None:
    policy = DEFAULT_POLICY.model_copy(update={"vendor_tiers": {"V1": VendorTier.DISCRETIONARY}})

    assert tier_of(bill(due_date=day(-61)), policy=policy) is VendorTier.DISCRETIONARY
