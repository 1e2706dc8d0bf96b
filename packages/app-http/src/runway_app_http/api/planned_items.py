"""`/v1/companies/{id}/planned-items`: money that only people know of."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from runway_core.domain.identity import CompanyId, RecordKey
from runway_core.domain.planned_items import PlannedItem, PlannedItemState
from runway_core.errors import InvalidRequest
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.scope import local_day
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.actors import ApiActor, IdempotencyKey
from runway_app_http.api.amounts import SentAmount
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.api.scenarios import RecordName
from runway_app_http.api.versions import IfMatch, tag_of
from runway_app_http.following import follow_change

router = APIRouter(prefix="/companies/{company_id}/planned-items", tags=["planned items"])


_ENTERED = ("on", "amount", "owner", "note", "label", "is_inflow", "is_financing")
"""What a move may change."""


class PlannedItemAct(StrEnum):
    """What can be done with an item."""

    CONFIRM = "confirm"
    MOVE = "move"
    FULFIL = "fulfil"
    DROP = "drop"
    REOPEN = "reopen"


class NewPlannedItem(BaseModel):
    """An item to enter."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"label": "Owed to the builder, no bill yet", "on": "2026-03-13", "amount": "50000.00"}
        },
    )

    label: str = Field(max_length=200, description="What the money is for.")
    on: date = Field(description="The day on which it moves.")
    amount: SentAmount = Field(description="Positive.")
    currency: str | None = Field(None, max_length=3, description="Home currency when absent.")
    is_inflow: bool = Field(False, description="Money comes in.")
    is_financing: bool = Field(False, description="Loan, owner's money, sale of equipment: no part of burn.")
    owner: str | None = Field(None, max_length=200, description="Who answers for it; whoever enters it when absent.")
    note: str = Field("", max_length=2000)
    vendor_id: str | None = Field(None, max_length=128)
    customer_id: str | None = Field(None, max_length=128)


class PlannedItemChange(BaseModel):
    """What to do with an item. A move confirms it as well."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"action": "move", "on": "2026-03-20"}})

    action: PlannedItemAct
    on: date | None = Field(None, description="To move or reopen it: the new day.")
    amount: SentAmount | None = Field(None, description="To move it: the new amount.")
    owner: str | None = Field(None, max_length=200, description="To move it: who answers for it from now on.")
    label: str | None = Field(None, max_length=200, description="To move it: what the money is for.")
    is_inflow: bool | None = Field(None, description="To move it: whether money comes in.")
    is_financing: bool | None = Field(None, description="To move it: whether it is no part of burn.")
    record: RecordName | None = Field(None, description="To fulfil it: the document or payment that stands for it.")
    note: str | None = Field(None, max_length=2000, description="To move it: the new note; to drop it: why.")


class PlannedItemAnswer(View):
    """An item, and how far it can be believed today."""

    item: PlannedItem
    state: PlannedItemState


class PlannedItemList(View):
    """One page of planned items, by day."""

    company: CompanyHeading
    as_of: date
    items: tuple[PlannedItemAnswer, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=PlannedItemList)
async def list_planned_items(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    include_closed: Annotated[bool, Query(description="Dropped and fulfilled ones too.")] = False,
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """The planned items of a company, by day, then label."""
    company = await runway.companies.get(company_id)
    found = await runway.planned_items.list(company_id, include_closed=include_closed)
    page, next_cursor = cut_page(
        found, lambda one: (one.item.on.isoformat(), one.item.label, one.item.paper_id), limit=limit, cursor=cursor
    )
    return answer(
        PlannedItemList(
            company=CompanyHeading.of(company),
            as_of=local_day(runway.scope.clock.now(), company),
            items=tuple(PlannedItemAnswer(item=one.item, state=one.state) for one in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


@router.post("", response_model=PlannedItemAnswer)
async def post_planned_item(
    company_id: CompanyInPath, runway: RunwayOfApp, *, item: NewPlannedItem, idempotency_key: IdempotencyKey = None
) -> Response:
    """Enter an item. The same key enters it once."""
    entered = await runway.planned_items.add(
        company_id, **item.model_dump(), actor="api", idempotency_key=idempotency_key
    )
    return await _answer_change(runway, company_id, entered)


@router.post("/{item_id}", response_model=PlannedItemAnswer)
async def change_planned_item(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    item_id: str,
    change: PlannedItemChange,
    if_match: IfMatch,
    actor: ApiActor,
) -> Response:
    """Confirm an item, move it to another day, amount or owner, say what stands for it, drop it, or reopen it."""
    changed = await act_on_item(
        runway, company_id, item_id=require_id(item_id, "planned item"), change=change, actor=actor, version=if_match
    )
    return await _answer_change(runway, company_id, changed)


async def act_on_item(
    runway: Runway,
    company_id: CompanyId,
    *,
    item_id: str,
    change: PlannedItemChange,
    actor: str,
    version: int | None = None,
) -> PlannedItem:
    """Do what a person asks with an item.

    Raises:
        NotFound: no such company in this firm, or no such item.
        StaleRevision: it was changed since `version`.
        InvalidRequest: a value that cannot be, or that this act does not take.
    """
    items = runway.planned_items
    given = {name for name in (*_ENTERED, "record") if getattr(change, name) is not None}
    takes: dict[PlannedItemAct, set[str]] = {
        PlannedItemAct.CONFIRM: set(),
        PlannedItemAct.MOVE: set(_ENTERED),
        PlannedItemAct.FULFIL: {"record"},
        PlannedItemAct.DROP: {"note"},
        PlannedItemAct.REOPEN: {"on"},
    }
    if given - takes[change.action]:
        raise InvalidRequest(f"{change.action.value!r} takes no {', '.join(sorted(given - takes[change.action]))}")
    if change.action is PlannedItemAct.CONFIRM:
        return await items.confirm(company_id, item_id, actor=actor, version=version)
    if change.action is PlannedItemAct.DROP:
        return await items.drop(company_id, item_id, actor=actor, reason=change.note or "", version=version)
    if change.action is PlannedItemAct.REOPEN:
        return await items.reopen(company_id, item_id, on=change.on, actor=actor, version=version)
    if change.action is PlannedItemAct.FULFIL:
        if change.record is None:
            raise InvalidRequest("'fulfil' needs the record that stands for the item")
        record = RecordKey(change.record.kind, change.record.external_id)
        return await items.fulfil(company_id, item_id, record, actor=actor, version=version)
    if not given:
        raise InvalidRequest(
            "'move' needs something to change: a day, an amount, an owner, a note, a label, or which way it goes"
        )
    values = {name: getattr(change, name) for name in _ENTERED}
    return await items.move(company_id, item_id, **values, actor=actor, version=version)


async def _answer_change(runway: Runway, company_id: CompanyId, item: PlannedItem) -> Response:
    await follow_change(runway, company_id)
    today = local_day(runway.scope.clock.now(), await runway.companies.get(company_id))
    return answer(PlannedItemAnswer(item=item, state=item.state_on(today)), headers=tag_of(item))
