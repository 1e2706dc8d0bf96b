"""How far from their expected days documents are really settled, and what that moves between the weeks to come.

A document is expected on one day, the likeliest. Of many, some come earlier and more come later, for habits have long
tails; so what is known for the coming weeks would be too much, week after week. The spread of past documents about
their own expected days says how much. It is added to the weeks as one sum each; no document is moved.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from runway_core.calculators.calendar import ONE_DAY, monday_of
from runway_core.domain.money import AMOUNT_STEP

LEAST_DOCUMENTS = 40
"""With fewer settled documents chance would move money about."""

LEAST_LEFT = 10
"""A document so late that fewer past ones were as late stays on its own day,"""

LEAST_OWN_LEFT = 2
"""unless as many of its own party's were: the same that condition its expected day."""


class Placed(NamedTuple):
    """An open document, amount positive in home currency."""

    base: date  # the day habit says, whatever today is
    on: date  # the day the outlook has it
    home: Decimal
    due: date
    own: Sequence[int] = ()  # after how many days past due its party's money was there, in order


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


def spread(
    placed: Iterable[Placed], misses: Sequence[int], *, weight: int, as_of: date, last: date
) -> dict[date, Decimal]:
    """What each week, named by its Monday, gains or loses against the documents' own days; home currency.

    A document is as late as one of its party's, or as the whole's `misses` about its base, which count for `weight` of
    the party's own; those that would have been settled by now are left out. Amounts put behind `last` leave the
    horizon. Empty with too few misses.
    """
    if len(misses) < LEAST_DOCUMENTS:
        return {}
    today, ends = as_of.toordinal(), _list_week_ends(as_of, last)
    first_monday = today - as_of.weekday()
    moved = [0] * len(ends)  # by week, in steps of an amount: there may be thousands of documents
    of_base: dict[date, tuple[int, list[int]]] = {}
    for document in placed:
        if document.base not in of_base:
            of_base[document.base] = _count_left(misses, document.base.toordinal(), today=today, ends=ends)
        whole_left, whole = of_base[document.base]
        own_left, own = _count_left(document.own, document.due.toordinal(), today=today, ends=ends)
        if whole_left < LEAST_LEFT and own_left < LEAST_OWN_LEFT:
            continue
        home = int(document.home / AMOUNT_STEP)
        if document.on <= last:
            moved[(document.on.toordinal() - first_monday) // 7] -= home
        left, given = weight * whole_left + own_left * len(misses), 0
        for week, (of_whole, of_own) in enumerate(zip(whole, own, strict=True)):
            # What is settled by the end of the week, less what is by its start: rounding loses nothing in between.
            settled = (2 * home * (weight * of_whole + of_own * len(misses)) + left) // (2 * left)
            moved[week] += settled - given
            given = settled
    monday = monday_of(as_of)
    return {monday + 7 * week * ONE_DAY: steps * AMOUNT_STEP for week, steps in enumerate(moved) if steps}


def _list_week_ends(as_of: date, last: date) -> list[int]:
    """The ordinals of the Sundays from the one after `as_of` on; of the last week the last day that counts."""
    sunday, end = monday_of(as_of).toordinal() + 6, last.toordinal()
    return [*range(sunday, end, 7), end]


def _count_left(days: Sequence[int], base: int, *, today: int, ends: Iterable[int]) -> tuple[int, list[int]]:
    """How many of `days` after `base` are not past, and how many of those lie in the time up to each week's end."""
    before = bisect_left(days, today - base)
    return len(days) - before, [bisect_right(days, end - base) - before for end in ends]


def _double_median_without(ordered: Sequence[int], place: int) -> int:
    """Twice the median of all but the one at `place`; there are two or more."""
    count = len(ordered) - 1
    low, high = (count - 1) // 2, count // 2
    return ordered[low + (low >= place)] + ordered[high + (high >= place)]
