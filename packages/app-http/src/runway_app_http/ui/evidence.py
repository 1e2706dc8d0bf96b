"""The values that a check or a comparison looked at, side by side: one column a record."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from runway_core.domain.findings import Evidence
from runway_core.domain.identity import RecordKey
from runway_core.domain.money import Money

from runway_app_http.ui.figures import say_amount, say_moment

_DECIMAL = re.compile(r"-?\d+\.\d{2,4}")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The values that were compared, one column a record, so that what differs is seen at once."""

    records: tuple[RecordKey, ...]
    facts: tuple[tuple[str, str], ...]  # values that belong to no one record
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def lay_out_evidence(told: Sequence[Evidence], amount: Money | None) -> SideBySide:
    """Put evidence side by side, names and records in their order; `amount` says the currency of what is compared."""
    records = tuple(dict.fromkeys(evidence.record for evidence in told if evidence.record is not None))
    facts: list[tuple[str, str]] = []
    cells: dict[str, dict[RecordKey, str]] = {}
    for evidence in told:
        text = _say_evidence(evidence, amount)
        if evidence.record is None:
            facts.append((evidence.name, text))
            continue
        row = cells.setdefault(evidence.name, {})
        row[evidence.record] = f"{row[evidence.record]}, {text}" if evidence.record in row else text
    sources = {one.record: one for one in told if one.record is not None and one.rail is not None}
    if sources:
        cells["told by"] = {record: _say_source(one) for record, one in sources.items()}
    return SideBySide(
        records=records,
        facts=tuple(facts),
        rows=tuple((name, tuple(row.get(record, "") for record in records)) for name, row in cells.items()),
    )


def _say_source(evidence: Evidence) -> str:
    """Which rail, and when it was read."""
    if evidence.read_at is None:
        return str(evidence.rail)
    return f"{evidence.rail}, read {say_moment(evidence.read_at)}"


def _say_evidence(evidence: Evidence, amount: Money | None) -> str:
    """Amounts are written for people; rates, which have decimals too, are left alone."""
    if amount is not None and "rate" not in evidence.name and _DECIMAL.fullmatch(evidence.value):
        return say_amount(Decimal(evidence.value), amount.currency)
    return evidence.value
