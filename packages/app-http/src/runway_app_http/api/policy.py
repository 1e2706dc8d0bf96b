"""`/v1/companies/{id}/policy` and `/v1/policy`: the rules under which money goes out, of a company and of the firm."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.domain.decisions import Figures, RuleResult
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import LogEntry
from runway_core.domain.policy import Policy, RuleName, Ruling
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.policies import PolicySurvey
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.history import HistoryEntry
from runway_app_http.api.versions import IfMatch, tag_of
from runway_app_http.following import follow_change

router = APIRouter(tags=["policy"])

_COMPANY = "/companies/{company_id}/policy"


class PolicyChange(BaseModel):
    """Settings to change; the others stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"settings": {"payroll_cover_days": 21, "hurdle_rate": "0.12"}}}
    )

    settings: dict[str, Any] = Field(default_factory=dict, description="By name, as the policy shows them.")
    follow_firm: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Settings that are the company's own no longer; for the firm, those that are the default again.",
    )


class PolicyRevert(BaseModel):
    """The version whose settings are to hold again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"version": 1}})

    version: int = Field(ge=0, description="0 sets nothing here: the firm's policy holds, or the default.")


class RuleLine(View):
    """One rule on the ready bills of today."""

    rule: RuleName
    is_on: bool
    counts: dict[Ruling, int]
    strictest: Ruling
    reasons: tuple[RuleResult, ...]


class PolicySurveyAnswer(View):
    """What each rule says of the ready bills, and the figures with all of them as proposed."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    policy_version: int
    firm_policy_version: int
    ready_bills: int
    rules: tuple[RuleLine, ...]
    as_booked: Figures
    as_proposed: Figures

    @classmethod
    def of(cls, survey: PolicySurvey) -> "PolicySurveyAnswer":
        """The answer about a policy."""
        books, proposal = survey.proposed.books, survey.proposed.proposal
        return cls(
            company=CompanyHeading.of(books.company),
            as_of=books.as_of,
            books_read_at=books.read_at,
            policy_version=survey.policy.version,
            firm_policy_version=survey.policy.firm_version,
            ready_bills=len(proposal.payments),
            rules=tuple(RuleLine(**dict(rule)) for rule in survey.rules),
            as_booked=proposal.before,
            as_proposed=proposal.after,
        )


class PolicyHistory(View):
    """One page of a policy's history, oldest first."""

    company: CompanyHeading | None  # none: it is the firm's
    items: tuple[HistoryEntry, ...]
    has_more: bool
    next_cursor: str | None


@router.get(_COMPANY, response_model=Policy)
async def read_policy(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """The policy that holds; version 0 means that the company set nothing. `own` names what it set itself."""
    return await _answer(runway, company_id, await runway.policies.read(company_id))


@router.post(_COMPANY, response_model=Policy)
async def change_policy(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    change: PolicyChange,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Change settings: a new version. Setting what holds already makes none."""
    policy = await runway.policies.change(
        company_id, change.settings, follow_firm=change.follow_firm, actor=actor, version=if_match
    )
    await follow_change(runway, company_id)
    return await _answer(runway, company_id, policy)


@router.post(f"{_COMPANY}/revert", response_model=Policy)
async def revert_policy(
    company_id: CompanyInPath, runway: RunwayOfApp, *, revert: PolicyRevert, if_match: IfMatch, actor: ApiActor
) -> Response:
    """Let the company's settings of an earlier version hold again: a new version."""
    policy = await runway.policies.revert(company_id, revert.version, actor=actor, version=if_match)
    await follow_change(runway, company_id)
    return await _answer(runway, company_id, policy)


@router.get(f"{_COMPANY}/rules", response_model=PolicySurveyAnswer)
async def survey_policy(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """What each rule says of the bills that are ready today."""
    return answer(PolicySurveyAnswer.of(await runway.policies.survey(company_id)))


@router.post(f"{_COMPANY}/rules", response_model=PolicySurveyAnswer)
async def try_policy(company_id: CompanyInPath, runway: RunwayOfApp, *, change: PolicyChange) -> Response:
    """The same with other settings. Nothing is kept."""
    return answer(PolicySurveyAnswer.of(await runway.policies.survey(company_id, change.settings)))


@router.get(f"{_COMPANY}/history", response_model=PolicyHistory)
async def read_policy_history(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """Every change of the policy as the log has it: who, when, and each setting before and after."""
    company = await runway.companies.get(company_id)
    entries = await runway.policies.history(company_id)
    return _answer_history(entries, CompanyHeading.of(company), limit=limit, cursor=cursor)


@router.get("/policy", response_model=Policy)
async def read_firm_policy(runway: RunwayOfApp) -> Response:
    """The firm's policy, which holds wherever a company set nothing itself; version 0 is the default."""
    policy = await runway.policies.read_firm()
    return answer(policy, headers=tag_of(policy))


@router.post("/policy", response_model=Policy)
async def change_firm_policy(
    runway: RunwayOfApp, *, change: PolicyChange, if_match: IfMatch, actor: ApiActor
) -> Response:
    """Change the firm's settings: a new version, to which decisions of all its companies are held from now on."""
    policy = await runway.policies.change_firm(change.settings, reset=change.follow_firm, actor=actor, version=if_match)
    return answer(policy, headers=tag_of(policy))


@router.post("/policy/revert", response_model=Policy)
async def revert_firm_policy(
    runway: RunwayOfApp, *, revert: PolicyRevert, if_match: IfMatch, actor: ApiActor
) -> Response:
    """Let the firm's settings of an earlier version hold again: a new version."""
    policy = await runway.policies.revert_firm(revert.version, actor=actor, version=if_match)
    return answer(policy, headers=tag_of(policy))


@router.get("/policy/history", response_model=PolicyHistory)
async def read_firm_policy_history(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """Every change of the firm's policy as the log has it."""
    return _answer_history(await runway.policies.firm_history(), None, limit=limit, cursor=cursor)


async def _answer(runway: Runway, company_id: CompanyId, policy: Policy) -> Response:
    company = await runway.companies.get(company_id)
    return answer(policy, currency=company.home_currency, headers=tag_of(policy))


def _answer_history(
    entries: Sequence[LogEntry], company: CompanyHeading | None, *, limit: int, cursor: str | None
) -> Response:
    page, next_cursor = cut_page(entries, lambda entry: (entry.sequence,), limit=limit, cursor=cursor)
    return answer(
        PolicyHistory(
            company=company,
            items=tuple(HistoryEntry.of(entry) for entry in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )
