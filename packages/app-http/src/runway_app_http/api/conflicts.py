"""`/v1/companies/{id}/reconciliation` and `conflicts`: what rails say of one another, and what people decide."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from runway_core.domain.conflicts import ConflictKind, ConflictState, Resolution, TrackedConflict
from runway_core.domain.findings import Severity
from runway_core.domain.identity import CompanyId
from runway_core.errors import NotFound
from runway_core.experiences.reconciliation import (
    UNRESOLVED,
    ConflictQuery,
    ConflictRow,
    ReconciliationView,
)
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.versions import IfMatch

router = APIRouter(prefix="/companies/{company_id}", tags=["reconciliation"])

EVERY_STATE = ConflictQuery(states=frozenset(ConflictState))


class ConflictAct(StrEnum):
    """What a person may decide about a conflict."""

    MATCH = "match"  # the records are one
    ALIAS = "alias"  # the name means the vendor
    ACCEPT = "accept"
    REOPEN = "reopen"  # takes the decision back


RESOLUTIONS = {
    ConflictAct.MATCH: Resolution.MATCHED,
    ConflictAct.ALIAS: Resolution.ALIAS,
    ConflictAct.ACCEPT: Resolution.ACCEPTED,
}


class ConflictResolution(BaseModel):
    """A decision about one conflict."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"action": "accept", "reason": "entered next month"}}
    )

    action: ConflictAct
    reason: str = Field("", max_length=2000, description="Needed to accept; kept with any decision.")
    match: int | None = Field(
        None, ge=1, le=1000, description="Which of `matches` is confirmed, from 1; needed where several can be."
    )


class ConflictList(View):
    """One page of conflicts: those that wait first, then the worst."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    items: tuple[ConflictRow, ...]
    has_more: bool
    next_cursor: str | None


async def _read_filters(
    kind: Annotated[ConflictKind | None, Query(description="Only conflicts of this kind.")] = None,
    state: Annotated[
        ConflictState | None, Query(description="Only conflicts in this state; by default those that wait.")
    ] = None,
    severity: Annotated[Severity | None, Query(description="Only conflicts of this severity.")] = None,
) -> ConflictQuery:
    return make_query(kind=kind, state=state, severity=severity)


def make_query(
    *, kind: ConflictKind | None = None, state: ConflictState | None = None, severity: Severity | None = None
) -> ConflictQuery:
    """The filters of a list; without a state those that wait for someone."""
    return ConflictQuery(states=UNRESOLVED if state is None else frozenset({state}), kind=kind, severity=severity)


ConflictFilters = Annotated[ConflictQuery, Depends(_read_filters)]


@router.get("/reconciliation", response_model=ReconciliationView)
async def read_reconciliation(
    company_id: CompanyInPath, runway: RunwayOfApp, *, filters: ConflictFilters, known_at: KnownAt
) -> Response:
    """Do the rails tell the same? What is one thing on two of them, what is left over, and what differs."""
    return answer(await runway.reconcile(company_id, filters, known_at))


@router.get("/conflicts", response_model=ConflictList)
async def list_conflicts(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    filters: ConflictFilters,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """The conflicts between a company's rails, worst first."""
    view = await runway.reconcile(company_id, filters)
    page, next_cursor = cut_page(view.conflicts, _place, limit=limit, cursor=cursor)
    return answer(
        ConflictList(
            company=view.company,
            as_of=view.as_of,
            books_read_at=view.books_read_at,
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


def _place(row: ConflictRow) -> tuple[int, int, str]:
    tracked = row.tracked
    return int(tracked.state is ConflictState.RESOLVED), tracked.conflict.severity.rank, row.conflict_id


@router.get("/conflicts/{conflict_id}", response_model=ConflictRow)
async def read_conflict(company_id: CompanyInPath, runway: RunwayOfApp, *, conflict_id: str) -> Response:
    """One conflict with both sides' values. Its `ETag` is the version of what was decided about it, 0 for nothing."""
    row = await find_conflict(runway, company_id, require_id(conflict_id, "conflict"))
    return answer(row, headers=_tag(row.tracked))


@router.post("/conflicts/{conflict_id}", response_model=TrackedConflict)
async def post_conflict(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    conflict_id: str,
    decision: ConflictResolution,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Say that records are one or whom a name means, accept with a reason, or take that back. No rail is written to."""
    decided = await decide_conflict(
        runway, company_id, conflict_id=conflict_id, decision=decision, actor=actor, version=if_match
    )
    return answer(decided, headers=_tag(decided))


async def find_conflict(runway: Runway, company_id: CompanyId, conflict_id: str) -> ConflictRow:
    """One conflict of a company, in whatever state.

    Raises:
        NotFound: no such company in this firm, or no such conflict.
    """
    view = await runway.reconcile(company_id, EVERY_STATE)
    for row in view.conflicts:
        if row.conflict_id == conflict_id:
            return row
    raise NotFound(f"{view.company.name!r} has no conflict {conflict_id!r}: it may have been mended")


async def decide_conflict(
    runway: Runway,
    company_id: CompanyId,
    *,
    conflict_id: str,
    decision: ConflictResolution,
    actor: str,
    version: int | None = None,
) -> TrackedConflict:
    """Do what a person decided about a conflict. Repeating is harmless.

    Raises:
        NotFound: no such company in this firm, or no such conflict.
        InvalidRequest: no reason for an acceptance, no match to confirm, or nothing to take back.
        StaleRevision: somebody decided about it since `version`.
    """
    conflicts = runway.conflicts
    require_id(conflict_id, "conflict")
    resolution = RESOLUTIONS.get(decision.action)
    if resolution is None:
        return await conflicts.reopen(company_id, conflict_id, actor=actor, version=version)
    return await conflicts.resolve(
        company_id,
        conflict_id,
        resolution,
        actor=actor,
        reason=decision.reason,
        match=decision.match,
        version=version,
    )


def _tag(tracked: TrackedConflict) -> dict[str, str]:
    return {"ETag": f'"{tracked.version}"'}
