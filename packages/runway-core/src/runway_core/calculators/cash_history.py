"""Cash on days that have passed: today's opening cash, less what moved since."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from runway_core.calculators.flows import Flow


def trace_cash(opening: Decimal, past: Iterable[Flow], days: Iterable[date]) -> dict[date, Decimal]:
    """Cash at the end of each of `days`, home currency.

    `past` are the movements up to today, at least back to the day after the first of `days`; what has no exchange rate
    is left out.
    """
    moves = sorted((flow.on, flow.home) for flow in past if flow.home is not None)
    traced: dict[date, Decimal] = {}
    cash = opening
    for day in sorted(set(days), reverse=True):
        while moves and moves[-1][0] > day:
            cash -= moves.pop()[1]
        traced[day] = cash
    return traced
