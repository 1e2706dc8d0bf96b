"""`/v1/companies`: who is looked after, and how they are connected."""

from fastapi import APIRouter
from pydantic import AwareDatetime
from runway_core.domain.company import Company, CompanySettings, Connection, ConnectionState
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.experiences.view import View
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(tags=["companies"])


class ConnectionSummary(View):
    """A company's connection to one rail. What the rail needs to know, and its secrets, are never shown."""

    connection_id: ConnectionId
    rail: str
    state: ConnectionState
    created_at: AwareDatetime
    last_attempt_at: AwareDatetime | None
    last_success_at: AwareDatetime | None
    last_full_at: AwareDatetime | None
    source_read_at: AwareDatetime | None
    last_error_code: str | None
    last_error: str | None
    failures_in_a_row: int

    @classmethod
    def of(cls, connection: Connection) -> "ConnectionSummary":
        """What may be shown of a connection."""
        return cls(**{name: getattr(connection, name) for name in cls.model_fields})


class CompanySummary(View):
    """A company of the firm."""

    company_id: CompanyId
    name: str
    home_currency: str
    time_zone: str
    created_at: AwareDatetime
    owner: str | None
    tags: tuple[str, ...]

    @classmethod
    def of(cls, company: Company) -> "CompanySummary":
        """A company without its settings."""
        return cls(**{name: getattr(company, name) for name in cls.model_fields})


class CompanyAnswer(CompanySummary):
    """One company with its settings and connections."""

    settings: CompanySettings
    connections: tuple[ConnectionSummary, ...]


class CompanyList(View):
    """One page of companies, by name."""

    items: tuple[CompanySummary, ...]
    has_more: bool
    next_cursor: str | None


@router.get("/companies", response_model=CompanyList)
async def list_companies(runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None) -> Response:
    """The firm's companies, by name."""
    companies = await runway.companies.list()
    page, next_cursor = cut_page(companies, lambda c: (c.name.casefold(), c.company_id), limit=limit, cursor=cursor)
    return answer(
        CompanyList(
            items=tuple(CompanySummary.of(company) for company in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.get("/companies/{company_id}", response_model=CompanyAnswer)
async def read_company(company_id: CompanyInPath, runway: RunwayOfApp) -> Response:
    """One company with its settings and connections."""
    company = await runway.companies.get(company_id)
    connections = await runway.connections.list(company_id)
    summary = CompanySummary.of(company)
    return answer(
        CompanyAnswer(
            **{name: getattr(summary, name) for name in CompanySummary.model_fields},
            settings=company.settings,
            connections=tuple(ConnectionSummary.of(connection) for connection in connections),
        )
    )
