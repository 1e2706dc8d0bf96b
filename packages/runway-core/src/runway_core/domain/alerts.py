"""Alerts: what someone should look at, told once when it begins and once when it is over.

A condition is what is so now; an alert is the record that it was told. Conditions are derived anew at every look, and
alerts are compared with them: a new condition raises its alert, one that is gone resolves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from runway_core.domain.record import Value


class AlertKind(StrEnum):
    """What an alert is about; each has a heading in the runbook."""

    FRESHNESS_FAST = "freshness-fast"  # the budget of three days is gone within hours
    FRESHNESS_MEDIUM = "freshness-medium"
    FRESHNESS_SLOW = "freshness-slow"
    QUOTA = "quota"
    RAIL_SILENT = "rail-silent"
    RECONNECT_NEEDED = "reconnect-needed"
    DATA_OLD = "data-old"  # one connection's, beyond what is promised
    QUEUE_LATE = "queue-late"
    DEAD_LETTERS = "dead-letters"
    NEWS_UNREAD = "news-unread"  # deliveries of rails that nobody turned into work
    ANCHORS_LATE = "anchors-late"  # the log is not signed, or not written out
    WEBHOOK_OFF = "webhook-off"  # an address of the firm's own takes no events


class Severity(StrEnum):
    """Who should look, and when."""

    PAGE = "page"  # now
    TICKET = "ticket"  # today
    NOTE = "note"  # the people of the company; nothing is wrong with the service


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now. `key` names it among the firm's: the same key is the same alert."""

    key: str
    kind: AlertKind
    severity: Severity
    summary: str  # for people, without names of customers or secrets
    company_id: str | None = None
    rail: str | None = None


class Alert(Value):
    """A condition that was found, and how long it lasted."""

    key: str
    kind: AlertKind
    severity: Severity
    summary: str
    company_id: str | None = None
    rail: str | None = None
    raised_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    is_told: bool = False  # whether its last change was told, to everybody who is told of alerts
    told_by: tuple[str, ...] = ()  # by which tellers, while others have not

    @property
    def runbook(self) -> str:
        """Where the documentation says what to do."""
        return f"howto/alerts.md#{self.kind.value}"


def plan_alerts(open_alerts: Iterable[Alert], conditions: Iterable[Condition], now: datetime) -> tuple[Alert, ...]:
    """The alerts that change: raised for conditions without one, resolved where the condition is gone."""
    held = {alert.key: alert for alert in open_alerts}
    wanted = {condition.key: condition for condition in conditions}
    raised = [
        Alert(
            key=one.key,
            kind=one.kind,
            severity=one.severity,
            summary=one.summary,
            company_id=one.company_id,
            rail=one.rail,
            raised_at=now,
        )
        for key, one in sorted(wanted.items())
        if key not in held
    ]
    gone = [
        alert.model_copy(update={"resolved_at": now, "is_told": False, "told_by": ()})
        for key, alert in sorted(held.items())
        if key not in wanted
    ]
    return (*raised, *gone)
