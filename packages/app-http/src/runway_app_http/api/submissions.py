"""`/v1/companies/{id}/submissions`: released bills that wait for people at the rail that pays them."""

from fastapi import APIRouter
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.submissions import Submission
from runway_core.experiences.view import CompanyHeading, View
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}", tags=["submissions"])


class SubmissionList(View):
    """One page of submissions, the last changed first."""

    company: CompanyHeading
    items: tuple[Submission, ...]
    has_more: bool
    next_cursor: str | None


@router.get("/submissions", response_model=SubmissionList)
async def list_submissions(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """What was put before people at the rail that pays bills, and what the rail said."""
    company = await runway.companies.get(company_id)
    found = await runway.submissions.list(company_id)
    page, next_cursor = cut_page(
        found, lambda one: (-to_microseconds(one.changed_at), one.paper_id), limit=limit, cursor=cursor
    )
    return answer(
        SubmissionList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.post("/decisions/{decision_id}/submit", response_model=Submission)
async def submit_decision(
    company_id: CompanyInPath, runway: RunwayOfApp, *, decision_id: str, actor: ApiActor
) -> Response:
    """Put the bill of a released decision before the people who approve payments at the rail. Nothing is paid by it."""
    submitted = await runway.submissions.submit(company_id, require_id(decision_id, "decision"), actor=actor)
    await follow_change(runway, company_id)
    return answer(submitted, headers=tag_of(submitted))
