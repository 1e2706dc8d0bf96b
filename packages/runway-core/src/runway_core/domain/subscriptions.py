"""Webhooks out: who subscribed to which events, what waits to be delivered, and what an attempt means for both.

A delivery is one event on its way to one subscription. It is written in the transaction that made the event true, and
is kept with what became of it for a term, delivered or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import AwareDatetime, Field, SecretStr

from runway_core.domain.changes import Attribution, Cause
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.record import Value, encode_plain

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failed attempt the next one comes, as Standard Webhooks proposes: ten attempts in three days."""

LONGEST_WAIT = timedelta(hours=24)
"""A receiver that asks for more patience than this is asked again all the same."""

SWITCH_OFF_AFTER = timedelta(days=3)
"""A subscription is switched off when a delivery had all its attempts and nothing got through for so long."""

KEPT = timedelta(days=30)
"""How long deliveries are kept after their event, whatever became of them."""

LOG_KIND = "webhook"
"""What the log calls subscriptions."""


class EventType(StrEnum):
    """What may be told. Each is a fact in the past tense; `docs/reference/webhooks.md` has a heading for each."""

    STATUS_CHANGED = "runway.status_changed"
    FINDING_OPENED = "finding.opened"
    FINDING_CLOSED = "finding.closed"
    DECISION_MADE = "decision.made"
    DECISION_RELEASED = "decision.released"
    DECISION_SETTLED = "decision.settled"
    DECISION_FAILED = "decision.failed"
    DIGEST_SENT = "digest.sent"
    CONNECTION_BROKEN = "connection.broken"
    TEST = "webhook.test"  # asked for by a person, and told to one subscription alone


EVENT_TYPES: tuple[EventType, ...] = tuple(kind for kind in EventType if kind is not EventType.TEST)
"""Those that may be subscribed to."""

EventData = dict[str, str | int | None]
"""What an event says: ids, and few figures."""


class Announcement(NamedTuple):
    """An event that just became true. `company_id` is `None` for what concerns the firm as a whole."""

    event_type: EventType
    company_id: CompanyId | None
    occurred_at: datetime
    data: EventData


class SubscriptionState(StrEnum):
    """Whether a subscription is delivered to."""

    ACTIVE = "active"
    PAUSED = "paused"  # by a person; what happens meanwhile is kept and delivered once it is resumed
    OFF = "off"  # by Runway, because nothing gets through; what happens meanwhile is not kept


class Subscription(Value):
    """An address of the firm's choosing that is told of events. Its secret is kept apart, sealed.

    event_types     None: all, later ones too
    companies       None: all of the firm, later ones too, and what concerns the firm as a whole
    failing_since   the first of the failed attempts after which nothing got through
    reason          why it is off, for a person
    """

    subscription_id: str
    firm_id: FirmId
    url: str
    note: str = ""
    event_types: tuple[EventType, ...] | None = None
    companies: tuple[CompanyId, ...] | None = None
    state: SubscriptionState = SubscriptionState.ACTIVE
    reason: str | None = None
    failing_since: AwareDatetime | None = None
    created_at: AwareDatetime
    created_by: str
    version: int = 0  # 0: not stored yet

    def wants(self, news: Announcement) -> bool:
        """Whether it is to be told of an event."""
        if self.state is SubscriptionState.OFF:
            return False
        if self.event_types is not None and news.event_type not in self.event_types:
            return False
        return self.companies is None or news.company_id in self.companies


