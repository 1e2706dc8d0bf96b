"""`/v1/companies/{id}/findings`: defects in the books, and what people decide about them."""

from datetime import date
from enum import StrEnum

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.domain.findings import FindingState, TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.errors import NotFound, StaleRevision
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, TrayFilters, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfDecision, tag_of_finding

router = APIRouter(prefix="/companies/{company_id}/findings", tags=["findings"])


class FindingAct(StrEnum):
    """What a person may decide about a finding."""

    ACCEPT = "accept"
    SNOOZE = "snooze"
    ASK = "ask"
    REOPEN = "reopen"


STATE_AFTER = {
    FindingAct.ACCEPT: FindingState.ACCEPTED,
    FindingAct.SNOOZE: FindingState.SNOOZED,
    FindingAct.ASK: FindingState.ASKED,
    FindingAct.REOPEN: FindingState.OPEN,
}


class FindingDecision(BaseModel):
    """A decision about one finding."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"action": "accept", "reason": "two deliveries, both real"}}
    )

    action: FindingAct
    reason: str | None = Field(None, max_length=2000, description="Needed to accept; kept with any decision.")
    until: date | None = Field(None, description="Needed to snooze: the day on which the finding returns.")


class FindingList(View):
    """One page of findings, worst first."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    policy_version: int
    items: tuple[TrackedFinding, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=FindingList)
async def list_findings(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    filters: TrayFilters,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """The findings of a company, worst first, as the last reading of its books left them."""
    view = await runway.tray(company_id, filters.to_query())
    found = [row.tracked for group in view.groups for row in group.rows]
    page, next_cursor = cut_page(
        found, lambda t: (t.finding.severity.rank, t.finding.check, t.finding_id), limit=limit, cursor=cursor
    )
    return answer(
        FindingList(
            company=view.company,
            as_of=view.as_of,
            books_read_at=view.books_read_at,
            policy_version=view.policy_version,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.get("/{finding_id}", response_model=TrackedFinding)
async def read_finding(company_id: CompanyInPath, runway: RunwayOfApp, *, finding_id: str) -> Response:
    """One finding with its history; the `ETag` tells the decision about it."""
    found = await _find(runway, company_id, require_id(finding_id, "finding"))
    company = await runway.companies.get(company_id)
    return answer(found, currency=company.home_currency, headers=_tag(found))


@router.post("/{finding_id}", response_model=TrackedFinding)
async def post_decision(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    finding_id: str,
    decision: FindingDecision,
    if_match: IfDecision,
    actor: ApiActor,
) -> Response:
    """Accept with a reason, snooze until a day, ask the company, or reopen. Nothing is written to the ledger."""
    decided = await decide_finding(
        runway,
        company_id,
        finding_id=finding_id,
        decision=decision,
        actor=actor,
        tag=if_match,
    )
    company = await runway.companies.get(company_id)
    return answer(decided, currency=company.home_currency, headers=_tag(decided))


def _tag(tracked: TrackedFinding) -> dict[str, str]:
    return {"ETag": f'"{tag_of_finding(tracked)}"'}


async def _find(runway: Runway, company_id: CompanyId, finding_id: str) -> TrackedFinding:
    found = await runway.findings.list(company_id, states=None)
    held = next((one for one in found if one.finding_id == finding_id), None)
    if held is None:
        raise NotFound(f"no finding {finding_id[:40]!r} of this company: it may have been fixed and forgotten")
    return held


async def decide_finding(
    runway: Runway,
    company_id: CompanyId,
    *,
    finding_id: str,
    decision: FindingDecision,
    actor: str,
    tag: str | None = None,
) -> TrackedFinding:
    """Record a decision, unless it stands already: repeating one changes nothing and logs nothing.

    `tag` is that of the decision it was thought out on; `None` takes the finding as it stands.

    Raises:
        NotFound: no such company in this firm, or no such finding.
        InvalidRequest: no reason for an acceptance, or no future day for a snooze.
        StaleRevision: somebody decided otherwise since.
    """
    held = await _find(runway, company_id, require_id(finding_id, "finding"))
    state = STATE_AFTER[decision.action]
    reason = (decision.reason or "").strip() or None
    until = decision.until if state is FindingState.SNOOZED else None
    if (held.state, held.reason, held.snoozed_until) == (state, reason, until):
        return held
    if tag and tag != tag_of_finding(held):
        by = f" by {held.decided_by}" if held.decided_by else ""
        raise StaleRevision(f"the finding is {held.state.value}{by} since you looked: look again, then decide")
    return await runway.findings.decide(company_id, finding_id, state, actor=actor, reason=reason, until=until)
