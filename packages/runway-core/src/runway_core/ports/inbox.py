"""The inbox: what rails sent, kept raw before it is answered, and what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

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


class Inbox(Protocol):
    """Keeps deliveries of all rails and firms: one delivery may speak of companies of several.

    unread     its work has not been given out yet
    listener   a connection to the account that an event names

    Every method may raise StoreUnavailable and SchemaMismatch.
    """

    async def accept(self, delivery: InboxDelivery) -> bool:
        """Keep a delivery, durably when this returns.

        One that is kept already stays as it is, read or unread; only that it came again is counted.

        Returns:
            Whether it is new.
        """
        ...

    async def unread(self, *, limit: int = 500) -> Sequence[InboxDelivery]:
        """Deliveries whose work was not given out, those received first at the front."""
        ...

    async def listeners(self, accounts: Collection[RailAccount]) -> Sequence[Listener]:
        """The connections to these accounts, of every firm, in one query a rail; by company, then connection."""
        ...

    async def mark_read(self, keys: Collection[DeliveryKey], *, now: datetime) -> int:
        """Mark deliveries as read; those that are read already keep their time.

        Returns:
            How many were unread.
        """
        ...

    async def hand_over(
        self, keys: Collection[DeliveryKey], jobs: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Add the jobs that deliveries ask for and mark these as read, in one transaction: all of it or nothing.

        Jobs coalesce as in `JobQueue.enqueue`, so that two processes that read the same deliveries do no work twice.

        Raises:
            NotFound: a company that is not in the job's firm; nothing was added or marked.
        """
        ...

    async def prune(self, *, read_before: datetime, limit: int = 1000) -> int:
        """Forget deliveries that were read before a moment, at most `limit` of them; unread ones stay.

        Returns:
            How many went.
        """
        ...

    async def lag(self) -> InboxLag:
        """What was not turned into work yet; costs nothing for what is kept beside it."""
        ...

    async def counts(self) -> InboxCounts:
        """How the inbox stands; looks at all that is kept."""
        ...

    async def unknown_accounts(self, *, limit: int = 100) -> Sequence[UnknownAccount]:
        """Accounts of kept events that no connection names, the last heard first."""
        ...
