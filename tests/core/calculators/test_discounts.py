from decimal import Decimal

import pytest
from runway_core.calculators.discounts import (
    BANK_YEAR_DAYS,
    compute_compounded_rate,
    compute_discount_rate,
    compute_late_fee,
    compute_term_rate,
)
from runway_core.domain.parties import Term

TWO_PERCENT = Decimal("0.02")


def test_two_ten_net_thirty_a_year() -> None:
    """37.24 % simple, 44.59 % compounded, 36.73 % on a bank's year."""
    assert compute_discount_rate(TWO_PERCENT, discount_days=10, net_days=30) == Decimal("0.3724")
    assert compute_compounded_rate(TWO_PERCENT, discount_days=10, net_days=30) == Decimal("0.4459")
    assert compute_discount_rate(TWO_PERCENT, discount_days=10, net_days=30, year_days=BANK_YEAR_DAYS) == Decimal(
        "0.3673"
    )


@pytest.mark.parametrize(
    ("discount", "discount_days", "net_days"),
    [("0.02", 30, 30), ("0.02", 31, 30), ("0", 10, 30), ("-0.01", 10, 30), ("1", 10, 30)],
)
def test_paying_no_earlier_or_for_nothing_has_no_rate(discount: str, discount_days: int, net_days: int) -> None:
    assert compute_discount_rate(Decimal(discount), discount_days=discount_days, net_days=net_days) is None
    assert compute_compounded_rate(Decimal(discount), discount_days=discount_days, net_days=net_days) is None


def test_terms_tell_their_own_rate() -> None:
    offering = Term(external_id="T", name="2/10 net 30", due_days=30, discount_percent=Decimal(2), discount_days=10)

    assert compute_term_rate(offering) == Decimal("0.3724")
    assert compute_term_rate(Term(external_id="T", name="Net 30", due_days=30)) is None


def test_fourteen_days_late_at_one_and_a_half_a_month() -> None:
    fee = compute_late_fee(Decimal(8_000), monthly_rate=Decimal("0.015"), days_late=14, currency="USD")

    assert fee == Decimal("56.00")


@pytest.mark.parametrize(
    ("days_late", "currency", "fee"), [(0, "USD", "0"), (-3, "USD", "0"), (1, "USD", "0.51"), (1, "JPY", "1")]
)
def test_a_fee_is_rounded_half_up_to_the_currency_s_cents(days_late: int, currency: str, fee: str) -> None:
    """1,010 at 1.5 % for one day of thirty is 0.505."""
    asked = compute_late_fee(Decimal(1_010), monthly_rate=Decimal("0.015"), days_late=days_late, currency=currency)

    assert asked == Decimal(fee)
