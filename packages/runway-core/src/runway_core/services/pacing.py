"""How far apart pulls are now: what is set, stretched by metered quotas and by being told, and who is left alone."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runway_core.domain.breakers import BreakerState
from runway_core.domain.company import Connection
from runway_core.domain.identity import ConnectionId, RecordKind
from runway_core.domain.quotas import CallCount, MeteredQuota, QuotaUse, compute_quota, name_month
from runway_core.errors import NotFound
from runway_core.ports.ledger_rail import RailCatalog
from runway_core.ports.webhooks import find_webhook_reader
from runway_core.services.scope import Scope
from runway_core.sync.gaps import LOOKED_AT, REPEAT_COUNTS
from runway_core.sync.health import ServiceSettings
from runway_core.sync.hearing import find_heard
from runway_core.sync.schedule import PULLABLE, Intervals

_DAY = timedelta(days=1)


class PacingService:
    """Knows quotas and breakers, which all firms of a database share, and of whom rails tell by themselves."""

    def __init__(self, scope: Scope, rails: RailCatalog, settings: ServiceSettings) -> None:
        self._scope = scope
        self._rails = rails
        self._settings = settings

    async def heard(self, connections: Sequence[Connection]) -> frozenset[ConnectionId]:
        """Those of these connections that their rail tells of every change, as far as is known: two queries at most."""
        rails = {rail for rail in {one.rail for one in connections} if self._announces(rail)}
        if not rails:
            return frozenset()
        now, coverage, firm_id = self._scope.clock.now(), self._scope.store.coverage, self._scope.firm_id
        hearings = await coverage.hearings(firm_id, since=now - LOOKED_AT, repeated_since=now - REPEAT_COUNTS)
        in_gap = {gap.connection_id for gap in await coverage.gaps(firm_id)}
        return find_heard((one for one in hearings if one.rail in rails), in_gap, now=now)

    def kinds(self, connections: Sequence[Connection]) -> dict[str, frozenset[RecordKind]]:
        """What the rails of these connections bring, by rail, as far as they are installed."""
        found = {}
        for rail in {one.rail for one in connections}:
            with contextlib.suppress(NotFound):
                found[rail] = self._rails.factory(rail).abilities.kinds
        return found

    def _announces(self, rail: str) -> bool:
        """Whether the rail's vendor says of some kind that it tells all of it: else no loss would ever be noticed."""
        try:
            reader = find_webhook_reader(self._rails.factory(rail))
        except NotFound:  # a rail that is not installed any more
            return False
        return reader is not None and bool(reader.announces)

    async def quotas(
        self, connections: Sequence[Connection], heard: Collection[ConnectionId] = frozenset()
    ) -> tuple[QuotaUse, ...]:
        """Where each metered rail of these connections stands in its month, by name: one query at most."""
        metered = {rail: quota for rail in {one.rail for one in connections} if (quota := self._find_quota(rail))}
        if not metered:
            return ()
        now = self._scope.clock.now()
        intervals = replace(self._settings.intervals, heard=heard)
        counts = await self._scope.store.health.call_counts(name_month(now))
        return tuple(
            compute_quota(
                rail,
                quota,
                [counts.get(rail, CallCount())],
                polls_a_day=count_polls(connections, rail, intervals),
                now=now,
            )
            for rail, quota in sorted(metered.items())
        )

    async def stretch(self, intervals: Intervals, connections: Sequence[Connection]) -> Intervals:
        """Intervals for connections that their rail tells of, and such that quotas last to the end of the month."""
        heard = await self.heard(connections)
        quotas = await self.quotas(connections, heard)
        return replace(intervals, heard=heard, stretch={use.rail: use.stretch_percent for use in quotas})

    async def paused(self) -> Mapping[str, datetime]:
        """Rails and connections, by name or id, that are left alone until a moment because they do not answer."""
        now = self._scope.clock.now()
        return {
            key.rpartition("/")[2]: breaker.open_until
            for key, breaker in (await self._scope.store.breakers.breakers()).items()
            if breaker.open_until is not None and breaker.state_at(now) is BreakerState.OPEN
        }

    def _find_quota(self, rail: str) -> MeteredQuota | None:
        set_calls = self._settings.quotas.get(rail)
        if set_calls is not None:
            return MeteredQuota(calls_a_month=set_calls, live_percent=self._settings.quota_live_percent)
        try:
            stated = self._rails.factory(rail).abilities.metered
        except NotFound:
            return None
        return stated and stated.model_copy(update={"live_percent": self._settings.quota_live_percent})


def count_polls(connections: Sequence[Connection], rail: str, intervals: Intervals) -> int:
    """How many pulls a day the schedule makes of a rail, were nothing stretched."""
    wanted = [one for one in connections if one.rail == rail and one.state in PULLABLE]
    return sum(max(1, _DAY // intervals.of(one)) for one in wanted)
