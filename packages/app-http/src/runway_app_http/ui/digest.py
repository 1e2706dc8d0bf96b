"""`/companies/{id}`: are we okay? One company on one page."""

from fastapi import APIRouter
from runway_core.domain.ratios import RatioKind
from runway_core.experiences.digest import DigestView
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.ui.company import company_page
from runway_app_http.ui.digest_mail import MARKS
from runway_app_http.ui.figures import STATUS_SIGNS

router = APIRouter()

RATIO_NAMES = {
    RatioKind.DAYS_SALES_COUNT_BACK.value: "Days of sales, counted back",
    RatioKind.DAYS_SALES_OUTSTANDING.value: "Days of sales",
    RatioKind.DAYS_PAYABLES_OUTSTANDING.value: "Days of bills",
    RatioKind.QUICK_RATIO.value: "Quick ratio",
}


@router.get("/companies/{company_id}")
async def show_digest(request: Request, company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The digest of one company."""
    return digest_page(request, await runway.digest(company_id))


def digest_page(request: Request, view: DigestView) -> Response:
    """Lay the digest out."""
    values = {"sign": STATUS_SIGNS[view.status], "marks": MARKS, "ratio_names": RATIO_NAMES}
    return company_page(request, "digest.html", view, tab="", values=values)
