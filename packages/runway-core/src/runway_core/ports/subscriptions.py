"""Webhooks out: what is kept of them, and who carries them outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.identity import FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.subscriptions import (
    Attempt,
    DeliveryFilter,
    SigningSecret,
    Subscription,
    WebhookDelivery,
)


class SubscriptionStore(Protocol):
    """Keeps the subscriptions of firms and their deliveries.

    Deliveries are also written by the stores of positions, papers and connections, in the transaction that made an
    event true: one for each subscription that wants it. Whatever belongs to another firm is not found. Changes take the
    entries that tell of them, which go to the firm's own chain in the same transaction. Every method may raise
    StoreUnavailable.
    """

    async def subscriptions(self, firm_id: FirmId) -> Sequence[Subscription]:
        """All of a firm, the oldest first, then by id."""
        ...

    async def save(
        self, subscription: Subscription, drafts: Sequence[LogDraft], *, secrets: Sequence[SigningSecret] | None = None
    ) -> Subscription:
        """Store a subscription on the version it carries, and return it with the next one; `None` leaves its secrets.

        Raises:
            StaleRevision: changed since, or new and the id is taken.
            StoreUnavailable: secrets cannot be kept without a key.
        """
        ...

    async def remove(self, firm_id: FirmId, subscription_id: str, drafts: Sequence[LogDraft]) -> bool:
        """Remove a subscription with its secrets and deliveries; false, and nothing is logged, when it is gone."""
        ...

    async def secrets(self, firm_id: FirmId, subscription_id: str) -> Sequence[SigningSecret]:
        """What it is signed with, the newest first, old ones too; empty when there is no such subscription.

        Raises:
            StoreUnavailable: they were kept under another key.
        """
        ...

    async def deliveries(
        self,
        firm_id: FirmId,
        subscription_id: str,
        wanted: DeliveryFilter,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> Sequence[WebhookDelivery]:
        """Deliveries of a subscription, the last events first, and of one moment those of greater ids.

        `after` is moment and id of the last one shown.
        """
        ...

    async def due(
        self, firm_id: FirmId, subscription_id: str, *, now: datetime, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Deliveries that wait and may be tried now, those first whose time came first."""
        ...

    async def owed(self, firm_id: FirmId, *, now: datetime) -> Sequence[str]:
        """The active subscriptions to which something may be delivered now, by id, in one query."""
        ...

    async def add_delivery(self, delivery: WebhookDelivery, drafts: Sequence[LogDraft]) -> None:
        """Keep a delivery that no change of the books made: a test.

        Raises:
            NotFound: no such subscription.
        """
        ...

    async def record(
        self, firm_id: FirmId, subscription_id: str, attempts: Mapping[str, Attempt], *, at: datetime
    ) -> Subscription | None:
        """Note what became of attempts, by event id, on their deliveries and on the subscription, in one transaction.

        A delivery that is gone, or does not wait any more, is left alone. Where the subscription is switched off, the
        firm's chain says so.

        Returns:
            The subscription as it is then; `None` when it is gone.
        """
        ...

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
        """Let deliveries that wait no more wait again; returns how many. None, and nothing is logged.

        `event_ids` names some of those that `wanted` means; all of them when absent.
        """
        ...

    async def prune(self, firm_id: FirmId, *, before: datetime, limit: int) -> int:
        """Forget deliveries of events before a moment, `limit` at most; returns how many."""
        ...


class Announcer(Protocol):
    """Carries events to addresses that people gave, which are not to be trusted."""

    def check_address(self, url: str) -> str:
        """An address as it is kept; nothing is asked of it yet.

        Raises:
            InvalidRequest: it is none that may be told.
        """
        ...

    async def announce(
        self, url: str, delivery: WebhookDelivery, *, secrets: Sequence[SigningSecret], now: datetime
    ) -> Attempt:
        """Deliver one event, signed with each secret. Never raises for what the other side does or is."""
        ...
