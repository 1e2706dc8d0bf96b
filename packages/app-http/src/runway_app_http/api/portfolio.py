"""`/v1/portfolio`: the firm's companies on one page."""

from fastapi import APIRouter
from runway_core.experiences.portfolio import PortfolioView
from starlette.responses import Response

from runway_app_http.access import PortfolioFilters, RunwayOfApp
from runway_app_http.api.answers import answer
from runway_app_http.api.examples import PORTFOLIO
from runway_app_http.moments import read_known_at

router = APIRouter(tags=["portfolio"])


@router.get(
    "/portfolio",
    response_model=PortfolioView,
    responses={200: {"content": {"application/json": {"example": PORTFOLIO}}}},
)
async def read_portfolio(runway: RunwayOfApp, filters: PortfolioFilters) -> Response:
    """Every company of the firm with its stored position, those that need attention first."""
    known_at = read_known_at(filters.as_of, now=runway.scope.clock.now())
    return answer(await runway.portfolio(filters.to_query(), known_at=known_at))
