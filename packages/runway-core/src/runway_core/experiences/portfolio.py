"""Portfolio: every company on one screen, the ones that need attention first."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from runway_core.domain.company import Company, Connection
from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.identity import CompanyId
from runway_core.domain.money import Money
from runway_core.domain.outlook import Band, Payday
from runway_core.domain.position import Position, PositionStatus
from runway_core.errors import InvalidRequest
from runway_core.experiences.firm_digest import FirmDigestView, lay_out_firm_digest
from runway_core.experiences.view import View
from runway_core.experiences.wording import say_days
from runway_core.experiences.work import WorkQuery, WorkView, lay_out_work
from runway_core.orchestrators.portfolio import PortfolioData, PortfolioDataOrchestrator
from runway_core.sync.freshness import FreshnessLabel, label_freshness

BEYOND = 10_000
"""Sorts "91+" behind every counted number of days."""


class PortfolioSort(StrEnum):
    """The columns a portfolio may be ordered by; a leading `-` in the address turns the order round."""

    ATTENTION = "attention"
    NAME = "name"
    RUNWAY = "runway"
    BAND = "band"
    CHANGE = "change"
    CASH = "cash"
    DUE_7_DAYS = "due_7_days"
    AR_AT_RISK = "ar_at_risk"
    FINDINGS = "findings"
    CLEANNESS = "cleanness"
    AGE = "age"


class PortfolioQuery(View):
    """Which companies to show, and in which order."""

    status: PositionStatus | None = None
    owner: str | None = None
    tag: str | None = None
    search: str | None = None
    runway_below: int | None = None
    older_than_hours: int | None = None
    no_digest_for_days: int | None = None  # as many days, or more, since the last digest was sent; or none ever was
    has_critical: bool = False
    sort: PortfolioSort = PortfolioSort.ATTENTION
    descending: bool = False
    limit: int = 100
    cursor: str | None = None


class PortfolioRow(View):
    """One company. Figures are `None` before its first pull."""

    company_id: CompanyId
    name: str
    owner: str | None
    tags: tuple[str, ...]
    home_currency: str
    status: PositionStatus
    status_reason: str
    as_of: date | None
    runway_days: int | None
    runway_falls_on: date | None
    band: Band | None
    week_change_days: int | None
    covered_through: date | None
    opening_cash: Money | None
    low_28_days: Money | None
    low_28_days_on: date | None
    past_weeks: tuple[Money, ...]
    coming_weeks: tuple[Money, ...]
    next_payday: Payday | None
    due_7_days: Money | None
    ar_at_risk: Money | None
    ar_at_risk_count: int
    findings_critical: int
    findings_open: int
    cleanness: int | None
    last_digest_on: date | None
    freshness: tuple[FreshnessLabel, ...]

    @property
    def is_runway_known(self) -> bool:
        """Whether `runway_days` says something: `None` is "91+" where cash is covered through a day."""
        return self.runway_days is not None or self.covered_through is not None

    @property
    def age_seconds(self) -> int | None:
        """The age of the oldest rail's data; `None` when one was never read."""
        ages = [label.age_seconds for label in self.freshness]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None


class StatusCount(View):
    """How many companies have one status, before filters."""

    status: PositionStatus
    count: int


class PortfolioView(View):
    """The page: counts that act as filters, and rows."""

    generated_at: AwareDatetime
    week_sentence: str  # which runways are otherwise than a week ago, in one sentence
    counts: tuple[StatusCount, ...]
    total: int  # companies of the firm
    matching: int  # after filters
    rows: tuple[PortfolioRow, ...]
    has_more: bool
    next_cursor: str | None


