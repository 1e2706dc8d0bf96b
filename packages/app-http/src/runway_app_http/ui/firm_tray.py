"""`/tray`: what is to clear at all companies, by check or by company; like findings are decided together."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from runway_core.experiences.firm_tray import FirmTrayView
from runway_core.runway import Runway
from runway_core.services.across import MOST_AT_ONCE
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.plain import to_plain
from runway_app_http.ui.chips import Chip
from runway_app_http.ui.company import company_address
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_count, say_moment
from runway_app_http.ui.forms import keep_token, token_of
from runway_app_http.ui.rendering import render
from runway_app_http.ui.tray import SEVERITY_SIGNS

router = APIRouter()

CSV_COLUMNS = (
    "company_id", "company_name", "owner", "tracked.finding.check", "tracked.finding.name",
    "tracked.finding.severity", "tracked.state", "tracked.finding.summary", "tracked.finding.amount.amount",
    "tracked.finding.amount.currency", "tracked.finding.impact_days", "tracked.first_seen_at",
)  # fmt: skip
CHECK_COLUMNS = ("check", "name", "worst", "findings", "companies")
COMPANY_COLUMNS = ("company_id", "name", "owner", "findings", "critical")


class Grouping(StrEnum):
    """What findings are counted by."""

    CHECK = "check"
    COMPANY = "company"


By = Annotated[Grouping, Query()]
CheckAsked = Annotated[str, Query(max_length=20)]


@router.get("/tray")
async def show_firm_tray(
    request: Request, runway: RunwayOfApp, *, by: By = Grouping.CHECK, check: CheckAsked = ""
) -> Response:
    """The counts, or the like findings of one check."""
    return await firm_tray_page(request, runway, by=by, check=check)


async def firm_tray_page(
    request: Request, runway: Runway, *, by: Grouping = Grouping.CHECK, check: str = "", refused: str = ""
) -> Response:
    """Lay the page out; `refused` says why what its form asked was not done."""
    view = await runway.firm_tray(check or None)
    token = token_of(request)
    words = {"check": check} if check else {"by": by.value}
    page = render(
        "firm_tray.html",
        status=422 if refused else 200,
        view=view,
        by="" if check else by.value,
        headline=_say_headline(view),
        groupings=[
            Chip("By check", "/tray", not check and by is Grouping.CHECK),
            Chip("By company", "/tray?by=company", not check and by is Grouping.COMPANY),
        ],
        lines=[(item, company_address(item.company_id)) for item in view.items[:MOST_AT_ONCE]],
        companies=[(line, f"{company_address(line.company_id)}/tray") for line in view.by_company],
        checks=[(line, f"/tray?check={quote(line.check, safe='')}") for line in view.checks],
        more=max(len(view.items) - MOST_AT_ONCE, 0),
        signs={severity.value: sign for severity, sign in SEVERITY_SIGNS.items()},
        csv_href=f"/tray.csv?{urlencode(words)}",
        read_at=say_moment(view.generated_at),
        now=view.generated_at,
        token=token,
        refused=refused,
    )
    return keep_token(request, page, token)


@router.get("/tray.csv")
async def save_firm_tray(runway: RunwayOfApp, *, by: By = Grouping.CHECK, check: CheckAsked = "") -> Response:
    """What the page shows, all of it."""
    view = await runway.firm_tray(check or None)
    if check:
        return csv_answer(CSV_COLUMNS, (to_plain(item) for item in view.items), file_name="findings.csv")
    if by is Grouping.COMPANY:
        rows = (to_plain(line) for line in view.by_company)
        return csv_answer(COMPANY_COLUMNS, rows, file_name="findings-by-company.csv")
    return csv_answer(CHECK_COLUMNS, (to_plain(line) for line in view.checks), file_name="findings-by-check.csv")


def _say_headline(view: FirmTrayView) -> str:
    if not view.findings:
        return "Nothing to clear"
    where = f"{say_count(view.findings, 'finding')} to clear at {say_count(view.companies, 'company', 'companies')}"
    return f"{where}, {view.critical:,} of them critical" if view.critical else where
