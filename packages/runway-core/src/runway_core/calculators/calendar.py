"""Business days, weeks and months.

Business days are those of the Federal Reserve: a holiday on Sunday moves to Monday, one on Saturday moves nowhere, so
that Friday 3 July 2026 is a business day.
"""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

from holidays.financial.federal_reserve import FederalReserve

ONE_DAY = timedelta(days=1)
_CALENDAR_YEARS = range(1950, 2200)  # outside of these, books hold typing errors and only weekends are told


@lru_cache(maxsize=512)
def _bank_holidays(year: int) -> frozenset[date]:
    if year not in _CALENDAR_YEARS:
        return frozenset()
    return frozenset(FederalReserve(years=year))  # type: ignore[no-untyped-call]  # holidays types no constructors


@lru_cache(maxsize=8192)
def is_business_day(day: date) -> bool:
    """Whether banks move money on `day`."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


@lru_cache(maxsize=8192)
def roll_forward(day: date) -> date:
    """`day` itself if it is a business day, else the next one: where money due on `day` moves."""
    while not is_business_day(day) and day < date.max:
        day += ONE_DAY
    return day


@lru_cache(maxsize=8192)
def add_business_days(day: date, count: int) -> date:
    """Count `count` business days on from `day`, or back when negative. Nil is `day` itself."""
    step = ONE_DAY if count > 0 else -ONE_DAY
    left = abs(count)
    while left and date.min < day < date.max:
        day += step
        left -= is_business_day(day)
    return day


def add_days(day: date, count: int) -> date:
    """Count calendar days on, stopping at the ends of the calendar instead of failing on a typing error's date."""
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return date.max if count > 0 else date.min


def monday_of(day: date) -> date:
    """The Monday of the week that holds `day`."""
    return add_days(day, -day.weekday())


def first_of_month(day: date) -> date:
    """The first day of the month that holds `day`."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month that holds `day`."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, count: int) -> date:
    """The same day `count` months on, or the month's last day where it has no such day."""
    months = day.year * 12 + day.month - 1 + count
    year, month = divmod(months, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if count > 0 else date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_before(day: date, count: int) -> list[date]:
    """The first days of the `count` whole months before the month of `day`, oldest first."""
    first = first_of_month(day)
    return [add_months(first, -back) for back in range(count, 0, -1)]
