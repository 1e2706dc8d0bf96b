"""Findings that compare rails, seen as the conflicts they are: nobody works one thing twice."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from runway_core.domain.conflicts import LEDGER, Conflict, ConflictKind, MatchSuggestion
from runway_core.domain.findings import Evidence, Finding, TrackedFinding
from runway_core.domain.identity import RecordKind

KINDS: Mapping[str, ConflictKind] = {
    "AP08": ConflictKind.STATE_DIFFERS,
    "AP14": ConflictKind.MISSING_AT_RAIL,
    "AP22": ConflictKind.STATE_DIFFERS,  # unless amount or date differ
    "AR04": ConflictKind.STATE_DIFFERS,
    "BK01": ConflictKind.BALANCE_DIFFERS,
    "BK03": ConflictKind.MISSING_IN_LEDGER,
    "BK04": ConflictKind.MISSING_AT_RAIL,
    "BK05": ConflictKind.DUPLICATE,
    "SY02": ConflictKind.STATE_DIFFERS,
    "SY04": ConflictKind.AMOUNT_DIFFERS,
}
"""The checks that compare rails, and in what their findings differ."""

_OF_THE_BANK = frozenset({"AP14", "BK01", "BK03", "BK04", "BK05"})
"""Checks that a bank must be read for, though their evidence may be the ledger's alone."""

_ELSEWHERE = frozenset(
    {
        RecordKind.BANK_TRANSACTION,
        RecordKind.PAYOUT,
        RecordKind.RAIL_BILL,
        RecordKind.RAIL_PAYMENT,
        RecordKind.CARD_TRANSACTION,
    }
)


def compares_rails(finding: Finding) -> bool:
    """Whether a finding says that two rails differ; one within the ledger, as a bill and an expense, does not."""
    if finding.check not in KINDS:
        return False
    if finding.check in _OF_THE_BANK:
        return True
    return any(one.rail for one in finding.evidence) or any(one.kind in _ELSEWHERE for one in finding.subjects)


def read_conflict(
    tracked: TrackedFinding, *, bank_rail: str, matches: Mapping[str, Sequence[MatchSuggestion]] | None = None
) -> Conflict:
    """The finding as a conflict; `matches` say what bank lines may be, by their id."""
    finding = tracked.finding
    lines = dict.fromkeys(
        one.record for one in finding.evidence if one.record is not None and one.record.kind in _ELSEWHERE
    )
    told = [
        match
        for record in lines
        if record.kind is RecordKind.BANK_TRANSACTION
        for match in (matches or {}).get(record.external_id, ())
    ]
    rails = sorted({one.rail for one in finding.evidence if one.rail}) or [bank_rail]
    return Conflict(
        conflict_id=finding.finding_id,
        kind=_choose_kind(finding),
        company_id=finding.company_id,
        records=tuple(dict.fromkeys((*finding.subjects, *lines))),
        rails=(LEDGER, *rails),
        severity=finding.severity,
        summary=finding.summary,
        suggested=finding.fixes[0].label if finding.fixes else "Compare the two sides",
        amount=finding.amount,
        impact_days=finding.impact_days,
        impact_low=finding.impact_low,
        since=_find_oldest(finding.evidence) or tracked.first_seen_at.date(),
        evidence=finding.evidence,
        matches=tuple(dict.fromkeys(told)),
        finding_id=finding.finding_id,
    )


def _choose_kind(finding: Finding) -> ConflictKind:
    if finding.check == "AP22":
        names = {one.name for one in finding.evidence}
        if "amount" in names:
            return ConflictKind.AMOUNT_DIFFERS
        if "due_date" in names:
            return ConflictKind.DATE_DIFFERS
    return KINDS[finding.check]


def _find_oldest(evidence: Iterable[Evidence]) -> date | None:
    """The earliest day among values that are days in the past of something, as far as the check tells one."""
    days = []
    for one in evidence:
        if one.name in {"oldest", "paid_on", "document_date", "settles_on", "booked_on", "bill_date"}:
            try:
                days.append(date.fromisoformat(one.value[:10]))
            except ValueError:
                continue
    return min(days, default=None)
