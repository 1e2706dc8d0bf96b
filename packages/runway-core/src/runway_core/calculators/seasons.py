"""How the weeks to come stand to those that just were, as the same weeks of last year did.

One year cannot tell a season from chance or growth by itself. So a season counts only as far as it stands out of what
weeks scatter, and not at all where a year ago the business was another one.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from runway_core.calculators.entry_curve import WEEKS_AHEAD
from runway_core.calculators.statistics import median

YEAR_WEEKS = 52
"""Weeks keep their weekday, and holidays stay near."""

NOW_WEEKS = 4
"""This many of the last weeks are compared with the same ones a year before."""

NEEDED_WEEKS = YEAR_WEEKS + NOW_WEEKS
"""Books of four hundred days hold them, whatever the weekday."""

NO_SEASONS = (Fraction(1),) * WEEKS_AHEAD
"""Every week is as usual."""

_USUAL_WEEKS = 13
_EACH_SIDE = 2  # of last year's week, so that one odd week is no season
_MOST_GROWTH = 2
_MOST_SEASON = 3


def find_seasons(weekly: Sequence[Decimal]) -> tuple[Fraction, ...]:
    """For each week from this one on, how it stands to the median of the last thirteen: 1 without a season.

    `weekly` are the sums of the 56 whole weeks before this one, oldest first, none of them negative.
    """
    assert len(weekly) == NEEDED_WEEKS, "a season takes a year and four weeks"
    usual = _middle(weekly[-_USUAL_WEEKS:])
    now, then = weekly[-NOW_WEEKS:], weekly[:NOW_WEEKS]
    return tuple(
        _stand_out(usual, now, then, to_come=weekly[max(week - _EACH_SIDE, 0) : week + _EACH_SIDE + 1])
        for week in range(NOW_WEEKS, NOW_WEEKS + WEEKS_AHEAD)
    )


def _stand_out(
    usual: Fraction, now: Sequence[Decimal], then: Sequence[Decimal], *, to_come: Sequence[Decimal]
) -> Fraction:
    """The season of one week, the nearer to 1 the less it stands out."""
    level, before, after = _middle(now), _middle(then), _middle(to_come)
    if not usual or not _is_comparable(level, before, _MOST_GROWTH) or not _is_comparable(after, before, _MOST_SEASON):
        return Fraction(1)
    season = level * after / (before * usual) - 1
    # The variance of a median of so few, relative to it, is about half the square of the mean deviation.
    chance = sum((_scatter(weeks) ** 2 for weeks in (now, then, to_come)), Fraction(0)) / 2
    return 1 + season * (1 - chance / season**2) if season**2 > chance else Fraction(1)


def _is_comparable(one: Fraction, other: Fraction, most: int) -> bool:
    return one > 0 and other > 0 and one <= other * most and other <= one * most


def _scatter(weeks: Sequence[Decimal]) -> Fraction:
    """The mean distance from the median, as a share of it."""
    middle = _middle(weeks)
    return sum((abs(Fraction(week) - middle) for week in weeks), Fraction(0)) / len(weeks) / middle


def _middle(weeks: Sequence[Decimal]) -> Fraction:
    return median([Fraction(week) for week in weeks])
