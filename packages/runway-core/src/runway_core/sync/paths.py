"""What each path by which changes come has brought, and what it had missed when another one found it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from runway_core.domain.changes import Cause, ChangeKind
from runway_core.domain.company import Connection
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.sweeps import Path, PathTally
from runway_core.domain.webhooks import RailAccount
from runway_core.ports.clock import Clock
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.ports.store import Store
from runway_core.ports.webhooks import find_webhook_reader
from runway_core.sync.sweep import Repair

GRACE = timedelta(minutes=5)
"""News of a change that is younger may still be on its way."""

REACH_BACK = timedelta(minutes=10)
"""An event may have come so long before the pull that was thought to have read all until then."""

_BY_NEWS = frozenset({Cause.WEBHOOK})


class PathWatch:
    """Counts, after pulls and sweeps, which path brought what and which one should have."""

    def __init__(self, store: Store, rails: RailCatalog, clock: Clock) -> None:
        self._store = store
        self._rails = rails
        self._clock = clock

    async def after_pull(self, connection: Connection, cause: Cause, *, after: int, correlation_id: str) -> int:
        """Count what a pull brought since an entry of the log; returns how much of it no event had announced.

        `connection` is as it stood before the pull: what happened until its last success is another pull's.
        """
        changes = []
        async for entry in self._store.log.entries(connection.company_id, after=after):
            draft = entry.draft
            if draft.attribution.correlation_id == correlation_id and draft.what in set(ChangeKind):
                changes.append(RecordKey(RecordKind(draft.kind), draft.external_id))
        path = Path.WEBHOOK if cause in _BY_NEWS else Path.FEED
        tallies = [PathTally(path=path, brought=len(changes))]
        unannounced = 0
        if path is Path.FEED:
            old_enough = await self._keep_old(connection, changes)
            unannounced = len(await self._find_unannounced(connection, old_enough, since=connection.last_success_at))
            tallies += self._tell_missed({Path.WEBHOOK: unannounced})
        await self._store.coverage.add_tallies(connection, tallies)
        return unannounced

    async def after_sweep(self, connection: Connection, repairs: Sequence[Repair]) -> dict[Path, int]:
        """Count what a sweep mended; returns how much of it each other path had missed."""
        keys = [repair.key for repair in repairs]
        since = connection.last_swept_at or connection.last_full_at
        missed = {Path.WEBHOOK: len(await self._find_unannounced(connection, keys, since=since))}
        if self._rails.factory(connection.rail).abilities.has_change_feed:
            missed[Path.FEED] = len(keys)
        tallies = [PathTally(path=Path.SWEEP, brought=len(keys)), *self._tell_missed(missed)]
        await self._store.coverage.add_tallies(connection, tallies)
        return missed

    def _tell_missed(self, missed: dict[Path, int]) -> list[PathTally]:
        now = self._clock.now()
        return [PathTally(path=path, missed=count, last_missed_at=now) for path, count in missed.items() if count]

    async def _keep_old(self, connection: Connection, keys: Sequence[RecordKey]) -> list[RecordKey]:
        """Leave out what changed just now: its news may still come."""
        latest = self._clock.now() - GRACE
        held = await self._store.mirror.read_records(connection.company_id, keys)
        return [
            key
            for key in keys
            if key in held and (modified_at := held[key].record.modified_at) is not None and modified_at <= latest
        ]

    async def _find_unannounced(
        self, connection: Connection, keys: Collection[RecordKey], *, since: datetime | None
    ) -> frozenset[RecordKey]:
        """Those of `keys` that the rail should have told of, and did not; none where it was never heard."""
        reader = find_webhook_reader(self._rails.factory(connection.rail))
        if reader is None or connection.rail_account is None:
            return frozenset()
        wanted = frozenset(key for key in keys if key.kind in reader.announces)
        account = RailAccount(connection.rail, connection.rail_account)
        if not wanted or not await self._store.coverage.has_heard(account):
            return frozenset()
        from_when = (since or connection.created_at) - REACH_BACK
        return wanted - await self._store.coverage.announced(account, wanted, since=from_when)
