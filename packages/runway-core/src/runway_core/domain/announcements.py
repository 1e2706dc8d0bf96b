"""Which events follow from a change, by what stood before and what stands after: every store finds the same ones.

An event is found within the transaction that makes it true, so that it is told once for each cause: never for a change
that was undone, and never twice for one that was written again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from runway_core.domain.company import ConnectionState
from runway_core.domain.decisions import Decision, DecisionState
from runway_core.domain.findings import WAITING, FindingState, TrackedFinding
from runway_core.domain.firm_digests import FirmDigest
from runway_core.domain.identity import CompanyId, ConnectionId
from runway_core.domain.papers import PaperKey, WorkingPaper
from runway_core.domain.people import is_firm_chain
from runway_core.domain.position import Position, PositionStatus
from runway_core.domain.sent_digests import Delivery, SentDigest, SentMail
from runway_core.domain.subscriptions import Announcement, EventData, EventType

BROKEN_STATES = frozenset({ConnectionState.RECONNECT_NEEDED, ConnectionState.DISCONNECTED})
"""A connection in these is read again only after a person did something."""

ANNOUNCING = (Decision, SentDigest, FirmDigest)
"""The papers whose changes may be events."""

_ENDED_BADLY = frozenset({DecisionState.FAILED, DecisionState.RETURNED})
_PAID = frozenset({DecisionState.SETTLED, DecisionState.RECORDED})


def find_status_news(before: PositionStatus | None, position: Position) -> list[Announcement]:
    """That the status of a company is another one; `before` is `None` for its first position."""
    if before is position.status:
        return []
    data: EventData = {
        "before": None if before is None else before.value,
        "status": position.status.value,
        "runway_days": position.runway_days,
    }
    return [Announcement(EventType.STATUS_CHANGED, position.company_id, position.computed_at, data)]


def find_finding_news(
    company_id: CompanyId, before: Mapping[str, FindingState], after: Iterable[TrackedFinding], *, at: datetime
) -> list[Announcement]:
    """Which findings were opened, and which closed. `before` has the state of those that were known, by id."""
    return [
        Announcement(
            EventType.FINDING_OPENED if tracked.state in WAITING else EventType.FINDING_CLOSED,
            company_id,
            at,
            {
                "finding_id": tracked.finding_id,
                "check": tracked.finding.check,
                "severity": tracked.finding.severity.value,
                "state": tracked.state.value,
            },
        )
        for tracked in after
        if (tracked.state in WAITING) is not (before.get(tracked.finding_id) in WAITING)
    ]


def find_paper_news(
    owner: CompanyId, held: Mapping[PaperKey, WorkingPaper], changed: Iterable[WorkingPaper], *, at: datetime
) -> list[Announcement]:
    """What saving papers of one owner, a company or a firm, makes known. `held` is what stood under their keys."""
    news: list[Announcement] = []
    company_id = None if is_firm_chain(owner) else owner
    for paper in changed:
        before = held.get(paper.key)
        if isinstance(paper, Decision):
            kind = _find_decision_event(before if isinstance(before, Decision) else None, paper)
            if kind is not None:
                news.append(Announcement(kind, company_id, at, _describe(paper)))
        elif isinstance(paper, SentMail) and paper.delivery is Delivery.SENT and not _is_sent(before):
            news.append(Announcement(EventType.DIGEST_SENT, company_id, at, {"digest_id": paper.paper_id}))
    return news


def _describe(decision: Decision) -> EventData:
    return {
        "decision_id": decision.paper_id,
        "bill_id": decision.bill_id,
        "outcome": decision.outcome.value,
        "state": decision.state.value,
        "version": decision.version,
    }


def _is_sent(paper: WorkingPaper | None) -> bool:
    return isinstance(paper, SentMail) and paper.delivery is Delivery.SENT


def _find_decision_event(before: Decision | None, after: Decision) -> EventType | None:
    if before is None or (before.outcome, before.payments) != (after.outcome, after.payments):
        return EventType.DECISION_MADE
    was, now = before.state, after.state
    if was is now:
        return None
    if now is DecisionState.RELEASED:
        return EventType.DECISION_RELEASED
    if now in _PAID:  # the ledger may record what no rail saw settle: that is told once
        return None if was in _PAID else EventType.DECISION_SETTLED
    if now in _ENDED_BADLY:
        return EventType.DECISION_FAILED
    if now is DecisionState.DECIDED and was in _ENDED_BADLY:
        return EventType.DECISION_MADE
    return None


def find_connection_news(
    company_id: CompanyId,
    connection_id: ConnectionId,
    rail: str,
    *,
    before: ConnectionState,
    after: ConnectionState,
    at: datetime,
) -> list[Announcement]:
    """That a connection is broken, and a person must see to it."""
    if after not in BROKEN_STATES or before in BROKEN_STATES:
        return []
    data: EventData = {"connection_id": connection_id, "rail": rail, "state": after.value}
    return [Announcement(EventType.CONNECTION_BROKEN, company_id, at, data)]
