"""Telling whether equal amounts come round: two members of one series are never one bill twice."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

from runway_core.calculators.calendar import add_days, add_months

TOLERANCE_DAYS = 3
LEAST_MEMBERS = 3

# Days from one member to the next, and for months how many of them.
_PERIODS = ((7, 0), (14, 0), (30, 1), (91, 3))


def are_different_periods(one: date, other: date, days: Sequence[date], *, least_members: int = LEAST_MEMBERS) -> bool:
    """Whether `one` and `other` belong to different periods of a series that shows in `days`.

    `days` are in order, each once, and hold both. A series has at least `least_members` with equal gaps of a week, two
    weeks, a month or a quarter, give or take three days, and two of three days in its span are members: among many
    days chance makes chains. The period that explains most members counts, of two the longer one: a stray day half-way
    between two members must not make a series of half the period. Two days at most half a period apart are in one.
    """
    members, length = max(
        (max(_count_members(day, days, length=length, months=months) for day in (one, other)), length)
        for length, months in _PERIODS
    )
    return members >= least_members and abs((other - one).days) * 2 > length


def _count_members(day: date, days: Sequence[date], *, length: int, months: int) -> int:
    """How many members the series through `day` has; nil where most days of its span are none."""
    ends = [day, day]
    count = 1
    for side, direction in enumerate((-1, 1)):
        at: date | None = day
        while at is not None:
            ends[side] = at
            aim = add_months(at, direction * months) if months else add_days(at, direction * length)
            at = _nearest(days, aim)
            count += at is not None
    in_span = bisect_right(days, ends[1]) - bisect_left(days, ends[0])
    return count if count * 3 >= in_span * 2 else 0


def _nearest(days: Sequence[date], aim: date) -> date | None:
    """The day nearest to `aim`, at most three days from it."""
    at = bisect_left(days, aim)
    near = [day for day in days[max(0, at - 1) : at + 1] if abs(day - aim) <= timedelta(days=TOLERANCE_DAYS)]
    return min(near, key=lambda day: (abs(day - aim), day), default=None)
