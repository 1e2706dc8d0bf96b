"""The inbox in memory."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.webhooks import (
    DeliveryKey,
    InboxCounts,
    InboxDelivery,
    InboxLag,
    Listener,
    RailAccount,
    UnknownAccount,
)

from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_state import States


class MemoryInbox:
    """The `Inbox` in memory."""

    def __init__(self, states: States, jobs: MemoryJobQueue) -> None:
        self._states = states
        self._jobs = jobs
        self._kept: dict[DeliveryKey, InboxDelivery] = {}
        self._unread: dict[DeliveryKey, None] = {}
        self._of_account: dict[RailAccount, dict[DeliveryKey, None]] = defaultdict(dict)

    def heard(self, account: RailAccount) -> Sequence[InboxDelivery]:
        """What is kept of one account."""
        return [self._kept[key] for key in self._of_account.get(account, ())]

    @property
    def kept(self) -> Sequence[InboxDelivery]:
        """Every delivery that is kept."""
        return list(self._kept.values())

    async def accept(self, delivery: InboxDelivery) -> bool:
        """Keep a delivery; one that is kept already is only counted."""
        held = self._kept.get(delivery.key)
        if held is None:
            self._kept[delivery.key] = replace(delivery, times_seen=1)
            if delivery.read_at is None:
                self._unread[delivery.key] = None
            for account in delivery.accounts:
                self._of_account[account][delivery.key] = None
            return True
        self._kept[delivery.key] = replace(held, times_seen=held.times_seen + 1, last_seen_at=delivery.last_seen_at)
        return False

    async def unread(self, *, limit: int = 500) -> Sequence[InboxDelivery]:
        """Deliveries whose work was not given out, those received first at the front."""
        found = [self._kept[key] for key in self._unread]
        return sorted(found, key=lambda delivery: (delivery.received_at, delivery.key))[:limit]

    async def listeners(self, accounts: Collection[RailAccount]) -> Sequence[Listener]:
        """The connections to these accounts, of every firm."""
        found = [
            Listener(
                account=account,
                firm_id=connection.firm_id,
                company_id=connection.company_id,
                connection_id=connection.connection_id,
                state=connection.state,
            )
            for account in accounts
            for connection in self._states.listening_to(account)
        ]
        return sorted(found, key=lambda listener: (listener.company_id, listener.connection_id))

    async def mark_read(self, keys: Collection[DeliveryKey], *, now: datetime) -> int:
        """Mark deliveries as read; those that are read already keep their time."""
        unread = [key for key in set(keys) if key in self._unread]
        for key in unread:
            del self._unread[key]
        self._kept.update({key: replace(self._kept[key], read_at=now) for key in unread})
        return len(unread)

    async def hand_over(
        self, keys: Collection[DeliveryKey], jobs: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Add the jobs that deliveries ask for and mark these as read."""
        receipt = await self._jobs.enqueue(jobs, now=now)
        await self.mark_read(keys, now=now)
        return receipt

    async def prune(self, *, read_before: datetime, limit: int = 1000) -> int:
        """Forget deliveries that were read before a moment, those read first at the front."""
        read = [(held.read_at, key) for key, held in self._kept.items() if held.read_at is not None]
        old = sorted(pair for pair in read if pair[0] < read_before)[:limit]
        for _, key in old:
            for account in self._kept.pop(key).accounts:
                del self._of_account[account][key]
        return len(old)

    async def lag(self) -> InboxLag:
        """What was not turned into work yet."""
        waiting = [delivery.received_at for delivery in self._kept.values() if delivery.read_at is None]
        return InboxLag(unread=len(waiting), oldest_unread_at=min(waiting, default=None))

    async def counts(self) -> InboxCounts:
        """How the inbox stands."""
        held = list(self._kept.values())
        waiting = [delivery.received_at for delivery in held if delivery.read_at is None]
        return InboxCounts(
            deliveries=len(held),
            unread=len(waiting),
            oldest_unread_at=min(waiting, default=None),
            repeated=sum(delivery.times_seen > 1 for delivery in held),
            unreadable=sum(delivery.problem is not None for delivery in held),
            last_received_at=max((delivery.received_at for delivery in held), default=None),
        )

    async def unknown_accounts(self, *, limit: int = 100) -> Sequence[UnknownAccount]:
        """Accounts of kept events that no connection names, the last heard first."""
        heard: dict[RailAccount, list[datetime]] = defaultdict(list)
        for delivery in self._kept.values():
            for event in delivery.events:
                heard[RailAccount(delivery.key.rail, event.account)].append(delivery.received_at)
        known = {listener.account for listener in await self.listeners(list(heard))}
        found = [
            UnknownAccount(account=account, events=len(times), first_at=min(times), last_at=max(times))
            for account, times in sorted(heard.items())
            if account not in known
        ]
        return sorted(found, key=lambda unknown: unknown.last_at, reverse=True)[:limit]
