"""What paying early earns and paying late costs: a discount as a yearly rate, and the fee for days late."""

from decimal import ROUND_HALF_UP, Decimal

from runway_core.domain.money import round_to_minor
from runway_core.domain.parties import Term

YEAR_DAYS = 365
BANK_YEAR_DAYS = 360
_MONTH_DAYS = 30
_STEP = Decimal("0.0001")


def compute_discount_rate(
    discount: Decimal, *, discount_days: int, net_days: int, year_days: int = YEAR_DAYS
) -> Decimal | None:
    """What forgoing a discount costs a year, simple, as a share: 2/10 net 30 is 0.3724, and 0.3673 on a 360-day year.

    `discount` is a share of the bill, 0.02 for 2 %. `None` when paying early is not earlier, or nothing is given.
    """
    if not 0 < discount < 1 or net_days <= discount_days:
        return None
    return _round(discount / (1 - discount) * year_days / (net_days - discount_days))


def compute_compounded_rate(discount: Decimal, *, discount_days: int, net_days: int) -> Decimal | None:
    """The same with each saving laid out again, on a year of 365 days: 2/10 net 30 is 0.4459."""
    if not 0 < discount < 1 or net_days <= discount_days:
        return None
    periods = Decimal(YEAR_DAYS) / (net_days - discount_days)
    return _round((1 + discount / (1 - discount)) ** periods - 1)


def compute_term_rate(term: Term) -> Decimal | None:
    """The simple yearly rate of payment terms that offer a discount; `None` where they offer none."""
    if term.discount_percent is None or term.discount_days is None or term.due_days is None:
        return None
    share = term.discount_percent / 100
    return compute_discount_rate(share, discount_days=term.discount_days, net_days=term.due_days)


def compute_late_fee(balance: Decimal, *, monthly_rate: Decimal, days_late: int, currency: str) -> Decimal:
    """The fee for `days_late` at a rate a month of thirty days, rounded half up; nil when not late."""
    if days_late <= 0 or balance <= 0:
        return Decimal(0)
    return round_to_minor(balance * monthly_rate * days_late / _MONTH_DAYS, currency)


def _round(share: Decimal) -> Decimal:
    return share.quantize(_STEP, rounding=ROUND_HALF_UP)
