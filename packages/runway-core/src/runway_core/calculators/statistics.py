"""Medians and percentiles, without floats."""

from collections.abc import Sequence
from fractions import Fraction


def median(values: Sequence[int | Fraction]) -> Fraction:
    """The middle of `values`, or half-way between the two middle ones.

    `values` must not be empty.
    """
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return Fraction(ordered[middle - 1] + ordered[middle]) / 2


def twice_median(values: Sequence[int]) -> int:
    """Twice the median, which is whole: where one is asked for often, fractions cost most of the time.

    `values` must not be empty.
    """
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; halves go up."""
    return (value + Fraction(1, 2)).__floor__()


def nearest_rank(values: Sequence[int], percent: int) -> int:
    """The smallest of `values` that at least `percent` of them do not exceed. `values` must not be empty."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]
