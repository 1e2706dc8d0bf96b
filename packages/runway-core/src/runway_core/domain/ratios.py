"""Ratios that a reader can open: each carries the sums it was made of."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from runway_core.domain.money import Money
from runway_core.domain.record import Value


class RatioKind(StrEnum):
    """Which ratio it is; the value is its name in the API."""

    DAYS_SALES_OUTSTANDING = "days_sales_outstanding"  # over a period
    DAYS_SALES_COUNT_BACK = "days_sales_count_back"  # the preferred one
    DAYS_PAYABLES_OUTSTANDING = "days_payables_outstanding"
    QUICK_RATIO = "quick_ratio"


class RatioUnit(StrEnum):
    """What the number counts."""

    DAYS = "days"  # one decimal
    TIMES = "times"  # two decimals


class RatioPart(Value):
    """One addend of a ratio, home currency."""

    label: str
    amount: Money


class Ratio(Value):
    """One ratio with its parts. `value` is `None` where the denominator is nil: there is nothing to compare with."""

    kind: RatioKind
    unit: RatioUnit
    value: Decimal | None
    is_more_than: bool = False  # receivables exceed all sales on record: "more than so many days"
    numerator: tuple[RatioPart, ...]
    denominator: tuple[RatioPart, ...]
    period_days: int | None = None  # days that the denominator covers
    first_day: date | None = None
    last_day: date | None = None
