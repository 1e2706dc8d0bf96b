"""What each path by which changes come has brought and missed, and where webhooks have a gap."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runway_core.domain.company import Connection
from runway_core.domain.gaps import Gap, Hearing
from runway_core.domain.identity import ConnectionId, FirmId, RecordKey
from runway_core.domain.jobs import EnqueueReceipt, NewJob
from runway_core.domain.sweeps import PathTally
from runway_core.domain.webhooks import RailAccount


class Coverage(Protocol):
    """Keeps tallies and gaps. Every method may raise StoreUnavailable and SchemaMismatch."""

    async def add_tallies(self, connection: Connection, tallies: Sequence[PathTally]) -> None:
        """Add to what a connection's paths brought and missed; the latest `last_missed_at` stays."""
        ...

    async def tallies(self, firm_id: FirmId) -> Mapping[ConnectionId, Sequence[PathTally]]:
        """What the paths of each connection brought and missed, by path, in one query."""
        ...

    async def has_heard(self, account: RailAccount) -> bool:
        """Whether any event of an account is kept."""
        ...

    async def announced(
        self, account: RailAccount, keys: Collection[RecordKey], *, since: datetime
    ) -> frozenset[RecordKey]:
        """Those of `keys` of which an event was received since a moment, in one query."""
        ...

    async def hearings(self, firm_id: FirmId, *, since: datetime, repeated_since: datetime) -> Sequence[Hearing]:
        """What was heard since a moment of each connection that ever heard anything; by company, then connection.

        Deliveries that came again are looked for since a moment of their own.
        """
        ...

    async def note_gaps(self, gaps: Sequence[Gap], jobs: Sequence[NewJob], *, now: datetime) -> EnqueueReceipt:
        """Keep gaps, one a connection, and add the pulls that close them, in one transaction."""
        ...

    async def close_gaps(self, firm_id: FirmId, connections: Collection[ConnectionId]) -> int:
        """Forget gaps that are over; returns how many there were."""
        ...

    async def gaps(self, firm_id: FirmId) -> Sequence[Gap]:
        """The gaps that are open, by company, then connection."""
        ...
