"""`/v1/companies/{id}/collections`: whom to remind, and what was said."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.collections import CollectionCase, CollectionNote, CollectionOutcome, CollectionStage
from runway_core.domain.identity import CompanyId
from runway_core.domain.log_entry import to_microseconds
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor
from runway_app_http.api.amounts import SentAmount
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_ordered, cut_page
from runway_app_http.api.versions import IfMatch, tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}/collections", tags=["collections"])


class NewCollectionNote(BaseModel):
    """A contact about an open invoice."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"invoice_id": "I1", "outcome": "promised", "person": "Ms Elm", "promised_on": "2026-03-13"}
        },
    )

    invoice_id: str = Field(max_length=128)
    outcome: CollectionOutcome
    contacted_on: date | None = Field(None, description="Today when absent.")
    person: str = Field("", max_length=200, description="With whom; needed for a promise.")
    stage: CollectionStage = Field(CollectionStage.NONE, description="A step that people agreed on, such as `plan`.")
    promised_on: date | None = None
    promised_amount: SentAmount | None = Field(None, description="In the invoice's currency; all of it when absent.")
    reason: str = Field("", max_length=2000, description="Needed for a dispute.")
    note: str = Field("", max_length=2000)
    by: str | None = Field(
        None, max_length=100, description="Who writes it, where nobody signs in; else it is whoever asks."
    )


class CollectionList(View):
    """Overdue invoices, those past the customer's habit first."""

    company: CompanyHeading
    items: tuple[CollectionCase, ...]
    has_more: bool
    next_cursor: str | None


class CollectionNoteList(View):
    """What was noted, the last changed first."""

    company: CompanyHeading
    items: tuple[CollectionNote, ...]
    has_more: bool
    next_cursor: str | None


async def write_note(runway: Runway, company_id: CompanyId, note: NewCollectionNote, *, actor: str) -> CollectionNote:
    """Write a contact down, and bring the position up to date: what the API, the pages and the commands share.

    Raises:
        InvalidRequest, NotFound: as `CollectionService.note`.
    """
    values = note.model_dump(exclude={"invoice_id", "outcome", "by"})
    written = await runway.collections.note(company_id, note.invoice_id, note.outcome, actor=note.by or actor, **values)
    await follow_change(runway, company_id)
    return written


@router.get("", response_model=CollectionList)
async def list_cases(
    company_id: CompanyInPath, runway: RunwayOfApp, *, limit: Limit = 100, cursor: AfterCursor = None
) -> Response:
    """Overdue invoices, each against its customer's own habit, with what is next."""
    company = await runway.companies.get(company_id)
    page, next_cursor = cut_ordered(await runway.collections.cases(company_id), limit=limit, cursor=cursor)
    return answer(
        CollectionList(
            company=CompanyHeading.of(company),
            items=tuple(page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.get("/notes", response_model=CollectionNoteList)
async def list_notes(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    invoice_id: Annotated[str | None, Query(max_length=128, description="Only about this invoice.")] = None,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """What was noted about open and settled invoices."""
    company = await runway.companies.get(company_id)
    notes = await runway.collections.notes(company_id, invoice_id=invoice_id)
    page, next_cursor = cut_page(
        notes, lambda note: (-to_microseconds(note.changed_at), note.paper_id), limit=limit, cursor=cursor
    )
    listed = CollectionNoteList(
        company=CompanyHeading.of(company),
        items=tuple(page),
        has_more=next_cursor is not None,
        next_cursor=next_cursor,
    )
    return answer(listed, currency=company.home_currency)


@router.post("/notes", response_model=CollectionNote)
async def post_note(
    company_id: CompanyInPath, runway: RunwayOfApp, *, note: NewCollectionNote, actor: ApiActor
) -> Response:
    """Write down that a customer was contacted, promised, disputes, or says it is paid. Repeating is harmless."""
    written = await write_note(runway, company_id, note, actor=actor)
    company = await runway.companies.get(company_id)
    return answer(written, currency=company.home_currency, headers=tag_of(written))


@router.post("/notes/{note_id}/drop", response_model=CollectionNote)
async def drop_note(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    note_id: str,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Take a note back that was wrong. Repeating is harmless."""
    dropped = await runway.collections.drop(company_id, require_id(note_id, "note"), actor=actor, version=if_match)
    await follow_change(runway, company_id)
    company = await runway.companies.get(company_id)
    return answer(dropped, currency=company.home_currency, headers=tag_of(dropped))
