"""`/v1/health`: how fresh each company's data is; `/healthz`, `/readyz` and `/metrics` for machines that watch."""

from collections import Counter
from collections.abc import Iterable

from fastapi import APIRouter
from pydantic import AwareDatetime
from runway_core.domain.position import PositionStatus
from runway_core.domain.sync_run import SyncRun
from runway_core.errors import SchemaMismatch
from runway_core.experiences.view import View
from runway_core.runway import Runway
from runway_core.services.health import CompanyHealth
from runway_core.sync.freshness import FreshnessLabel
from starlette.responses import PlainTextResponse, Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.companies import CompanySummary

router = APIRouter(tags=["health"])
probes = APIRouter(tags=["health"])

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HealthItem(View):
    """How fresh one company's data is, and how its last pull went."""

    company: CompanySummary
    freshness: tuple[FreshnessLabel, ...]
    last_run: SyncRun | None
    quarantined: int

    @classmethod
    def of(cls, health: CompanyHealth) -> "HealthItem":
        """One company's health, ready to show."""
        return cls(
            company=CompanySummary.of(health.company),
            freshness=health.freshness,
            last_run=health.last_run,
            quarantined=health.quarantined,
        )


class HealthList(View):
    """One page of companies' health, by company name."""

    generated_at: AwareDatetime
    total: int
    stale: int  # companies with a connection whose data is too old
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
    """Figures for Prometheus: companies by status, findings, age of data, quarantined records."""
    return Response("\n".join(await _measure(runway)) + "\n", media_type=METRICS_TYPE)


async def _measure(runway: Runway) -> list[str]:
    health = await runway.health()
    positions = await runway.positions.all()
    by_status = Counter(position.status for position in positions)
    by_status[PositionStatus.GREY] += len(health) - len(positions)
    return [
        *_gauge("runway_companies", "Companies of the firm by status.", (
            (f'status="{status.value}"', by_status[status]) for status in PositionStatus
        )),
        *_gauge("runway_findings_open", "Open findings.", [("", sum(p.findings_open for p in positions))]),
        *_gauge("runway_findings_critical", "Open critical findings.", [
            ("", sum(p.findings_critical for p in positions))
        ]),
        *_gauge("runway_data_age_seconds", "Age of a company's data by rail; absent before the first reading.", (
            (f'company_id="{_escape(h.company.company_id)}",rail="{_escape(label.rail)}"', label.age_seconds)
            for h in health
            for label in h.freshness
            if label.age_seconds is not None
        )),
        *_gauge("runway_quarantined_records", "Records that could not be understood.", [
            ("", sum(h.quarantined for h in health))
        ]),
    ]  # fmt: skip


def _gauge(name: str, meaning: str, samples: Iterable[tuple[str, int]]) -> Iterable[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        yield f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
