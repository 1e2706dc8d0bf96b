"""Delivering events: what is due is found in the store, and carried outside by jobs, one at a time a subscription.

A receiver that hangs holds up its own deliveries alone. An attempt is noted after it was made: whoever is killed in
between leaves a delivery that comes once more, under the same id, and none that never comes.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from runway_core.domain.identity import ConnectionId
from runway_core.domain.jobs import Job, Lane, NewJob, Work
from runway_core.domain.people import firm_chain
from runway_core.domain.subscriptions import KEPT, Subscription, SubscriptionState, WebhookDelivery
from runway_core.errors import NotSupported
from runway_core.ports.subscriptions import Announcer
from runway_core.services.scope import Scope
from runway_core.sync.engine import Alive, Beat

LOOK_EVERY = timedelta(seconds=1)
FORGET_EVERY = timedelta(minutes=10)
AT_ONCE = 8
"""So many deliveries of one subscription go out side by side."""

TURN = timedelta(seconds=30)
"""After so long a subscription with more to deliver lets other work go first."""

FORGOTTEN_AT_ONCE = 1000

_log = structlog.get_logger(__name__)


class DeliveryService:
    """Plans and makes the deliveries of a firm."""

    def __init__(self, scope: Scope, announcer: Announcer | None) -> None:
        self._scope = scope
        self._announcer = announcer

    def beats(self) -> Sequence[Beat]:
        """What an engine looks at again and again: what is due, and what was delivered long ago."""
        return (Beat("deliveries", LOOK_EVERY, self.plan), Beat("old deliveries", FORGET_EVERY, self.forget))

    async def plan(self) -> int:
        """Enqueue a job for each subscription to which something is due; returns how many were added."""
        scope, now = self._scope, self._scope.clock.now()
        owed = await scope.store.subscriptions.owed(scope.firm_id, now=now)
        if not owed:
            return 0
        jobs = [
            NewJob(
                firm_id=scope.firm_id,
                company_id=firm_chain(scope.firm_id),
                connection_id=ConnectionId(subscription_id),
                work=Work.ANNOUNCE,
                lane=Lane.POLL,
                run_at=now,
                dedupe_key=f"announce:{subscription_id}",
                payload={"subscription_id": subscription_id},
            )
            for subscription_id in owed
        ]
        return (await scope.store.jobs.enqueue(jobs, now=now)).added

    async def deliver(self, job: Job, alive: Alive) -> datetime | None:
        """Make the deliveries of one subscription that are due, a few at a time; returns when to go on.

        Raises:
            NotSupported: nothing here carries events outside.
        """
        if self._announcer is None:
            raise NotSupported("nothing here carries events outside: open `Runway` with an `announcer`")
        clock, store = self._scope.clock, self._scope.store.subscriptions
        firm_id, subscription_id = self._scope.firm_id, job.payload["subscription_id"]
        subscription = await self._find(subscription_id)
        began = clock.now()
        while subscription is not None and subscription.state is SubscriptionState.ACTIVE:
            due = await store.due(firm_id, subscription_id, now=clock.now(), limit=AT_ONCE)
            if not due:
                return None
            if clock.now() - began >= TURN:
                return clock.now()
            subscription = await self._deliver_some(self._announcer, subscription, due)
            alive()
        return None

    async def _find(self, subscription_id: str) -> Subscription | None:
        held = await self._scope.store.subscriptions.subscriptions(self._scope.firm_id)
        return next((one for one in held if one.subscription_id == subscription_id), None)

    async def _deliver_some(
        self, announcer: Announcer, subscription: Subscription, due: Sequence[WebhookDelivery]
    ) -> Subscription | None:
        clock, store = self._scope.clock, self._scope.store.subscriptions
        firm_id, subscription_id = subscription.firm_id, subscription.subscription_id
        secrets, now = await store.secrets(firm_id, subscription_id), clock.now()
        good = [secret for secret in secrets if secret.is_good(now)]
        tried = await asyncio.gather(*(announcer.announce(subscription.url, one, secrets=good, now=now) for one in due))
        attempts = {one.event_id: attempt for one, attempt in zip(due, tried, strict=True)}
        after = await store.record(firm_id, subscription_id, attempts, at=clock.now())
        for one, attempt in zip(due, tried, strict=True):
            if not attempt.is_accepted:
                _log.warning(
                    "event_not_delivered",
                    webhook=subscription_id,
                    event_id=one.event_id,
                    event_type=one.event_type.value,
                    attempt=one.attempts + 1,
                    status=attempt.status,
                    error=attempt.error,
                )
        taken = sum(attempt.is_accepted for attempt in tried)
        _log.info("events_delivered", webhook=subscription_id, delivered=taken, refused=len(tried) - taken)
        if after is not None and after.state is SubscriptionState.OFF:
            _log.warning("webhook_switched_off", webhook=subscription_id, reason=after.reason)
        return after

    async def forget(self) -> int:
        """Forget deliveries of events that are thirty days old, a step at a time; returns how many went."""
        scope, gone = self._scope, 0
        before = scope.clock.now() - KEPT
        while step := await scope.store.subscriptions.prune(scope.firm_id, before=before, limit=FORGOTTEN_AT_ONCE):
            gone += step
        return gone
