"""`/v1/companies/{id}/invoices`: what is owed to the company."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.identity import CompanyId
from runway_core.domain.invoices import Invoice
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.scope import local_day
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(prefix="/companies/{company_id}/invoices", tags=["invoices"])


class InvoicesShown(StrEnum):
    """Which open invoices."""

    OPEN = "open"
    OVERDUE = "overdue"
    WITH_ISSUES = "with_issues"


class InvoiceItem(View):
    """An open invoice; `findings` is told where invoices with issues are asked."""

    invoice: Invoice
    findings: tuple[TrackedFinding, ...] = ()


class InvoiceList(View):
    """One page of invoices, by due date; those without one come last."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    items: tuple[InvoiceItem, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=InvoiceList)
async def list_invoices(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    show: Annotated[InvoicesShown, Query(description="Which open invoices.")] = InvoicesShown.OPEN,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """Open invoices from the mirror, by due date."""
    company = await runway.companies.get(company_id)
    read_at = known_at or runway.scope.clock.now()
    items = await _gather(runway, company_id, show=show, known_at=known_at)
    page, next_cursor = cut_page(items, _order, limit=limit, cursor=cursor)
    return answer(
        InvoiceList(
            company=CompanyHeading.of(company),
            as_of=local_day(read_at, company),
            books_read_at=read_at,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


async def _gather(
    runway: Runway, company_id: CompanyId, *, show: InvoicesShown, known_at: datetime | None
) -> list[InvoiceItem]:
    if show is InvoicesShown.WITH_ISSUES:
        flawed = await runway.invoices.get_invoices_with_issues(company_id, known_at)
        return [InvoiceItem(invoice=f.invoice, findings=f.findings) for f in flawed]
    if show is InvoicesShown.OVERDUE:
        invoices = await runway.invoices.get_overdue_invoices(company_id, known_at)
    else:
        invoices = await runway.invoices.get_open_invoices(company_id, known_at)
    return [InvoiceItem(invoice=invoice, findings=()) for invoice in invoices]


def _order(item: InvoiceItem) -> tuple[str, str]:
    return (item.invoice.due_date or date.max).isoformat(), item.invoice.external_id