class SigningSecret(Value):
    """What deliveries are signed with: `whsec_` and the key in base 64. `until` is set once another took its place."""

    secret: SecretStr
    until: AwareDatetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether deliveries are still signed with it."""
        return self.until is None or now < self.until


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"  # for its first or its next attempt
    DELIVERED = "delivered"
    FAILED = "failed"  # it had all its attempts; it may be replayed


class WebhookDelivery(Value):
    """One event on its way to one subscription. Repeats carry the same `event_id`, replays too."""

    subscription_id: str
    event_id: str
    firm_id: FirmId
    event_type: EventType
    company_id: CompanyId | None
    occurred_at: AwareDatetime
    data: EventData = Field(default_factory=dict)
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    next_attempt_at: AwareDatetime | None = None  # set while it waits
    last_attempt_at: AwareDatetime | None = None
    last_status: int | None = None  # what the receiver answered; None: it gave no answer
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries of a subscription are meant; what is absent narrows nothing."""

    state: DeliveryState | None = None
    event_type: EventType | None = None
    company_id: CompanyId | None = None
    since: datetime | None = None  # events of that moment and later

    def fits(self, delivery: WebhookDelivery) -> bool:
        """Whether a delivery is meant."""
        return (
            self.state in (None, delivery.state)
            and self.event_type in (None, delivery.event_type)
            and self.company_id in (None, delivery.company_id)
            and (self.since is None or delivery.occurred_at >= self.since)
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt. `status` is absent when no answer came, `retry_after` when none was asked for."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took it: any answer from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing more: it answered 410."""
        return self.status == 410


def note_attempt(delivery: WebhookDelivery, attempt: Attempt, at: datetime) -> WebhookDelivery:
    """A delivery after one more attempt: delivered, to be tried again, or out of attempts."""
    attempts = delivery.attempts + 1
    said: dict[str, object] = {
        "attempts": attempts,
        "last_attempt_at": at,
        "last_status": attempt.status,
        "last_error": attempt.error,
        "next_attempt_at": None,
    }
    if attempt.is_accepted:
        said["state"] = DeliveryState.DELIVERED
    elif attempts > len(WAITS):
        said["state"] = DeliveryState.FAILED
    else:
        asked = min(attempt.retry_after or timedelta(0), LONGEST_WAIT)
        said["next_attempt_at"] = at + max(WAITS[attempts - 1], asked)
    return delivery.model_copy(update=said)


def judge_subscription(
    subscription: Subscription, outcomes: Iterable[tuple[WebhookDelivery, Attempt]], at: datetime
) -> Subscription:
    """What attempts mean for the subscription: it is well, it fails, or it is switched off.

    `outcomes` are deliveries after the attempt. One that got through among them clears what failed before.
    """
    tried = list(outcomes)
    if not tried or subscription.state is SubscriptionState.OFF:
        return subscription
    if any(attempt.is_gone for _, attempt in tried):
        return _switch_off(subscription, "the receiver answered 410: it wants nothing more")
    if any(attempt.is_accepted for _, attempt in tried):
        return subscription.model_copy(update={"failing_since": None})
    since = subscription.failing_since or at
    failing = subscription.model_copy(update={"failing_since": since})
    is_exhausted = any(delivery.state is DeliveryState.FAILED for delivery, _ in tried)
    if is_exhausted and at - since >= SWITCH_OFF_AFTER:
        return _switch_off(failing, f"nothing got through since {since:%Y-%m-%d %H:%M} UTC")
    return failing


def draft_switched_off(subscription: Subscription, at: datetime) -> LogDraft:
    """What the firm's chain says of a subscription that was switched off."""
    return LogDraft(
        seen_at=at,
        rail="",
        kind=LOG_KIND,
        external_id=subscription.subscription_id,
        what="webhook_switched_off",
        attribution=Attribution(Cause.SYSTEM, "runway", subscription.subscription_id),
        content=encode_plain({"reason": subscription.reason}),
    )


def _switch_off(subscription: Subscription, reason: str) -> Subscription:
    return subscription.model_copy(update={"state": SubscriptionState.OFF, "reason": reason})


def replay(delivery: WebhookDelivery, at: datetime) -> WebhookDelivery:
    """A delivery that begins anew, under the same event id and with all its attempts."""
    return delivery.model_copy(
        update={"state": DeliveryState.WAITING, "attempts": 0, "next_attempt_at": at, "last_error": None}
    )


def plan_deliveries(
    subscriptions: Iterable[Subscription], news: Mapping[str, Announcement], *, at: datetime
) -> list[WebhookDelivery]:
    """What is to be delivered to whom. `news` are events by id; every subscriber of an event is told the same id."""
    listening = list(subscriptions)
    return [
        WebhookDelivery(
            subscription_id=one.subscription_id,
            event_id=event_id,
            firm_id=one.firm_id,
            event_type=said.event_type,
            company_id=said.company_id,
            occurred_at=said.occurred_at,
            data=said.data,
            next_attempt_at=at,
        )
        for event_id, said in news.items()
        for one in listening
        if one.wants(said)
    ]
