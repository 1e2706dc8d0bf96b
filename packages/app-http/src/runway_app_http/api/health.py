"""`/v1/health`: how fresh each company's data is; `/healthz`, `/readyz` and `/metrics` for machines that watch."""

from fastapi import APIRouter
from pydantic import AwareDatetime
from runway_core.domain.sync_run import SyncRun
from runway_core.errors import SchemaMismatch
from runway_core.experiences.view import View
from runway_core.services.coverage import CoverageHealth
from runway_core.services.health import CompanyHealth, ServiceHealth
from runway_core.sync.freshness import FreshnessLabel
from runway_core.sync.health import ConnectionHealth
from starlette.responses import PlainTextResponse, Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.companies import CompanySummary
from runway_app_http.metrics import CONTENT_TYPE, write_metrics

router = APIRouter(tags=["health"])
probes = APIRouter(tags=["health"])


class HealthItem(View):
    """How fresh one company's data is, and how its last pull went."""

    company: CompanySummary
    freshness: tuple[FreshnessLabel, ...]
    last_run: SyncRun | None
    quarantined: int
    connections: tuple[ConnectionHealth, ...]

    @classmethod
    def of(cls, health: CompanyHealth) -> "HealthItem":
        """One company's health, ready to show."""
        return cls(
            company=CompanySummary.of(health.company),
            freshness=health.freshness,
            last_run=health.last_run,
            quarantined=health.quarantined,
            connections=health.connections,
        )


class HealthList(View):
    """One page of companies' health, by company name."""

    generated_at: AwareDatetime
    total: int
    stale: int  # companies with a connection whose data is too old
    service: ServiceHealth  # how the service as a whole does
    coverage: CoverageHealth  # whether every change reaches the mirror
    items: tuple[HealthItem, ...]
    has_more: bool
    next_cursor: str | None


class StoreState(View):
    """Whether the database can serve."""

    status: str
    dialect: str
    schema_revision: str | None
    warnings: tuple[str, ...]


@router.get("/health", response_model=HealthList)
async def read_health(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """How fresh each company's data is, and how its last pull went."""
    health = await runway.health()
    page, next_cursor = cut_page(
        health, lambda h: (h.company.name.casefold(), h.company.company_id), limit=limit, cursor=cursor
    )
    return answer(
        HealthList(
            generated_at=runway.scope.clock.now(),
            total=len(health),
            stale=sum(1 for h in health if any(label.is_stale for label in h.freshness)),
            service=await runway.watch.service(),
            coverage=await runway.coverage.health(),
            items=tuple(HealthItem.of(h) for h in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@probes.get("/healthz")
async def check_alive() -> Response:
    """Does the process answer? Neither database nor rails are asked."""
    return answer({"status": "ok"})


@probes.get("/readyz", response_model=StoreState)
async def check_ready(runway: RunwayOfApp) -> Response:
    """Can it serve? The database answers and is of this code's version; rails never count."""
    health = await runway.check_store()
    if not health.is_current:
        raise SchemaMismatch("the database is of another version: run `runway db upgrade`, or the newer program")
    return answer(
        StoreState(
            status="ready", dialect=health.dialect, schema_revision=health.schema_revision, warnings=health.warnings
        )
    )


@probes.get("/metrics", response_class=PlainTextResponse)
async def read_metrics(runway: RunwayOfApp) -> Response:
    """Figures for Prometheus: companies by status, age of data, quotas, queue, breakers, alerts."""
    return Response(await write_metrics(runway), media_type=CONTENT_TYPE)
