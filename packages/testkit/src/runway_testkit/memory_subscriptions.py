"""Webhooks out in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import firm_chain
from runway_core.domain.subscriptions import (
    Announcement,
    Attempt,
    DeliveryFilter,
    DeliveryState,
    SigningSecret,
    Subscription,
    SubscriptionState,
    WebhookDelivery,
    draft_switched_off,
    judge_subscription,
    note_attempt,
    plan_deliveries,
    replay,
)
from runway_core.errors import NotFound, StaleRevision

from runway_testkit.memory_people import MemoryChain

_Key = tuple[str, str]


class MemorySubscriptionStore:
    """The `SubscriptionStore` in memory."""

    def __init__(self, chains: dict[CompanyId, MemoryChain]) -> None:
        self._chains = chains
        self._subscriptions: dict[str, Subscription] = {}
        self._secrets: dict[str, tuple[SigningSecret, ...]] = {}
        self._deliveries: dict[_Key, WebhookDelivery] = {}

    def _find(self, firm_id: FirmId, subscription_id: str) -> Subscription | None:
        held = self._subscriptions.get(subscription_id)
        return held if held is not None and held.firm_id == firm_id else None

    def _append(self, firm_id: FirmId, drafts: Sequence[LogDraft]) -> None:
        owner = firm_chain(firm_id)
        self._chains.setdefault(owner, MemoryChain()).append(owner, drafts)

    def announce(self, firm_id: FirmId, news: Sequence[Announcement], *, at: datetime) -> None:
        """Keep what is to be delivered of the news: for stores in which they became true."""
        listening = [one for one in self._subscriptions.values() if one.firm_id == firm_id]
        named = {f"evt_{uuid4().hex}": said for said in news}
        for one in plan_deliveries(listening, named, at=at):
            self._deliveries[one.subscription_id, one.event_id] = one

    def erase(self, company_id: CompanyId) -> None:
        """Let go of what tells of a company."""
        self._deliveries = {key: one for key, one in self._deliveries.items() if one.company_id != company_id}

    async def subscriptions(self, firm_id: FirmId) -> Sequence[Subscription]:
        own = [one for one in self._subscriptions.values() if one.firm_id == firm_id]
        return sorted(own, key=lambda one: (one.created_at, one.subscription_id))

    async def save(
        self, subscription: Subscription, drafts: Sequence[LogDraft], *, secrets: Sequence[SigningSecret] | None = None
    ) -> Subscription:
        held = self._subscriptions.get(subscription.subscription_id)
        if (0 if held is None else held.version) != subscription.version:
            raise StaleRevision(f"the webhook {subscription.subscription_id!r} was changed meanwhile")
        stored = subscription.model_copy(update={"version": subscription.version + 1})
        self._subscriptions[stored.subscription_id] = stored
        if secrets is not None:
            self._secrets[stored.subscription_id] = tuple(secrets)
        self._append(stored.firm_id, drafts)
        return stored

    async def remove(self, firm_id: FirmId, subscription_id: str, drafts: Sequence[LogDraft]) -> bool:
        if self._find(firm_id, subscription_id) is None:
            return False
        del self._subscriptions[subscription_id], self._secrets[subscription_id]
        self._deliveries = {key: one for key, one in self._deliveries.items() if key[0] != subscription_id}
        self._append(firm_id, drafts)
        return True

    async def secrets(self, firm_id: FirmId, subscription_id: str) -> Sequence[SigningSecret]:
        return () if self._find(firm_id, subscription_id) is None else self._secrets[subscription_id]

    def _of(self, firm_id: FirmId, subscription_id: str) -> list[WebhookDelivery]:
        own = [one for one in self._deliveries.values() if one.subscription_id == subscription_id]
        return [one for one in own if one.firm_id == firm_id]

    async def deliveries(
        self,
        firm_id: FirmId,
        subscription_id: str,
        wanted: DeliveryFilter,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[WebhookDelivery]:
        found = [one for one in self._of(firm_id, subscription_id) if wanted.fits(one)]
        found.sort(key=lambda one: (one.occurred_at, one.event_id), reverse=True)
        return [one for one in found if after is None or (one.occurred_at, one.event_id) < after][:limit]

    async def due(
        self, firm_id: FirmId, subscription_id: str, *, now: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        waiting = [
            (one.next_attempt_at, one.occurred_at, one.event_id, one)
            for one in self._of(firm_id, subscription_id)
            if one.state is DeliveryState.WAITING and one.next_attempt_at is not None and one.next_attempt_at <= now
        ]
        return [one for *_, one in sorted(waiting, key=lambda place: place[:3])][:limit]

    async def owed(self, firm_id: FirmId, *, now: datetime) -> Sequence[str]:
        active = [one for one in await self.subscriptions(firm_id) if one.state is SubscriptionState.ACTIVE]
        ids = sorted(one.subscription_id for one in active)
        return [one for one in ids if await self.due(firm_id, one, now=now, limit=1)]

    async def add_delivery(self, delivery: WebhookDelivery, drafts: Sequence[LogDraft]) -> None:
        if self._find(delivery.firm_id, delivery.subscription_id) is None:
            raise NotFound(f"no webhook {delivery.subscription_id!r} in this firm")
        self._deliveries[delivery.subscription_id, delivery.event_id] = delivery
        self._append(delivery.firm_id, drafts)

    async def record(
        self, firm_id: FirmId, subscription_id: str, attempts: Mapping[str, Attempt], *, at: datetime
    ) -> Subscription | None:
        held = self._find(firm_id, subscription_id)
        if held is None:
            return None
        waiting = [one for one in self._of(firm_id, subscription_id) if one.state is DeliveryState.WAITING]
        tried = [one for one in waiting if one.event_id in attempts]
        noted = [(note_attempt(one, attempts[one.event_id], at), attempts[one.event_id]) for one in tried]
        self._deliveries.update({(subscription_id, one.event_id): one for one, _ in noted})
        after = judge_subscription(held, noted, at)
        if after != held:
            after = after.model_copy(update={"version": held.version + 1})
            self._subscriptions[subscription_id] = after
        if after.state is not held.state:
            self._append(firm_id, [draft_switched_off(after, at)])
        return after

    async def replay(
        self,
        firm_id: FirmId,
        subscription_id: str,
        wanted: DeliveryFilter,
        drafts: Sequence[LogDraft],
        *,
        event_ids: Sequence[str] | None = None,
        at: datetime,
    ) -> int:
        again = [
            one
            for one in self._of(firm_id, subscription_id)
            if one.state is not DeliveryState.WAITING
            and wanted.fits(one)
            and (event_ids is None or one.event_id in event_ids)
        ]
        self._deliveries.update({(subscription_id, one.event_id): replay(one, at) for one in again})
        if again:
            self._append(firm_id, drafts)
        return len(again)

    async def prune(self, firm_id: FirmId, *, before: datetime, limit: int) -> int:
        own = [(key, one) for key, one in self._deliveries.items() if one.firm_id == firm_id]
        old = [key for key, one in own if one.occurred_at < before][:limit]
        for key in old:
            del self._deliveries[key]
        return len(old)
