"""`/v1/companies/{id}/sync`: pull a company now."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.changes import Cause
from runway_core.domain.sync_run import PageCounts, SyncRun
from runway_core.experiences.view import View
from runway_core.sync.orchestrator import PullRequest
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import answer
from runway_app_http.api.companies import CompanySummary

router = APIRouter(prefix="/companies/{company_id}/sync", tags=["companies"])


class SyncOrder(BaseModel):
    """What to pull."""

    model_config = ConfigDict(extra="forbid")

    rail: str | None = Field(None, max_length=100, description="Only this rail.")
    full: bool = Field(False, description="Read everything again, and retire what is gone.")


class SyncAnswer(View):
    """How the pulls ended, one run a connection. A run that failed says so in `error_code` and `error`."""

    company: CompanySummary
    counts: PageCounts
    runs: tuple[SyncRun, ...]


@router.post("", response_model=SyncAnswer)
async def sync_company(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    order: SyncOrder | None = None,
    actor: ApiActor,
) -> Response:
    """Pull a company's connections now and compute its position. Repeating it is harmless: what is known is skipped."""
    wanted = order or SyncOrder()
    report = await runway.sync(
        company_id, rail=wanted.rail, request=PullRequest(cause=Cause.PERSON, actor=actor, full=wanted.full)
    )
    return answer(SyncAnswer(company=CompanySummary.of(report.company), counts=report.counts, runs=report.runs))
