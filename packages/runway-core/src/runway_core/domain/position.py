"""The position of a company: the stored answer to "are we okay?", one row whatever the size of its books."""

from datetime import date, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.money import Money
from runway_core.domain.outlook import BEYOND_DAYS, Band, OutlookWeek, Payday
from runway_core.domain.record import Value
from runway_core.domain.tasks import Task, TaskCounts


class PositionStatus(StrEnum):
    """Red, amber, green; grey when the data is too old or missing to say."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    GREY = "grey"

    @property
    def rank(self) -> int:
        """The order of "needs attention": red first, grey last but one, green last."""
        return {"red": 0, "amber": 1, "grey": 2, "green": 3}[self.value]


WEEK = timedelta(days=7)


class PastRunway(Value):
    """The runway as it was told on an earlier day; 91 is "91+"."""

    on: date
    days: int


class LargeBankLine(Value):
    """A line at the bank of at least the amount that the policy sets. `amount` is positive when money came in."""

    external_id: str
    rail: str
    booked_on: date
    amount: Money
    text: str  # whom the bank names, or its text


class Position(Value):
    """What the portfolio shows of one company, computed from its `Books` and kept."""

    company_id: CompanyId
    firm_id: FirmId
    company_name: str
    owner: str | None = None
    tags: tuple[str, ...] = ()
    as_of: date
    computed_at: AwareDatetime
    log_sequence: int  # what of the company's log it has seen
    policy_version: int = 0  # of the company's own policy that it was computed under
    firm_policy_version: int = 0  # of the firm's policy that it was computed under; 0: the firm had set nothing
    source_read_at: AwareDatetime | None  # the rail's clock at the last whole pull; None: never read
    status: PositionStatus
    status_reason: str  # one sentence
    opening_cash: Money
    available_cash: Money
    runway_days: int | None  # forecast runway; None is "91+", and "not known" where `covered_through` is None too
    covered_through: date | None
    runway_falls_on: date | None
    buffer_breach_days: int | None
    buffer_breach_on: date | None
    low_28_days: Money
    low_28_days_on: date
    cash_buffer_days: int | None
    burn_runway_days: int | None
    weighted_burn_runway_days: int | None
    next_payday: Payday | None
    open_bills: Money
    open_bill_count: int
    overdue_bills: Money
    due_7_days: Money
    due_14_days: Money
    open_invoices: Money
    open_invoice_count: int
    overdue_invoices: Money
    ar_at_risk: Money
    ar_at_risk_count: int
    findings_critical: int
    findings_open: int
    cleanness: int  # 0…100, rounded down
    ready_bill_count: int
    held_bill_count: int
    weeks: tuple[OutlookWeek, ...]  # the coming thirteen
    past_weeks: tuple[Money, ...] = ()  # cash at the end of up to eight past weeks, oldest first
    band: Band | None = None  # how far the open findings could move the runway; None: the runway is not known
    past_runway: tuple[PastRunway, ...] = ()  # as it was told over the last days, oldest first
    last_digest_on: date | None = None  # the day of the last digest that was sent
    tasks: tuple[Task, ...] = ()  # the most pressing of each kind
    task_counts: TaskCounts = TaskCounts()
    large_bank_lines: tuple[LargeBankLine, ...] = ()  # of the last seven days, the largest first

    @property
    def counted_days(self) -> int | None:
        """The runway as a number to compare by, 91 for "91+"; `None` where it is not known."""
        if self.runway_days is not None:
            return self.runway_days
        return BEYOND_DAYS if self.covered_through is not None else None

    @property
    def week_change_days(self) -> int | None:
        """Days of runway gained since a week ago, negative when lost; `None` where there is nothing to compare."""
        then = [past for past in self.past_runway if past.on <= self.as_of - WEEK]
        now = self.counted_days
        return now - then[-1].days if then and now is not None else None
