"""Chain of custody: one bill from when it was first seen to the record of its payment, with who, what and when.

Every step but one stands in the log and carries the number and hash of its entry, so that `runway log verify` vouches
for it. The one is that a check found something: findings are computed, and only what people decide of them is logged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from runway_core.domain.bills import BillPayment
from runway_core.domain.changes import Cause, ChangeKind
from runway_core.domain.decisions import Decision, DecisionState
from runway_core.domain.findings import TrackedFinding
from runway_core.domain.fixes import Fix
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.log_entry import LogEntry
from runway_core.errors import NotFound
from runway_core.services.books import BooksService
from runway_core.services.findings import FindingService
from runway_core.services.scope import Scope


class CustodyStage(StrEnum):
    """What happened to the bill."""

    SEEN = "seen"
    CHANGED = "changed"
    GONE = "gone"  # deleted in the ledger
    FOUND = "found"  # a check found something about it
    JUDGED = "judged"  # a person decided about a finding
    MENDED = "mended"  # a fix, intended, written or confirmed
    DECIDED = "decided"
    APPROVED = "approved"
    RELEASED = "released"
    EXECUTED = "executed"  # settled, failed or returned by the rail that pays
    RECORDED = "recorded"  # the ledger shows it paid
    WITHDRAWN = "withdrawn"


_OF_CHANGE = {
    ChangeKind.CREATED.value: CustodyStage.SEEN,
    ChangeKind.RESTORED.value: CustodyStage.SEEN,
    ChangeKind.UPDATED.value: CustodyStage.CHANGED,
    ChangeKind.DELETED.value: CustodyStage.GONE,
}
_OF_STATE = {
    DecisionState.DECIDED: CustodyStage.DECIDED,
    DecisionState.APPROVED: CustodyStage.APPROVED,
    DecisionState.RELEASED: CustodyStage.RELEASED,
    DecisionState.SETTLED: CustodyStage.EXECUTED,
    DecisionState.FAILED: CustodyStage.EXECUTED,
    DecisionState.RETURNED: CustodyStage.EXECUTED,
    DecisionState.RECORDED: CustodyStage.RECORDED,
    DecisionState.WITHDRAWN: CustodyStage.WITHDRAWN,
}


class _Acts(StrEnum):
    """Kinds of entries that are about no record and no paper."""

    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class CustodyStep:
    """One step. `sequence` and `hash` are those of its entry of the log; none where a check found something."""

    stage: CustodyStage
    at: datetime
    who: str
    cause: Cause
    said: str
    about: str  # the record or paper that it happened to, such as `bill:145`
    sequence: int | None = None
    hash: str | None = None


class CustodyService:
    """Gathers what is known of one bill. It reads the log, and writes nothing."""

    def __init__(self, scope: Scope, books: BooksService, findings: FindingService) -> None:
        self._scope = scope
        self._books = books
        self._findings = findings

    async def follow(self, company_id: CompanyId, bill_id: str) -> Sequence[CustodyStep]:
        """Everything that happened to a bill, in order of time.

        Payments are those of the books, which reach back four hundred days.

        Raises:
            NotFound: no such company in this firm, or the log does not know the bill.
        """
        company = await self._scope.company(company_id)
        log, papers = self._scope.store.log, self._scope.store.papers
        key = RecordKey(RecordKind.BILL, bill_id)
        seen = await log.history(company_id, key)
        if not seen:
            raise NotFound(f"{company.name!r} has no bill {bill_id!r}: its log does not know it")
        steps = [_of_record(entry) for entry in seen]
        findings = await self._findings.list(company_id, states=None)
        for tracked in (one for one in findings if key in one.finding.subjects):
            steps.append(_of_finding(tracked))
            steps += [_judge(entry) for entry in await log.history(company_id, (_Acts.FINDING, tracked.finding_id))]
        for decision in await papers.papers(company_id, Decision, include_closed=True):
            if decision.bill_id == bill_id:
                steps += _of_decision(await log.history(company_id, decision.key))
        for fix in await papers.papers(company_id, Fix, include_closed=True):
            if fix.record == key:
                steps += [_of_fix(entry) for entry in await log.history(company_id, fix.key)]
        books = await self._books.read(company_id)
        for payment in (one for one in books.bill_payments if _pays(one, key)):
            steps += [_of_payment(entry) for entry in await log.history(company_id, payment.key)]
        return sorted(steps, key=lambda step: (step.at, step.sequence or 0))


def _pays(payment: BillPayment, key: RecordKey) -> bool:
    return any(link.kind is key.kind and link.external_id == key.external_id for link in payment.applied)


def _step(stage: CustodyStage, entry: LogEntry, said: str) -> CustodyStep:
    draft = entry.draft
    return CustodyStep(
        stage=stage,
        at=draft.seen_at,
        who=draft.attribution.actor,
        cause=draft.attribution.cause,
        said=said,
        about=f"{draft.kind}:{draft.external_id}",
        sequence=entry.sequence,
        hash=entry.hash.hex(),
    )


def _changed_fields(entry: LogEntry) -> str:
    changed = msgspec.json.decode(entry.draft.changed) if entry.draft.changed else {}
    return ", ".join(sorted(changed))


def _of_record(entry: LogEntry) -> CustodyStep:
    stage = _OF_CHANGE[entry.draft.what]
    where = f" by {entry.draft.rail}" if entry.draft.rail else ""
    said = {
        CustodyStage.SEEN: f"shown{where} for the first time"
        if entry.draft.what == ChangeKind.CREATED
        else f"shown again{where}",
        CustodyStage.CHANGED: f"changed: {_changed_fields(entry)}",
        CustodyStage.GONE: f"no longer held{where}",
    }
    return _step(stage, entry, said[stage])


def _of_finding(tracked: TrackedFinding) -> CustodyStep:
    finding = tracked.finding
    return CustodyStep(
        stage=CustodyStage.FOUND,
        at=tracked.first_seen_at,
        who="runway",
        cause=Cause.SYSTEM,
        said=f"{finding.check}: {finding.summary} ({tracked.state.value})",
        about=f"{_Acts.FINDING}:{tracked.finding_id}",
    )


def _judge(entry: LogEntry) -> CustodyStep:
    tracked = TrackedFinding.model_validate_json(entry.draft.content)
    reason = f": {tracked.reason}" if tracked.reason else ""
    return _step(CustodyStage.JUDGED, entry, f"{tracked.finding.check} {tracked.state.value}{reason}")


def _of_decision(entries: Iterable[LogEntry]) -> list[CustodyStep]:
    """A step each time the state moved, or another person said yes."""
    steps: list[CustodyStep] = []
    before: Decision | None = None
    for entry in entries:
        decision = Decision.model_validate_json(entry.draft.content)
        stage = _OF_STATE.get(decision.state)
        has_moved = before is None or before.state is not decision.state
        has_yes = before is not None and len(decision.approvals) > len(before.approvals)
        if stage is not None and (has_moved or has_yes):
            yes = f", yes by {decision.approvals[-1].by} as {decision.approvals[-1].role.value}" if has_yes else ""
            note = decision.steps[-1].note if decision.steps and has_moved else ""
            said = f"{decision.outcome.value}, {decision.state.value}{yes}{f': {note}' if note else ''}"
            steps.append(_step(CustodyStage.APPROVED if has_yes else stage, entry, said))
        before = decision
    return steps


def _of_fix(entry: LogEntry) -> CustodyStep:
    fix = Fix.model_validate_json(entry.draft.content)
    return _step(CustodyStage.MENDED, entry, f"{fix.label} ({fix.state.value})")


def _of_payment(entry: LogEntry) -> CustodyStep:
    if entry.draft.what == ChangeKind.DELETED:
        return _step(CustodyStage.GONE, entry, "its payment is no longer in the ledger")
    if entry.draft.what == ChangeKind.UPDATED:
        return _step(CustodyStage.RECORDED, entry, f"its payment changed: {_changed_fields(entry)}")
    payment = msgspec.json.decode(entry.draft.content)
    said = f"the ledger shows a payment of {payment['total']} {payment['currency']} on {payment['document_date']}"
    return _step(CustodyStage.RECORDED, entry, said)
