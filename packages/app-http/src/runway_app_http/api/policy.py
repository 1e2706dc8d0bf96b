"""`/v1/companies/{id}/policy`: the rules under which a company's money goes out."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.policy import Policy
from runway_core.experiences.view import CompanyHeading, View
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.history import HistoryEntry
from runway_app_http.api.versions import IfMatch, tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}/policy", tags=["policy"])


class PolicyChange(BaseModel):
    """Settings to change; the others stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"settings": {"payroll_cover_days": 21, "hurdle_rate": "0.12"}}}
    )

    settings: dict[str, Any] = Field(description="By name, as the policy shows them.")


class PolicyHistory(View):
    """One page of a policy's history, oldest first."""

    company: CompanyHeading
    items: tuple[HistoryEntry, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=Policy)
async def read_policy(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The policy that holds; version 0 is the default, where nothing was set."""
    policy = await runway.policies.read(company_id)
    company = await runway.companies.get(company_id)
    return answer(policy, currency=company.home_currency, headers=tag_of(policy))


@router.post("", response_model=Policy)
async def change_policy(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    change: PolicyChange,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Change settings: a new version. Setting what is set already makes none."""
    policy = await runway.policies.change(company_id, change.settings, actor=actor, version=if_match)
    await follow_change(runway, company_id)
    company = await runway.companies.get(company_id)
    return answer(policy, currency=company.home_currency, headers=tag_of(policy))


@router.get("/history", response_model=PolicyHistory)
async def read_policy_history(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """Every change of the policy as the log has it: who, when, and each setting before and after."""
    company = await runway.companies.get(company_id)
    entries = await runway.policies.history(company_id)
    page, next_cursor = cut_page(entries, lambda entry: (entry.sequence,), limit=limit, cursor=cursor)
    return answer(
        PolicyHistory(
            company=CompanyHeading.of(company),
            items=tuple(HistoryEntry.of(entry) for entry in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )
