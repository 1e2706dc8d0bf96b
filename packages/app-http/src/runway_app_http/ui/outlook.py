"""`/companies/{id}/outlook`: what is coming? Thirteen weeks of cash, each figure open to its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from runway_core.domain.outlook import Outlook, OutlookDay, OutlookEvent, OutlookLine, OutlookWeek
from runway_core.experiences.outlook import OutlookView
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.plain import to_plain
from runway_app_http.ui.charts import draw_cash_line
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address, company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_amount, say_day

router = APIRouter()


class Horizon(IntEnum):
    """How many weeks the page shows."""

    MONTH = 4
    TWO_MONTHS = 8
    QUARTER = 13


LINE_NAMES = {
    OutlookLine.EXPECTED: "Expected",
    OutlookLine.NO_NEW_SALES: "No new sales",
    OutlookLine.CAUTIOUS: "Customers pay late",
}

CSV_COLUMNS = ("day", "opening", "inflow", "outflow", "low", "closing")


@dataclass(frozen=True, slots=True)
class WeekParts:
    """One week with its days and what is expected on them."""

    week: OutlookWeek
    days: Sequence[OutlookDay]
    events: Sequence[OutlookEvent]


class OutlookParams(BaseModel):
    """What the page shows, as it stands in an address; a stray word in a link that somebody mailed is no error."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    line: OutlookLine = OutlookLine.EXPECTED
    weeks: Horizon = Horizon.QUARTER

    def to_address(self, base: str, *, end: str = "", **changes: object) -> str:
        """The address of the page with `changes`; what is usual is left out."""
        words = self.model_copy(update=changes).model_dump(mode="json", exclude_defaults=True)
        return f"{base}/outlook{end}" + (f"?{urlencode(words)}" if words else "")


Shown = Annotated[OutlookParams, Query()]


@router.get("/companies/{company_id}/outlook")
async def show_outlook(request: Request, company_id: CompanyInPath, runway: RunwayOfApp, shown: Shown) -> Response:
    """The outlook of one company."""
    return outlook_page(request, await runway.outlook(company_id, line=shown.line), shown)


@router.get("/companies/{company_id}/outlook.csv")
async def save_outlook(company_id: CompanyInPath, runway: RunwayOfApp, shown: Shown) -> Response:
    """Cash day by day, by the line and over the weeks that the page shows."""
    view = await runway.outlook(company_id, line=shown.line)
    days = [day for part in split_by_week(view.outlook)[: shown.weeks] for day in part.days]
    rows = (to_plain(day, currency=view.company.home_currency) for day in days)
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-outlook.csv")


def outlook_page(request: Request, view: OutlookView, shown: OutlookParams) -> Response:
    """Lay the outlook out."""
    outlook, home = view.outlook, view.company.home_currency
    base = company_address(view.company.company_id)
    weeks = split_by_week(outlook)[: shown.weeks]
    days = [day for part in weeks for day in part.days]
    label = (
        f"Cash day by day in {home} for {shown.weeks} weeks: {say_amount(outlook.opening_cash.amount, home)} on "
        f"{say_day(view.as_of)}, lowest {say_amount(outlook.low.amount, home)} on {say_day(outlook.low_on)}. "
        "The table of weeks has the figures."
    )
    values = {
        "chart": draw_cash_line(days, currency=home, floor=outlook.buffer.amount, label=label),
        "weeks": weeks,
        "lines": [
            (figures, LINE_NAMES[figures.line], shown.to_address(base, line=figures.line)) for figures in view.lines
        ],
        "horizons": [
            Chip(f"{count} weeks", shown.to_address(base, weeks=count), count == shown.weeks) for count in Horizon
        ],
        "csv_href": shown.to_address(base, end=".csv"),
        "left_out_lines": tuple(dict.fromkeys((*view.cash.left_out, *outlook.left_out))),
    }
    return company_page(request, "outlook.html", view, tab="/outlook", values=values)


def split_by_week(outlook: Outlook) -> Sequence[WeekParts]:
    """Put days and events under the week they fall into."""
    parts: list[WeekParts] = []
    for week in outlook.weeks:
        # Week 1 starts on the day of the outlook, whichever weekday that is; all end on a Sunday.
        last = week.starts_on + timedelta(days=6 - week.starts_on.weekday())
        parts.append(
            WeekParts(
                week=week,
                days=[day for day in outlook.days if week.starts_on <= day.day <= last],
                events=[event for event in outlook.events if week.starts_on <= event.on <= last],
            )
        )
    return parts