class PortfolioExperience:
    """Shows the firm's companies from stored positions: no rail and no books are read."""

    def __init__(self, data: PortfolioDataOrchestrator) -> None:
        self._data = data

    async def show(self, query: PortfolioQuery, known_at: datetime | None = None) -> PortfolioView:
        """One page of the portfolio, as it is or as it was known at a moment.

        Raises:
            InvalidRequest: a limit outside 1…100 is asked, or a cursor that is not ours.
        """
        return lay_out_portfolio(await self._data.gather(known_at), query)

    async def show_work(self, query: WorkQuery | None = None) -> WorkView:
        """What is to be decided, mended and called over all companies of the firm that the caller may see.

        The same three queries as the portfolio's, whatever the number of companies.
        """
        return lay_out_work(await self._data.gather(), query or WorkQuery())

    async def show_firm_digest(self, last: FirmDigest | None) -> FirmDigestView:
        """What there is to say of the firm's companies today, against what the last daily digest told."""
        told, day = ((), None) if last is None else (last.told, last.as_of)
        return lay_out_firm_digest(await self._data.gather(), told, compared_with=day)


def lay_out_portfolio(data: PortfolioData, query: PortfolioQuery) -> PortfolioView:
    """Filter, order and cut the firm's companies; the id breaks ties, so pages never overlap."""
    if not 1 <= query.limit <= 100:
        raise InvalidRequest("limit must be 1 to 100")
    start = _read_cursor(query.cursor)
    rows = [
        _lay_out_row(c, data.positions.get(c.company_id), data.connections.get(c.company_id, []), data.now)
        for c in data.companies
    ]
    matching = [row for row in rows if _matches(row, query)]
    matching.sort(key=lambda row: row.company_id)
    matching.sort(key=_SORT_KEYS[query.sort], reverse=query.descending)
    page = matching[start : start + query.limit]
    has_more = start + query.limit < len(matching)
    return PortfolioView(
        generated_at=data.now,
        week_sentence=say_week(rows),
        counts=tuple(
            StatusCount(status=status, count=sum(1 for row in rows if row.status is status))
            for status in sorted(PositionStatus, key=lambda status: status.rank)
        ),
        total=len(rows),
        matching=len(matching),
        rows=tuple(page),
        has_more=has_more,
        next_cursor=str(start + query.limit) if has_more else None,
    )


def say_week(rows: Sequence[PortfolioRow]) -> str:
    """Say which runways moved within a week: "Since a week ago 2 runways are shorter (most of all Acme, −9 days)"."""
    moved = sorted((row.week_change_days, row.name) for row in rows if row.week_change_days is not None)
    if not moved:
        return "No runway is known from a week ago yet"
    shorter, longer = (sum(1 for days, _ in moved if days * way > 0) for way in (-1, 1))
    parts = []
    if shorter:
        days, name = moved[0]
        parts.append(f"{_runways(shorter)} shorter (most of all {name}, \N{MINUS SIGN}{say_days(-days)})")
    if longer:
        days, name = moved[-1]
        parts.append(f"{_runways(longer)} longer (most of all {name}, +{say_days(days)})")
    return f"Since a week ago {' and '.join(parts)}" if parts else "No runway is otherwise than a week ago"


def _runways(count: int) -> str:
    return f"{count} runway is" if count == 1 else f"{count} runways are"


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 9:
        raise InvalidRequest("the cursor is not one of ours: start again without it")
    return int(cursor)


def _lay_out_row(
    company: Company, position: Position | None, connections: list[Connection], now: datetime
) -> PortfolioRow:
    freshness = label_freshness(connections, now)
    shared = {
        "company_id": company.company_id,
        "name": company.name,
        "owner": company.owner,
        "tags": company.tags,
        "home_currency": company.home_currency,
        "freshness": freshness,
    }
    if position is None:
        reason = "not connected yet" if not connections else "never read yet"
        return PortfolioRow(**shared, **_UNREAD, status_reason=reason)
    return PortfolioRow(
        **shared,
        status=position.status,
        status_reason=position.status_reason,
        as_of=position.as_of,
        runway_days=position.runway_days,
        runway_falls_on=position.runway_falls_on,
        band=position.band,
        week_change_days=position.week_change_days,
        covered_through=position.covered_through,
        opening_cash=position.opening_cash,
        low_28_days=position.low_28_days,
        low_28_days_on=position.low_28_days_on,
        past_weeks=position.past_weeks[-8:],
        coming_weeks=tuple(
            Money(amount=week.closing, currency=position.opening_cash.currency) for week in position.weeks[:5]
        ),
        next_payday=position.next_payday,
        due_7_days=position.due_7_days,
        ar_at_risk=position.ar_at_risk,
        ar_at_risk_count=position.ar_at_risk_count,
        findings_critical=position.findings_critical,
        findings_open=position.findings_open,
        cleanness=position.cleanness,
        last_digest_on=position.last_digest_on,
    )


