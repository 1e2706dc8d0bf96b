"""The cash line that payments are judged on: the low of each of the coming 91 days.

A payment lowers its day and all that follow, so a line is a list of sums and a question costs microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from runway_core.domain.money import ZERO
from runway_core.domain.outlook import Outlook

Movement = tuple[date, Decimal]
"""A day and what leaves on it: home currency, positive."""


class Low(NamedTuple):
    """The lowest point of some days."""

    amount: Decimal  # home currency
    on: date


@dataclass(frozen=True, slots=True)
class CashLine:
    """The low of each day from `as_of`, home currency.

    The last payment stands beside the lows that it lowers: a payment that is only tried costs no line of its own, and
    what was asked of the lows before is known to all that are tried on them.
    """

    as_of: date
    lows: tuple[Decimal, ...]  # before the last payment
    spent_from: int = 0  # how many days after `as_of` it leaves
    spent: Decimal = ZERO
    found_lows: dict[tuple[int, int], Low | None] = field(default_factory=dict, compare=False, repr=False)  # of `lows`

    @classmethod
    def of(cls, outlook: Outlook) -> "CashLine":
        """The line of an outlook."""
        return cls(outlook.as_of, tuple(day.low for day in outlook.days))

    def spend(self, on: date, amount: Decimal) -> "CashLine":
        """The line when `amount` leaves on a day, or stays when it is negative; beyond the horizon nothing changes."""
        line = self.settle()
        return CashLine(line.as_of, line.lows, line.index_of(on), amount, line.found_lows)

    def settle(self) -> "CashLine":
        """The same line with its last payment within the lows: what others are tried on."""
        return CashLine(self.as_of, self._spent_lows()) if self.spent else self

    def spend_all(self, payments: Iterable[Movement]) -> "CashLine":
        """The line when several amounts leave, each on its day."""
        leaving = [Decimal(0)] * (len(self.lows) + 1)
        for on, amount in payments:
            leaving[self.index_of(on)] += amount
        gone, lows = Decimal(0), []
        for low, leaves in zip(self._spent_lows(), leaving, strict=False):
            gone += leaves
            lows.append(low - gone)
        return CashLine(self.as_of, tuple(lows))

    def index_of(self, day: date) -> int:
        """How many days after `as_of`: nil for the past, the length of the line for what lies beyond it."""
        return min(max((day - self.as_of).days, 0), len(self.lows))

    def low_on(self, day: date) -> Decimal | None:
        """The low of one day; `None` beyond the horizon."""
        at = self.index_of(day)
        if at >= len(self.lows):
            return None
        return self.lows[at] - self.spent if at >= self.spent_from else self.lows[at]

    def lowest(self, first: date, days: int) -> Low | None:
        """The lowest point from `first` within the next `days` days from `as_of`; `None` when none of them is left."""
        start, last = self.index_of(first), min(days, len(self.lows))
        if start < self.spent_from:
            before = self._lowest_of(start, min(self.spent_from, last))
            after = self._lowest_of(self.spent_from, last)
        else:
            before, after = None, self._lowest_of(start, last)
        if after is None:
            return before
        amount = after.amount - self.spent
        return before if before is not None and before.amount <= amount else Low(amount, after.on)

    def _lowest_of(self, start: int, last: int) -> Low | None:
        """The first of the lowest days of `lows[start:last]`; `None` where that holds no day."""
        if (start, last) not in self.found_lows:
            span = self.lows[start:last]
            lowest = min(span, default=None)
            self.found_lows[start, last] = (
                None if lowest is None else Low(lowest, self.as_of + timedelta(days=start + span.index(lowest)))
            )
        return self.found_lows[start, last]

    def _spent_lows(self) -> tuple[Decimal, ...]:
        at, spent = self.spent_from, self.spent
        return self.lows[:at] + tuple([low - spent for low in self.lows[at:]])
