"""What resolutions of findings do to the runway, from the sums of each day alone.

An outlook that is amended and projected anew says the same, and much beside that nobody reads of a hundred resolutions.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from runway_core.calculators.outlook import NEAR_DAYS
from runway_core.calculators.what_if import amend_events
from runway_core.domain.amendments import Amendment, AmendmentAction
from runway_core.domain.books import Books
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import ZERO
from runway_core.domain.outlook import BEYOND_DAYS, Outlook, OutlookEvent

_NAMING_NONE = frozenset({AmendmentAction.ADD, AmendmentAction.ADJUST_CASH})
"""What changes no movement that is there."""


class Reach(NamedTuple):
    """How far cash goes: days until it first falls below nil, and the low of the next 28 days in home currency."""

    days: int
    low: Decimal


class Resolutions:
    """Answers how far cash would go under amendments of one outlook."""

    def __init__(self, books: Books, outlook: Outlook) -> None:
        """`outlook` is that of `books`."""
        self._books, self._outlook = books, outlook
        self._flows = [(day.outflow, day.inflow) for day in outlook.days]
        self._events: dict[RecordKey | None, list[OutlookEvent]] = {}
        for event in outlook.events:
            self._events.setdefault(event.source, []).append(event)
        self.currency = outlook.currency
        self.booked = self.reach(())

    def reach(self, amendments: Sequence[Amendment]) -> Reach:
        """How far cash goes with `amendments`; of a company without a bank account always beyond the horizon."""
        named = dict.fromkeys(one.record for one in amendments if one.action not in _NAMING_NONE)
        before = [event for record in named for event in self._events.get(record, ())]
        after, opening = amend_events(self._books, before, amendments)
        flows = self._flows.copy()
        self._add(flows, before, sign=-1)
        self._add(flows, after, sign=1)
        return self._run(self._outlook.opening_cash.amount + opening, flows)

    def _add(self, flows: list[tuple[Decimal, Decimal]], events: Iterable[OutlookEvent], *, sign: int) -> None:
        for event in events:
            at = (event.on - self._books.as_of).days
            if 0 <= at < len(flows):
                outflow, inflow = flows[at]
                amount = sign * event.amount
                flows[at] = (outflow, inflow + amount) if event.amount > 0 else (outflow + amount, inflow)

    def _run(self, opening: Decimal, flows: Sequence[tuple[Decimal, Decimal]]) -> Reach:
        """Run cash through the days, what leaves a day before what comes in."""
        lows: list[Decimal] = []
        cash = opening
        for outflow, inflow in flows:
            lows.append(cash + outflow)
            cash = lows[-1] + inflow
        if not self._outlook.runway.is_known:
            days = BEYOND_DAYS
        elif opening < ZERO:
            days = 0
        else:
            days = next((count for count, low in enumerate(lows) if low < ZERO), BEYOND_DAYS)
        return Reach(days, min(lows[:NEAR_DAYS]))
