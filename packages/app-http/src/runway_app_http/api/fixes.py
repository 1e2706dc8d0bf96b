"""`/v1/companies/{id}/fixes`: what a suggested fix would write, writing it, and taking it back."""

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.fixes import Fix
from runway_core.domain.log_entry import to_microseconds
from runway_core.experiences.view import CompanyHeading, View
from runway_core.services.fixes import MOST_AT_ONCE, FixChoice, FixOutcome
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(prefix="/companies/{company_id}/fixes", tags=["fixes"])


class FixWanted(BaseModel):
    """Which of a finding's suggested fixes."""

    model_config = ConfigDict(extra="forbid")

    finding_id: str = Field(max_length=128)
    fix_index: int = Field(0, ge=0, le=100, description="Its place among the finding's fixes, from 0.")


class FixOrder(BaseModel):
    """The fixes to plan or write."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"fixes": [{"finding_id": "9f1c0a7be2d34f5a6b7c"}]}}
    )

    fixes: list[FixWanted] = Field(min_length=1, max_length=MOST_AT_ONCE)

    def to_choices(self) -> list[FixChoice]:
        """The same in the service's words."""
        return [FixChoice(wanted.finding_id, wanted.fix_index) for wanted in self.fixes]


class FixReport(View):
    """What becomes of one fix: the fix with each field before and after, or why there is none."""

    finding_id: str
    fix_index: int
    fix: Fix | None
    error_code: str | None
    error: str | None

    @classmethod
    def of(cls, outcome: FixOutcome) -> "FixReport":
        """The report on one outcome."""
        return cls(
            finding_id=outcome.choice.finding_id,
            fix_index=outcome.choice.fix_index,
            fix=outcome.fix,
            error_code=None if outcome.error is None else outcome.error.code,
            error=None if outcome.error is None else str(outcome.error),
        )


class FixReports(View):
    """One report a fix that was asked for, in the same order."""

    company: CompanyHeading
    items: tuple[FixReport, ...]


class FixList(View):
    """Fixes, the last changed first."""

    company: CompanyHeading
    items: tuple[Fix, ...]
    has_more: bool
    next_cursor: str | None


async def _report(runway: RunwayOfApp, company_id: CompanyInPath, outcomes: Sequence[FixOutcome]) -> Response:
    company = await runway.companies.get(company_id)
    return answer(
        FixReports(company=CompanyHeading.of(company), items=tuple(FixReport.of(outcome) for outcome in outcomes))
    )


@router.get("", response_model=FixList)
async def list_fixes(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    include_closed: bool = True,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """The fixes of a company with where each stands, the last changed first."""
    company = await runway.companies.get(company_id)
    found = await runway.fixes.list(company_id, include_closed=include_closed, limit=None)
    page, next_cursor = cut_page(
        found, lambda fix: (-to_microseconds(fix.changed_at), fix.paper_id), limit=limit, cursor=cursor
    )
    return answer(
        FixList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.get("/{fix_id}", response_model=Fix)
async def read_fix(company_id: CompanyInPath, runway: RunwayOfApp, *, fix_id: str) -> Response:
    """One fix with where it stands."""
    return answer(await runway.fixes.get(company_id, require_id(fix_id, "fix")))


@router.post("/preview", response_model=FixReports)
async def preview_fixes(company_id: CompanyInPath, runway: RunwayOfApp, *, order: FixOrder) -> Response:
    """What each fix would write where, field by field. Nothing is written or kept."""
    return await _report(runway, company_id, await runway.fixes.plan_all(company_id, order.to_choices()))


@router.post("", response_model=FixReports)
async def apply_fixes(company_id: CompanyInPath, runway: RunwayOfApp, *, order: FixOrder, actor: ApiActor) -> Response:
    """Write fixes, each reported on its own. The same fix of the same version of a record is one write."""
    return await _report(runway, company_id, await runway.fixes.apply(company_id, order.to_choices(), actor=actor))


@router.post("/{fix_id}/undo", response_model=Fix)
async def undo_fix(company_id: CompanyInPath, runway: RunwayOfApp, *, fix_id: str, actor: ApiActor) -> Response:
    """Write the old values back, within 24 hours and unless the record was changed since: the fix that does so."""
    return answer(await runway.fixes.undo(company_id, require_id(fix_id, "fix"), actor=actor))
