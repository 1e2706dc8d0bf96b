"""`/companies/{id}/history`: what the log says about one record, so that every figure can be followed to its source."""

from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.errors import NotFound
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.history import HistoryEntry
from runway_app_http.ui.company import company_address
from runway_app_http.ui.figures import say_moment
from runway_app_http.ui.rendering import render

router = APIRouter()


@router.get("/companies/{company_id}/history")
async def show_history(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    kind: Annotated[RecordKind, Query()],
    external_id: Annotated[str, Query()],
) -> Response:
    """One record: its values as the last reading left them, and each change before."""
    company = await runway.companies.get(company_id)
    key = RecordKey(kind, require_id(external_id, "record"))
    entries = [HistoryEntry.of(entry) for entry in await runway.history(company_id, key)]
    if not entries:
        raise NotFound(f"{company.name!r} has no {kind.value.replace('_', ' ')} {external_id!r}")
    custody = await runway.custody.follow(company_id, external_id) if kind is RecordKind.BILL else []
    content = next((entry.content for entry in reversed(entries) if entry.content), {})
    return render(
        "history.html",
        company=company,
        base=company_address(company_id),
        kind=kind.value.replace("_", " "),
        external_id=external_id,
        fields=[(name, value) for name, value in content.items() if isinstance(value, str | int) and value != ""],
        custody=[(step, say_moment(step.at, company.time_zone)) for step in custody],
        entries=[(entry, say_moment(entry.seen_at, company.time_zone)) for entry in reversed(entries)],
    )
