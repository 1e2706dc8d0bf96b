"""`/v1/companies/{id}/bills`: what is owed, what is ready to be decided, and what stands in the way."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from runway_core.domain.bills import Bill
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.scope import local_day
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(prefix="/companies/{company_id}/bills", tags=["bills"])


class BillsShown(StrEnum):
    """Which open bills."""

    OPEN = "open"
    WITH_ISSUES = "with_issues"
    READY = "ready"


class BillItem(View):
    """An open bill. `pay_by` is told where bills ready for decision are asked, `findings` where those with issues."""

    bill: Bill
    pay_by: date | None = None
    findings: tuple[TrackedFinding, ...] = ()


class BillList(View):
    """One page of bills, by due date; those without one come last."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    items: tuple[BillItem, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=BillList)
async def list_bills(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    show: Annotated[BillsShown, Query(description="Which open bills.")] = BillsShown.OPEN,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """Open bills from the mirror, by due date."""
    company = await runway.companies.get(company_id)
    read_at = known_at or runway.scope.clock.now()
    items = await gather_bills(runway, company_id, show=show, known_at=known_at)
    page, next_cursor = cut_page(items, _order, limit=limit, cursor=cursor)
    return answer(
        BillList(
            company=CompanyHeading.of(company),
            as_of=local_day(read_at, company),
            books_read_at=read_at,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


async def gather_bills(
    runway: Runway, company_id: CompanyId, *, show: BillsShown, known_at: datetime | None = None
) -> list[BillItem]:
    """The bills that are asked for, by due date.

    Raises:
        NotFound: no such company in this firm.
    """
    if show is BillsShown.READY:
        ready = await runway.bills.get_bills_ready_for_decision(company_id, known_at)
        return [BillItem(bill=r.bill, pay_by=r.readiness.pay_by, findings=()) for r in ready]
    if show is BillsShown.WITH_ISSUES:
        flawed = await runway.bills.get_bills_with_issues(company_id, known_at)
        return [BillItem(bill=f.bill, pay_by=None, findings=f.findings) for f in flawed]
    bills = await runway.bills.get_open_bills(company_id, known_at)
    return [BillItem(bill=bill, pay_by=None, findings=()) for bill in bills]


def _order(item: BillItem) -> tuple[str, str]:
    return (item.bill.due_date or date.max).isoformat(), item.bill.external_id
