"""The history of findings over reads: what is new, what is gone, what came back."""

from collections.abc import Sequence
from datetime import date, datetime

from runway_core.domain.findings import Finding, FindingState, TrackedFinding

_REOPENED = {
    "state": FindingState.OPEN,
    "reason": None,
    "snoozed_until": None,
    "decided_by": None,
    "decided_at": None,
    "accepted_basis": None,
}


def track_findings(
    previous: Sequence[TrackedFinding], found: Sequence[Finding], *, at: datetime, today: date
) -> list[TrackedFinding]:
    """Carry the history of findings on by one read, worst first, then by id.

    What is found the first time is open; what is no longer found is fixed, and open again if it comes back. An accepted
    finding returns when a value it rests on changed, a snoozed one on its day; an asked one stays with the company.
    """
    held = {tracked.finding_id: tracked for tracked in previous}
    carried: dict[str, TrackedFinding] = {}
    for finding in found:
        finding_id = finding.finding_id
        before = held.get(finding_id)
        if before is None:
            carried[finding_id] = TrackedFinding(finding=finding, first_seen_at=at, last_seen_at=at)
        else:
            carried[finding_id] = _carry_on(before, finding, at=at, today=today)
    for finding_id, before in held.items():
        if finding_id not in carried:
            carried[finding_id] = _close(before)
    ordered = sorted(carried.items(), key=lambda item: (item[1].finding.severity.rank, item[0]))
    return [tracked for _, tracked in ordered]


def _carry_on(before: TrackedFinding, finding: Finding, *, at: datetime, today: date) -> TrackedFinding:
    seen = {"finding": finding, "last_seen_at": at}
    if _returns(before, finding, today):
        return before.model_copy(update={**seen, **_REOPENED})
    return before.model_copy(update=seen)


def _returns(before: TrackedFinding, finding: Finding, today: date) -> bool:
    match before.state:
        case FindingState.FIXED:
            return True
        case FindingState.ACCEPTED:
            return before.accepted_basis != finding.basis
        case FindingState.SNOOZED:
            return before.snoozed_until is None or today >= before.snoozed_until
        case FindingState.OPEN | FindingState.ASKED:
            return False


def _close(before: TrackedFinding) -> TrackedFinding:
    if before.state is FindingState.FIXED:
        return before
    return before.model_copy(update={"state": FindingState.FIXED, "snoozed_until": None})
