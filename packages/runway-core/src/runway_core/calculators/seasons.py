"""How the weeks to come stand to those that just were, as the same weeks of last year did.

One year cannot tell a season from chance or growth by itself. So a season counts only as far as it stands out of what
weeks scatter, and not at all where a year ago the business was another one.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from runway_core.calculators.entry_curve import WEEKS_AHEAD
from runway_core.calculators.statistics import median
from runway_core.domain.money import AMOUNT_STEP

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
    sums = [int(week / AMOUNT_STEP) for week in weekly]
    now, then, usual = _Weeks(sums[-NOW_WEEKS:]), _Weeks(sums[:NOW_WEEKS]), _Weeks(sums[-_USUAL_WEEKS:])
    if not usual.middle or not _is_comparable(now, then, _MOST_GROWTH):
        return NO_SEASONS
    return tuple(
        _stand_out(now, then, usual, to_come=_Weeks(sums[week - _EACH_SIDE : week + _EACH_SIDE + 1]))
        for week in range(NOW_WEEKS, NOW_WEEKS + WEEKS_AHEAD)
    )


class _Weeks:
    """The middle of a few weeks, and how far they lie from it on the average, as a share of it."""

    def __init__(self, sums: Sequence[int]) -> None:
        self.middle = median(sums)
        top, bottom = self.middle.numerator, self.middle.denominator
        away = sum(abs(week * bottom - top) for week in sums)
        self.scatter = Fraction(away, len(sums) * top) if top else Fraction(0)


def _stand_out(now: _Weeks, then: _Weeks, usual: _Weeks, *, to_come: _Weeks) -> Fraction:
    """The season of one week, the nearer to 1 the less it stands out."""
    if not _is_comparable(to_come, then, _MOST_SEASON):
        return Fraction(1)
    season = now.middle * to_come.middle / (then.middle * usual.middle) - 1
    # The variance of a median of so few, relative to it, is about half the square of the mean deviation.
    chance = (now.scatter**2 + then.scatter**2 + to_come.scatter**2) / 2
    return 1 + season * (1 - chance / season**2) if season**2 > chance else Fraction(1)


def _is_comparable(one: _Weeks, other: _Weeks, most: int) -> bool:
    low, high = sorted((one.middle, other.middle))
    return low > 0 and high <= low * most
