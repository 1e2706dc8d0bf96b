"""`/companies/{id}/history`: what the log says about one record, so that every figure can be followed to its source."""

from collections.abc import Set
from typing import Annotated

from fastapi import APIRouter, Query
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.errors import NotFound
from runway_core.ports.record_links import find_record_link
from runway_core.runway import Runway
from starlette.responses import Response

from runway_app_http.access import CompanyInPath, RunwayOfApp, require_id
from runway_app_http.api.history import HistoryEntry
from runway_app_http.plain import to_plain
from runway_app_http.ui.company import company_address
from runway_app_http.ui.csv_tables import csv_answer
from runway_app_http.ui.figures import say_moment
from runway_app_http.ui.rendering import record_query, render

router = APIRouter()

CSV_COLUMNS = (
    "sequence", "seen_at", "rail", "what", "revision", "cause", "actor", "correlation_id", "changed", "hash",
)  # fmt: skip


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
    logged = await runway.history(company_id, key)
    own_id = external_id.partition(":")[2]
    if not logged and own_id:
        # Findings and conflicts name records of other rails with the rail: ids of two may be equal.
        key = RecordKey(kind, require_id(own_id, "record"))
        logged = await runway.history(company_id, key)
    entries = [HistoryEntry.of(entry) for entry in logged]
    if not entries:
        raise NotFound(f"{company.name!r} has no {kind.value.replace('_', ' ')} {external_id!r}")
    custody = await runway.custody.follow(company_id, external_id) if kind is RecordKind.BILL else []
    rails = {entry.rail for entry in entries if entry.rail}
    content = next((entry.content for entry in reversed(entries) if entry.content), {})
    return render(
        "history.html",
        company=company,
        base=company_address(company_id),
        csv_href=f"{company_address(company_id)}/history.csv?{record_query(key)}",
        links=await _find_links(runway, company_id, key, rails),
        kind=kind.value.replace("_", " "),
        external_id=key.external_id,
        fields=[(name, value) for name, value in content.items() if isinstance(value, str | int) and value != ""],
        custody=[(step, say_moment(step.at, company.time_zone)) for step in custody],
        entries=[(entry, say_moment(entry.seen_at, company.time_zone)) for entry in reversed(entries)],
    )


@router.get("/companies/{company_id}/history.csv")
async def save_history(
    company_id: CompanyInPath,
    runway: RunwayOfApp,
    *,
    kind: Annotated[RecordKind, Query()],
    external_id: Annotated[str, Query()],
) -> Response:
    """Everything the log says about one record, oldest first."""
    key = RecordKey(kind, require_id(external_id, "record"))
    entries = await runway.history(company_id, key)
    if not entries:
        raise NotFound(f"no {kind.value.replace('_', ' ')} {external_id!r} of this company")
    rows = (to_plain(HistoryEntry.of(entry)) for entry in entries)
    return csv_answer(CSV_COLUMNS, rows, file_name="history.csv")


async def _find_links(runway: Runway, company_id: CompanyId, key: RecordKey, rails: Set[str]) -> list[tuple[str, str]]:
    """Where people see the record itself: the title of each rail that told of it, and the address there."""
    links = []
    for connection in await runway.connections.list(company_id):
        factory = runway.rails.installed.get(connection.rail)
        if connection.rail in rails and factory is not None:
            link = find_record_link(factory.factory, connection.settings, key)
            links += [(factory.factory.title, link)] if link else []
    return links
