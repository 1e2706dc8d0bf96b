"""The dated outlook of cash, and the measures of burn and runway."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from runway_core.domain.identity import Subject
from runway_core.domain.money import Amount, Currency, Money
from runway_core.domain.record import Value

BEYOND_DAYS = 91
"""What "91+" counts as when two figures are compared."""


class OutlookKind(StrEnum):
    """Where an expected movement of cash comes from."""

    DOCUMENT = "document"
    SERIES = "series"
    PLANNED = "planned"
    IN_FLIGHT = "in_flight"
    NOT_YET_ENTERED = "not_yet_entered"
    RESIDUAL = "residual"


ESTIMATED_KINDS = frozenset({OutlookKind.NOT_YET_ENTERED, OutlookKind.RESIDUAL})
"""What no record stands for: history says it is usual."""


class OutlookLine(StrEnum):
    """What the outlook supposes."""

    EXPECTED = "expected"  # everything on the day it is expected
    NO_NEW_SALES = "no_new_sales"  # nothing comes in that is not invoiced by now
    CAUTIOUS = "cautious"  # customers pay as late as four of five of their invoices are


class OutlookEvent(Value):
    """One expected movement of cash on one day. `amount` is in home currency, negative when it leaves."""

    on: date
    amount: Amount
    kind: OutlookKind
    label: str
    reason: str  # why this day and this amount
    source: Subject | None = None
    series_id: str | None = None
    is_payroll: bool = False


class OutlookDay(Value):
    """Cash over one day: outflows come first, so `low` is opening plus outflow."""

    day: date
    opening: Amount
    inflow: Amount  # positive or nil
    outflow: Amount  # negative or nil
    low: Amount
    closing: Amount


class OutlookWeek(Value):
    """One week from Monday; week 1 holds `as_of` and starts there."""

    number: int
    starts_on: date
    inflow: Amount
    outflow: Amount  # negative or nil
    low: Amount
    low_on: date
    closing: Amount


class Runway(Value):
    """Days until the outlook first falls below a floor. `days` 0…k−1 are covered, day k is the first that is not.

    `days` is `None` when nothing within the horizon falls below ("91+"), 0 when opening cash is below already. Where
    cash is not known, `days` and `covered_through` are both `None`.
    """

    days: int | None
    covered_through: date | None  # the last covered day
    falls_on: date | None  # the first day with a low below the floor
    horizon_days: int = 91

    @property
    def is_known(self) -> bool:
        """Whether there was any cash to count from."""
        return self.days is not None or self.covered_through is not None


class Band(Value):
    """The worst and the best runway over the resolutions of open findings, in days; 91 is "91+"."""

    worst_days: int
    best_days: int

    @property
    def width_days(self) -> int:
        """How far apart they are."""
        return self.best_days - self.worst_days

    def is_reliable(self, runway_days: int | None) -> bool:
        """Whether the figure may be shown plain: at most 10 days wide, and at most half of the figure."""
        figure = BEYOND_DAYS if runway_days is None else runway_days
        return self.width_days <= 10 and self.width_days * 2 <= figure


class Payday(Value):
    """The next payroll and whether the outlook covers it."""

    on: date
    amount: Money
    is_covered: bool


class Outlook(Value):
    """Thirteen weeks of expected cash in home currency, by day and by week."""

    as_of: date
    currency: Currency
    opening_cash: Money
    available_cash: Money
    buffer: Money
    days: tuple[OutlookDay, ...]
    weeks: tuple[OutlookWeek, ...]
    events: tuple[OutlookEvent, ...]
    runway: Runway
    buffer_breach: Runway
    low_28_days: Money
    low_28_days_on: date
    low: Money
    low_on: date
    paydays: tuple[Payday, ...] = ()
    left_out: tuple[str, ...] = ()  # what could not be placed, and why, for a person


class LineFigures(Value):
    """One line of the outlook in its figures."""

    line: OutlookLine
    runway: Runway
    buffer_breach: Runway
    month_end_on: date
    month_end: Money  # cash at the end of this month
    three_months_on: date
    three_months: Money  # cash at the end of the 91 days
    low: Money
    low_on: date


class BurnMonth(Value):
    """Cash in and out of one full month, transfers and financing excluded. Both are positive."""

    month: date  # its first day
    days: int
    inflow: Amount
    outflow: Amount


class Burn(Value):
    """The measures of burn over the last full months; each `None` means "no end", shown "not burning"."""

    months: tuple[BurnMonth, ...]  # oldest first, at most three
    is_complete: bool  # three full months were there
    outflow_per_day: Decimal | None
    net_burn_per_day: Decimal | None  # positive while cash shrinks
    weighted_net_burn_per_day: Decimal | None
    cash_buffer_days: int | None
    burn_runway_days: int | None
    weighted_burn_runway_days: int | None


class CashPart(Value):
    """One addend of opening cash, positive when it adds."""

    label: str
    amount: Money
    source: Subject | None = None


class Cash(Value):
    """Opening cash with the parts it is made of, and what of it may be spent."""

    opening: Money
    available: Money  # opening − reserves − buffer
    parts: tuple[CashPart, ...]
    by_account: tuple[CashPart, ...]
    is_from_bank: bool  # false: the ledger's balance stands in for the bank's
    left_out: tuple[str, ...] = ()


class AgingBucket(Value):
    """Open balances of one age band, home currency."""

    label: str  # "current", "1-30", "31-60", "61-90", "over 90", "credits"
    amount: Money  # credits are negative
    count: int


class Aging(Value):
    """Open balances by age, credits apart."""

    buckets: tuple[AgingBucket, ...]
    total: Money
