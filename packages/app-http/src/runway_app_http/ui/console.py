"""`/companies/{id}/console`: what should we do next? Bills in pay order beside the cash line, and who to call."""

from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.experiences.console import ConsoleView
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.bills import BillsShown, gather_bills
from runway_app_http.plain import to_plain
from runway_app_http.ui.charts import draw_cash_line
from runway_app_http.ui.company import company_page, file_stem
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_amount, say_day

router = APIRouter()

MOST_ROWS = 200
"""Rows of one table on the page; the CSV has all."""

CSV_COLUMNS = (
    "bill_id", "number", "vendor_id", "vendor_name", "open_balance.amount", "open_balance.currency", "document_date",
    "due_date", "pay_by", "days_to_due", "held_back",
)  # fmt: skip
BILL_COLUMNS = (
    "external_id", "number", "vendor_id", "vendor_name", "open_balance", "total", "currency", "document_date",
    "due_date", "memo",
)  # fmt: skip


@router.get("/companies/{company_id}/console")
async def show_console(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The console of one company."""
    return console_page(request, await runway.console(company_id))


@router.get("/companies/{company_id}/console.csv")
async def save_console(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """Ready and held bills, in pay order."""
    view = await runway.console(company_id)
    rows = (to_plain(bill) for bill in (*view.ready, *view.held))
    return csv_answer(CSV_COLUMNS, rows, file_name=f"{file_stem(view)}-decisions.csv")


@router.get("/companies/{company_id}/bills.csv")
async def save_bills(
    company_id: CompanyInPath, runway: RunwayOfApp, show: Annotated[BillsShown, Query()] = BillsShown.OPEN
) -> Response:
    """Open bills, by due date."""
    items = await gather_bills(runway, company_id, show=show)
    return csv_answer(BILL_COLUMNS, (to_plain(item.bill) for item in items), file_name="bills.csv")


def console_page(request: Request, view: ConsoleView) -> Response:
    """Lay the console out."""
    home = view.company.home_currency
    buffer = view.opening_cash.amount - view.available_cash.amount
    label = (
        f"Cash day by day in {home}: {say_amount(view.opening_cash.amount, home)} on {say_day(view.as_of)}, lowest in "
        f"28 days {say_amount(view.low_28_days.amount, home)} on {say_day(view.low_28_days_on)}. "
        "The table of weeks has the figures."
    )
    values = {
        "chart": draw_cash_line(view.days, currency=home, floor=buffer, label=label),
        "most": MOST_ROWS,
    }
    return company_page(request, "console.html", view, tab="/console", values=values)
