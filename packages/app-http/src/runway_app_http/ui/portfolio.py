"""`/`: every company on one screen, and the same as CSV."""

from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from markupsafe import Markup
from runway_core.domain.money import Money
from runway_core.domain.people import Need
from runway_core.experiences.portfolio import PortfolioRow, PortfolioSort, PortfolioView
from runway_core.experiences.wording import say_band, say_days
from runway_core.runway import Runway
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import ForgivingPortfolioParams, PageFilters, RunwayOfApp
from runway_app_http.api.views import write_query
from runway_app_http.plain import to_plain
from runway_app_http.ui.charts import describe_spark, draw_spark
from runway_app_http.ui.company import say_act
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import (
    NONE_YET,
    STATUS_SIGNS,
    say_amount,
    say_change,
    say_count,
    say_day,
    say_moment,
    say_oldest,
    say_weekday,
)
from runway_app_http.ui.forms import keep_token, token_of, what_was_said
from runway_app_http.ui.portfolio_views import lay_out_views
from runway_app_http.ui.rendering import render

router = APIRouter()

CSV_COLUMNS = (
    "company_id", "name", "owner", "tags", "home_currency", "status", "status_reason", "as_of", "runway_days",
    "covered_through", "runway_falls_on", "band.worst_days",
    "band.best_days", "week_change_days", "opening_cash.amount", "low_28_days.amount", "low_28_days_on",
    "next_payday.on", "next_payday.amount.amount", "next_payday.is_covered", "due_7_days.amount", "ar_at_risk.amount",
    "ar_at_risk_count", "findings_critical", "findings_open", "cleanness", "last_digest_on", "age_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One heading; `href` orders the table by it, where it can be."""

    title: str
    href: str | None = None
    order: str | None = None  # "ascending", "descending" where the table is ordered by it
    is_number: bool = False
    also: tuple["Column", ...] = ()  # what stands in the same cells, and orders the table too
    anchor: str = ""  # names the heading, so that the focus is on it again when the table was ordered by it

    @property
    def sorted(self) -> str | None:
        """How the table is ordered by what stands in this column."""
        return next((one.order for one in (self, *self.also) if one.order), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """One status as a filter: its count, and where a click leads."""

    status: str
    sign: str
    count: int
    href: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One company, in words that are ready to show."""

    company_id: str
    href: str
    name: str
    owner: str
    tags: tuple[str, ...]
    status: str
    sign: str
    reason: str
    runway: str
    runway_on: str
    band: str  # how far open findings could move it, and how it moved within a week
    digest: str
    cash: str
    currency: str
    spark: Markup
    low: str
    low_on: str
    is_low_negative: bool
    payday: str
    payday_word: str
    is_payday_covered: bool
    due: str
    at_risk: str
    at_risk_count: str
    critical: int
    findings: int
    cleanness: str
    ages: tuple[str, ...]
    is_stale: bool


@dataclass(frozen=True, slots=True)
class PortfolioPage:
    """The page, laid out."""

    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    everything: Filter
    lines: tuple[Line, ...]
    result: str
    week: str
    read_at: str
    csv_href: str
    clear_href: str | None
    next_href: str | None
    first_href: str | None
    params: ForgivingPortfolioParams
    total: int


@router.get("/")
async def show_portfolio(request: Request, runway: RunwayOfApp, filters: PageFilters) -> Response:
    """The portfolio page."""
    return await portfolio_page(request, runway, filters)


async def portfolio_page(
    request: Request, runway: Runway, filters: ForgivingPortfolioParams, *, refused: str = ""
) -> Response:
    """Lay the page out; `refused` says why what a form of it asked was not done."""
    view = await runway.portfolio(filters.to_query())
    saved = await runway.saved_views.list()
    token, said = token_of(request), what_was_said(request)
    page = render(
        "portfolio.html",
        status=422 if refused else 200,
        page=lay_out_page(view, filters),
        owners=sorted({row.owner for row in view.rows if row.owner}),
        may_decide=runway.scope.caller is None or runway.scope.caller.may(Need.DECIDE),
        may_assign=runway.scope.caller is None or runway.scope.caller.may(Need.MANAGE),
        shown=urlencode(filters.to_address()),
        saved=lay_out_views(saved, runway.scope, here=write_query(filters)),
        token=token,
        said="" if said is None else say_act(said.act),
        refused=refused,
    )
    return keep_token(request, page, token)


@router.get("/portfolio.csv")
async def save_portfolio(runway: RunwayOfApp, filters: PageFilters) -> Response:
    """The filtered portfolio, all its pages."""
    query = filters.to_query().model_copy(update={"limit": 100, "cursor": None})
    rows: list[PortfolioRow] = []
    while True:
        view = await runway.portfolio(query)
        rows += view.rows
        if view.next_cursor is None:
            return csv_answer(CSV_COLUMNS, (to_plain(row) for row in rows), file_name="portfolio.csv")
        query = query.model_copy(update={"cursor": view.next_cursor})


def lay_out_page(view: PortfolioView, params: ForgivingPortfolioParams) -> PortfolioPage:
    """Turn the view into words and links; touches nothing."""
    narrowed = params.to_address(sort=None, limit=None, cursor=None)
    return PortfolioPage(
        columns=_list_columns(params),
        filters=tuple(
            Filter(
                status=c.status.value,
                sign=STATUS_SIGNS[c.status],
                count=c.count,
                href=_address(params, status=None if params.status is c.status else c.status.value, cursor=None),
                is_on=params.status is c.status,
            )
            for c in view.counts
        ),
        everything=Filter(
            status="all",
            sign="",
            count=view.total,
            href=_address(params, status=None, cursor=None),
            is_on=params.status is None,
        ),
        lines=tuple(lay_out_line(row) for row in view.rows),
        result=_say_result(view),
        week=view.week_sentence,
        read_at=say_moment(view.generated_at),
        csv_href=_address(params, path="/portfolio.csv", limit=None, cursor=None),
        clear_href="/" if narrowed else None,
        next_href=_address(params, cursor=view.next_cursor) if view.next_cursor else None,
        first_href=_address(params, cursor=None) if params.cursor else None,
        params=params,
        total=view.total,
    )


def lay_out_line(row: PortfolioRow) -> Line:
    """Turn one company's figures into words."""
    past, coming = [m.amount for m in row.past_weeks], [m.amount for m in row.coming_weeks]
    payday = row.next_payday
    spark = Markup("")
    if row.as_of is not None:
        label = describe_spark(past, coming, currency=row.home_currency, as_of=row.as_of)
        spark = draw_spark(past, coming, label=label)
    return Line(
        company_id=row.company_id,
        href=f"/companies/{quote(row.company_id, safe='')}",
        name=row.name,
        owner=row.owner or "",
        tags=row.tags,
        status=row.status.value,
        sign=STATUS_SIGNS[row.status],
        reason=row.status_reason,
        runway=say_days(row.runway_days) if row.is_runway_known else NONE_YET,
        runway_on=_say_covered(row),
        band=_say_moves(row),
        digest="" if row.last_digest_on is None else f"digest {say_day(row.last_digest_on, row.as_of)}",
        cash=_say_whole(row.opening_cash),
        currency=row.home_currency,
        spark=spark,
        low=_say_whole(row.low_28_days),
        low_on="" if row.low_28_days_on is None else say_day(row.low_28_days_on, row.as_of),
        is_low_negative=row.low_28_days is not None and row.low_28_days.amount < 0,
        payday=NONE_YET if payday is None else say_weekday(payday.on, row.as_of),
        payday_word="" if payday is None else "covered" if payday.is_covered else "not covered",
        is_payday_covered=payday is None or payday.is_covered,
        due=_say_whole(row.due_7_days),
        at_risk=_say_whole(row.ar_at_risk),
        at_risk_count=say_count(row.ar_at_risk_count, "invoice") if row.ar_at_risk_count else "",
        critical=row.findings_critical,
        findings=row.findings_open,
        cleanness=NONE_YET if row.cleanness is None else str(row.cleanness),
        ages=say_oldest(row.freshness),
        is_stale=any(label.is_stale for label in row.freshness),
    )


def _say_whole(money: Money | None) -> str:
    return NONE_YET if money is None else say_amount(money.amount, money.currency, whole=True)


def _say_covered(row: PortfolioRow) -> str:
    if row.as_of is None:
        return ""
    if row.covered_through is not None:
        return f"through {say_day(row.covered_through, row.as_of)}"
    return f"from {say_day(row.as_of, row.as_of)}" if row.runway_days == 0 else ""


def _say_moves(row: PortfolioRow) -> str:
    said = []
    if row.band is not None and row.band.width_days:
        doubt = "" if row.band.is_reliable(row.runway_days) else ", not reliable yet"
        said.append(f"{say_band(row.band)}{doubt}")
    if row.week_change_days:
        said.append(f"{say_change(row.week_change_days)} in a week")
    return "; ".join(said)


def _say_result(view: PortfolioView) -> str:
    if view.matching == view.total:
        said = say_count(view.total, "company", "companies")
    else:
        said = f"{view.matching:,} of {say_count(view.total, 'company', 'companies')}"
    return said if len(view.rows) == view.matching else f"{said}; {len(view.rows)} on this page"


def _address(params: ForgivingPortfolioParams, *, path: str = "/", **changes: object) -> str:
    words = params.to_address(**changes)
    return f"{path}?{urlencode(words)}" if words else path


def _list_columns(params: ForgivingPortfolioParams) -> tuple[Column, ...]:
    def by(sort: PortfolioSort, title: str, *, largest_first: bool = False, is_number: bool = True) -> Column:
        """A heading that orders by its column; a second click turns the order round."""
        up, down = sort.value, f"-{sort.value}"
        order = {up: "ascending", down: "descending"}.get(params.sort)
        first, second = (down, up) if largest_first else (up, down)
        wanted = second if params.sort == first else first
        href = _address(params, sort=None if wanted == PortfolioSort.ATTENTION else wanted, cursor=None)
        return Column(title=title, href=href, order=order, is_number=is_number, anchor=f"by-{up}")

    return (
        by(PortfolioSort.NAME, "Company", is_number=False),
        by(PortfolioSort.ATTENTION, "Status", is_number=False),
        replace(
            by(PortfolioSort.RUNWAY, "Runway"),
            also=(
                by(PortfolioSort.BAND, "band", largest_first=True),
                by(PortfolioSort.CHANGE, "week’s change"),
            ),
        ),
        by(PortfolioSort.CASH, "Cash", largest_first=True),
        Column("8 weeks past, 5 to come"),
        Column("28-day low", is_number=True),
        Column("Next payroll"),
        by(PortfolioSort.DUE_7_DAYS, "Due in 7 days", largest_first=True),
        by(PortfolioSort.AR_AT_RISK, "AR at risk", largest_first=True),
        by(PortfolioSort.FINDINGS, "Findings", largest_first=True),
        by(PortfolioSort.CLEANNESS, "Clean"),
        by(PortfolioSort.AGE, "Data", largest_first=True, is_number=False),
    )
