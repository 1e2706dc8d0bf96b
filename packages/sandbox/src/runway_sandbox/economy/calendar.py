"""Days of a company: business days, ISO texts and Pacific offsets, all by day ordinal.

The economy counts days as ordinals (`date.toordinal()`) and moments as seconds, because a large company asks
for them hundreds of thousands of times.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

DAY_SECONDS = 86_400


def _nth_weekday(year: int, month: int, *, weekday: int, nth: int) -> date:
    """Return the `nth` (1-based) `weekday` (Monday 0) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


@lru_cache(maxsize=64)
def federal_reserve_holidays(year: int) -> frozenset[int]:
    """Return the ordinals of the Federal Reserve's holidays; one on a Sunday moves to Monday, one on Saturday stays."""
    last_may = date(year, 5, 31)
    days = [
        date(year, 1, 1),
        _nth_weekday(year, 1, weekday=0, nth=3),
        _nth_weekday(year, 2, weekday=0, nth=3),
        last_may - timedelta(days=last_may.weekday()),
        date(year, 6, 19),
        date(year, 7, 4),
        _nth_weekday(year, 9, weekday=0, nth=1),
        _nth_weekday(year, 10, weekday=0, nth=2),
        date(year, 11, 11),
        _nth_weekday(year, 11, weekday=3, nth=4),
        date(year, 12, 25),
    ]
    return frozenset(day.toordinal() + (1 if day.weekday() == 6 else 0) for day in days)


@lru_cache(maxsize=4096)
def is_business_day(ordinal: int) -> bool:
    """Say whether banks and offices work on the day."""
    day = date.fromordinal(ordinal)
    return day.weekday() < 5 and ordinal not in federal_reserve_holidays(day.year)


@lru_cache(maxsize=4096)
def next_business_day(ordinal: int) -> int:
    """Return the day itself, or the first business day after it."""
    while not is_business_day(ordinal):
        ordinal += 1
    return ordinal


@lru_cache(maxsize=4096)
def next_run_day(ordinal: int, weekdays: tuple[int, int]) -> int:
    """Return the first business day from `ordinal` on that is one of two weekdays, or follows one that is a holiday."""
    while date.fromordinal(ordinal).weekday() not in weekdays:
        ordinal += 1
    return next_business_day(ordinal)


@lru_cache(maxsize=8192)
def iso(ordinal: int) -> str:
    """Return `YYYY-MM-DD`."""
    return date.fromordinal(ordinal).isoformat()


@lru_cache(maxsize=8192)
def month_of(ordinal: int) -> int:
    """Return the month number, 1 to 12."""
    return date.fromordinal(ordinal).month


@lru_cache(maxsize=8192)
def _pacific_offset(ordinal: int) -> str:
    year = date.fromordinal(ordinal).year
    summer = _nth_weekday(year, 3, weekday=6, nth=2).toordinal()
    winter = _nth_weekday(year, 11, weekday=6, nth=1).toordinal()
    return "-07:00" if summer <= ordinal < winter else "-08:00"


def pacific_text(moment: int) -> str:
    """Return a moment (seconds of Pacific wall time since ordinal 0) as the wire writes times.

    Moments lie in office hours, so the two nights in which the offset changes need no care.
    """
    ordinal, second = divmod(moment, DAY_SECONDS)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{iso(ordinal)}T{hour:02d}:{minute:02d}:{second:02d}{_pacific_offset(ordinal)}"


def months_between(first: int, last: int) -> list[tuple[int, int]]:
    """Return (year, month) of every month that has a day in `first..last`."""
    day = date.fromordinal(first)
    end = date.fromordinal(last)
    months = []
    year, month = day.year, day.month
    while (year, month) <= (end.year, end.month):
        months.append((year, month))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months


def ordinal_of(year: int, month: int, day: int) -> int:
    """Return the ordinal of a date; `day` may not exceed 28."""
    return date(year, month, day).toordinal()
