"""Sentences that several views share. Plain words, the date beside every number of days, no blame."""

from decimal import Decimal

from runway_core.calculators.freshness import find_source_read_at
from runway_core.domain.books import Books
from runway_core.domain.cash_changes import CashChange
from runway_core.domain.money import Money, round_to_minor
from runway_core.domain.outlook import BEYOND_DAYS, Band, Outlook


def say_days(days: int | None, *, horizon: int = BEYOND_DAYS) -> str:
    """Write a number of days: `32 days`, `1 day`; `None` lies beyond the horizon: `91+ days`."""
    if days is None:
        return f"{horizon}+ days"
    return f"{days} day{'' if days == 1 else 's'}"


def say_reach(books: Books, outlook: Outlook) -> str:
    """Say how far cash reaches: "Covered through 2 Apr, 32 days", "Covered for 91+ days" or "Not covered today".

    Books that were never read whole, or that show no bank account, cannot say; then it is told why.
    """
    runway = outlook.runway
    if find_source_read_at(books) is None:
        return "Never read yet"
    if not runway.is_known:
        return "Cash is not known: no bank account is mirrored"
    if runway.days is None:
        return f"Covered for {say_days(None, horizon=runway.horizon_days)}"
    if runway.days == 0 or runway.covered_through is None:
        return "Not covered today"
    return f"Covered through {runway.covered_through:%-d %b}, {say_days(runway.days)}"


def say_change(change: CashChange | None) -> str:
    """Say how cash moved since it was told, and by what most: "Cash fell by 6800.00 USD since 23 Feb: Bills paid …"."""
    if change is None:
        return "Nothing was told before, so there is nothing to compare with yet"
    difference, since = change.difference, f"{change.since:%-d %b}"
    if not difference.amount:
        return f"Cash is what it was on {since}"
    way = "rose" if difference.amount > 0 else "fell"
    said = f"Cash {way} by {_plain(abs(difference.amount), difference)} since {since}"
    with_it = [cause for cause in change.causes if (cause.amount.amount > 0) == (difference.amount > 0)]
    if not with_it:
        return f"{said}; what moved it is not explained"
    return f"{said}, most of all by {with_it[0].label}: {_plain(with_it[0].amount.amount, difference, sign='+')}"


def _plain(amount: Decimal, money: Money, sign: str = "-") -> str:
    return f"{round_to_minor(amount, money.currency):{sign},f} {money.currency}".replace("-", "\N{MINUS SIGN}")


def say_band(band: Band) -> str:
    """The worst and the best case, as in "23–39"."""
    best = f"{band.best_days}+" if band.best_days >= BEYOND_DAYS else str(band.best_days)
    return f"{band.worst_days}–{best}"
