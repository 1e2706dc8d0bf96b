"""`/v1/companies/{id}/history`: everything the transaction log says about one record."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from runway_core.domain.changes import Cause
from runway_core.domain.documents import DocumentLine, DocumentLink
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.log_entry import LogEntry
from runway_core.experiences.view import CompanyHeading, View
from runway_core.runway import Runway
from runway_core.services.custody import CustodyStage
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, KnownAt, RunwayOfApp, require_id
from runway_app_http.api.answers import AfterCursor, Limit, answer, cut_page
from runway_app_http.plain import amount_fields, amount_text

router = APIRouter(prefix="/companies/{company_id}/history", tags=["history"])
custody_router = APIRouter(prefix="/companies/{company_id}/bills/{bill_id}/custody", tags=["history"])


_AMOUNTS = amount_fields([*RECORD_CLASSES.values(), DocumentLine, DocumentLink])


class HistoryEntry(View):
    """One entry of the log. `changed` names the fields that differ, each with its value before and after."""

    sequence: int
    seen_at: AwareDatetime
    rail: str
    what: str
    revision: str
    cause: Cause
    actor: str
    correlation_id: str
    changed: Mapping[str, Any]
    content: Mapping[str, Any] | None  # the whole record after the change; none after a deletion
    hash: str
    is_erased: bool = False  # the company was erased: what the entry held cannot be read any more

    @classmethod
    def of(cls, entry: LogEntry) -> "HistoryEntry":
        """An entry, ready to show."""
        draft = entry.draft
        content = _read_json(draft.content, None)
        currency = None if content is None else content.get("currency")
        return cls(
            sequence=entry.sequence,
            seen_at=draft.seen_at,
            rail=draft.rail,
            what=draft.what,
            revision=draft.revision,
            cause=draft.attribution.cause,
            actor=draft.attribution.actor,
            correlation_id=draft.attribution.correlation_id,
            changed=_read_json(draft.changed, currency) or {},
            content=content,
            hash=entry.hash.hex(),
            is_erased=draft.is_sealed,
        )


class RecordHistory(View):
    """One page of a record's history, oldest first."""

    company: CompanyHeading
    kind: RecordKind
    external_id: str
    items: tuple[HistoryEntry, ...]
    has_more: bool
    next_cursor: str | None


@router.get("", response_model=RecordHistory)
async def read_history(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    known_at: KnownAt,
    kind: Annotated[RecordKind, Query(description="What kind of record.")],
    external_id: Annotated[str, Query(description="The rail's own id of the record.")],
    limit: Limit = 100,
    cursor: AfterCursor = None,
) -> Response:
    """What Runway saw of one record, when, why, and what it was like then."""
    company = await runway.companies.get(company_id, or_erased=True)
    key = RecordKey(kind, require_id(external_id, "record"))
    entries = await runway.history(company_id, key)
    if known_at is not None:
        entries = [entry for entry in entries if entry.draft.seen_at <= known_at]
    page, next_cursor = cut_page(entries, lambda entry: (entry.sequence,), limit=limit, cursor=cursor)
    return answer(
        RecordHistory(
            company=CompanyHeading.of(company),
            kind=kind,
            external_id=external_id,
            items=tuple(HistoryEntry.of(entry) for entry in page),
            has_more=next_cursor is not None,
            next_cursor=next_cursor,
        )
    )


class CustodyItem(View):
    """One step of a bill. `sequence` and `hash` are of its entry in the log; none where a check found something."""

    stage: CustodyStage
    at: AwareDatetime
    who: str
    cause: Cause
    said: str
    about: str
    sequence: int | None
    hash: str | None


class CustodyOfBill(View):
    """A bill from when it was first seen to the record of its payment, by time."""

    company: CompanyHeading
    bill_id: str
    items: tuple[CustodyItem, ...]


async def gather_custody(runway: Runway, company_id: CompanyId, bill_id: str) -> CustodyOfBill:
    """The chain of custody of a bill.

    Raises:
        NotFound: no such company in this firm, or the log does not know the bill.
    """
    company = await runway.companies.get(company_id)
    steps = await runway.custody.follow(company_id, bill_id)
    items = tuple(CustodyItem(**{name: getattr(step, name) for name in CustodyItem.model_fields}) for step in steps)
    return CustodyOfBill(company=CompanyHeading.of(company), bill_id=bill_id, items=items)


@custody_router.get("", response_model=CustodyOfBill)
async def read_custody(company_id: CompanyInPath, runway: RunwayOfApp, *, bill_id: str) -> Response:
    """Who did what to a bill and when: seen, found, decided, approved, released, recorded."""
    return answer(await gather_custody(runway, company_id, require_id(bill_id, "bill")))


def _read_json(content: bytes, currency: str | None) -> Any:
    """Read what the log keeps. Numbers are text there already; amounts get the decimals of the record's currency."""
    if not content:
        return None
    held = json.loads(content, parse_float=str)
    own = held.get("currency")
    return _tidy(held, currency=own if isinstance(own, str) else currency, name="")


def _tidy(value: Any, *, currency: str | None, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _tidy(part, currency=currency, name=key) for key, part in value.items()}
    if isinstance(value, list):
        return [_tidy(part, currency=currency, name=name) for part in value]
    if isinstance(value, str) and name in _AMOUNTS:
        return amount_text(Decimal(value), currency)
    return value
