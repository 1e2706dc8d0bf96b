"""Which open bills are ready for a decision, and what holds the others back.

A bill is ready when it has a vendor, a positive open balance and a due date that nobody assumed, when no critical or
high finding about it is open, and when the cash data are fresh.
"""

from collections.abc import Sequence
from datetime import timedelta

from runway_core.calculators.freshness import find_source_read_at
from runway_core.calculators.payables import compute_pay_by, compute_payables
from runway_core.domain.books import Books
from runway_core.domain.decisions import BillReadiness
from runway_core.domain.findings import FindingState, Severity, TrackedFinding
from runway_core.domain.identity import RecordKind

STANDING = frozenset({FindingState.OPEN, FindingState.ASKED, FindingState.SNOOZED})
"""States in which a finding still stands in the way; an accepted one does not."""

_GRAVE = frozenset({Severity.CRITICAL, Severity.HIGH})
_ALWAYS_HOLDING = frozenset({"AP01", "AP02", "AP04"})
"""Due date missing or assumed, vendor missing: these hold a bill back whatever their severity."""


def find_readiness(books: Books, findings: Sequence[TrackedFinding]) -> list[BillReadiness]:
    """The readiness of every open bill, by pay-by day, then id."""
    holding = _group_holding(findings)
    age_reason = _find_age_reason(books)
    found: list[BillReadiness] = []
    for payable in books.derive(compute_payables):
        bill = payable.bill
        reasons: dict[str, str] = {}
        if bill.vendor_id is None:
            reasons["AP04"] = "It has no vendor"
        if bill.due_date is None:
            reasons["AP01"] = f"It has no due date; {payable.due} is assumed"
        for check, reason in holding.get(bill.external_id, ()):
            # One line a check is enough here; the tray shows each finding.
            reasons.setdefault(check, reason)
        if age_reason is not None:
            reasons["SY01"] = age_reason
        found.append(
            BillReadiness(
                bill_id=bill.external_id,
                is_ready=not reasons,
                reasons=tuple(reasons.values()),
                pay_by=compute_pay_by(payable.due, rail_business_days=books.policy.rail_business_days),
                pay_date=payable.pay_date,
            )
        )
    return sorted(found, key=lambda readiness: (readiness.pay_by, readiness.bill_id))


def _group_holding(findings: Sequence[TrackedFinding]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    ordered = sorted(
        (t.finding for t in findings if t.state in STANDING and _holds(t)),
        key=lambda finding: (finding.severity.rank, finding.check, finding.subjects),
    )
    for finding in ordered:
        for subject in finding.subjects:
            if subject.kind is RecordKind.BILL:
                found.setdefault(subject.external_id, []).append((finding.check, f"{finding.check}: {finding.summary}"))
    return found


def _holds(tracked: TrackedFinding) -> bool:
    return tracked.finding.severity in _GRAVE or tracked.finding.check in _ALWAYS_HOLDING


def _find_age_reason(books: Books) -> str | None:
    read_at = find_source_read_at(books)
    if read_at is None:
        return "The books were never read"
    hours = books.company.settings.stale_mirror_hours
    return f"The books were read over {hours} hours ago" if books.read_at - read_at > timedelta(hours=hours) else None