_UNREAD: dict[str, Any] = {
    "status": PositionStatus.GREY,
    "as_of": None,
    "runway_days": None,
    "runway_falls_on": None,
    "band": None,
    "week_change_days": None,
    "covered_through": None,
    "opening_cash": None,
    "low_28_days": None,
    "low_28_days_on": None,
    "past_weeks": (),
    "coming_weeks": (),
    "next_payday": None,
    "due_7_days": None,
    "ar_at_risk": None,
    "ar_at_risk_count": 0,
    "findings_critical": 0,
    "findings_open": 0,
    "cleanness": None,
    "last_digest_on": None,
}


def _matches(row: PortfolioRow, query: PortfolioQuery) -> bool:
    if query.status is not None and row.status is not query.status:
        return False
    if query.owner is not None and row.owner != query.owner:
        return False
    if query.tag is not None and query.tag not in row.tags:
        return False
    if query.search and query.search.casefold() not in row.name.casefold():
        return False
    if query.runway_below is not None and (not row.is_runway_known or _runway(row) >= query.runway_below):
        return False
    if query.older_than_hours is not None:
        age = row.age_seconds
        if age is not None and age <= timedelta(hours=query.older_than_hours).total_seconds():
            return False
    if query.no_digest_for_days is not None and not _is_digest_due(row, query.no_digest_for_days):
        return False
    return not query.has_critical or row.findings_critical > 0


def _is_digest_due(row: PortfolioRow, days: int) -> bool:
    """Of books that were never read there is nothing to send."""
    if row.as_of is None:
        return False
    return row.last_digest_on is None or (row.as_of - row.last_digest_on).days >= days


def _runway(row: PortfolioRow) -> int:
    return BEYOND if row.runway_days is None else row.runway_days


def _width(row: PortfolioRow) -> int:
    return 0 if row.band is None else row.band.width_days


def _amount(money: Money | None) -> Decimal:
    return Decimal(0) if money is None else money.amount


_SORT_KEYS: dict[PortfolioSort, Callable[[PortfolioRow], Any]] = {
    PortfolioSort.ATTENTION: lambda row: (
        row.status.rank,
        -_width(row),
        0 if row.week_change_days is None else row.week_change_days,
        _runway(row),
        -row.findings_critical,
        row.name.casefold(),
    ),
    PortfolioSort.NAME: lambda row: row.name.casefold(),
    PortfolioSort.RUNWAY: _runway,
    PortfolioSort.BAND: _width,
    PortfolioSort.CHANGE: lambda row: 0 if row.week_change_days is None else row.week_change_days,
    PortfolioSort.CASH: lambda row: _amount(row.opening_cash),
    PortfolioSort.DUE_7_DAYS: lambda row: _amount(row.due_7_days),
    PortfolioSort.AR_AT_RISK: lambda row: _amount(row.ar_at_risk),
    PortfolioSort.FINDINGS: lambda row: (row.findings_critical, row.findings_open),
    PortfolioSort.CLEANNESS: lambda row: -1 if row.cleanness is None else row.cleanness,
    PortfolioSort.AGE: lambda row: 10**12 if row.age_seconds is None else row.age_seconds,
}
