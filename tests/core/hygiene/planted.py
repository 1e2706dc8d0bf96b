"""What was planted in the sandbox's companies, and what the checks find there."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
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


@dataclass(slots=True)
class Judgement:
    """How many defects of each check were planted, how many of them were found, and how many others."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)


def read_books(made: EconomyCompany) -> Books:
    """A made-up company as the mirror would hold it."""
    records: dict[str, Any] = {}
    for kind in KINDS:
        rows = [msgspec.Raw(json.dumps(row, default=str).encode()) for row in made.records.get(kind.name, [])]
        mapped = map_rows(kind, rows, home_currency=made.home_currency)
        assert mapped.rejected == []
        records[FIELDS[kind.kind]] = tuple(c.record for c in mapped.changes if _is_loaded(c.record))
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


def planted_in(made: EconomyCompany) -> Defects:
    """The defects that the company's truth names, of the checks there are."""
    return {
        (truth["check"], frozenset((KIND_BY_NAME[r["kind"]].kind.value, r["id"]) for r in truth["records"]))
        for truth in made.truth
        if truth["check"] in BUILT
    }


def found_in(books: Books) -> Defects:
    """The defects that the checks find."""
    return {
        (finding.check, frozenset((s.kind.value, s.external_id) for s in finding.subjects))
        for finding in find_findings(books)
    }


def make_companies(seeds: Iterable[int], *, count: int, bills: int) -> Iterator[EconomyCompany]:
    """So many companies of each seed."""
    for seed in seeds:
        for index in range(count):
            yield build_company(index=index, seed=seed, bills=bills, as_of=AS_OF)


def judge_checks(companies: Iterable[EconomyCompany]) -> Judgement:
    """Count what was planted and found over many companies."""
    judgement = Judgement()
    for made in companies:
        planted, found = planted_in(made), found_in(read_books(made))
        judgement.planted.update(check for check, _ in planted)
        judgement.found.update(check for check, _ in planted & found)
        judgement.extra.update(check for check, _ in found - planted)
    return judgement


def _is_loaded(record: Record) -> bool:
    """Closed documents reach back to the start of history; open ones are all there."""
    dated = getattr(record, "document_date", None)
    return dated is None or dated >= HISTORY_FROM or bool(getattr(record, "open_balance", None))
