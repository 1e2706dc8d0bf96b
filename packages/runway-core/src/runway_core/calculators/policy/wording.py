"""Words that reasons share: amounts with their currency, days with their year."""

from datetime import date
from decimal import Decimal
from functools import lru_cache

from runway_core.domain.money import write_money


def say_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, rounded to what people write."""
    return write_money(amount, currency)


@lru_cache(maxsize=1024)
def say_day(day: date) -> str:
    """A day for a sentence: "Thu 19 Mar 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def say_days(count: int) -> str:
    """A number of days."""
    return f"{count} day" if count == 1 else f"{count} days"
