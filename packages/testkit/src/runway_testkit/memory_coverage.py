"""Tallies of paths and gaps of webhooks in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from runway_core.domain.company import Connection
from runway_core.domain.gaps import Gap, Hearing
from runway_core.domain.identity import ConnectionId, FirmId, RecordKey
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.sweeps import Path, PathTally
from runway_core.domain.webhooks import InboxDelivery, RailAccount

from runway_testkit.memory_inbox import MemoryInbox
from runway_testkit.memory_jobs import MemoryJobQueue
from runway_testkit.memory_state import States

_NO_NEWS = PathTally(path=Path.WEBHOOK)


class MemoryCoverage:
    """The `Coverage` in memory."""

    def __init__(self, states: States, inbox: MemoryInbox, jobs: MemoryJobQueue) -> None:
        self._states = states
        self._inbox = inbox
        self._jobs = jobs
        self._tallies: dict[tuple[ConnectionId, Path], PathTally] = {}
        self._gaps: dict[ConnectionId, Gap] = {}

    def _connections(self, firm_id: FirmId) -> list[Connection]:
        states = self._states.of_firm(firm_id)
        return [one for state in states for _, one in sorted(state.connections.items())]

    def _heard(self, account: RailAccount) -> Sequence[InboxDelivery]:
        return self._inbox.heard(account)

    async def add_tallies(self, connection: Connection, tallies: Sequence[PathTally]) -> None:
        """Add to what a connection's paths brought and missed."""
        for tally in tallies:
            key = (connection.connection_id, tally.path)
            held = self._tallies.get(key, PathTally(path=tally.path))
            times = [at for at in (held.last_missed_at, tally.last_missed_at) if at is not None]
            self._tallies[key] = PathTally(
                path=tally.path,
                brought=held.brought + tally.brought,
                missed=held.missed + tally.missed,
                last_missed_at=max(times, default=None),
            )

    async def tallies(self, firm_id: FirmId) -> Mapping[ConnectionId, Sequence[PathTally]]:
        """What the paths of each connection brought and missed, by path."""
        found: dict[ConnectionId, Sequence[PathTally]] = {}
        for connection in self._connections(firm_id):
            held = [
                self._tallies[connection.connection_id, path]
                for path in sorted(Path)
                if (connection.connection_id, path) in self._tallies
            ]
            if held:
                found[connection.connection_id] = held
        return found

    async def has_heard(self, account: RailAccount) -> bool:
        """Whether any event of an account is kept."""
        return bool(self._heard(account))

    async def announced(
        self, account: RailAccount, keys: Collection[RecordKey], *, since: datetime
    ) -> frozenset[RecordKey]:
        """Those of `keys` of which an event was received since a moment."""
        told = {
            (event.kind, event.external_id)
            for delivery in self._heard(account)
            for event in delivery.events
            if event.account == account.account and delivery.received_at >= since
        }
        return frozenset(key for key in keys if (key.kind, key.external_id) in told)

    async def hearings(self, firm_id: FirmId, *, since: datetime, repeated_since: datetime) -> Sequence[Hearing]:
        """What was heard since a moment of each connection that ever heard anything."""
        found = []
        for connection in self._connections(firm_id):
            heard = self._heard(RailAccount(connection.rail, connection.rail_account or ""))
            if not heard:
                continue
            times = [one.received_at for one in heard if one.received_at >= since]
            again = [one.last_seen_at for one in heard if one.times_seen > 1]
            repeats = [at for at in again if at >= repeated_since]
            tally = self._tallies.get((connection.connection_id, Path.WEBHOOK), _NO_NEWS)
            found.append(
                Hearing.trusted(
                    {
                        "firm_id": firm_id,
                        "company_id": connection.company_id,
                        "connection_id": connection.connection_id,
                        "rail": connection.rail,
                        "deliveries": len(times),
                        "first_at": min(times, default=None),
                        "last_at": max(times, default=None),
                        "last_repeat_at": max(repeats, default=None),
                        "missed": tally.missed,
                        "last_missed_at": tally.last_missed_at,
                        "last_success_at": connection.last_success_at,
                    }
                )
            )
        return found

    async def note_gaps(self, gaps: Sequence[Gap], jobs: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Keep gaps, one a connection, and add the pulls that close them."""
        receipt = await self._jobs.enqueue(jobs, now=now)
        self._gaps.update({gap.connection_id: gap for gap in gaps})
        return receipt

    async def close_gaps(self, firm_id: FirmId, connections: Collection[ConnectionId]) -> int:
        """Forget gaps that are over."""
        over = [gap for gap in self._gaps.values() if gap.firm_id == firm_id and gap.connection_id in connections]
        for gap in over:
            del self._gaps[gap.connection_id]
        return len(over)

    async def gaps(self, firm_id: FirmId) -> Sequence[Gap]:
        """The gaps that are open, by company, then connection."""
        held = [gap for gap in self._gaps.values() if gap.firm_id == firm_id]
        return sorted(held, key=lambda gap: (gap.company_id, gap.connection_id))
