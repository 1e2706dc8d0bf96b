"""The outbox in memory."""

from collections.abc import Sequence
from datetime import datetime

from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.sync_run import OutboxEvent
from runway_core.ports.outbox import PendingEvent

from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_state import CompanyState


class MemoryOutbox:
    """The `Outbox` in memory."""

    def __init__(self, states: dict[CompanyId, CompanyState], jobs: MemoryJobQueue) -> None:
        self._states = states
        self._jobs = jobs

    async def pending(self, firm_id: FirmId, *, limit: int = 500) -> Sequence[PendingEvent]:
        """Events that were not told, the oldest first."""
        untold = [
            event
            for state in self._states.values()
            if state.company.firm_id == firm_id
            for event in state.events
            if event.event_id not in state.told
        ]
        untold.sort(key=lambda event: (event.created_at, event.company_id, event.event_id))
        return [PendingEvent(event, firm_id, await self._find_depth(firm_id, event)) for event in untold[:limit]]

    async def _find_depth(self, firm_id: FirmId, event: OutboxEvent) -> int:
        chain = await self._jobs.correlated(firm_id, event.correlation_id)
        return max((job.depth for job in chain if job.rail == event.payload["rail"]), default=0)

    async def settle(
        self, events: Sequence[PendingEvent], follow: Sequence[NewJob], *, now: datetime
    ) -> EnqueueReceipt:
        """Mark events as told and enqueue what follows from them."""
        ours = set()
        for one in events:
            told = self._states[one.event.company_id].told
            if one.event.event_id not in told:
                told[one.event.event_id] = now
                ours.add((one.event.company_id, one.event.event_id))
        return await self._jobs.enqueue([job for job in follow if (job.company_id, job.cause_id) in ours], now=now)

    async def prune(self, *, told_before: datetime) -> int:
        """Forget events that were told before a moment."""
        gone = 0
        for state in self._states.values():
            old = {event_id for event_id, at in state.told.items() if at < told_before}
            state.events = [event for event in state.events if event.event_id not in old]
            state.told = {event_id: at for event_id, at in state.told.items() if event_id not in old}
            gone += len(old)
        return gone
