"""The outbox: facts that pages made true, to be told once to whoever depends on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runway_core.domain.identity import FirmId
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.sync_run import OutboxEvent


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event that was not told yet. `depth` is that of the pull that brought it: nil when no job did."""

    event: OutboxEvent
    firm_id: FirmId
    depth: int


class Outbox(Protocol):
    """Keeps events until they are told. They are written by `MirrorStore.commit_page`, in its transaction.

    Every method may raise StoreUnavailable and SchemaMismatch.
    """

    async def pending(self, firm_id: FirmId, *, limit: int = 500) -> Sequence[PendingEvent]:
        """Events that were not told, the oldest first, in a fixed number of queries."""
        ...

    async def settle(
        self, events: Sequence[PendingEvent], follow: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Mark events as told and enqueue what is to `follow` from them, in one transaction.

        A job names its event in `cause_id`; where another process has told the event already, its jobs are left out. So
        each event is told once, however many tell.
        """
        ...

    async def prune(self, *, told_before: datetime) -> int:
        """Forget events that were told before a moment; returns how many."""
        ...
