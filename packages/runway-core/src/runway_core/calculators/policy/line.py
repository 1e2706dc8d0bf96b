"""The cash line that payments are judged on: the low of each of the coming 91 days.

A payment lowers its day and all that follow, so a line is a list of sums and a question costs microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.domain.outlook import Outlook

Movement = tuple[date, Decimal]
"""A day and what leaves on it: home currency, positive."""


class Low(NamedTuple):
    """The lowest point of some days."""

    amount: Decimal  # home currency
    on: date


@dataclass(frozen=True, slots=True)
class CashLine:
    """The low of each day from `as_of`, home currency."""

    as_of: date
    lows: tuple[Decimal, ...]

    @classmethod
    def of(cls, outlook: Outlook) -> "CashLine":
        """The line of an outlook."""
        return cls(outlook.as_of, tuple(day.low for day in outlook.days))

    def spend(self, on: date, amount: Decimal) -> "CashLine":
        """The line when `amount` leaves on a day, or stays when it is negative; beyond the horizon nothing changes."""
        at = self.index_of(on)
        return CashLine(self.as_of, self.lows[:at] + tuple([low - amount for low in self.lows[at:]]))

    def spend_all(self, payments: Iterable[Movement]) -> "CashLine":
        """The line when several amounts leave, each on its day."""
        leaving = [Decimal(0)] * (len(self.lows) + 1)
        for on, amount in payments:
            leaving[self.index_of(on)] += amount
        gone, lows = Decimal(0), []
        for low, leaves in zip(self.lows, leaving, strict=False):
            gone += leaves
            lows.append(low - gone)
        return CashLine(self.as_of, tuple(lows))

    def index_of(self, day: date) -> int:
        """How many days after `as_of`: nil for the past, the length of the line for what lies beyond it."""
        return min(max((day - self.as_of).days, 0), len(self.lows))

    def low_on(self, day: date) -> Decimal | None:
        """The low of one day; `None` beyond the horizon."""
        at = self.index_of(day)
        return self.lows[at] if at < len(self.lows) else None

    def lowest(self, first: date, days: int) -> Low | None:
        """The lowest point from `first` within the next `days` days from `as_of`; `None` when none of them is left."""
        start = self.index_of(first)
        span = self.lows[start:days]
        if not span:
            return None
        lowest = min(span)
        return Low(lowest, self.as_of + timedelta(days=start + span.index(lowest)))
