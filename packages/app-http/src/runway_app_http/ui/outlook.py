"""`/companies/{id}/outlook`: what is coming? Thirteen weeks of cash, each figure open to its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter
from runway_core.domain.outlook import Outlook, OutlookDay, OutlookEvent, OutlookWeek
from runway_core.experiences.outlook import OutlookView
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.plain import to_plain
from runway_app_http.ui.charts import draw_cash_line
from runway_app_http.ui.company import company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_amount, say_day

router = APIRouter()

CSV_COLUMNS = ("day", "opening", "inflow", "outflow", "low", "closing")


@dataclass(frozen=True, slots=True)
class WeekParts:
    """One week with its days and what is expected on them."""

    week: OutlookWeek
    days: Sequence[OutlookDay]
    events: Sequence[OutlookEvent]


@router.get("/companies/{company_id}/outlook")
async def show_outlook(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The outlook of one company."""
    return outlook_page(request, await runway.outlook(company_id))


@router.get("/companies/{company_id}/outlook.csv")
async def save_outlook(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Cash day by day."""
    view = await runway.outlook(company_id)
    rows = (to_plain(day, currency=view.company.home_currency) for day in view.outlook.days)
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-outlook.csv")


def outlook_page(request: Request, view: OutlookView) -> Response:
    """Lay the outlook out."""
    outlook, home = view.outlook, view.company.home_currency
    label = (
        f"Cash day by day in {home} for thirteen weeks: {say_amount(outlook.opening_cash.amount, home)} on "
        f"{say_day(view.as_of)}, lowest {say_amount(outlook.low.amount, home)} on {say_day(outlook.low_on)}. "
        "The table of weeks has the figures."
    )
    values = {
        "chart": draw_cash_line(outlook.days, currency=home, floor=outlook.buffer.amount, label=label),
        "weeks": split_by_week(outlook),
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
