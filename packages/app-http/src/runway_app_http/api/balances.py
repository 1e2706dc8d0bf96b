"""`/v1/companies/{id}/balances`: balances of accounts now, and every one that was seen before."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from runway_core.domain.ledger import Account, BalanceChange
from runway_core.experiences.view import CompanyHeading, View
from runway_core.services.scope import local_day
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp, require_id
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page

router = APIRouter(prefix="/companies/{company_id}/balances", tags=["balances"])


class BalanceList(View):
    """One page of accounts with their balances, by name. Assets are positive, what is owed is negative."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    items: tuple[Account, ...]
    has_more: bool
    next_cursor: str | None


class BalanceHistory(View):
    """One page of an account's history, oldest first."""

    company: CompanyHeading
    account_id: str
    items: tuple[BalanceChange, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=BalanceList)
async def list_balances(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    cash_only: Annotated[bool, Query(description="Only bank, undeposited funds and cards.")] = True,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """Active accounts with the balances that the mirror holds."""
    company = await runway.companies.get(company_id)
    read_at = known_at or runway.scope.clock.now()
    accounts = await runway.balances.get_balances(company_id, cash_only=cash_only, known_at=known_at)
    page, next_cursor = cut_page(accounts, lambda a: (a.full_name, a.external_id), limit=limit, cursor=cursor)
    return answer(
        BalanceList(
            company=CompanyHeading.of(company),
            as_of=local_day(read_at, company),
            books_read_at=read_at,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.get("/{account_id}", response_model=BalanceHistory)
async def read_balance_history(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    account_id: str,
    since: Annotated[AwareDatetime | None, Query(description="Only what was seen from then on.")] = None,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """Every balance that was seen of one account."""
    company = await runway.companies.get(company_id)
    changes = await runway.balances.get_history(company_id, require_id(account_id, "account"), since=since)
    page, next_cursor = cut_page(
        changes, lambda c: (c.observed_at.isoformat(timespec="microseconds"),), limit=limit, cursor=cursor
    )
    return answer(
        BalanceHistory(
            company=CompanyHeading.of(company),
            account_id=account_id,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )
