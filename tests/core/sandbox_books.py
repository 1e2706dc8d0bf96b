"""Books of the sandbox's made-up companies, mapped as the QuickBooks rail maps them, without a server."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from runway_core.domain.books import Books
from runway_core.domain.company import Company
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, RecordKind
from runway_core.domain.record import Record
from runway_rail_qbo.mapping import KINDS, map_rows
from runway_sandbox.economy import EconomyCompany
from runway_testkit.books_making import connection

FIELDS = {kind: f"{kind.value}s" for kind in RecordKind} | {RecordKind.JOURNAL_ENTRY: "journal_entries"}


def read_sandbox_books(made: EconomyCompany, *, as_of: date, history_from: date) -> Books:
    """The books as they are read on the afternoon of `as_of` (UTC), an hour after the rail was."""
    read_at = datetime.combine(as_of, time(15), tzinfo=UTC)
    records: dict[str, Any] = {}
    for kind in KINDS:
        rows = [msgspec.Raw(json.dumps(row, default=str).encode()) for row in made.records.get(kind.name, [])]
        mapped = map_rows(kind, rows, home_currency=made.home_currency)
        assert mapped.rejected == []
        changes = (change.record for change in mapped.changes)
        records[FIELDS[kind.kind]] = tuple(record for record in changes if _is_loaded(record, history_from))
    company = Company(
        company_id=CompanyId(made.realm_id),
        firm_id=DEFAULT_FIRM,
        name=made.name,
        home_currency=made.home_currency,
        time_zone=made.time_zone,
        created_at=read_at - timedelta(days=900),
    )
    read_before = {name: read_at - timedelta(hours=1) for name in ("last_success_at", "source_read_at")}
    return Books(
        company=company,
        as_of=as_of,
        read_at=read_at,
        history_from=history_from,
        connections=(connection(**read_before),),
        **records,
    )


def _is_loaded(record: Record, history_from: date) -> bool:
    """Closed documents reach back to the start of history; open ones are all there."""
    dated = getattr(record, "document_date", None)
    return dated is None or dated >= history_from or bool(getattr(record, "open_balance", None))
