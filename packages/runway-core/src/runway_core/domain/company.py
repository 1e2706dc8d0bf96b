"""Whose books they are, how they are connected, and what the firm has set for them."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field

from runway_core.domain.identity import CompanyId, ConnectionId, FirmId
from runway_core.domain.money import ZERO, Amount, Currency
from runway_core.domain.record import Value


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone; use an IANA name such as 'America/Chicago'") from error
    return name


TimeZoneName = Annotated[str, AfterValidator(_checked_zone)]
"""An IANA zone name, such as `America/Chicago`."""


class Rhythm(StrEnum):
    """How often an entered series comes round."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class SeriesKind(StrEnum):
    """What an entered series is; payroll is guarded apart."""

    PAYROLL = "payroll"
    PAYROLL_TAX = "payroll_tax"
    SALES_TAX = "sales_tax"
    RENT = "rent"
    LOAN = "loan"
    CARD = "card"
    SUBSCRIPTION = "subscription"
    OTHER = "other"


class EnteredSeries(Value):
    """Money that comes round, entered by a person. `amount` is positive and leaves; `is_inflow` turns it round."""

    series_id: str
    name: str
    series_kind: SeriesKind
    rhythm: Rhythm
    first_day: date  # an occurrence; later ones are counted from it
    last_day: date | None = None
    amount: Amount
    currency: Currency
    is_inflow: bool = False
    vendor_id: str | None = None  # a bill of this vendor near an occurrence fulfils it


class CompanySettings(Value):
    """What the firm set for one company. Every default is the one of the reference page on the figures."""

    buffer: Amount = ZERO  # cash kept untouched, home currency
    reserves: Amount = ZERO  # set aside for tax and earmarks, home currency
    red_below_days: int = 14
    amber_below_days: int = 30
    ledger_outflow_days: int = 90  # how long a ledger payment not seen at the bank is subtracted
    stale_mirror_hours: int = 26  # SY01
    pull_minutes: int | None = Field(default=None, ge=1, le=1440)  # how far apart pulls are, where not as usual
    excluded_account_ids: tuple[str, ...] = ()  # trust, escrow, payroll tax
    books_closed_through: date | None = None  # where the ledger does not say, or says an earlier day
    loans_due_within_year: Amount = ZERO  # of loans the ledger calls long-term, home currency
    series: tuple[EnteredSeries, ...] = ()
    exchange_rates: dict[Currency, Decimal] = Field(default_factory=dict)  # home units for one foreign unit


class Company(Value):
    """A small company whose books are looked after; screens may say "client"."""

    company_id: CompanyId
    firm_id: FirmId
    name: str
    home_currency: Currency
    time_zone: TimeZoneName
    created_at: AwareDatetime
    owner: str | None = None  # the person of the firm who looks after it
    tags: tuple[str, ...] = ()
    settings: CompanySettings = CompanySettings()

    @property
    def id(self) -> CompanyId:
        """The company's id, as embedding apps call it."""
        return self.company_id


class ConnectionState(StrEnum):
    """Where a connection stands."""

    NEW = "new"  # never read yet
    ACTIVE = "active"
    FAILING = "failing"  # the last pull failed; the next may succeed
    RECONNECT_NEEDED = "reconnect_needed"  # a person must authorise again
    DISCONNECTED = "disconnected"


class Connection(Value):
    """A company's authorised access to one rail. Secrets live in the vault, never here."""

    connection_id: ConnectionId
    company_id: CompanyId
    firm_id: FirmId
    rail: str
    settings: dict[str, Any]
    state: ConnectionState = ConnectionState.NEW
    created_at: AwareDatetime
    last_attempt_at: AwareDatetime | None = None
    last_success_at: AwareDatetime | None = None  # when the last whole pull ended (our clock)
    last_full_at: AwareDatetime | None = None  # when the last whole reading of everything ended
    source_read_at: AwareDatetime | None = None  # the rail's clock at the last whole pull: the data's age
    last_error_code: str | None = None
    last_error: str | None = None
    failures_in_a_row: int = 0
    last_swept_at: AwareDatetime | None = None  # when the last whole comparison with the rail ended
    rail_account: str | None = None  # the rail's own name of the company, as its webhooks have it
