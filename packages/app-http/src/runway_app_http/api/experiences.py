"""`/v1/companies/{id}/digest|tray|console|outlook|forecast`: the four questions, each answered by one view."""

from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.domain.outlook import OutlookLine
from runway_core.experiences.console import ConsoleView
from runway_core.experiences.digest import DigestView
from runway_core.experiences.outlook import OutlookView
from runway_core.experiences.tray import TrayView
from runway_core.sync.freshness import Freshness
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp, TrayFilters
from runway_app_http.api.answers import answer

router = APIRouter(prefix="/companies/{company_id}", tags=["experiences"])

WantedFreshness = Annotated[
    Freshness,
    Query(
        description="`cached_ok` answers from the mirror at once; `strict` reads the rails first, `within_ttl` only "
        "those read over a quarter of an hour ago; both fall back to the labelled mirror when a rail does not answer."
    ),
]
WantedLine = Annotated[
    OutlookLine,
    Query(
        description="What is supposed: `expected`, `no_new_sales` (nothing comes in that is not invoiced yet), or "
        "`cautious` (customers pay as late as four of five of their invoices were)."
    ),
]


@router.get("/digest", response_model=DigestView)
async def read_digest(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    freshness: WantedFreshness = Freshness.CACHED_OK,
) -> Response:
    """Are we okay?"""
    return answer(await runway.digest(company_id, freshness=freshness, known_at=known_at))


@router.get("/tray", response_model=TrayView)
async def read_tray(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    filters: TrayFilters,
    known_at: KnownAt,
    freshness: WantedFreshness = Freshness.CACHED_OK,
) -> Response:
    """Can I trust the numbers?"""
    return answer(await runway.tray(company_id, filters.to_query(), freshness=freshness, known_at=known_at))


@router.get("/console", response_model=ConsoleView)
@router.get("/decisions", response_model=ConsoleView)
async def read_console(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    freshness: WantedFreshness = Freshness.CACHED_OK,
) -> Response:
    """What should we do next? It proposes; nothing here releases a payment. `decisions` is the same by another name."""
    return answer(await runway.console(company_id, freshness=freshness, known_at=known_at))


@router.get("/outlook", response_model=OutlookView)
@router.get("/forecast", response_model=OutlookView)
async def read_outlook(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    line: WantedLine = OutlookLine.EXPECTED,
    freshness: WantedFreshness = Freshness.CACHED_OK,
) -> Response:
    """What is coming? Thirteen weeks of cash; `forecast` is the same by its older name."""
    return answer(await runway.outlook(company_id, line=line, freshness=freshness, known_at=known_at))
