"""How far from their expected days documents are really settled, and what that moves between the weeks to come.

A document is expected on one day, the likeliest. Of many, some come earlier and more come later, for habits have long
tails; so what is known for the coming weeks would be too much, week after week. The spread of past documents about
their own expected days says how much. It is added to the weeks as one sum each; no document is moved.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from runway_core.calculators.calendar import ONE_DAY, monday_of
from runway_core.domain.money import AMOUNT_STEP, ZERO

LEAST_DOCUMENTS = 40
"""With fewer settled documents chance would move money about."""

LEAST_LEFT = 10
"""A document so late that fewer past ones were as late stays on its own day."""


class Placed(NamedTuple):
    """An open document, amount positive in home currency."""

    base: date  # the day habit says, whatever today is
    on: date  # the day the outlook has it
    home: Decimal


class Delay(NamedTuple):
    """How late one document was settled, in days after its due date."""

    paid: int  # as habits count it
    there: int  # until the money was in a deposit account


def find_misses(delays: Mapping[str, Sequence[Delay]], *, lean: Fraction, weight: int) -> list[int]:
    """How many days the money came after the day that the other documents of its party would have said, in order.

    `lean` is the delay that few facts lean on, counted `weight` times.
    """
    misses: list[int] = []
    leaning = 2 * weight * lean.numerator
    for days in delays.values():
        by_age = sorted(days)
        ordered = [delay.paid for delay in by_age]
        count = len(ordered) - 1
        divisor = 2 * lean.denominator * (count + weight)
        for place, delay in enumerate(by_age):
            own = count * _double_median_without(ordered, place) * lean.denominator if count else 0
            # Whole numbers, halves up: there may be thousands.
            late = (2 * (own + leaning) + divisor) // (2 * divisor) if divisor else 0
            misses.append(delay.there - late)
    return sorted(misses)


def spread(placed: Iterable[Placed], misses: Sequence[int], *, as_of: date, last: date) -> dict[date, Decimal]:
    """What each week, named by its Monday, gains or loses against the documents' own days; home currency.

    Amounts that past misses put behind `last` leave the horizon. Empty with too few misses.
    """
    if len(misses) < LEAST_DOCUMENTS:
        return {}
    moved: dict[date, Decimal] = {}
    by_base: dict[date, Decimal] = {}
    for document in placed:
        if len(misses) - _count_until(misses, document.base, as_of - ONE_DAY) >= LEAST_LEFT:
            by_base[document.base] = by_base.get(document.base, ZERO) + document.home
            if document.on <= last:
                monday = monday_of(document.on)
                moved[monday] = moved.get(monday, ZERO) - document.home
    sundays = _list_sundays(as_of, last)
    for base, home in by_base.items():
        before = _count_until(misses, base, as_of - ONE_DAY)
        left, given = len(misses) - before, ZERO
        for monday, sunday in sundays:
            # What is settled by the end of the week, less what is by its start: rounding loses nothing in between.
            settled = (home * (_count_until(misses, base, sunday) - before) / left).quantize(AMOUNT_STEP)
            if settled != given:
                moved[monday] = moved.get(monday, ZERO) + settled - given
                given = settled
    return {monday: amount for monday, amount in sorted(moved.items()) if amount}


def _list_sundays(as_of: date, last: date) -> list[tuple[date, date]]:
    """The Mondays from the one of today on, each with the last day of its week that counts."""
    weeks: list[tuple[date, date]] = []
    monday = monday_of(as_of)
    while monday <= last:
        weeks.append((monday, min(monday + 6 * ONE_DAY, last)))
        monday += 7 * ONE_DAY
    return weeks


def _count_until(misses: Sequence[int], base: date, day: date) -> int:
    return bisect_right(misses, (day - base).days)


def _double_median_without(ordered: Sequence[int], place: int) -> int:
    """Twice the median of all but the one at `place`; there are two or more."""
    count = len(ordered) - 1
    low, high = (count - 1) // 2, count // 2
    return ordered[low + (low >= place)] + ordered[high + (high >= place)]
