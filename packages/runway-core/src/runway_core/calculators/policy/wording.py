"""Words that reasons share: amounts with their currency, days with their year."""

from datetime import date
from decimal import Decimal

from runway_core.domain.money import Money


def say_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, rounded to what people write."""
    return str(Money(amount=amount, currency=currency))


def say_day(day: date) -> str:
    """A day for a sentence: "Thu 19 Mar 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def say_days(count: int) -> str:
    """A number of days."""
    return f"{count} day" if count == 1 else f"{count} days"
