"""The checks against the sandbox's economy: what was planted there is found, and nothing else."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from runway_core.calculators.hygiene.checks import CHECKS
from runway_core.calculators.hygiene.find import find_findings
from runway_core.domain.books import Books
from runway_core.domain.company import Company
from runway_core.domain.identity import DEFAULT_FIRM, CompanyId, RecordKind
from runway_core.domain.record import Record
from runway_rail_qbo.mapping import KIND_BY_NAME, KINDS, map_rows
from runway_sandbox.economy import EconomyCompany, build_company
from runway_testkit.books_making import connection

AS_OF = date(2026, 3, 2)
READ_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
HISTORY_FROM = AS_OF - timedelta(days=400)
FIELDS = {kind: f"{kind.value}s" for kind in RecordKind} | {RecordKind.JOURNAL_ENTRY: "journal_entries"}
BUILT = {check.id for check in CHECKS}

Defects = set[tuple[str, frozenset[tuple[str, str]]]]


def is_loaded(record: Record) -> bool:
    """Closed documents reach back to the start of history; open ones are all there."""
    dated = getattr(record, "document_date", None)
    return dated is None or dated >= HISTORY_FROM or bool(getattr(record, "open_balance", None))


def read_books(made: EconomyCompany) -> Books:
    records: dict[str, Any] = {}
    for kind in KINDS:
        rows = [msgspec.Raw(json.dumps(row, default=str).encode()) for row in made.records.get(kind.name, [])]
        mapped = map_rows(kind, rows, home_currency=made.home_currency)
        assert mapped.rejected == []
        records[FIELDS[kind.kind]] = tuple(c.record for c in mapped.changes if is_loaded(c.record))
    company = Company(
        company_id=CompanyId(made.realm_id),
        firm_id=DEFAULT_FIRM,
        name=made.name,
        home_currency=made.home_currency,
        time_zone=made.time_zone,
        created_at=READ_AT - timedelta(days=900),
    )
    return Books(
        company=company,
        as_of=AS_OF,
        read_at=READ_AT,
        history_from=HISTORY_FROM,
        connections=(connection(),),
        **records,
    )


@pytest.mark.parametrize("index", range(12))
def test_what_was_planted_is_found_and_nothing_else(index: int) -> None:
    made = build_company(index=index, seed=7, bills=150, as_of=AS_OF)

    planted: Defects = {
        (truth["check"], frozenset((KIND_BY_NAME[r["kind"]].kind.value, r["id"]) for r in truth["records"]))
        for truth in made.truth
        if truth["check"] in BUILT
    }
    found: Defects = {
        (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
        for finding in find_findings(read_books(made))
    }
    assert found == planted
